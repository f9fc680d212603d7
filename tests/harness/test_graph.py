"""The order of building, what a selector means, and what has no order."""

import pytest

from quantassay.harness import graph
from quantassay.harness.graph import BadInput, Cycle, NoSuchArtifact
from quantassay.harness.inputs import Inputs, UnknownName
from quantassay.harness.workspace import find

#   calendar -> bars -> signals -> plan        bars -> quality       alone
BUILDERS = {
    "plan": "signals, calendar", "signals": "bars, limits", "bars": "calendar", "calendar": "limits", "quality": "bars",
    "alone": "",
}  # fmt: skip


@pytest.fixture
def inputs(toy):
    def of(builders=BUILDERS):
        toy.write("spec/10_limits.yaml", "days: 4\n")
        for name, parameters in builders.items():
            toy.builder(name, parameters, "return {}")
        return Inputs(find(toy.root))

    return of


@pytest.mark.parametrize(
    ("select", "order"),
    [
        ([], ["alone", "calendar", "bars", "quality", "signals", "plan"]),
        (["bars"], ["calendar", "bars"]),
        (["calendar"], ["calendar"]),
        (["signals+"], ["calendar", "bars", "signals", "plan"]),
        (["bars+"], ["calendar", "bars", "quality", "signals", "plan"]),
        (["plan"], ["calendar", "bars", "signals", "plan"]),
        (["quality", "alone"], ["alone", "calendar", "bars", "quality"]),
        (["plan+"], ["calendar", "bars", "signals", "plan"]),
        (["calendar+"], ["calendar", "bars", "quality", "signals", "plan"]),
    ],
)
def test_artifacts_are_built_after_what_they_read(inputs, select, order):
    assert list(graph.order(inputs(), select)) == order


@pytest.mark.parametrize(
    ("select", "hint"), [("bar", "; did you mean 'bars'?"), ("+bars", "; did you mean 'bars'?"), ("x", ""), ("", "")]
)
def test_a_selector_that_names_no_artifact_tells_what_there_is(inputs, select, hint):
    with pytest.raises(NoSuchArtifact) as raised:
        graph.order(inputs(), [select])
    assert (
        str(raised.value)
        == f"no builder makes {select!r}{hint}; there are alone, bars, calendar, plan, quality, signals"
    )


@pytest.mark.parametrize(
    ("builders", "circle"),
    [
        (
            {"a": "c", "b": "a", "c": "b", "d": "a"},
            ["a reads c reads b reads a", "b reads a reads c reads b", "c reads b reads a reads c"],
        ),
        ({"a": "a"}, ["a reads a"]),
    ],
)
def test_a_circle_is_named_in_the_order_of_reading(inputs, builders, circle):
    with pytest.raises(Cycle) as raised:
        graph.order(inputs(builders))
    assert str(raised.value) in [f"the builders read each other in a circle: {way}; break it" for way in circle]


def test_an_unknown_parameter_is_told_with_who_reads_it(inputs):
    with pytest.raises(UnknownName) as raised:
        graph.order(inputs({"a": "limts", "b": ""}))
    assert str(raised.value).startswith(
        "builders/a.py: build reads 'limts', and there is no such input; did you mean 'limits'?; there are a, "
    )


def test_only_gates_read_facts(inputs):
    with pytest.raises(
        BadInput, match="the builder a reads 'artifact_schema_errors', a fact about the workspace; only gates may"
    ):
        graph.order(inputs({"a": "artifact_schema_errors"}))
