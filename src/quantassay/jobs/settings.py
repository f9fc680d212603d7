"""The values of all specs at once, for what must see every number that the desk was told."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from quantassay.harness import files, pointers
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.workspace import MARKER

NAME = "spec_values"


def handed(inputs: Inputs) -> Iterator[Handed]:
    """`spec_values`: {name of a spec: its value} of every file in spec/, known by the digests of them all.

    A spec has the name that a unit reads it by. The file that only marks the workspace is none. Raises SpecErrors.
    """
    specs = {name: source.paths[0] for name, source in sorted(inputs.sources.items()) if source.kind == "spec"}
    places = {name: path for name, path in specs.items() if path != inputs.workspace.root / MARKER}
    digests = {name: inputs.digest(name) for name in places}
    values = {name: inputs.value(name) for name in places}
    seen = {name: files.sha256(inputs.bytes(path)) for name, path in places.items()}
    named = {name: inputs.workspace.relative(path) for name, path in places.items()}
    yield Handed(
        NAME,
        digest(digests),
        Lazy("builtins:dict", (values,)),
        explain=Lazy("quantassay.jobs.settings:line", (places, named)),
        recheck=Lazy("quantassay.jobs.settings:digest_now", (places, seen, digests)),
    )


def digest(digests: Mapping[str, str]) -> str:
    """The digest of specs with these digests by name."""
    return files.sha256("\n".join(f"{name} {digests[name]}" for name in sorted(digests)).encode())


def digest_now(places: Mapping[str, Path], seen: Mapping[str, str], digests: Mapping[str, str]) -> str:
    """The digest of the specs as they lie there now; one with the bytes that were `seen` is not read anew."""
    now = dict(digests)
    for name, path in places.items():
        if files.digest(path) != seen[name]:
            now[name] = Lazy("quantassay.harness.specs:load", (path, None))().digest
    return digest(now)


def line(places: Mapping[str, Path], named: Mapping[str, str], pointer: str) -> list[str]:
    """Where a number stands in spec/: file, line and column, and the value there.

    The pointer is /SPEC/POINTER/INTO/IT, or one step that reads SPEC:/POINTER/INTO/IT. Raises PointerNotFound.
    """
    spec, *steps = pointers.split(pointer) or ("",)
    if ":" in spec:
        spec, _, inside = spec.partition(":")
        steps = [*pointers.split(inside), *steps]
    if spec not in places:
        return [f"spec/: {len(places)} specs" if not spec else f"spec/ holds no {spec}"]
    read = Lazy("quantassay.harness.specs:load", (places[spec], None, named[spec]))()
    place = pointers.join(*steps)
    value: Any = pointers.get(read.value, place)
    row, column = read.places[place]
    return [f"{read.file}:{row}:{column} {value if not isinstance(value, list | dict) else ''}".rstrip()]
