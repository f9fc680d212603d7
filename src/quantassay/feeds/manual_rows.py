"""The rows of a downloaded list of facts by name and day: typed, each doubt named, the same row twice counted once."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from quantassay.feeds import cell_values, day_checks
from quantassay.feeds.cell_values import Flaw
from quantassay.feeds.csv_text import capped, shorten
from quantassay.feeds.file_kinds import other_kind
from quantassay.feeds.header_map import Column, Table, find_table, headers_of, judge
from quantassay.feeds.issues import Issue
from quantassay.feeds.manual_read import Ask, Fact, ManualRead
from quantassay.feeds.raw_files import RawFile
from quantassay.feeds.table_file import TableFile, read_tables

TICKERS = ("종목코드", "단축코드", "ticker")
SESSIONS = ("일자", "날짜", "date")
# Folded headers of what every such list may have.
TICKER = "종목코드|단축코드|종목단축코드|종목번호|티커|(?:short|stock|issue|fund)?code|ticker|symbol|isusrtcd"
SESSION = (
    "일자|날짜|거래일자?|기준일자?|보고의무발생일자?|공시일자?"
    "|date|day|session|(?:trade|position|base)date|trddd|basdd|rptdutyoccrdd"
)
NAME = "종목명|한글종목명|종목약명|한글종목약명|펀드명|(?:issue|stock|fund)?name|isuabbrv|isunm"
# A code of the exchange inside a file's name: six characters, the first a digit.
_CODE_IN_NAME = re.compile(r"(?<![0-9A-Za-z])([0-9][0-9A-Z]{5})(?![0-9A-Za-z])")
# The earliest year that six digits YYMMDD or YYYYMM in a file's name would mean.
_FIRST_NAMED_YEAR = 2015


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: the numbers by field, None where nothing stands.

    `says` is whether it holds any of what the list is read for.
    """

    ticker: str
    session: date
    line: int
    values: Mapping[str, Decimal | None]
    says: bool


@dataclass(frozen=True, slots=True)
class Feed:
    """What a reader looks for.

    `wanted` names it in sentences; `fields` become facts, and without one of the `needed` ones it is another kind of
    list; `checked` only check them; `units` are the signs that may stand behind a number of a field; `signed` fields
    may be below zero, and `whole` ones count shares or won.
    """

    wanted: str
    columns: Callable[[Sequence[str]], tuple[Column, ...]]
    fields: tuple[str, ...]
    needed: tuple[str, ...]
    checked: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    signed: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Listed:
    """What a file holds: its form, its table, its rows of values; harmful issues where any of it cannot be used.

    `session` is the day of a whole list, None for a series.
    """

    form: str
    table: Table | None
    rows: tuple[Row, ...]
    names: Mapping[str, str]
    session: date | None
    issues: tuple[Issue, ...]


def read_rows(file: RawFile, feed: Feed, ask: Ask) -> Listed:
    """The rows of a list of facts. Never raises for what stands in the file."""
    tables = read_tables(file, judge(feed.columns(())))
    found = _table_of(tables, feed)
    if isinstance(found, Issue):
        issues = [*tables.issues, *([] if tables.issues else [found])]
        if any(issue.code == "empty_answer" for issue in issues):
            issues = [
                *_nothing(file, "is the site's answer in JSON without a row", "empty_answer", ask, (), dated=False)
            ]
        return Listed(tables.form, None, (), {}, None, tuple(issues))
    issues = [*tables.issues, *found.issues]
    if any(issue.code == "duplicate_column" for issue in issues):
        return Listed(tables.form, found, (), {}, None, tuple(issues))
    told = _Told.of(file, found, ask)
    issues += told.issues
    rows, more = _typed(file.name, found, feed, told)
    issues += more
    issues += _empty_or_wrong_day(file, found, rows, ask, told)
    names = {row.ticker: name for row, name in zip(rows, _names(found, rows), strict=True) if name}
    kept, more = _settled(file.name, rows, ask, series="session" in found.columns)
    return Listed(tables.form, found, tuple(kept), names, told.session, (*issues, *more))


@dataclass(frozen=True, slots=True)
class _Told:
    """The ticker of a series and the day of a list, as far as they do not stand in the rows."""

    ticker: str | None
    session: date | None
    day: day_checks.Told | None
    issues: tuple[Issue, ...]

    @classmethod
    def of(cls, file: RawFile, table: Table, ask: Ask) -> "_Told":
        issues: list[Issue] = []
        ticker: str | None = None
        if "ticker" not in table.columns:
            found = _ticker_of(file, ask)
            if isinstance(found, Issue):
                issues.append(found)
            else:
                ticker = found
        elif ask.ticker is not None:
            says = "has a code in each row; --ticker is not used"
            issues.append(Issue(file.name, None, "option_unused", says))
        if "session" in table.columns:
            if ask.session is not None:
                says = "has a date in each row; --date is not used"
                issues.append(Issue(file.name, None, "option_unused", says))
            return cls(ticker, None, None, tuple(issues))
        told = day_checks.day_of_list(file.name, file.stem, table.above, ask)
        # A list without rows is told apart by its day: whether it has one is said there.
        return cls(ticker, told.session, told, (*issues, *(told.issues if table.rows else ())))


