"""Every entry decision is worked out a second time, candidate by candidate, and must come out the same.

A candidate that is entered against its guard, its trigger or a cap is a trade that nobody decided.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R14.1"]
SAYS = "is not what the candidates, the quotes, the calendar and the limits give"
COPIED = ("ticker", "name", "strategy", "session", "raw_close", "state", "quality", "alignment")
MILLION = 1_000_000


def check(
    entry_check: dict[str, Any],
    as_of: str,
    trading_calendar: dict[str, Any],
    buy_signals: dict[str, Any],
    entry_quotes: dict[str, Any] | None,
    entry: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of each row, the order of the rows, the caps, the warnings and the totals.

    Which names are held is taken as the check says it; the gate `entries_within_caps` holds that against the holdings.
    """
    day = _Day(trading_calendar, buy_signals["session"], datetime.fromisoformat(as_of))
    quoted = {row["ticker"]: row for row in entry_quotes["quotes"]} if entry_quotes else {}
    money = entry_quotes["currency"] if entry_quotes else ""
    held = {row.get("ticker") for row in entry_check.get("rows", []) if row.get("held") is True}
    places = entry_check.get("caps", {}).get("held")
    places = places if type(places) is int else 0
    rows = []
    for one in buy_signals["candidates"]:
        quote = quoted.get(one["ticker"])
        if quote is not None and datetime.fromisoformat(quote["taken_at"]) <= day.signal_close:
            quote = None
        seen = _seen(one, quote, day, entry["quotes"], right_money=money == buy_signals["currency"])
        doubt = day.doubt or ("stale" if one["session"] != buy_signals["session"] else "")
        rows.append(
            {
                **{name: one[name] for name in COPIED},
                "because": [reason["code"] for reason in one["reasons"]],
                "held": one["ticker"] in held,
                **_judged(one, seen, doubt, entry),
            }
        )
    caps = _cap(rows, places, entry["caps"])
    used = {row["ticker"] for row in rows if row["price_basis"] not in (None, "last_close")}
    expected = {
        **day.told,
        "signal_session": buy_signals["session"],
        "at": as_of,
        "quotes": _file(entry_quotes, len(used)),
        **{name: buy_signals[name] for name in ("market", "currency", "followed")},
        "rows": rows,
        "caps": {**entry["caps"], "held": places, "strategies": caps},
        "warnings": _mixed([one["session"] for one in buy_signals["candidates"]]),
        "totals": {
            "candidates": len(rows),
            "enter": len([row for row in rows if row["decision"] == "ENTER"]),
            "skip": len([row for row in rows if row["decision"] == "SKIP"]),
            "review": len([row for row in rows if row["decision"] == "REVIEW"]),
        },
    }
    yield from agree(entry_check, expected, SAYS)


class _Day:
    """The session to enter in, looked up in the calendar's own lists."""

    def __init__(self, calendar: dict[str, Any], signal: str, at: datetime) -> None:
        self.at, self.zone = at, ZoneInfo(calendar["zone"])
        self.special = {row["session"]: (row["open"], row["close"]) for row in calendar["special_sessions"]}
        self.regular = [(row["from"], row["open"], row["close"]) for row in calendar["regular_hours"]]
        later = calendar["sessions"][bisect_right(calendar["sessions"], signal) :]
        session = next(one for one in later if self._hours(one)[1] > at)
        self.signal_close, self.opens_at = self._hours(signal)[1], self._hours(session)[0]
        self.doubt = "" if session == later[0] else "signal_old"
        if [row for row in calendar["disputed"] if signal <= row["date"] <= session]:
            self.doubt = "disputed_session"
        self.is_open = at >= self.opens_at
        today = at.astimezone(self.zone).date().isoformat()
        mode = "CLOSED"
        if self.is_open:
            mode = "INTRADAY"
        elif today in calendar["sessions"]:
            mode = "PRE_OPEN" if at < self._hours(today)[0] else "AFTER_CLOSE"
        self.told = {"session": session, "mode": mode, "opens_at": self.opens_at.isoformat()}

    def _hours(self, session: str) -> tuple[datetime, datetime]:
        usual = [row[1:] for row in self.regular if row[0] <= session]
        opens, closes = self.special[session] if session in self.special else usual[-1]
        day = date.fromisoformat(session)
        return (
            datetime.combine(day, time.fromisoformat(opens), self.zone),
            datetime.combine(day, time.fromisoformat(closes), self.zone),
        )


def _seen(
    one: dict[str, Any], quote: dict[str, Any] | None, day: _Day, ages: dict[str, int], *, right_money: bool
) -> tuple[Any, str | None, str | None, str]:
    """Price, what it is, when it was seen, and the code of what is wrong with it."""
    if quote is None and day.is_open:
        return None, None, None, "no_quote"
    if quote is None:
        return one["raw_close"], "last_close", day.signal_close.isoformat(), "" if one["raw_close"] else "no_close"
    taken = datetime.fromisoformat(quote["taken_at"])
    minutes = ages["in_session_minutes"] if day.is_open else ages["before_open_minutes"]
    wrong = ""
    if day.at - taken > timedelta(minutes=minutes):
        wrong = "quote_old"
    if day.is_open and taken < day.opens_at:
        wrong = "quote_before_open"
    if taken > day.at:
        wrong = "quote_ahead"
    if not right_money:
        wrong = "quote_currency"
    basis = "quote_in_session" if day.is_open else "quote_before_open"
    return quote["price"], basis, taken.isoformat(), wrong


