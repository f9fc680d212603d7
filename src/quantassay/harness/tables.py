"""Table artifacts: a Parquet file, and in its sidecar the rows, the columns and a digest of the content."""

import hashlib
import io
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from quantassay.errors import AssayError
from quantassay.harness import files


class TableLike(Protocol):
    """What a builder returns for a table: a frame, and the columns that name a row."""

    frame: pl.DataFrame
    key: tuple[str, ...]


class BadTable(AssayError):
    """A table that has no canonical content."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"the table {name} {why}; correct its builder")


def encode(name: str, table: TableLike) -> tuple[dict[str, Any], bytes]:
    """The sidecar's data and the Parquet bytes. Rows are sorted by the key, which must be unique. Raises BadTable."""
    frame, key = table.frame, list(table.key)
    if not isinstance(frame, pl.DataFrame):
        raise BadTable(name, f"holds a {type(frame).__name__} and not a DataFrame")
    missing = [column for column in key if column not in frame.columns]
    if missing or not key:
        raise BadTable(name, f"has no column {', '.join(missing) or '(no key is named)'}")
    for column, kind in frame.schema.items():
        if not (kind.is_numeric() or kind.is_temporal() or kind in (pl.String, pl.Boolean)):
            raise BadTable(
                name, f"holds {kind} in {column}; a column holds numbers, text, truth values, dates or times"
            )
        if kind.is_float() and not frame[column].drop_nulls().is_finite().all():
            raise BadTable(name, f"has a number that is not finite in {column}; use null where nothing is known")
    frame = frame.sort(key).rechunk()
    if frame.select(key).is_duplicated().any():
        raise BadTable(name, f"has two rows with the same {', '.join(key)}")
    columns = {
        column: {"type": str(kind), "digest": column_digest(frame[column])} for column, kind in frame.schema.items()
    }
    content = "\n".join(f"{column} {facts['type']} {facts['digest']}" for column, facts in columns.items())
    data = {"rows": frame.height, "columns": columns, "key": key, "digest": files.sha256(content.encode())}
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=3, statistics=False)
    return data, buffer.getvalue()


def column_digest(column: pl.Series) -> str:
    """The digest of a column's values, whatever the file format made of them: one line of JSON a value."""
    text = column.dt.to_string("iso") if column.dtype.is_temporal() else column
    lines = pl.DataFrame({"v": text}).write_ndjson()
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()


def read(path: Path) -> pl.DataFrame:
    """The table in this file."""
    # As bytes: polars cannot open every path that Python can.
    return pl.read_parquet(io.BytesIO(files.read(path)))
