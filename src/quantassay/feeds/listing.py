"""The lists of listed companies that the exchange's disclosure site names .xls, in both of their forms."""

import re
from collections.abc import Iterator
from datetime import date

from quantassay.feeds import cell_values, day_checks
from quantassay.feeds.cell_values import Flaw
from quantassay.feeds.csv_text import capped, shorten
from quantassay.feeds.file_kinds import other_kind
from quantassay.feeds.header_map import Column, Table, find_table, headers_of, judge
from quantassay.feeds.issues import Issue
from quantassay.feeds.manual_read import Ask, ListedCompany, ListingRead
from quantassay.feeds.raw_files import RawFile
from quantassay.feeds.table_file import TableFile, read_tables
from quantassay.secrecy import kinds

_COLUMNS = (
    Column("name", "회사명|법인명|company(?:name)?", usual=("회사명",)),
    Column("ticker", "종목코드|단축코드|code|ticker", usual=("종목코드",)),
    Column("market", "시장구분|시장|market", usual=("시장구분",)),
    Column("sector", "업종|sector|industry", usual=("업종",)),
    Column("listed_on", "상장일자?|listed(?:on|date)|listingdate", usual=("상장일",)),
    Column("", "주요제품|결산월|대표자명|홈페이지|지역|main?products?|website|region", kept=False),
)
_NEEDED = {"name": "회사명", "ticker": "종목코드", "sector": "업종", "listed_on": "상장일"}
_WANTED = "the list of listed companies (상장법인목록)"


def read_listing(file: RawFile, ask: Ask) -> ListingRead:
    """The companies of a list, with the day it shows. Never raises for what stands in the file.

    `as_of` is --date, or the day in the file's name; a list that tells only its month shows the month's last day. A
    name without either shows the day of the import, because the site gives the list as it stands.
    """
    tables = read_tables(file, judge(_COLUMNS))
    table = _table(tables)
    if isinstance(table, Issue):
        return _result(file, tables.form, None, None, [], [*tables.issues, *([] if tables.issues else [table])])
    issues = [*tables.issues, *table.issues]
    names: list[ListedCompany] = []
    if not any(issue.code == "duplicate_column" for issue in issues):
        issues += capped(_companies(file.name, table, names))
    if table.rows == 0:
        issues.append(Issue(file.name, None, "header_only", "has a header and no company; download it again"))
    as_of = _as_of(file, ask)
    late = [company for company in names if company.listed_on is not None and company.listed_on > ask.today]
    if late:
        says = f"lists {late[0].ticker} from {late[0].listed_on} on, which has not come yet; download it again"
        issues.append(Issue(file.name, late[0].row, "date_out_of_range", says))
    if as_of > ask.today:
        says = f"would be of {as_of}, which has not come yet; give its day with --date"
        issues.append(Issue(file.name, None, "date_out_of_range", says))
    old = day_checks.too_old(file.name, as_of, ask)
    return _result(file, tables.form, table, as_of, names, [*issues, *([old] if old else [])])


def _table(tables: TableFile) -> Table | Issue:
    found = find_table(tables, _COLUMNS)
    headers = headers_of(tables)
    if isinstance(found, Issue):
        return (other_kind(tables.name, headers, _WANTED) or found) if tables.tables else found
    missing = [text for field, text in _NEEDED.items() if field not in found.columns]
    if not missing:
        return found
    shown = ", ".join(text for text, _ in found.mapping if text)
    says = f"has no column {', '.join(missing)}; its header reads {shorten(shown)}; download it again"
    kind = None if {"name", "ticker"} <= set(found.columns) else other_kind(tables.name, found.headers, _WANTED)
    return kind or Issue(tables.name, None, "missing_column", says)


def _companies(name: str, table: Table, names: list[ListedCompany]) -> Iterator[Issue]:
    first: dict[str, ListedCompany] = {}
    columns = [
        table.columns.get(field, ("",) * table.rows) for field in ("ticker", "name", "market", "listed_on", "sector")
    ]
    for line, *cells in zip(table.lines, *columns, strict=True):
        ticker, title, market, listed, sector = (cell_values.plain(cell) for cell in cells)
        code = cell_values.code(ticker)
        day = cell_values.day(listed) if listed and listed != "-" else None
        for flaw in (code, day):
            if isinstance(flaw, Flaw):
                yield Issue(name, line, flaw.code, flaw.says)
        if isinstance(code, Flaw) or isinstance(day, Flaw):
            continue
        if not title:
            yield Issue(name, line, "blank_value", f"has no name for {code}; download it again")
            continue
        if held := [what for cell in (title, market, sector) for what in kinds(repr(cell))]:
            yield Issue(name, line, "credential", f"holds {held[0]} beside {code}; take it out")
            continue
        company = ListedCompany(code, _tidy(title), _tidy(market) or None, day, _tidy(sector) or None, line)
        earlier = first.setdefault(code, company)
        if earlier is company:
            names.append(company)
        elif _same(earlier, company):
            yield Issue(name, line, "duplicate_row", f"repeats row {earlier.row} for {code}")
        else:
            says = f"lists {code} again, otherwise than row {earlier.row}; download it again"
            yield Issue(name, line, "ticker_twice", says)


def _same(one: ListedCompany, other: ListedCompany) -> bool:
    return (one.name, one.market, one.listed_on, one.sector) == (
        other.name,
        other.market,
        other.listed_on,
        other.sector,
    )


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _as_of(file: RawFile, ask: Ask) -> date:
    return ask.session or day_checks.day_in_name(file.stem, ask.today) or ask.today


def _result(
    file: RawFile, form: str, table: Table | None, as_of: date | None, names: list[ListedCompany], issues: list[Issue]
) -> ListingRead:
    loaded = bool(names) and all(issue.harmless for issue in issues)
    layout = f"listed companies, {len([h for h in table.headers if h])} columns" if table else ""
    return ListingRead(
        file=file.name,
        digest=file.digest,
        form=form,
        layout=layout,
        mapping=table.mapping if table else (),
        preview=table.preview if table else (),
        as_of=as_of,
        names=tuple(names) if loaded else (),
        issues=tuple(sorted(issues, key=lambda issue: issue.order)),
        loaded=loaded,
    )
