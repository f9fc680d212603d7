"""From a number on the page to the spec line and the raw row, through every artifact between."""

import json
from pathlib import Path

import pytest

from quantassay.errors import AssayError
from quantassay.harness import canonical, explain, pointers, render
from quantassay.harness.explain import Context, NothingThere, UnknownPlace
from quantassay.harness.trace import Report

FOLDER = Path(__file__).parent / "data" / "report"
PLAN = canonical.read(FOLDER / "plan.json")
SIGNALS = {
    "artifact": "signals",
    "version": 1,
    "as_of": PLAN["as_of"],
    "marks": [],
    "provenance": {
        "builder": {"file": "builders/signals.py", "digest": "sha256:c1", "origin": "standard"},
        "inputs": [
            {"name": "bars", "kind": "handed", "digest": "sha256:e4"},
            {"name": "plan", "kind": "artifact", "digest": "sha256:e9"},
        ],
    },
    "origins": {"/names/*/close": ["bars:/{ticker}/{last}/close"], "/names/*/back": ["plan:/orders/{ticker}/quantity"]},
    "data": {
        "names": [
            {"ticker": "9000A0", "last": "2026-11-17", "close": "1020.50", "back": 1},
            {"ticker": "000660", "last": "2026-11-18", "close": 12345, "back": 2},
        ]
    },
}
HISTORY = {
    "artifact": "history",
    "version": 1,
    "as_of": PLAN["as_of"],
    "marks": [],
    "provenance": {"builder": {}, "inputs": [{"name": "bars", "kind": "handed", "digest": "sha256:e4"}]},
    "origins": {"/*/value": ["bars:/equity/{day}/close"], "/*/session": ["bars:/equity/{row}/session"]},
    "data": {"rows": 3},
}
LIMITS = {"cash": 1_000_000, "everything": [1, 2]}


class NoRow(AssayError):
    def __init__(self, pointer):
        super().__init__(f"no row for {pointer}")


def spec_line(name, pointer):
    return f"spec/17_{name}.yaml", 12, 5, pointers.get(LIMITS, pointer)


def raw_rows(name, pointer):
    if pointer.endswith("volume"):
        raise NoRow(pointer)
    return [f"{name}.csv:{n} {pointer}" for n in range(1, 8 if pointer.endswith("session") else 2)]


CONTEXT = Context(
    {"plan": PLAN, "signals": SIGNALS, "history": HISTORY}, lambda name: f"Temp/{name}_v1.json", spec_line, raw_rows
)


def way(pointer, artifact="plan", context=CONTEXT):
    return explain.explain_place(artifact, pointer, context).step


def references(step):
    return [(one.kind, one.reference) for one in step.origins]


def test_every_origin_of_a_number_is_followed_to_its_end():
    step = way("/data/orders/0/quantity")
    assert (step.where, step.value) == ("Temp/plan_v1.json#/data/orders/0/quantity", 1200)
    cash, close, moment = step.origins
    assert (cash.kind, cash.where, cash.reference, cash.value) == (
        "spec",
        "spec/17_limits.yaml:12:5",
        "limits:/cash",
        1_000_000,
    )
    assert (close.where, close.value) == ("Temp/signals_v1.json#/data/names/1/close", 12345)
    assert [(one.kind, one.lines) for one in close.origins] == [("raw", ("bars.csv:1 /000660/2026-11-18/close",))]
    assert (moment.kind, moment.reference, moment.lines) == ("raw", "as_of:", ("as_of.csv:1 ",))


def test_the_fields_of_a_reference_come_from_the_row_of_the_value():
    assert references(way("/data/orders/1/session")) == [("raw", "bars:/9000A0/2026-11-17/close")]


def test_the_closest_pattern_wins():
    assert references(way("/data/orders/0/close")) == [("artifact", "signals#/data/names/1/close")]
    assert references(way("/data/orders/0/lots")) == [("spec", "limits:/everything")]


def test_a_table_shows_its_row_and_what_its_column_is_made_from():
    (row,) = way("/data/equity/1/value").origins
    assert (row.kind, row.reference) == ("raw", "history:/2026-11-17/value")
    assert references(row) == [("raw", "bars:/equity/2026-11-17/close")]


