"""A file under Temp/ that no longer has the bytes that were recorded is reported, never built upon or over."""

from collections.abc import Iterable
from pathlib import Path

from quantassay.errors import AssayError
from quantassay.harness import files
from quantassay.harness.inputs import ENGINE_ARTIFACTS, GATE_STEP, Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.workspace import Workspace

LARGEST_KEPT = 16 * 2**20


class Tampered(AssayError):
    """Files that were changed by something else than a build."""

    exit_code = 1

    def __init__(self, changes: list[tuple[str, str, list[str]]]) -> None:
        self.changes = changes
        parts = []
        for file, step, differences in changes:
            command = "build" if step.startswith("build:") else "run"
            way_out = f"`assay {command} --accept-rebuild {selector(step)}`"
            lines = "".join(f"\n    {line}" for line in differences)
            parts.append(
                f"{file} is not as the build left it; take the edit out, or make the file anew with {way_out}{lines}"
            )
        super().__init__("\n".join(parts))


class NothingToAccept(AssayError):
    """A name that is to be accepted and stands for nothing that was made."""

    def __init__(self, names: Iterable[str], known: Iterable[str]) -> None:
        wrong = ", ".join(sorted(names))
        super().__init__(f"--accept-rebuild names {wrong}, and no build made that; it made {', '.join(sorted(known))}")


def kept_path(workspace: Workspace, digest: str) -> Path:
    """Where the recorded bytes with this digest are kept, so that an edit can be shown field by field."""
    return workspace.temp / ".kept" / digest.removeprefix("sha256:")


def keep(workspace: Workspace, data: bytes) -> None:
    """Keep these bytes for a later comparison, unless they are very many."""
    digest = files.sha256(data)
    if len(data) <= LARGEST_KEPT and kept(workspace, digest) is None:
        files.write(kept_path(workspace, digest), data, durable=False)


def kept(workspace: Workspace, digest: str) -> bytes | None:
    """The kept bytes with this digest, if they are still what they say."""
    path = kept_path(workspace, digest)
    return files.read(path) if files.digest(path) == digest else None


def changed(inputs: Inputs) -> list[tuple[str, str]]:
    """(file, step) of each recorded file that is there with other bytes. A missing file is not tampering."""
    found, unsettled = [], set()
    for file, (step, digests) in sorted(inputs.state.outputs().items()):
        now = files.digest(inputs.workspace.root / file)
        if now is not None and now not in digests:
            found.append((file, step))
        if now != inputs.state.steps[step]["outputs"][file]:
            unsettled.add(step)
    # A run that was killed may have put the files in place and not have come to say so.
    for step in inputs.state.steps.keys() - unsettled:
        inputs.state.placed(step)
    return found


def selector(step: str) -> str:
    """The name by which a person selects a step: an artifact's own, a page's file, `gate` for what the gate wrote."""
    kind, _, name = step.partition(":")
    return f"{name}.md" if kind == "report" else name or kind


def selected(steps: Iterable[str]) -> dict[str, str]:
    """The step that each name selects.

    A page is selected by its file, `NAME.md`, because an artifact may have its name; where none has, by NAME as well.
    """
    every = list(steps)
    found = {step.partition(":")[2]: step for step in every if step.startswith("report:")}
    found |= {name: GATE_STEP for name in ENGINE_ARTIFACTS if GATE_STEP in every}
    found |= {step.partition(":")[2]: step for step in every if step.startswith("build:")}
    return found | {selector(step): step for step in every}


def check_recorded(inputs: Inputs, accept: Iterable[str] = ()) -> None:
    """Raise Tampered for every file edited by hand, except those of the steps that `accept` selects.

    Raises NothingToAccept where that is the name of nothing, so that a slip of the pen accepts nothing.
    """
    known = selected(inputs.state.steps)
    wrong = set(accept) - known.keys()
    if wrong:
        raise NothingToAccept(wrong, known)
    accepted = {known[name] for name in accept}
    edited = [(file, step) for file, step in changed(inputs) if step not in accepted]
    if not edited:
        return
    compare = Lazy("quantassay.harness.compare:recorded_differences")
    raise Tampered([(f, step, _differences(inputs, f, step, compare)) for f, step in edited])


def _differences(inputs: Inputs, file: str, step: str, compare: Lazy) -> list[str]:
    recorded = inputs.state.steps[step]["outputs"][file]
    before = kept(inputs.workspace, recorded)
    after = files.read(inputs.workspace.root / file)
    if before is None:
        return [f"recorded {recorded}, found {files.sha256(after)}; the recorded bytes are no longer kept"]
    return list(compare(file, before, after))


def sweep(inputs: Inputs) -> None:
    """Drop kept bytes that no record speaks of any more, and parts of files that a killed run left."""
    recorded = {d.removeprefix("sha256:") for _, digests in inputs.state.outputs().values() for d in digests}
    folder = inputs.workspace.temp / ".kept"
    for path in folder.glob("*"):
        if path.name not in recorded:
            path.unlink()
    for path in inputs.workspace.temp.glob(".*.part"):
        path.unlink()
