"""How a workspace stands: what is stale, what is red, how old each input is."""

from dataclasses import dataclass
from pathlib import Path

from quantassay.harness import build
from quantassay.harness.inputs import GATE_STEP, Inputs
from quantassay.harness.tampering import changed
from quantassay.jobs import desk, gate, market, report


@dataclass(frozen=True, slots=True)
class Row:
    """One thing and its state: `ok`, `stale`, `red` or `none`."""

    kind: str
    name: str
    state: str
    says: str


def status(folder: Path) -> list[Row]:
    """Artifacts, gate, reports and inputs. Raises NoWorkspace and what the files have to say."""
    inputs = desk.built(folder)
    edited = dict(changed(inputs))
    rows = [_artifact(inputs, name, edited) for name in inputs.rooms.builders]
    rows.append(_gate(inputs, edited))
    rows += [_report(inputs, name, edited) for name in inputs.rooms.renderers]
    return [*rows, *_instant(inputs), *(Row("input", name, "ok", says) for name, says in market.ages(inputs))]


def _instant(inputs: Inputs) -> list[Row]:
    """The instant that everything was built for, beside the one that a run would take where a spec fixes it."""
    built, fixed = inputs.state.as_of, desk.fixed_instant(inputs)
    if built is None or fixed is None:
        return []
    file, instant = fixed
    if built == instant:
        return [Row("input", "as_of", "ok", f"{instant}, as {file} says")]
    return [
        Row("input", "as_of", "stale", f"built for {built}; {file} says {instant}, and `assay run` would take that")
    ]


def _artifact(inputs: Inputs, name: str, edited: dict[str, str]) -> Row:
    files = [file for file, step in edited.items() if step == f"build:{name}"]
    if files:
        return Row("artifact", name, "red", f"{', '.join(files)} was edited by hand")
    if not inputs.record(name):
        return Row("artifact", name, "none", "never built")
    unit = inputs.rooms.builders[name]
    missing = [p for p in unit.parameters if p in inputs.rooms.builders and not inputs.record(p)]
    why = tuple(f"{p} was never built" for p in missing) or build.why_stale(
        inputs, name, build.step_key(inputs, unit, inputs.state.as_of or "")
    )
    return Row("artifact", name, "stale" if why else "ok", "; ".join(why) or f"as of {inputs.state.as_of}")


def _gate(inputs: Inputs, edited: dict[str, str]) -> Row:
    record = inputs.state.steps.get(GATE_STEP)
    if record is None:
        return Row("gate", gate.RECORD, "none", "never judged")
    files = [file for file, step in edited.items() if step == GATE_STEP]
    if files:
        return Row("gate", gate.RECORD, "red", f"{', '.join(files)} was edited by hand")
    unbuilt = [name for name in inputs.rooms.builders if not inputs.record(name)]
    if unbuilt or not gate.is_current(inputs):
        return Row("gate", gate.RECORD, "stale", f"{record['status']}, but of something else than what lies there now")
    return Row("gate", gate.RECORD, "ok" if record["status"] == "passed" else "red", record["status"])


def _report(inputs: Inputs, name: str, edited: dict[str, str]) -> Row:
    step = inputs.state.steps.get(f"report:{name}")
    if step is None:
        return Row("report", name, "none", "never rendered")
    files = [file for file, made_by in edited.items() if made_by == f"report:{name}"]
    if files:
        return Row("report", name, "red", f"{', '.join(files)} was edited by hand")
    why = [f"{file} is not there" for file in step["outputs"] if not (inputs.workspace.root / file).exists()]
    old, now = step["key"], report.page_key(inputs, inputs.rooms.renderers[name])
    why += [f"{part} changed" for part in sorted(old.keys() | now.keys()) if old.get(part) != now.get(part)]
    return Row("report", name, "stale" if why else "ok", "; ".join(why) or ", ".join(step["outputs"]))
