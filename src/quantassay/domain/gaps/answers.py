"""What kind of answer a site gave to a request that it is known to refuse."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOGIN_REQUIRED, LOGIN_PAGE, ANSWERED, NO_ROWS = "login_required", "login_page", "answered", "no_rows"
MAINTENANCE, HTML, UNEXPECTED, TIMED_OUT, CUT_OFF = "maintenance", "html", "unexpected", "timed_out", "cut_off"
MIXED = "mixed"
# What a person does about an outcome.
ADVICE = {
    LOGIN_REQUIRED: "the wall stands as recorded; nothing changes for the desk",
    LOGIN_PAGE: "the wall stands, with another face; nothing changes for the desk",
    ANSWERED: "the gap may be closable; bring its review forward, and have the source judged (rules R07)",
    NO_ROWS: "the site answers and has nothing for these dates; look at the request before believing either",
    MAINTENANCE: "the site is being worked on; try again another day",
    HTML: "the site answers with a page; look at the transcript",
    UNEXPECTED: "nobody has seen this answer before; look at the transcript",
    TIMED_OUT: "the site was reached and did not answer in time; try again another day",
    CUT_OFF: "the site was reached and hung up; try again another day",
    MIXED: "the requests were not answered alike; look at each",
}
_LOGIN = re.compile(r"MDCCOMS001|login\.(jsp|cmd|do)|/login\b|type=[\"']password|로그인|회원 ?전용", re.IGNORECASE)
_MAINTENANCE = re.compile(r"점검|maintenance|service.?unavailable|일시 ?중단", re.IGNORECASE)
_GOOD, _UNAVAILABLE = range(200, 300), 503
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: the member that would hold the rows, and the refusal on record."""

    rows: str
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: status, media type, where a redirect leads, the text, and whether it was longer than is read."""

    status: int
    kind: str
    location: str
    text: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Told:
    """The kind of an answer, how many rows it holds (None where it is no table), and a sentence."""

    outcome: str
    rows: int | None
    says: str


def asked(request: Mapping[str, Any]) -> Asked:
    """What a request of spec/16_data_gaps_roadmap.yaml expects."""
    return Asked(request["rows"], request["refusal"]["status"], request["refusal"]["body"])


def told(wanted: Asked, reply: Reply) -> Told:
    """The kind of this answer. A row counts when it holds a digit: on holidays sites send rows of dashes."""
    text, head = reply.text.strip(), f"HTTP {reply.status}"
    if text == wanted.body:
        recorded = "as recorded" if reply.status == wanted.status else f"where HTTP {wanted.status} was recorded"
        return Told(LOGIN_REQUIRED, None, f"{head} with the body {_quoted(text)}, {recorded}")
    if reply.location:
        outcome = LOGIN_PAGE if _LOGIN.search(reply.location) else UNEXPECTED
        return Told(outcome, None, f"{head} that leads to {_quoted(reply.location)}, which was not followed")
    if text.startswith("<") or "html" in reply.kind:
        return _page(head, reply.status, text)
    value = None if reply.is_cut else _read(text)
    if isinstance(value, dict):
        return _table(head, wanted, value, is_good=reply.status in _GOOD) or _message(head, wanted, reply)
    if reply.status == _UNAVAILABLE or _MAINTENANCE.search(text):
        return Told(MAINTENANCE, None, f"{head}: {_quoted(text)}")
    if reply.is_cut:
        return Told(UNEXPECTED, None, f"{head} with more than is read; it begins with {_quoted(text)}")
    return Told(UNEXPECTED, None, f"{head} with {_quoted(text) if text else 'an empty body'}")


def _page(head: str, status: int, text: str) -> Told:
    if _LOGIN.search(text):
        return Told(LOGIN_PAGE, None, f"{head} with a page that asks for a login")
    if status == _UNAVAILABLE or _MAINTENANCE.search(text):
        return Told(MAINTENANCE, None, f"{head} with a page that speaks of maintenance")
    return Told(HTML, None, f"{head} with a page: {_quoted(re.sub(r'<[^>]*>', ' ', text))}")


def _table(head: str, wanted: Asked, value: Mapping[str, Any], *, is_good: bool) -> Told | None:
    """What an object says that has the rows asked for; None where it has none."""
    rows = value.get(wanted.rows)
    if not isinstance(rows, list) or not is_good:
        return None
    filled = sum(_holds_figures(row) for row in rows)
    if filled:
        count = f"{filled} row{'' if filled == 1 else 's'}"
        return Told(ANSWERED, filled, f"{head} with {count} in {wanted.rows}, without a login")
    return Told(NO_ROWS, 0, f"{head} with {'rows of dashes' if rows else 'no row'} in {wanted.rows}")


def _holds_figures(row: Any) -> bool:
    return isinstance(row, dict) and any(re.search(r"\d", str(value)) for value in row.values())


def _message(head: str, wanted: Asked, reply: Reply) -> Told:
    if wanted.body in reply.text:
        return Told(LOGIN_REQUIRED, None, f"{head} with a message that says {_quoted(wanted.body)}")
    if reply.status == _UNAVAILABLE or _MAINTENANCE.search(reply.text):
        return Told(MAINTENANCE, None, f"{head} with a message that speaks of maintenance")
    return Told(UNEXPECTED, None, f"{head} with an object without {wanted.rows}: {_quoted(reply.text)}")


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _quoted(text: str) -> str:
    """The head of a text on one line of printable characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f'"{line[:_SHOWN]}{"..." if len(line) > _SHOWN else ""}"'


def together(outcomes: list[str]) -> str:
    """The outcome of several requests: theirs where they agree, otherwise `mixed`."""
    return outcomes[0] if len(set(outcomes)) == 1 else MIXED
