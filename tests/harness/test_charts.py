"""Charts: the same bytes each time (golden files), nothing but whole coordinates, and no text that becomes markup."""

import re
from decimal import getcontext, localcontext
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import charts
from quantassay.harness.charts import ChartError, draw

DATA = Path(__file__).parent / "data"
DAYS = [f"2026-11-{day:02d}" for day in range(2, 8)]
VALUES = [1_000_000, 1_010_000, None, 990_000, 1_030_000, 1_020_000]
EQUITY = [
    {"session": d, "value": v, "other": 1_000_000 + 1000 * i} for i, (d, v) in enumerate(zip(DAYS, VALUES, strict=True))
]
FALLS = [{"session": d, "fall": f} for d, f in zip(DAYS, ["0", "-0.01", "-0.035", None, "-0.02", "0"], strict=True)]
MONTHS = [{"year": str(y), "month": f"M{m}", "gain": (y * m) % 7 - 3} for y in (2025, 2026) for m in (1, 2, 3)]
TRIED = [
    {"value": v, "current": v == "1.1", "mean": m, "low": low, "high": high}
    for v, m, low, high in (
        ("1.0", "0.0031", "-0.0012", "0.0078"),
        ("1.1", "0.0041", "-0.0002", "0.0091"),
        ("1.5", "0.0012", None, None),
        (2, None, None, None),
    )
]
INTERVAL = {"title": "Tried", "x": "value", "y": "mean", "low": "low", "high": "high", "mark": "current"}
PRICES = [
    {"session": d, "close": c, "stop": s, "evaluated": d == "2026-11-06"}
    for d, c, s in zip(DAYS, [1000, 1040, 1035, "1010.5", 1060, 1050], [None, 990, 990, 995, 1000, 1010], strict=True)
]
PRICE = {"title": "Close", "x": "session", "y": ["close", "stop"], "mark": "evaluated"}
GOLDEN = {
    "price": ("chart_price", PRICES, {**PRICE, "format": ["price", "KRW"]}),
    "interval": ("chart_interval", TRIED, {**INTERVAL, "format": ["percent", 2]}),
    "line": (
        "chart_line",
        EQUITY,
        {"title": "Equity", "x": "session", "y": ["value", "other"], "format": ["amount", "KRW"]},
    ),
    "bar": ("chart_bar", FALLS, {"title": "Days", "x": "session", "y": "fall", "format": ["percent", 1]}),
    "drawdown": ("chart_drawdown", FALLS, {"title": "Drawdown", "x": "session", "y": "fall", "format": ["percent", 1]}),
    "heat": ("chart_heat", MONTHS, {"title": "Months", "row": "year", "column": "month", "value": "gain"}),
}


def parts(svg, tag):
    return ET.fromstring(svg).findall(f"{{http://www.w3.org/2000/svg}}{tag}")


def said(svg):
    return [part.text for part in parts(svg, "text")]


@pytest.mark.parametrize("name", GOLDEN)
def test_a_chart_has_the_bytes_of_its_golden_file(name):
    chart, rows, arguments = GOLDEN[name]
    with localcontext() as context:
        context.prec = 3  # a program's own decimal context must not move a point
        assert draw(chart, rows, arguments, "plan#/data/rows") == (DATA / f"chart_{name}.svg").read_bytes()
    assert getcontext().prec > 3


@pytest.mark.parametrize("name", GOLDEN)
def test_coordinates_are_whole_and_inside_the_picture(name):
    chart, rows, arguments = GOLDEN[name]
    svg = draw(chart, rows, arguments, "plan#/data/rows").decode()
    for path in re.findall(r' d="([^"]*)"', svg):
        assert re.fullmatch(r"[MLHZh0-9 ]+", path)
    places = [int(n) for n in re.findall(r' [xy]="([0-9]+)"', svg)]
    assert places
    assert all(0 <= place <= charts.WIDTH for place in places)
    assert not re.search(r'="-?[0-9]*\.[0-9]', svg)


def test_the_order_of_members_does_not_matter():
    chart, rows, arguments = GOLDEN["line"]
    turned = [dict(reversed(row.items())) for row in rows]
    assert draw(chart, turned, dict(reversed(arguments.items())), "p#/d") == draw(chart, rows, arguments, "p#/d")


def test_a_chart_says_in_words_what_it_shows():
    svg = draw(*GOLDEN["line"], "plan#/data/rows")
    assert [part.text for part in parts(svg, "title")] == ["Equity"]
    (described,) = parts(svg, "desc")
    assert described.text == (
        "From 2026-11-02 to 2026-11-07; lowest 990,000 KRW, highest 1,030,000 KRW. From plan#/data/rows."
    )