def _table_of(tables: TableFile, feed: Feed) -> Table | Issue:
    """The table with the columns that the feed needs, or what the file is instead."""
    found = find_table(tables, feed.columns(()))
    headers = headers_of(tables)
    if isinstance(found, Issue):
        return other_kind(tables.name, headers, feed.wanted) or found if tables.tables else found
    columns = feed.columns(found.headers)
    if columns != feed.columns(()):
        found = find_table(tables, columns)
    if isinstance(found, Issue):
        return found
    has_key = "ticker" in found.columns or "session" in found.columns
    has_value = any(name in found.columns for name in feed.needed)
    if has_key and has_value:
        return found
    kind = other_kind(tables.name, found.headers, feed.wanted)
    if kind is not None and not has_value:
        return kind
    missing = "a code (종목코드) nor a date (일자)" if not has_key else feed.wanted
    shown = ", ".join(text for text, _ in found.mapping if text)
    says = f"has no column for {missing}; its header reads {shorten(shown)}; download it again"
    return Issue(tables.name, None, "missing_column", says)


def _ticker_of(file: RawFile, ask: Ask) -> str | Issue:
    """Whose a series is: --ticker, or the one code in the file's name."""
    codes: list[str] = list(dict.fromkeys(_CODE_IN_NAME.findall(file.stem)))
    found = [code for code in codes if not _month_or_day(code, ask.today)]
    if ask.ticker is not None:
        judged = cell_values.code(ask.ticker)
        if isinstance(judged, Flaw):
            return Issue(file.name, None, judged.code, f"is given --ticker {ask.ticker}, no six-character code")
        if found and judged not in found:
            says = f"names {found[0]}, and --ticker says {judged}; give the code that the series is of"
            return Issue(file.name, None, "ticker_mismatch", says)
        return judged
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} codes ({', '.join(found)})" if found else "no code"
    if codes and not found:
        what = f"{codes[0]}, which may be a code or a date,"
    return Issue(file.name, None, "no_ticker", f"names {what} and has none inside; give it with --ticker")