def _judged(one: dict[str, Any], seen: tuple[Any, str | None, str | None, str], doubt: str, entry: Any) -> Any:
    """What the ladder gives for this candidate, with the figures that decided."""
    price, basis, at, wrong = seen
    close, last = Fraction(one["raw_close"] or 0), Fraction(one["close"] or 0)
    guard = (
        None if one["guard"] is None or one["guard"]["percent"].startswith("-") else Fraction(one["guard"]["percent"])
    )
    asked = Fraction(one["trigger"]["price"] or 0) if one["trigger"] else Fraction(0)
    if one["prices"] == "adjusted":
        # An adjusted price and a price as traded of the same bar differ by this factor.
        asked = asked * close / last if last > 0 and close > 0 else Fraction(0)
    known = not wrong and close > 0 and price is not None and Fraction(price) > 0
    gap = (Fraction(price) - close) / close if known else None
    lowest = highest = None
    if guard is not None and close > 0:
        lowest, highest = max(close - close * guard, asked, Fraction(0)), close + close * guard
    decision, code = _ladder(one, (gap, guard, asked, price), doubt or "", wrong, entry)
    return {
        "decision": decision,
        "code": code,
        "price": price,
        "price_basis": basis,
        "price_at": at,
        "gap": None if gap is None else _sixth(gap, 0),
        "guard": one["guard"]["percent"] if one["guard"] else None,
        "trigger": _sixth(asked, 0) if asked > 0 else None,
        "low": None if lowest is None else _sixth(lowest, 1),
        "high": None if highest is None else _sixth(highest, -1),
    }


def _ladder(one: dict[str, Any], figures: Any, doubt: str, wrong: str, entry: dict[str, Any]) -> tuple[str, str]:
    gap, guard, asked, price = figures
    if doubt or guard is None:
        return "REVIEW", doubt or "no_guard"
    if gap is None:
        return "REVIEW", wrong or "no_close"
    if not -guard <= gap <= guard:
        return entry["beyond_guard"], "gap_beyond_guard"
    hybrid, ready = one["strategy"] == "hybrid", one["state"] == "READY"
    if asked <= 0 and (one["trigger"] or (hybrid and ready)):
        return "REVIEW", "bad_trigger"
    if not hybrid:
        return "ENTER", "clear"
    if not ready:
        return "REVIEW", "not_ready"
    if Fraction(price) < asked:
        return "SKIP", "below_trigger"
    if one["alignment"] != "aligned":
        return "REVIEW", "risk_not_aligned"
    return ("ENTER", "clear") if one["quality"] in entry["accepted_qualities"] else ("REVIEW", "quality")


def _cap(rows: list[dict[str, Any]], held: int, caps: dict[str, int]) -> list[dict[str, Any]]:
    """Skip what the caps leave no room for, strategy by strategy; what each strategy then enters and leaves out."""
    counts: dict[str, dict[str, Any]] = {}
    for row in rows:
        count = counts.setdefault(row["strategy"], {"strategy": row["strategy"], "entered": 0, "blocked": 0})
        if row["decision"] != "ENTER" or row["held"]:
            continue
        over = held + count["entered"] + 1 > caps["max_active_holdings"]
        if over or count["entered"] + 1 > caps["max_new_entries"]:
            row["decision"], row["code"] = "SKIP", "max_active_holdings" if over else "max_new_entries"
            count["blocked"] += 1
        else:
            count["entered"] += 1
    return list(counts.values())


def _file(quotes: dict[str, Any] | None, used: int) -> dict[str, Any] | None:
    if quotes is None:
        return None
    return {"file": quotes["file"], "last": quotes["last"], "total": len(quotes["quotes"]), "used": used}


def _mixed(days: list[str]) -> list[dict[str, Any]]:
    if len(set(days)) < 2:  # noqa: PLR2004 - one session is no mixture
        return []
    return [{"code": "mixed_sessions", "session": day, "names": days.count(day)} for day in sorted(set(days))]


def _sixth(value: Fraction, side: int) -> str:
    """The value with six places: to the nearest, half to even, or always up (1) or down (-1)."""
    units, rest = divmod(value.numerator * MILLION, value.denominator)
    twice = 2 * rest - value.denominator
    if rest and (side > 0 or (side == 0 and (twice > 0 or (twice == 0 and units % 2)))):
        units += 1
    sign, units = "-" if units < 0 else "", abs(units)
    return f"{sign}{units // MILLION}.{units % MILLION:06}"
