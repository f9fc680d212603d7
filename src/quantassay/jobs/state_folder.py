"""Where what belongs to the user and to no single workspace is kept: tokens of KIS, its pace, locks of accounts."""

import os
import stat
from pathlib import Path

from quantassay.errors import AssayError

VARIABLE = "ASSAY_STATE"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class UnsafeStateFolder(AssayError):
    """The folder cannot be used for what must be the user's alone."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot keep this user's tokens and locks: {why}; set {VARIABLE} to a folder of yours")


def state_folder() -> Path:
    """The folder, made where it is missing, open to its owner only. Raises UnsafeStateFolder."""
    path = _place()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = path.stat()
        if found.st_uid != os.getuid():
            raise UnsafeStateFolder(path, "it belongs to another user")
        if found.st_mode & _OTHERS:
            path.chmod(0o700)
    except OSError as error:
        raise UnsafeStateFolder(path, error.strerror or "it cannot be made") from error
    return path


def _place() -> Path:
    told = os.environ.get(VARIABLE)
    if told:
        return _absolute(Path(told).expanduser())
    shared = os.environ.get("XDG_STATE_HOME")
    home = Path(shared) if shared and Path(shared).is_absolute() else Path.home() / ".local" / "state"
    return home / "quantassay"


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise UnsafeStateFolder(path, "it is not a full path")
    return path
