"""What a list is when it is not the one asked for: told by its headers, with the command that it belongs to."""

import re
from collections.abc import Sequence

from quantassay.feeds.issues import Issue

# First match wins. Every pattern of a row must match the whole of some folded header.
_KINDS = (
    (
        ("(?:.*)?(?:대차|대여|차입|상환|융자|신용|lending|loan).*",),
        "a list of lent or borrowed shares, which is no short balance",
        "download 공매도 순보유잔고 from the exchange's short-selling pages",
    ),
    (
        ("회사명", "종목코드", "업종|주요제품|상장일|결산월"),
        "a list of listed companies",
        "import it with `assay import listing FILE`",
    ),
    (
        (".*(?:추적오차|trackingerror|traceerr).*",),
        "a series of a fund's tracking error",
        "import it with `assay import etf-nav FILE`",
    ),
    (
        (".*(?:괴리율|divrgrt).*", "일자|날짜|date"),
        "a series of a fund's premium over NAV",
        "import it with `assay import etf-nav FILE`",
    ),
    (
        (".*순자산가치.*|nav|lstnav|기준가(?:격)?(?:nav)?",),
        "a list of fund prices with NAV",
        "import it with `assay import etf-nav FILE`",
    ),
    (
        (".*잔고.*|.*shortbalance.*|balqty|balancershares",),
        "a list of short balances",
        "import it with `assay import short-balance FILE`",
    ),
    (
        (".*공매도.*|.*업틱.*|shortvolume.*|shortvalue.*",),
        "a list of short VOLUME, what was sold on the day, not the balance that stands",
        "download 공매도 순보유잔고 (the balance) and import that",
    ),
    ((".*구성종목.*",), "the holdings of a fund", "nothing here reads them; download the fund's prices (시세)"),
    ((".*지표가치.*|iv",), "a list of exchange-traded notes", "nothing here reads them; download the funds (ETF)"),
    ((".*순매수.*",), "a list of purchases by kind of investor", "nothing here reads it"),
    (
        ("시가|open", "고가|high", "저가|low", "종가|close", "일자|날짜|date"),
        "a series of daily prices without NAV",
        "name it <ticker>.csv and import it with `assay import bars FILE`",
    ),
    (
        ("종목코드|ticker|code", "종가|close", "거래량|volume"),
        "a list of prices without NAV",
        "a universe list is imported with `assay import universe FILE`",
    ),
)


def other_kind(file: str, headers: Sequence[str], wanted: str) -> Issue | None:
    """The issue that names what the file is, where that can be told; `wanted` says what the import takes."""
    for patterns, what, step in _KINDS:
        if all(any(re.fullmatch(pattern, header) for header in headers) for pattern in patterns):
            return Issue(file, None, "wrong_kind", f"is {what}; this import takes {wanted}. Next: {step}")
    return None


def lent_shares(headers: Sequence[str]) -> bool:
    """Whether balances in this list are those of lending: the word for balance, 잔고, is the same."""
    return any(re.fullmatch(_KINDS[0][0][0], header) for header in headers)
