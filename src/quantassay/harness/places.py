"""Where a finding is to be looked up: the file, and the line where the file has lines."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A file, and a line and column in it, from 1; None where the file is one line of JSON."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


Locate = Callable[[str, str], Place]
"""(artifact or spec name, pointer) -> place."""


def locator(files: Mapping[str, str], lines: Mapping[str, Mapping[str, tuple[int, int]]] | None = None) -> Locate:
    """Look places up in `files` (name -> file) and, for YAML, in `lines` (name -> pointer -> line and column).

    Where one name stands for several files, `files` also holds `name#pointer` for what lies in each of them. A pointer
    without a line of its own is placed at the nearest one around it; a name without a file is its own.
    """
    known = lines or {}

    def locate(name: str, pointer: str) -> Place:
        around = list(_around(pointer))
        file = next((files[f"{name}#{p}"] for p in around if f"{name}#{p}" in files), files.get(name, name))
        places = known.get(name, {})
        at = next((p for p in around if p in places), None)
        return Place(file) if at is None else Place(file, *places[at])

    return locate


def _around(pointer: str) -> Iterator[str]:
    """The pointer, and those of what it lies in, up to the empty one."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]
    yield ""
