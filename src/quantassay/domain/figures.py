"""How a worked-out number stands in an artifact: as decimal text with a stated number of places."""

import math
from decimal import ROUND_HALF_EVEN, Decimal


def text(value: float | Decimal, places: int = 6) -> str | None:
    """The number rounded half to even, as decimal text; None where it is not known (NaN) or has no bound.

    Decisions are made on the number itself, never on this text.
    """
    if not math.isfinite(value):
        return None
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return str(rounded or abs(rounded))


def amount(value: Decimal) -> int | str:
    """An exact amount: a whole number, or else its decimal text without zeros at its end."""
    return int(value) if value == int(value) else f"{value.normalize():f}"


def exact(price: float) -> int | str:
    """A price as its source wrote it: a whole number, or else its shortest decimal text."""
    return int(price) if price == int(price) else f"{Decimal(repr(price)):f}"
