"""Every data source that a spec names is allowed, and one that needs a login has an approval in force.

Data from a source that nobody looked at may be wrong, late or not ours to use.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R07.1", "R07.2"]
# What the choice of bars in spec/10_desk.yaml may make the desk read.
BARS = {"auto": ("sample", "imported")}


def check(
    documents: dict[str, Any],
    data_sources: dict[str, list[dict[str, Any]]],
    approvals: list[dict[str, str]],
    as_of: str,
) -> Iterator[Judged]:
    """Judges each source by the governed list, and by the approvals where it asks for a login."""
    day = datetime.fromisoformat(as_of).date().isoformat()
    approved = {
        one["name"] for one in approvals if one["subject"] == "data_source" and one["granted"] <= day <= one["expires"]
    }
    listed = {source["id"]: source for source in data_sources["data_sources"]}
    for name, document in documents.items():
        if name == "data_sources":
            continue
        for pointer, named in _named(document, ""):
            source = listed.get(named, {"status": "not on the list", "login": False})
            says = f"the data source {named} is {source['status']}"
            yield judged(pointer, ok=source["status"] == "allowed", says=says, artifact=name, rule="R07.1")
            says = f"the data source {named} asks for a login, and no approval in force names it"
            ok = not source["login"] or named in approved
            yield judged(pointer, ok=ok, says=says, artifact=name, rule="R07.2")


def _named(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """(pointer, source) wherever a spec says `data_source: x`, `sources: [{id: x}]` or which `bars` the desk reads."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        place = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if key == "data_source":
            yield place, str(member)
        elif key == "bars" and isinstance(member, str):
            yield from ((place, source) for source in BARS.get(member, (member,)))
        elif key == "sources" and isinstance(member, list):
            for index, source in enumerate(member):
                if isinstance(source, dict) and "id" in source:
                    yield f"{place}/{index}/id", str(source["id"])
        yield from _named(member, place)
