"""The files that someone points at, read once: name, bytes, digest, or why they could not be read."""

import hashlib
import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from quantassay.errors import AssayError
from quantassay.feeds.issues import Issue
from quantassay.secrecy import withheld_name

# Sixty years of daily bars are about one megabyte.
LARGEST_BYTES = 64 * 2**20


class SourceMissing(AssayError):
    """The folder or file to import is not there."""

    def __init__(self, source: Path, why: str) -> None:
        super().__init__(f"{source} {why}; name a folder of .csv files, or one file")


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file as it was found; `refusal` says why, where it could not be read or must not be.

    `digest` is `sha256:<hex>` of `data`, which is empty where nothing could be read.
    """

    name: str
    stem: str
    data: bytes
    digest: str
    refusal: Issue | None = None
    readable: bool = True


def list_source(source: Path) -> tuple[list[Path], list[str]]:
    """The .csv files of a folder sorted by name, or the one file; and the names of other files that lie there.

    Hidden files are not looked at. Raises SourceMissing where nothing is there to import.
    """
    try:
        if not source.exists():
            raise SourceMissing(source, "does not exist")
        if not source.is_dir():
            return [source], []
        names = sorted(path.name for path in source.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise SourceMissing(source, f"cannot be opened ({error.strerror or error})") from error
    paths = [source / name for name in names if name.lower().endswith(".csv")]
    if not paths:
        raise SourceMissing(source, "holds no .csv file")
    return paths, [printable(name) for name in names if not name.lower().endswith(".csv")]


def read_files(paths: list[Path]) -> Iterator[RawFile]:
    """Each file's bytes; of files that differ only in how .csv is written, none may rule. Never raises."""
    stems = Counter(path.stem for path in paths)
    for path in paths:
        file = read_file(path)
        if stems[path.stem] > 1 and file.refusal is None:
            says = f"is one of {stems[path.stem]} files for {file.stem}; keep one"
            file = replace(file, refusal=Issue(file.name, None, "ticker_twice", says))
        yield file


def read_file(path: Path) -> RawFile:
    """One file's bytes. Never raises: what cannot be read says why."""
    name = printable(path.name)
    stem = printable(path.stem)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return _unreadable(name, stem, "is no regular file")
        if status.st_size > LARGEST_BYTES:
            return _unreadable(name, stem, f"has {status.st_size} bytes, more than daily bars can have")
        data = path.read_bytes()
    except OSError as error:
        return _unreadable(name, stem, f"cannot be read ({error.strerror or error})")
    return RawFile(name, stem, data, "sha256:" + hashlib.sha256(data).hexdigest())


def printable(name: str) -> str:
    """A file name as text that JSON and a terminal can hold; Korean names from a Mac become composed letters.

    What may be a credential or an account number is taken out: names are logged, reported and packaged.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    plain = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in unicodedata.normalize("NFC", text))
    return withheld_name(plain)


def _unreadable(name: str, stem: str, says: str) -> RawFile:
    issue = Issue(name, None, "unreadable", f"{says}; check its rights and import it again")
    return RawFile(name, stem, b"", "sha256:" + hashlib.sha256(b"").hexdigest(), issue, readable=False)
