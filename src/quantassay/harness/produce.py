"""Runs one builder and makes the bytes of its artifact; nothing is written here."""

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import quantassay
from quantassay.errors import AssayError, InternalError
from quantassay.harness import canonical, code, digits, files, guard, rooms
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.rooms import Unit
from quantassay.harness.workspace import Workspace

MOST_SHOWN = 5


class ReachedOutside(AssayError):
    """A builder that read or called what it was not given."""

    def __init__(self, unit: Unit, reached: list[str]) -> None:
        some = "; ".join(dict.fromkeys(reached))
        super().__init__(f"{unit.file} reached outside of what it was given: {some}; name it as a parameter instead")


class BadArtifact(AssayError):
    """A builder that returned what cannot be an artifact."""

    def __init__(self, unit: Unit, why: str) -> None:
        super().__init__(f"{unit.file} made no artifact: {why}")


class BuilderFailed(InternalError):
    """A builder that broke."""

    def __init__(self, unit: Unit, error: BaseException) -> None:
        line = rooms.line_of(error, unit.path)
        super().__init__(f"{unit.file}:{line}:1: building {unit.name} failed: {type(error).__name__}: {error}")
        self.log = "".join(Lazy("traceback:format_exception", (error,))())


@dataclass(frozen=True, slots=True)
class Produced:
    """The files of one artifact, and the digest of its content (data and marks, without the provenance)."""

    files: Mapping[str, bytes]
    content: str
    table: bool


def produce(unit: Unit, inputs: Inputs, as_of: str) -> Produced:
    """Run the builder on what it reads. Raises ReachedOutside, BadArtifact, BuilderFailed, BadUnit."""
    values = {name: inputs.fresh(name) for name in unit.parameters}
    # What a builder prints while somebody looks for a mistake must not get into what the command prints.
    with guard.watched(unit.path) as reached, contextlib.redirect_stdout(sys.stderr):
        module = rooms.load(unit)
        try:
            built = module.build(**values)
        except AssayError:
            raise
        except (Exception, SystemExit) as error:
            raise BuilderFailed(unit, error) from error
    if reached:
        raise ReachedOutside(unit, reached)
    place = inputs.artifact_path(unit.name).relative_to(inputs.workspace.root)
    made: dict[str, bytes] = {}
    data = built
    # polars is loaded only where a builder has used it; a table is known by what it holds.
    if table := hasattr(built, "frame") and hasattr(built, "key"):
        encode = Lazy("quantassay.harness.tables:encode", (unit.name, built))
        data, made[place.with_suffix(".parquet").as_posix()] = encode()
    elif not isinstance(built, dict):
        raise BadArtifact(unit, f"`build` returned a {type(built).__name__}; return a dict or a Table")
    marks = inputs.marks_of(unit)
    envelope = {
        "artifact": unit.name,
        "version": inputs.version(unit.name),
        "as_of": as_of,
        "marks": marks,
        "provenance": provenance(inputs, unit),
        "origins": getattr(module, "ORIGINS", {}),
        "data": data,
    }
    try:
        content = files.sha256(canonical.dumps({"data": data, "marks": marks}))
        made[place.as_posix()] = canonical.dumps(envelope)
    except canonical.NotCanonical as error:
        raise BadArtifact(unit, str(error)) from error
    _check_digits(unit, inputs, data)
    return Produced(made, content, table)


def _check_digits(unit: Unit, inputs: Inputs, data: Any) -> None:
    schema = inputs.schema(f"{unit.name}_v{inputs.version(unit.name)}")
    excess = [f"/data{pointer} {says}" for pointer, says in digits.excess_digits(schema or {}, data)]
    if excess:
        more = f" (and {len(excess) - MOST_SHOWN} more)" if len(excess) > MOST_SHOWN else ""
        raise BadArtifact(unit, f"{'; '.join(excess[:MOST_SHOWN])}{more}; round it where it is made")


def in_worker(workspace: Workspace, handed: Mapping[str, Handed], name: str, as_of: str) -> Produced:
    """`produce` in another process, which reads everything anew."""
    inputs = Inputs(workspace, handed)
    return produce(inputs.rooms.builders[name], inputs, as_of)


def provenance(inputs: Inputs, unit: Unit) -> dict[str, Any]:
    """The envelope's account of where an artifact comes from."""
    _, libraries = code.foundation(unit, inputs.remember)
    return {
        "builder": {"file": f"{unit.room}/{unit.path.name}", "digest": unit.digest, "origin": unit.origin},
        "engine": f"quantassay {quantassay.__version__}",
        "inputs": [
            {"name": name, "kind": inputs.kind(name), "digest": inputs.digest(name)} for name in sorted(unit.parameters)
        ],
        "libraries": [{"name": name, "version": version} for name, version in sorted(libraries.items())],
    }
