"""Values out of KIS's texts: whole numbers, decimals, names, each named where it is missing or is none.

Everything comes as text: signs before or not, zeros in front and behind, blanks to fill a field or in place of a value.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quantassay.kis.unreadable import KisUnreadable

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DAY = re.compile(r"(?:19|20)[0-9]{6}")
_TIME = re.compile(r"[0-9]{6}")
_MOST_SIGNS = 30


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of an answer, and what it is called in an error."""

    values: Mapping[str, Any]
    what: str

    def text(self, name: str) -> str:
        """The text without the blanks around it; empty where it is blank. Raises KisUnreadable where it is missing."""
        value = self.values.get(name)
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return str(value)
        raise self.wrong(name, "is missing" if value is None else "is no text")

    def optional_text(self, name: str) -> str:
        """The same, empty also where it is missing."""
        return self.text(name) if self.values.get(name) is not None else ""

    def decimal(self, name: str) -> Decimal:
        """The number, exact. Raises KisUnreadable, also for a blank."""
        text = self.text(name)
        if not _NUMBER.fullmatch(text) or len(text) > _MOST_SIGNS:
            raise self.wrong(name, "is blank" if not text else "is no number")
        return Decimal(text)

    def whole(self, name: str) -> int:
        """The whole number, 12.00 being one. Raises KisUnreadable."""
        number = self.decimal(name)
        if number != number.to_integral_value():
            raise self.wrong(name, "is no whole number")
        return int(number)

    def count(self, name: str) -> int:
        """The whole number, of shares or won, that cannot be below zero. Raises KisUnreadable."""
        number = self.whole(name)
        if number < 0:
            raise self.wrong(name, "is below zero")
        return number

    def count_or_none(self, name: str) -> int:
        """The same, 0 for a blank. Raises KisUnreadable."""
        return self.count(name) if self.text(name) else 0

    def day(self, name: str) -> str:
        """A day as YYYYMMDD. Raises KisUnreadable."""
        return self._formed(name, _DAY, "is no day")

    def time(self, name: str) -> str:
        """A time of day as HHMMSS. Raises KisUnreadable."""
        return self._formed(name, _TIME, "is no time")

    def _formed(self, name: str, form: re.Pattern[str], why: str) -> str:
        text = self.text(name)
        if not form.fullmatch(text):
            raise self.wrong(name, why)
        return text

    def wrong(self, name: str, why: str) -> KisUnreadable:
        """The error about a field; its value is not repeated."""
        return KisUnreadable(self.what, f"its field {name} {why}")


def one(body: Mapping[str, Any], name: str, what: str) -> Fields:
    """The object under a name; KIS sends some as a list of one. Raises KisUnreadable."""
    value = body.get(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict) or not value:
        raise KisUnreadable(what, f"its part {name} is missing")
    return Fields(value, what)


def many(body: Mapping[str, Any], name: str, what: str) -> Sequence[Fields]:
    """The list under a name, which may be empty and may not be missing. Raises KisUnreadable."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise KisUnreadable(what, f"its part {name} is missing or is no list")
    return [Fields(row, what) for row in value]
