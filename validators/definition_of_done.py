"""Every artifact is done: it has specs, a builder, a schema, a gate, a report and evidence.

Work that lacks one of them looks finished, and the gap shows when somebody has to answer for a number.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R05.1"]
PARTS = {
    "specs": "no spec says what it should be",
    "builder": "no file in builders/ makes it",
    "schema": "no schema in spec/schemas states its form",
    "gates": "no gate in validators/ reads it",
    "reports": "no report shows it, and governance/unreported.yaml gives no reason",
    "evidence": "neither cases nor provenance speak for it",
}


def check(work_items: list[dict[str, Any]], unreported: dict[str, list[dict[str, str]]]) -> Iterator[Judged]:
    """Judges each part of each artifact, and each artifact that is excused from having a report."""
    excused = {entry["artifact"] for entry in unreported["unreported"]}
    for item in work_items:
        for part, wrong in PARTS.items():
            there = bool(item[part]) or (part == "reports" and item["name"] in excused)
            yield judged(f"/{item['name']}/{part}", ok=there, says=f"{item['name']}: {wrong}", artifact="work_items")
    shown = {item["name"]: item["reports"] for item in work_items}
    for index, entry in enumerate(unreported["unreported"]):
        reports = shown.get(entry["artifact"])
        wrong = "is no artifact" if reports is None else f"is shown by {', '.join(reports)}" if reports else ""
        says = f"{entry['artifact']} {wrong}, so it needs no excuse"
        yield judged(f"/unreported/{index}/artifact", ok=not wrong, says=says, artifact="unreported")
