"""What a desk that trades a market is handed: the bars, the calendars' sources, the universe list, the account."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from quantassay.domain.market.calendars import market_key
from quantassay.errors import AssayError
from quantassay.harness import canonical, code, files, rooms
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy
from quantassay.jobs import (
    approvals,
    imported,
    imported_by_hand,
    imported_quotes,
    settings,
    sweep,
    trading_days,
    trading_journal,
)
from quantassay.store.bars_index import SAMPLE, BarsIndex, NoBars, adjusted_key, read_index

# The market that the embedded sample is one of: its hours, its holidays, its money.
SAMPLE_MARKET = "XKRX"
# When a snapshot was seen that was never seen.
_NEVER = "1970-01-01T00:00:00+00:00"
_NO_ACCOUNT = "no-account-in-"
SAMPLE_ENVIRONMENT = "sample"
# SQLite is loaded only for an account that a broker may have been asked about.
_READING = Lazy("quantassay.jobs.account_read:reading")


class UnknownAccount(AssayError):
    """A desk that names an account which is not there."""

    def __init__(self, wanted: str, known: list[str]) -> None:
        there = ", ".join(known)
        super().__init__(
            f"spec/10_desk.yaml names the account {wanted!r}; spec/20_accounts.yaml has {there}; name one of them"
        )


class WrongCurrency(AssayError):
    """A desk that names an account whose money is not what its market trades in."""

    def __init__(self, account: str, held: str, market: str, currency: str) -> None:
        super().__init__(
            f"spec/10_desk.yaml names the account {account!r}, which is kept in {held}, and {market} trades in "
            f"{currency}; name an account in {currency}, or write account: auto"
        )


class NoSampleMarket(AssayError):
    """A desk that wants the sample market of a market that has none."""

    def __init__(self, market: str) -> None:
        super().__init__(
            f"the sample market is one of {SAMPLE_MARKET}, and this desk trades {market}; import bars with "
            f"`assay import bars DIR --market {market}` and write bars: auto in spec/10_desk.yaml"
        )


class DoubleAccount(AssayError):
    """Two accounts of one name."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"spec/20_accounts.yaml holds two accounts with the id {wanted!r}; give one of them another")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which bars a desk stands on: its market, the key of the bars in the store, and their index."""

    market: str
    key: str
    index: BarsIndex | None

    @property
    def marks(self) -> tuple[str, ...]:
        """What everything made from these bars is marked with."""
        return (SAMPLE,) if self.key == SAMPLE else ()


def handed(inputs: Inputs) -> tuple[list[Handed], str]:
    """What is handed in for the desk of spec/10_desk.yaml, and the instant of its sample market (empty for a real one).

    The sample market is made if it is wanted and not there. Raises NoBars, UnknownAccount, BarsDamaged.
    """
    choice = chosen(inputs)
    inputs.hand([trading_days.holiday_tables()])
    if choice.key != SAMPLE:
        return list(_market(inputs, choice)), ""
    choice = replace(choice, index=_sample(inputs))
    return list(_market(inputs, choice)), sample_instant(inputs)


def sample_instant(inputs: Inputs) -> str:
    """The instant of the sample market where the desk stands on it, else empty."""
    return str(inputs.value("sample_market")["as_of"]) if chosen(inputs).key == SAMPLE else ""


def chosen(inputs: Inputs) -> Choice:
    """The bars that spec/10_desk.yaml asks for; `auto` is the imported ones once there are any.

    Only one market has a sample: on a desk of another, `auto` waits for bars to be imported, and what needs none can
    be built before. Raises NoBars, NoSampleMarket.
    """
    desk = inputs.value("desk")
    market = str(desk["market"])
    index = read_index(inputs.workspace.data, market)
    wants_sample = desk["bars"] == "sample" or (desk["bars"] == "auto" and index is None)
    if wants_sample and market == SAMPLE_MARKET:
        return Choice(market, SAMPLE, read_index(inputs.workspace.data, SAMPLE))
    if desk["bars"] == "sample":
        raise NoSampleMarket(market)
    if index is None and desk["bars"] != "auto":
        raise NoBars(market, refused=False)
    return Choice(market, market, index)


