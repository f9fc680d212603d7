"""The rows of a downloaded file, whatever it is in truth: delimited text, a spreadsheet, a web table named .xls."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from quantassay.feeds import csv_text, spreadsheet, web_table
from quantassay.feeds.csv_text import DELIMITERS, decode, split
from quantassay.feeds.issues import Issue
from quantassay.feeds.raw_files import RawFile
from quantassay.feeds.table_rows import LARGEST_CELLS, Rows, Unreadable

# The largest of these lists, of all companies, has about one megabyte.
LARGEST_BYTES = 16 * 2**20
# What a line weighs beside its values, so that a million empty lines are too many as well.
LINE_CELLS = 4
# A title, the day asked for, units: no export has more lines above its header.
TOP = 30
_AGAIN = "download it again as CSV"
# What the first bytes of a file say that it is.
_SIGNATURES = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a SQLite database"),
)
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DELIMITED = {",": "CSV", ";": "text with semicolons", "\t": "text with tabs"}
# Letters that appear where UTF-8 was read as Western text or as nothing at all, and saved so.
_REPLACED = "\ufffd"
_MANGLED = ("latin-1", "cp1252")

Judge = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file as tables of text cells; `form` says what it is. Without tables, an issue says why."""

    name: str
    form: str
    tables: tuple[Rows, ...] = ()
    issues: tuple[Issue, ...] = field(default=())


def read_tables(file: RawFile, known: Judge) -> TableFile:
    """Every table of a file. Never raises for what stands in it; its name decides nothing.

    `known` counts how many cells of a row are headers that the caller knows: it finds the delimiter.
    """
    if file.refusal is not None:
        return TableFile(file.name, "", issues=(file.refusal,))
    if len(file.data) > LARGEST_BYTES:
        says = f"has {len(file.data)} bytes, more than any such list; {_AGAIN}"
        return _refused(file, "", Unreadable("too_large", says))
    if not file.data.strip(b" \t\r\n\x0b\x0c"):
        return _refused(file, "", Unreadable("empty_file", f"holds nothing; {_AGAIN}"))
    for signature, what in _SIGNATURES:
        if file.data.startswith(signature):
            return _refused(file, what, Unreadable("not_text", f"is {what}, whatever its name says; {_AGAIN}"))
    if file.data.startswith((_ZIP, _OLE)):
        zipped = file.data.startswith(_ZIP)
        form = "Excel workbook (.xlsx)" if zipped else "Excel 97 workbook (.xls)"
        return _made(file, form, spreadsheet.read_workbook(file.data, zipped=zipped))
    text, encoding, refusal = decode(file.data, wide=True)
    if refusal is not None:
        return _refused(file, "", Unreadable(*refusal))
    return _from_text(file, text, encoding, known)


def _from_text(file: RawFile, text: str, encoding: str, known: Judge) -> TableFile:
    start = text.lstrip("\ufeff \t\n")
    if start.startswith("<"):
        named = " named .xls" if file.name.lower().endswith(".xls") else ""
        return _made(file, f"HTML table{named}, {_korean(text, encoding)}", web_table.read_page(start))
    if start.startswith(("{", "[")):
        return _refused(file, "JSON", _answer(start))
    if start.startswith("LOGOUT"):
        says = "is the site's answer LOGOUT: it asks for a login; log in at the site and download the list again"
        return _refused(file, "", Unreadable("login_page", says))
    return _delimited(file, text, encoding, known)


def _delimited(file: RawFile, text: str, encoding: str, known: Judge) -> TableFile:
    cells = text.count("\n") * LINE_CELLS + max(text.count(mark) for mark in DELIMITERS)
    if cells > LARGEST_CELLS:
        return _refused(file, "", Unreadable("too_large", f"has more lines and values than any such list; {_AGAIN}"))
    top = [line.replace('"', "") for line in text.split("\n") if line.strip()][:TOP]
    best = max(DELIMITERS, key=lambda mark: max((known(line.split(mark)) for line in top), default=0))
    form = f"{_DELIMITED[best]} in {encoding}"
    if not any(known(line.split(best)) for line in top):
        wrong = _mangled("\n".join(top), known)
        if wrong is not None:
            return _refused(file, form, wrong)
    elif _REPLACED in text:
        line = text.count("\n", 0, text.index(_REPLACED)) + 1
        says = f"holds letters that an earlier program could not read, in line {line}; {_AGAIN}"
        return _refused(file, form, Unreadable("mojibake", says))
    try:
        rows, lines, _ = split(text, best)
    except csv.Error as error:
        says = f"has quoting that is broken or a last line that is cut off ({error}); {_AGAIN}"
        return _refused(file, form, Unreadable("not_a_table", says))
    table = Rows("", tuple(map(tuple, rows)), tuple(lines))
    return _ended(file, text, TableFile(file.name, form, (table,)))


def _ended(file: RawFile, text: str, made: TableFile) -> TableFile:
    """The file, with a note or a refusal where its last line has no line end and its last value could be cut."""
    rows = made.tables[0].rows
    if len(rows) < len(("header", "row")) or text.endswith(("\n", '"')) or len(rows[-1]) == 1:
        return made
    last = rows[-1][-1].strip()
    if not last and rows[-2][-1].strip():
        says = f"ends without a line end and without its last value; {_AGAIN}"
        return _refused(file, made.form, Unreadable("cut_off", says))
    if not last[-1:].isdigit():
        return made
    says = f"ends without a line end after {csv_text.shorten(last)}; look whether that value is whole"
    return replace(made, issues=(Issue(file.name, made.tables[0].lines[-1], "line_unended", says),))


def _mangled(top: str, known: Judge) -> Unreadable | None:
    """The reason where the header can be read once the text is taken back to what it was before it was misread."""
    for wrong in _MANGLED:
        for right in ("utf-8", "cp949"):
            try:
                before = top.encode(wrong).decode(right)
            except UnicodeError:
                continue
            if any(known(line.split(mark)) for line in before.split("\n") for mark in DELIMITERS):
                says = f"was saved as {wrong} text although it was {right.upper()}: its letters are lost; {_AGAIN}"
                return Unreadable("mojibake", says)
    return Unreadable("mojibake", f"holds letters that cannot be read any more; {_AGAIN}") if _REPLACED in top else None


def _answer(text: str) -> Unreadable:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable("site_answer", f"begins as JSON and is none, an answer of the site that is cut off; {_AGAIN}")
    if not _rows_inside(value):
        return Unreadable("empty_answer", f"is the site's answer in JSON, without a row; {_AGAIN}")
    return Unreadable("site_answer", f"is the site's answer in JSON, not the list to download; {_AGAIN}")


def _rows_inside(value: object) -> bool:
    if isinstance(value, dict):
        return any(isinstance(part, list) and part for part in value.values())
    return bool(value)


def _korean(text: str, encoding: str) -> str:
    """EUC-KR where CP949 was not needed: the name that the exchange's pages give themselves."""
    if encoding != "CP949":
        return encoding
    try:
        text.encode("euc-kr")
    except UnicodeEncodeError:
        return encoding
    return "EUC-KR"


def _made(file: RawFile, form: str, made: tuple[Rows, ...] | Unreadable) -> TableFile:
    return _refused(file, form, made) if isinstance(made, Unreadable) else TableFile(file.name, form, made)


def _refused(file: RawFile, form: str, why: Unreadable) -> TableFile:
    return TableFile(file.name, form, issues=(Issue(file.name, None, why.code, why.says),))
