"""What was imported by hand, told without opening the Parquet: the log, the lists of companies, the raw copies.

The index is the one pointer to the state: it names the Parquet file of the facts, the log and the lists. Replacing it
is one rename, so a reader sees the old files or the new ones, never a mixture. Raw copies are only ever added.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.store.bars_index import INDEX, replace_file, sha256

FILES = "files"
# The digest before the name needs its bytes; file systems allow 255.
LONGEST_BYTES = 200
_SHORT = 16


class ManualDamaged(AssayError):
    """Stored files of the manual imports that no longer are what the import wrote."""

    def __init__(self, path: Path, why: str) -> None:
        folder = "data/imports/manual"
        super().__init__(
            f"{path} {why}; put {folder} back from a backup of data/, or, where there is none, delete "
            f"{folder}/index.json and import the copies in {folder}/files again, as known from that day on"
        )


@dataclass(frozen=True, slots=True)
class StoredList:
    """One list of listed companies: the day it shows, the imported file, and the file that holds it, with digests."""

    as_of: str
    digest: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ManualIndex:
    """The state of the manual imports.

    `content` is the digest of the facts' values whatever the Parquet encoder; `parquet` is empty where there are no
    facts, `log` where nothing was ever imported. `lists` are in order of import; of two for one day the later counts.
    """

    rows: int = 0
    content: str = ""
    parquet: str = ""
    parquet_sha256: str = ""
    log: str = ""
    log_sha256: str = ""
    lists: tuple[StoredList, ...] = field(default=())

    @property
    def files(self) -> dict[str, str]:
        """Every file of the state with its digest."""
        named = {self.parquet: self.parquet_sha256, self.log: self.log_sha256}
        return {name: digest for name, digest in named.items() if name} | {one.file: one.sha256 for one in self.lists}

    @property
    def latest_list(self) -> StoredList | None:
        """The list of the latest day; None where there is none."""
        return max(reversed(self.lists), key=lambda one: one.as_of, default=None)


def manual_folder(data_dir: Path) -> Path:
    """Where everything that was imported by hand lies."""
    return data_dir / "imports" / "manual"


def read_index(data_dir: Path) -> ManualIndex:
    """The state's index; an empty one where nothing was ever imported. Raises ManualDamaged."""
    path = manual_folder(data_dir) / INDEX
    try:
        members = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ManualIndex()
    except (OSError, ValueError) as error:
        raise ManualDamaged(path, f"cannot be read ({error})") from error
    try:
        lists = tuple(StoredList(**one) for one in members.pop("lists"))
        return ManualIndex(**members, lists=lists) if len(members) == len(fields(ManualIndex)) - 1 else _odd(path)
    except (TypeError, KeyError, AttributeError):
        return _odd(path)


def _odd(path: Path) -> ManualIndex:
    raise ManualDamaged(path, "is no index of manual imports of this version")


def read_part(data_dir: Path, name: str, digest: str) -> bytes:
    """The bytes of one file of the state, only if they still have this digest. Raises ManualDamaged."""
    path = manual_folder(data_dir) / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ManualDamaged(path, f"cannot be read ({error.strerror or error})") from error
    if sha256(data) != digest:
        raise ManualDamaged(path, "was changed after the import wrote it")
    return data


def read_log(data_dir: Path, index: ManualIndex) -> dict[str, list[dict[str, Any]]]:
    """The imports of each feed in their order; empty where nothing was ever imported. Raises ManualDamaged."""
    if not index.log:
        return {}
    return decode(read_part(data_dir, index.log, index.log_sha256))


def read_list(data_dir: Path, stored: StoredList) -> dict[str, Any]:
    """A list of listed companies as it was imported. Raises ManualDamaged."""
    return decode(read_part(data_dir, stored.file, stored.sha256))


def check(data_dir: Path, index: ManualIndex) -> None:
    """Raise ManualDamaged where a file of the state is gone or changed."""
    for name, digest in index.files.items():
        read_part(data_dir, name, digest)


def part(stem: str, data: bytes, suffix: str = "json") -> tuple[str, str]:
    """The name by content that these bytes are stored under, and their digest."""
    digest = sha256(data)
    return f"{stem}.{digest.removeprefix('sha256:')[:_SHORT]}.{suffix}", digest


def encode(value: Any) -> bytes:
    """The bytes of a JSON value as the log and the lists are stored."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def decode(data: bytes) -> dict[str, Any]:
    """What `encode` made bytes of."""
    value: dict[str, Any] = json.loads(data)
    return value


def replace(data_dir: Path, index: ManualIndex, parts: Mapping[str, bytes]) -> None:
    """Make this index the state; `parts` are the bytes of those of its files that may be new.

    What is there already is not written again, and the same state touches nothing. Raises CannotStore: the disk
    refused, and the old state stands.
    """
    folder = manual_folder(data_dir)
    for name, data in parts.items():
        _put(folder / name, data)
    text = encode(asdict(index))
    if not _is(folder / INDEX, text):
        replace_file(folder / INDEX, text)
        _sweep(folder, {INDEX, FILES, *index.files})


def kept_path(data_dir: Path, name: str, digest: str) -> Path:
    """Where the raw copy of a file lies, or is to lie; it keeps the name that the file first came under."""
    there = sorted((manual_folder(data_dir) / FILES).glob(f"{mark(digest)}*"))
    if there:
        return there[0]
    short = name.replace("/", "_").replace("\\", "_").encode()[:LONGEST_BYTES].decode(errors="ignore")
    return manual_folder(data_dir) / FILES / f"{mark(digest)}{short}"


def mark(digest: str) -> str:
    """What stands before the name of a raw copy."""
    return digest.removeprefix("sha256:")[:_SHORT] + "-"


def keep_file(data_dir: Path, name: str, digest: str, data: bytes) -> None:
    """Keep a raw copy of an imported file; one that is there whole is left alone. Raises CannotStore."""
    _put(kept_path(data_dir, name, digest), data)


def clear(data_dir: Path) -> None:
    """Remove what an import that was killed left behind. The caller holds the lock. Raises ManualDamaged."""
    folder = manual_folder(data_dir)
    for path in (*folder.glob(".*.part"), *(folder / FILES).glob(".*.part")):
        path.unlink(missing_ok=True)
    index = read_index(data_dir)
    # Where the index is gone, what lies there is all that is left to learn from.
    if index.log:
        _sweep(folder, {INDEX, FILES, *index.files})


def _put(path: Path, data: bytes) -> None:
    if not _is(path, data):
        replace_file(path, data)


def _is(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _sweep(folder: Path, keep: Collection[str]) -> None:
    """Remove the files of states that were."""
    for path in folder.iterdir():
        if path.name not in keep and path.is_file():
            path.unlink(missing_ok=True)
