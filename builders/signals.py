"""Says for each name of the universe whether the strategy buys or sells it, with the numbers that decided."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import polars as pl

from quantassay.domain.signals import hsms as rules

_BAR = ["bars:/{ticker}/{session}/close"]
_VOLUME = ["bars:/{ticker}/{session}/volume"]
ORIGINS = {
    "/signal_session": ["evaluation_bars:/session"],
    "/strategy/**": ["hsms:"],
    "/universe/session": ["universe:/session"],
    "/universe/size": ["universe:/names"],
    "/universe/source": ["universe:/source"],
    "/names/*/ticker": ["universe:/names/{ticker}/ticker"],
    "/names/*/name": ["universe:/names/{ticker}/name"],
    "/names/*/session": ["evaluation_bars:/names/{ticker}/session"],
    "/names/*/close": _BAR,
    "/names/*/close_average": [*_BAR, "hsms:/average_window"],
    "/names/*/momentum": [*_BAR, "hsms:/momentum_window"],
    "/names/*/volume": _VOLUME,
    "/names/*/volume_average": [*_VOLUME, "hsms:/volume_window"],
    "/names/*/foreign_sum": ["bars:/{ticker}/{session}/foreign_net_buy", "hsms:/foreign_window"],
    "/names/*/verdict": ["hsms:", *_BAR],
    "/names/*/because/*": ["hsms:", *_BAR],
    "/names/*/doubt": ["data_quality:/names/{ticker}/verdict", "evaluation_bars:/names/{ticker}/session"],
    "/names/*/doubts/*": ["data_quality:/names/{ticker}/doubts"],
}
_FIGURES = ("close", "momentum", "volume", "foreign_sum")
_HUNDREDTH = Decimal("0.01")


def build(
    bars: pl.DataFrame,
    universe: dict[str, Any],
    evaluation_bars: dict[str, Any],
    data_quality: dict[str, Any],
    hsms: dict[str, Any],
) -> dict[str, Any]:
    """One row a name in universe order, judged on its own deciding bar; a name without one has no figures."""
    decided = {row["ticker"]: row["session"] for row in evaluation_bars["names"]}
    quality = {row["ticker"]: row for row in data_quality["names"]}
    judged = _judged(bars, {row["ticker"]: decided.get(row["ticker"]) for row in universe["names"]}, hsms)
    names = []
    for row in universe["names"]:
        ticker = row["ticker"]
        session, found = decided.get(ticker), quality.get(ticker)
        names.append(
            {
                "ticker": ticker,
                "name": row["name"],
                "session": session,
                **_figures(judged.get(ticker), hsms),
                "doubt": _doubt(session, evaluation_bars["session"], found),
                "doubts": found["doubts"] if found else ["no_complete_bar"],
            }
        )
    return {
        "signal_session": evaluation_bars["session"],
        "strategy": hsms,
        "universe": {"source": universe["source"], "session": universe["session"], "size": len(universe["names"])},
        "names": names,
    }


def _judged(bars: pl.DataFrame, sessions: Mapping[str, str | None], hsms: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The figures, the verdict and its conditions on each ticker's own session, by ticker."""
    last = pl.DataFrame(
        list(sessions.items()), schema={"ticker": pl.String, "last": pl.String}, orient="row"
    ).with_columns(pl.col("last").str.to_date())
    known = bars.join(last, on="ticker", how="inner", maintain_order="left").filter(pl.col("session") <= pl.col("last"))
    chosen, strategy = rules.parameters(hsms), hsms["strategy"]
    on_last = rules.figures(known, chosen).group_by("ticker", maintain_order=True).last()
    told = on_last.with_columns(rules.verdict(strategy, chosen)).with_columns(rules.because(strategy, chosen))
    return {row["ticker"]: row for row in told.rename({strategy: "verdict"}).to_dicts()}


def _figures(row: Mapping[str, Any] | None, hsms: Mapping[str, Any]) -> dict[str, Any]:
    if row is None:
        unknown = dict.fromkeys((*_FIGURES, "close_average", "volume_average"))
        return {**unknown, "verdict": rules.NO_DATA, "because": []}
    return {
        **{name: row[name] for name in _FIGURES},
        "close_average": _mean(row["close_sum"], hsms["average_window"]),
        "volume_average": _mean(row["volume_sum"], hsms["volume_window"]),
        "verdict": row["verdict"],
        "because": row["because"],
    }


def _mean(total: int | None, count: int) -> str | None:
    """The mean in hundredths, rounded half to even; exact for a window of 20. Decisions are made on the sum."""
    if total is None:
        return None
    return str((Decimal(total) / count).quantize(_HUNDREDTH, ROUND_HALF_EVEN))


def _doubt(session: str | None, signal_session: str, quality: Mapping[str, Any] | None) -> str | None:
    """Why no order may be made on this name's bar, if so."""
    if session is None:
        return "no_bar"
    if quality is None or quality["verdict"] == "blocked":
        return "blocked"
    return "other_session" if session != signal_session else None
