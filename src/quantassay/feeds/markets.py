"""The markets that bars can be imported for, and what a file of each may look like."""

import re
from dataclasses import dataclass

from quantassay.errors import AssayError

_SIX = r"[0-9A-Z]{6}"
_LOOSE = r"[A-Z0-9][A-Z0-9.]{0,11}"


class UnknownMarket(AssayError):
    """No such market here."""

    def __init__(self, market: str) -> None:
        super().__init__(f"{market!r} is no market known here; known are {', '.join(sorted(MARKETS))}")


@dataclass(frozen=True, slots=True)
class Market:
    """What the importer needs to know of a market.

    `currency` is that of all its prices. `rounding` is how far an adjusted open or close may lie outside low..high
    because the source rounds each price on its own, in currency. `whole_prices`: prices have no decimals, so a comma
    can only separate thousands.
    `old_opens_unknown`: sources write 0 for the open of old bars.
    """

    key: str
    zone: str
    currency: str
    ticker: str
    rounding: float
    whole_prices: bool
    old_opens_unknown: bool

    @property
    def form(self) -> str:
        """The ticker's form in words."""
        return (
            "six capital letters or digits" if self.ticker == _SIX else "capital letters, digits and points, at most 12"
        )

    def is_ticker(self, text: str) -> bool:
        """Whether this can be a ticker of the market."""
        return re.fullmatch(self.ticker, text) is not None


MARKETS = {
    market.key: market
    for market in (
        Market("XKRX", "Asia/Seoul", "KRW", _SIX, rounding=1.0, whole_prices=True, old_opens_unknown=False),
        Market("XNAS", "America/New_York", "USD", _LOOSE, rounding=0.0, whole_prices=False, old_opens_unknown=True),
        Market("XNYS", "America/New_York", "USD", _LOOSE, rounding=0.0, whole_prices=False, old_opens_unknown=True),
        Market("XSHE", "Asia/Shanghai", "CNY", _LOOSE, rounding=0.0, whole_prices=False, old_opens_unknown=False),
        Market("XSHG", "Asia/Shanghai", "CNY", _LOOSE, rounding=0.0, whole_prices=False, old_opens_unknown=False),
    )
}


def market_of(key: str) -> Market:
    """The market with this key. Raises UnknownMarket."""
    try:
        return MARKETS[key]
    except KeyError:
        raise UnknownMarket(key) from None