def _sample(inputs: Inputs) -> BarsIndex | None:
    """Have the sample market in the store; the calendar is worked out for it only when its makings have changed."""
    data = inputs.workspace.data
    unit = inputs.rooms.builders["trading_calendar"]
    names = [*unit.parameters, "sample_market"]
    makings = " ".join(
        [unit.digest, code.foundation(unit, inputs.remember)[0], *(inputs.digest(name) for name in names)]
    )
    key = f"sessions of the sample {files.sha256(makings.encode())}"
    days = inputs.remember(key, Lazy("quantassay.jobs.market:sample_sessions", (inputs,)))
    imported.ensure_sample(data, inputs.value("sample_market"), [date.fromisoformat(day) for day in days])
    return read_index(data, SAMPLE)


def sample_sessions(inputs: Inputs) -> list[str]:
    """The sessions up to the day of the sample's instant, as many as the sample has."""
    unit = inputs.rooms.builders["trading_calendar"]
    calendar = rooms.load(unit).build(**{name: inputs.fresh(name) for name in unit.parameters})
    sample = inputs.value("sample_market")
    return [day for day in calendar["sessions"] if day <= sample["as_of"][:10]][-sample["sessions"] :]


def _market(inputs: Inputs, choice: Choice) -> Iterator[Handed]:
    data, key, marks = inputs.workspace.data, choice.key, choice.marks
    content = choice.index.content if choice.index else "none"
    yield Handed(
        "bars",
        content,
        Lazy("quantassay.store.bars:read", (data, key)),
        marks,
        Lazy("quantassay.jobs.import_market:explain_bar", (data, key)),
        Lazy("quantassay.jobs.market:bars_content", (data, key)),
    )
    log, digest = imported.import_log(data, key)
    explain = Lazy("quantassay.jobs.explain:import_line", (log,))
    yield Handed("import_log", digest, Lazy("copy:deepcopy", (log,)), marks, explain)
    yield from _adjusted(data, adjusted_key(key), marks)
    listed, digest = imported.universe_import(data, key)
    explain = Lazy("quantassay.jobs.explain:universe_line", (listed,))
    yield Handed("universe_import", digest, Lazy("copy:deepcopy", (listed,)), marks, explain)
    yield (account := _account(inputs, choice))
    yield trading_journal.handed(data, account.marks)
    yield from imported_quotes.handed(inputs, choice.market)
    yield from approvals.handed(inputs, content)
    yield from settings.handed(inputs)
    yield from sweep.handed(inputs)
    # For gates only, and run when one asks: what is imported for it is heavy.
    yield Handed("look_ahead_trials", "", Lazy("quantassay.jobs.look_ahead:trials", (inputs,)), for_gates=True)
    yield from imported_by_hand.handed(inputs)


def _adjusted(data: Path, key: str, marks: tuple[str, ...]) -> Iterator[Handed]:
    """The series of adjusted prices and its import log; a frame and a log of nothing where none were imported."""
    content = bars_content(data, key)
    yield Handed(
        "adjusted_bars",
        content,
        Lazy("quantassay.store.bars:read_or_empty", (data, key)),
        marks,
        Lazy("quantassay.jobs.import_market:explain_adjusted_bar", (data, key)),
        Lazy("quantassay.jobs.market:bars_content", (data, key)),
    )
    log, digest = imported.import_log(data, key)
    explain = Lazy("quantassay.jobs.explain:import_line", (log,))
    yield Handed("adjusted_import_log", digest, Lazy("copy:deepcopy", (log,)), marks, explain)


def bars_content(data: Path, key: str) -> str:
    """The content digest of the stored bars, read anew."""
    index = read_index(data, key)
    return index.content if index else "none"


