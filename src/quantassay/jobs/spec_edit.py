"""Put another word in one place of a YAML file, and leave every other character of it as it is."""

from codecs import BOM_UTF8
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import pointers, specs
from quantassay.harness.problems import SpecErrors


class CannotEdit(AssayError):
    """A place that no program should write in."""

    def __init__(self, file: str, line: int, old: str, new: str) -> None:
        super().__init__(f"{file}:{line}: {old} cannot safely be replaced there; write {new} by hand")


def scalar(data: bytes, file: str, pointer: str, new: str) -> tuple[bytes, int, int]:
    """The file with the text at the pointer replaced by `new`, and the line and column where that is.

    The result is read again and compared: nothing but this one text may be another. Raises CannotEdit, SpecErrors.
    """
    before, problems = specs.parse(data, None, file)
    if before is None:
        raise SpecErrors(problems)
    line, column = before.places[pointer]
    old = str(pointers.get(before.value, pointer))
    mark = BOM_UTF8 if data.startswith(BOM_UTF8) else b""
    rows = data.removeprefix(mark).decode().split("\n")
    # YAML knows other line ends too: then the place is none of these rows, or another one.
    row = rows[line - 1] if line <= len(rows) else ""
    token = next((t for t in (f'"{old}"', f"'{old}'", old) if row[column - 1 :].startswith(t)), "")
    if not token:
        raise CannotEdit(file, line, old, new)
    rows[line - 1] = row[: column - 1] + token.replace(old, new) + row[column - 1 + len(token) :]
    edited = mark + "\n".join(rows).encode()
    after, _ = specs.parse(edited, None, file)
    if after is None or after.value != _with(before.value, pointers.split(pointer), new):
        raise CannotEdit(file, line, old, new)
    return edited, line, column


def _with(value: Any, steps: tuple[str, ...], new: str) -> Any:
    """A copy of the value with another text at the end of these steps."""
    if not steps:
        return new
    if isinstance(value, dict):
        return {key: _with(member, steps[1:], new) if key == steps[0] else member for key, member in value.items()}
    return [_with(item, steps[1:], new) if str(index) == steps[0] else item for index, item in enumerate(value)]
