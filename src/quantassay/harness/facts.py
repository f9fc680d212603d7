"""Facts about the workspace that gates judge: schema errors, origins, gates and rules, work items, loose ends."""

import ast
from pathlib import Path
from typing import Any

from quantassay.harness import build, canonical, code, digits, files, loose_ends, origins, rulebook, schemas
from quantassay.harness import work_items as items
from quantassay.harness.inputs import Inputs, NotBuilt, schema_stem
from quantassay.harness.lazy import Lazy
from quantassay.harness.workspace import Workspace

_PLAIN = ("Int", "UInt", "Float", "Decimal", "Date", "Time")


def artifact_schema_errors(inputs: Inputs) -> dict[str, list[dict[str, str]]]:
    """For each artifact that is built: where its data breaks its schema (for a table, where its sidecar does)."""
    found: dict[str, list[dict[str, str]]] = {}
    for name in inputs.artifacts():
        schema = inputs.schema(f"{name}_v{inputs.version(name)}")
        if schema is None:
            found[name] = [{"pointer": "", "says": f"has no schema; write spec/schemas/{name}_v1.schema.json"}]
            continue
        data = _data(inputs, name)
        breaches = [{"pointer": p.pointer, "says": p.says} for p in schemas.validate(schema, data)]
        breaches += [{"pointer": at, "says": says} for at, says in digits.excess_digits(schema, data)]
        found[name] = breaches
    return found


def artifact_data(inputs: Inputs) -> dict[str, Any]:
    """The data of each artifact that is built; of a table its sidecar, with the columns and without the rows."""
    return {name: _data(inputs, name) for name in inputs.artifacts()}


def report_places(inputs: Inputs) -> dict[str, list[str]]:
    """For each report the places of artifacts that it prints, as `template_places.printed` names them."""
    found: dict[str, list[str]] = {}
    for name, unit in inputs.rooms.renderers.items():
        source = inputs.bytes(unit.path)
        read = Lazy("quantassay.harness.template_places:printed", (source.decode("utf-8-sig"), unit.file))
        found[name] = inputs.remember(f"places of the template {unit.digest}", read)
    return found


def _data(inputs: Inputs, name: str) -> Any:
    """An artifact's data as JSON; of a table that of its sidecar."""
    return inputs.envelope(name)["data"] if inputs.kind(name) == "table" else inputs.value(name)


def documents(inputs: Inputs) -> dict[str, Any]:
    """The value of every spec and governance file by its name; a folder's files as a list."""
    return {name: inputs.value(name) for name in inputs.names() if inputs.kind(name) in ("spec", "governance")}


def gate_units(inputs: Inputs) -> list[dict[str, Any]]:
    """Every gate with the rules that it says it holds."""
    return rulebook.gate_units(inputs.rooms.validators.values())


def origin_coverage(inputs: Inputs) -> list[dict[str, Any]]:
    """For each kind of number in each artifact: how many there are, and how many have no origin."""
    found: list[dict[str, Any]] = []
    for name in inputs.artifacts():
        reads = inputs.rooms.builders[name].parameters
        envelope = inputs.envelope(name)
        if inputs.kind(name) == "table":
            columns = envelope["data"]["columns"]
            plain = [column for column, facts in columns.items() if facts["type"].startswith(_PLAIN)]
            found += origins.table_coverage(name, plain, envelope["origins"], reads)
        else:
            found += origins.coverage(name, inputs.value(name), envelope["origins"], reads)
    return found


def work_items(inputs: Inputs) -> list[dict[str, Any]]:
    """For each artifact the four cells of its definition of done, and who reads and shows it."""
    here, gates = inputs.workspace, inputs.rooms.validators
    cases = items.cases(here.standard, gates) | items.cases(here.root, gates)
    made = {name: one for name in inputs.rooms.builders if (one := _made(inputs, name)) is not None}
    return items.collect(items.Shop(inputs.rooms, inputs.kind, here.schemas, cases, made))


def _made(inputs: Inputs, name: str) -> items.Made | None:
    """How an artifact was built and what has changed since; None where it is not there."""
    record = inputs.record(name)
    if not record:
        return None
    try:
        envelope = inputs.envelope(name)
        now = build.step_key(inputs, inputs.rooms.builders[name], inputs.state.as_of or "")
    except NotBuilt:
        return None
    old, provenance = record["key"], envelope["provenance"]
    content = {"data": envelope["data"], "marks": envelope["marks"]}
    lying = {file: files.digest(inputs.workspace.root / file) for file in record["outputs"]}
    return items.Made(
        named={one["name"]: one["digest"] for one in provenance["inputs"]},
        read={part.removeprefix("input "): digest for part, digest in old.items() if part.startswith("input ")},
        builder=provenance["builder"]["digest"],
        changed=tuple(sorted(part for part in old.keys() | now.keys() if old.get(part) != now.get(part))),
        files=record["outputs"],
        missing=tuple(file for file, digest in record["outputs"].items() if lying[file] != digest),
        content=record["content"],
        sound=files.sha256(canonical.dumps(content)) == record["content"],
    )


def loose_ends_seen(inputs: Inputs) -> list[dict[str, str]]:
    """The fact `loose_ends`: everything that was looked at for being asked for and read, and what is wrong with it."""
    here, sources = inputs.workspace, inputs.sources
    values = {
        name: (_file(here, source.paths, name), inputs.value(name))
        for name, source in sources.items()
        if source.kind in ("spec", "governance")
    }
    units = [unit.path.read_text(encoding="utf-8-sig") for unit in inputs.rooms.all()]
    modules = [code.text(path) for path in code.modules()]
    lot = loose_ends.Lot(
        rooms=inputs.rooms,
        sources=values,
        schemas={stem: inputs.schema(stem) for stem in here.schemas},
        own_schemas=[path.name.removesuffix(".schema.json") for path in (here.spec / "schemas").glob("*.schema.json")],
        schema_of=schema_stem,
        asked=set().union(*(loose_ends.asked_in(ast.parse(text)) for text in modules)),
        words=set().union(*map(loose_ends.words_of, (*units, *modules))),
        case_folders=items.case_folders(here.root),
    )
    return [{"kind": kind, "name": name, "wrong": wrong} for kind, name, wrong in loose_ends.look(lot)]


def _file(workspace: Workspace, paths: tuple[Path, ...], name: str) -> str:
    """What a spec is called: its file, or the folder of its files."""
    if len(paths) == 1 and paths[0].stem.endswith(name.removesuffix("_spec")):
        return workspace.relative(paths[0])
    return workspace.relative(paths[0].parent) if paths else name
