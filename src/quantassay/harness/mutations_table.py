"""Small wrongs done to a table artifact: to sampled cells of each column, to rows, to columns."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from quantassay.harness.compare import ABSENT
from quantassay.harness.mutations import EXTRA, Mutant, evenly, numbers, ticker_texts
from quantassay.harness.pointers import join

_DAY = timedelta(days=1)


def mutants(frame: pl.DataFrame, *, per_pattern: int | None = 4) -> Iterator[Mutant]:
    """Every mutant of the frame, or at most `per_pattern` for each operator and column, evenly chosen.

    The pointer of a cell is /row/column with rows from 0; the pattern is /*/column.
    """
    for column in frame.columns:
        yield from _cells(frame, column, per_pattern)
        yield Mutant("missing column", join(column), join(column), "(column)", ABSENT, frame.drop(column))
    rows = evenly(range(frame.height), per_pattern)
    for row in rows:
        values = frame.row(row, named=True)
        before, own, after = frame.head(row), frame.slice(row, 1), frame.slice(row + 1)
        yield Mutant("missing row", join(row), "/*", values, ABSENT, pl.concat([before, after]))
        yield Mutant("doubled row", join(row), "/*", ABSENT, values, pl.concat([before, own, own, after]))
        if after.height and not after.head(1).equals(own):
            swapped = pl.concat([before, after.head(1), own, after.slice(1)])
            yield Mutant("swapped rows", join(row), "/*", values, after.row(0, named=True), swapped)
    if frame.height:
        yield Mutant("emptied", "", "", f"{frame.height} rows", "0 rows", frame.clear())
    if EXTRA not in frame.columns:
        yield Mutant("extra column", join(EXTRA), join(EXTRA), ABSENT, 1, frame.with_columns(pl.lit(1).alias(EXTRA)))


def _cells(frame: pl.DataFrame, column: str, per_pattern: int | None) -> Iterator[Mutant]:
    series = frame[column]
    known = series.is_not_null().arg_true().to_list()
    texts = sorted(series.unique().drop_nulls().to_list()) if series.dtype == pl.String else []
    for row in evenly(known, per_pattern):
        for operator, after in _values(series[row], texts):
            changed = _with_cell(series, row, after)
            # A number beyond the column's type cannot be put there, and would not be a mutant.
            if changed is not None and not changed.equals(series, null_equal=True):
                data = frame.with_columns(changed)
                yield Mutant(operator, join(row, column), f"/*{join(column)}", series[row], after, data)


def _values(value: Any, texts: Sequence[str]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, bool):
        yield "flipped", not value
    elif isinstance(value, int | float):
        yield from numbers(value)
    elif isinstance(value, date):
        yield "day later", value + _DAY
        yield "day earlier", value - _DAY
    elif isinstance(value, str):
        yield from ticker_texts(value or " ", texts)
        yield "blanked", ""
    yield "made null", None


def _with_cell(series: pl.Series, row: int, value: Any) -> pl.Series | None:
    try:
        cell = pl.Series(series.name, [value], dtype=series.dtype)
    except (OverflowError, TypeError, pl.exceptions.PolarsError):
        return None
    return pl.concat([series.head(row), cell, series.slice(row + 1)])
