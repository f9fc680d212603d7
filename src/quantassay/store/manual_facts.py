"""Facts from manual imports in Parquet: every version of every value, checked against the index on every read."""

import hashlib
import io
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from quantassay.store.manual_index import ManualDamaged, ManualIndex, manual_folder, part, read_index, read_part

SCHEMA = pl.Schema(
    {
        "feed": pl.String(),
        "ticker": pl.String(),
        "session": pl.Date(),
        "field": pl.String(),
        "value": pl.String(),
        "note": pl.String(),
        "file": pl.String(),
        "digest": pl.String(),
        "row": pl.UInt32(),
        "available_from": pl.Date(),
        "imported_at": pl.Datetime("us", "UTC"),
        "version": pl.UInt32(),
    }
)
FACT = ("feed", "ticker", "session", "field")
KEY = (*FACT, "version")


def empty() -> pl.DataFrame:
    """A frame of no facts."""
    return pl.DataFrame(schema=SCHEMA)


def read(data_dir: Path) -> pl.DataFrame:
    """Every version of every fact, sorted by KEY, columns as in SCHEMA; an empty frame where nothing was imported.

    `value` is decimal text, null where the file has none; `note` says why: "blank", "banned". `file`, `digest` and
    `row` name the place that it was read from. `available_from` is the first session on which a decision may use it,
    `imported_at` when this desk got it. A later version is a correction. Raises ManualDamaged.
    """
    index = read_index(data_dir)
    if not index.parquet:
        return empty()
    data = read_part(data_dir, index.parquet, index.parquet_sha256)
    frame = pl.read_parquet(io.BytesIO(data))
    if frame.schema != SCHEMA or frame.height != index.rows:
        raise ManualDamaged(manual_folder(data_dir) / index.parquet, "does not hold what its index says")
    return frame


def latest(frame: pl.DataFrame, feed: str, sessions: Collection[date], digests: Collection[str]) -> pl.DataFrame:
    """The latest version of every fact of a feed on these sessions, and on those of which these files ever spoke."""
    of_feed = frame.filter(pl.col("feed") == feed)
    spoken = of_feed.filter(pl.col("digest").is_in(list(digests)))["session"].unique()
    days = {*sessions, *spoken}
    return of_feed.filter(pl.col("session").is_in(sorted(days))).unique(FACT, keep="last", maintain_order=True)


def added(frame: pl.DataFrame, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """The frame with these versions added, sorted by KEY."""
    return pl.concat([frame, pl.DataFrame(list(rows), schema=SCHEMA)]).sort(KEY)


def stored(frame: pl.DataFrame) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the index says of these facts, and the bytes of their Parquet file by name."""
    if frame.is_empty():
        none = ManualIndex()
        return {name: getattr(none, name) for name in ("rows", "content", "parquet", "parquet_sha256")}, {}
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=False)
    data = buffer.getvalue()
    name, digest = part("facts", data, "parquet")
    says = {"rows": frame.height, "content": content_digest(frame), "parquet": name, "parquet_sha256": digest}
    return says, {name: data}


def content_digest(frame: pl.DataFrame) -> str:
    """`sha256:<hex>` of the values: the same on every machine and for every Parquet encoder.

    Hashed are, column by column: its name; which rows have a value; of numbers and times the little-endian bytes; of
    text every value's length, and the UTF-8 bytes of all of them.
    """
    digest = hashlib.sha256(str(frame.height).encode())
    for column in frame.iter_columns():
        digest.update(f"|{column.name}|".encode())
        digest.update(column.is_not_null().to_numpy().tobytes())
        is_text = column.dtype == pl.String
        numbers = column.str.len_bytes() if is_text else column.to_physical()
        little_endian = numbers.fill_null(0).to_numpy()
        digest.update(little_endian.astype(little_endian.dtype.newbyteorder("<")).tobytes())
        if is_text:
            digest.update(str(column.str.join("")[0]).encode())
    return "sha256:" + digest.hexdigest()
