"""Check a workspace against its own records: files, gate record, ledger, and every number on every page."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quantassay.errors import AssayError
from quantassay.harness import canonical, compare, done, files, ledger, verify_package, verify_tables
from quantassay.harness.inputs import Inputs
from quantassay.harness.tampering import kept
from quantassay.jobs import desk, gate, report


class UnreadablePackage(AssayError):
    """A package, or the key for it, that cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be checked: {why}; name a package that `assay package` made")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what is wrong; nothing looked at is wrong too.

    `signature` is for packages, and so is `waivers`: a line for each waiver in force.
    """

    files: int
    pages: int
    problems: tuple[str, ...]
    signature: str = ""
    waivers: tuple[str, ...] = ()


def workspace(folder: Path) -> Checked:
    """Check the workspace of `folder`. Raises NoWorkspace."""
    inputs = desk.built(folder)
    problems = [
        *_files(inputs),
        *_strangers(inputs),
        *_gate(inputs),
        *ledger.check(inputs.workspace.data / gate.LEDGER),
    ]
    pages = 0
    if not problems:
        problems += [*_tables(inputs), *_definition_of_done(inputs)]
        for unit in inputs.rooms.renderers.values():
            pages += 1
            problems += [str(problem) for problem in report.check(inputs, unit)]
    recorded = inputs.state.outputs()
    if not recorded:
        problems.append("Temp/ holds no record of a build, so there is nothing to verify; run `assay run`")
    return Checked(len(recorded), pages, tuple(problems))


def _files(inputs: Inputs) -> list[str]:
    found = []
    for file, (step, _) in sorted(inputs.state.outputs().items()):
        recorded = inputs.state.steps[step]["outputs"][file]
        path = inputs.workspace.root / file
        now = files.digest(path)
        if now == recorded:
            continue
        if now is None:
            found.append(f"{file} is missing")
            continue
        before = kept(inputs.workspace, recorded)
        differences = compare.recorded_differences(file, before, path.read_bytes()) if before is not None else []
        found.append("\n    ".join([f"{file} is not as it was recorded", *differences]))
    return found


def _strangers(inputs: Inputs) -> list[str]:
    known = set(inputs.state.outputs())
    temp = inputs.workspace.temp
    there = [path.relative_to(inputs.workspace.root).as_posix() for path in sorted(temp.glob("*_v*")) if path.is_file()]
    return [f"{file} was made by no recorded step" for file in there if file not in known]


def _gate(inputs: Inputs) -> list[str]:
    record = inputs.record(gate.RECORD)
    if not record:
        return ["nothing was judged: there is no gate record; run `assay run`"]
    if any(files.digest(inputs.workspace.root / file) != digest for file, digest in record["outputs"].items()):
        # That the record is edited or missing is said already; what it says counts for nothing.
        return []
    # The state can be edited along with the record; the ledger is a chain, and lies elsewhere.
    if not gate.is_last(inputs, str(files.digest(inputs.artifact_path(gate.RECORD)))):
        return [f"the gate record is not the last one in data/{gate.LEDGER}; `assay gate` judges again"]
    judged = inputs.envelope(gate.RECORD)["data"]["judged"]
    return [
        f"{n} is not the one that the gate judged"
        for n in inputs.artifacts()
        if judged.get(n) != files.digest(inputs.artifact_path(n))
    ]


def _definition_of_done(inputs: Inputs) -> list[str]:
    """Whether the definition of done is what the gate record and what lies there now make of it.

    Where something has changed since it can only be held against the record: that it is stale is no breach.
    """
    path, record = inputs.artifact_path(gate.DONE), inputs.envelope(gate.RECORD)
    if not path.exists():
        return [f"there is no Temp/{path.name}; run `assay run`"]
    before = path.read_bytes()
    wrong = done.unfounded(canonical.loads(before), record)
    if not wrong and gate.is_current(inputs):
        after = canonical.dumps(gate.definition_of_done(inputs, record))
        wrong = [] if before == after else list(compare.recorded_differences(path.name, before, after))
    says = f"Temp/{path.name} is not what the gate record and the workspace make of it; `assay run` makes it anew"
    return ["\n    ".join([says, *wrong])] if wrong else []


def _tables(inputs: Inputs) -> Iterator[str]:
    """Tables whose rows are not those that their sidecars name; the gate record holds the sidecars' digests."""
    for sidecar in map(inputs.artifact_path, inputs.artifacts()):
        rows = sidecar.with_suffix(".parquet")
        if rows.exists():
            yield from verify_tables.problems({f"artifacts/{path.name}": path.read_bytes() for path in (sidecar, rows)})


def package(path: Path, key: Path | None) -> Checked:
    """Check a package with our own copy of its script, and its tables too, which the script cannot read.

    Raises UnreadablePackage.
    """
    try:
        members = verify_package.read(path)
        pem = key.read_bytes() if key else None
    except (verify_package.NoPackage, OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise UnreadablePackage(path, str(error)) from error
    problems = [*verify_package.problems(members, path.name)]
    if not problems:
        problems += verify_tables.problems(members)
    failed, says = verify_package.signature(members, pem)
    if failed > 1 and not problems:
        raise UnreadablePackage(path, f"signature {says}")
    if failed:
        problems.append(f"signature: {says}")
    pages = sum(name.startswith("reports/") and name.endswith(".md") for name in members)
    return Checked(len(members), pages, tuple(problems), says, tuple(verify_package.front(members)))
