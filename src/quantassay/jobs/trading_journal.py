"""What builders and gates are handed of the journal: all that was done about orders so far, line by line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantassay.harness import pointers
from quantassay.harness.inputs import Handed
from quantassay.harness.lazy import Lazy

NAME = "trading_journal"
FILE = "journal.sqlite3"
EMPTY: dict[str, Any] = {"events": [], "head": {"seq": 0, "digest": None}, "problems": []}
_NONE = f"data/{FILE}: there is no journal yet, nothing was ever sent"
# SQLite is loaded only where there is a journal.
_CONTENT = Lazy("quantassay.store.journal_reading:content")
_READ = Lazy("quantassay.store.journal_reading:read")
_LONGEST = 160


def handed(data: Path, marks: Sequence[str]) -> Handed:
    """`trading_journal`: the lines up to the one that is the last now, whatever is added while a builder runs.

    {events: rows of seq, at, kind, account, order, body, digest; head: {seq, digest}; problems: sentences}, all empty
    where there is no journal. Raises DatabaseFault.
    """
    path = data / FILE
    if not path.exists():
        explain = Lazy("quantassay.jobs.explain:as_said", (_NONE,))
        return Handed(NAME, "none", Lazy("copy:deepcopy", (EMPTY,)), tuple(marks), explain)
    digest, last = _CONTENT(path)
    return Handed(
        NAME,
        digest,
        Lazy("quantassay.store.journal_reading:read", (path, last)),
        tuple(marks),
        Lazy("quantassay.jobs.trading_journal:line", (path, last)),
    )


def age(data: Path) -> tuple[str, str] | None:
    """The journal and how far it goes, in words; None where there is none. Raises DatabaseFault."""
    if not (data / FILE).exists():
        return None
    lines = _READ(data / FILE, _CONTENT(data / FILE)[1])["events"]
    return "journal", f"{len(lines)} lines, the last of {lines[-1]['at']}" if lines else "no line yet"


def line(path: Path, last: int, pointer: str) -> list[str]:
    """The line of the journal behind a place in it, and the value there; of the whole of it, how far it goes."""
    found = _READ(path, last)
    steps = list(pointers.split(pointer))
    number = steps[1] if steps[:1] == ["events"] and len(steps) > 1 else ""
    event = next((one for one in found["events"] if str(one["seq"]) == number), None)
    if event is None:
        head = found["head"]
        told = [f"data/{FILE}: {len(found['events'])} lines, the last is {head['seq']} {head['digest']}"]
        return told + [f"it has no line {number}"] * bool(number)
    of = f" of {event['order'] or event['account']}" if event["account"] else ""
    head_line = f"data/{FILE} line {event['seq']}: {event['kind']}{of} at {event['at']}, {event['digest']}"
    value = _inside(event, steps[2:])
    return [head_line, *([f"{'/'.join(steps[2:])}: {_short(value)}"] if steps[2:] and value is not None else [])]


def _inside(value: Any, steps: Sequence[str]) -> Any:
    """What stands behind these steps, None for nothing; a line of a plan is picked by its number."""
    for step in steps:
        if isinstance(value, list):
            value = next((one for one in value if isinstance(one, dict) and str(one.get("line")) == step), None)
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
