"""Collects for each holding what its bars do not tell: short balance, and a fund's premium, tracking error and size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from quantassay.domain.manual import known
from quantassay.domain.manual import sell_inputs as beside
from quantassay.domain.manual.known import Decision, Fact, Seen
from quantassay.domain.manual.sell_inputs import FUND, SHORT, Change, Gap, Reading, State
from quantassay.domain.market import sessions
from quantassay.domain.market.sessions import Calendar
from quantassay.domain.signals.holdings import number, plain

NAME = "qualitative_sell_inputs"
_SHORT = "manual_facts:/short_balance/{ticker}"
_FUND = "manual_facts:/etf_nav/{ticker}/{session}"
_RATIO, _BEFORE = f"{_SHORT}/{{session}}/balance_ratio", f"{_SHORT}/{{previous_session}}/balance_ratio/{{version}}"
_ITS_ROW = f"{_RATIO}/{{version}}"
_DAYS = "trading_calendar:/sessions"
_OF_FUND = ("premium", "tracking_error", "aum")
ORIGINS = {
    "/as_of": ["as_of:"],
    "/day": ["as_of:", "trading_calendar:/zone"],
    "/last_session": ["as_of:", _DAYS],
    "/account/as_of": ["account_snapshot:/as_of"],
    "/feeds/*/oldest_usable": ["data_gaps_roadmap:/gaps", _DAYS],
    "/listing/as_of": ["listing_import:/as_of"],
    "/listing/names": ["listing_import:/names"],
    "/holdings/*/name": ["listing_import:/names/{ticker}/name"],
    "/holdings/*/quantity": ["account_snapshot:/holdings/{ticker}/quantity"],
    "/holdings/*/kind": ["listing_import:/names/{ticker}", "manual_facts:/etf_nav/{ticker}"],
    "/holdings/*/short_balance_ratio/*": [_ITS_ROW],
    "/holdings/*/short_balance_ratio/age_sessions": [_ITS_ROW, _DAYS],
    "/holdings/*/short_balance_change/*": [_RATIO, _BEFORE],
    "/holdings/*/short_balance_change/sessions": [_RATIO, _BEFORE, _DAYS],
    **{f"/holdings/*/{name}/*": [f"{_FUND}/{{field}}/{{version}}"] for name in _OF_FUND},
    **{f"/holdings/*/{name}/age_sessions": [f"{_FUND}/{{field}}/{{version}}", _DAYS] for name in _OF_FUND},
    "/holdings/*/premium/value": [f"{_FUND}/{{field}}/{{version}}", f"{_FUND}/close"],
    "/holdings/*/premium/worked_out/*": [f"{_FUND}/close/{{version}}"],
    "/holdings/*/premium/worked_out/asset_value": [f"{_FUND}/nav"],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _View:
    """What one decision sees: the calendar, the facts, and the gaps of short balances and of funds."""

    cal: Calendar
    made: Decision
    seen: Seen
    short: Gap
    fund: Gap


def build(
    as_of: str,
    account_snapshot: dict[str, Any],
    manual_facts: pl.DataFrame,
    listing_import: dict[str, Any] | None,
    data_gaps_roadmap: dict[str, Any],
    trading_calendar: dict[str, Any],
) -> dict[str, Any]:
    """One row a ticker held, by ticker; every value with its state, and with the gap where it is not known."""
    cal = sessions.calendar(trading_calendar)
    made = known.decision(cal, sessions.instant(as_of))
    held: dict[str, Decimal] = {}
    for row in account_snapshot["holdings"]:
        held[row["ticker"]] = held.get(row["ticker"], Decimal(0)) + number(row["quantity"])
    facts = manual_facts.filter(pl.col("ticker").is_in(list(held)))
    gaps = {feed: beside.gap_of(data_gaps_roadmap, feed, NAME, cal, made) for feed in (SHORT, FUND)}
    view = _View(cal, made, known.seen(known.facts(facts.iter_rows(named=True)), made), gaps[SHORT], gaps[FUND])
    # A list that shows a later day was not there to be read.
    listing = listing_import if listing_import and listing_import["as_of"] <= made.day.isoformat() else None
    names = {row["ticker"]: row["name"] for row in listing["names"]} if listing else {}
    rows = [
        {"ticker": ticker, "quantity": plain(held[ticker]), **_holding(ticker, names, view)} for ticker in sorted(held)
    ]
    return {
        "as_of": as_of,
        "day": made.day.isoformat(),
        "last_session": made.session.isoformat(),
        "account": {name: account_snapshot[name] for name in ("id", "environment", "as_of")},
        "feeds": [{"feed": feed, **_feed(gap)} for feed, gap in gaps.items()],
        "listing": {"as_of": listing["as_of"], "file": listing["file"], "names": len(names)} if listing else None,
        "holdings": rows,
        "imports": list(_imports(rows, has_list=listing is not None)),
    }


def _feed(gap: Gap) -> dict[str, Any]:
    oldest = gap.oldest.isoformat() if gap.oldest else None
    return {"gap": gap.id, "standing": gap.standing, "oldest_usable": oldest}


def _holding(ticker: str, names: Mapping[str, str], view: _View) -> dict[str, Any]:
    held = beside.kind(listed=ticker in names, is_fund=beside.is_fund(view.seen, ticker))
    ratios = view.seen.get((SHORT, ticker, "balance_ratio"), ())
    ratio = beside.reading(ratios, view.short)
    fund = dict(beside.readings(view.seen, ticker, held, view.fund))
    return {
        "name": names.get(ticker),
        "kind": held.name,
        "kind_because": held.because,
        "short_balance_ratio": _reading(ratio, view),
        "short_balance_change": _change(beside.short_change(ratios, ratio, view.cal, view.short), ratio),
        **{name: _reading(one, view) for name, one in fund.items()},
        "premium": {**_reading(fund["premium"], view), "worked_out": _worked_out(fund["premium"])},
    }


def _reading(one: Reading, view: _View) -> dict[str, Any]:
    fact = one.fact
    return {
        "value": one.value,
        "state": one.state,
        "gap": one.gap,
        "field": fact.field if fact else None,
        "session": fact.session.isoformat() if fact else None,
        "available_from": fact.available_from.isoformat() if fact else None,
        "age_sessions": known.age(view.cal, fact.session, view.made) if fact else None,
        **_row(fact),
    }


def _change(change: Change, ratio: Reading) -> dict[str, Any]:
    previous = change.previous
    return {
        "value": change.value,
        "state": change.state,
        "gap": change.gap,
        "session": ratio.fact.session.isoformat() if ratio.fact and previous else None,
        "previous_value": previous.value if previous else None,
        "previous_session": previous.session.isoformat() if previous else None,
        "sessions": change.sessions,
        **_row(previous),
    }


def _worked_out(premium: Reading) -> dict[str, Any] | None:
    """The close and the net asset value of a premium that no file gives, and the row of the close."""
    if premium.pair is None or premium.fact is None or premium.value is None:
        return None
    return {"close": premium.pair.value, "asset_value": premium.fact.value, **_row(premium.pair)}


def _row(fact: Fact | None) -> dict[str, Any]:
    return {name: getattr(fact, name) if fact else None for name in ("file", "digest", "row", "version")}


def _imports(rows: Sequence[Mapping[str, Any]], *, has_list: bool) -> Iterator[dict[str, Any]]:
    """What to import next, and for which names; nothing where all is known that can be."""

    def those(feed: str, why: str, tickers: list[str]) -> Iterator[dict[str, Any]]:
        if tickers:
            yield {"feed": feed, "why": why, "tickers": tickers}

    ratios = {row["ticker"]: row["short_balance_ratio"]["state"] for row in rows}
    lone = [row["ticker"] for row in rows if row["short_balance_change"]["state"] == State.UNKNOWN]
    kinds = {row["ticker"]: row["kind_because"] for row in rows}
    funds = {row["ticker"]: {row[name]["state"] for name in _OF_FUND} for row in rows if row["kind"] == "etf"}
    yield from those("short_balance", "stale", [ticker for ticker, state in ratios.items() if state == State.STALE])
    yield from those("short_balance", "unknown", [ticker for ticker, state in ratios.items() if state == State.UNKNOWN])
    yield from those("short_balance", "no_earlier", [ticker for ticker in lone if ratios[ticker] == State.KNOWN])
    yield from those("etf_nav", "stale", [ticker for ticker, states in funds.items() if State.STALE in states])
    yield from those("etf_nav", "unknown", [ticker for ticker, states in funds.items() if State.UNKNOWN in states])
    strangers = [ticker for ticker, because in kinds.items() if because == "nothing"]
    yield from those("listing", "not_listed" if has_list else "no_list", strangers)
    yield from those("listing", "contradiction", [t for t, because in kinds.items() if because == "contradiction"])
