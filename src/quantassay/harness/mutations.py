"""Small wrongs done to an artifact, one at a time, to learn whether some gate notices.

Every number (one more, one less, ten and a hundred times, a hundredth, the other sign), every date, instant and time
(a day or a minute off), every ticker (another one, another last character), side, switch and other text; and the shape:
a member or item missing, doubled, swapped with its neighbour, a list emptied, a member too many.
The data given is never touched: a mutant shares all that it does not change.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from quantassay.harness.compare import ABSENT, same
from quantassay.harness.pointers import join
from quantassay.harness.schema_parts import Parts, part_of, root

Step = str | int
Path = tuple[Step, ...]

EXTRA = "extra_member"
# Operators that change what is there and what is not; all others put another value in a place.
SHAPES = frozenset(
    {
        *(
            "missing member",
            "extra member",
            "other key",
            "missing item",
            "doubled item",
            "swapped neighbours",
            "emptied",
        ),
        *("missing row", "doubled row", "swapped rows", "missing column", "extra column"),
    }
)

_TICKER = re.compile(r"[0-9A-Z]{6}")
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,8})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?")
_OPPOSITES = {"buy": "sell", "BUY": "SELL", "Buy": "Sell", "long": "short"}
_SIDES = _OPPOSITES | {right: left for left, right in _OPPOSITES.items()}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong: which operator did it, where, what stood there and what stands there now, and the whole data."""

    operator: str
    pointer: str
    pattern: str
    before: Any
    after: Any
    data: Any


@dataclass(frozen=True, slots=True)
class _Place:
    """One value inside the data; `pattern` is its pointer with indexes and the keys of maps as `*`."""

    path: Path
    pattern: str
    value: Any
    schema: Parts
    owner: Any


@dataclass(frozen=True, slots=True)
class _Edit:
    """What an operator would do: put `after` at the last step of the path, into the list or object that holds it."""

    operator: str
    path: Path
    before: Any
    after: Any
    remake: Callable[[Any], Any]


def mutants(data: Any, schema: dict[str, Any] | None = None, *, per_pattern: int | None = 4) -> Iterator[Mutant]:
    """Every mutant of the data, or at most `per_pattern` for each operator and pattern of pointers, evenly chosen.

    The JSON Schema, where there is one, tells tickers, choices, maps and what may be null; without it the values do.
    The same data gives the same mutants in the same order.
    """
    places: dict[str, list[_Place]] = defaultdict(list)
    for place in _places(_Place((), "", data, root(schema), None)):
        places[place.pattern].append(place)
    tickers = sorted({p.value for group in places.values() for p in group if _is_ticker(p)})
    for pattern, group in places.items():
        edits: dict[str, list[_Edit]] = defaultdict(list)
        for place in group:
            for edit in _edits(place, tickers):
                edits[edit.operator].append(edit)
        for operator in sorted(edits):
            for edit in evenly(edits[operator], per_pattern):
                changed = _changed(data, edit.path[:-1], edit.remake)
                yield Mutant(operator, join(*edit.path), pattern, edit.before, edit.after, changed)


