"""The files that an import refused: a copy of each beside the reasons, so that nothing is lost or forgotten.

The folder is a person's worklist: a file that is corrected is imported again, one that is not wanted is deleted here.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quantassay.feeds.issues import Issue
from quantassay.feeds.raw_files import RawFile
from quantassay.harness import canonical
from quantassay.store.bars_index import replace_file

REASON = ".reason.json"
# File systems allow 255 bytes in a name; the digest before it and the ending behind it need theirs.
LONGEST_BYTES = 200


def folder(data_dir: Path) -> Path:
    """Where quarantined files lie."""
    return data_dir / "imports" / "quarantine"


def put(data_dir: Path, market: str, file: RawFile, issues: Iterable[Issue]) -> None:
    """Keep a copy of the file and, as JSON, the reasons; the same file again changes nothing. Raises CannotStore."""
    path = folder(data_dir) / _name(file.name, file.digest)
    if file.readable:
        replace_file(path, file.data)
    reason: dict[str, Any] = {
        "file": file.name,
        "market": market,
        "digest": file.digest,
        "copied": file.readable,
        "issues": [issue.to_json() for issue in issues],
    }
    replace_file(path.with_name(path.name + REASON), canonical.dumps(reason))


def holds(data_dir: Path, file: str, digest: str) -> bool:
    """Whether the reasons against this file still lie there, so that nobody has dismissed it."""
    name = _name(file, digest)
    return (folder(data_dir) / (name + REASON)).exists()


def _name(file: str, digest: str) -> str:
    short = file.replace("/", "_").replace("\\", "_").encode()[:LONGEST_BYTES].decode(errors="ignore")
    return f"{digest.removeprefix('sha256:')[:8]}-{short}"
