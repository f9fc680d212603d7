"""Pages: the golden report, its frame, its trace, and what is said when a template asks for what is not there."""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from quantassay.harness import canonical, render, schemas, trace
from quantassay.harness.problems import SpecErrors
from quantassay.harness.render import RenderError
from quantassay.harness.trace import Report

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "data" / "report"
REPORT = Report("plan", "Orders by HSMS 2", True, ("HSMS 2",))
SOURCE = (FOLDER / "plan.md.j2").read_text(encoding="utf-8")


def envelope(name):
    return canonical.read(FOLDER / f"{name}.json")


def page(source=SOURCE, *, audit_only=False, **envelopes):
    return render.render(
        REPORT, "renderers/plan.md.j2", source, envelopes or {"plan": envelope("plan")}, audit_only=audit_only
    )


def small(data, **more):
    return {
        "plan": {
            "artifact": "plan",
            "version": 1,
            "as_of": "2026-11-18T15:45:00+09:00",
            "marks": [],
            "data": data,
            **more,
        }
    }


def filled(source, data):
    """The template's own lines, without title and sources."""
    text = render.render(REPORT, "renderers/plan.md.j2", source, small(data)).markdown
    return text.split("+09:00.\n\n")[1].split("\n\n---\n")[0]


def test_the_page_its_trace_and_its_chart_are_the_golden_files():
    made = page(plan=envelope("plan"), gate_record=envelope("gate_record"))
    assert made.markdown == (FOLDER / "plan_v1.md").read_text(encoding="utf-8")
    assert canonical.dumps(made.trace) == (FOLDER / "plan_v1.trace.json").read_bytes()
    assert made.images == {"plan_v1.equity.svg": (FOLDER / "plan_v1.equity.svg").read_bytes()}


