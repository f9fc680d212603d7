"""The visible sheets of an Excel workbook as rows of text; one that unpacks to more than a list holds stays shut."""

import io
import json
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from typing import Any

from quantassay.feeds.table_rows import LARGEST_CELLS, Rows, Unreadable

# A list of all companies unpacks to about five megabytes.
LARGEST_UNPACKED = 64 * 2**20
_CHUNK = 2**16
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,7})([0-9]{1,12})["']""")
_BAD_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
_OTHERS = {"word/": "a Word document", "ppt/": "a PowerPoint file", "Contents/": "a Hangul document"}
_AS_CSV = "download the list as CSV"


def read_workbook(data: bytes, *, zipped: bool, patience_s: float = 60) -> tuple[Rows, ...] | Unreadable:
    """The sheets of an .xlsx (`zipped`) or an Excel 97 .xls, in order, or why none can be read.

    Numbers become the shortest text that is the same number, dates YYYY-MM-DD. Rows are counted from 1. The process
    that reads it is given `patience_s` seconds.
    """
    refusal = _unsafe(data) if zipped else None
    if refusal is not None:
        return refusal
    made = _elsewhere(data, patience_s)
    if "sheets" not in made:
        kind = "workbook" if zipped else "workbook, or another kind of Office file"
        why = made.get("refused", "its reader gave up")
        return Unreadable("not_text", f"is a damaged or protected Excel {kind} ({why}); {_AS_CSV}")
    found = tuple(rows for name, cells in made["sheets"] if (rows := _filled(name, cells)).rows)
    return found or Unreadable("empty_file", f"is a workbook without a filled sheet; {_AS_CSV}")


def _elsewhere(data: bytes, patience_s: float) -> dict[str, Any]:
    """What a process of its own reads: nothing where it died or did not come to an end."""
    command = [sys.executable, "-P", "-m", "quantassay.feeds.workbook_process"]
    try:
        # Our own module, and nothing of the file stands in the command.
        done = subprocess.run(command, input=data, capture_output=True, timeout=patience_s, check=False)  # noqa: S603
    except (subprocess.TimeoutExpired, OSError) as error:
        return {"refused": f"its reader did not come to an end: {type(error).__name__}"}
    made: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return made


def _filled(name: str, cells: list[list[str]]) -> Rows:
    kept = [(tuple(row), number) for number, row in enumerate(cells, 1) if any(row)]
    return Rows(name, tuple(row for row, _ in kept), tuple(number for _, number in kept))


def _unsafe(data: bytes) -> Unreadable | None:
    """Why the archive must not be opened: damaged, no workbook, or larger unpacked than it may be."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if "xl/workbook.xml" not in names:
                return _other(names)
            for member in archive.infolist():
                sheet = member.filename.startswith("xl/worksheets/")
                text = bytearray()
                with archive.open(member) as stream:
                    while chunk := stream.read(_CHUNK):
                        total += len(chunk)
                        if total > LARGEST_UNPACKED:
                            return Unreadable("too_large", f"unpacks to more than any such list holds; {_AS_CSV}")
                        if sheet:
                            text += chunk
                if sheet and _spread(bytes(text)) > LARGEST_CELLS:
                    return Unreadable("too_large", f"has cells far beyond any such list; {_AS_CSV}")
    except _BAD_ZIP as error:
        return Unreadable("cut_off", f"is a damaged or unfinished Excel file ({error}); {_AS_CSV}")
    return None


def _other(names: list[str]) -> Unreadable:
    if "xl/workbook.bin" in names:
        return Unreadable("not_text", f"is an Excel binary workbook (.xlsb); {_AS_CSV}")
    kind = next((what for start, what in _OTHERS.items() if any(name.startswith(start) for name in names)), "")
    if kind:
        return Unreadable("not_text", f"is {kind}; {_AS_CSV}")
    return Unreadable("not_text", "is a ZIP archive; unpack it and import the file inside")


def _spread(sheet: bytes) -> int:
    """Rows times columns up to the farthest cell: a sheet is held as a full rectangle, however few cells it has."""
    places = set(_PLACE.findall(sheet))
    rows = max((int(number) for _, number in places), default=1)
    columns = max((_column(letters.upper()) for letters, _ in places), default=1)
    return rows * max(columns, 1)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