def test_axis_figures_are_values_of_the_data():
    assert {"990,000 KRW", "1,030,000 KRW", "2026-11-02", "2026-11-07"} <= set(said(draw(*GOLDEN["line"], "p#/d")))


@given(st.text(max_size=30), st.text(max_size=30))
def test_hostile_text_stays_text(title, label):
    title = title.encode("utf-8", "replace").decode()
    rows = [{"x": label.encode("utf-8", "replace").decode(), "y": 1}]
    svg = draw("chart_bar", rows, {"title": title, "x": "x", "y": "y"}, "p#/<d>")
    assert {part.tag.split("}")[1] for part in ET.fromstring(svg).iter()} <= {
        "svg",
        "title",
        "desc",
        "rect",
        "text",
        "path",
    }
    assert said(svg)[-1] == charts.formats.clean(rows[0]["x"]) or not rows[0]["x"]


def test_a_missing_value_breaks_the_line():
    _, rows, arguments = GOLDEN["line"]
    path = parts(draw("chart_line", rows, {**arguments, "y": "value"}, "p#/d"), "path")[-1].get("d")
    assert path.count("M") == 2


def test_one_point_and_equal_values_are_drawn_in_the_middle():
    arguments = {"title": "t", "x": "x", "y": "y"}
    one = parts(draw("chart_line", [{"x": "a", "y": 5}], arguments, "p#/d"), "path")[-1].get("d")
    assert one == "M800 285h4"
    flat = parts(draw("chart_line", [{"x": "a", "y": 5}, {"x": "b", "y": 5}], arguments, "p#/d"), "path")[-1].get("d")
    assert flat == "M200 285L1400 285"


@pytest.mark.parametrize("chart", ["chart_line", "chart_bar", "chart_drawdown"])
@pytest.mark.parametrize("rows", [[], [{"x": "a", "y": None}]])
def test_no_rows_are_said_in_the_picture(chart, rows):
    assert said(draw(chart, rows, {"title": "t", "x": "x", "y": "y"}, "p#/d")) == ["t", "no data"]


def test_a_drawdown_of_nothing_lies_on_the_top_line():
    svg = draw("chart_drawdown", [{"x": "a", "y": 0}, {"x": "b", "y": "0"}], {"title": "t", "x": "x", "y": "y"}, "p#/d")
    assert parts(svg, "path")[-1].get("d") == f"M200 {charts.TOP}L200 {charts.TOP}L1400 {charts.TOP}L1400 {charts.TOP}Z"


@given(st.lists(st.decimals(-(10**9), 10**9, places=4) | st.none(), min_size=1, max_size=30))
def test_higher_values_never_stand_lower(values):
    rows = [{"x": str(i), "y": None if v is None else f"{v:f}"} for i, v in enumerate(values)]
    svg = draw("chart_line", rows, {"title": "t", "x": "x", "y": "y"}, "p#/d")
    known = [(v, i) for i, v in enumerate(values) if v is not None]
    if known:
        points = re.findall(r"([0-9]+) ([0-9]+)", parts(svg, "path")[-1].get("d"))
        drawn = sorted(zip((v for v, _ in known), (-int(y) for _, y in points), strict=True))
        assert [y for _, y in drawn] == sorted(y for _, y in drawn)


@pytest.mark.parametrize(
    ("chart", "rows", "change", "says"),
    [
        ("chart_pie", [], {}, "there is no such chart"),
        ("chart_line", {}, {}, "no list of objects"),
        ("chart_line", [1], {}, "no list of objects"),
        ("chart_line", [], {"colour": "red"}, "colour is missing or unknown"),
        ("chart_line", [], {"x": 5}, "x is text"),
        ("chart_line", [], {"y": []}, "y is text"),
        ("chart_line", [], {"format": [1]}, "format is text"),
        ("chart_line", [{"x": 1}], {}, "row 0 has no 'y'"),
        ("chart_line", [{"x": 1, "y": 1}], {"format": "text"}, "not as 'text'"),
        ("chart_line", [], {"y": ["a", "b", "c", "d", "e"]}, "1 to 4 members"),
        ("chart_bar", [], {"y": ["a", "b"]}, "1 to 1 members"),
        ("chart_drawdown", [{"x": 1, "y": "0.5"}], {}, "never above zero; 0.5 is"),
    ],
)
def test_a_chart_refuses_what_it_cannot_draw(chart, rows, change, says):
    with pytest.raises(ChartError, match=re.escape(says)):
        draw(chart, rows, {"title": "t", "x": "x", "y": "y"} | change, "p#/d")


def test_a_chart_needs_its_arguments():
    with pytest.raises(ChartError, match="takes title, x, y and format; title, y is missing"):
        draw("chart_line", [], {"x": "x"}, "p#/d")


