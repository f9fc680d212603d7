"""What a source of daily bars is asked, one board on one day; what it answers; and why it gave no answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from quantassay.errors import AssayError

Clock = Callable[[], datetime]
# Why there is no answer, in the words of spec/33_bar_feeds.yaml.
ABSENT, BY_HAND, NOT_ALLOWED = "absent", "by_hand", "not_allowed"
NO_KEY, WRONG_KEY, OVER_BUDGET, NOT_INSTALLED = "no_key", "wrong_key", "over_budget", "not_installed"
NOT_OUT, TOO_OLD, NO_ROWS, NO_NAMES = "not_out", "too_old", "no_rows", "no_names"
UNREACHABLE, BUSY, TOO_SLOW, CRASHED, BAD_ANSWER = "unreachable", "busy", "too_slow", "crashed", "bad_answer"
# What ends the asking of a source for one run: it is so for every board and day, or waiting for it again would be.
LASTING = frozenset(
    {ABSENT, BY_HAND, NOT_ALLOWED, NO_KEY, OVER_BUDGET, NOT_INSTALLED, UNREACHABLE, BUSY, TOO_SLOW, CRASHED}
)
# More rows than any board can have: an answer of another kind.
MOST_ROWS = 100_000
LONGEST_QUOTE = 200


class NoAnswer(AssayError):
    """A source that gave no bars of a board and day: why, in one word of the spec and in one sentence.

    `data` is what it sent instead, `chatter` what it printed, where that is worth keeping.
    """

    exit_code = 1

    def __init__(self, kind: str, says: str, data: bytes = b"", chatter: str = "") -> None:
        super().__init__(says)
        self.kind, self.data, self.chatter = kind, data, chatter

    @property
    def says(self) -> str:
        """The sentence."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Question:
    """One board of a market on one session; `place` is what the source calls the board: a path, or a name."""

    market: str
    board: str
    place: str
    session: date

    @property
    def compact_day(self) -> str:
        """The session as sources write it: 20261118."""
        return f"{self.session:%Y%m%d}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as it came but for credentials; when it was asked for (aware); the request without its key."""

    data: bytes
    taken_at: datetime
    request: Mapping[str, str]
    chatter: str = ""


class Row(NamedTuple):
    """One name of an answer, every value as text; `value` is what was traded in currency, empty where not given."""

    ticker: str
    open: str
    high: str
    low: str
    close: str
    volume: str
    value: str


def shortened(text: str) -> str:
    """What may be quoted of an answer: one line of it."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else line[:LONGEST_QUOTE] + "..."
