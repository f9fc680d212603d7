"""Reads the tables of a package again: the Parquet file must hold the very content that its judged sidecar names."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from quantassay.harness import tables
from quantassay.harness.verify_package import TABLE


def problems(members: Mapping[str, bytes]) -> Iterator[str]:
    """What is wrong with the tables among a package's files, or an audit-only package's; the script cannot see it."""
    for name, data in sorted(members.items()):
        if name.startswith("artifacts/") and name.endswith(".parquet"):
            sidecar = json.loads(members.get(name.replace(".parquet", ".json"), b"{}"))
            said = sidecar.get("would_have_been", sidecar).get("data", {})
            if said.keys() != TABLE:
                yield f"{name} has no sidecar"
            else:
                yield from (f"{name}: {problem}" for problem in _differences(said, data))


def _differences(said: dict[str, Any], data: bytes) -> Iterator[str]:
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except pl.exceptions.PolarsError as error:
        yield f"it cannot be read ({error})"
        return
    if frame.height != said["rows"]:
        yield f"it holds {frame.height} rows, its sidecar says {said['rows']}"
    if set(frame.columns) != set(said["columns"]):
        yield f"it holds the columns {', '.join(frame.columns)}, its sidecar says {', '.join(said['columns'])}"
        return
    for column, facts in said["columns"].items():
        held = {"type": str(frame.schema[column]), "digest": tables.column_digest(frame[column])}
        if held != facts:
            yield f"the content of {column} is not what its sidecar says"
