"""Makes values of files: a JSON Schema, or a named raw file."""

import csv
import io
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical
from quantassay.harness.problems import BadSchema


class UnreadableRaw(AssayError):
    """A named raw file that is not what 00_workspace.yaml says."""

    def __init__(self, path: Path, form: str, why: str) -> None:
        super().__init__(f"{path} cannot be read as {form}: {why}; correct it, or its format in 00_workspace.yaml")


def schema_file(data: bytes, file: str) -> dict[str, Any]:
    """The JSON Schema in these bytes. Raises BadSchema."""
    try:
        schema = canonical.loads(data)
    except ValueError as error:
        raise BadSchema(file, [str(error)]) from error
    if not isinstance(schema, dict):
        raise BadSchema(file, ["it is no object"])
    return schema


def raw_file(data: bytes, form: str, path: Path) -> Any:
    """A raw file: `csv` gives columns of text by header, `json` its value, `text` its text. Raises UnreadableRaw."""
    try:
        if form == "json":
            return canonical.loads(data)
        text = data.decode("utf-8-sig")
    except ValueError as error:
        raise UnreadableRaw(path, form, str(error)) from error
    return _columns(path, text) if form == "csv" else text


def _columns(path: Path, text: str) -> dict[str, list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header, *rows = reader
    except csv.Error as error:
        raise UnreadableRaw(path, "csv", f"line {reader.line_num}: {error}") from error
    except ValueError:
        header, rows = [], []
    if not header or len(set(header)) != len(header):
        raise UnreadableRaw(path, "csv", "its header names a column twice" if header else "it has no header")
    rows = [row for row in rows if row]
    if {len(header)} != {len(header), *map(len, rows)}:
        raise UnreadableRaw(path, "csv", _misfit(text, len(header)))
    columns = zip(*rows, strict=True) if rows else ([] for _ in header)
    return {name: list(column) for name, column in zip(header, columns, strict=True)}


def _misfit(text: str, width: int) -> str:
    """The first row that has another number of cells than the header, in words."""
    reader = csv.reader(io.StringIO(text, newline=""))
    row = next(row for row in reader if row and len(row) != width)
    return f"line {reader.line_num} has {len(row)} cells and the header has {width}"
