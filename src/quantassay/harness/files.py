"""Whole files: read, their digest, and their durable replacement."""

import hashlib
import os
from pathlib import Path

from quantassay.errors import AssayError


class Unreadable(AssayError):
    """A file that is needed and cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be read: {why}; put a readable file there, or take out what names it")


class Unwritable(AssayError):
    """A file that cannot be put in place."""

    def __init__(self, path: Path, error: OSError) -> None:
        no_folder = isinstance(error, FileExistsError | NotADirectoryError)
        why = f"{path.parent} is no folder" if no_folder else error.strerror or str(error)
        super().__init__(f"{path} cannot be written: {why}; make room for it, what was there before is unharmed")


def sha256(data: bytes) -> str:
    """`sha256:` and the hex digest of these bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read(path: Path) -> bytes:
    """The file's bytes. Raises Unreadable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(path, error.strerror or str(error)) from error


def digest(path: Path) -> str | None:
    """The digest of the file's bytes; None where there is no such file. Raises Unreadable."""
    try:
        return sha256(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unreadable(path, error.strerror or str(error)) from error


def write(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace the file whole: a reader sees the old bytes or the new ones, never a part. Raises Unwritable.

    What is not `durable` may be lost when the power fails, not when the program is killed.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if part.is_file():
            part.unlink()
        raise Unwritable(path, error) from error


def settle(folder: Path) -> None:
    """Make the replacements in this folder outlast a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
