"""Judge what is built: run every gate, keep the record, chain it into the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import quantassay
from quantassay.errors import AssayError
from quantassay.harness import (
    build,
    canonical,
    code,
    done,
    files,
    gate,
    ledger,
    pointers,
    rulebook,
    verdicts,
    work_items,
)
from quantassay.harness.gate import Verdict
from quantassay.harness.inputs import ENGINE_ARTIFACTS, GATE_STEP, Inputs, schema_stem
from quantassay.harness.lazy import Lazy
from quantassay.harness.places import Locate, Place, locator
from quantassay.harness.tampering import check_recorded

RECORD, DONE = ENGINE_ARTIFACTS
LEDGER = "gate_ledger.jsonl"


class OutOfDate(AssayError):
    """Artifacts that no longer stand for what the specs and the data say."""

    exit_code = 1

    def __init__(self, stale: dict[str, tuple[str, ...]]) -> None:
        first, why = next(iter(stale.items()))
        others = f" (and {len(stale) - 1} more)" if len(stale) > 1 else ""
        super().__init__(f"{first} is out of date: {why[0]}{others}; run `assay build`, then judge")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on a workspace, its record, and where each name is to be looked up."""

    verdict: Verdict
    record: dict[str, Any]
    file: str
    locate: Locate


def judge(inputs: Inputs, accept: Iterable[str] = ()) -> Judgement:
    """Run every gate on what is built and put the record in place. The caller holds the lock.

    Raises Tampered, NotBuilt, OutOfDate, NothingToJudge.
    """
    check_recorded(inputs, accept)
    check_current(inputs)
    rules, as_of = inputs.value("rules"), str(inputs.state.as_of)
    units = list(inputs.rooms.validators.values())
    legal = rulebook.zero_legal(inputs.value("gates")) if "gates" in inputs.sources else {}
    results = gate.judge(units, rules, legal, partial(verdicts.judged, inputs))
    failing = rulebook.failing(inputs.value("severities")) if "severities" in inputs.sources else gate.FAILS_BY_DEFAULT
    verdict = gate.conclude(results, rules, inputs.value("waivers"), as_of, failing=failing)
    marks = sorted({mark for name in inputs.artifacts() for mark in inputs.marks(name)})
    envelope = gate.record(verdict, judged_digests(inputs), as_of, marks, f"quantassay {quantassay.__version__}")
    _put(inputs, envelope, marks)
    return Judgement(verdict, envelope, f"Temp/{RECORD}_v1.json", places(inputs))


def check_current(inputs: Inputs) -> None:
    """Raise OutOfDate where an artifact was made from something else than what lies there now."""
    as_of = inputs.state.as_of or ""
    stale = {}
    for name, unit in inputs.rooms.builders.items():
        why = build.why_stale(inputs, name, build.step_key(inputs, unit, as_of)) if inputs.record(name) else None
        if why is None or why:
            stale[name] = why or ("it was never built",)
    if stale:
        raise OutOfDate(stale)


def judged_digests(inputs: Inputs) -> dict[str, str]:
    """The digest of each artifact's file as it was judged; a table's sidecar names the content of its rows."""
    return {name: inputs.file_digest(name) for name in inputs.artifacts()}


def definition_of_done(inputs: Inputs, record: dict[str, Any]) -> dict[str, Any]:
    """The definition of done that goes with this gate record, worked out from what lies there now."""
    unreported = inputs.value("unreported")["unreported"] if "unreported" in inputs.sources else []
    return done.envelope(
        done.Seen(
            items=inputs.value("work_items"),
            looked_at=inputs.value("loose_ends"),
            unreported={entry["artifact"]: entry["why"] for entry in unreported},
            orphans=done.excuses(inputs.value("orphans") if "orphans" in inputs.sources else None),
            record=record,
            gates={unit.name: unit.digest for unit in inputs.rooms.validators.values()},
        )
    )


