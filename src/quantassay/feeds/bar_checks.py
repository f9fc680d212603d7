"""The checks on the rows of many bar files at once: text in, typed bars and coded rows out."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl

from quantassay.feeds.csv_text import SHOWN, shorten
from quantassay.feeds.issues import Issue
from quantassay.feeds.markets import Market

PRICES = ("open", "high", "low", "close")
NEEDED = (*PRICES, "volume")
FOREIGN = "foreign_net_buy"
LARGEST = 2**53  # beyond it a double, and canonical JSON, lose whole shares
EARLIEST = date(1900, 1, 1)

_BLANK = ("", "-", "n/a", "na", "nan", "none", "null")
_NUMBER = r"^[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)?(\.[0-9]*)?$"
_DATE = (
    r"^([0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}/[0-9]{2}/[0-9]{2}|[0-9]{4}\.[0-9]{2}\.[0-9]{2})([ T]00:00(:00)?)?$"
)
# Counts stand for one note about the file, not for one a row.
_COUNTED = {
    "edge_rounding": "open or close up to {rounding:g} outside low..high, kept as written, in bars: {count}",
    "empty_bar": "dates without any value, so no bars: {count}",
    "halt_bar": "halts written as zeros with a close, open, high and low set to it, in bars: {count}",
    "open_unknown": "the open 0, stored as unknown, in bars: {count}",
}
_PLAIN = {
    "zero_price": "has a price of zero and is no halt: {shown}, volume {volume}",
    "high_below_low": "has its high below its low: {shown}",
    "outside_range": "has its open or close outside low..high: {shown}",
    "adjusted_unreadable": "has the adjusted close {adjusted}, no price above zero",
}


def type_rows(text: pl.DataFrame, market: Market, latest: date) -> pl.DataFrame:
    """Typed rows with a `code` for whatever is wrong with each.

    Args:
        text: columns file, row, lot (shares a unit of volume) and the text columns date, open, high, low, close,
            volume, foreign_net_buy (null where the file has no such column)
        market: whose rules the rows obey
        latest: no bar can be of a later date

    Returns:
        the columns of `text`, and session, n_open..n_foreign_net_buy (Float64; null where there is no number), `code`
        (null where the row is in order).
    """
    names = (*NEEDED, FOREIGN)
    stripped = text.with_columns(pl.col("date", *names).str.strip_chars())
    typed = stripped.with_columns(
        _session().alias("session"),
        *(_number(name).alias(f"n_{name}") for name in names),
    ).with_columns((pl.col("n_volume") * pl.col("lot")).alias("n_volume"))
    # A lot count such as 8471226.17 is 847122617 shares; only the product of doubles is not exact.
    near = pl.col("n_volume").round()
    in_lots = (pl.col("lot") > 1) & ((pl.col("n_volume") - near).abs() < 1e-3)  # noqa: PLR2004
    typed = typed.with_columns(pl.when(in_lots).then(near).otherwise("n_volume").alias("n_volume"))
    return typed.with_columns(_code(market, latest).alias("code"))


def _session() -> pl.Expr:
    digits = pl.col("date").str.replace_all(r"[-/.]", "").str.slice(0, 8)
    parsed = digits.str.to_date("%Y%m%d", strict=False)
    return pl.when(pl.col("date").str.contains(_DATE)).then(parsed)


def _number(name: str) -> pl.Expr:
    plain = pl.col(name).str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)
    return pl.when(pl.col(name).str.contains(_NUMBER)).then(plain)


def _blank(name: str) -> pl.Expr:
    return pl.col(name).str.to_lowercase().is_in(_BLANK)


def _code(market: Market, latest: date) -> pl.Expr:
    """The first thing wrong with a row; what does no harm comes after all that does."""
    opened, high, low, close, volume = (pl.col(f"n_{name}") for name in NEEDED)
    foreign = pl.col(f"n_{FOREIGN}")
    session = pl.col("session")
    numbers = (opened, high, low, close, volume)
    foreign_wrong = foreign.is_null() & ~_blank(FOREIGN)
    whole = (volume == volume.round()) & (foreign.is_null() | (foreign == foreign.round()))
    large = pl.any_horizontal(*(x.abs() > LARGEST for x in (*numbers, foreign)))
    halted = (opened == 0) & (high == 0) & (low == 0) & (close > 0) & (volume == 0)
    no_open = (opened == 0) & pl.lit(market.old_opens_unknown)
    inner = pl.when(no_open).then(close).otherwise(opened)
    beyond = pl.max_horizontal(close - high, low - close, inner - high, low - inner)
    zero = (high == 0) | (low == 0) | (close == 0) | ((opened == 0) & ~no_open)
    return (
        pl.when(session.is_null()).then(pl.lit("date_unreadable"))
        .when((session < EARLIEST) | (session > latest)).then(pl.lit("date_out_of_range"))
        .when(pl.all_horizontal(*(_blank(name) for name in NEEDED))).then(pl.lit("empty_bar"))
        .when(pl.any_horizontal(*(_blank(name) for name in NEEDED))).then(pl.lit("blank_value"))
        .when(pl.any_horizontal(foreign_wrong, *(x.is_null() for x in numbers))).then(pl.lit("not_a_number"))
        .when(large).then(pl.lit("number_too_large"))
        .when(pl.any_horizontal(*(x < 0 for x in numbers))).then(pl.lit("negative_number"))
        .when(~whole).then(pl.lit("volume_not_whole"))
        .when(halted).then(pl.lit("halt_bar"))
        .when(zero).then(pl.lit("zero_price"))
        .when(high < low).then(pl.lit("high_below_low"))
        .when(beyond > market.rounding).then(pl.lit("outside_range"))
        .when(no_open).then(pl.lit("open_unknown"))
        .when(beyond > 0).then(pl.lit("edge_rounding"))
        .otherwise(pl.lit(None, pl.String))
    )  # fmt: skip


def row_issues(typed: pl.DataFrame, names: list[str], market: Market) -> list[Issue]:
    """An issue for each row that does harm (SHOWN of a kind a file), one for each kind that does not."""
    coded = typed.filter(pl.col("code").is_not_null())
    if coded.is_empty():
        return []
    ranked = coded.with_columns(
        pl.int_range(pl.len()).over("file", "code").alias("place"), pl.len().over("file", "code").alias("count")
    )
    issues = []
    for row in ranked.filter(pl.col("place") <= SHOWN).iter_rows(named=True):
        file, code, place, count = names[row["file"]], row["code"], row["place"], row["count"]
        if code in _COUNTED:
            if place == 0:
                says = _COUNTED[code].format(rounding=market.rounding, count=count)
                issues.append(Issue(file, row["row"], code, says))
        elif place < SHOWN:
            issues.append(Issue(file, row["row"], code, _says(code, row)))
        else:
            issues.append(Issue(file, None, code, f"and {count - SHOWN} more rows like it"))
    return issues


def _says(code: str, row: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{name} {row[name]}" for name in PRICES)
    match code:
        case "date_unreadable":
            return f"has the date {shorten(row['date'])}; write it as 2026-01-31 or 20260131"
        case "date_out_of_range":
            return f"is dated {row['session']}, which cannot be (before 1900, or not yet come)"
        case "blank_value":
            return f"has no value for {', '.join(name for name in NEEDED if row[name].lower() in _BLANK)}"
        case "not_a_number":
            return f"has {_pairs(row, lambda number: number is None)}, not a plain number"
        case "number_too_large":
            return f"has {_pairs(row, lambda number: number is not None and abs(number) > LARGEST)}, beyond 2^53"
        case "negative_number":
            return f"has {_pairs(row, lambda number: number is not None and number < 0)}, below zero"
        case "volume_not_whole":
            return (
                f"has {_pairs(row, lambda number: number is not None and not number.is_integer())}; shares come whole"
            )
        case _:
            given = shorten(row.get("adjusted_close") or "")
            return _PLAIN[code].format(shown=shown, volume=row["volume"], adjusted=given)


def _pairs(row: Mapping[str, Any], wrong: Callable[[float | None], bool]) -> str:
    """The columns whose number is wrong, with their text; an unknown foreign figure is not wrong."""
    names = [name for name in (*NEEDED, FOREIGN) if row[name] is not None]
    known = [name for name in names if name != FOREIGN or row[name].lower() not in _BLANK]
    return ", ".join(f"{name} {shorten(row[name])}" for name in known if wrong(row[f"n_{name}"]))
