"""Facts about the workspace that gates judge: schema errors, origins, gates and rules, work items."""

from typing import Any

from quantassay.harness import digits, origins, rulebook, schemas
from quantassay.harness import work_items as items
from quantassay.harness.inputs import Inputs

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
    """For each artifact: its specs, builder, schema, gates, reports and evidence."""
    here = inputs.workspace
    cases = items.cases(here.standard, inputs.rooms.validators) | items.cases(here.root, inputs.rooms.validators)
    built_by = {name: inputs.envelope(name)["provenance"]["builder"]["digest"] for name in inputs.artifacts()}
    return items.collect(inputs.rooms, inputs.kind, inputs.workspace.schemas, cases, built_by)
