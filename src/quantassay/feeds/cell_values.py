"""Numbers, dates and codes out of the cells of a downloaded list; nothing is repaired that could be meant otherwise."""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from quantassay.feeds.csv_text import shorten

# Beyond 2^53 a spreadsheet has lost whole shares.
LARGEST = Decimal(2**53)
EARLIEST = date(1900, 1, 1)
_LONGEST = 40  # characters; longer digits are no amount of anything
_MINUS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63", "-"))
_BLANK = frozenset(("", "-", "--", "n/a", "na", "nan", "null", "none"))
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_ZEROS = re.compile(r"0[0-9]+")
_DAY = re.compile(
    r"([0-9]{4})(?:([-/.])\s?([0-9]{1,2})\2\s?([0-9]{1,2})\.?|([0-9]{2})([0-9]{2}))(?:[ T]00:00(?::00)?)?"
)
_KOREAN_DAY = re.compile(r"([0-9]{4})년\s?([0-9]{1,2})월\s?([0-9]{1,2})일")
_SERIAL = re.compile(r"[2-6][0-9]{4}(?:\.0)?")
_EXCEL_TEXT = re.compile(r'="([^"]*)"')
_CODE = re.compile(r"[0-9A-Z]{6}")
_ISIN = re.compile(r"[A-Z]{2}[0-9A-Z]{9}[0-9]")
_LOST = re.compile(r"[0-9]{1,5}(?:\.0)?")
_FROM_SOURCE = "import the CSV as downloaded"


class Flaw(NamedTuple):
    """Why a cell is not what its column holds: the code of an issue and its sentence."""

    code: str
    says: str


def plain(text: str) -> str:
    """The cell without what only dresses it: outer blanks, full-width letters, long dashes, Excel's ="..."."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_MINUS).strip("\u200b\ufeff")
    text = text.strip()
    if not text.startswith("="):
        return text
    found = _EXCEL_TEXT.fullmatch(text)
    return found.group(1).strip() if found else text


def number(text: str, units: str = "") -> Decimal | Flaw | None:
    """The number of a cell, exactly as it is written; None where nothing or a dash stands there.

    Takes thousands commas, a minus or parentheses for what is below zero, and one of the signs in `units` behind it.
    """
    written = plain(text)
    if written.casefold() in _BLANK:
        return None
    body = written[:-1].rstrip() if written[-1:] in tuple(units) else written
    negative = body.startswith("-")
    if body.startswith("(") and body.endswith(")"):
        body, negative = body[1:-1], True
    body = body.lstrip("+-") if body[:2] not in ("--", "++", "+-", "-+") else body
    if len(body) > _LONGEST or _NUMBER.fullmatch(body) is None:
        zeros = " (a code, or a number whose point is lost?)" if _ZEROS.fullmatch(body) else ""
        return Flaw("not_a_number", f"has {shorten(written)} where a number must be{zeros}; {_FROM_SOURCE}")
    value = Decimal(body.replace(",", ""))
    if value > LARGEST:
        return Flaw("number_too_large", f"has {shorten(written)}, beyond any such number; {_FROM_SOURCE}")
    # The exchange writes -0.00 for what rounds to nothing.
    return -value if negative and value else value


def day(text: str) -> date | Flaw:
    """The date of a cell: year, month, day, with - / . or nothing between them, or in Korean."""
    written = plain(text)
    found = _DAY.fullmatch(written)
    parts = [part for i, part in enumerate(found.groups()) if part and i != 1] if found else []
    korean = _KOREAN_DAY.fullmatch(written)
    if korean:
        parts = list(korean.groups())
    if not parts:
        if _SERIAL.fullmatch(written):
            says = f"has the bare number {written} where a date must be: Excel lost the date's format"
            return Flaw("date_unreadable", f"{says}; {_FROM_SOURCE}")
        return Flaw("date_unreadable", f"has {shorten(written)} where a date like 2026-11-20 must be; {_FROM_SOURCE}")
    try:
        value = date(*(int(part) for part in parts))
    except ValueError:
        return Flaw("date_unreadable", f"has {shorten(written)}, a day that does not exist; download it again")
    if value < EARLIEST:
        return Flaw("date_out_of_range", f"has the date {value}, before {EARLIEST}; download it again")
    return value


def code(text: str) -> str | Flaw:
    """The six-character code of a share or fund. A code that has lost something is refused, never completed."""
    written = plain(text)
    if _CODE.fullmatch(written):
        return written
    if _LOST.fullmatch(written):
        says = f"has the code {shorten(written)}, which has lost its leading zeros, as Excel does; {_FROM_SOURCE}"
        return Flaw("code_zeros_lost", says)
    if _ISIN.fullmatch(written):
        # KR7005931001 is 005935: the digits inside are those of the company's common share, not always the code.
        says = f"has the ISIN {written} where the six-character code must be; download it with the short code"
        return Flaw("isin_not_code", f"{says} (단축코드)")
    return Flaw("bad_ticker", f"has {shorten(written)} where a six-character code must be; {_FROM_SOURCE}")
