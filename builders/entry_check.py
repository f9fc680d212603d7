"""Says of each buy candidate whether it may be entered at the next open: ENTER, SKIP, or REVIEW by a person."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from quantassay.domain.market import sessions
from quantassay.domain.signals import entry as rules

_ROW = "buy_signals:/candidates/{ticker}"
_QUOTE = "entry_quotes:/quotes/{ticker}"
_CLOSE = f"{_ROW}/raw_close"
_PRICE = [_CLOSE, f"{_QUOTE}/price", f"{_QUOTE}/taken_at"]
_TRIGGER = [f"{_ROW}/trigger", _CLOSE, f"{_ROW}/close"]
ORIGINS = {
    "/session": ["buy_signals:/session", "trading_calendar:/sessions"],
    "/signal_session": ["buy_signals:/session"],
    "/at": ["as_of:"],
    "/opens_at": ["trading_calendar:/special_sessions", "trading_calendar:/regular_hours"],
    "/quotes/last": ["entry_quotes:/last"],
    "/quotes/*": ["entry_quotes:/quotes", "buy_signals:/candidates"],
    "/rows/*/ticker": [f"{_ROW}/ticker"],
    "/rows/*/name": [f"{_ROW}/name"],
    "/rows/*/session": [f"{_ROW}/session"],
    "/rows/*/raw_close": [_CLOSE],
    "/rows/*/because/*": [f"{_ROW}/reasons"],
    "/rows/*/price": _PRICE,
    "/rows/*/price_at": [f"{_QUOTE}/taken_at", "buy_signals:/session"],
    "/rows/*/gap": _PRICE,
    "/rows/*/guard": [f"{_ROW}/guard"],
    "/rows/*/trigger": _TRIGGER,
    "/rows/*/low": [f"{_ROW}/guard", *_TRIGGER],
    "/rows/*/high": [_CLOSE, f"{_ROW}/guard"],
    "/rows/*/decision": ["entry:", *_PRICE, f"{_ROW}/guard", *_TRIGGER],
    "/rows/*/code": ["entry:", *_PRICE, f"{_ROW}/guard", *_TRIGGER],
    "/caps/max_active_holdings": ["entry:/caps/max_active_holdings"],
    "/caps/max_new_entries": ["entry:/caps/max_new_entries"],
    "/caps/held": ["sell_signals:/rows"],
    "/caps/strategies/**": ["entry:/caps", "sell_signals:/rows", "buy_signals:/candidates"],
    "/warnings/**": ["buy_signals:/candidates"],
    "/totals/*": ["buy_signals:/candidates", "entry:"],
}
_SHOWN = ("ticker", "name", "strategy", "session", "raw_close", "state", "quality", "alignment")


def build(
    as_of: str,
    trading_calendar: dict[str, Any],
    buy_signals: dict[str, Any],
    sell_signals: dict[str, Any],
    entry_quotes: dict[str, Any] | None,
    entry: dict[str, Any],
) -> dict[str, Any]:
    """One row a candidate, in the order of the buy signals; what the caps leave no room for is skipped."""
    chosen = rules.rule(entry)
    now = rules.moment(
        sessions.calendar(trading_calendar), date.fromisoformat(buy_signals["session"]), sessions.instant(as_of)
    )
    quotes, held = _quotes(entry_quotes), {row["ticker"] for row in sell_signals["rows"]}
    candidates = buy_signals["candidates"]
    judged = []
    for row in candidates:
        one = _candidate(row, buy_signals["session"])
        at = rules.price(now, quotes.get(row["ticker"]), row["raw_close"], buy_signals["currency"], chosen)
        judged.append(rules.entry(one, at, now.doubt, chosen))
    decided = rules.capped(judged, held, chosen)
    rows = [_row(row, one, held) for row, one in zip(candidates, decided, strict=True)]
    return {
        "session": now.session.isoformat(),
        "signal_session": buy_signals["session"],
        "at": as_of,
        "mode": now.mode,
        "opens_at": now.opens_at.isoformat(),
        "market": buy_signals["market"],
        "currency": buy_signals["currency"],
        "followed": buy_signals["followed"],
        "quotes": _quoted(entry_quotes, rows),
        "rows": rows,
        "caps": _caps(rows, held, chosen),
        "warnings": _warnings(candidates),
        "totals": {
            "candidates": len(rows),
            **{name.lower(): _count(rows, name) for name in (rules.ENTER, rules.SKIP, rules.REVIEW)},
        },
    }


def _quotes(entry_quotes: Mapping[str, Any] | None) -> dict[str, rules.Quote]:
    if entry_quotes is None:
        return {}
    return {
        row["ticker"]: rules.Quote(row["price"], sessions.instant(row["taken_at"]), entry_quotes["currency"])
        for row in entry_quotes["quotes"]
    }


def _candidate(row: Mapping[str, Any], session: str) -> rules.Candidate:
    guard, trigger = row["guard"], row["trigger"]
    return rules.Candidate(
        ticker=row["ticker"],
        strategy=row["strategy"],
        raw_close=row["raw_close"],
        close=row["close"],
        is_adjusted=row["prices"] == rules.ADJUSTED,
        state=row["state"],
        quality=row["quality"],
        alignment=row["alignment"],
        guard=None if guard is None else guard["percent"],
        trigger=None if trigger is None else trigger["price"],
        doubt=None if row["session"] == session else "stale",
    )


def _row(row: Mapping[str, Any], one: rules.Entry, held: set[str]) -> dict[str, Any]:
    at = one.price
    return {
        **{name: row[name] for name in _SHOWN},
        "held": one.ticker in held,
        "because": [reason["code"] for reason in row["reasons"]],
        "decision": one.decision,
        "code": one.code,
        "price": at.value,
        "price_basis": at.basis,
        "price_at": None if at.at is None else at.at.isoformat(),
        "gap": rules.text(one.gap),
        "guard": None if row["guard"] is None else row["guard"]["percent"],
        "trigger": rules.text(one.trigger),
        "low": rules.text(one.low, rules.UP),
        "high": rules.text(one.high, rules.DOWN),
    }


def _quoted(entry_quotes: Mapping[str, Any] | None, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The file of quotes, and how many of its quotes are those of a candidate for this open."""
    if entry_quotes is None:
        return None
    used = {row["ticker"] for row in rows if row["price_basis"] in (rules.BEFORE_OPEN, rules.IN_SESSION)}
    total = len(entry_quotes["quotes"])
    return {"file": entry_quotes["file"], "last": entry_quotes["last"], "total": total, "used": len(used)}


def _caps(rows: list[dict[str, Any]], held: set[str], chosen: rules.Rule) -> dict[str, Any]:
    strategies = []
    for strategy in dict.fromkeys(row["strategy"] for row in rows):
        own = [row for row in rows if row["strategy"] == strategy]
        new = sum(row["decision"] == rules.ENTER and not row["held"] for row in own)
        blocked = sum(row["code"] in (rules.MAX_HOLDINGS, rules.MAX_ENTRIES) for row in own)
        strategies.append({"strategy": strategy, "entered": new, "blocked": blocked})
    return {
        "max_active_holdings": chosen.max_holdings,
        "held": len(held),
        "max_new_entries": chosen.max_entries,
        "strategies": strategies,
    }


def _warnings(candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a session where the candidates were not all judged on bars of the same one."""
    days = [row["session"] for row in candidates]
    mixed = sorted(set(days))
    return [{"code": "mixed_sessions", "session": day, "names": days.count(day)} for day in mixed if len(mixed) > 1]


def _count(rows: list[dict[str, Any]], decision: str) -> int:
    return sum(row["decision"] == decision for row in rows)
