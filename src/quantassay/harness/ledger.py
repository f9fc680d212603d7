"""The ledger: one line for each gate record that differed from the one before, each chained to the line above it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical, files

_MEMBERS = {"seq", "at", "record", "status", "previous", "line"}


class LedgerBroken(AssayError):
    """A ledger with a line that is not as it was written: nothing is chained to it."""

    exit_code = 1

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}; keep the file as evidence, and move it aside to begin a new one")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: its number (from 1), when, the gate record's digest and status, and the chain.

    `previous` and `line` are the digests of the line before and of this one.
    `cut` holds what was left of a line that a crash cut off; None as a rule.
    """

    seq: int
    at: str
    record: str
    status: str
    previous: str | None
    line: str
    cut: str | None = None


def append(path: Path, record_digest: str, status: str, at: str) -> Entry | None:
    """Add a line when the record differs from the last one; None when it does not.

    The caller holds the workspace's lock. The file is replaced whole and durably; the rest of a line that was
    cut off goes into the new line.
    Raises LedgerBroken when any line is not as it was written.
    """
    whole, cut = _parts(path)
    if broken := _first_break(whole):
        raise LedgerBroken(path, "line {} {}".format(*broken))
    last = _entry(whole[-1])[0] if whole else None
    if last is not None and last.record == record_digest and not cut:
        return None
    body: dict[str, Any] = {
        "seq": last.seq + 1 if last else 1,
        "at": at,
        "record": record_digest,
        "status": status,
        "previous": last.line if last else None,
    }
    if cut:
        body["cut"] = cut.decode("utf-8", "backslashreplace")
    body["line"] = canonical.digest(body)
    files.write(path, b"".join(whole) + canonical.dumps(body))
    return Entry(**body)


def last(path: Path) -> Entry | None:
    """The last whole line; None where there is none or it cannot be read."""
    whole, _ = _parts(path)
    return _entry(whole[-1])[0] if whole else None


def check(path: Path) -> list[str]:
    """What is wrong with the ledger: the first line that is not as it was written, and a last line that was cut off.

    Lines missing at the end leave no trace here: compare `last(path).record` with the gate record at hand.
    """
    whole, cut = _parts(path)
    problems = []
    if broken := _first_break(whole):
        problems.append("{}:{}: {}; the lines from here on prove nothing".format(path.name, *broken))
    if cut:
        problems.append(f"{path.name}:{len(whole) + 1}: cut off by a crash; the next `assay gate` keeps what is left")
    if not whole and not cut:
        problems.append(f"{path.name} holds no line; the first `assay gate` writes one")
    return problems


def _first_break(whole: list[bytes]) -> tuple[int, str] | None:
    """The number of the first line that is not as it was written, and what is wrong with it; None where all are."""
    previous: Entry | None = None
    for number, raw in enumerate(whole, 1):
        entry, problem = _entry(raw)
        if entry is not None:
            problem = _break_in_chain(entry, previous, number)
        if problem:
            return number, problem
        previous = entry
    return None


def _parts(path: Path) -> tuple[list[bytes], bytes]:
    """The whole lines, each with its newline, and what is left of a line that has none.

    A last line that lacks nothing but its newline is whole.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], b""
    *lines, tail = data.split(b"\n")
    if tail and _entry(tail)[0] is not None:
        lines, tail = [*lines, tail], b""
    return [line + b"\n" for line in lines], tail


def _entry(raw: bytes) -> tuple[Entry | None, str]:
    """The entry in a line, or None and what is wrong with the line."""
    try:
        body = canonical.loads(raw)
    except ValueError:
        return None, "is not JSON"
    if not isinstance(body, dict) or body.keys() - {"cut"} != _MEMBERS:
        return None, "is no line of a gate ledger"
    try:
        written = canonical.dumps(body)
        digest = canonical.digest({key: value for key, value in body.items() if key != "line"})
    except AssayError as error:
        return None, f"is not canonical: {error}"
    if body["line"] != digest or written != raw.removesuffix(b"\n") + b"\n":
        return None, "has been changed: its digest is not that of its content"
    return Entry(**body), ""


def _break_in_chain(entry: Entry, previous: Entry | None, number: int) -> str:
    if entry.seq != number:
        return f"is line {entry.seq} of the chain, so lines are missing or doubled before it"
    if entry.previous != (previous.line if previous else None):
        return "does not follow from the line before it"
    return ""
