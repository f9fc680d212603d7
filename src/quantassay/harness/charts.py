"""Charts as SVG, drawn from an artifact's rows: same rows, same bytes, on every machine.

Places are whole numbers worked out in exact fractions, and every figure on an axis is a value of the data written by
one of the named formats. So a chart can be checked like any number on the page: draw it again and compare.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import escape

from quantassay.errors import AssayError
from quantassay.harness import formats

WIDTH, HEIGHT = 1440, 560
LEFT, RIGHT, TOP, BOTTOM = 200, 1400, 80, 490
_COLOURS = ("#1f5fa8", "#b5521b", "#3d7a3d", "#7a4d9e")
_UP, _DOWN = (31, 95, 168), (181, 82, 27)  # the ends of the heat scale: above zero, below zero
_FIGURES = ("amount", "int", "percent", "price", "ratio")
_MOST_LABELS = 12
_MOST_CELLS = 600
_ID = re.compile(r"[a-z][a-z0-9_]*")


class ChartError(AssayError):
    """Rows or arguments that a chart cannot be drawn from."""

    def __init__(self, chart: str, why: str) -> None:
        super().__init__(f"{chart}: {why}")


@dataclass(frozen=True, slots=True)
class _Axis:
    """A straight map from values to places; equal ends map to the middle."""

    low: Fraction
    high: Fraction
    start: int
    end: int

    def place(self, value: Fraction) -> int:
        if self.low == self.high:
            return (self.start + self.end) // 2
        return round(self.start + (value - self.low) * (self.end - self.start) / (self.high - self.low))


@dataclass(frozen=True, slots=True)
class _Series:
    """The rows of a chart: labels along x, and one list of values (None = no value) a name."""

    labels: tuple[str, ...]
    values: Mapping[str, tuple[Fraction | None, ...]]
    written: Mapping[Fraction, str]

    def known(self) -> list[Fraction]:
        return sorted({v for values in self.values.values() for v in values if v is not None})


def is_id(value: object) -> bool:
    """Whether a value may be the id of a chart, which becomes part of a file's name."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def draw(chart: str, rows: object, arguments: Mapping[str, Any], source: str) -> bytes:
    """The SVG of a list of objects; `source` (artifact#pointer) stands in its description. Raises ChartError.

    Arguments of chart_line, chart_bar, chart_drawdown: title, x (member), y (member, or a list of members for lines),
    format (a format and its arguments for the figures, such as ["amount", "KRW"]; without it ["ratio"]).
    Arguments of chart_price: those of chart_line, and mark (a member that is true in the one row to be marked).
    Arguments of chart_heat: title, row, column, value (members), format.
    Arguments of chart_interval: title, x, y, low, high (members; what is null is not drawn), mark (a member that is
    true in the row to be marked with its name), format.
    """
    if chart not in CHARTS:
        raise ChartError(chart, f"there is no such chart; known are {', '.join(CHARTS)}")
    needed, function = CHARTS[chart]
    wrong = set(needed) - set(arguments) or set(arguments) - {*needed, "format"}
    if wrong:
        raise ChartError(
            chart, f"takes {', '.join(needed)} and format; {', '.join(sorted(wrong))} is missing or unknown"
        )
    for name, value in arguments.items():
        texts = value if isinstance(value, list) and name in ("y", "format") else [value]
        if not texts or not all(isinstance(t, str) or (name == "format" and t is not texts[0]) for t in texts):
            raise ChartError(chart, f"{name} is text, or for y and format a list that starts with text")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ChartError(chart, f"{source} is no list of objects")
    figures = arguments.get("format", "ratio")
    figures = figures if isinstance(figures, list) else [figures]
    body, says = function(chart, rows, {**arguments, "format": figures})
    title, described = escape(formats.clean(arguments["title"])), escape(f"{says} From {source}.")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d" '
        'font-family="sans-serif" font-size="22" fill="#222222">'
    )
    lines = [
        head,
        f'<title id="t">{title}</title>',
        f'<desc id="d">{described}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="46" font-size="28">{title}</text>',
        *body,
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _line(chart: str, rows: list[dict[str, Any]], arguments: Mapping[str, Any]) -> tuple[list[str], str]:
    series = _read(chart, rows, arguments)
    known = series.known()
    if not known:
        return _empty()
    axis = _Axis(known[0], known[-1], BOTTOM, TOP)
    body = [*_figures(series, axis, [known[0], known[-1]]), *_labels(series, (0, len(series.labels) - 1))]
    for i, (name, values) in enumerate(series.values.items()):
        colour = _COLOURS[i % len(_COLOURS)]
        body.append(f'<path d="{_path(values, axis)}" fill="none" stroke="{colour}" stroke-width="3"/>')
        if len(series.values) > 1:
            body.append(
                _text(RIGHT - 220 * (len(series.values) - 1 - i), 46, name, f'text-anchor="end" fill="{colour}"')
            )
    return body, _says(series, known)


def _price(chart: str, rows: list[dict[str, Any]], arguments: Mapping[str, Any]) -> tuple[list[str], str]:
    """Lines with one row marked: a rule through it, its label above, and its values beside their dots."""
    body, says = _line(chart, rows, arguments)
    marked = [i for i, row in enumerate(rows) if _member(chart, row, arguments["mark"], i) is True]
    if rows and len(marked) != 1:
        raise ChartError(chart, f"{len(marked)} of {len(rows)} rows are marked by {arguments['mark']!r}; mark one")
    series = _read(chart, rows, arguments)
    known = series.known()
    if not known:
        return body, says
    (i,), axis = marked, _Axis(known[0], known[-1], BOTTOM, TOP)
    across, colour = _across(i, len(rows)), _COLOURS[1]
    anchor, aside = ("start", 14) if across < (LEFT + RIGHT) // 2 else ("end", -14)
    rule = f'<path d="M{across} {TOP}L{across} {BOTTOM}" stroke="{colour}" stroke-dasharray="8 6"/>'
    body += [rule, _text(across + aside, TOP - 10, series.labels[i], f'text-anchor="{anchor}" fill="{colour}"')]
    shown = []
    for values in series.values.values():
        if (value := values[i]) is not None:
            down = axis.place(value)
            body.append(f'<circle cx="{across}" cy="{down}" r="8" fill="{colour}"/>')
            words = series.written[value]
            body.append(_text(across + aside, min(down + 36, BOTTOM - 8), words, f'text-anchor="{anchor}"'))
            shown.append(words)
    return body, f"{says} Marked is {series.labels[i]}: {', '.join(shown) or formats.NOTHING}."


def _bar(chart: str, rows: list[dict[str, Any]], arguments: Mapping[str, Any]) -> tuple[list[str], str]:
    series = _read(chart, rows, arguments)
    known = series.known()
    if not known:
        return _empty()
    zero = Fraction(0)
    axis = _Axis(min(known[0], zero), max(known[-1], zero), BOTTOM, TOP)
    base, count = axis.place(zero), len(series.labels)
    body = [*_figures(series, axis, [known[0], known[-1]]), _rule(base)]
    for i, value in enumerate(next(iter(series.values.values()))):
        if value is not None:
            left, right = _slot(i, count)
            top, colour = min(axis.place(value), base), _COLOURS[0] if value >= 0 else _COLOURS[1]
            size = f'width="{max(right - left, 1)}" height="{abs(axis.place(value) - base)}"'
            body.append(f'<rect x="{left}" y="{top}" {size} fill="{colour}"/>')
    shown = range(count) if count <= _MOST_LABELS else (0, count - 1)
    return [*body, *_labels(series, shown, middle=True)], _says(series, known)


def _drawdown(chart: str, rows: list[dict[str, Any]], arguments: Mapping[str, Any]) -> tuple[list[str], str]:
    series = _read(chart, rows, arguments)
    known = series.known()
    if not known:
        return _empty()
    if known[-1] > 0:
        raise ChartError(chart, f"a drawdown is never above zero; {series.written[known[-1]]} is")
    axis = _Axis(known[0] or Fraction(-1), Fraction(0), BOTTOM, TOP)
    body = [*_figures(series, axis, [known[0], known[-1]]), _rule(TOP)]
    values = next(iter(series.values.values()))
    for run in _runs(values):
        edge = "".join(f"L{_across(i, len(values))} {axis.place(v)}" for i, v in run)
        first, last = _across(run[0][0], len(values)), _across(run[-1][0], len(values))
        body.append(f'<path d="M{first} {TOP}{edge}L{last} {TOP}Z" fill="{_COLOURS[1]}"/>')
    return [*body, *_labels(series, (0, len(series.labels) - 1))], _says(series, known)


def _heat(chart: str, rows: list[dict[str, Any]], arguments: Mapping[str, Any]) -> tuple[list[str], str]:
    cells: dict[tuple[str, str], Fraction] = {}
    written: dict[Fraction, str] = {}
    for i, row in enumerate(rows):
        place = (_label(_member(chart, row, arguments["row"], i)), _label(_member(chart, row, arguments["column"], i)))
        if place in cells:
            raise ChartError(chart, f"row {i} gives {' / '.join(place)} a second value")
        value = _member(chart, row, arguments["value"], i)
        if value is not None:
            cells[place] = _number(chart, value, arguments, written)
    if not cells:
        return _empty()
    down, across = ([*dict.fromkeys(place[axis] for place in cells)] for axis in (0, 1))
    if len(down) * len(across) > _MOST_CELLS:
        raise ChartError(chart, f"{len(down)} by {len(across)} cells cannot be read; at most {_MOST_CELLS}")
    largest = max(abs(v) for v in cells.values()) or Fraction(1)
    rows_axis, columns_axis = (
        _Axis(Fraction(0), Fraction(len(n)), *e) for n, e in ((down, (TOP, BOTTOM)), (across, (LEFT, RIGHT)))
    )
    body = []
    for (row_label, column_label), value in cells.items():
        r, c = down.index(row_label), across.index(column_label)
        left, right = columns_axis.place(Fraction(c)), columns_axis.place(Fraction(c + 1))
        top, bottom = rows_axis.place(Fraction(r)), rows_axis.place(Fraction(r + 1))
        size = f'width="{right - left}" height="{bottom - top}"'
        body.append(f'<rect x="{left}" y="{top}" {size} fill="{_shade(value / largest)}" stroke="#ffffff"/>')
        body.append(
            _text((left + right) // 2, (top + bottom) // 2 + 7, written[value], 'text-anchor="middle" font-size="18"')
        )
    for r, name in enumerate(down):
        middle = (rows_axis.place(Fraction(r)) + rows_axis.place(Fraction(r + 1))) // 2
        body.append(_text(LEFT - 12, middle + 7, name, 'text-anchor="end"'))
    for c, name in enumerate(across):
        middle = (columns_axis.place(Fraction(c)) + columns_axis.place(Fraction(c + 1))) // 2
        body.append(_text(middle, BOTTOM + 34, name, 'text-anchor="middle"'))
    low, high = min(cells.values()), max(cells.values())
    return body, f"Lowest {written[low]}, highest {written[high]}."


def _interval(chart: str, rows: list[dict[str, Any]], arguments: Mapping[str, Any]) -> tuple[list[str], str]:
    names = [arguments[name] for name in ("y", "low", "high")]
    series = _read(chart, rows, {**arguments, "y": names})
    known = series.known()
    if not known:
        return _empty()
    zero, count = Fraction(0), len(rows)
    axis = _Axis(min(known[0], zero), max(known[-1], zero), BOTTOM, TOP + 30)
    marked = [_member(chart, row, arguments["mark"], i) is True for i, row in enumerate(rows)]
    body = [*_figures(series, axis, [known[0], known[-1]]), _rule(axis.place(zero))]
    for i, (value, low, high) in enumerate(zip(*(series.values[name] for name in names), strict=True)):
        middle, colour = sum(_slot(i, count)) // 2, _COLOURS[1 if marked[i] else 0]
        if marked[i]:
            body.append(_text(middle, TOP + 6, arguments["mark"], f'text-anchor="middle" fill="{colour}"'))
        if low is not None and high is not None:
            top, bottom = axis.place(high), axis.place(low)
            ends = f"M{middle - 10} {top}H{middle + 10}M{middle - 10} {bottom}H{middle + 10}"
            body.append(f'<path d="M{middle} {top}L{middle} {bottom}{ends}" stroke="{colour}" stroke-width="3"/>')
        if value is not None:
            body.append(f'<circle cx="{middle}" cy="{axis.place(value)}" r="8" fill="{colour}"/>')
            if count <= _MOST_LABELS:
                body.append(_text(middle + 16, axis.place(value) + 7, series.written[value], f'fill="{colour}"'))
    shown = range(count) if count <= _MOST_LABELS else (0, *(i for i in range(count) if marked[i]), count - 1)
    return [*body, *_labels(series, shown, middle=True)], _says(series, known)


def _read(chart: str, rows: list[dict[str, Any]], arguments: Mapping[str, Any]) -> _Series:
    names = arguments["y"] if isinstance(arguments["y"], list) else [arguments["y"]]
    most = {"chart_line": len(_COLOURS), "chart_price": len(_COLOURS), "chart_interval": 3}.get(chart, 1)
    if not 1 <= len(names) <= most:
        raise ChartError(chart, f"draws 1 to {most} members, not {len(names)}")
    written: dict[Fraction, str] = {}
    values: dict[str, list[Fraction | None]] = {name: [] for name in names}
    labels = []
    for i, row in enumerate(rows):
        labels.append(_label(_member(chart, row, arguments["x"], i)))
        for name in names:
            value = _member(chart, row, name, i)
            values[name].append(None if value is None else _number(chart, value, arguments, written))
    return _Series(tuple(labels), {name: tuple(v) for name, v in values.items()}, written)


def _member(chart: str, row: dict[str, Any], name: object, index: int) -> object:
    if name not in row:
        raise ChartError(chart, f"row {index} has no {name!r}; it has {', '.join(sorted(row))}")
    return row[name]


def _number(chart: str, value: object, arguments: Mapping[str, Any], written: dict[Fraction, str]) -> Fraction:
    name, *rest = arguments["format"]
    if name not in _FIGURES:
        raise ChartError(chart, f"figures are written as {', '.join(_FIGURES)}, not as {name!r}")
    number = Fraction(formats.decimal(name, value))
    written[number] = formats.apply(name, value, tuple(rest))
    return number


def _label(value: object) -> str:
    return formats.clean(value) if isinstance(value, str) else formats.NOTHING if value is None else str(value)


def _text(x: int, y: int, words: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" {style}>{escape(words)}</text>'


def _rule(y: int) -> str:
    return f'<path d="M{LEFT} {y}H{RIGHT}" stroke="#888888"/>'


def _figures(series: _Series, axis: _Axis, values: Sequence[Fraction]) -> list[str]:
    """The given values of the data beside their height; only values that the data holds are written."""
    return [
        part
        for value in dict.fromkeys(values)
        for part in (
            f'<path d="M{LEFT} {axis.place(value)}H{RIGHT}" stroke="#dddddd"/>',
            _text(LEFT - 12, axis.place(value) + 7, series.written[value], 'text-anchor="end"'),
        )
    ]


def _labels(series: _Series, shown: Iterable[int], *, middle: bool = False) -> list[str]:
    count, parts = len(series.labels), []
    for i in dict.fromkeys(shown):
        if middle:
            left, right = _slot(i, count)
            parts.append(_text((left + right) // 2, BOTTOM + 34, series.labels[i], 'text-anchor="middle"'))
        else:
            anchor = "start" if i == 0 else "end"
            parts.append(_text(LEFT if i == 0 else RIGHT, BOTTOM + 34, series.labels[i], f'text-anchor="{anchor}"'))
    return parts


def _across(index: int, count: int) -> int:
    return _Axis(Fraction(0), Fraction(count - 1), LEFT, RIGHT).place(Fraction(index))


def _slot(index: int, count: int) -> tuple[int, int]:
    axis = _Axis(Fraction(0), Fraction(5 * count), LEFT, RIGHT)
    return axis.place(Fraction(5 * index + 1)), axis.place(Fraction(5 * index + 4))


def _runs(values: Sequence[Fraction | None]) -> list[list[tuple[int, Fraction]]]:
    """The values with their index, split where one is missing."""
    runs: list[list[tuple[int, Fraction]]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((i, value))
    return [run for run in runs if run]


def _path(values: Sequence[Fraction | None], axis: _Axis) -> str:
    """A line through each run; a run of one value is a short stroke, or nothing would be seen."""
    parts = []
    for run in _runs(values):
        points = [f"{_across(i, len(values))} {axis.place(v)}" for i, v in run]
        parts.append("M" + "L".join(points) + ("h4" if len(points) == 1 else ""))
    return "".join(parts)


def _shade(share: Fraction) -> str:
    """White at 0, the full colour at 1 and -1."""
    end = _UP if share >= 0 else _DOWN
    return "#" + "".join(f"{round(255 - abs(share) * (255 - c) * 3 / 4):02x}" for c in end)


def _says(series: _Series, known: Sequence[Fraction]) -> str:
    low, high = series.written[known[0]], series.written[known[-1]]
    return f"From {series.labels[0]} to {series.labels[-1]}; lowest {low}, highest {high}."


def _empty() -> tuple[list[str], str]:
    return [_text((LEFT + RIGHT) // 2, (TOP + BOTTOM) // 2, "no data", 'text-anchor="middle"')], "No data."


_Drawing = Callable[[str, list[dict[str, Any]], Mapping[str, Any]], tuple[list[str], str]]
CHARTS: MappingProxyType[str, tuple[tuple[str, ...], _Drawing]] = MappingProxyType(
    {
        "chart_bar": (("title", "x", "y"), _bar),
        "chart_drawdown": (("title", "x", "y"), _drawdown),
        "chart_heat": (("title", "row", "column", "value"), _heat),
        "chart_interval": (("title", "x", "y", "low", "high", "mark"), _interval),
        "chart_line": (("title", "x", "y"), _line),
        "chart_price": (("title", "x", "y", "mark"), _price),
    }
)
