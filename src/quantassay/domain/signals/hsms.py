"""The HSMS rules: trend, momentum and volume of the bars, and in HSMS 2 what foreigners bought.

All comparisons are exact. Prices are whole won, so a rule about a mean is asked of the sum (`20 * close > sum`), and
the decimal parameters enter as ratios of whole numbers. What is not known stays null, and a verdict is given only where
no unknown number could change it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import polars as pl

STRATEGIES = ("hsms1", "hsms2")
BUY, SELL, NONE, NO_DATA = "buy", "sell", "none", "no_data"

# The conditions of each side by strategy: a buy needs all of its, a sell one of its.
BUY_NEEDS = {
    "hsms1": ("above_average", "rising", "busy"),
    "hsms2": ("above_average", "rising", "busy", "foreign_buying"),
}
SELL_NEEDS = {
    "hsms1": ("below_band", "falling"),
    "hsms2": ("below_band", "falling", "foreign_selling"),
}


@dataclass(frozen=True, slots=True)
class Hsms:
    """The parameters; windows count bars, the evaluated one included (momentum: bars back from it).

    A close below `sell_band` times its mean sells; volume above `volume_multiple` times its mean is busy; foreign net
    buying is judged against `foreign_level` shares.
    """

    average_window: int
    sell_band: Fraction
    momentum_window: int
    volume_window: int
    volume_multiple: Fraction
    foreign_window: int
    foreign_level: int


def parameters(spec: Mapping[str, Any]) -> Hsms:
    """The parameters in the spec `hsms`, whose decimals are texts."""
    return Hsms(
        average_window=spec["average_window"],
        sell_band=Fraction(spec["sell_band"]),
        momentum_window=spec["momentum_window"],
        volume_window=spec["volume_window"],
        volume_multiple=Fraction(spec["volume_multiple"]),
        foreign_window=spec["foreign_window"],
        foreign_level=spec["foreign_level"],
    )


def figures(bars: pl.DataFrame, hsms: Hsms) -> pl.DataFrame:
    """The numbers that the rules look at, one row a bar.

    Args:
        bars: `ticker`, `session`, `close`, `volume`, `foreign_net_buy`, sorted by ticker and session
        hsms: the parameters

    Returns:
        `ticker`, `session`, `close` (whole won; null where the bar has no whole, finite price), `close_sum`,
        `momentum` (won), `volume`, `volume_sum`, `foreign_sum` (shares): Int64, null where a bar of the window is
        missing or unknown.
    """
    close, volume, foreign = pl.col("close"), pl.col("volume"), pl.col("foreign_net_buy")
    return (
        bars.lazy()
        .select("ticker", "session", "volume", "foreign_net_buy", close=_whole(close))
        .select(
            "ticker",
            "session",
            "close",
            "volume",
            close_sum=close.rolling_sum(hsms.average_window).over("ticker"),
            momentum=(close - close.shift(hsms.momentum_window)).over("ticker"),
            volume_sum=volume.rolling_sum(hsms.volume_window).over("ticker"),
            foreign_sum=foreign.rolling_sum(hsms.foreign_window).over("ticker"),
        )
        .collect()
    )


def _whole(price: pl.Expr) -> pl.Expr:
    return pl.when(price.is_finite() & (price == price.floor())).then(price).cast(pl.Int64)


def conditions(hsms: Hsms) -> dict[str, pl.Expr]:
    """Each condition by name, over the columns of `figures`: true, false, or null while it is not known."""
    close, momentum = pl.col("close") * hsms.average_window, pl.col("momentum")
    band, multiple = hsms.sell_band, hsms.volume_multiple
    busy = pl.col("volume") * (hsms.volume_window * multiple.denominator) > pl.col("volume_sum") * multiple.numerator
    return {
        "above_average": close > pl.col("close_sum"),
        "below_band": close * band.denominator < pl.col("close_sum") * band.numerator,
        "rising": momentum > 0,
        "falling": momentum < 0,
        "busy": busy,
        "foreign_buying": pl.col("foreign_sum") > hsms.foreign_level,
        "foreign_selling": pl.col("foreign_sum") < hsms.foreign_level,
    }


def verdict(strategy: str, hsms: Hsms) -> pl.Expr:
    """`buy`, `sell`, `none`, or `no_data` where an unknown number decides, over the columns of `figures`."""
    known = conditions(hsms)
    # Three-valued logic: false and unknown is false, true or unknown is true, so null is left only where it matters.
    buy = pl.all_horizontal([known[name] for name in BUY_NEEDS[strategy]])
    sell = pl.any_horizontal([known[name] for name in SELL_NEEDS[strategy]])
    unknown = buy.is_null() | sell.is_null()
    decided = pl.when(sell).then(pl.lit(SELL)).when(buy).then(pl.lit(BUY)).when(unknown).then(pl.lit(NO_DATA))
    return decided.otherwise(pl.lit(NONE)).alias(strategy)


def verdicts(bars: pl.DataFrame, hsms: Hsms) -> pl.DataFrame:
    """`ticker`, `session` and the verdict of each strategy, one row a bar; `bars` as for `figures`."""
    return figures(bars, hsms).select("ticker", "session", *(verdict(name, hsms) for name in STRATEGIES))


def because(strategy: str, hsms: Hsms) -> pl.Expr:
    """The names of the conditions that made the verdict, as a list: all of a buy's, those of a sell's that hold."""
    known = conditions(hsms)
    given = pl.col(strategy)
    buys = pl.concat_list([pl.lit(name) for name in BUY_NEEDS[strategy]])
    sells = pl.concat_list([pl.when(known[name]).then(pl.lit(name)) for name in SELL_NEEDS[strategy]]).list.drop_nulls()
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return pl.when(given == BUY).then(buys).when(given == SELL).then(sells).otherwise(nothing).alias("because")
