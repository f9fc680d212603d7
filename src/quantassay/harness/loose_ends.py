"""What lies about in a workspace without anybody asking for it or reading it, worked out from the rooms themselves."""

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from quantassay.harness import pointers
from quantassay.harness.rooms import Rooms, Unit

Look = tuple[str, str, str]
"""What was looked at: its kind, its name, and what is wrong with it, empty where nothing is."""

# Specs that the engine reads although none of its modules asks for them by name.
_OWN_SPECS = frozenset({"workspace"})
# Schemas of what is neither a spec nor an artifact of a builder.
OWN_SCHEMAS = frozenset({"gate_record", "definition_of_done", "package_manifest"})
_VERSIONED = re.compile(r"(.+)_v\d+")
_ASKS = frozenset({"value", "fresh", "source", "digest"})


@dataclass(frozen=True, slots=True)
class Lot:
    """All that is looked at.

    `sources` are the specs and governance files: name to (file, value); a folder's value is the list of its files'.
    `schemas` holds each schema by its stem, `own_schemas` the stems that lie in this workspace, and `schema_of(name)`
    gives the stem of a spec's. `asked` are the names that the engine's own modules read, `words` all words of all code,
    `case_folders` the gates that have a folder of cases in this workspace.
    """

    rooms: Rooms
    sources: Mapping[str, tuple[str, Any]]
    schemas: Mapping[str, Any]
    own_schemas: Collection[str]
    schema_of: Callable[[str], str]
    asked: Collection[str]
    words: Collection[str]
    case_folders: Collection[str]


def look(lot: Lot) -> Iterator[Look]:
    """Every thing that was looked at, in an order that says nothing; each kind and name comes once."""
    yield from _gates(lot)
    yield from _reports(lot)
    yield from _tools(lot)
    yield from _specs(lot)
    yield from _artifacts(lot)
    yield from _schemas(lot)
    yield from _cases(lot)
    yield from _fields(lot)
    yield from _references(lot)


def asked_in(tree: ast.AST) -> set[str]:
    """The names of inputs that a module of the engine reads: `inputs.value("desk")`, `"desk" in inputs.sources`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ASKS:
            found |= {_word(one) for one in node.args[:1]}
        elif isinstance(node, ast.Compare):
            inside = [one for one in node.comparators if isinstance(one, ast.Attribute) and one.attr == "sources"]
            found |= {_word(node.left) for _ in inside}
    return found - {""}


def _word(node: ast.AST) -> str:
    """The text that a piece of code is, empty where it is something else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def words_of(source: str) -> set[str]:
    """Every word of a piece of code, however it is used there."""
    return set(re.findall(r"[A-Za-z_]\w*", source))


def _rules(lot: Lot) -> list[dict[str, Any]]:
    return list(lot.sources.get("rules", ("", []))[1])


def _gates(lot: Lot) -> Iterator[Look]:
    """A gate is asked for by a rule that names it; the rules that it names must be there."""
    rules = _rules(lot)
    asked, known = {gate for rule in rules for gate in rule["enforced_by"]}, {rule["id"] for rule in rules}
    for gate in lot.rooms.validators.values():
        gone = [rule for rule in gate.rules if rule not in known]
        wrong = f"its rules {', '.join(gone)} are gone" if gone else ""
        yield "gate", gate.name, wrong if gate.name in asked else "no rule asks for it"


def _reports(lot: Lot) -> Iterator[Look]:
    settings = lot.sources.get("reports", ("", {"reports": {}}))[1]["reports"]
    renderers = lot.rooms.renderers
    for name in sorted({*settings, *renderers}):
        if name not in renderers:
            yield "report", name, "spec/90_reports.yaml names it, and there is no template for it"
        else:
            yield "report", name, "" if name in settings else "spec/90_reports.yaml does not ask for it"


def _tools(lot: Lot) -> Iterator[Look]:
    said = set().union(*(words_of(text) for _, value in lot.sources.values() for text in _texts(value)))
    for tool in lot.rooms.tools:
        yield "tool", tool, "" if tool in said else "no spec and no governance file names it"


def _specs(lot: Lot) -> Iterator[Look]:
    units = (*lot.rooms.builders.values(), *lot.rooms.validators.values())
    read = {name for unit in units for name in unit.parameters} | set(lot.asked) | _OWN_SPECS
    for name, (file, value) in lot.sources.items():
        if value != []:
            yield "spec", file, "" if name in read else "no builder, no gate and no part of the engine reads it"


def _artifacts(lot: Lot) -> Iterator[Look]:
    for name in lot.rooms.builders:
        read = any(_reads(name, units) for units in (lot.rooms.builders, lot.rooms.renderers))
        yield "artifact", name, "" if read else "no builder reads it and no report shows it"


def _reads(name: str, units: Mapping[str, Unit]) -> bool:
    return any(name in unit.parameters for unit in units.values())


def _schemas(lot: Lot) -> Iterator[Look]:
    used = {lot.schema_of(name) for name in lot.sources}
    for stem in sorted(lot.own_schemas):
        versioned = _VERSIONED.fullmatch(stem)
        subject = versioned[1] if versioned else stem
        ours = subject in lot.rooms.builders if versioned else stem in used
        yield "schema", stem, "" if ours or subject in OWN_SCHEMAS else "there is nothing that has this form"


def _cases(lot: Lot) -> Iterator[Look]:
    for gate in sorted(lot.case_folders):
        wrong = "" if gate in lot.rooms.validators else "cases of a gate that is gone"
        yield "evidence", f"tests/validators/{gate}", wrong


def _fields(lot: Lot) -> Iterator[Look]:
    """Keys that stand in a spec and in its schema by name; keys that are data, such as tickers, are not fields."""
    for name, (file, value) in lot.sources.items():
        named = set(_properties(lot.schemas.get(lot.schema_of(name), {})))
        for key in sorted(named & set(_keys(value))):
            yield "field", f"{file}:{key}", "" if key in lot.words else "no builder, no gate and no other code names it"


def _references(lot: Lot) -> Iterator[Look]:
    """Values of one file that must stand in another, as governance/orphans.yaml lists them."""
    for entry in lot.sources.get("orphans", ("", {"references": []}))[1]["references"]:
        tools = [f"tools/{name}.py" for name in lot.rooms.tools]
        names = set(tools if entry["to"] == "tools" else _values(lot, entry["to"]))
        for value in dict.fromkeys(_values(lot, entry["from"])):
            wrong = "" if value in names else f"{entry['what']} that is gone: {entry['to']} has no {value}"
            yield "reference", f"{entry['from']}={value}", wrong


def _values(lot: Lot, place: str) -> list[str]:
    """The texts at a place with wildcards, `name:/pointer`; a file that is not there has none."""
    name, _, pattern = place.partition(":")
    leaves = pointers.walk(lot.sources.get(name, ("", None))[1])
    return [str(leaf) for pointer, leaf in leaves if leaf is not None and pointers.matches(pattern, pointer)]


def _texts(value: Any) -> Iterator[str]:
    return (leaf for _, leaf in pointers.walk(value) if isinstance(leaf, str))


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for member in _members(value):
        yield from _keys(member)


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        yield from schema["properties"]
    for member in _members(schema):
        yield from _properties(member)


def _members(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
