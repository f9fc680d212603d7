"""Reads an Excel workbook in a process of its own: a damaged one can make the reader take all memory and die.

Takes the bytes on standard input and writes JSON: {"sheets": [[name, [[text, ...], ...]], ...]} or {"refused": text}.
"""

import io
import json
import sys
from datetime import date, datetime, time
from decimal import Decimal

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from quantassay.feeds.table_rows import LARGEST_CELLS

try:
    import resource
except ImportError:  # Windows has no such limits; there a reader that asks for too much still dies alone.
    resource = None  # type: ignore[assignment]

MEMORY_BYTES = 2 * 2**30


def main() -> None:
    """The workbook on standard input as JSON on standard output."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    json.dump(_read(sys.stdin.buffer.read()), sys.stdout)


def _read(data: bytes) -> dict[str, object]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [
            book.get_sheet_by_name(meta.name)
            for meta in book.sheets_metadata
            if meta.visible == SheetVisibleEnum.Visible and meta.typ == SheetTypeEnum.WorkSheet
        ]
        if any(sheet.total_height * sheet.total_width > LARGEST_CELLS for sheet in sheets):
            return {"refused": "a sheet is larger than any such list"}
        return {"sheets": [[sheet.name, _rows(sheet)] for sheet in sheets]}
    except (CalamineError, ValueError, OSError) as error:
        return {"refused": str(error) or type(error).__name__}


def _rows(sheet: CalamineSheet) -> list[list[str]]:
    return [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        return _plain(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _plain(number: float) -> str:
    """The number without an exponent: 45000.0 is 45000, 0.07 is 0.07."""
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN alone differs from itself
        return str(number)
    return str(int(number)) if number == int(number) else format(Decimal(repr(number)), "f")


if __name__ == "__main__":
    main()
