"""Pages: made where something changed, kept where nothing did, dropped with their template, read with other eyes."""

import pytest

from quantassay.jobs import desk as opening
from quantassay.jobs import report as job

NAMES = ["data_quality", "gate_summary", "next_open_plan"]
OWN = "{# How many orders there are #}\nThere are {{ next_open_plan.orders|count('order', 'orders') }}.\n"


def made(toy):
    """The pages that `assay render` makes."""
    return [line.split("/")[1] for line in toy.run("render").out.splitlines() if line.startswith("made")]


@pytest.fixture
def own_report(desk, edit):
    """A desk with a report of its own."""
    edit(desk, "spec/00_workspace.yaml", "own: false", "own: true")
    spec = (desk.root / "spec/90_reports.yaml").read_text()
    desk.write(
        "spec/90_reports.yaml", f'{spec}  how_many:\n    title: "How many"\n    needs_numbers: true\n    literals: []\n'
    )
    desk.write("renderers/how_many.md.j2", OWN)
    return desk


def test_each_page_that_is_gone_is_made_again(desk):
    before = desk.temp()
    assert made(desk) == []
    (desk.root / "Temp/data_quality_v1.md").unlink()
    (desk.root / "Temp/gate_summary_v1.trace.json").unlink()
    assert made(desk) == ["data_quality_v1.md", "gate_summary_v1.md"]
    assert desk.temp() == before


def test_a_page_is_made_anew_when_its_title_changes_and_no_other(desk, edit):
    edit(desk, "spec/90_reports.yaml", 'title: "Data quality"', 'title: "Quality of the data"')
    assert made(desk) == ["data_quality_v1.md"]
    assert (desk.root / "Temp/data_quality_v1.md").read_text().startswith("# Quality of the data\n")


def test_a_template_of_ones_own_is_a_page_like_any_other_and_goes_with_it(own_report):
    assert made(own_report) == ["how_many_v1.md"]
    page = own_report.root / "Temp/how_many_v1.md"
    assert "There are 6 orders." in page.read_text()
    (own_report.root / "renderers/how_many.md.j2").unlink()
    assert made(own_report) == []
    assert not page.exists()
    assert not (own_report.root / "Temp/how_many_v1.trace.json").exists()


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{# x #}\nThere are 6 orders.\n", "renderers/how_many.md.j2:2:1: '6'"),
        ("{# x #}\n{{ next_open_plan.orders|length }}\n", "renderers/how_many.md.j2:2"),
        ("{# x #}\n{{ next_open_plan.budget.max_positions + 1 }}\n", "renderers/how_many.md.j2:2"),
        ("{# x #}\n{{ next_open_plan.nothing|int }}\n", "nothing"),
        ("{# x #}\n{{ next_open_plam.orders|count('a', 'b') }}\n", "next_open_plam"),
    ],
)
def test_a_template_that_does_more_than_place_values_is_refused(own_report, template, says):
    before = own_report.temp()
    own_report.write("renderers/how_many.md.j2", template)
    done = own_report.run("render")
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert "Traceback" not in done.err
    assert own_report.temp() == before


def test_a_page_that_lies_there_is_read_as_it_is(desk, edit):
    inputs = opening.built(desk.root)
    for name in NAMES:
        assert job.check(inputs, inputs.rooms.renderers[name]) == []
    unit = inputs.rooms.renderers["next_open_plan"]
    edit(desk, "Temp/next_open_plan_v1.md", "| 800 |", "| 801 |")
    problems = [str(problem) for problem in job.check(inputs, unit)]
    assert any(one.startswith("next_open_plan_v1.md:") and "the page says '801'" in one for one in problems)
    (desk.root / "Temp/next_open_plan_v1.md").write_bytes(b"\xff")
    (problem,) = job.check(inputs, unit)
    assert "cannot be read" in str(problem)
    (desk.root / "Temp/next_open_plan_v1.md").unlink()
    (problem,) = job.check(inputs, unit)
    assert str(problem) == "next_open_plan_v1.md:1:1: next_open_plan_v1.md is missing; run `assay render`"


def test_a_number_that_was_built_anew_makes_an_old_page_wrong(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    assert desk.run("build").code == 0
    inputs = opening.built(desk.root)
    problems = job.check(inputs, inputs.rooms.renderers["next_open_plan"])
    assert any("no longer the artifact that the page was rendered from" in one.says for one in problems)
    again = made(desk)
    assert "next_open_plan_v1.md" in again
    assert "data_quality_v1.md" not in again, "it does not depend on the setting"
