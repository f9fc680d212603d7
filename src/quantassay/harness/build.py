"""Builds artifacts in order: each step only when what it stands on has changed, judged by content."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from quantassay.errors import AssayError
from quantassay.harness import code, files, graph
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.rooms import Unit
from quantassay.harness.tampering import check_recorded, keep, sweep

if TYPE_CHECKING:
    from quantassay.harness.produce import Produced

Progress = Callable[[int, int, str], None]


class InputChanged(AssayError):
    """An input was edited while a builder read it."""

    exit_code = 1

    def __init__(self, builder: str, names: Iterable[str]) -> None:
        super().__init__(
            f"{', '.join(names)} changed while {builder} was being built from it; nothing was written, run again"
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to one artifact.

    `built`, `unchanged` (built anew, with the same content) or `kept`; in a dry run also `stale` or `waiting`.
    """

    name: str
    status: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a build: which artifacts, only to say what would be done, which edited files may go."""

    select: tuple[str, ...] = ()
    dry_run: bool = False
    accept: tuple[str, ...] = ()
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One build on its way: what it reads, what was asked, in which order, and the steps that are decided."""

    inputs: Inputs
    request: Request
    order: tuple[str, ...]
    progress: Progress | None
    steps: dict[str, Step] = field(default_factory=dict)


def run(inputs: Inputs, request: Request, jobs: int = 1, progress: Progress | None = None) -> list[Step]:
    """Build what is asked for, in `jobs` processes. The caller holds the lock, unless it is a dry run.

    Raises Tampered, InputChanged, and what the specs, the wiring and the builders have to say.
    """
    steps = graph.order(inputs, request.select)
    check_recorded(inputs, accept=request.accept)
    if not request.dry_run:
        inputs.state.as_of = request.as_of
    job = Job(inputs, request, steps, progress)
    if jobs > 1 and not request.dry_run:
        Lazy("quantassay.harness.pool:run")(job, jobs)
    else:
        for name in steps:
            _step(job, name)
    if not request.dry_run:
        _forget_unknown(inputs)
        settle(inputs)
    return [job.steps[name] for name in steps]


def settle(inputs: Inputs) -> None:
    """Write the state in its shortest form, and drop from Temp/ what no record speaks of any more."""
    inputs.state.save()
    sweep(inputs)
    inputs.cache.save()


def _step(job: Job, name: str) -> None:
    key = decide(job, name)
    if key is not None:
        unit = job.inputs.rooms.builders[name]
        produce = Lazy("quantassay.harness.produce:produce", (unit, job.inputs, job.request.as_of))
        commit(job, name, key, produce())


def decide(job: Job, name: str) -> dict[str, Any] | None:
    """The step's key where it must be built, None where nothing is to be done; the step is noted."""
    inputs, unit = job.inputs, job.inputs.rooms.builders[name]
    upstream = [p for p in unit.parameters if p in inputs.rooms.builders]
    pending = [p for p in upstream if job.steps[p].status in ("stale", "waiting")]
    if pending:
        job.steps[name] = Step(name, "waiting", tuple(f"{p} comes first" for p in pending))
        return None
    key = step_key(inputs, unit, job.request.as_of)
    why = why_stale(inputs, name, key)
    if not why:
        job.steps[name] = Step(name, "kept")
        return None
    if job.request.dry_run:
        job.steps[name] = Step(name, "stale", why)
        return None
    if job.progress is not None:
        job.progress(len(job.steps), len(job.order), name)
    job.steps[name] = Step(name, "built", why)
    return key


def step_key(inputs: Inputs, unit: Unit, as_of: str) -> dict[str, Any]:
    """Everything that an artifact's bytes depend on, by name."""
    ours, libraries = code.foundation(unit, inputs.remember)
    schema = inputs.workspace.schemas.get(f"{unit.name}_v{inputs.version(unit.name)}")
    key = {f"input {name}": inputs.digest(name) for name in unit.parameters}
    key |= {f"library {name}": version for name, version in libraries.items()}
    key |= {
        "as_of": as_of,
        "builder": unit.digest,
        "builder's modules": ours,
        "engine": code.engine(),
        "marks": " ".join(inputs.marks_of(unit)),
        "schema": files.sha256(inputs.bytes(schema)) if schema else "none",
    }
    return key


def why_stale(inputs: Inputs, name: str, key: Mapping[str, str]) -> tuple[str, ...]:
    """Why a step must run again, in words; nothing where it need not."""
    record = inputs.record(name)
    if not record:
        return ("it was never built",)
    gone = [f for f, digest in record["outputs"].items() if files.digest(inputs.workspace.root / f) != digest]
    if gone:
        return tuple(f"{file} is not there as it was built" for file in gone)
    old = record["key"]
    changed = [part for part in sorted(old.keys() | key.keys()) if old.get(part) != key.get(part)]
    return tuple(_change(part, old.get(part), key.get(part)) for part in changed)


def _change(part: str, old: str | None, new: str | None) -> str:
    if old is None or new is None:
        return f"{part} is {'new' if old is None else 'gone'}"
    readable = not (old.startswith("sha256:") or new.startswith("sha256:"))
    return f"{part} changed from {old or '(none)'} to {new or '(none)'}" if readable else f"{part} changed"


def commit(job: Job, name: str, key: dict[str, Any], produced: "Produced") -> None:
    """Put a step's files in place, if what it was made from still lies there. Raises InputChanged."""
    inputs = job.inputs
    unit = inputs.rooms.builders[name]
    inputs.forget()
    now = step_key(inputs, unit, job.request.as_of)
    handed = {n: h.recheck() for n in unit.parameters if (h := inputs.handed.get(n)) and h.recheck}
    changed = [part for part in now if now[part] != key[part]] + [
        n for n, d in handed.items() if d != key[f"input {n}"]
    ]
    if changed:
        raise InputChanged(name, changed)
    old = inputs.record(name)
    record: dict[str, Any] = {
        "key": key,
        "content": produced.content,
        "marks": inputs.marks_of(unit),
        "table": produced.table,
        "outputs": {file: files.sha256(data) for file, data in sorted(produced.files.items())},
    }
    put(inputs, f"build:{name}", record, produced.files)
    if old.get("content") == produced.content:
        job.steps[name] = Step(name, "unchanged", job.steps[name].why)


def put(inputs: Inputs, step: str, record: dict[str, Any], made: Mapping[str, bytes]) -> None:
    """Announce a step's files in the state, then put them in place, each whole; files it no longer makes go."""
    root = inputs.workspace.root
    # They go first: once the new record stands, nobody would know them any more.
    for file in inputs.state.steps.get(step, {}).get("outputs", {}):
        if file not in made:
            (root / file).unlink(missing_ok=True)
    inputs.state.announce(step, record)
    for file, data in sorted(made.items()):
        keep(inputs.workspace, data)
        files.write(root / file, data)
    inputs.state.placed(step)


def _forget_unknown(inputs: Inputs) -> None:
    """Drop steps whose builder is gone, and the files they left."""
    for step in [s for s in inputs.state.steps if s.startswith("build:")]:
        if step.removeprefix("build:") not in inputs.rooms.builders:
            for file in inputs.state.steps.pop(step)["outputs"]:
                (inputs.workspace.root / file).unlink(missing_ok=True)
