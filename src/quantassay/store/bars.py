"""Daily bars of a market in Parquet, replaced whole and checked against their index on every read.

A market has two series, each with its own folder, index and import log: raw prices under the market's key (`XKRX`),
adjusted ones beside it (`XKRX.adjusted`). Nothing reads both as one, and writing one leaves the other untouched.
"""

import hashlib
import io
from pathlib import Path

import polars as pl

from quantassay.store.bars_index import (
    BarsDamaged,
    BarsIndex,
    NoBars,
    bars_folder,
    read_checked,
    read_index,
    replace_file,
    sha256,
    write_index,
)

SCHEMA = pl.Schema(
    {
        "ticker": pl.String(),
        "session": pl.Date(),
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "volume": pl.Int64(),
        "foreign_net_buy": pl.Int64(),
        "taken_at": pl.Datetime("us", "UTC"),
        "source": pl.String(),
        "row": pl.UInt32(),
    }
)
KEY = ("ticker", "session")


def empty() -> pl.DataFrame:
    """A frame of no bars."""
    return pl.DataFrame(schema=SCHEMA)


def read(data_dir: Path, market: str) -> pl.DataFrame:
    """All bars of the market, sorted by ticker and session, columns as in SCHEMA.

    `volume` and `foreign_net_buy` are in shares, prices in the market's currency as the source gave them (unadjusted or
    not), `taken_at` is when the bar was taken if that is known, `source` and `row` name the raw file and its line.
    Raises NoBars, BarsDamaged.
    """
    index = read_index(data_dir, market)
    if index is None or index.rows == 0:
        raise NoBars(market, refused=index is not None)
    return _open(data_dir, index)


def read_or_empty(data_dir: Path, market: str) -> pl.DataFrame:
    """As `read`, but a market without bars gives an empty frame. Raises BarsDamaged."""
    index = read_index(data_dir, market)
    return empty() if index is None else _open(data_dir, index)


def replace(data_dir: Path, market: str, frame: pl.DataFrame, log: bytes, recipe: str = "") -> BarsIndex:
    """Make these bars and this import log the market's state; the same content and log change nothing on the disk.

    Args:
        data_dir: the workspace's data folder
        market: market key, such as XKRX
        frame: bars with the columns of SCHEMA, one a ticker and session, in any order
        log: the import log's bytes
        recipe: digest of what simulated bars were made from

    Raises:
        CannotStore: the disk refused; the old state stands.
    """
    frame = frame.select(SCHEMA.names()).cast(SCHEMA).sort(KEY)
    before = read_index(data_dir, market)
    digest = content_digest(frame)
    name = f"{_short(digest)}.parquet"
    parquet = bars_folder(data_dir, market) / name
    if before is not None and before.content == digest and _is_whole(parquet, before.sha256):
        bytes_digest = before.sha256
    else:
        data = _encode(frame)
        bytes_digest = sha256(data)
        replace_file(parquet, data)
    log_file = data_dir / "imports" / f"{market}.{_short(sha256(log))}.json"
    index = BarsIndex(
        market=market,
        rows=frame.height,
        tickers=frame["ticker"].n_unique(),
        first=_iso(frame["session"].min()),
        last=_iso(frame["session"].max()),
        content=digest,
        parquet=name,
        sha256=bytes_digest,
        log=log_file.name,
        log_sha256=sha256(log),
        recipe=recipe,
    )
    if index != before or not _is_whole(log_file, index.log_sha256):
        replace_file(log_file, log)
        write_index(data_dir, index)
        _sweep(parquet.parent, "*.parquet", keep=name)
        # Sixteen digits and not `*`: the logs of XKRX.adjusted begin with XKRX too, and are another series.
        _sweep(log_file.parent, f"{market}.{'[0-9a-f]' * 16}.json", keep=log_file.name)
    return index


def content_digest(frame: pl.DataFrame) -> str:
    """`sha256:<hex>` of the values: the same on every machine and for every Parquet encoder.

    Hashed are, column by column: its name; for text every value's length and the UTF-8 bytes; for numbers and times
    the validity of each row and the little-endian bytes with 0 for null.
    """
    digest = hashlib.sha256(str(frame.height).encode())
    for column in frame.iter_columns():
        digest.update(f"|{column.name}|".encode())
        if column.dtype == pl.String:
            lengths = column.str.len_bytes().cast(pl.UInt32)
            digest.update(lengths.to_numpy().astype("<u4").tobytes())
            digest.update("".join(column.to_list()).encode())
            continue
        numbers = column.to_physical()
        digest.update(numbers.is_not_null().to_numpy().tobytes())
        little_endian = numbers.fill_null(0).to_numpy()
        digest.update(little_endian.astype(little_endian.dtype.newbyteorder("<")).tobytes())
    return "sha256:" + digest.hexdigest()


def _open(data_dir: Path, index: BarsIndex) -> pl.DataFrame:
    path = bars_folder(data_dir, index.market) / index.parquet
    data = read_checked(path, index.sha256, index.market)
    frame = pl.read_parquet(io.BytesIO(data))
    if frame.schema != SCHEMA or frame.height != index.rows:
        raise BarsDamaged(path, "does not hold what its index says", index.market)
    return frame


def _encode(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


def _is_whole(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path.read_bytes()) == digest


def _sweep(folder: Path, pattern: str, keep: str) -> None:
    """Remove what no index names any more, also what a killed import left behind."""
    for path in folder.glob(pattern):
        if path.name != keep:
            path.unlink(missing_ok=True)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:16]


def _iso(day: object) -> str | None:
    return None if day is None else str(day)