def _month_or_day(text: str, today: date) -> bool:
    """Whether six digits could be the month or the day of a download: 202611, 261120."""
    for form in ("%Y%m", "%y%m%d"):
        try:
            day = datetime.strptime(text, form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
        if _FIRST_NAMED_YEAR <= day.year <= today.year:
            return True
    return False


def _typed(name: str, table: Table, feed: Feed, told: _Told) -> tuple[list[Row], list[Issue]]:
    rows: list[Row] = []
    issues: list[Issue] = []
    fields = [text for text in (*feed.fields, *feed.checked) if text in table.columns]
    for i, line in enumerate(table.lines):
        flaws: list[Flaw] = []
        ticker = _key(table, "ticker", i, told.ticker, flaws)
        session = _key(table, "session", i, told.session, flaws)
        values = {text: _value(table.columns[text][i], text, feed, flaws) for text in fields}
        issues += [Issue(name, line, flaw.code, flaw.says) for flaw in flaws]
        if not flaws and isinstance(ticker, str) and isinstance(session, date):
            says = any(values.get(text) is not None for text in feed.needed)
            rows.append(Row(ticker, session, line, values, says))
    return rows, capped(issues)


def _key(table: Table, text: str, i: int, told: str | date | None, flaws: list[Flaw]) -> str | date | None:
    if text not in table.columns:
        return told
    cell = table.columns[text][i]
    if not cell:
        what = "no code" if text == "ticker" else "no date"
        flaws.append(Flaw("blank_value", f"has {what}; download it again"))
        return None
    value = cell_values.code(cell) if text == "ticker" else cell_values.day(cell)
    if isinstance(value, Flaw):
        flaws.append(value)
        return None
    return value


def _value(cell: str, text: str, feed: Feed, flaws: list[Flaw]) -> Decimal | None:
    value = cell_values.number(cell, feed.units.get(text, ""))
    if isinstance(value, Flaw):
        # A column that only checks others may hold what it likes.
        if text in feed.fields:
            flaws.append(Flaw(value.code, f"{value.says} ({text})"))
        return None
    if value is not None and value < 0 and text not in feed.signed and text in feed.fields:
        flaws.append(Flaw("negative_number", f"has {value} for {text}, below zero; download it again"))
        return None
    if value is not None and value % 1 and text in feed.whole:
        flaws.append(Flaw("volume_not_whole", f"has {value} for {text}, which comes whole; download it again"))
        return None
    return value


def _names(table: Table, rows: Sequence[Row]) -> Iterator[str]:
    by_line = dict(zip(table.lines, table.columns.get("name", ()), strict=False))
    return (cell_values.plain(by_line.get(row.line, "")) for row in rows)


def _empty_or_wrong_day(file: RawFile, table: Table, rows: Sequence[Row], ask: Ask, told: _Told) -> Iterator[Issue]:
    if any(issue.code == "columns_wrong" for issue in table.issues):
        return
    if table.rows == 0:
        yield from _nothing(file, "has a header and no rows", "header_only", ask, table.above, dated=told.day is None)
    elif rows and not any(row.says for row in rows):
        yield from _nothing(file, "has only dashes or blanks", "no_values", ask, table.above, dated=told.day is None)
    elif told.day is not None:
        issue = day_checks.judge_list_day(file.name, told.day, ask)
        if issue is not None:
            yield issue


def _nothing(file: RawFile, what: str, code: str, ask: Ask, above: Sequence[str], *, dated: bool) -> Iterator[Issue]:
    """What it means that a file has no values: no session, not out yet, or a failed export."""
    told = day_checks.day_of_list(file.name, file.stem, above, ask)
    if dated or told.session is None:
        step = "download it again" if dated else "give its day with --date, to learn whether the market was closed"
        yield Issue(file.name, None, code, f"{what}; {step}")
    elif day_checks.is_session(ask, told.session) is False:
        says = f"{what}: {told.session}, a {told.session:%A}, was no session; there is nothing to import"
        yield Issue(file.name, None, "market_closed", says)
    else:
        after = f": the site has {what.removeprefix('has ')} until then; download it again on that day"
        yet = day_checks.unpublished(file.name, None, told.session, ask, after)
        says = f"{what}, although {told.session} was a session: the export is empty; download it again"
        yield yet or Issue(file.name, None, code, says)


def _settled(name: str, rows: Sequence[Row], ask: Ask, *, series: bool) -> tuple[list[Row], list[Issue]]:
    """The rows without those that say nothing: the same twice, days not out yet, closed days of dashes."""
    issues: list[Issue] = []
    kept: dict[tuple[str, date], Row] = {}
    for row in rows:
        first = kept.setdefault((row.ticker, row.session), row)
        if first is not row:
            issues.append(_twice(name, first, row, series=series))
    blank: list[Row] = []
    if series:
        blank = [row for row in kept.values() if not row.says and _cannot_say(row, ask)]
        if blank:
            says = f"has dashes on days that are not out yet or were no session, passed over: {len(blank)}"
            issues.append(Issue(name, blank[0].line, "unpublished_blank", says))
    gone = {id(row) for row in blank}
    left = [row for row in kept.values() if id(row) not in gone]
    if series:
        issues += _series_issues(name, left, ask)
    return left, capped(issues)


def _cannot_say(row: Row, ask: Ask) -> bool:
    if row.session > ask.today or day_checks.is_session(ask, row.session) is False:
        return True
    return day_checks.unpublished("", None, row.session, ask) is not None


def _twice(name: str, first: Row, row: Row, *, series: bool) -> Issue:
    whose = f"{row.ticker} on {row.session}"
    if first.values == row.values:
        return Issue(name, row.line, "duplicate_row", f"repeats line {first.line} for {whose}")
    code = "date_conflict" if series else "ticker_twice"
    return Issue(name, row.line, code, f"has other values for {whose} than line {first.line}; download it again")


def _series_issues(name: str, rows: Sequence[Row], ask: Ask) -> Iterator[Issue]:
    days, lines = [row.session for row in rows], [row.line for row in rows]
    bad = list(day_checks.judge_row_days(name, days, lines, ask))
    yield from bad
    if len({row.ticker for row in rows}) == 1:
        yield from day_checks.out_of_order(name, days, lines)
    wrong = {issue.row for issue in bad}
    for row in rows:
        issue = None if row.line in wrong else day_checks.unpublished(name, row.line, row.session, ask)
        if issue is not None:
            yield issue
    if days and not bad:
        issue = day_checks.too_old(name, max(days), ask)
        if issue is not None:
            yield issue


def manual_read(file: RawFile, read: Listed, layout: str, facts: Sequence[Fact], issues: Sequence[Issue]) -> ManualRead:
    """What the readers of facts give back: all facts, or none where there is anything harmful or no fact at all."""
    loaded = bool(facts) and all(issue.harmless for issue in issues)
    days = [row.session for row in read.rows]
    return ManualRead(
        file=file.name,
        digest=file.digest,
        form=read.form,
        layout=layout,
        mapping=read.table.mapping if read.table else (),
        preview=read.table.preview if read.table else (),
        first=min(days, default=None),
        last=max(days, default=None),
        names=dict(read.names),
        facts=tuple(facts) if loaded else (),
        issues=tuple(sorted(issues, key=lambda issue: issue.order)),
        loaded=loaded,
    )
