"""Which column of a downloaded list is what: headers drift in wording, order and dress, and each doubt is named."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from quantassay.feeds.csv_text import capped, shorten
from quantassay.feeds.issues import Issue
from quantassay.feeds.table_file import TOP, TableFile
from quantassay.feeds.table_rows import Rows

PREVIEW = 6
# One word of prose may be a header too; two in a row are none by accident.
FEWEST = 2
# No list has so many columns, nor so long a header.
WIDEST = 500
LONGEST = 200
# Two words of ten letters that share seven in order: one of them is the other, damaged or said anew.
_ALIKE = 0.7
# Letters that no header of the exchange has: neither Hangul nor Latin ones.
_FOREIGN = re.compile(r"[^\W0-9A-Za-z\uac00-\ud7a3]")
_DRESS = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_UNITS = frozenset(("주", "좌", "원", "%", "명", "krw", "won", "shares", "단위주", "단위원", "단위%"))
_SCALES = frozenset(
    (
        "천주",
        "만주",
        "백만주",
        "천원",
        "만원",
        "백만원",
        "억원",
        "십억원",
        "조원",
        "천",
        "백만",
        "억",
        "thousand",
        "million",
    )
)
_TOTALS = frozenset(("합계", "계", "소계", "총계", "총합계", "전체", "total", "sum", "subtotal"))
_NOTES = ("※", "*", "#", "주)", "주:", "자료", "출처", "단위", "조회", "source", "note")


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that a column may hold: the field and the pattern that its whole folded header must match.

    `kept` fields become facts; the others only help to read or to check them. An empty field is for headers that are
    known and passed over without a note. `usual` are the usual headers, folded: one that is nearly one of them is not
    passed over as unknown where the field is missing.
    """

    field: str
    pattern: str
    kept: bool = True
    usual: tuple[str, ...] = ()