def gate_key(inputs: Inputs) -> dict[str, str]:
    """Everything that the bytes of the record and of the definition of done depend on."""
    key = {"engine": code.engine(), "package": code.house(), "as_of": str(inputs.state.as_of)}
    roots = (inputs.workspace.standard, inputs.workspace.root)
    key["cases"] = canonical.digest([work_items.cases(root, inputs.rooms.validators) for root in roots])
    key["case folders"] = canonical.digest(work_items.case_folders(roots[1]))
    key["credentials"] = canonical.digest(inputs.value("raw_texts"))
    for unit in inputs.rooms.all():
        key[f"unit {unit.room} {unit.name}"] = f"{unit.digest} {code.foundation(unit, inputs.remember)[0]}"
    for name in inputs.names():
        if inputs.source(name).kind != "fact":
            key[f"input {name}"] = inputs.digest(name)
    key |= {f"schema {stem}": files.sha256(inputs.bytes(path)) for stem, path in inputs.workspace.schemas.items()}
    return key


def is_current(inputs: Inputs) -> bool:
    """Whether the record that lies there is the one that a run now would make, and the last one in the ledger."""
    record = inputs.state.steps.get(GATE_STEP)
    if record is None or any(files.digest(inputs.workspace.root / f) != d for f, d in record["outputs"].items()):
        return False
    # A run that was killed may have put the record in place and not have come to write its line.
    return is_last(inputs, record["content"]) and bool(record["key"] == gate_key(inputs))


def is_last(inputs: Inputs, digest: str) -> bool:
    """Whether the record with this digest is the last one in the ledger."""
    last = ledger.last(inputs.workspace.data / LEDGER)
    return last is not None and last.record == digest


def _put(inputs: Inputs, envelope: dict[str, Any], marks: list[str]) -> None:
    made = {
        f"Temp/{RECORD}_v1.json": canonical.dumps(envelope),
        f"Temp/{DONE}_v1.json": canonical.dumps(definition_of_done(inputs, envelope)),
    }
    outputs = {file: files.sha256(data) for file, data in sorted(made.items())}
    digest = outputs[f"Temp/{RECORD}_v1.json"]
    record: dict[str, Any] = {
        "key": gate_key(inputs),
        "content": digest,
        "marks": marks,
        "status": envelope["data"]["status"],
        "outputs": outputs,
    }
    build.put(inputs, GATE_STEP, record, made)
    build.settle(inputs)
    inputs.forget()
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    ledger.append(inputs.workspace.data / LEDGER, digest, record["status"], at)


def places(inputs: Inputs) -> Locate:
    """Where a finding about a name is to be looked up: file, and line where it is YAML, which is read only then."""
    known: dict[str, Locate] = {}

    def locate(name: str, pointer: str) -> Place:
        if name not in known:
            known[name] = _locator(inputs, name)
        return known[name](name, pointer)

    return locate


def _locator(inputs: Inputs, name: str) -> Locate:
    """The locator for findings about one name; a folder and a fact are looked up item by item."""
    if name == "raw_texts":
        return _line_of_text
    if name in ("gate_units", "work_items"):
        units = inputs.rooms.validators if name == "gate_units" else inputs.rooms.builders
        return locator({f"{name}#{pointers.join(unit.name)}": unit.file for unit in units.values()})
    source = inputs.sources.get(name)
    if source is None or not source.paths:
        return locator({})
    file = inputs.workspace.relative(source.paths[0])
    if source.format == "folder":
        return locator({name: file.rpartition("/")[0], **_items(inputs, name, source.paths)})
    if source.kind not in ("spec", "governance"):
        return locator({name: file})
    spec = Lazy("quantassay.harness.specs:load", (source.paths[0], None, file))()
    return locator({name: file}, {name: spec.places})


def _line_of_text(_name: str, pointer: str) -> Place:
    """The place of `/file/line` in the fact about raw texts."""
    file, *line = pointers.split(pointer)
    return Place(file, int(line[0])) if line and line[0] != "0" else Place(file)


def _items(inputs: Inputs, name: str, paths: Iterable[Path]) -> dict[str, str]:
    """The file of each item of a folder, by `name#/id`."""
    found = {}
    for path in paths:
        value = inputs.yaml(path, schema_stem(name))["value"]
        for item in value["rules"] if name == "rules" else [value]:
            found[f"{name}#{pointers.join(item['id'])}"] = inputs.workspace.relative(path)
    return found
