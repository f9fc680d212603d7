"""The text of a delimited file: encoding, delimiter, header, rows by column; every doubt is a named issue."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from quantassay.feeds.issues import Issue

DELIMITERS = ",;\t"
# Enough to find the fault by; a file of ten thousand bad rows has one fault, not ten thousand.
SHOWN = 10
# A line of prose may hold one word that is also a header; two are no accident.
_FEWEST_HEADERS = 2
_EXCERPT = 40
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Header:
    """Which headers mean what: `known` maps the folded header to our column, `unused` are known and left alone."""

    known: Mapping[str, str]
    required: tuple[str, ...]
    unused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as columns of text.

    `columns` holds our column names, each as long as `lines`, the line of each row in the file; empty where the file
    could not be read as a table at all. `headers` are the file's own, folded. `rows` counts the rows that were there.
    """

    name: str
    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    headers: tuple[str, ...]
    delimiter: str
    rows: int
    issues: tuple[Issue, ...]


def fold(header: str) -> str:
    """A header as it is looked up: case, spaces and underscores do not count."""
    return re.sub(r"[\s_]+", "", header).casefold()


def read_sheet(name: str, data: bytes, header: Header) -> Sheet:
    """The rows of a CSV file by column. Never raises: what is wrong stands in `issues`."""
    text, _, refusal = decode(data)
    if refusal is not None:
        return _refused(name, None, *refusal)
    try:
        rows, lines, delimiter = split(text, header=header)
    except csv.Error as error:
        return _refused(name, None, "not_a_table", f"its quoting is broken ({error}); export it again")
    if not rows:
        return _refused(name, None, "empty_file", "holds no text at all; export it again")
    folded = tuple(fold(cell) for cell in rows[0])
    refusal = _judge_header(rows[0], folded, header)
    if refusal is not None:
        return _refused(name, lines[0], *refusal)
    return _sheet(name, rows, lines, folded, header, delimiter)


def shorten(text: str) -> str:
    """The text, quoted, short enough for one line."""
    return repr(text if len(text) <= _EXCERPT else text[:_EXCERPT] + "...")


def capped(issues: Iterable[Issue]) -> list[Issue]:
    """The first SHOWN issues of each code of one file, and one line that counts the rest."""
    kept: list[Issue] = []
    seen: Counter[str] = Counter()
    file = ""
    for issue in issues:
        file = issue.file
        seen[issue.code] += 1
        if seen[issue.code] <= SHOWN:
            kept.append(issue)
    more = ((code, count - SHOWN) for code, count in seen.items() if count > SHOWN)
    return kept + [Issue(file, None, code, f"and {count} more rows like it") for code, count in more]


def _refused(name: str, row: int | None, code: str, says: str) -> Sheet:
    return Sheet(name, {}, (), (), ",", 0, (Issue(name, row, code, says),))


