"""What shall go wrong on the practice server: a plan of faults, each bound to the nth request of a call.

A plan is a list of rows, in YAML or JSON, or of `Fault` values in a test:

    - {at: buy, nth: 1, do: timeout_after}
    - {at: balance, nth: "2-", do: page_2_fails}
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import yaml_text
from quantassay.harness.problems import Problem, SpecErrors
from quantassay.harness.yaml_text import Document, Place
from quantassay.sandbox.calls import GROUPS, NAMES

ORDERS, CHANGES, PAGED = (
    frozenset({"buy", "sell"}),
    frozenset({"cancel", "revise"}),
    frozenset({"balance", "day_orders"}),
)
DOMESTIC = frozenset(NAMES)


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to go wrong: what happens, at which calls it can (None: at all), and what else may be said of it."""

    says: str
    calls: frozenset[str] | None = None
    may_say: frozenset[str] = frozenset()
    must_say: frozenset[str] = frozenset()


ANSWERS = ("timeout", "reset", "http_500_body", "http_500_empty")
KINDS: Mapping[str, Kind] = {
    "timeout_before": Kind("nothing is done and nothing is answered", may_say=frozenset({"seconds"})),
    "timeout_after": Kind("it is done and nothing is answered", may_say=frozenset({"seconds"})),
    "reset_before": Kind("nothing is done and the connection is reset"),
    "reset_after": Kind("it is done and the connection is reset"),
    "http_500_body": Kind("nothing is done; HTTP 500 that says EGW00002"),
    "http_500_empty": Kind("nothing is done; HTTP 500 without a body"),
    "http_500_after": Kind("it is done; HTTP 500 that says EGW00002"),
    "http_500_empty_after": Kind("it is done; HTTP 500 without a body"),
    "gateway_timeout_before": Kind("nothing is done; HTTP 500 that says EGW00301"),
    "gateway_timeout_after": Kind("it is done; HTTP 500 that says EGW00301"),
    "broken_body_after": Kind("it is done; the answer breaks off in the middle"),
    "slow": Kind("it is answered late", must_say=frozenset({"seconds"})),
    "rate_limited": Kind("nothing is done; HTTP 500 that says EGW00201"),
    "ledger_limited": Kind("nothing is done; HTTP 500 that says EGW00215"),
    "token_revoked": Kind("all tokens are taken back before it"),
    "token_expired": Kind("all tokens are past their time before it"),
    "maintenance": Kind(
        "all tokens are taken back, and this and the next requests get HTTP 500",
        may_say=frozenset({"requests"}),
    ),
    "refused": Kind(
        "the broker refuses it for good, with a code", ORDERS | CHANGES, may_say=frozenset({"code", "text"})
    ),
    "rejected": Kind("it is acknowledged, and then rejected by the exchange", ORDERS),
    "late_accept": Kind(
        "nothing is answered, and it is done only some requests later",
        ORDERS | CHANGES,
        may_say=frozenset({"requests", "answer", "seconds"}),
    ),
    "late_fill": Kind("it is booked now and filled some requests later", ORDERS, may_say=frozenset({"requests"})),
    "partial_fill": Kind(
        "only some shares are filled at once, the rest some requests later or not at all",
        ORDERS,
        may_say=frozenset({"shares", "requests"}),
    ),
    "duplicate_row": Kind("the last row of the page stands twice", PAGED),
    "repeated_page": Kind("the page before is given again, with more to follow", PAGED),
    "page_2_fails": Kind("a page after the first gets HTTP 500; only such requests are counted", PAGED),
    "empty_fills": Kind(
        "rows are missing and totals are right, from here on", frozenset({"day_orders"}), frozenset({"requests"})
    ),
    "lagging_holdings": Kind(
        "the newest fills are not in the holdings yet, from here on for some requests",
        frozenset({"balance"}),
        may_say=frozenset({"requests", "fills"}),
    ),
}
_KEYS = ("at", "nth", "do", "ticker", "requests", "shares", "fills", "seconds", "code", "text", "answer")
_FROM = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)?")


class NoPlan(AssayError):
    """A plan of faults that is not there."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be read as a plan of faults: {why}; docs/sandbox.md shows one")


class BadFault(AssayError):
    """A fault that is put together in code and makes no sense."""

    def __init__(self, says: str) -> None:
        super().__init__(f"a fault of the practice server is wrong: {says}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of a plan: at which of the requests of a call (for `ticker`, if it is said) what goes wrong.

    `nth` holds (first, last) numbers from 1, last None for all that follow. Raises BadFault.
    """

    at: str
    do: str
    nth: tuple[tuple[int, int | None], ...] = ((1, 1),)
    ticker: str = ""
    requests: int | None = None
    shares: int | None = None
    fills: int | None = None
    seconds: float | None = None
    code: str = ""
    text: str = ""
    answer: str = "timeout"

    def __post_init__(self) -> None:
        told = {key: value for key in _KEYS if key != "nth" and (value := getattr(self, key))}
        if self.answer == "timeout":
            del told["answer"]
        if says := next((says for _, says in _wrong(told)), ""):
            raise BadFault(says)

    def hits(self, number: int) -> bool:
        """Whether the request with this number, of those it is about, is struck."""
        return any(first <= number and (last is None or number <= last) for first, last in self.nth)


