"""On what terms plans are carried out: the limits of an order at the edge, how long to wait, how often to try."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

from quantassay.domain.trading.book import Side
from quantassay.domain.trading.evidence import Window


@dataclass(frozen=True, slots=True)
class Limits:
    """What an order may be when it is sent: won, parts of the account's equity, a number a day, and the collar.

    `collar` is how far a limit price may be from the plan's reference, either way, as a part of one, by side.
    """

    largest_order: int
    largest_share: Fraction
    largest_day_turnover: Fraction
    most_day_orders: int
    collar: Mapping[Side, Fraction]


@dataclass(frozen=True, slots=True)
class Terms:
    """The limits, the waits, and how often an order that was not processed, and a cancel, are sent again.

    `looking` is the window in which an order is looked for whose answer never came.
    """

    limits: Limits
    fills: Mapping[Side, timedelta]
    confirm: timedelta
    poll: timedelta
    answer: timedelta
    begin_after_open: timedelta
    send_again: int
    cancel_again: int
    looking: Window


def terms(spec: Mapping[str, Any]) -> Terms:
    """The terms in the value of 27_trading.yaml."""
    limits, waits, looking = spec["limits"], spec["waits"], spec["looking"]
    return Terms(
        limits=Limits(
            largest_order=limits["largest_order"],
            largest_share=Fraction(limits["largest_share"]),
            largest_day_turnover=Fraction(limits["largest_day_turnover"]),
            most_day_orders=limits["most_day_orders"],
            collar={"buy": Fraction(limits["collar"]["buy"]), "sell": Fraction(limits["collar"]["sell"])},
        ),
        fills={"buy": timedelta(seconds=waits["buys"]), "sell": timedelta(seconds=waits["sells"])},
        confirm=timedelta(seconds=waits["confirm"]),
        poll=timedelta(microseconds=int(Fraction(waits["poll"]) * 1_000_000)),
        answer=timedelta(seconds=waits["answer"]),
        begin_after_open=timedelta(seconds=waits["begin_after_open"]),
        send_again=spec["send_again"],
        cancel_again=spec["cancel_again"],
        looking=Window(
            skew=timedelta(seconds=looking["clock_skew"]),
            late=timedelta(seconds=looking["arrives_late"]),
            settle=timedelta(seconds=looking["holdings_settle"]),
        ),
    )