def test_other_hash_seeds_zones_and_locales_make_the_same_bytes():
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import test_render as t\n"
        "made = t.page(plan=t.envelope('plan'), gate_record=t.envelope('gate_record'))\n"
        "sys.stdout.buffer.write(made.markdown.encode())"
    )
    made = [
        subprocess.run(
            [sys.executable, "-c", script, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone, locale in (("1", "UTC", "C"), ("2", "Asia/Seoul", "C.UTF-8"))
    ]
    assert made[0] == made[1] == (FOLDER / "plan_v1.md").read_bytes()


def test_the_order_of_members_does_not_matter():
    turned = json.loads(json.dumps(envelope("plan")), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert page(plan=turned) == page(plan=envelope("plan"))


def test_hostile_text_stays_in_its_cell():
    html = MarkdownIt("commonmark").enable("table").render(page().markdown)
    assert "<script" not in html
    assert html.count("<h1>") == 1
    (orders,) = re.findall(r"<table>.*?Quantity.*?</table>", html, re.DOTALL)
    assert {row.count("<td") for row in orders.split("<tr>")[2:]} == {8}


def test_every_entry_of_the_trace_lies_where_it_says():
    made = page()
    lines = made.markdown.split("\n")
    for entry in (*made.trace["values"], *made.trace["literals"], *made.trace["images"]):
        start = entry["column"] - 1
        assert lines[entry["line"] - 1][start : start + len(entry["text"])] == entry["text"]
    assert {entry["text"] for entry in made.trace["literals"]} == {"HSMS 2"}


def test_an_argument_from_the_data_is_traced_too():
    cash = next(entry for entry in page().trace["values"] if entry["pointer"] == "/data/cash")
    assert cash["text"] == "1,000,000 KRW"
    assert cash["arguments"] == [{"artifact": "plan", "pointer": "/data/currency"}]


def test_the_frame_says_marks_gate_waivers_and_the_moment():
    text = page(plan=envelope("plan"), gate_record=envelope("gate_record")).markdown
    head = text.split("By HSMS")[0]
    assert head.startswith("# Orders by HSMS 2\n\n> **SAMPLE** ")
    assert "> **GATE failed** " in head
    assert "> **WAIVED** `W01`: rule `R03.2` in `plan`, until 2026-12-01, by J. Doe: agreed on 12 May" in head
    assert "W02" not in head
    assert "As of 2026-11-18 15:45 +09:00." in head


def test_a_passed_gate_needs_no_banner_and_no_gate_no_mention():
    record = envelope("gate_record")
    record["data"]["status"] = "passed"
    assert "GATE" not in page(plan=envelope("plan"), gate_record=record).markdown
    assert "gate" not in page(plan=envelope("plan")).markdown


def test_two_moments_are_both_said():
    record = envelope("gate_record") | {"as_of": "2026-11-18T18:00:00+09:00"}
    text = page(plan=envelope("plan"), gate_record=record).markdown
    assert "As of 2026-11-18 15:45 +09:00, 2026-11-18 18:00 +09:00." in text


def test_audit_only_is_the_first_thing_on_the_page():
    made = page(audit_only=True)
    assert made.markdown.startswith(f"# Orders by HSMS 2\n\n{trace.AUDIT_ONLY}\n")
    assert made.trace["audit_only"] is True


def test_the_footer_gives_the_digest_of_each_file_used_and_of_no_other():
    made = page(plan=envelope("plan"), other=envelope("plan") | {"artifact": "other"})
    assert made.trace["sources"] == {"plan": canonical.sha256(canonical.dumps(envelope("plan")))}
    assert f"| `plan` | 1 | `{made.trace['sources']['plan'][:19]}` |" in made.markdown
    assert "other" not in made.markdown


def test_an_object_is_walked_in_canonical_order():
    source = "{% for name, n in plan|items %}{{ name|text }}={{ n|int }} {% endfor +%}"
    assert filled(source, {"b": 1, "a": 2, "\uffff": 3, "\U0001f600": 4}) == "a=2 b=1 \U0001f600=4 \uffff=3 "


def test_no_rows_take_the_else_branch_and_null_is_a_dash():
    source = "{% for row in plan.rows %}\n{{ row|int }}\n{% else %}\nnone\n{% endfor %}\n{{ plan.x|int }}"
    assert filled(source, {"rows": [], "x": None}) == "none\n\N{EN DASH}"


def test_a_value_can_name_the_member_of_another():
    assert filled("{{ plan.prices[plan.ticker]|int }}", {"ticker": "000660", "prices": {"000660": 5}}) == "5"


def test_conditions_see_the_values():
    source = (
        "{% if plan.a %}a{% endif %}{% if not plan.zero %}z{% endif %}{% if plan.s == 'x' %}s{% endif %}"
        "{% if plan.s in ['y', 'x'] %}i{% endif %}{% if 'q' in plan.l %}l{% endif %}{% if plan.n is none %}n{% endif %}"
        "{% if plan.s is none %}wrong{% endif %}{% if plan.s == plan.s %}e{% endif +%}"
    )
    assert filled(source, {"a": 1, "zero": 0, "s": "x", "l": ["q"], "n": None}) == "azsilne"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("\n\n{{ plan.nope|text }}", r"renderers/plan.md.j2:3: plan#/data has no 'nope'; it has a, rows"),
        ("{{ plan.a.b|text }}", r":1: plan#/data/a is a number or true/false; 'b' cannot be looked up in it"),
        ("{{ plan.__class__|text }}", "has no '__class__'"),
        ("{{ plan.rows['x']|text }}", "plan#/data/rows is a list; 'x' cannot"),
        ("{% for x in plan.a %}\n{% endfor %}", "plan#/data/a is a number or true/false; `for` needs a list"),
        ("{% for x, y in plan.a|items %}\n{% endfor %}", r"\|items needs an object"),
        ("{% if 'x' in plan.a %}\n{% endif %}", "nothing is in it"),
        ("{{ plan.a|date }}", "plan#/data/a cannot be printed: format 'date' takes a string YYYY-MM-DD, not 5"),
        (
            "\n{{ chart_bar(plan.rows, id='a', title='t', x='x', y='z') }}",
            ":2: chart_bar: row 0 has no 'z'; it has x, y",
        ),
        (
            "".join(f"{{{{ {c}(plan.rows, id='a', title='t', x='x', y='y') }}}}" for c in ("chart_bar", "chart_line")),
            "two charts have the file plan_v1.a.svg",
        ),
        ("{{ chart_bar(plan.rows, id=plan.a, title='t', x='x', y='y') }}", ":1: 5 is no id for chart_bar; use small"),
    ],
)
def test_what_is_not_there_is_named_with_the_line(source, says):
    with pytest.raises(RenderError, match=says):
        render.render(REPORT, "renderers/plan.md.j2", source, small({"a": 5, "rows": [{"x": "p", "y": 1}]}))


def test_a_chart_in_a_loop_takes_its_id_from_a_value():
    loop = "{% for s in plan.of %}\n{{ chart_bar(s.rows, id=s.id, title='t', x='x', y='y') }}\n{% endfor %}"
    of = [{"id": name, "rows": [{"x": name, "y": y}]} for name, y in (("a", 1), ("b", 2))]
    made = render.render(REPORT, "renderers/plan.md.j2", loop, small({"of": of}))
    assert sorted(made.images) == ["plan_v1.a.svg", "plan_v1.b.svg"]
    assert [image["file"] for image in made.trace["images"]] == ["plan_v1.a.svg", "plan_v1.b.svg"]
    assert [image["pointer"] for image in made.trace["images"]] == ["/data/of/0/rows", "/data/of/1/rows"]


def test_a_template_that_breaks_the_rules_is_not_rendered():
    with pytest.raises(SpecErrors) as caught:
        page("{{ plan.a + 1 }}\n\nSince 2020\n")
    assert [problem.line for problem in caught.value.problems] == [1, 3]


def test_python_is_out_of_reach_even_without_the_lint(monkeypatch):
    monkeypatch.setattr(render.template_lint, "lint", lambda *_: [])
    for source in (
        "{{ plan.a.__class__ }}",
        "{{ plan }}",
        "{{ 5 }}",
        "{{ 'x' }}",
        "{{ plan.a|text|text }}",
        "{{ range }}",
    ):
        with pytest.raises(RenderError):
            page(source, **small({"a": "x"}))


STANDARD = {
    "data_quality": canonical.read(FOLDER / "data_quality.json"),
    "gate_summary": {"gate_record": envelope("gate_record")["data"]},
}


@pytest.mark.parametrize("name", STANDARD)
def test_a_standard_report_is_rendered_and_bears_its_own_check(name):
    report = trace.report_of(name, yaml.safe_load((ROOT / "spec" / "90_reports.yaml").read_text(encoding="utf-8")))
    envelopes = {}
    for artifact, data in STANDARD[name].items():
        schema = json.loads((ROOT / "spec" / "schemas" / f"{artifact}_v1.schema.json").read_bytes())
        assert schemas.validate(schema, data) == []
        envelopes[artifact] = small(copy.deepcopy(data), artifact=artifact)["plan"]
    source = (ROOT / "renderers" / f"{name}.md.j2").read_text(encoding="utf-8")
    made = render.render(report, f"renderers/{name}.md.j2", source, envelopes)
    assert trace.check(made.markdown, made.trace, envelopes, report, made.images) == []
    tables = [block for block in made.markdown.split("\n\n") if block.startswith("|")]
    for table in tables:
        rows = [row.replace("\\|", "") for row in table.strip().split("\n")]
        assert len({row.count("|") for row in rows}) == 1, table


def test_nothing_against_any_name_is_said():
    data = copy.deepcopy(STANDARD["gate_summary"]["gate_record"])
    data |= {"status": "passed", "gates": data["gates"][:1], "waivers": []}
    data["gates"][0] |= {"findings": [], "status": "passed"}
    data["counts"] |= {"errors": 0, "waived": 0}
    source = (ROOT / "renderers" / "gate_summary.md.j2").read_text(encoding="utf-8")
    text = render.render(REPORT, "x", source, {"gate_record": small(data, artifact="gate_record")["plan"]}).markdown
    assert "**The gate is passed.**" in text
    assert "## Findings\n\nNone.\n" in text
    assert "| none |" in text