def test_many_rows_are_cut_and_a_field_that_is_nowhere_is_said():
    (row,) = way("/data/equity/0/day").origins
    assert row.lines[-2:] == ("history.csv:5 /2026-11-16/session", "and 2 more")
    assert [(one.kind, one.lines) for one in row.origins] == [("open", ("one for each row",))]


def test_a_list_is_explained_by_what_its_members_are_made_from():
    assert [(one.reference, one.lines) for one in way("/data/equity").origins] == [
        ("history:/{day}/session", ("one for each day",)),
        ("history:/{day}/value", ("one for each day",)),
    ]
    assert ("spec", "limits:/cash") in references(way("/data"))


def test_a_place_that_refers_to_itself_is_entered_once():
    step = way("/data/names/1/back", "signals")
    (quantity,) = step.origins
    close = quantity.origins[1]
    assert close.reference == "signals#/data/names/1/close"
    looping = SIGNALS | {"origins": {"/names/**": ["plan:/orders/{ticker}/quantity"]}}
    again = Context({**CONTEXT.envelopes, "signals": looping}, CONTEXT.file, spec_line, raw_rows)
    looped = way("/data/names/1/back", "signals", again).origins[0].origins[1].origins[0]
    assert looped.lines == ("explained above",)


@pytest.mark.parametrize(
    ("pointer", "says"),
    [
        ("/as_of", "written by the build itself"),
        ("/marks/0", "written by the build itself"),
        ("/data/currency", "its builder names no origin for this place"),
    ],
)
def test_a_place_without_origin_says_so(pointer, says):
    assert way(pointer).lines == (says,)


def test_an_origin_that_leads_nowhere_is_part_of_the_explanation():
    assert [(o.kind, o.lines) for o in way("/data/totals/buy").origins] == [
        ("open", ("elsewhere is no input of plan",))
    ]
    assert [(o.kind, o.lines) for o in way("/data/orders/0/share").origins] == [
        ("open", ("no row for /000660/2026-11-18/volume",))
    ]
    lost = PLAN | {"origins": {"/cash": ["limits:/nope", "signals:/names/{currency}/close"]}}
    context = Context({**CONTEXT.envelopes, "plan": lost}, CONTEXT.file, spec_line, raw_rows)
    assert [o.kind for o in way("/data/cash", context=context).origins] == ["open", "open"]


def test_a_field_picks_its_item_of_a_list_in_a_spec():
    listed = {"cash": 1, "held": [{"currency": "USD"}, {"currency": "KRW", "cash": 7}]}
    seen = PLAN | {"origins": {"/cash": ["limits:/held/{currency}/cash", "limits:/held/{nope}/cash"]}}

    def line(name, pointer):
        return f"spec/17_{name}.yaml", 12, 5, pointers.get(listed, pointer)

    context = Context({**CONTEXT.envelopes, "plan": seen}, CONTEXT.file, line, raw_rows)
    found, nowhere = way("/data/cash", context=context).origins
    assert (found.kind, found.reference, found.value) == ("spec", "limits:/held/KRW/cash", 7)
    assert nowhere.kind == "open"


REPORT = Report("plan", "Orders", True, ("HSMS 2",))
PAGE = render.render(REPORT, "x", (FOLDER / "plan.md.j2").read_text(encoding="utf-8"), {"plan": PLAN})
LINE, ROW = next((n, row) for n, row in enumerate(PAGE.markdown.split("\n"), start=1) if "Quiet Lake" in row)


def test_every_value_of_a_line_is_explained_in_its_order():
    found = explain.explain_line("Temp/plan_v1.md", PAGE.trace, LINE, None, CONTEXT)
    assert [one.text for one in found] == [cell for cell in ROW.strip("| ").split(" | ") if cell != "-"]
    quantity = found[3]
    assert (quantity.where, quantity.format) == (f"Temp/plan_v1.md:{LINE}:{ROW.index('1,200') + 1}", "int")
    assert found[4].format == "price(KRW)"


def test_a_column_picks_the_value_it_lies_in():
    for column in (ROW.index("1,200") + 1, ROW.index("1,200") + 5):
        (one,) = explain.explain_line("Temp/plan_v1.md", PAGE.trace, LINE, column, CONTEXT)
        assert one.text == "1,200"
    with pytest.raises(NothingThere):
        explain.explain_line("Temp/plan_v1.md", PAGE.trace, LINE, ROW.index("1,200"), CONTEXT)


