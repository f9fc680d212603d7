"""Counts what is missing or wrong in each name's bars and says whether the name may be traded."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import polars as pl

from quantassay.domain.figures import exact, text
from quantassay.domain.market import adjustment, bar_faults, quality
from quantassay.domain.market import corporate_actions as moves
from quantassay.domain.market.price_rules import price_rules as rules_of
from quantassay.domain.market.sessions import Calendar, calendar

_LAST = ["bars:/{ticker}/{last}/close"]
_BAR = ["bars:/{ticker}/{session}/close"]
_ADJUSTED = ["adjusted_bars:/{ticker}/{session}/close"]
_BOUNDS = ["quality_limits:/price_kind", "price_rules:/limits", "price_limit_exceptions:/exceptions"]
ORIGINS = {
    "/session": ["evaluation_bars:/session"],
    "/totals/**": ["evaluation_bars:/names", "quality_limits:/verdicts"],
    "/imports/**": ["import_log:/files", "import_log:/issues"],
    "/adjusted_imports/**": ["adjusted_import_log:/files", "adjusted_import_log:/issues"],
    "/names/*/bars": _LAST,
    "/names/*/first": ["bars:/{ticker}/{first}/close"],
    "/names/*/last": _LAST,
    "/names/*/missing": [*_LAST, "trading_calendar:/sessions"],
    "/names/*/halted": ["bars:/{ticker}/{last}/volume"],
    "/names/*/off_calendar": [*_LAST, "trading_calendar:/sessions"],
    "/names/*/future": [*_LAST, "evaluation_bars:/day"],
    "/names/*/stale": ["evaluation_bars:/session", "trading_calendar:/sessions"],
    "/names/*/actions/*/*": [*_BAR, *_BOUNDS],
    "/names/*/actions/*/session": _BAR,
    "/names/*/actions/*/close": _BAR,
    "/names/*/actions/*/previous_session": ["bars:/{ticker}/{previous_session}/close"],
    "/names/*/actions/*/previous_close": ["bars:/{ticker}/{previous_session}/close"],
    "/names/*/faults/*/count": [*_LAST, "quality_limits:/faults"],
    "/names/*/faults/*/rows/*/*": [*_BAR, "trading_calendar:/sessions"],
    "/names/*/faults/*/rows/*/previous_session": ["bars:/{ticker}/{previous_session}/close"],
    "/names/*/faults/*/rows/*/previous_value": ["bars:/{ticker}/{previous_session}/close"],
    "/names/*/adjusted/*": ["adjusted_bars:/{ticker}/{last}/close", *_LAST],
    "/names/*/adjusted/actions/*/*": [*_ADJUSTED, *_BAR, "quality_limits:/adjusted"],
    "/names/*/adjusted/jumps/*/*": [*_ADJUSTED, *_BOUNDS],
    "/names/*/adjusted/faults/**": _ADJUSTED,
}
_NO_ROW = {"column": None, "value": None, "previous_session": None, "previous_value": None, "until": None}
# What a jump is where it is no corporate action; and what spoils the averages over it.
_NO_ACTION = (moves.SCALE, moves.SPIKE, moves.LARGE_MOVE)
_SPOILING = ("scale", "spike", "bad_price", "bad_volume", "inconsistent", "duplicate")

Row = dict[str, Any]


def build(  # noqa: PLR0913, PLR0917 - what it names is what it reads
    bars: pl.DataFrame,
    adjusted_bars: pl.DataFrame,
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    quality_limits: dict[str, Any],
    price_rules: dict[str, Any],
    price_limit_exceptions: dict[str, Any],
    import_log: dict[str, Any] | None,
    adjusted_import_log: dict[str, Any] | None,
) -> dict[str, Any]:
    """One row a ticker with counts, suspected corporate actions, faults, reasons and verdict; totals; what was refused.

    Bars of days to come are counted and otherwise left out, so that a run for an earlier day does not know the later.
    """
    cal, market = calendar(trading_calendar), trading_calendar["market"]
    rules = rules_of(price_rules)
    within = moves.bounds(quality_limits, market, rules, price_limit_exceptions["exceptions"])
    today, latest = (date.fromisoformat(evaluation_bars[name]) for name in ("day", "session"))
    decided = {row["ticker"]: row for row in evaluation_bars["names"]}
    rows = bar_faults.ordered(bars)
    raw = _Series(rows, today, within, quality_limits)
    known = adjusted_bars.filter(pl.col("ticker").is_in(list(decided)))
    other = _Adjusted(_Series(bar_faults.ordered(known), today, within, quality_limits), raw, decided, quality_limits)
    strays = _strays(rows, cal, today)
    agreed, most = quality.undisputed(cal), quality_limits["faults"]["evidence_rows"]
    halts = set(rows.filter(quality.is_halted()).select("ticker", pl.col("session").dt.to_string("iso")).iter_rows())
    names = []
    for count in quality.counts(rows, cal, today).iter_rows(named=True):
        ticker = count["ticker"]
        one = decided[ticker]
        index = one["index"]
        faults = raw.faults(ticker, index) + strays.get(ticker, [])
        if count["missing"]:
            faults += [_stray(day, "missing") for day in raw.absent(ticker, agreed, count["first"], count["last"])]
        row = {
            **count,
            "first": _text(count["first"]),
            "last": _text(count["last"]),
            "stale": quality.stale(agreed, date.fromisoformat(one["session"]) if one["session"] else None, latest),
            "actions": raw.actions(ticker, index),
            "faults": _grouped(faults, most),
            "adjusted": other.row(ticker),
        }
        reasons = {*_reasons(row, one, quality_limits, market), *_fault_reasons(faults, quality_limits)}
        if (ticker, one["session"]) in halts:
            reasons.add("halted")
        row["verdict"] = quality.verdict(reasons, quality_limits["verdicts"])
        doubts = sorted(reason for reason in reasons if quality_limits["verdicts"][reason] == "blocked")
        names.append({**row, "reasons": sorted(reasons), "doubts": doubts})
    absent = adjusted_bars.filter(~pl.col("ticker").is_in(list(decided)))["ticker"].n_unique()
    return {
        "session": evaluation_bars["session"],
        "market": market,
        "currency": trading_calendar["currency"],
        "totals": {**_totals(names), "adjusted_only": absent},
        "imports": quality.import_summary(import_log),
        "adjusted_imports": quality.import_summary(adjusted_import_log),
        "names": names,
    }


class _Series:
    """One of the two series: its bars whose closes can be compared, its jumps, and its faults."""

    def __init__(self, rows: pl.DataFrame, today: date, within: moves.Bounds, limits: Mapping[str, Any]) -> None:
        self.rows = rows.filter(pl.col("session") <= today)
        self.usable = bar_faults.usable(self.rows)
        self.jumps: dict[str, list[moves.Jump]] = {}
        for jump in moves.jumps(self.usable, within):
            self.jumps.setdefault(jump.ticker, []).append(jump)
        self.wrong: dict[str, list[Row]] = {}
        for row in bar_faults.found(self.rows, within.rounding).iter_rows(named=True):
            self.wrong.setdefault(row["ticker"], []).append(row)
        self.recent = limits["corporate_action"]["recent_bars"]

    def actions(self, ticker: str, index: int | None) -> list[Row]:
        """The suspected corporate actions of a name, and moves that an exception allows."""
        wanted = (moves.LIMIT, moves.RATIO)
        return [_action(jump, index) for jump in self.jumps.get(ticker, ()) if jump.detector in wanted]

    def faults(self, ticker: str, index: int | None) -> list[Row]:
        """Every fault of a name that lies at one of its bars, by kind and session."""
        found = [
            {
                "kind": row["kind"],
                "session": row["session"].isoformat(),
                "age": _age(index, row["position"]),
                **_NO_ROW,
                "column": row["column"],
                "value": _value(row[row["column"]]) if row["column"] else None,
            }
            for row in self.wrong.get(ticker, ())
        ]
        found += [_fault(jump, index) for jump in self.jumps.get(ticker, ()) if jump.detector in _NO_ACTION]
        return sorted(found, key=lambda row: (row["kind"], row["session"]))

    def absent(self, ticker: str, agreed: Sequence[date], first: date, last: date) -> Iterator[date]:
        """The agreed sessions from the first to the last bar on which the name has none."""
        there = set(self.rows.filter(pl.col("ticker") == ticker)["session"])
        return (day for day in agreed if first <= day <= last and day not in there)


class _Adjusted:
    """What the adjusted series says of each name, beside its raw one."""

    def __init__(
        self, own: _Series, raw: _Series, decided: Mapping[str, Mapping[str, Any]], limits: Mapping[str, Any]
    ) -> None:
        self.own, self.limits, self.decided = own, limits, decided
        self.unit = adjustment.decimals(own.usable)
        sizes = limits["adjusted"]
        steps = adjustment.Steps(Fraction(sizes["least_change"]), Fraction(sizes["material"]))
        self.changes: dict[str, list[adjustment.Change]] = {}
        for change in adjustment.changes(raw.usable, own.usable, self.unit, steps):
            self.changes.setdefault(change.ticker, []).append(change)
        ends = pl.DataFrame(
            [(ticker, row["session"]) for ticker, row in decided.items()],
            schema={"ticker": pl.String, "end": pl.String},
            orient="row",
        ).with_columns(pl.col("end").str.to_date())
        self.spans = {row["ticker"]: row for row in _spans(own.rows, ends).iter_rows(named=True)}
        self.lacking = _lacking(raw.rows, own.rows, ends, self.spans)

    def row(self, ticker: str) -> Row | None:
        """The figures of a name's adjusted bars, None where it has none."""
        span = self.spans.get(ticker)
        if span is None:
            return None
        end = self.decided[ticker]["session"]
        index = span["upto"] - 1 if end else None
        faults = self.own.faults(ticker, index)
        changes = self.changes.get(ticker, [])
        actions = [_change(change, self.decided[ticker]["index"]) for change in changes]
        recent = self.limits["faults"]["recent_bars"]
        shown = [row for row, change in zip(actions, changes, strict=True) if change.material or _near(row, recent)]
        material = {change.session for change in changes if change.material}
        jumps = [_jump(jump, material, index) for jump in self._jumps(ticker)]
        lacks = self.lacking.get(ticker, 0)
        return {
            "bars": span["bars"],
            "first": _text(span["first"]),
            "last": _text(span["last"]),
            "lacks": lacks,
            "decimals": self.unit.get(ticker),
            "changes": len(changes),
            "actions": shown,
            "jumps": jumps,
            "faults": _grouped(faults, self.limits["faults"]["evidence_rows"]),
            "reasons": sorted(self._reasons(actions, jumps, faults, lacks)),
        }

    def _jumps(self, ticker: str) -> list[moves.Jump]:
        wanted = (moves.LIMIT, moves.RATIO)
        return [one for one in self.own.jumps.get(ticker, ()) if one.detector in wanted and one.allowed is None]

    def _reasons(self, actions: list[Row], jumps: list[Row], faults: list[Row], lacks: int) -> set[str]:
        recent = self.limits["faults"]["recent_bars"]
        doubts = [(row["kind"], row) for row in jumps]
        doubts += [("bad_adjustment", row) for row in actions if row["worse"]]
        doubts += [("adjusted_fault", row) for row in faults if row["kind"] in _SPOILING]
        reasons = {kind if _near(row, recent) else "old_adjusted_fault" for kind, row in doubts}
        if any(_near(row, self.limits["corporate_action"]["recent_bars"]) for row in actions):
            reasons.add("adjusted_action")
        return reasons | ({"adjusted_behind"} if lacks else set())


