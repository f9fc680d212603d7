"""Which prices an order may carry: on a tick, and within the daily limit around the base price.

All prices are whole won. Tables are dated and come from the price rules spec; a table holds until the next begins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from quantassay.errors import AssayError

Rows = TypeVar("Rows")


class UnknownKind(AssayError):
    """A kind of paper for which the spec has no tables."""

    def __init__(self, kind: str, known: Iterable[str]) -> None:
        super().__init__(f"spec/19_price_rules.yaml knows no kind {kind!r}; it knows {', '.join(sorted(known))}")


class NoPriceRule(AssayError):
    """A date before the first table of a kind."""

    def __init__(self, kind: str, day: date, first: date) -> None:
        super().__init__(
            f"spec/19_price_rules.yaml has a table for {kind} from {first} on and none for {day}; add an older one"
        )


class NoPrice(AssayError):
    """A number that can be no price."""

    def __init__(self, price: object) -> None:
        super().__init__(f"{price!r} is no price; a price is a whole number of won, at least one tick")


class BadPriceRules(AssayError):
    """Tables that contradict themselves."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"spec/19_price_rules.yaml: {where} {why}; correct the table")


@dataclass(frozen=True, slots=True)
class Band:
    """The lowest and the highest price of a day, both allowed."""

    lower: int
    upper: int


@dataclass(frozen=True, slots=True)
class PriceRules:
    """The dated tables of the spec: `kinds` leads to one table of ticks and one of limits by name.

    Ticks: (from, rows of (below or None, tick)), limits: (from, percent); both ascending by date.
    """

    kinds: Mapping[str, tuple[str, str]]
    ticks: Mapping[str, tuple[tuple[date, tuple[tuple[int | None, int], ...]], ...]]
    limits: Mapping[str, tuple[tuple[date, int], ...]]


def price_rules(spec: Mapping[str, Any]) -> PriceRules:
    """The rules in the value of 19_price_rules.yaml. Raises BadPriceRules when its tables contradict themselves."""
    rules = PriceRules(
        kinds={kind: (names["ticks"], names["limits"]) for kind, names in spec["kinds"].items()},
        ticks={
            name: tuple(
                (date.fromisoformat(table["from"]), tuple((row.get("below"), row["tick"]) for row in table["rows"]))
                for table in tables
            )
            for name, tables in spec["ticks"].items()
        },
        limits={
            name: tuple((date.fromisoformat(row["from"]), row["percent"]) for row in rows)
            for name, rows in spec["limits"].items()
        },
    )
    _check(rules)
    return rules


def _check(rules: PriceRules) -> None:
    for kind, (ticks, limits) in rules.kinds.items():
        if ticks not in rules.ticks or limits not in rules.limits:
            raise BadPriceRules(kind, "has no such table")
    for name, dated in (*rules.ticks.items(), *rules.limits.items()):
        days = [first for first, _ in dated]
        if days != sorted(set(days)):
            raise BadPriceRules(f"{name}", "has dates that do not ascend")
    for name, tables in rules.ticks.items():
        for first, rows in tables:
            _check_rows(f"{name} from {first}", rows)


def _check_rows(where: str, rows: Sequence[tuple[int | None, int]]) -> None:
    *bounded, (last, _) = rows
    if last is not None or any(below is None for below, _ in bounded):
        raise BadPriceRules(where, "must end with one row, and only one, without `below`")
    bounds = [below for below, _ in bounded if below is not None]
    if bounds != sorted(set(bounds)):
        raise BadPriceRules(where, "has bounds that do not ascend")
    for index, bound in enumerate(bounds):
        if bound % rows[index][1] or bound % rows[index + 1][1]:
            raise BadPriceRules(where, f"has the bound {bound}, which is not on the ticks on both of its sides")


def tick(rules: PriceRules, price: int, day: date, kind: str) -> int:
    """The tick on which this price stands: the one of the band that begins at or below it.

    Raises UnknownKind, NoPriceRule for a date before the first table, NoPrice for a price below 1 won.
    """
    if price < 1:
        raise NoPrice(price)
    ticks, _ = _tables(rules, kind)
    rows = _in_force(rules.ticks[ticks], day, kind)
    return next(step for below, step in rows if below is None or price < below)


def is_on_tick(rules: PriceRules, price: int, day: date, kind: str) -> bool:
    """Whether an order may carry this price, limits aside."""
    return price % tick(rules, price, day, kind) == 0


def round_down(rules: PriceRules, price: int, day: date, kind: str) -> int:
    """The highest price on a tick that is not above this one. Raises NoPrice below the first tick."""
    step = tick(rules, price, day, kind)
    if price < step:
        raise NoPrice(price)
    # Every bound lies on the ticks of both its sides, so neither rounding leads off the ticks of the next band.
    return price - price % step


def round_up(rules: PriceRules, price: int, day: date, kind: str) -> int:
    """The lowest price on a tick that is not below this one."""
    step = tick(rules, price, day, kind)
    return price + -price % step


def limit_percent(rules: PriceRules, day: date, kind: str) -> int:
    """How far a price may move from the base price in a day, in percent, up and down."""
    _, limits = _tables(rules, kind)
    return _in_force(rules.limits[limits], day, kind)


def limit_band(rules: PriceRules, base: int, day: date, kind: str) -> Band:
    """The day's lowest and highest price around the base price.

    As the exchange reckons it: the width is the percentage of the base price cut to the base price's tick; each limit
    is then rounded to its own tick, inwards. (A base of 5,290 may fall to 3,710, not to 3,705.)
    """
    step = tick(rules, base, day, kind)
    width = base * limit_percent(rules, day, kind) // 100 // step * step
    return Band(round_up(rules, base - width, day, kind), round_down(rules, base + width, day, kind))


def _tables(rules: PriceRules, kind: str) -> tuple[str, str]:
    if kind not in rules.kinds:
        raise UnknownKind(kind, rules.kinds)
    return rules.kinds[kind]


def _in_force(tables: Sequence[tuple[date, Rows]], day: date, kind: str) -> Rows:
    for first, table in reversed(tables):
        if first <= day:
            return table
    raise NoPriceRule(kind, day, tables[0][0])