def _account(inputs: Inputs, choice: Choice) -> Handed:
    accounts: list[dict[str, Any]] = inputs.value("accounts")["accounts"]
    wanted, currency = inputs.value("desk")["account"], currency_of(inputs, choice.market)
    is_sample = choice.key == SAMPLE
    if wanted == "auto":
        kept = [one for one in accounts if (one["environment"] == "sample") == is_sample]
        account = next((one for one in kept if one["currency"] == currency), None)
        if account is None:
            return _no_account(currency, choice.marks)
    else:
        account = next((one for one in accounts if one["id"] == wanted), None)
        if account is None:
            raise UnknownAccount(wanted, [one["id"] for one in accounts])
        if account["currency"] != currency:
            raise WrongCurrency(wanted, account["currency"], choice.market, currency)
    if [one["id"] for one in accounts].count(account["id"]) > 1:
        raise DoubleAccount(account["id"])
    number = accounts.index(account)
    explain = Lazy("quantassay.jobs.explain:account_line", (inputs.source("accounts").paths[0], number))
    if (read := reading_of(inputs, account)) is not None:
        account, explain = dict(read.account), Lazy("quantassay.jobs.account_read:event_line", (read.event,))
    # By which number the account is known is for whoever connects to its broker, and for no plan.
    account = {name: value for name, value in account.items() if name != "number_fingerprint"}
    digest = canonical.digest(account)
    # Invented holdings make a plan a sample too, whatever bars it stands on.
    marks = (SAMPLE,) if account["environment"] == SAMPLE_ENVIRONMENT else choice.marks
    return Handed("account_snapshot", digest, Lazy("copy:deepcopy", (account,)), marks, explain)


def reading_of(inputs: Inputs, account: Mapping[str, Any]) -> Any:
    """The `account_read.Reading` of an account of spec/20_accounts.yaml: what its broker said last; None without one.

    The sample's holdings are invented, so that no journal is opened for them. Raises JournalDamaged, DatabaseFault.
    """
    if account["environment"] == SAMPLE_ENVIRONMENT:
        return None
    calendars = inputs.value("calendars")
    market = market_key(calendars, str(inputs.value("desk")["market"]))
    return _READING(inputs.workspace.data, account, calendars["markets"][market]["zone"])


def _no_account(currency: str, marks: tuple[str, ...]) -> Handed:
    """An empty account, so that all that needs no account can be made: it holds nothing and can buy nothing."""
    account = {
        "id": f"{_NO_ACCOUNT}{currency.lower()}",
        "environment": "paper",
        "currency": currency,
        "as_of": _NEVER,
        "cash": 0,
        "holdings": [],
    }
    explain = Lazy("quantassay.jobs.explain:as_said", (_missing(currency),))
    return Handed("account_snapshot", canonical.digest(account), Lazy("copy:deepcopy", (account,)), marks, explain)


def _missing(currency: str) -> str:
    return f"none in {currency}: add one with currency: {currency} to spec/20_accounts.yaml"


def currency_of(inputs: Inputs, market: str) -> str:
    """What the market trades in. Raises NoCalendar."""
    calendars = inputs.value("calendars")
    return str(calendars["markets"][market_key(calendars, market)]["currency"])


def ages(inputs: Inputs) -> Iterator[tuple[str, str]]:
    """Each thing from outside, and how old it is, in words."""
    if "desk" not in inputs.sources:
        return
    choice = chosen(inputs)
    for key in (choice.key, adjusted_key(choice.key)):
        index = read_index(inputs.workspace.data, key)
        if index is not None:
            span = f"{index.first} to {index.last}" if index.rows else "every file imported was quarantined"
            yield f"bars {key}", f"{index.rows:,} bars of {index.tickers:,} names, {span}"
    listed, _ = imported.universe_import(inputs.workspace.data, choice.key)
    if listed is not None:
        yield "universe list", f"{len(listed['names'])} names of {listed['session']}"
    if quotes := imported_quotes.age(inputs.workspace.data, choice.market):
        yield quotes
    account = inputs.value("account_snapshot")
    if account["as_of"] == _NEVER:
        yield "account", _missing(account["currency"])
    else:
        read = reading_of(inputs, account)
        source = f", event {read.event.seq} of the journal" if read else ""
        yield f"account {account['id']}", f"{account['environment']}, seen {account['as_of']}{source}"
    if told := trading_journal.age(inputs.workspace.data):
        yield told
    yield from imported_by_hand.ages(inputs.workspace.data)