def evenly(items: Sequence[Any], most: int | None) -> Sequence[Any]:
    """At most so many of the items, from the first to the last at even distances."""
    if most is None or len(items) <= most:
        return items
    if most == 1:
        return items[:1]
    return [items[i * (len(items) - 1) // (most - 1)] for i in range(most)]


def _places(place: _Place) -> Iterator[_Place]:
    yield place
    value = place.value
    if isinstance(value, dict):
        for key in sorted(value):
            part, is_map = part_of(place.schema, key)
            shown = "/*" if is_map or (place.schema.unknown and _looks_like_data(key)) else join(key)
            yield from _places(_Place((*place.path, key), place.pattern + shown, value[key], part, value))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            part, _ = part_of(place.schema, index)
            yield from _places(_Place((*place.path, index), f"{place.pattern}/*", item, part, value))


def _looks_like_data(key: str) -> bool:
    return bool(_TICKER.fullmatch(key) or _DATE.fullmatch(key))


def _edits(place: _Place, tickers: Sequence[str]) -> Iterator[_Edit]:
    if place.path:
        for operator, after in _values(place, tickers):
            if not same(after, place.value):
                yield _put(operator, place, after)
        yield from _around(place)
    if isinstance(place.value, dict) and EXTRA not in place.value:
        yield _Edit("extra member", (*place.path, EXTRA), ABSENT, 1, lambda owner: {**owner, EXTRA: 1})


def _put(operator: str, place: _Place, after: Any) -> _Edit:
    def remake(owner: Any) -> Any:
        copy = owner.copy()
        copy[place.path[-1]] = after
        return copy

    return _Edit(operator, place.path, place.value, after, remake)


def _around(place: _Place) -> Iterator[_Edit]:
    """Edits of what holds the value: it is missing, doubled, under another key, or swapped with its neighbour."""
    step, owner, value = place.path[-1], place.owner, place.value
    if isinstance(step, str):
        yield _Edit("missing member", place.path, value, ABSENT, lambda o: {k: v for k, v in o.items() if k != step})
        other = next((text for _, text in _other_keys(step) if text not in owner), None)
        if place.pattern.endswith("/*") and other is not None:
            yield _Edit("other key", place.path, value, ABSENT, lambda o: {other if k == step else k: o[k] for k in o})
        return
    following = owner[step + 1] if step + 1 < len(owner) else ABSENT
    if same(following, value):
        # Of equal neighbours only the last can be seen to go.
        return
    yield _Edit("missing item", place.path, value, following, lambda o: [*o[:step], *o[step + 1 :]])
    twice = (*place.path[:-1], step + 1)
    yield _Edit("doubled item", twice, following, value, lambda o: [*o[: step + 1], *o[step:]])
    if step + 1 < len(owner):
        yield _Edit(
            "swapped neighbours", place.path, value, following, lambda o: [*o[:step], following, value, *o[step + 2 :]]
        )


def _other_keys(key: str) -> Iterator[tuple[str, str]]:
    if _DATE.fullmatch(key):
        yield from _times(key)
    elif _TICKER.fullmatch(key):
        yield from ticker_texts(key, ())
    yield "longer text", key + "x"


def _values(place: _Place, tickers: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Other values for the same place, each with the name of what was done."""
    value, schema = place.value, place.schema
    if isinstance(value, bool):
        yield "flipped", not value
    elif isinstance(value, int | float):
        yield from ((operator, number) for operator, number in numbers(value) if math.isfinite(number))
    elif isinstance(value, str):
        yield from _texts(place, tickers)
    elif value is None:
        yield "filled", next((example for kind, example in _EXAMPLES.items() if kind in schema.types), 1)
    elif isinstance(value, list) and value:
        yield "emptied", []
    if value is not None and "null" in schema.types:
        yield "made null", None


_EXAMPLES: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "string": "x", "array": [], "object": {}}


def numbers(value: float) -> Iterator[tuple[str, int | float]]:
    """Other numbers: of the same kind, and with the same decimals where it is a float."""
    changes = (
        ("one more", value + 1),
        ("one less", value - 1),
        ("ten times", value * 10),
        ("hundred times", value * 100),
        ("hundredth", value // 100 if isinstance(value, int) else value / 100),
        ("other sign", -value),
    )
    decimals = 0 if isinstance(value, int) else len(str(value).partition(".")[2])
    for operator, changed in changes:
        # Minus zero and more decimals than the value had would be refused as not canonical, not as wrong.
        yield operator, (round(changed, decimals) + 0.0 if isinstance(changed, float) else changed)


def _texts(place: _Place, tickers: Sequence[str]) -> Iterator[tuple[str, str]]:
    text, schema = place.value, place.schema
    others = [choice for choice in schema.choices if isinstance(choice, str) and choice != text]
    if _is_ticker(place):
        yield from ticker_texts(text, tickers)
    elif text in _SIDES:
        yield "other side", _SIDES[text]
    elif others:
        yield "other choice", others[0]
    elif _DATE.fullmatch(text) or _INSTANT.fullmatch(text) or _TIME.fullmatch(text):
        yield from _times(text)
    elif _DECIMAL.fullmatch(text):
        yield from _decimals(text)
    else:
        yield "longer text", text + "x"
    if text:
        yield "blanked", ""


def ticker_texts(ticker: str, tickers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The next other ticker of the artifact, and one with another last character."""
    later = [t for t in tickers if t > ticker] or [t for t in tickers if t != ticker]
    if later:
        yield "other ticker", later[0]
    yield "last character", ticker[:-1] + ("1" if ticker[-1] == "0" else "0")


def _is_ticker(place: _Place) -> bool:
    value = place.value
    if not isinstance(value, str) or not _TICKER.fullmatch(value):
        return False
    if place.schema.patterns:
        return place.schema.is_ticker
    named = place.path[-2:] if place.path and isinstance(place.path[-1], int) else place.path[-1:]
    return bool(named) and isinstance(named[0], str) and named[0].rstrip("s") == "ticker"


def _times(text: str) -> Iterator[tuple[str, str]]:
    if _TIME.fullmatch(text):
        hour, minute = int(text[:2]), int(text[3:5])
        for operator, by in (("minute later", 1), ("minute earlier", -1)):
            minutes = (hour * 60 + minute + by) % 1440
            yield operator, f"{minutes // 60:02}:{minutes % 60:02}{text[5:]}"
        return
    try:
        moment = date.fromisoformat(text) if _DATE.fullmatch(text) else datetime.fromisoformat(text)
        later, earlier = moment + _DAY, moment - _DAY
    except (ValueError, OverflowError):
        yield "longer text", text + "x"
        return
    yield "day later", _as_written(text, later)
    yield "day earlier", _as_written(text, earlier)
    if isinstance(moment, datetime):
        yield "minute later", _as_written(text, moment + timedelta(minutes=1))


def _as_written(text: str, moment: date) -> str:
    """The moment in the layout of the text that it replaces, which may end in Z."""
    written = moment.isoformat()
    return written.replace("+00:00", "Z") if text.endswith("Z") else written


def _decimals(text: str) -> Iterator[tuple[str, str]]:
    value = Decimal(text)
    places = Decimal(1).scaleb(-len(text.partition(".")[2]))
    changes = (
        ("one more", value + 1),
        ("one less", value - 1),
        ("ten times", value * 10),
        ("hundred times", value * 100),
        ("hundredth", (value / 100).quantize(places)),
        ("other sign", -value),
    )
    for operator, changed in changes:
        if changed != value:
            yield operator, f"{changed:f}"


def _changed(data: Any, path: Path, remake: Callable[[Any], Any]) -> Any:
    """The data with the value at `path` made anew: copies along the path, the rest shared."""
    if not path:
        return remake(data)
    copy = data.copy()
    copy[path[0]] = _changed(data[path[0]], path[1:], remake)
    return copy
