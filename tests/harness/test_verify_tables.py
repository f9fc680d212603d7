"""A table of a package is read again: another content behind the same sidecar is found."""

from dataclasses import dataclass
from datetime import date

import polars as pl
import pytest

from quantassay.harness import canonical, tables, verify_tables

FRAME = pl.DataFrame({"ticker": ["A", "B"], "session": [date(2026, 11, 17), date(2026, 11, 18)], "close": [1.5, None]})


@dataclass(frozen=True)
class Table:
    frame: pl.DataFrame
    key: tuple[str, ...] = ("ticker",)


def members_of(frame, ending=""):
    data, parquet = tables.encode("history", Table(FRAME))
    changed = parquet if frame is FRAME else tables.encode("history", Table(frame))[1]
    envelope = {"data": data} if not ending else {"would_have_been": {"data": data}}
    stem = f"artifacts/history_v1{ending}"
    return {f"{stem}.json": canonical.dumps(envelope), f"{stem}.parquet": changed}


@pytest.mark.parametrize("ending", ["", ".audit"])
def test_the_table_that_was_judged_is_in_order(ending):
    assert list(verify_tables.problems(members_of(FRAME, ending))) == []


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (FRAME.with_columns(close=pl.Series([1.5, 2.0])), "the content of close"),
        (FRAME.with_columns(session=pl.col("session").shift(1)), "the content of session"),
        (FRAME.with_columns(close=pl.col("close").cast(pl.Float32)), "the content of close"),
        (FRAME.head(1), "it holds 1 rows, its sidecar says 2"),
        (FRAME.drop("close"), "it holds the columns ticker, session"),
    ],
)
def test_other_content_behind_the_same_sidecar_is_found(frame, says):
    assert any(says in problem for problem in verify_tables.problems(members_of(frame)))


def test_a_table_that_cannot_be_read_or_has_no_sidecar_is_found():
    members = members_of(FRAME)
    broken = {name: b"PAR1" if name.endswith(".parquet") else data for name, data in members.items()}
    assert "cannot be read" in next(verify_tables.problems(broken))
    alone = {name: data for name, data in members.items() if name.endswith(".parquet")}
    assert "has no sidecar" in next(verify_tables.problems(alone))