def test_a_heat_map_has_one_value_a_cell_and_few_enough_cells():
    arguments = {"title": "t", "row": "r", "column": "c", "value": "v"}
    with pytest.raises(ChartError, match="row 1 gives a / b a second value"):
        draw("chart_heat", [{"r": "a", "c": "b", "v": 1}] * 2, arguments, "p#/d")
    many = [{"r": str(i), "c": str(i), "v": 1} for i in range(30)]
    with pytest.raises(ChartError, match="30 by 30 cells"):
        draw("chart_heat", many, arguments, "p#/d")


def test_a_figure_that_is_no_number_is_named():
    with pytest.raises(charts.formats.FormatError, match="'ratio' takes a number"):
        draw("chart_line", [{"x": 1, "y": "high"}], {"title": "t", "x": "x", "y": "y"}, "p#/d")


def test_an_interval_shows_each_value_and_marks_the_one_that_is_true():
    svg = draw(*GOLDEN["interval"], "p#/d")
    texts = [(part.text, part.get("fill")) for part in parts(svg, "text")]
    assert [text for text, fill in texts if fill == "#b5521b"] == ["current", "0.41%"]
    assert [text for text, fill in texts if fill == "#1f5fa8"] == ["0.31%", "0.12%"]
    assert [part.get("fill") for part in parts(svg, "circle")] == ["#1f5fa8", "#b5521b", "#1f5fa8"]
    # What has no mean has no dot, what has no interval no line; every value keeps its place on the axis.
    assert sum(part.get("stroke-width") == "3" for part in parts(svg, "path")) == 2
    assert {"1.0", "1.1", "1.5", "2"} <= set(said(svg))


def test_a_higher_mean_stands_higher_and_between_its_ends():
    svg = draw(*GOLDEN["interval"], "p#/d")
    dots = [int(part.get("cy")) for part in parts(svg, "circle")]
    lines = [
        re.findall(r"M\d+ (\d+)L\d+ (\d+)", part.get("d"))[0] for part in parts(svg, "path") if part.get("stroke-width")
    ]
    assert dots[1] < dots[0] < dots[2]
    assert all(int(top) < dot < int(bottom) for dot, (top, bottom) in zip(dots, lines, strict=False))


def test_many_intervals_are_labelled_at_the_ends_and_at_the_mark():
    rows = [{**TRIED[0], "value": n, "current": n == 7} for n in range(30)]
    texts = said(draw("chart_interval", rows, INTERVAL, "p#/d"))
    assert [text for text in texts if text.isdigit()] == ["0", "7", "29"]


def test_an_interval_without_a_value_says_so():
    rows = [{**TRIED[3]}]
    assert "no data" in said(draw("chart_interval", rows, INTERVAL, "p#/d"))
    with pytest.raises(ChartError, match="row 0 has no 'low'"):
        draw("chart_interval", [{"value": 1, "mean": "0.1", "current": True}], INTERVAL, "p#/d")


def test_a_price_chart_marks_the_bar_that_decided():
    svg = draw(*GOLDEN["price"], "p#/d")
    dots = [(int(part.get("cx")), int(part.get("cy"))) for part in parts(svg, "circle")]
    assert dots == [(1160, charts.TOP), (1160, 431)]  # the fifth of six places, at the close and at the stop
    (rule,) = [part.get("d") for part in parts(svg, "path") if part.get("stroke-dasharray")]
    assert rule == f"M1160 {charts.TOP}L1160 {charts.BOTTOM}"
    assert {"2026-11-02", "2026-11-06", "2026-11-07", "1,060 KRW", "1,000 KRW"} <= set(said(svg))
    (described,) = parts(svg, "desc")
    assert "Marked is 2026-11-06: 1,060 KRW, 1,000 KRW." in described.text


@pytest.mark.parametrize("marks", [(), (0, 1), tuple(range(len(DAYS)))])
def test_a_price_chart_marks_one_row_and_no_other_number_of_rows(marks):
    rows = [{**row, "evaluated": i in marks} for i, row in enumerate(PRICES)]
    with pytest.raises(ChartError, match=f"{len(marks)} of 6 rows are marked by 'evaluated'; mark one"):
        draw("chart_price", rows, PRICE, "p#/d")
    assert "no data" in said(draw("chart_price", [], PRICE, "p#/d"))


def test_a_marked_bar_without_a_price_has_a_rule_and_no_dot():
    rows = [{**row, "close": None, "stop": None} if row["evaluated"] else row for row in PRICES]
    svg = draw("chart_price", rows, PRICE, "p#/d")
    assert parts(svg, "circle") == []
    assert "2026-11-06" in said(svg)


@pytest.mark.parametrize(
    ("value", "ok"), [("hsms_buy", True), ("Buy", False), ("1st", False), ("a-b", False), (7, False)]
)
def test_an_id_is_part_of_a_file_name(value, ok):
    assert charts.is_id(value) is ok