def test_an_argument_from_the_data_and_a_chart_are_explained():
    cash_line = next(n for n, row in enumerate(PAGE.markdown.split("\n"), start=1) if "1,000,000 KRW" in row)
    cash = explain.explain_line("p.md", PAGE.trace, cash_line, None, CONTEXT)[0]
    assert cash.format == "amount(plan#/data/currency)"
    image = PAGE.trace["images"][0]
    (chart,) = explain.explain_line("p.md", PAGE.trace, image["line"], None, CONTEXT)
    assert (chart.format, chart.step.reference) == ("chart_line", "plan#/data/equity")


def test_a_line_without_values_names_the_nearest_that_have_some():
    with pytest.raises(NothingThere, match=r"p.md:2 holds no value of an artifact there; .*: 3, 5, 7$"):
        explain.explain_line("p.md", PAGE.trace, 2, None, CONTEXT)


def test_the_text_goes_from_the_number_to_the_row():
    lines = explain.text(explain.explain_line("p.md", PAGE.trace, LINE, ROW.index("1,200") + 1, CONTEXT))
    assert lines == [
        f'p.md:{LINE}:{ROW.index("1,200") + 1}  "1,200"  int',
        "  Temp/plan_v1.json#/data/orders/0/quantity = 1200",
        "    comes from",
        "      spec/17_limits.yaml:12:5 limits:/cash = 1000000",
        "      Temp/signals_v1.json#/data/names/1/close = 12345",
        "        comes from",
        "          bars:/000660/2026-11-18/close",
        "            bars.csv:1 /000660/2026-11-18/close",
        "      as_of:",
        "        as_of.csv:1 ",
        "",
        "built by builders/plan.py sha256:b1",
        "  from as_of (handed) sha256:e5",
        "  from bars (handed) sha256:e4",
        "  from history (table) sha256:e3",
        "  from limits (spec) sha256:e1",
        "  from signals (artifact) sha256:e2",
    ]


def test_the_json_holds_the_same_and_long_values_as_their_size():
    one = explain.explain_place("plan", "/data/orders", CONTEXT).as_json()
    assert one["value"]["value"] == "2 members"
    assert one["builder"]["file"] == "builders/plan.py"
    assert [entry["name"] for entry in one["inputs"]] == ["as_of", "bars", "history", "limits", "signals"]
    assert json.loads(json.dumps(one)) == one


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("Temp/plan_v1.md:42", ("Temp/plan_v1.md", 42, None)),
        ("Temp/plan_v1.md:42:7", ("Temp/plan_v1.md", 42, 7)),
        ("C:/x/plan_v1.md:42:7", ("C:/x/plan_v1.md", 42, 7)),
        ("plan#/orders/0/price", ("plan", "/data/orders/0/price")),
        ("plan#", ("plan", "/data")),
        ("Temp/plan_v1.json#/data/orders/0/price", ("plan", "/data/orders/0/price")),
        ("Temp/plan_v1.json#/as_of", ("plan", "/as_of")),
    ],
)
def test_a_target_is_a_line_or_a_place(target, place):
    assert explain.split(target) == place


@pytest.mark.parametrize("target", ["plan", "plan_v1.md", "plan_v1.md:x", "#/orders", "plan#orders", ""])
def test_anything_else_is_no_target(target):
    with pytest.raises(UnknownPlace, match=r"give REPORT\.md:LINE"):
        explain.split(target)


def test_an_artifact_or_a_pointer_that_is_not_there_is_named():
    with pytest.raises(UnknownPlace, match="nobody#/data"):
        way("/data", "nobody")
    with pytest.raises(pointers.PointerNotFound):
        way("/data/nope")


def test_who_made_an_artifact_stands_once_for_a_whole_line():
    found = explain.explain_line("p.md", PAGE.trace, LINE, None, CONTEXT)
    lines = explain.text(found)
    makers = {str(one.made_by["builder"]["file"]) for one in found}
    assert len(found) > len(makers)
    assert sum(line.startswith("built by ") for line in lines) == len(makers)