def decode(data: bytes, *, wide: bool = False) -> tuple[str, str, tuple[str, str] | None]:
    """The text with plain line feeds, its encoding in words, and code and reason where there is none.

    `wide` also takes UTF-16 that says so in its first two bytes.
    """
    if not data:
        return "", "", ("empty_file", "is empty (0 bytes); export it again")
    if data.startswith(_UTF_16) and not wide:
        return "", "", ("not_text", "is UTF-16; save it as UTF-8")
    for encoding in ("utf-16",) if data.startswith(_UTF_16) else ("utf-8-sig", "cp949"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        return (
            "",
            "",
            ("not_text", "is neither UTF-8 nor CP949 text; is it a spreadsheet or an archive? save it as CSV"),
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    control = _CONTROL.search(text)
    if control is not None:
        line = text.count("\n", 0, control.start()) + 1
        return "", "", ("not_text", f"holds the control character {control.group()!r} in line {line}; export it again")
    with_mark = "UTF-8 with BOM" if data.startswith(b"\xef\xbb\xbf") else "UTF-8"
    return text, {"utf-16": "UTF-16", "cp949": "CP949"}.get(encoding, with_mark), None


def split(
    text: str, delimiter: str | None = None, header: Header | None = None
) -> tuple[list[list[str]], list[int], str]:
    """Rows from the first line with text on, the line of each, the delimiter. Raises csv.Error.

    Where no delimiter is given, it is the one that finds most of the `header` in the first line.
    """
    lines = text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    start = next((i for i, line in enumerate(lines) if line.strip()), 0)
    lines = lines[start:]
    if delimiter is None:
        first = lines[0].replace('"', "") if lines else ""
        delimiter = max(DELIMITERS, key=lambda mark: _recognised(first.split(mark), header))
    if '"' not in text:
        return [line.split(delimiter) for line in lines], list(range(start + 1, start + 1 + len(lines))), delimiter
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows, numbers = [], []
    for row in reader:
        rows.append(row or [""])
        numbers.append(start + reader.line_num)
    return rows, numbers, delimiter


def _recognised(cells: Sequence[str], header: Header | None) -> int:
    return sum(fold(cell) in header.known for cell in cells) if header is not None else 0


def _judge_header(cells: Sequence[str], folded: Sequence[str], header: Header) -> tuple[str, str] | None:
    if _recognised(cells, header) < _FEWEST_HEADERS:
        return "not_a_table", f"begins with {shorten(' '.join(cells).strip())}, which is no header of this kind of file"
    found = [header.known[cell] for cell in folded if cell in header.known]
    missing = [column for column in header.required if column not in found]
    if missing:
        return "missing_column", f"has no column for {', '.join(missing)}; its header reads {shorten(','.join(cells))}"
    twice = [column for column, count in Counter(found).items() if count > 1]
    if twice:
        return "duplicate_column", f"has two columns for {', '.join(twice)}; remove the wrong one"
    return None


def _sheet(
    name: str, rows: list[list[str]], lines: list[int], folded: tuple[str, ...], header: Header, delimiter: str
) -> Sheet:
    width = len(folded)
    issues: list[Issue] = []
    body, numbers = rows[1:], lines[1:]
    blank: list[int] = []
    if any(len(row) != width for row in body) or any(not row[0].strip() for row in body):
        body, numbers, blank, wrong = _sort_out(name, body, numbers, width)
        issues += capped(wrong)
    if blank:
        issues.append(Issue(name, blank[0], "blank_line", f"blank lines between the rows, passed over: {len(blank)}"))
    strange = [
        cell for cell, key in zip(rows[0], folded, strict=True) if key not in header.known and _strange(key, header)
    ]
    if strange:
        issues.append(
            Issue(name, lines[0], "column_ignored", f"does not use the columns {shorten(', '.join(strange))}")
        )
    if not body and not any(not issue.harmless for issue in issues):
        issues.append(Issue(name, None, "header_only", "has a header and no rows: no session, or a failed export"))
    cells = list(zip(*body, strict=True)) if body else [()] * width
    columns = {header.known[key]: column for key, column in zip(folded, cells, strict=True) if key in header.known}
    return Sheet(name, columns, numbers, folded, delimiter, len(rows) - 1 - len(blank), tuple(issues))


def _strange(key: str, header: Header) -> bool:
    return key != "" and key not in header.unused


def _sort_out(
    name: str, body: list[list[str]], lines: list[int], width: int
) -> tuple[list[list[str]], list[int], list[int], list[Issue]]:
    """Rows of the right width with their lines; the blank lines; an issue for each row of another width."""
    good: list[list[str]] = []
    wrong: list[Issue] = []
    numbers: list[int] = []
    blank: list[int] = []
    for row, line in zip(body, lines, strict=True):
        if not any(cell.strip() for cell in row):
            blank.append(line)
        elif len(row) != width:
            says = f"has {len(row)} values where the header has {width}: {shorten(','.join(row))}"
            wrong.append(Issue(name, line, "columns_wrong", says))
        else:
            good.append(row)
            numbers.append(line)
    return good, numbers, blank, wrong
