"""What a desk that trades a market is handed: the bars, the calendars' sources, the universe list, the account."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical, code, files, rooms
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy
from quantassay.jobs import approvals, imported, imported_by_hand, settings, sweep, trading_days
from quantassay.store.bars_index import SAMPLE, BarsIndex, NoBars, read_index


class UnknownAccount(AssayError):
    """A desk that names an account which is not there."""

    def __init__(self, wanted: str, known: list[str]) -> None:
        there = ", ".join(known)
        super().__init__(
            f"spec/10_desk.yaml names the account {wanted!r}; spec/20_accounts.yaml has {there}; name one of them"
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
    """The bars that spec/10_desk.yaml asks for; `auto` is the imported ones once there are any. Raises NoBars."""
    desk = inputs.value("desk")
    market = str(desk["market"])
    index = read_index(inputs.workspace.data, market)
    if desk["bars"] == "sample" or (desk["bars"] == "auto" and index is None):
        return Choice(market, SAMPLE, read_index(inputs.workspace.data, SAMPLE))
    if index is None:
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
    listed, digest = imported.universe_import(data, key)
    explain = Lazy("quantassay.jobs.explain:universe_line", (listed,))
    yield Handed("universe_import", digest, Lazy("copy:deepcopy", (listed,)), marks, explain)
    yield _account(inputs, choice)
    yield from approvals.handed(inputs, content)
    yield from settings.handed(inputs)
    yield from sweep.handed(inputs)
    yield from imported_by_hand.handed(inputs)


def bars_content(data: Path, key: str) -> str:
    """The content digest of the stored bars, read anew."""
    index = read_index(data, key)
    return index.content if index else "none"


def _account(inputs: Inputs, choice: Choice) -> Handed:
    accounts: list[dict[str, Any]] = inputs.value("accounts")["accounts"]
    wanted = inputs.value("desk")["account"]
    is_sample = choice.key == SAMPLE
    fitting = [
        (number, account)
        for number, account in enumerate(accounts)
        if (account["id"] == wanted if wanted != "auto" else (account["environment"] == "sample") == is_sample)
    ]
    if not fitting:
        raise UnknownAccount(wanted, [account["id"] for account in accounts])
    number, account = fitting[0]
    if [one["id"] for one in accounts].count(account["id"]) > 1:
        raise DoubleAccount(account["id"])
    explain = Lazy("quantassay.jobs.explain:account_line", (inputs.source("accounts").paths[0], number))
    digest = canonical.digest(account)
    # Invented holdings make a plan a sample too, whatever bars it stands on.
    marks = (SAMPLE,) if account["environment"] == "sample" else choice.marks
    return Handed("account_snapshot", digest, Lazy("copy:deepcopy", (account,)), marks, explain)


def ages(inputs: Inputs) -> Iterator[tuple[str, str]]:
    """Each thing from outside, and how old it is, in words."""
    if "desk" not in inputs.sources:
        return
    choice = chosen(inputs)
    index = choice.index
    if index is not None:
        span = f"{index.first} to {index.last}" if index.rows else "every file imported was quarantined"
        yield f"bars {choice.key}", f"{index.rows:,} bars of {index.tickers:,} names, {span}"
    listed, _ = imported.universe_import(inputs.workspace.data, choice.key)
    if listed is not None:
        yield "universe list", f"{len(listed['names'])} names of {listed['session']}"
    account = inputs.value("account_snapshot")
    yield f"account {account['id']}", f"{account['environment']}, seen {account['as_of']}"
    yield from imported_by_hand.ages(inputs.workspace.data)
