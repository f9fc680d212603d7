"""Daily bars from CSV files: the ticker is the file's name, each fault a named issue, good files load beside bad."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

import polars as pl

from quantassay.feeds import bar_series
from quantassay.feeds.adjusted_prices import ADJUSTED_CLOSE, adjusted
from quantassay.feeds.bar_checks import FOREIGN, NEEDED, row_issues, type_rows
from quantassay.feeds.csv_text import Header, Sheet, read_sheet, shorten
from quantassay.feeds.issues import Issue
from quantassay.feeds.markets import Market
from quantassay.feeds.raw_files import RawFile
from quantassay.store import bars

# One frame for many files: the checks cost a frame, not a file.
BATCH = 250
LOT = 100
_HEADERS = {
    "date": ("date", "day", "session", "tradedate", "날짜", "일자", "거래일", "거래일자", "기준일", "기준일자"),
    "open": ("open", "시가"),
    "high": ("high", "고가"),
    "low": ("low", "저가"),
    "close": ("close", "종가"),
    "volume": ("volume", "vol", "거래량"),
    FOREIGN: ("foreignnetbuy", "외국인", "외국인순매수", "외국인순매수량", "외국인순매매", "외국인순매매량"),
    "ticker": ("ticker", "symbol", "code", "tscode", "종목코드", "단축코드", "티커"),
    ADJUSTED_CLOSE: ("adjclose", "adjustedclose"),
}
HEADER = Header(
    known={text: column for column, texts in _HEADERS.items() for text in texts},
    required=("date", *NEEDED),
    unused=frozenset(
        (
            *(
                "adjfactor",
                "amount",
                "value",
                "turnover",
                "tradedvalue",
                "name",
                "dividends",
            ),
            *("stocksplits", "change", "changepct", "pctchg", "preclose", "prevclose", "nav", "unnamed:0"),
            *("거래대금", "등락률", "대비", "전일비", "전일대비", "시가총액", "종목명", "기초지수"),
        )
    ),
)


class Prices(StrEnum):
    """Which prices of a file are read.

    RAW: open, high, low, close as they stand. ADJUSTED: brought to the file's adjusted close where it has one, else as
    they stand, in a file whose prices are adjusted ones. ADJUSTED_COLUMN: the same, and the file must have one.
    """

    RAW = "raw"
    ADJUSTED = "adjusted"
    ADJUSTED_COLUMN = "adjusted_column"


@dataclass(frozen=True, slots=True)
class FileRead:
    """What became of one file.

    `ticker` is None where the name is none; `rows` counts the bars loaded, or the rows found in a file that did not
    load; `digest` is that of its bytes; `refused` is the file itself where it did not load, to be put aside.
    """

    name: str
    ticker: str | None
    rows: int
    digest: str
    refused: RawFile | None = None

    @property
    def loaded(self) -> bool:
        """Whether its bars are in the frame."""
        return self.refused is None


@dataclass(frozen=True, slots=True)
class BarsRead:
    """The bars of the files that loaded, what became of each file, and all that was noticed."""

    frame: pl.DataFrame
    files: tuple[FileRead, ...]
    issues: tuple[Issue, ...]


def read_bars(
    files: Iterable[RawFile],
    market: Market,
    taken_at: datetime | None = None,
    latest: date = date.max,
    *,
    prices: Prices = Prices.RAW,
) -> BarsRead:
    """Read bar files of one market. Never raises for what stands in a file.

    Args:
        files: read from the disk by `raw_files`
        market: whose ticker form and price rules hold
        taken_at: when the bars were taken (aware); marks the bars of that date in the market's zone
        latest: the last date that a bar can be of
        prices: which prices of the files are meant

    Returns:
        a frame with the columns of `store.bars.SCHEMA`, one bar a ticker and session.
    """
    frames = [bars.empty()]
    reads: list[FileRead] = []
    issues: list[Issue] = []
    waiting = iter(files)
    while batch := list(islice(waiting, BATCH)):
        part = _read_batch(batch, market, latest, prices)
        frames.append(part.frame)
        reads += part.files
        issues += part.issues
    frame = pl.concat(frames)
    if taken_at is not None:
        local = taken_at.astimezone(ZoneInfo(market.zone)).date()
        taken = pl.when(pl.col("session") == local).then(
            pl.lit(taken_at.astimezone(UTC)).cast(pl.Datetime("us", "UTC"))
        )
        frame = frame.with_columns(taken.alias("taken_at"))
    return BarsRead(frame.sort(bars.KEY), tuple(reads), tuple(sorted(issues, key=lambda issue: issue.order)))


def _read_batch(batch: list[RawFile], market: Market, latest: date, prices: Prices) -> BarsRead:
    sheets = [_sheet(file, market, prices) for file in batch]
    names = [file.name for file in batch]
    typed = type_rows(pl.concat([_text_frame(i, sheet) for i, sheet in enumerate(sheets)]), market, latest)
    if prices is not Prices.RAW:
        typed = adjusted(typed)
    issues = [issue for sheet in sheets for issue in sheet.issues] + row_issues(typed, names, market)
    settled, more = bar_series.settle(bar_values(typed.filter(~is_no_bar())), names)
    issues += more
    counts = dict(settled.group_by("file").len().iter_rows())
    bad = {issue.file for issue in issues if not issue.harmless}
    for i, name in enumerate(names):
        if name not in bad and not counts.get(i):
            issues.append(Issue(name, None, "no_bars", "has dates and not one bar; export it again"))
            bad.add(name)
    good = [i for i, name in enumerate(names) if name not in bad]
    reads = [
        FileRead(
            name=file.name,
            ticker=file.stem if market.is_ticker(file.stem) else None,
            rows=counts[i] if i in counts and file.name not in bad else sheets[i].rows,
            digest=file.digest,
            refused=file if file.name in bad else None,
        )
        for i, file in enumerate(batch)
    ]
    stems = pl.DataFrame({"file": range(len(batch)), "ticker": [f.stem for f in batch], "source": names})
    kept = settled.filter(pl.col("file").is_in(good)).join(stems.cast({"file": pl.UInt32}), on="file")
    frame = kept.with_columns(pl.lit(None, pl.Datetime("us", "UTC")).alias("taken_at")).select(bars.SCHEMA.names())
    return BarsRead(frame, tuple(reads), tuple(issues))


def _sheet(file: RawFile, market: Market, prices: Prices) -> Sheet:
    """The file's text by column, with the issues that concern it as a whole."""
    if file.refusal is not None:
        return Sheet(file.name, {}, (), (), ",", 0, (file.refusal,))
    sheet = read_sheet(file.name, file.data, HEADER)
    found = [Issue(file.name, None, code, says) for code, says in _whole_file(file, sheet, market)]
    if prices is Prices.ADJUSTED_COLUMN and sheet.columns and ADJUSTED_CLOSE not in sheet.columns:
        says = "has no column Adj Close; import it with --prices raw, or with --prices adjusted if all its prices are"
        found.append(Issue(file.name, None, "adjusted_missing", says))
    return replace(sheet, issues=(*sheet.issues, *found))


