"""Which files an import by hand is pointed at: one, or those of a folder that can hold a table."""

from dataclasses import replace
from pathlib import Path

from quantassay.errors import AssayError
from quantassay.feeds.raw_files import RawFile, printable, read_file
from quantassay.store.manual_index import mark

SUFFIXES = (".csv", ".tsv", ".txt", ".xls", ".xlsx", ".htm", ".html")


class NothingToImport(AssayError):
    """Neither a file nor a folder with tables."""

    def __init__(self, source: Path, why: str) -> None:
        super().__init__(
            f"{source} {why}; name the file that was downloaded, or a folder of {', '.join(SUFFIXES)} files"
        )


def tables(source: Path) -> tuple[list[Path], list[str]]:
    """The files to read, by name, and the names of others that lie in the folder; hidden ones are not looked at.

    One file that is named is read whatever its ending. Raises NothingToImport.
    """
    try:
        if not source.exists():
            raise NothingToImport(source, "does not exist")
        if not source.is_dir():
            return [source], []
        found = sorted(path for path in source.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise NothingToImport(source, f"cannot be opened ({error.strerror or error})") from error
    paths = [path for path in found if path.suffix.lower() in SUFFIXES and not path.is_dir()]
    if not paths:
        raise NothingToImport(source, "holds no table")
    return paths, [printable(path.name) for path in found if path not in paths]


def read(path: Path) -> RawFile:
    """The file; a raw copy that an earlier import kept has its first name again. Never raises."""
    file = read_file(path)
    own = mark(file.digest)
    return replace(file, name=file.name.removeprefix(own), stem=file.stem.removeprefix(own))
