"""The definition of done: for each artifact its specs, code, data and evidence, and everything that belongs to nothing.

It is written after the gate record, because it says what was judged, and names the record by its digest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.harness import canonical, rulebook
from quantassay.harness.inputs import ENGINE_ARTIFACTS
from quantassay.harness.work_items import STATES, cell

RECORD, NAME = ENGINE_ARTIFACTS
CELLS = ("yaml", "code", "data", "evidence")
ORIGINS = {
    "/counts/**": [f"{RECORD}:/judged"],
    "/items/*/data/digest": [f"{RECORD}:/judged/{{name}}"],
    "/items/*/evidence/**": [f"{RECORD}:/gates"],
}
AFTER = "It is judged after the record, by the engine, whenever pages are written, verified or packaged."


@dataclass(frozen=True, slots=True)
class Seen:
    """What the definition of done is made of.

    `items` and `looked_at` are the facts `work_items` and `loose_ends`; `unreported` and `orphans` the excuses of
    governance: artifact to reason, and (kind, name) to reason. `record` is the envelope of the gate record, `gates` the
    digest of each gate as it lies there now.
    """

    items: Sequence[Mapping[str, Any]]
    looked_at: Sequence[Mapping[str, str]]
    unreported: Mapping[str, str]
    orphans: Mapping[tuple[str, str], str]
    record: Mapping[str, Any]
    gates: Mapping[str, str]


def excuses(document: Mapping[str, Any] | None) -> dict[tuple[str, str], str]:
    """The excuses of governance/orphans.yaml by kind and name; none where there is no such file."""
    return {(one["kind"], one["name"]): one["why"] for one in (document or {"orphans": []})["orphans"]}


def excuse_for(kind: str, name: str, given: Mapping[tuple[str, str], str]) -> str | None:
    """The reason that excuses a loose end; one for a field may name the key alone, whatever the file."""
    return given.get((kind, name)) or given.get((kind, name.rpartition(":")[2]))


def envelope(seen: Seen) -> dict[str, Any]:
    """The envelope of the artifact definition_of_done v1."""
    record = seen.record
    links = [{"name": RECORD, "kind": "artifact", "digest": canonical.digest(record)}]
    judged = [one for one in record["provenance"]["inputs"] if one["kind"] == "artifact"]
    return {
        "artifact": NAME,
        "version": 1,
        "as_of": record["as_of"],
        "marks": record["marks"],
        "provenance": {
            "builder": {
                "file": "engine:done",
                "digest": canonical.sha256(Path(__file__).read_bytes()),
                "origin": "engine",
            },
            "engine": record["provenance"]["engine"],
            "inputs": sorted([*links, *judged], key=lambda one: str(one["name"])),
            "libraries": [],
        },
        "origins": ORIGINS,
        "data": _data(seen),
    }


def unfounded(told: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    """What a definition of done says that does not follow from the gate record and from itself, a sentence each.

    This holds whatever has changed in the workspace since.
    """
    try:
        return list(_unfounded(told["provenance"], told["data"], record))
    except (KeyError, TypeError, AttributeError) as error:
        return [f"it is not of the right form ({type(error).__name__}: {error})"]


def _unfounded(provenance: Mapping[str, Any], data: Mapping[str, Any], record: Mapping[str, Any]) -> Iterable[str]:
    known, rows = record["data"], data["items"]
    if {one["name"]: one["digest"] for one in provenance["inputs"]}.get(RECORD) != canonical.digest(record):
        yield "it is of another gate record"
    if [row["name"] for row in rows] != sorted(known["judged"]):
        yield "its artifacts are not those that were judged"
    ran = {gate["gate"]: gate["judged"] for gate in known["gates"]}
    for row in rows:
        if row["data"]["digest"] != known["judged"].get(row["name"]):
            yield f"{row['name']}: another file was judged"
        if row["evidence"]["judged"] != sum(ran.get(gate, 0) for gate in row["code"]["gates"]):
            yield f"{row['name']}: its gates judged another number of things"
        if row["done"] != (not row["says"] and all(row[one]["state"] == "ok" for one in CELLS)):
            yield f"{row['name']}: its cells say otherwise"
    if data["unevaluated"] != list(_unevaluated(known)):
        yield "its rules without a judgement are others than those of the record"
    counted = {"items": len(rows), "done": sum(row["done"] for row in rows)}
    counted |= {name: len(data[name]) for name in ("orphans", "excused", "unevaluated")}
    if any(data["counts"][name] != count for name, count in counted.items()):
        yield "its counts are not those of its rows"


def _data(seen: Seen) -> dict[str, Any]:
    rows = [_row(item, seen) for item in seen.items]
    loose = [one for one in seen.looked_at if one["wrong"]]
    found = [(one, excuse_for(one["kind"], one["name"], seen.orphans)) for one in loose]
    orphans = [{"kind": one["kind"], "name": one["name"], "says": one["wrong"]} for one, why in found if why is None]
    excused = [{"kind": one["kind"], "name": one["name"], "why": why} for one, why in found if why is not None]
    silent = list(_unevaluated(seen.record["data"]))
    return {
        "counts": {
            "items": len(rows),
            "done": sum(row["done"] for row in rows),
            "looked_at": len(seen.looked_at),
            "orphans": len(orphans),
            "excused": len(excused),
            "unevaluated": len(silent),
        },
        "items": rows,
        "orphans": _sorted(orphans),
        "excused": _sorted(excused),
        "unevaluated": silent,
    }


def _sorted(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(rows, key=lambda row: (row["kind"], row["name"]))


def _row(item: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    name = item["name"]
    cells = {**{one: dict(item["cells"][one]) for one in CELLS}, "evidence": _evidence(item, seen)}
    why = seen.unreported.get(name)
    says = [words for one in CELLS for words in cells[one].pop("says")]
    if not item["reports"] and why is None:
        says.append("no report shows it, and governance/unreported.yaml gives no reason")
    done = not says and all(cells[one][mark] for one in CELLS for mark in STATES)
    shown = {"reports": item["reports"], "readers": item["readers"], "unreported": why}
    return {"name": name, "done": done, "says": says, **shown, **{one: cells[one] for one in CELLS}}


def _evidence(item: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    """The cell as it was before judging, with what was judged: by these gates, of these bytes."""
    before, data = item["cells"]["evidence"], seen.record["data"]
    ran = {gate["gate"]: gate for gate in data["gates"]}
    gates = item["cells"]["code"]["gates"]
    judged = sum(ran[gate]["judged"] for gate in gates if gate in ran)
    wrong: dict[str, list[str]] = {mark: [] if before[mark] else before["says"] for mark in ("there", "fresh")}
    wrong["tied"] = []
    if not judged:
        wrong["there"] = [*wrong["there"], "no gate that reads it judged anything in this run"]
    if data["judged"].get(item["name"]) != item["cells"]["data"]["digest"]:
        wrong["tied"].append("the gate record is of another file than the one that lies there")
    for gate in gates:
        if gate not in ran or ran[gate]["digest"] != seen.gates.get(gate):
            wrong["tied"].append(f"{gate} is not the gate that ran")
    made = cell(before["names"], wrong, cases=before["cases"], judged=judged)
    return made | {"says": list(dict.fromkeys(made["says"]))}


def _unevaluated(data: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    """The rules by which nothing was judged in this run, each with the reason why that may be."""
    reasons = {gate["gate"]: gate["zero_legal"] for gate in data["gates"]}
    later = {rule for gate in rulebook.AFTER_THE_RECORD for rule in gate.rules}
    for rule in data["rules"]:
        if rule["evaluated"]:
            continue
        legal = [reasons[gate] for gate in rule["gates"] if reasons.get(gate)]
        why = AFTER if rule["id"] in later else " ".join(legal) or "Its gates judged nothing, and nothing excuses that."
        yield {"rule": rule["id"], "gates": ", ".join(rule["gates"]), "why": why}
