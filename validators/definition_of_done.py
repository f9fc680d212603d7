"""Every artifact is done: specs, code, data and evidence are there and fit together, and nothing belongs to nobody.

Work that lacks one of them looks finished, and the gap shows when somebody has to answer for a number.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R05.1", "R05.3", "R05.4"]
CELLS = ("yaml", "code", "data", "evidence")


def check(
    work_items: list[dict[str, Any]],
    loose_ends: list[dict[str, str]],
    unreported: dict[str, list[dict[str, str]]],
    orphans: dict[str, list[dict[str, str]]],
) -> Iterator[Judged]:
    """Judges each cell of each artifact, each thing that could belong to nothing, and each excuse."""
    excused = {entry["artifact"] for entry in unreported["unreported"]}
    for item in work_items:
        yield from _item(item, excused)
    yield from _excused_reports(work_items, unreported)
    yield from _loose_ends(loose_ends, orphans)


def _item(item: dict[str, Any], excused: set[str]) -> Iterator[Judged]:
    name = item["name"]
    for cell in CELLS:
        facts = item["cells"][cell]
        says = f"{name}: {'; '.join(facts['says'])}"
        yield judged(f"/{name}/{cell}/there", ok=facts["there"], says=says, artifact="work_items", rule="R05.1")
        for mark in ("fresh", "tied"):
            yield judged(f"/{name}/{cell}/{mark}", ok=facts[mark], says=says, artifact="work_items", rule="R05.3")
    shown = bool(item["reports"]) or name in excused
    says = f"{name}: no report shows it, and governance/unreported.yaml gives no reason"
    yield judged(f"/{name}/reports", ok=shown, says=says, artifact="work_items", rule="R05.1")


def _excused_reports(work_items: list[dict[str, Any]], unreported: dict[str, list[dict[str, str]]]) -> Iterator[Judged]:
    """Judges each artifact that is excused from having a report: it is there and has none."""
    shown = {item["name"]: item["reports"] for item in work_items}
    for index, entry in enumerate(unreported["unreported"]):
        reports = shown.get(entry["artifact"])
        wrong = "is no artifact" if reports is None else f"is shown by {', '.join(reports)}" if reports else ""
        says = f"{entry['artifact']} {wrong}, so it needs no excuse"
        yield judged(f"/unreported/{index}/artifact", ok=not wrong, says=says, artifact="unreported", rule="R05.1")


def _loose_ends(loose_ends: list[dict[str, str]], orphans: dict[str, list[dict[str, str]]]) -> Iterator[Judged]:
    given = [(entry["kind"], entry["name"]) for entry in orphans["orphans"]]
    needed: set[tuple[str, str]] = set()
    for one in loose_ends:
        # A field may be excused by its key alone, whatever the file.
        names = {(one["kind"], one["name"]), (one["kind"], one["name"].rpartition(":")[2])}
        excuses = names & set(given) if one["wrong"] else set()
        needed |= excuses
        place = f"/{one['kind']}/{one['name'].replace('~', '~0').replace('/', '~1')}"
        says = f"the {one['kind']} {one['name']}: {one['wrong']}"
        fine = not one["wrong"] or bool(excuses)
        yield judged(place, ok=fine, says=says, artifact="loose_ends", rule="R05.4")
    for index, entry in enumerate(given):
        says = f"the {' '.join(entry)} belongs to something, or is not there, so it needs no excuse"
        yield judged(f"/orphans/{index}", ok=entry in needed, says=says, artifact="orphans", rule="R05.4")
