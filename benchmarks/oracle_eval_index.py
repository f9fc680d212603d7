"""The bar that decides beside the one that the older daily-bar report took, at stated instants."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
from exchange_days import XKRX, XNYS, around
from oracle_kinds import Bars, Comparison, cause

from quantassay.domain.market import predecessor
from quantassay.domain.market.evaluation import Rule, evaluate
from quantassay.domain.market.sessions import Calendar, State, hours, is_session, state

SUBJECT = "eval_index"
GRACE = timedelta(minutes=10)
SENTENCES = {
    "any_volume": "A bar of today's session does not decide while the session runs, however much was traded; after the "
    "close it does, however little. The older program asked in Korea for a thin volume too, in New York at any time.",
    "any_source": "Bars of pykrx are judged like all others; the older program took its last bar as it was.",
    "before_open": "A bar of a session that has not opened yet never decides.",
    "future_bar": "A bar of a day to come never decides; the older program took it.",
    "grace": "A bar decides only some minutes after the close, when the closing auction has been published.",
    "own_hours": "Holidays, late opens and early closes are those of the exchange; the older program knew only some "
    "holidays and no hours but the regular ones.",
    "no_session": "A bar on a day without a session never decides.",
    "single_bar": "A single bar is judged like all others; the older program took it as it was.",
}
TAIL = 8
MARKETS = {"KRW": XKRX, "USD": XNYS}


@dataclass(frozen=True, slots=True)
class Case:
    """The last bars of a name as a report saw them."""

    days: Sequence[date]
    volumes: Sequence[int]
    bars: int
    currency: str
    provider: str
    now: datetime

    def older(self) -> int:
        """Where the deciding bar of the older program stands: 0 is the last, -1 the one before."""
        days = [f"{day:%Y%m%d}" for day in self.days]
        index, _ = predecessor.choose(days, self.volumes, currency=self.currency, provider=self.provider, now=self.now)
        return index - len(days) + 1


def compare(oracle: dict[str, Any], bars: Bars) -> Comparison:
    """Every case: the older rule itself, and the rule by sessions."""
    cases = [_case(row, bars) for row in oracle["cases"]]
    calendars = {currency: _calendar(currency, cases) for currency in MARKETS}
    ours = by_sessions(cases, calendars)
    same = corrected_same = 0
    explained: Counter[str] = Counter()
    differing, unexplained = [], []
    for row, case, own in zip(oracle["cases"], cases, ours, strict=True):
        expected, older = row["idx_from_end"], case.older()
        told = f"{row['symbol']} {row['meta']} at {row['now']}: older {expected}, ours {own}"
        rebuilt = [_chosen(case, calendars[case.currency], ids) for ids in ((), SENTENCES)]
        if older == expected == rebuilt[0]:
            same += 1
        else:
            differing.append(f"{told}, older rule here {older}")
        if own == expected:
            corrected_same += 1
            continue

        def changes(ids: frozenset[str], case: Case = case, older: int = older) -> bool:
            return _chosen(case, calendars[case.currency], ids) != older

        found = cause(changes, SENTENCES) if own == rebuilt[1] else None
        if found:
            explained[found] += 1
        else:
            unexplained.append(told)
    return Comparison(len(cases), same, corrected_same, explained, unexplained, SENTENCES, differing)


def _case(row: dict[str, Any], bars: Bars) -> Case:
    """The first `n` bars of the symbol up to the end that the case names."""
    seen = bars(row["symbol"])
    seen = seen.filter(pl.col("session").dt.strftime("%Y%m%d") <= row["end"]).head(row["n"])
    tail, now = seen.tail(TAIL), datetime.fromisoformat(row["now"])
    meta = row["meta"]
    return Case(
        tail["session"].to_list(),
        tail["volume"].to_list(),
        seen.height,
        "USD" if meta.get("currency") == "USD" else "KRW",
        meta.get("data_source") or meta.get("provider") or row["provider"],
        now if now.tzinfo else now.replace(tzinfo=UTC),
    )


def by_sessions(cases: Sequence[Case], calendars: dict[str, Calendar]) -> list[int]:
    """Where the deciding bar stands by the rule in force: 0 is the last; one before the first where none decides."""
    rule = Rule("session", GRACE, predecessor.THIN)
    together: defaultdict[tuple[str, datetime], list[int]] = defaultdict(list)
    for number, case in enumerate(cases):
        together[case.currency, case.now].append(number)
    places: dict[int, int] = {}
    for (currency, now), numbers in together.items():
        frames = [_frame(number, cases[number]) for number in numbers]
        chosen = evaluate(pl.concat(frames), calendars[currency], now, rule)
        places.update(zip(chosen["ticker"].cast(pl.Int64), (-chosen["dropped"]).to_list(), strict=True))
    return [places[number] for number in range(len(cases))]


def _frame(number: int, case: Case) -> pl.DataFrame:
    return pl.DataFrame({"session": case.days, "volume": case.volumes}).select(
        pl.lit(f"{number:06}").alias("ticker"),
        "session",
        *(pl.lit(1.0).alias(price) for price in ("open", "high", "low", "close")),
        "volume",
        pl.lit(None, pl.Datetime("us", "UTC")).alias("taken_at"),
        pl.lit("oracle").alias("source"),
    )


def _calendar(currency: str, cases: Sequence[Case]) -> Calendar:
    """The market's sessions around the cases."""
    days = [day for case in cases for day in (*case.days, case.now.date())]
    return around(MARKETS[currency], min(days), max(days))


def _chosen(case: Case, cal: Calendar, ids: Collection[str]) -> int:
    """The older rule with these corrections: where the deciding bar stands."""
    judged = case.bars > 1 or "single_bar" in ids
    if not judged or (case.provider == "pykrx" and "any_source" not in ids):
        return 0
    for back, day in enumerate(reversed(case.days)):
        if not _dropped(case, cal, day, ids):
            return -back
    return -len(case.days)


def _dropped(case: Case, cal: Calendar, day: date, ids: Collection[str]) -> bool:
    """Whether the bar of this day is passed over."""
    local = case.now.astimezone(cal.zone)
    if day > local.date():
        return "future_bar" in ids
    if not is_session(cal, day) and "no_session" in ids:
        return True
    if day < local.date():
        return False
    now, until = _state(case, cal, local, ids)
    if now is State.CLOSED:
        return False
    thin = "any_volume" not in ids and predecessor.is_thin(case.volumes)
    american = case.currency == "USD"
    if now is State.INTRADAY:
        return american or thin or "any_volume" in ids
    if now is State.PRE_OPEN:
        return "before_open" in ids or (american and thin)
    return ("grace" in ids and local < until + GRACE) or (american and thin)


def _state(case: Case, cal: Calendar, local: datetime, ids: Collection[str]) -> tuple[State, datetime]:
    """What the exchange does, and its close today: by its own hours, or as the older program had them."""
    if "own_hours" in ids:
        now = state(cal, local)
        return now, local if now is State.CLOSED else hours(cal, local.date()).close
    usual = MARKETS[case.currency]
    close = datetime.combine(local.date(), time.fromisoformat(usual.closes), tzinfo=cal.zone)
    holiday = case.currency == "USD" and f"{local:%Y%m%d}" in predecessor.AMERICAN_HOLIDAYS
    if local.weekday() >= predecessor.SATURDAY or holiday:
        return State.CLOSED, close
    if local.time() < time.fromisoformat(usual.opens):
        return State.PRE_OPEN, close
    return (State.INTRADAY if local < close else State.AFTER_CLOSE), close