def _spans(rows: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """ticker, bars, first, last, upto (bars up to the deciding session) of each name."""
    dated = rows.join(ends, on="ticker", how="left", maintain_order="left")
    day = pl.col("session")
    return dated.group_by("ticker", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("bars"),
        day.first().alias("first"),
        day.last().alias("last"),
        (day <= pl.col("end")).sum().cast(pl.Int64).alias("upto"),
    )


def _lacking(
    raw: pl.DataFrame, own: pl.DataFrame, ends: pl.DataFrame, spans: Mapping[str, Mapping[str, Any]]
) -> dict[str, int]:
    """How many sessions each name has in the raw series alone, from its first adjusted bar to its deciding one."""
    firsts = pl.DataFrame(
        [(ticker, row["first"]) for ticker, row in spans.items()],
        schema={"ticker": pl.String, "first": pl.Date},
        orient="row",
    )
    wanted = (
        raw.select("ticker", "session")
        .join(firsts, on="ticker", how="inner")
        .join(ends, on="ticker", how="inner")
        .filter((pl.col("session") >= pl.col("first")) & (pl.col("session") <= pl.col("end")))
        .unique(["ticker", "session"])
    )
    alone = wanted.join(own.select("ticker", "session"), on=["ticker", "session"], how="anti")
    return dict(alone.group_by("ticker").agg(pl.len().cast(pl.Int64)).iter_rows())


def _strays(rows: pl.DataFrame, cal: Calendar, today: date) -> dict[str, list[Row]]:
    """The bars of each name on dates that are no sessions, or of days to come."""
    known, off = pl.col("session") <= today, quality.is_off(cal)
    found = rows.filter(~known | off).select("ticker", "session", known.alias("known"))
    strays: dict[str, list[Row]] = {}
    for ticker, session, is_known in found.iter_rows():
        strays.setdefault(ticker, []).append(_stray(session, "off_calendar" if is_known else "future"))
    return strays


def _stray(day: date, kind: str) -> Row:
    return {"kind": kind, "session": day.isoformat(), "age": None, **_NO_ROW}


def _grouped(faults: Iterable[Row], most: int) -> list[Row]:
    """The faults by kind: how many there are, and where the latest of them are."""
    groups: dict[str, list[Row]] = {}
    for row in faults:
        groups.setdefault(row["kind"], []).append({name: row[name] for name in ("session", "age", *_NO_ROW)})
    return [{"kind": kind, "count": len(groups[kind]), "rows": groups[kind][-most:]} for kind in sorted(groups)]


def _fault(jump: moves.Jump, index: int | None) -> Row:
    return {
        "kind": jump.detector,
        "session": jump.session.isoformat(),
        "age": _age(index, jump.position),
        "column": "close",
        "value": str(exact(jump.close)),
        "previous_session": jump.previous_session.isoformat(),
        "previous_value": exact(jump.previous_close),
        "until": _text(jump.until),
    }


def _action(jump: moves.Jump, index: int | None) -> Row:
    low, high = jump.factor
    return {
        "session": jump.session.isoformat(),
        "previous_session": jump.previous_session.isoformat(),
        "previous_close": exact(jump.previous_close),
        "close": exact(jump.close),
        "age": _age(index, jump.position),
        "detector": jump.detector,
        "ratio": text(jump.close / jump.previous_close),
        "parts": jump.parts,
        "factor_low": low,
        "factor_high": high,
        "halted": jump.halted,
        "allowed": jump.allowed,
    }


def _change(change: adjustment.Change, index: int | None) -> Row:
    return {
        "session": change.session.isoformat(),
        "previous_session": change.previous_session.isoformat(),
        "age": _age(index, change.position),
        "factor": text(float(change.factor)),
        "raw_ratio": text(float(change.raw)),
        "adjusted_ratio": text(float(change.adjusted)),
        "worse": change.worse,
    }


def _jump(jump: moves.Jump, changed: set[date], index: int | None) -> Row:
    return {
        "kind": "bad_adjustment" if jump.session in changed else "missing_adjustment",
        "session": jump.session.isoformat(),
        "previous_session": jump.previous_session.isoformat(),
        "previous_close": exact(jump.previous_close),
        "close": exact(jump.close),
        "age": _age(index, jump.position),
    }


def _age(index: int | None, position: int) -> int | None:
    return None if index is None else index - position


def _near(row: Row, recent_bars: int) -> bool:
    """Whether a place lies within the bars that matter; one after the deciding bar does, and where none decides all."""
    return row["age"] is None or row["age"] < recent_bars


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _value(value: float | None) -> str | None:
    if value is None:
        return None
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return bar_faults.NOT_A_NUMBER
    return bar_faults.INFINITE if value in (float("inf"), float("-inf")) else str(exact(value))


def _reasons(row: Row, decided: Mapping[str, Any], limits: Mapping[str, Any], market: str) -> Iterator[str]:
    if decided["session"] is None:
        yield "no_complete_bar"
    if (row["stale"] or 0) > limits["max_stale_sessions"][market]:
        yield "stale"
    if row["missing"] > limits["max_missing_sessions"][market]:
        yield "missing"
    yield from (reason for reason in ("off_calendar", "future") if row[reason])
    yield from (reason for reason in ("unfinished", "dropped", "thin") if decided[reason])
    for action in row["actions"]:
        near = _near(action, limits["corporate_action"]["recent_bars"])
        plain = "corporate_action" if near else "old_corporate_action"
        yield "limit_exception" if action["allowed"] else plain
    yield from row["adjusted"]["reasons"] if row["adjusted"] else ()


def _fault_reasons(faults: Iterable[Row], limits: Mapping[str, Any]) -> Iterator[str]:
    recent = limits["faults"]["recent_bars"]
    for row in faults:
        if row["kind"] in _SPOILING:
            yield row["kind"] if _near(row, recent) else "old_fault"
        elif row["kind"] == "unsorted" or (row["kind"] == "large_move" and _near(row, recent)):
            yield row["kind"]


def _totals(names: list[Row]) -> dict[str, Any]:
    verdicts = Counter(row["verdict"] for row in names)
    reasons = Counter(reason for row in names for reason in row["reasons"])
    adjusted = [row["adjusted"] for row in names if row["adjusted"]]
    return {
        "names": len(names),
        "bars": sum(row["bars"] for row in names),
        **{verdict: verdicts[verdict] for verdict in quality.VERDICTS},
        "actions": sum(len(row["actions"]) for row in names),
        "adjusted": len(adjusted),
        "adjusted_changes": sum(row["changes"] for row in adjusted),
        "adjusted_unchanged": sum(not row["changes"] for row in adjusted),
        "reasons": [{"reason": reason, "names": reasons[reason]} for reason in sorted(reasons)],
    }