_PASSED_OVER = Column("", "", kept=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A list as columns of text by field, each as long as `lines`.

    `mapping` has each header with its field or None; `headers` are folded; `above` is the text over the header;
    `rows` counts the rows below the header that are no totals, notes or blank lines.
    """

    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]
    mapping: tuple[tuple[str, str | None], ...]
    headers: tuple[str, ...]
    preview: tuple[tuple[str, ...], ...]
    above: tuple[str, ...]
    rows: int
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class _Located:
    """A header inside a table: its cells, the first row below it, and how many headers are known."""

    table: Rows
    cells: tuple[str, ...]
    below: int
    found: int


@lru_cache(maxsize=4096)
def fold(header: str) -> str:
    """A header as it is looked up: without case, blanks, punctuation and units."""
    text = unicodedata.normalize("NFKC", header[:LONGEST]).casefold()
    text = _BRACKETS.sub(lambda found: "" if _inside(found) in _UNITS | _SCALES else found.group(), text)
    return _DRESS.sub("", text)


def scale(header: str) -> str:
    """The unit in a header by which its values would have to be multiplied, or nothing."""
    text = unicodedata.normalize("NFKC", header[:LONGEST]).casefold()
    return next((_inside(found) for found in _BRACKETS.finditer(text) if _inside(found) in _SCALES), "")


def judge(columns: Sequence[Column]) -> Callable[[Sequence[str]], int]:
    """Counts the cells of a row that are headers of these columns; none where they are fewer than two of a list."""
    known = re.compile("|".join(f"(?:{column.pattern})" for column in columns))

    def count(cells: Sequence[str]) -> int:
        if len(cells) > WIDEST:
            return 0
        found = sum(1 for cell in cells if cell and known.fullmatch(fold(cell)))
        return found if found >= FEWEST else 0

    return count


def find_table(file: TableFile, columns: Sequence[Column]) -> Table | Issue:
    """The one table of a file whose header holds these columns, or why there is none to read."""
    count = judge(columns)
    located = [found for table in file.tables if (found := _locate(table, count)) is not None]
    if not located:
        first = next((row for table in file.tables for row in table.rows if any(row)), ())
        begins = shorten(" ".join(cell for cell in first if cell)) if first else "nothing"
        says = (
            f"begins with {begins}, and has no header of such a list in its first {TOP} rows; download the list again"
        )
        return Issue(file.name, None, "not_a_table", says)
    best = max(located, key=lambda found: found.found)
    if [found.found for found in located].count(best.found) > 1:
        says = f"has {len(located)} tables with such a header; keep the one that is meant and import it again"
        return Issue(file.name, None, "several_tables", says)
    return _table(file.name, best, columns)


def headers_of(file: TableFile) -> tuple[str, ...]:
    """All short cells of the first rows, folded: what tells the kind of a file that is not the one asked for."""
    rows = (row for table in file.tables for row in table.rows[:TOP])
    return tuple(dict.fromkeys(fold(cell) for row in rows for cell in row if cell and len(cell) <= TOP))


def _inside(found: re.Match[str]) -> str:
    return re.sub(r"[\s:]+", "", found.group(1))


def _locate(table: Rows, count: Callable[[Sequence[str]], int]) -> _Located | None:
    best: _Located | None = None
    for i, row in enumerate(table.rows[:TOP]):
        candidates = [_Located(table, row, i + 1, count(row))]
        if i + 1 < len(table.rows):
            both = _under_groups(row, table.rows[i + 1])
            candidates.append(_Located(table, both, i + 2, count(both)))
        for found in candidates:
            if found.found > (best.found if best else 0):
                best = found
    return best


def _under_groups(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...]:
    """One header out of two lines, where the upper one names groups: 수량 over 순보유잔고수량, 상장주식수."""
    group, cells = "", []
    for i in range(max(len(upper), len(lower))):
        above, below = (upper[i] if i < len(upper) else ""), (lower[i] if i < len(lower) else "")
        group = above or group
        cells.append(above if not below or above == below else f"{group}_{below}" if group else below)
    return tuple(cells)


def _table(name: str, found: _Located, columns: Sequence[Column]) -> Table:
    width = max(i for i, cell in enumerate(found.cells, 1) if cell.strip())
    header = tuple(cell.strip() for cell in found.cells[:width])
    folded = tuple(fold(cell) for cell in header)
    fields = [_column(text, key, columns) for text, key in zip(header, folded, strict=True)]
    line = found.table.lines[found.below - 1]
    issues = [*_header_issues(name, line, header, fields), *_near_issues(name, line, header, fields, columns)]
    body, numbers, more = _body(name, found, header, fields)
    issues += more
    cells = list(zip(*body, strict=True)) if body else [()] * len(header)
    by_field: dict[str, tuple[str, ...]] = {}
    for column, values in zip(fields, cells, strict=True):
        if column is not None and column.field:
            by_field.setdefault(column.field, tuple(values))
    mapping = tuple(
        (text, column.field if column and column.kept and column.field else None)
        for text, column in zip(header, fields, strict=True)
    )
    above = tuple(cell for row in found.table.rows[: found.below - 1] for cell in row if cell.strip())
    preview = (header, *(tuple(row) for row in body[: PREVIEW - 1]))
    return Table(by_field, tuple(numbers), mapping, folded, preview, above, len(body), tuple(issues))


def _column(text: str, key: str, columns: Sequence[Column]) -> Column | None:
    """What the column holds. One that only checks others is of no use in another unit."""
    found = next((column for column in columns if key and re.fullmatch(column.pattern, key)), None)
    return _PASSED_OVER if found and scale(text) and not found.kept else found


def _header_issues(name: str, line: int, header: Sequence[str], fields: Sequence[Column | None]) -> Iterator[Issue]:
    used = Counter(column.field for column in fields if column and column.field)
    for field, count in used.items():
        if count > 1:
            both = ", ".join(
                text for text, column in zip(header, fields, strict=True) if column and column.field == field
            )
            says = f"has {count} columns for {field} ({shorten(both)}); remove the wrong one and import it again"
            yield Issue(name, line, "duplicate_column", says)
    for text, column in zip(header, fields, strict=True):
        if column and column.field and scale(text):
            says = f"gives {shorten(text)} in {scale(text)}; choose single shares (주) and won (원) at the site"
            yield Issue(name, line, "unit_other", f"{says} and download it again")
    strange = [text for text, column in zip(header, fields, strict=True) if text and column is None]
    if strange:
        yield Issue(name, line, "column_ignored", f"does not use the columns {shorten(', '.join(strange))}")
    if header and not header[0]:
        yield Issue(name, line, "index_column", "has a first column without a header, passed over")


def _near_issues(
    name: str, line: int, header: Sequence[str], fields: Sequence[Column | None], columns: Sequence[Column]
) -> Iterator[Issue]:
    """Headers that nobody knows and that may be one that is missing: damaged, or new wording of the site."""
    there = {column.field for column in fields if column}
    missing = [(column.field, usual) for column in columns if column.field not in there for usual in column.usual]
    for text, column in zip(header, fields, strict=True):
        if column is not None or not text:
            continue
        key = fold(text)
        near = next((field for field, usual in missing if _alike(key, usual)), None)
        if near is not None:
            says = f"has no column for {near}, and does not know {shorten(text)}, which may be it"
        elif _FOREIGN.search(key):
            says = f"has the header {shorten(text)}, which is damaged"
        else:
            continue
        step = "download it again, or correct this header by hand if the site has a new word for it"
        yield Issue(name, line, "header_unknown", f"{says}; {step}")


def _alike(key: str, usual: str) -> bool:
    if len(key) == len(usual) and sum(one != other for one, other in zip(key, usual, strict=True)) == 1:
        return True
    return SequenceMatcher(None, key, usual).ratio() >= _ALIKE


def _body(
    name: str, found: _Located, header: tuple[str, ...], fields: Sequence[Column | None]
) -> tuple[list[tuple[str, ...]], list[int], list[Issue]]:
    """The rows of values with their lines; totals, notes, repeated headers and blank lines are told, not read."""
    body, numbers, issues = [], [], []
    keys = [i for i, column in enumerate(fields) if column and column.field in ("ticker", "session")]
    for row, line in zip(found.table.rows[found.below :], found.table.lines[found.below :], strict=True):
        cells = _fitted(row, len(header))
        filled = [cell for cell in row if cell.strip()]
        if not filled:
            issues.append(Issue(name, line, "blank_line", "is blank, passed over"))
        elif len(filled) == 1 and len(header) > 1 and filled[0].strip().casefold().startswith(_NOTES):
            issues.append(Issue(name, line, "note_line", f"is a note, passed over: {shorten(filled[0].strip())}"))
        elif cells is None:
            says = f"has {len(row)} values where the header has {len(header)}: {shorten(','.join(row))}"
            issues.append(Issue(name, line, "columns_wrong", f"{says}; download it again"))
        elif cells == header:
            issues.append(Issue(name, line, "header_again", "repeats the header, passed over"))
        elif _is_total(cells, keys):
            issues.append(Issue(name, line, "total_line", f"is a total, passed over: {shorten(','.join(filled))}"))
        else:
            body.append(cells)
            numbers.append(line)
    return body, numbers, capped(issues)


def _fitted(row: Sequence[str], width: int) -> tuple[str, ...] | None:
    """The row cut to the header's width where only blanks stand beyond it; None where it does not fit."""
    if len(row) < width or any(cell.strip() for cell in row[width:]):
        return None
    return tuple(cell.strip() for cell in row[:width])


def _is_total(cells: Sequence[str], keys: Sequence[int]) -> bool:
    """Whether no key stands in the row, and a word such as 합계 does."""
    words = {re.sub(r"\s+", "", cell).casefold() for cell in cells}
    return all(not cells[i] or cells[i].casefold() in _TOTALS for i in keys) and bool(words & _TOTALS)
