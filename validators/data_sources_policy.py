"""Every data source that a spec names is allowed, and one that needs a login has an approval in force.

Data from a source that nobody looked at may be wrong, late or not ours to use.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R07.1", "R07.2", "R07.3"]
# What the choice of bars in spec/10_desk.yaml may make the desk read.
BARS = {"auto": ("sample", "imported")}


def check(
    documents: dict[str, Any],
    data_sources: dict[str, list[dict[str, Any]]],
    credentials: dict[str, list[dict[str, Any]]],
    approval_states: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each source by the governed list, by the approvals where it asks for a login, and by that login."""
    mine = [one for one in approval_states["approvals"] if one["subject"] == "data_source"]
    approved = {one["name"] for one in mine if one["state"] == "in_force"}
    told = {one["name"]: f" ({one['id']}: {one['why']})" for one in mine}
    logins = {one["id"]: one["status"] for one in credentials["credentials"]}
    for index, source in enumerate(data_sources["data_sources"]):
        yield _login(index, source, logins)
    listed = {source["id"]: source for source in data_sources["data_sources"]}
    for name, document in documents.items():
        # The list names every source, and an approval names the digest of the bars that it stands on.
        if name in ("data_sources", "approvals"):
            continue
        for pointer, named in _named(document, ""):
            source = listed.get(named, {"status": "not on the list", "login": False})
            says = f"the data source {named} is {source['status']}"
            yield judged(pointer, ok=source["status"] == "allowed", says=says, artifact=name, rule="R07.1")
            says = f"the data source {named} asks for a login, and no approval in force names it{told.get(named, '')}"
            ok = not source["login"] or named in approved
            yield judged(pointer, ok=ok, says=says, artifact=name, rule="R07.2")


def _login(index: int, source: dict[str, Any], logins: dict[str, str]) -> Judged:
    """A source with a login says which; one that may be used needs a login that may be used."""
    login, pointer = source.get("credential"), f"/data_sources/{index}/credential"
    known = (login in logins) if source["login"] else login is None
    if not known:
        wrong = (
            "names no login that governance/credentials.yaml lists" if source["login"] else "names a login it needs not"
        )
        says = f"the data source {source['id']} {wrong}"
        return judged(pointer, ok=False, says=says, artifact="data_sources", rule="R07.3", actual=login)
    ok = login is None or source["status"] != "allowed" or logins[login] == "allowed"
    says = f"the data source {source['id']} is allowed, and its login {login} is refused"
    return judged(pointer, ok=ok, says=says, artifact="data_sources", rule="R07.3")


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
