"""What comes out of a file that someone downloaded by hand: its facts, or the reason why none may be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from quantassay.feeds.issues import Issue


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of one name on one session, as the file has it.

    `value` is None where the file knows none: `note` says why ("blank": nothing or a dash stands there; "banned": a
    zero of the days on which short selling was banned). `row` is the line or row of the file.
    """

    ticker: str
    session: date
    field: str
    value: Decimal | None
    note: str
    row: int


@dataclass(frozen=True, slots=True)
class Ask:
    """What a reader is told from outside the file.

    `ticker` and `session` are the ones that the user gave, where the file does not tell them. `today` is the day of
    the import in the market's zone. `sessions` are the trading days, to some time ahead. `rules` is the feed's entry of
    spec/32_manual_feeds.yaml. `closes` are the closes that the desk knows by ticker and session; there may be none.
    """

    ticker: str | None
    session: date | None
    today: date
    sessions: tuple[date, ...]
    rules: Mapping[str, Any]
    closes: Mapping[tuple[str, date], float]


@dataclass(frozen=True, slots=True)
class ManualRead:
    """A file of facts as it was read.

    `form` is the container in words, `layout` the kind of table; both empty where the file could not be read so far.
    `mapping` has each header with the field it became, or None where it is not used. `preview` has the first rows as
    text. `names` are the names that stand beside the tickers. Where `loaded` is False, `facts` is empty.
    """

    file: str
    digest: str
    form: str
    layout: str
    mapping: tuple[tuple[str, str | None], ...]
    preview: tuple[tuple[str, ...], ...]
    first: date | None
    last: date | None
    names: Mapping[str, str]
    facts: tuple[Fact, ...]
    issues: tuple[Issue, ...]
    loaded: bool


@dataclass(frozen=True, slots=True)
class ListedCompany:
    """One company of a list of listed companies; what the list leaves blank is None."""

    ticker: str
    name: str
    market: str | None
    listed_on: date | None
    sector: str | None
    row: int


@dataclass(frozen=True, slots=True)
class ListingRead:
    """A list of listed companies as it was read; `as_of` is the day it shows. Where `loaded` is False, no names."""

    file: str
    digest: str
    form: str
    layout: str
    mapping: tuple[tuple[str, str | None], ...]
    preview: tuple[tuple[str, ...], ...]
    as_of: date | None
    names: tuple[ListedCompany, ...]
    issues: tuple[Issue, ...]
    loaded: bool
