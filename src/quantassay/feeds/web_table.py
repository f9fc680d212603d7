"""The tables of an HTML page, such as the lists that the exchange's disclosure site names .xls."""

import re
from collections.abc import Iterator

from lxml import etree

from quantassay.feeds.table_rows import Rows, Unreadable

# Wider or taller merged cells are no table of values.
LARGEST_SPAN = 64
# Three thousand companies are thirty thousand cells; merged ones count for what they cover.
LARGEST_TAGS = 400_000
_SPAN = re.compile(r"[1-9][0-9]{0,4}")
_WORKBOOK = "urn:schemas-microsoft-com:office:spreadsheet"
_LOGIN = ("login", "logout", "log in", "로그인", "로그아웃", "password", "비밀번호", "세션", "session")
_AGAIN = "log in at the site and download the list again"


def read_page(text: str) -> tuple[Rows, ...] | Unreadable:
    """The tables of a page, in order, or why there are none. Rows are counted from 1 in each table.

    Nothing outside the page is read: no entity, no script, no style.
    """
    if _WORKBOOK in text[:4096]:
        return Unreadable("not_a_table", "is an Excel 2003 XML file; open it and save it as CSV")
    lower = text.lower()
    if "<table" not in lower:
        return _page(text)
    if lower.rfind("</table") < lower.rfind("<table") or ("<html" in lower and "</html" not in lower):
        return Unreadable("cut_off", "ends in the middle of its table; download it again")
    if lower.count("<t") > LARGEST_TAGS:
        return Unreadable("too_large", "has more cells than any such list; download it again")
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, huge_tree=False)
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except (etree.LxmlError, ValueError) as error:
        return Unreadable("not_a_table", f"is an HTML page that cannot be read ({error}); download it again")
    tables = () if root is None else tuple(rows for table in root.iter("table") if (rows := _rows(table)).rows)
    return tables or _page(text)


def _page(text: str) -> Unreadable:
    """What a page without a table is: most often the login that the site sends in place of the file."""
    lower = text.lower()
    if any(word in lower for word in _LOGIN):
        return Unreadable("login_page", f"is the site's login page, not the list; {_AGAIN}")
    return Unreadable("login_page", f"is a web page without a table, not the list; {_AGAIN}")


def _rows(table: etree._Element) -> Rows:
    rows: list[tuple[str, ...]] = []
    cells_so_far = 0
    above: dict[int, tuple[int, str]] = {}
    for line in table.iter("tr"):
        if next(line.iterancestors("table"), None) is not table:
            continue
        cells, above = _cells(line, above)
        rows.append(cells)
        cells_so_far += len(cells)
        if cells_so_far > LARGEST_TAGS:
            return Rows("", (), ())
    kept = [(row, number) for number, row in enumerate(rows, 1) if row]
    return Rows("", tuple(row for row, _ in kept), tuple(number for _, number in kept))


def _cells(
    line: etree._Element, above: dict[int, tuple[int, str]]
) -> tuple[tuple[str, ...], dict[int, tuple[int, str]]]:
    """The cells of a row with merged ones repeated, and what reaches into the row below: column -> rows left, text."""
    row: list[str] = []
    below: dict[int, tuple[int, str]] = {}
    own = _own(line)
    cell = next(own, None)
    while cell is not None or len(row) in above:
        if len(row) in above:
            left, text = above[len(row)]
            wide, tall = 1, left
        elif cell is not None:
            text, wide, tall = cell
            cell = next(own, None)
        for _ in range(wide):
            if tall > 1:
                below[len(row)] = (tall - 1, text)
            row.append(text)
    return tuple(row), below


def _own(line: etree._Element) -> Iterator[tuple[str, int, int]]:
    for cell in line:
        if cell.tag in ("td", "th"):
            text = " ".join("".join(str(part) for part in cell.itertext()).split())
            yield text, _span(cell, "colspan"), _span(cell, "rowspan")


def _span(cell: etree._Element, name: str) -> int:
    text = cell.get(name, "").strip()
    return min(int(text), LARGEST_SPAN) if _SPAN.fullmatch(text) else 1
