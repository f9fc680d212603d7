"""What the last build recorded, in one file under Temp/: a line of JSON for each step, the last line of a step counts.

A line is added before the files it speaks of are replaced and names the digests that they may still have (`was`), so
a run that is killed between the two leaves a file that is known, not one that looks like tampering.
"""

import json
import os
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import files

VERSION = 1
Record = dict[str, Any]


class BadState(AssayError):
    """The state file cannot be used."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} {why}; delete Temp/ and build again: it comes back the same")


class State:
    """The recorded steps, and the `as_of` that they were made for."""

    def __init__(self, path: Path, steps: dict[str, Record], as_of: str | None, *, whole: bool) -> None:
        self.path, self.steps, self.as_of = path, steps, as_of
        self._whole = whole

    @classmethod
    def load(cls, path: Path) -> "State":
        """The state in this file, empty where there is none. Raises BadState, Unreadable."""
        if not path.exists():
            return cls(path, {}, None, whole=False)
        # A last line without its newline was cut off by a crash before the files it speaks of were touched.
        *lines, cut = files.read(path).split(b"\n")
        if not b'{"'.startswith(cut[:2]):
            raise BadState(path, f"is damaged on line {len(lines) + 1}")
        steps: dict[str, Record] = {}
        as_of = None
        for number, line in enumerate(lines, 1):
            record = _record(line, "state" if number == 1 else "step")
            if record is None:
                raise BadState(path, f"is damaged on line {number}")
            if number > 1:
                steps[record.pop("step")] = record
            elif record["state"] != VERSION:
                raise BadState(path, f"was written by another version ({record['state']})")
            else:
                as_of = record["as_of"]
        return cls(path, steps, as_of, whole=bool(lines) and not cut)

    def announce(self, step: str, record: Record) -> None:
        """Write down, durably, what is about to be put in place, and what may lie there until then."""
        old = self.steps.get(step, {"outputs": {}})
        before = {file: {digest, *old.get("was", {}).get(file, ())} for file, digest in old["outputs"].items()}
        record = {**record, "was": {file: sorted(before[file]) for file in record["outputs"] if file in before}}
        if not self._whole:
            # There is no file yet, or it ends in a line that was cut off, which a line after it would make a part of.
            files.write(self.path, self._text())
            self._whole = True
        try:
            with self.path.open("ab") as file:
                file.write(_line({"step": step, **record}))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise files.Unwritable(self.path, error) from error
        self.steps[step] = record

    def placed(self, step: str) -> None:
        """The step's files lie in place: nothing else may lie there from now on."""
        self.steps[step].pop("was", None)

    def save(self) -> None:
        """Replace the file by its shortest form, if that differs from what lies there."""
        text = self._text()
        if files.digest(self.path) != files.sha256(text):
            if self.path.parent.is_dir():
                files.settle(self.path.parent)
            files.write(self.path, text)
            self._whole = True

    def outputs(self) -> dict[str, tuple[str, set[str]]]:
        """Each recorded file: the step that made it, and the digests that it may have."""
        found: dict[str, tuple[str, set[str]]] = {}
        for step, record in self.steps.items():
            was = record.get("was", {})
            for file, digest in record["outputs"].items():
                found[file] = (step, {digest} | set(was.get(file, ())))
        return found

    def _text(self) -> bytes:
        lines = [_line({"step": step, **self.steps[step]}) for step in sorted(self.steps)]
        return b"".join([_line({"state": VERSION, "as_of": self.as_of}), *lines])


def _line(record: Record) -> bytes:
    return json.dumps(record, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _record(line: bytes, kind: str) -> Record | None:
    """The record in a line, None where it is none: the head has a `state`, every other line a `step` and its files."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or kind not in record:
        return None
    sound = (
        "as_of" in record if kind == "state" else all(isinstance(record.get(part), dict) for part in ("outputs", "key"))
    )
    return record if sound else None
