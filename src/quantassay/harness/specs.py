"""Specs: strict YAML files, each checked against its JSON Schema, each value with its place."""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.harness import canonical, files, pointers, yaml_text
from quantassay.harness.lazy import Lazy
from quantassay.harness.problems import Problem, SchemaProblem, SpecErrors
from quantassay.secrecy import kinds

Place = tuple[int, int]
# jsonschema_rs is loaded only where there is a schema to judge by.
_VALIDATE = Lazy("quantassay.harness.schemas:validate")
TAKE_IT_OUT = "take it out, change it where it is valid, and keep it outside of the workspace"


@dataclass(frozen=True, slots=True)
class Spec:
    """One YAML file: its value, the digest of the value, and where each value and key stands (from 1)."""

    file: str
    value: Any
    digest: str
    places: Mapping[str, Place]
    keys: Mapping[str, Place]


def load(path: Path, schema: dict[str, Any] | None, file: str | None = None) -> Spec:
    """Read one file and check it. Raises SpecErrors with every problem."""
    spec, problems = read(path, schema, file or str(path))
    if spec is None:
        raise SpecErrors(problems)
    return spec


def read(path: Path, schema: dict[str, Any] | None, file: str) -> tuple[Spec | None, list[Problem]]:
    """One file and all its problems; the spec is None where there are any."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, [Problem(file, 1, 1, f"this cannot be read: {error.strerror or error}")]
    return parse(data, schema, file)


def parse(data: bytes, schema: dict[str, Any] | None, file: str) -> tuple[Spec | None, list[Problem]]:
    """The bytes of one file as a spec, and all their problems; the spec is None where there are any."""
    document, problems = _examine(data, schema, file)
    if document is None or problems:
        return None, problems
    # Read back from its canonical bytes, what has the same digest is the same value: order of keys, 1 and 1.0.
    text = canonical.dumps(document.value)
    return Spec(file, canonical.loads(text), files.sha256(text), document.places, document.keys), []


def _examine(data: bytes, schema: dict[str, Any] | None, file: str) -> tuple[yaml_text.Document | None, list[Problem]]:
    data = data.removeprefix(BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        place = yaml_text.end_of(data[: error.start].decode())
        return None, [Problem(file, *place, f"this is not UTF-8 ({error.reason}); save it as UTF-8")]
    document = yaml_text.read(text)
    found = list(document.problems)
    if not document.places and not found:
        found = [((1, 1), "this file is empty; write the spec or remove the file")]
    elif schema is not None and document.complete:
        # A value that the reader refused is not judged a second time.
        refused = {place for place, _ in found}
        breaches = [_located(document, breach) for breach in _VALIDATE(schema, document.value)]
        found += [(place, says) for place, says in breaches if place not in refused]
    found += [(place, f"this holds {what}; {TAKE_IT_OUT}") for place, what in _credentials(document)]
    return document, sorted(yaml_text.located(file, text, found))


def _credentials(document: yaml_text.Document) -> Iterator[tuple[Place, str]]:
    """Where a key or a value holds a credential, and what it seems to be.

    A value goes into artifacts, pages and packages, so nothing is made of such a file. A comment goes nowhere; a gate
    judges it.
    """
    pending = [("", "", document.value)]
    while pending:
        pointer, key, value = pending.pop()
        if isinstance(value, dict):
            for name, member in value.items():
                place = pointer + pointers.join(name)
                if found := kinds(f'"{name}"'):
                    yield document.keys.get(place, (1, 1)), found[0]
                pending.append((place, name, member))
        elif isinstance(value, list):
            pending += [(f"{pointer}/{index}", key, item) for index, item in enumerate(value)]
        else:
            # A number without quotes is an amount, unless its key says otherwise.
            lines = [f'"{line}"' for line in value.splitlines()] if isinstance(value, str) else [str(value)]
            name = "" if kinds(f'"{key}"') else key
            if found := [what for line in lines for what in kinds(f"{name}: {line}")]:
                yield document.places.get(pointer, (1, 1)), found[0]


def _located(document: yaml_text.Document, found: SchemaProblem) -> tuple[Place, str]:
    if found.key is None:
        says = f"{found.pointer}: {found.says}" if found.pointer else found.says
        return document.places.get(found.pointer, (1, 1)), says
    return document.keys[found.pointer + pointers.join(found.key)], found.says


def check(paths: Iterable[Path], schema: dict[str, Any]) -> list[Problem]:
    """The problems of many files against one schema, sorted."""
    return sorted(problem for path in paths for problem in read(path, schema, str(path))[1])


def yaml_file(data: bytes, schema: dict[str, Any] | None, file: str) -> dict[str, Any]:
    """{"value", "digest"} of a YAML file after all checks. Raises SpecErrors with every problem."""
    spec, problems = parse(data, schema, file)
    if spec is None:
        raise SpecErrors(problems)
    return {"value": spec.value, "digest": spec.digest}
