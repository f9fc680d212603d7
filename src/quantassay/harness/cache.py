"""Facts about file contents that need not be worked out twice, kept under the digest of the content.

The file lies in data/, is made anew when it is gone, and decides nothing: another content has another key, another
engine begins with none, and a file that anything else has changed is not used.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quantassay.harness import files

LARGEST = 4000


class Cache:
    """Facts by digest key, each kept as its JSON text, so that no reader can change what the next one gets."""

    def __init__(self, path: Path, engine: str) -> None:
        self.path, self.engine = path, engine
        self.facts = _read(path, engine)
        self.used: set[str] = set()
        self.grown = False

    def fact(self, key: str, work: Callable[[], Any]) -> Any:
        """The fact under this key, a JSON value, worked out where it is not kept yet."""
        self.used.add(key)
        if key not in self.facts:
            self.facts[key] = json.dumps(work())
            self.grown = True
        return json.loads(self.facts[key])

    def save(self) -> None:
        """Write the file if there is anything new; a large one keeps only what this run asked for."""
        if not self.grown:
            return
        kept = self.facts if len(self.facts) <= LARGEST else {key: self.facts[key] for key in self.used}
        body = "".join(f"{key}\t{kept[key]}\n" for key in sorted(kept)).encode()
        files.write(self.path, f"{self.engine} {files.sha256(body)}\n".encode() + body, durable=False)
        self.grown = False


def _read(path: Path, engine: str) -> dict[str, str]:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        # What cannot be read is worked out again; nothing depends on it.
        return {}
    if head != f"{engine} {files.sha256(body)}".encode():
        return {}
    pairs = (line.partition("\t") for line in body.decode().split("\n")[:-1])
    return {key: fact for key, _, fact in pairs}
