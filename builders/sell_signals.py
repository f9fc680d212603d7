"""Says of each position whether it is to be sold, looked at or held, with the reasons, its stop and its target."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from quantassay.domain import figures
from quantassay.domain.signals import sell_generic, sell_hybrid, sell_kinds
from quantassay.domain.signals.daily import daily
from quantassay.domain.signals.sell_kinds import HOLD, Bars, Case, Effect, Number, Reason, Verdict

_ROW = "positions:/rows/{ticker}"
_CLOSE = "bars:/{ticker}/{session}/close"
_LEVEL = [_CLOSE, "sell_rules:/generic", "sell_rules:/hybrid", _ROW]
ORIGINS = {
    "/session": ["positions:/session"],
    "/account/as_of": ["positions:/account"],
    "/fx/*": ["daily_bars:/fx"],
    "/rules/**": ["sell_rules:"],
    "/totals/*": ["positions:/rows", "positions:/aside", "sell_rules:", _CLOSE],
    **{
        f"/rows/*/{name}": [f"{_ROW}/{name}"]
        for name in (
            "ticker",
            "written",
            "name",
            "quantity",
            "entry_price",
            "entry_date",
            "strategy",
            "notes",
            "session",
        )
    },
    "/rows/*/tags/*": [f"{_ROW}/tags"],
    "/rows/*/doubts/*": [f"{_ROW}/doubts"],
    "/rows/*/held": [f"{_ROW}/sessions_held"],
    "/rows/*/last_close": [_CLOSE],
    "/rows/*/profit": [_CLOSE, f"{_ROW}/entry_price"],
    "/rows/*/peak/*": [_CLOSE, f"{_ROW}/entry_date"],
    "/rows/*/stop": _LEVEL,
    "/rows/*/target": _LEVEL,
    "/rows/*/reasons/**": _LEVEL,
    "/rows/*/chart_id": [f"{_ROW}/ticker"],
    "/rows/*/chart/*/*": [_CLOSE],
    "/appendix/**": ["positions:/aside"],
}
_MODES: Mapping[str, Any] = {"generic": sell_generic, "hybrid": sell_hybrid}
_ORDER = (Effect.SELL.value, Effect.REVIEW.value, HOLD)
_COPIED = ("ticker", "written", "name", "quantity", "entry_price", "entry_date", "strategy", "tags", "notes", "session")


@dataclass(frozen=True, slots=True)
class _View:
    """What all positions are judged by."""

    rules: Any
    rule: Any
    bars: Mapping[str, Bars]
    chart: int


def build(
    bars: pl.DataFrame, positions: dict[str, Any], sell_rules: dict[str, Any], daily_bars: dict[str, Any]
) -> dict[str, Any]:
    """One row a position, sells first; each by its bars up to the deciding one, and without a usable one a review."""
    mode = sell_rules["mode"]
    rule = _MODES[mode].parameters(sell_rules)
    usable = daily(_known(bars, positions["rows"]))
    view = _View(_MODES[mode], rule, sell_kinds.bars_by_name(usable, rule.periods), daily_bars["chart_sessions"])
    rows = [_row(one, view) for one in positions["rows"]]
    rows.sort(key=lambda row: (_ORDER.index(row["action"]), row["ticker"]))
    return {
        **{name: positions[name] for name in ("session", "market", "currency", "source", "account")},
        "fx": daily_bars["fx"].get(positions["currency"]),
        "rules": {
            "mode": mode,
            "time_unit": "sessions" if "time_in_sessions" in rule.corrections else "days",
            "corrections": sorted(rule.corrections),
            **{name: sell_rules[name] if name == mode else None for name in _MODES},
        },
        "totals": _totals(rows, positions["aside"]),
        "rows": rows,
        "appendix": positions["aside"],
    }


def _known(bars: pl.DataFrame, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The bars of the positions, each up to its deciding one."""
    wanted = sorted({(row["ticker"], row["session"]) for row in rows if row["session"] is not None})
    last = pl.DataFrame(wanted, schema={"ticker": pl.String, "last": pl.String}, orient="row")
    dated = last.with_columns(pl.col("last").str.to_date())
    return bars.join(dated, on="ticker", how="inner", maintain_order="left").filter(pl.col("session") <= pl.col("last"))


def _row(one: Mapping[str, Any], view: _View) -> dict[str, Any]:
    found, session = view.bars.get(one["ticker"]), one["session"]
    known = found if found is not None and found.sessions[-1].isoformat() == session else None
    in_sessions = "time_in_sessions" in view.rule.corrections
    held = one["sessions_held"] if in_sessions else one["days_held"]
    case = Case(sell_kinds.holding(one), held, tuple(one["doubts"]), base_changed=one["base_changed"])
    verdict = _verdict(known, session, case, view)
    return {
        **{name: one[name] for name in _COPIED},
        **_prices(known, case.holding.entry_price, verdict),
        "held": held,
        "action": verdict.action,
        "stop": _text(verdict.stop.price if verdict.stop else None),
        "stop_kind": verdict.stop.kind if verdict.stop else None,
        "target": _text(verdict.target.price if verdict.target else None),
        "target_kind": verdict.target.kind if verdict.target else None,
        "reasons": [_reason(reason) for reason in verdict.reasons],
        "doubts": one["doubts"],
        "chart_id": f"close_{one['ticker'].lower().replace('.', '_')}",
        "chart": _chart(known, view.chart),
    }


def _verdict(known: Bars | None, session: str | None, case: Case, view: _View) -> Verdict:
    """What the rules say on the deciding bar; a review where there is none, or none that can be used."""
    if known is not None:
        verdict: Verdict = view.rules.evaluate(known, len(known.sessions) - 1, case, view.rule)
        return verdict
    return Verdict((Reason("no_bar" if session is None else "unusable_bar", Effect.REVIEW),))


def _prices(known: Bars | None, entry: Decimal | None, verdict: Verdict) -> dict[str, Any]:
    if known is None:
        return {"last_close": None, "profit": None, "peak": None}
    close = float(known.close[-1])
    peak = None
    if verdict.peak is not None:
        price = figures.exact(float(known.close[verdict.peak]))
        peak = {"session": known.sessions[verdict.peak].isoformat(), "close": price}
    profit = None if entry is None else figures.text((Decimal(repr(close)) - entry) / entry)
    return {"last_close": figures.exact(close), "profit": profit, "peak": peak}


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "effect": reason.effect.value,
        "value": _text(reason.value),
        "threshold": _text(reason.threshold),
    }


def _text(value: Number | None) -> str | None:
    return None if value is None else figures.text(value)


def _chart(known: Bars | None, sessions: int) -> list[dict[str, Any]]:
    """The last bars with their closes; the one that decided is marked."""
    if known is None:
        return []
    last = len(known.sessions) - 1
    return [
        {
            "session": known.sessions[row].isoformat(),
            "close": figures.exact(float(known.close[row])),
            "evaluated": row == last,
        }
        for row in range(max(last + 1 - sessions, 0), last + 1)
    ]


def _totals(rows: list[dict[str, Any]], aside: list[dict[str, Any]]) -> dict[str, int]:
    actions = Counter(row["action"] for row in rows)
    return {
        "positions": len(rows),
        "evaluated": sum(row["last_close"] is not None for row in rows),
        **{action.lower(): actions[action] for action in _ORDER},
        "aside": len(aside),
    }
