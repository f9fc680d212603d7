"""What the store holds for a market, told without opening the Parquet: counts, span, digests.

The index is the one pointer to a market's state: it names the Parquet file of the bars and the import log that says
where they came from. Replacing it is one rename, so a reader sees the old pair or the new pair, never a mixture.
"""

import contextlib
import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from quantassay.errors import AssayError

INDEX = "index.json"
# The simulated market's key; nobody can import into it.
SAMPLE = "SAMPLE"
# Behind a market's key: the series of its adjusted prices. The key alone is the raw series, prices as they were traded.
_ADJUSTED = ".adjusted"
_MARKET = re.compile(r"[A-Z][A-Z0-9]{1,15}(\.adjusted)?")


class NotAMarketKey(AssayError):
    """A market key that cannot name a folder."""

    def __init__(self, market: str) -> None:
        super().__init__(f"{market!r} is no market key; use capital letters and digits, such as XKRX")


class NoBars(AssayError):
    """Nothing was ever imported for the market, or nothing of it could be used."""

    def __init__(self, market: str, *, refused: bool) -> None:
        why = (
            "every file imported was quarantined (data/imports/quarantine says why)" if refused else "none imported yet"
        )
        super().__init__(f"there are no bars of {market}: {why}; run `{_import(market)}`")


class BarsDamaged(AssayError):
    """The stored files no longer are what the import wrote."""

    def __init__(self, path: Path, why: str, market: str) -> None:
        again = "build again" if market == SAMPLE else f"import again with `{_import(market)}`"
        super().__init__(f"{path} {why}; delete data/bars/{market} and {again}")


class CannotStore(AssayError):
    """The disk refused."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} could not be written: {why}; nothing was changed, free the disk or the rights and repeat"
        )


@dataclass(frozen=True, slots=True)
class BarsIndex:
    """The state of one market's bars.

    `content` is the digest of the values whatever the Parquet encoder, `sha256` that of the Parquet file's bytes, both
    as `sha256:<hex>`; `first` and `last` are the first and last session (ISO), None where there are no bars. `log` is
    the import log's file name with its own digest. `recipe` is the digest of what simulated bars were made from, empty
    for imported ones.
    """

    market: str
    rows: int
    tickers: int
    first: str | None
    last: str | None
    content: str
    parquet: str
    sha256: str
    log: str
    log_sha256: str
    recipe: str


def adjusted_key(market: str) -> str:
    """The key of the series of the market's adjusted prices, which is stored apart from the raw one."""
    return market + _ADJUSTED


def _import(key: str) -> str:
    """The command that fills the series of this key."""
    market = key.removesuffix(_ADJUSTED)
    return f"assay import bars DIR --market {market}" + (" --prices adjusted" if market != key else "")


def sha256(data: bytes) -> str:
    """`sha256:` and the hex digest of these bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def bars_folder(data_dir: Path, market: str) -> Path:
    """Where the market's bars lie. Raises NotAMarketKey."""
    if not _MARKET.fullmatch(market):
        raise NotAMarketKey(market)
    return data_dir / "bars" / market


def read_index(data_dir: Path, market: str) -> BarsIndex | None:
    """The market's index; None where nothing was ever imported. Raises BarsDamaged."""
    path = bars_folder(data_dir, market) / INDEX
    try:
        members = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BarsDamaged(path, f"cannot be read ({error})", market) from error
    if not isinstance(members, dict) or set(members) != {field.name for field in fields(BarsIndex)}:
        raise BarsDamaged(path, "is no index of bars of this version", market)
    return BarsIndex(**members)


def write_index(data_dir: Path, index: BarsIndex) -> None:
    """Make this index the market's state. Raises CannotStore."""
    text = json.dumps(asdict(index), sort_keys=True, indent=2) + "\n"
    replace_file(bars_folder(data_dir, index.market) / INDEX, text.encode())


def read_checked(path: Path, digest: str, market: str) -> bytes:
    """The bytes of a stored file, only if they still have this digest. Raises BarsDamaged."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BarsDamaged(path, f"cannot be read ({error.strerror or error})", market) from error
    if sha256(data) != digest:
        raise BarsDamaged(path, "was changed after the import wrote it", market)
    return data


def read_log(data_dir: Path, index: BarsIndex) -> bytes:
    """The bytes of the import log that belongs to this state. Raises BarsDamaged."""
    return read_checked(data_dir / "imports" / index.log, index.log_sha256, index.market)


def clear_parts(data_dir: Path, market: str) -> None:
    """Remove what an import that was killed left half written. The caller holds the lock."""
    for folder in (bars_folder(data_dir, market), data_dir / "imports"):
        for path in folder.glob(".*.part"):
            path.unlink(missing_ok=True)


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file whole and durably. Raises CannotStore."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # the first error says what is wrong
            part.unlink(missing_ok=True)
        raise CannotStore(path, error.strerror or str(error)) from error