ALWAYS: tuple[tuple[int, int | None], ...] = ((1, None),)


def nth(*numbers: int) -> tuple[tuple[int, int | None], ...]:
    """These requests and no other ones."""
    return tuple((number, number) for number in numbers)


class Strikes:
    """Counts requests against a plan. `struck` says which faults came, in order."""

    def __init__(self, plan: Iterable[Fault]) -> None:
        self._rows = [(fault, _calls(fault)) for fault in plan]
        self._seen = [0] * len(self._rows)
        self.struck: list[Fault] = []

    def at(self, call: str, ticker: str, *, follows: bool) -> list[Fault]:
        """The faults that strike this request; `follows`: it asks for a page after the first."""
        found = []
        for index, (fault, calls) in enumerate(self._rows):
            if (calls and call not in calls) or fault.ticker not in ("", ticker):
                continue
            if fault.do in ("page_2_fails", "repeated_page") and not follows:
                continue
            self._seen[index] += 1
            if fault.hits(self._seen[index]):
                found.append(fault)
        self.struck += found
        return found


def _calls(fault: Fault) -> frozenset[str]:
    return frozenset(GROUPS.get(fault.at, (fault.at,)))


def read_plan(path: Path) -> tuple[Fault, ...]:
    """The faults of a plan in a file. Raises NoPlan, and SpecErrors that give each mistake its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoPlan(path, getattr(error, "strerror", "") or "it is not UTF-8") from error
    return plan_of(path.name, text)


def plan_of(file: str, text: str) -> tuple[Fault, ...]:
    """The faults in the text of a plan. Raises SpecErrors."""
    document = yaml_text.read(text)
    found = document.problems or list(_problems(document))
    if found:
        problems: Sequence[Problem] = yaml_text.located(file, text, found)
        raise SpecErrors(problems)
    return tuple(_fault(row) for row in document.value)


def _problems(document: Document) -> Iterator[tuple[Place, str]]:
    if not isinstance(document.value, list):
        yield document.places.get("", (1, 1)), "a plan is a list of rows like - {at: buy, nth: 1, do: timeout_after}"
        return
    for index, row in enumerate(document.value):
        place = document.places[f"/{index}"]
        if not isinstance(row, dict):
            yield place, "a row is a mapping like {at: buy, nth: 1, do: timeout_after}"
            continue
        for key, says in _wrong(row):
            yield document.keys.get(f"/{index}/{key}", place), says


def _wrong(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong in a row: the key that it is about, and a sentence."""
    for key in row:
        if key not in _KEYS:
            yield key, f"a fault has no {key!r}; it has {', '.join(_KEYS)}"
    at, do = row.get("at"), row.get("do")
    if at not in (*NAMES, *GROUPS):
        yield "at", f"`at` must name a call: {', '.join(dict.fromkeys((*GROUPS, *NAMES)))}"
    if do not in KINDS:
        yield "do", f"`do` must name a fault: {', '.join(KINDS)}"
        return
    kind = KINDS[str(do)]
    reached = frozenset(GROUPS.get(str(at), (str(at),))) or DOMESTIC
    if kind.calls and at in (*NAMES, *GROUPS) and not (reached <= kind.calls or at == "any"):
        yield "at", f"{do} can happen at {', '.join(sorted(kind.calls))}, not at {at}"
    yield from _wrong_facts(row, str(do), kind)


def _wrong_facts(row: Mapping[str, Any], do: str, kind: Kind) -> Iterator[tuple[str, str]]:
    for key in _EXTRAS:
        if key in row and key not in kind.may_say | kind.must_say:
            yield key, f"{do} takes no {key!r}"
    for key in sorted(kind.must_say - set(row)):
        yield "do", f"{do} must say {key!r}"
    for key, (is_right, says) in _VALUES.items():
        if key in row and not is_right(row[key]):
            yield key, f"{key!r} must be {says}"


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_span(value: Any) -> bool:
    return type(value) in (int, float) and value > 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _spans(value: Any) -> tuple[tuple[int, int | None], ...] | None:
    if value == "all":
        return ALWAYS
    if isinstance(value, str) and (match := _FROM.fullmatch(value)):
        first, last = int(match[1]), int(match[2]) if match[2] else None
        return ((first, last),) if last is None or first <= last else None
    numbers = value if isinstance(value, list) else [value]
    if numbers and all(type(one) is int and one > 0 for one in numbers):
        return nth(*numbers)
    return None


def _fault(row: Mapping[str, Any]) -> Fault:
    told = {key: value for key, value in row.items() if key != "nth"}
    return Fault(**told, nth=_spans(row.get("nth", 1)) or ())


_EXTRAS = ("requests", "shares", "fills", "seconds", "code", "text", "answer")
_VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("requests", "shares", "fills"), (_is_count, "a whole number from 1 on")),
    **dict.fromkeys(("ticker", "code", "text"), (_is_text, "a text; write it in quotes")),
    "seconds": (_is_span, "a number above 0"),
    "answer": (lambda value: value in ANSWERS, f"one of {', '.join(ANSWERS)}"),
    "nth": (
        lambda value: _spans(value) is not None,
        'a number from 1 on, a list of them, "3-" for the third and all after it, or all',
    ),
}
