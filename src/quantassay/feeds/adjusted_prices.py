"""Adjusted open, high and low from a file that gives only an adjusted close beside the prices as they were traded.

A split or a dividend lowers every price of a day by one factor, so the day's other prices follow its adjusted close in
the ratio of the two closes. They are rounded to millionths; a price equal to the close becomes the adjusted close
itself, and high and low enclose it, so that rounding never puts a close outside its own day.
"""

import polars as pl

ADJUSTED_CLOSE = "adjusted_close"
_PLACES = 6
# What does no harm to a row leaves it a bar.
_A_BAR = ("halt_bar", "open_unknown", "edge_rounding")


def adjusted(typed: pl.DataFrame) -> pl.DataFrame:
    """The typed rows with their prices brought to the adjusted close; a file without one stays as it is.

    `typed` has n_open..n_close, `code` and the text `adjusted_close` (null where the file has no such column). A bar
    whose adjusted close is no price above zero gets the code `adjusted_unreadable`.
    """
    text = pl.col(ADJUSTED_CLOSE).str.strip_chars().str.replace_all(",", "", literal=True)
    target = text.cast(pl.Float64, strict=False)
    is_bar = pl.col("code").is_null() | pl.col("code").is_in(_A_BAR)
    given = pl.col(ADJUSTED_CLOSE).is_not_null() & is_bar
    readable = target.is_finite() & (target > 0)
    close = pl.col("n_close")

    def moved(name: str) -> pl.Expr:
        price = pl.col(name)
        return pl.when(price == close).then(target).otherwise((price * target / close).round(_PLACES))

    usable = given & readable.fill_null(value=False)
    return typed.with_columns(
        pl.when(given & ~readable.fill_null(value=False))
        .then(pl.lit("adjusted_unreadable"))
        .otherwise("code")
        .alias("code"),
        pl.when(usable).then(moved("n_open")).otherwise("n_open").alias("n_open"),
        pl.when(usable).then(pl.max_horizontal(moved("n_high"), target)).otherwise("n_high").alias("n_high"),
        pl.when(usable).then(pl.min_horizontal(moved("n_low"), target)).otherwise("n_low").alias("n_low"),
        pl.when(usable).then(target).otherwise("n_close").alias("n_close"),
    )
