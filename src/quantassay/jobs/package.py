"""Make the package of a workspace, behind a passed gate or marked AUDIT-ONLY."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import quantassay
from quantassay.errors import AssayError
from quantassay.harness import files, package
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.tampering import check_recorded
from quantassay.jobs import desk, gate, report


class UnreadableKey(AssayError):
    """A key file that cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the key {path} cannot be read: {why}; give the PEM file of an Ed25519 private key")


def make(folder: Path, *, audit_only: bool, key: Path | None, target: Path | None) -> Path:
    """Write the package and return where it lies.

    Raises PackageRefused unless the gate is passed, the record is of what lies there, and every page is borne out;
    an audit-only package is made of whatever is there, unless it is a credential.
    """
    inputs = desk.built(folder)
    check_recorded(inputs)
    members = package.collect(inputs.workspace)
    # Not even a package for readers only: whoever gets it could use what stands in it.
    if found := package.credentials(members):
        raise package.PackageRefused(found)
    seal = _seal(key)
    if audit_only:
        data = package.build_audit_only(members, _facts(inputs), seal)
    else:
        if reasons := _not_ready(inputs):
            raise package.PackageRefused(reasons)
        data = package.build(members, _facts(inputs), seal)
    name = package.file_name(_name(inputs), audit_only=audit_only)
    path = (target or inputs.workspace.temp / "packages") / name
    files.write(path, data)
    return path


def _not_ready(inputs: Inputs) -> list[str]:
    if not inputs.record(gate.RECORD):
        return ["nothing was judged"]
    if not gate.is_current(inputs):
        return ["the gate record is not of what lies there now"]
    problems = [str(p) for unit in inputs.rooms.renderers.values() for p in report.check(inputs, unit)]
    return [f"a report is not borne out by the artifacts: {problem}" for problem in problems]


def _name(inputs: Inputs) -> str:
    """The marks, the workspace's name and the instant of its data, as a file name."""
    plain = "".join(c if c.isalnum() else "-" for c in str(inputs.settings["name"]).lower()).strip("-")
    stamp = "".join(c for c in str(inputs.state.as_of)[:16] if c.isalnum())
    marks = sorted({mark for name in inputs.artifacts() for mark in inputs.marks(name)})
    return "-".join([*marks, plain, stamp])


def _facts(inputs: Inputs) -> package.Facts:
    units = tuple({"room": u.room, "name": u.name, "digest": u.digest, "origin": u.origin} for u in inputs.rooms.all())
    return package.Facts(_name(inputs), f"quantassay {quantassay.__version__}", units)


def _seal(key: Path | None) -> Callable[[bytes], bytes] | None:
    if key is None:
        return None
    try:
        pem = key.read_bytes()
    except OSError as error:
        raise UnreadableKey(key, error.strerror or str(error)) from error
    return partial(_sign, pem)


def _sign(pem: bytes, statement: bytes) -> bytes:
    sealed: bytes = Lazy("quantassay.harness.dsse:sign", (statement, pem))()
    return sealed
