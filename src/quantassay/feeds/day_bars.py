"""The bars of one board on one day: rows of text in, checked as imported files are, typed bars and refused rows out."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl

from quantassay.feeds.bar_checks import FOREIGN, NEEDED, row_issues, type_rows
from quantassay.feeds.csv_bars import bar_values, is_no_bar
from quantassay.feeds.csv_text import shorten
from quantassay.feeds.day_answers import BAD_ANSWER, NO_ROWS, NoAnswer, Row
from quantassay.feeds.issues import Issue
from quantassay.feeds.markets import Market
from quantassay.feeds.raw_files import RawFile
from quantassay.store import bars
from quantassay.store.bars_index import sha256

# What was traded over its volume is a price of the day. Trades outside of the session may lie beyond its range, never
# by this much; a volume that lost its upper bits does.
_FARTHEST = 2
_BLANK = ("", "-")


@dataclass(frozen=True, slots=True)
class Board:
    """What the rows must be: of which market and session, out of which file, taken when (aware), how many at least."""

    market: Market
    session: date
    file: str
    taken_at: datetime
    least_names: int
    largest_refused_share: Decimal


@dataclass(frozen=True, slots=True)
class DayRead:
    """The bars, columns as in `store.bars.SCHEMA`; each refused row as a file of its own; all that was noticed."""

    frame: pl.DataFrame
    refused: tuple[tuple[str, RawFile], ...]
    issues: tuple[Issue, ...]


def read_day(rows: Sequence[Row], board: Board) -> DayRead:
    """Type and check the rows of an answer. A name whose row does harm has no bar of the day; the others load.

    A source writes a dash or nothing for what it does not know: a row without any value is no bar. A halt, or a day
    without a trade, comes as zeros, or as dashes beside a volume of 0, with a close: the price stood still at it.

    Raises NoAnswer where too few rows, or too few usable ones, say that the answer as a whole cannot be believed.
    """
    if len(rows) < board.least_names:
        says = f"{board.file} has {len(rows)} names where at least {board.least_names} must be: a piece of the board"
        raise NoAnswer(BAD_ANSWER, f"{says}; it is kept in data/imports/quarantine")
    found, once = _before_typing(rows, board)
    typed = type_rows(_text_frame(rows, once, board.session), board.market, board.session)
    contradicting = {row: says for row, says in _contradictions(typed.filter(~is_no_bar()), rows) if row not in found}
    found |= {row: ("amounts_contradict", says) for row, says in contradicting.items()}
    ours = typed.filter(~pl.col("row").is_in(list(found)))
    harmful = ours.filter(pl.col("code").is_not_null() & is_no_bar() & (pl.col("code") != "empty_bar"))
    named = [_entry(board, rows, row) for row in harmful["row"]]
    alone = harmful.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("file"))
    issues = row_issues(alone, named, board.market)
    issues += [Issue(_entry(board, rows, row), row, code, says) for row, (code, says) in sorted(found.items())]
    refused_rows = sorted({*harmful["row"], *found})
    _believable(len(refused_rows), len(rows), board, issues)
    good = ours.filter(~pl.col("row").is_in(refused_rows))
    issues += [*row_issues(good, [board.file], board.market), *_repeats(rows, once, board)]
    frame = bar_values(good.filter(~is_no_bar())).with_columns(
        pl.col("row").replace_strict({n: row.ticker for n, row in enumerate(rows, start=1)}).alias("ticker"),
        pl.lit(board.file).alias("source"),
        pl.lit(board.taken_at.astimezone(UTC)).cast(pl.Datetime("us", "UTC")).alias("taken_at"),
    )
    if frame.is_empty():
        says = f"{board.file} has {len(rows)} names and not one bar, as for a day that has not begun or was none"
        raise NoAnswer(NO_ROWS, says)
    refused = tuple((rows[row - 1].ticker, _raw_row(board, rows, row)) for row in refused_rows)
    return DayRead(frame.select(bars.SCHEMA.names()).cast(bars.SCHEMA).sort(bars.KEY), refused, tuple(issues))


def _before_typing(rows: Sequence[Row], board: Board) -> tuple[dict[int, tuple[str, str]], list[int]]:
    """What is wrong with rows before their values are looked at, by row; and the rows that say something new."""
    wrong: dict[int, tuple[str, str]] = {}
    once: list[int] = []
    versions: dict[str, dict[Row, int]] = {}
    for number, row in enumerate(rows, start=1):
        if not board.market.is_ticker(row.ticker):
            wrong[number] = ("bad_ticker", f"has the code {shorten(row.ticker)}, no ticker of {board.market.key}")
        same = versions.setdefault(row.ticker, {})
        if row not in same:
            once.append(number)
            same[row] = number
    for ticker, same in versions.items():
        if len(same) > 1:
            says = f"gives {len(same)} different bars of {ticker}, in rows {', '.join(map(str, same.values()))}"
            wrong |= dict.fromkeys(same.values(), ("ticker_twice", says))
    return wrong, once


def _text_frame(rows: Sequence[Row], once: Sequence[int], session: date) -> pl.DataFrame:
    chosen = [_stood_still(rows[number - 1]) for number in once]
    cells = {name: pl.Series([getattr(row, name) for row in chosen], dtype=pl.String) for name in NEEDED}
    return pl.DataFrame({"row": pl.Series(once, dtype=pl.UInt32), **cells}).select(
        pl.lit(0, pl.UInt32).alias("file"),
        "row",
        pl.lit(1, pl.UInt32).alias("lot"),
        pl.lit(session.isoformat()).alias("date"),
        *NEEDED,
        pl.lit(None, pl.String).alias(FOREIGN),
    )


def _stood_still(row: Row) -> Row:
    """A row of a name that was not traded, written as zeros: a volume of 0 says so, dashes alone say nothing."""
    no_prices = all(value in _BLANK for value in (row.open, row.high, row.low))
    if no_prices and row.volume == "0" and row.close not in _BLANK:
        return row._replace(open="0", high="0", low="0")
    return row


def _contradictions(typed: pl.DataFrame, rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    """Rows whose traded value and volume give no price of the day: one of both has lost digits."""
    traded = typed.filter((pl.col("n_volume") > 0) & (pl.col("n_low") > 0) & (pl.col("n_high") > 0))
    for number, volume, low, high in traded.select("row", "n_volume", "n_low", "n_high").iter_rows():
        text = rows[number - 1].value.replace(",", "")
        if not (text.isascii() and text.isdigit()):
            continue
        mean = int(text) / volume
        if not low / _FARTHEST <= mean <= high * _FARTHEST:
            yield (
                number,
                f"has the volume {volume:.0f} and the traded value {text}, {mean:.0f} a share, at {low:g} to {high:g}",
            )


def _believable(refused: int, there: int, board: Board, issues: Sequence[Issue]) -> None:
    if Decimal(refused) <= board.largest_refused_share * there:
        return
    codes = ", ".join(f"{code} {count}" for code, count in sorted(Counter(issue.code for issue in issues).items()))
    says = f"{board.file} has {refused} unusable rows of {there} ({codes}), too many to believe the others"
    raise NoAnswer(BAD_ANSWER, f"{says}; it is kept in data/imports/quarantine")


def _repeats(rows: Sequence[Row], once: Sequence[int], board: Board) -> list[Issue]:
    if len(once) == len(rows):
        return []
    says = f"rows that stand there again with equal values: {len(rows) - len(once)}"
    return [Issue(board.file, None, "duplicate_row", says)]


def _entry(board: Board, rows: Sequence[Row], number: int) -> str:
    """What a refused row is called in the import log: the file, and whose row it is."""
    return f"{board.file}#{shorten(rows[number - 1].ticker).strip(chr(39))}"


def _raw_row(board: Board, rows: Sequence[Row], number: int) -> RawFile:
    data = json.dumps(rows[number - 1]._asdict(), ensure_ascii=False, sort_keys=True).encode() + b"\n"
    return RawFile(_entry(board, rows, number), rows[number - 1].ticker, data, sha256(data))