def _whole_file(file: RawFile, sheet: Sheet, market: Market) -> Iterator[tuple[str, str]]:
    if not market.is_ticker(file.stem):
        yield "bad_ticker", f"is named {shorten(file.stem)}, no ticker of {market.key}; name the file <ticker>.csv"
    named = sorted({cell.strip() for cell in sheet.columns.get("ticker", ())})
    if len(named) > 1:
        yield (
            "several_tickers",
            f"holds {len(named)} tickers ({shorten(', '.join(named))}); split it, one file a ticker",
        )
    elif named and named != [file.stem]:
        yield "ticker_mismatch", f"holds {shorten(named[0])} inside; are leading zeros lost, or is the name wrong?"
    if sheet.delimiter == ";" and not market.whole_prices and _has_comma(sheet):
        yield "comma_ambiguous", "has ; between values and commas in numbers; write decimals with a point"
    if _in_lots(sheet):
        yield "volume_in_lots", f"gives volume in lots (vol beside ts_code); multiplied by {LOT}"


def _has_comma(sheet: Sheet) -> bool:
    return any("," in cell for name in NEEDED for cell in sheet.columns.get(name, ()))


def _in_lots(sheet: Sheet) -> bool:
    """Tushare's layout: `ts_code` beside `vol`, which counts lots of 100."""
    return "tscode" in sheet.headers and "vol" in sheet.headers


def _text_frame(index: int, sheet: Sheet) -> pl.DataFrame:
    columns = {name: list(sheet.columns.get(name, ())) for name in ("date", *NEEDED)}
    height = len(sheet.lines) if sheet.columns else 0
    foreign = sheet.columns.get(FOREIGN)
    adjusted_close = sheet.columns.get(ADJUSTED_CLOSE)
    return pl.DataFrame(
        {
            "file": pl.repeat(index, height, dtype=pl.UInt32, eager=True),
            "row": pl.Series(list(sheet.lines)[:height], dtype=pl.UInt32),
            "lot": pl.repeat(LOT if _in_lots(sheet) else 1, height, dtype=pl.UInt32, eager=True),
            **{name: pl.Series(cells, dtype=pl.String) for name, cells in columns.items()},
            FOREIGN: pl.Series([None] * height if foreign is None else list(foreign), dtype=pl.String),
            ADJUSTED_CLOSE: pl.Series(
                [None] * height if adjusted_close is None else list(adjusted_close), dtype=pl.String
            ),
        }
    )


def is_no_bar() -> pl.Expr:
    """Rows that are no bars: wrong ones, and those without any value."""
    return pl.col("code").is_not_null() & ~pl.col("code").is_in(["halt_bar", "open_unknown", "edge_rounding"])


def bar_values(typed: pl.DataFrame) -> pl.DataFrame:
    """The bars in their final types: a halt stands still at its close, an unknown open is null."""
    still = pl.col("code").eq_missing("halt_bar")
    prices = {name: pl.when(still).then("n_close").otherwise(f"n_{name}") for name in ("open", "high", "low")}
    prices["open"] = pl.when(pl.col("code").eq_missing("open_unknown").not_()).then(prices["open"])
    return typed.select(
        "file",
        "row",
        "session",
        *(expression.alias(name) for name, expression in prices.items()),
        pl.col("n_close").alias("close"),
        pl.col("n_volume").cast(pl.Int64).alias("volume"),
        pl.col(f"n_{FOREIGN}").cast(pl.Int64).alias(FOREIGN),
    )
