"""How a value from an artifact is written on a page.

Templates print values through these named formats and through nothing else, and the trace check writes every value a
second time with them. A format is therefore a pure function from one JSON value (and a few constants) to one line of
Markdown: no locale, no clock, no state. Null is a dash in all of them. Text is escaped, so whatever stands in the
data can neither break a table nor become HTML, a link, or a heading.
"""

import datetime as dt
import re
import textwrap
import unicodedata
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from types import MappingProxyType
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical

NOTHING = "\N{EN DASH}"  # how null is printed
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,20})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", re.ASCII)
_INSTANT = re.compile(r"[0-9-]{10}T[0-9:]{8}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MARKDOWN = str.maketrans({c: "\\" + c for c in "\\`*[]|~$"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LINK = re.compile(r"(?<=\w)(?=://)|(?<=www)(?=\.)", re.IGNORECASE)
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_BLOCK = re.compile(r"[0-9]+(?=[.)](?:\s|$))|(?=[-+](?:\s|$)|--|[=#])")  # opens a list, a rule, a heading
_UNIT = re.compile(r"[^\W\d_]+([ /-][^\W\d_]+)*")  # letters only, so it neither holds a number nor needs escaping
_MOST_DIGITS = 12
_UNSEEN = {"Cc", "Cf", "Co", "Cs"}  # control, format (such as text direction), private use, half a pair


class FormatError(AssayError):
    """A value, or an argument, that a format cannot take."""

    def __init__(self, name: str, takes: str, given: object) -> None:
        super().__init__(f"format {name!r} takes {takes}, not {_shown(given)}")


def _shown(value: object) -> str:
    return textwrap.shorten(ascii(value), 60, placeholder="...")


def apply(name: str, value: object, arguments: tuple[Any, ...] = ()) -> str:
    """The text of a JSON value in the format `name`; null is a dash. Raises FormatError."""
    function = FORMATS.get(name)
    if function is None:
        raise FormatError(name, f"nothing: there is no such format; known are {', '.join(sorted(FORMATS))}", value)
    least, most = arity(name)
    if not least <= len(arguments) <= most:
        wanted = str(most) if least == most else f"{least} to {most}"
        raise FormatError(name, f"{wanted} argument(s)", list(arguments))
    if value is None:
        return NOTHING
    return function(value, *arguments)


def arity(name: str) -> tuple[int, int]:
    """The fewest and the most arguments of a format, besides the value."""
    function = FORMATS[name]
    most = function.__code__.co_argcount - 1
    return most - len(function.__defaults__ or ()), most


def clean(value: str) -> str:
    """One visible line: line breaks and tabs become spaces; control, format and private characters become U+FFFD."""
    if value.isascii() and value.isprintable():
        return value
    return "".join(
        " " if c in "\n\r\t\u2028\u2029" else "\ufffd" if unicodedata.category(c) in _UNSEEN else c for c in value
    )


def text(value: object) -> str:
    """A string, escaped for Markdown."""
    if not isinstance(value, str):
        raise FormatError("text", "a string", value)
    shown = clean(value).strip()
    if not shown:
        return '""'
    escaped = _LINK.sub(r"\\", _EDGE_UNDERSCORE.sub(r"\\_", shown.translate(_MARKDOWN)))
    block = _BLOCK.match(escaped)
    return escaped[: block.end()] + "\\" + escaped[block.end() :] if block else escaped


def code(value: object) -> str:
    """A string as code. What could end the backticks, or a table cell, is written as escaped text in <code>."""
    if not isinstance(value, str):
        raise FormatError("code", "a string", value)
    shown = clean(value)
    if shown.strip() and not set(shown) & set("`|\\<>&"):
        return f"`{shown}`"
    return f"<code>{text(value)}</code>"


def whole(value: object) -> str:
    """A whole number with thousands separators."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise FormatError("int", "a whole number", value)
    return f"{value:,}"


def decimal(name: str, value: object) -> Decimal:
    """The exact number that a JSON number or decimal string holds, for the format `name`. Raises FormatError."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(repr(value))
        if number.is_finite():
            return number
    raise FormatError(name, "a number or a decimal string", value)


def _grouped(name: str, number: Decimal, digits: object) -> str:
    if digits is not None:
        if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= _MOST_DIGITS:
            raise FormatError(name, f"0 to {_MOST_DIGITS} digits", digits)
        number = _EXACT.quantize(number, Decimal(1).scaleb(-digits))
    return f"{abs(number) if number.is_zero() else number:,f}"  # never a minus before zero


def _unit(name: str, unit: object) -> str:
    if isinstance(unit, str) and _UNIT.fullmatch(unit):
        return unit
    raise FormatError(name, "a unit in letters, such as KRW", unit)


def amount(value: object, unit: object) -> str:
    """A number or decimal string with thousands separators and its unit, which is never left out."""
    return f"{_grouped('amount', decimal('amount', value), None)} {_unit('amount', unit)}"


def price(value: object, unit: object) -> str:
    """A price of one share: a number or decimal string, with its unit."""
    return f"{_grouped('price', decimal('price', value), None)} {_unit('price', unit)}"


def ratio(value: object, digits: object = None) -> str:
    """A number or decimal string without unit, rounded half to even to `digits`; all its digits when none are given."""
    return _grouped("ratio", decimal("ratio", value), digits)


def percent(value: object, digits: object = None) -> str:
    """A fraction (0.051 or "0.051") as percent, rounded half to even to `digits` after the point."""
    return _grouped("percent", decimal("percent", value).scaleb(2, _EXACT), digits) + "%"


def date(value: object) -> str:
    """A day as YYYY-MM-DD."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value).isoformat()
        except ValueError as error:
            raise FormatError("date", "a day of the calendar, YYYY-MM-DD", value) from error
    raise FormatError("date", "a string YYYY-MM-DD", value)


def time(value: object) -> str:
    """A time of day as HH:MM or HH:MM:SS."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        return value
    raise FormatError("time", "a string HH:MM or HH:MM:SS", value)


def instant(value: object) -> str:
    """A moment with its zone; seconds only when there are any: 2026-11-18 15:45 +09:00."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise FormatError("instant", "an ISO moment with seconds and zone", value)
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError as error:
        raise FormatError("instant", "an ISO moment with seconds and zone", value) from error
    day, _, clock = value.partition("T")
    clock, zone = (clock[:-1], "UTC") if clock.endswith("Z") else (clock[:-6], clock[-6:])
    return f"{day} {clock if moment.second or moment.microsecond else clock[:5]} {zone}"


def side(value: object) -> str:
    """The side of an order: "buy" or "sell"."""
    if value in ("buy", "sell"):
        return str(value).upper()
    raise FormatError("side", '"buy" or "sell"', value)


def digest(value: object) -> str:
    """A digest sha256:<64 hex>, its first 12 digits."""
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return f"`{value[:19]}`"
    raise FormatError("digest", "a string sha256:<64 hex digits>", value)


def fingerprint(value: object) -> str:
    """Any value: the short digest of its canonical bytes (of a whole file: the digest of the file)."""
    return digest(canonical.digest(value))


def ticker(value: object) -> str:
    """A ticker: always a string, because a number loses its leading zeros."""
    if not isinstance(value, str):
        raise FormatError("ticker", "a string", value)
    return text(value)


def count(value: object, one: object, many: object) -> str:
    """How many: a whole number, or a list or object whose members are counted; with its noun: 1 order, 2 orders."""
    number = len(value) if isinstance(value, list | dict) else value
    if isinstance(number, bool) or not isinstance(number, int):
        raise FormatError("count", "a whole number, a list or an object", value)
    singular, plural = _unit("count", one), _unit("count", many)
    return f"{number:,} {singular if number == 1 else plural}"


def yes_no(value: object) -> str:
    """True or false, as yes or no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    raise FormatError("yes_no", "true or false", value)


def listed(value: object) -> str:
    """A list of strings and whole numbers in one line; an empty one is "none"."""
    if not isinstance(value, list):
        raise FormatError("list", "a list", value)
    return ", ".join(text(item) if isinstance(item, str) else whole(item) for item in value) or "none"


# The one list of formats: what a template may write after the bar.
FORMATS: MappingProxyType[str, Callable[..., str]] = MappingProxyType(
    {
        "amount": amount,
        "code": code,
        "count": count,
        "date": date,
        "digest": digest,
        "fingerprint": fingerprint,
        "instant": instant,
        "int": whole,
        "list": listed,
        "percent": percent,
        "price": price,
        "ratio": ratio,
        "side": side,
        "text": text,
        "ticker": ticker,
        "time": time,
        "yes_no": yes_no,
    }
)
