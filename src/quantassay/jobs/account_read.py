"""The account as its broker showed it last, taken from the journal: what plans are built on once it was ever read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.domain.trading.orders import Event
from quantassay.harness import pointers
from quantassay.store.journal import Journal, journal_file

# Accounts of these environments are read from a broker; the sample's holdings are invented and stay what they are.
READ = frozenset({"paper", "rehearsal", "virtual", "real"})
# The journal's amounts are whole won.
CURRENCY = "KRW"
# What a price may have behind its point in an account.
_FINEST = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Reading:
    """An account in the form of spec/20_accounts.yaml, and the event of the journal that it was made of."""

    account: Mapping[str, Any]
    event: Event


def reading(data: Path, account: Mapping[str, Any], zone: str) -> Reading | None:
    """The newest reading of this account of spec/20_accounts.yaml; None where there is none of its environment.

    Raises JournalDamaged, DatabaseFault.
    """
    if not may_be_read(account) or not journal_file(data).exists():
        return None
    with Journal(journal_file(data)) as journal:
        event = journal.desk().books.get(str(account["id"]))
    if event is None or event.body["certificate"].get("environment") != account["environment"]:
        return None
    return Reading(_account(account, event.body, ZoneInfo(zone)), event)


def may_be_read(account: Mapping[str, Any]) -> bool:
    """Whether a reading of this account, where there is one, takes the place of what the spec says of it."""
    return account["environment"] in READ and account["currency"] == CURRENCY


def _account(account: Mapping[str, Any], body: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Money that is owed leaves nothing to spend."""
    return {
        **{name: account[name] for name in ("id", "environment", "currency")},
        "as_of": datetime.fromisoformat(body["at"]).astimezone(zone).replace(microsecond=0).isoformat(),
        "cash": max(body["cash"], 0),
        "holdings": [
            {"ticker": one["ticker"], "quantity": one["quantity"], "average_price": _plain(one["average_price"])}
            for one in body["positions"]
            if one["quantity"]
        ],
    }


def _plain(price: str) -> int | str:
    """A price as an account has it: whole won, or text with no more decimals than it needs."""
    exact = Decimal(price).quantize(_FINEST)
    return int(exact) if exact == int(exact) else f"{exact.normalize():f}"


def event_line(event: Event, pointer: str) -> list[str]:
    """Which event of the journal a value of the account comes from; a ticker stands for its position."""
    told = f"data/{journal_file(Path()).name} event {event.seq} (book) of {event.body['at']}"
    room, *rest = pointers.split(pointer) or [""]
    if room == "holdings" and rest:
        row = next((one for one in event.body["positions"] if one["ticker"] == rest[0]), None)
        if row is None and rest[0].isdigit() and int(rest[0]) < len(held := _held(event)):
            row = held[int(rest[0])]
        if row is None:
            return [f"{told}: {rest[0]} is not held"]
        said = ("ticker", "name", "quantity", "sellable", "average_price", "last_price")
        return [f"{told}: " + ", ".join(f"{name} {row[name]}" for name in said if name in row)]
    if room == "cash":
        return [f"{told}: cash {event.body['cash']}, once all that was traded is settled"]
    return [f"{told}: {len(_held(event))} names held, cash {event.body['cash']}"]


def _held(event: Event) -> list[Mapping[str, Any]]:
    return [one for one in event.body["positions"] if one["quantity"]]
