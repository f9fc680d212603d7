"""The deciding bar as the older daily-bar report chose it, kept exactly, for comparison only.

Its weak points are part of it: a single bar always decides, an unreadable or future date is taken as it is, Korean
holidays, late opens and US half days are not known, and in Korea a partial bar decides unless its volume is thin.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from fractions import Fraction
from zoneinfo import ZoneInfo

SATURDAY = 5
# The feed whose bars that program took for complete at any time; an archive of it ends on bars of mid-session.
END_OF_DAY = "pykrx"
KIS = "kis"
INTRADAY, THIN_OUTSIDE, THIN_INTRADAY = "intraday", "thin", "thin_intraday"

_KOREA = (ZoneInfo("Asia/Seoul"), time(9, 0), time(15, 30))
_AMERICA = (ZoneInfo("America/New_York"), time(9, 30), time(16, 0))
# Ten full-day closures a year, as that program had them built in; it did not know 2025-01-09.
AMERICAN_HOLIDAYS = frozenset(
    f"{year}{day}"
    for year, days in {
        "2024": "0101 0115 0219 0329 0527 0619 0704 0902 1128 1225",
        "2025": "0101 0120 0217 0418 0526 0619 0704 0901 1127 1225",
        "2026": "0101 0119 0216 0403 0525 0619 0703 0907 1126 1225",
    }.items()
    for day in days.split()
)


@dataclass(frozen=True, slots=True)
class Thin:
    """When a volume is thin: below `ratio` of the mean of up to `bars` bars before it, if that is above `floor`."""

    bars: int
    floor: int
    ratio: Fraction


# As that program had them built in.
THIN = Thin(5, 1_000, Fraction(1, 5))


def provider(source: str | None) -> str:
    """The provider that a bar comes from, by the source that it is stored with: `pykrx/...` is pykrx."""
    return END_OF_DAY if (source or "").startswith(f"{END_OF_DAY}/") else KIS


def choose(
    days: Sequence[str | None],
    volumes: Sequence[float | None],
    *,
    currency: str | None,
    provider: str,
    now: datetime,
    thin: Thin = THIN,
) -> tuple[int, bool]:
    """The index of the deciding bar, and whether the last bar was dropped; -1 for no bars. See `dropped_for`."""
    why = dropped_for(days, volumes, currency=currency, provider=provider, now=now, thin=thin)
    return len(days) - 1 - bool(why), bool(why)


def dropped_for(
    days: Sequence[str | None],
    volumes: Sequence[float | None],
    *,
    currency: str | None,
    provider: str,
    now: datetime,
    thin: Thin = THIN,
) -> str:
    """Why the last bar does not decide: `intraday`, `thin` or, where it takes both, `thin_intraday`; empty if it does.

    Args:
        days: the bars' dates, ascending; only YYYYMMDD is understood, anything else counts as not today
        volumes: the bars' volumes, None as 0
        currency: USD means the American rules, everything else the Korean ones
        provider: bars of `pykrx` are always taken as they are
        now: the instant; without a zone it is read as UTC
        thin: when a volume is thin
    """
    if len(days) < 2 or provider == END_OF_DAY:  # noqa: PLR2004 - a single bar always decides
        return ""
    american = currency == "USD"
    zone, opens, closes = _AMERICA if american else _KOREA
    local = (now if now.tzinfo else now.replace(tzinfo=UTC)).astimezone(zone)
    today = f"{local:%Y%m%d}"
    if not re.fullmatch(r"\d{8}", days[-1] or "") or days[-1] != today:
        return ""
    if local.weekday() >= SATURDAY or (american and today in AMERICAN_HOLIDAYS):
        return ""
    intraday = opens <= local.time() < closes
    if american and intraday:
        return INTRADAY
    return (THIN_OUTSIDE if american else THIN_INTRADAY if intraday else "") if is_thin(volumes, thin) else ""


def is_thin(volumes: Sequence[float | None], thin: Thin = THIN) -> bool:
    """Whether the last volume is thin beside those before it; as it was, a fifth of five, where these are above 1,000.

    In floating point, as the old program reckoned.
    """
    numbers = [float(volume or 0) for volume in volumes]
    before = numbers[-thin.bars - 1 : -1]
    if not before:
        return False
    mean = sum(before) / len(before)
    return mean > thin.floor and numbers[-1] < mean * float(thin.ratio)
