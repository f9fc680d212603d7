"""Keeps pykrx at arm's length: a process of its own, without logins, with an end by the clock, its chatter in a log."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.feeds.day_answers import (
    BAD_ANSWER,
    CRASHED,
    MOST_ROWS,
    NO_ROWS,
    NOT_INSTALLED,
    TOO_SLOW,
    Answer,
    Clock,
    NoAnswer,
    Question,
    Row,
    shortened,
)
from quantassay.secrecy import withheld

WORKER = "quantassay.feeds.pykrx_worker"
INSTALL = "pip install 'quantassay[krx]'"
MOST_CHATTER = 20_000  # characters that are kept of it
_MOST_BYTES = 64 * 2**20
_LOOK_EVERY_S = 0.02
# All that the process is told of this one: where programs and modules are, never a login, a proxy or a key.
_PASSED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TZ")
_KINDS = (NOT_INSTALLED, CRASHED, BAD_ANSWER, NO_ROWS)
_CELLS = 7
REFUSES = "the site refuses"
MEMBERS = "the exchange answers only its members since 2026, and the desk does not log in"


@dataclass(frozen=True, slots=True)
class Child:
    """How the process is started: seconds until it is ended, and folders in front of its module path (for tests)."""

    answer_s: float
    paths: tuple[str, ...] = ()


def ask(child: Child, question: Question, clock: Clock) -> Answer:
    """The answer of one process for one question. Every process that it started is ended with it. Raises NoAnswer."""
    with tempfile.TemporaryDirectory(prefix="assay-pykrx-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        answer, log = folder / "answer.json", folder / "chatter.txt"
        taken_at = clock()
        command = [sys.executable, "-P", "-m", WORKER, str(answer), question.place, question.compact_day]
        ended, code = _run(command, _environment(child, folder), log, child.answer_s)
        chatter = _chatter(log)
        if not ended:
            says = f"pykrx gave no answer for {question.board} within {child.answer_s:g} seconds and was ended"
            raise NoAnswer(TOO_SLOW, says, chatter=chatter)
        data = _read(answer)
        if data is None:
            why = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
            says = f"the process that runs pykrx died without an answer for {question.board} ({why})"
            raise NoAnswer(CRASHED, f"{says}; what it printed is in data/fetches/chatter", chatter=chatter)
        value = _object(data, question)
        if "refused" in value:
            raise _refusal(value, question, data, chatter)
        request = {"method": "pykrx.stock.get_market_ohlcv_by_ticker", "market": question.place}
        return Answer(data, taken_at, {**request, "date": question.compact_day}, chatter)


def _environment(child: Child, folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
    paths = [*child.paths, *filter(None, [kept.get("PYTHONPATH", "")])]
    own = {"HOME": str(folder), "MPLCONFIGDIR": str(folder), "MPLBACKEND": "Agg", "NETRC": os.devnull}
    return {
        **kept,
        **own,
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(folder),
        **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {}),
    }


def _run(command: Sequence[str], environment: Mapping[str, str], log: Path, answer_s: float) -> tuple[bool, int]:
    """Whether the process ended by itself in time, and its exit code; nothing of its group is left running."""
    give_up = time.monotonic() + answer_s
    with log.open("wb") as chatter:
        # Output goes to a file: a pipe would stay open, and keep us waiting, as long as any process that it forked.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            command,
            env=dict(environment),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=chatter,
            stderr=chatter,
            start_new_session=True,
        )
    try:
        while not (ended := _has_ended(process.pid)) and time.monotonic() < give_up:
            time.sleep(_LOOK_EVERY_S)
    finally:
        # Not reaped yet, so that its number can belong to nobody else.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    return ended, code


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _chatter(log: Path) -> str:
    with log.open("rb") as file:
        text = file.read(MOST_CHATTER * 4).decode("utf-8", errors="backslashreplace")
    return withheld(text[:MOST_CHATTER])


def _read(answer: Path) -> bytes | None:
    try:
        with answer.open("rb") as file:
            return file.read(_MOST_BYTES + 1)
    except OSError:
        return None


def rows(data: bytes, question: Question) -> list[Row]:
    """The rows of an answer. pykrx writes 0 for every unknown price: a bar with a close of 0 is taken for unknown.

    Raises NoAnswer.
    """
    value = _object(data, question)
    listed = value.get("rows")
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_ROWS:
        raise _bad(question, "has no list of rows", data)
    for name, right in (("board", question.place), ("day", question.compact_day)):
        if value.get(name) != right:
            raise _bad(question, f"is of the {name} {shortened(str(value.get(name)))}, not {right}", data)
    return [_row(number, one, question, data) for number, one in enumerate(listed, start=1)]


def _object(data: bytes, question: Question) -> dict[str, Any]:
    if len(data) > _MOST_BYTES:
        raise _bad(question, f"has more than {_MOST_BYTES >> 20} MB", b"")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _bad(question, "is no whole JSON", data) from error
    if not isinstance(value, dict):
        raise _bad(question, "is no object", data)
    return value


def _refusal(value: Mapping[str, Any], question: Question, data: bytes, chatter: str) -> NoAnswer:
    kind, said = value["refused"], shortened(withheld(str(value.get("says", ""))))
    if kind not in _KINDS:
        return _bad(question, "refuses for a reason that nobody knows", data)
    if kind == NOT_INSTALLED:
        return NoAnswer(NOT_INSTALLED, f"pykrx cannot be asked: {said}; {INSTALL} brings it", b"", chatter)
    about = f"{question.board} on {question.session}"
    advice = f"; {MEMBERS}" if REFUSES in said else ""
    return NoAnswer(kind, f"pykrx has no bars of {about}: {said}{advice}", data, chatter)


def _row(number: int, cells: Any, question: Question, data: bytes) -> Row:
    if not isinstance(cells, list) or len(cells) != _CELLS or not isinstance(cells[0], str):
        raise _bad(question, f"has a row {number} of another form", data)
    values = ["" if cell is None else cell for cell in cells[1:]]
    if not all(isinstance(value, str) and (not value or value.lstrip("-").isdigit()) for value in values):
        raise _bad(question, f"has values that are no whole numbers in row {number}", data)
    opened, high, low, close, volume, traded = values
    if close == "0":
        # The dash of the site, which is no price; a volume beside it is looked at as it stands.
        unknown = ["" if price == "0" else price for price in (opened, high, low, close)]
        return Row._make([cells[0], *unknown, "" if volume == "0" else volume, traded])
    return Row(cells[0], opened, high, low, close, volume, traded)


def _bad(question: Question, why: str, data: bytes) -> NoAnswer:
    says = (
        f"the answer of pykrx for {question.board} on {question.session} {why}; it is kept in data/imports/quarantine"
    )
    return NoAnswer(BAD_ANSWER, says, data)
