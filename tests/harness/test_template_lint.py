"""What templates may and may not say: each refusal fires, names its line and says what to do."""

from pathlib import Path

import pytest
import yaml

from quantassay.harness import template_lint, trace
from quantassay.harness.inputs import ENGINE_ARTIFACTS

ROOT = Path(__file__).parents[2]


def said(source, literals=(), known=("plan",)):
    return [f"{p.line}: {p.says}" for p in template_lint.lint("renderers/x.md.j2", source, literals, known)]


ALLOWED = [
    "Words, and {{ plan.name|text }} among them.",
    "{{ plan['name']|text }}",
    "{{ plan.names[plan.ticker].close|price('KRW') }}",
    "{{ plan.share|percent(1) }} of {{ plan.cash|amount(plan.currency) }}",
    "{{ plan.orders|count('order', 'orders') }}",
    "{% for order in plan.orders %}\n{{ order.quantity|int }}\n{% else %}\nNone.\n{% endfor %}",
    "{% for order in plan.orders if order.side == 'sell' %}\n{{ order.ticker|ticker }}\n{% endfor %}",
    "{% for name, row in plan.rows|items %}\n{{ name|text }}: {{ row.n|int }}\n{% endfor %}",
    "{% for o in plan.orders %}{{ o.ticker|ticker }}{% if not loop.last %}, {% endif %}{% endfor +%}",
    "{% if plan.orders and not plan.error or plan.side != 'buy' %}\nyes\n{% elif plan.x is none %}\nno\n{% endif %}",
    "{% if plan.state in ['a', 'b'] and 'SAMPLE' in plan.marks %}\nyes\n{% endif %}",
    "{# a comment with 5 digits #}\n",
    "{{ chart_line(plan.rows, id='equity_2', title='Equity', x='day', y=['a', 'b'], format=['percent', 1]) }}",
    "{{ chart_heat(plan.rows, id='h', title='Months', row='y', column='m', value='v') }}",
    "{% for one in plan.studies %}\n{{ chart_bar(one.rows, id=one.id, title='t', x='x', y='y') }}\n{% endfor %}",
]


@pytest.mark.parametrize("source", ALLOWED)
def test_placing_formatting_choosing_and_repeating_are_allowed(source):
    assert said(source) == []


REFUSED = [
    ("{{ plan.a + plan.b }}", "may not use arithmetic"),
    ("{{ plan.a * 2 }}", "may not use arithmetic"),
    ("{{ -plan.a }}", "may not use arithmetic"),
    ("{{ (plan.a - plan.b)|int }}", "may not use arithmetic"),
    ("{{ plan.a ~ plan.b }}", "joining text"),
    ("{{ plan.a if plan.b else plan.c }}", "a choice inside a value"),
    ("{{ 5 }}", "a constant"),
    ("{{ 'abc'|text }}", "a constant"),
    ("{{ plan.a }}", "printed without a format"),
    ("{{ plan.a|upper }}", "there is no format 'upper'"),
    ("{{ plan.a|text|code }}", "one format stands behind one printed value"),
    ("{{ plan.a|amount }}", "|amount takes 1 to 1 arguments"),
    ("{{ plan.a|amount(unit='KRW') }}", "|amount takes 1 to 1 arguments, without names"),
    ("{{ plan.a|amount(*plan.b) }}", "|amount takes 1 to 1 arguments"),
    ("{{ plan.a|amount('KRW 1000') }}", "holds a number; write it in words"),
    ("{{ plan.a|percent(plan.b + 1) }}", "may not use arithmetic"),
    ("{{ plan.rows[0].a|int }}", "an item by its number"),
    ("{{ plan.rows[1:]|list }}", "an item by its number or a slice"),
    ("{{ plan.items()|text }}", "a call; only charts are called"),
    ("{{ range(5) }}", "a call; only charts are called"),
    ("{{ now() }}", "a call; only charts are called"),
    ("{{ plan.a|int() + 1 }}", "may not use arithmetic"),
    ("{% for o in plan.rows %}\n{{ loop.index|int }}\n{% endfor %}", "a counter has no origin"),
    ("{% for o in plan.rows %}\n{{ loop.first|yes_no }}\n{% endfor %}", "a counter has no origin"),
    ("{% for o in plan.rows %}\n{% if loop.index %}\n{% endif %}\n{% endfor %}", "a counter has no origin"),
    ("{% for o in plan.rows|sort %}\n{% endfor %}", "a filter here"),
    ("{% for o in plan.rows[:5] %}\n{% endfor %}", "a slice"),
    ("{% for o in [1, 2] %}\n{% endfor %}", "List"),
    ("{% for a, b in plan.rows %}\n{% endfor %}", "one name for a list, and two with |items"),
    ("{% for a in plan.rows|items %}\n{% endfor %}", "one name for a list, and two with |items"),
    ("{% for a in plan.rows recursive %}\n{% endfor %}", "a recursive loop"),
    ("{% if plan.a > 5 %}\n{% endif %}", "compare only with ==, != and in"),
    ("{% if plan.a == 5 %}\n{% endif %}", "only with constant text"),
    ("{% if 'a' == 'a' %}\n{% endif %}", "compare only with"),
    ("{% if 'a' < plan.a < 'b' %}\n{% endif %}", "compare only with"),
    ("{% if plan.a|length %}\n{% endif %}", "a filter here"),
    ("{% if plan.a is defined %}\n{% endif %}", "only `is none`"),
    ("{% if 1 %}\n{% endif %}", "a constant"),
    ("{% set a = plan.b %}\n", "{% set %}"),
    ("{% set a %}b{% endset +%}\n", "{% set %}"),
    ("{% with a = plan.b %}\n{% endwith %}", "{% with %}"),
    ("{% macro m() %}\n{% endmacro %}", "a macro"),
    ("{% call plan.m() %}\n{% endcall %}", "{% call %}"),
    ("{% filter text %}\n{% endfilter %}", "{% filter %}"),
    ("{% include 'x' %}\n", "other files"),
    ("{% import 'x' as y %}\n", "other files"),
    ("{% from 'x' import y %}\n", "other files"),
    ("{% extends 'x' %}\n", "other files"),
    ("{% block x %}\n{% endblock %}", "other files"),
    ("{{ chart_line }}", "a template may not use"),
    ("{{ chart_line(plan.a, plan.b, id='a', title='t', x='x', y='y') }}", "takes one list of an artifact"),
    ("{{ chart_line(plan.a, id='a', title='t', x='x') }}", "chart_line takes id, title, x, y"),
    ("{{ chart_line(plan.a, id='a', title='t', x='x', y='y', colour='red') }}", "chart_line takes id, title, x, y"),
    ("{{ chart_line(plan.a, id='../a', title='t', x='x', y='y') }}", "is no id for a chart"),
    ("{{ chart_line(plan.a, id='a', title=plan.title, x='x', y='y') }}", "may not use"),
    ("{{ chart_line(plan.a, id='a' ~ plan.id, title='t', x='x', y='y') }}", "joining text"),
    ("{{ chart_line(plan.a, id=plan.ids[0], title='t', x='x', y='y') }}", "an item by its number"),
    ("{{ chart_line(plan.a, id='a', title='Since 2020', x='x', y='y') }}", "'2020' in a title has no origin"),
    ("{{ nothing.a|text }}", "there is no artifact 'nothing'; there are plan"),
    ("{% for o in plan.rows %}\n{% endfor %}\n{{ o.a|text }}", "there is no artifact 'o'"),
    ("{{ self }}", "there is no artifact 'self'"),
    ("Since 2020", "'2020' in the text has no origin"),
    ("about 5%", "'5%' in the text"),
    ("½ of it, and ③", "'½' in the text"),
    ("٣ of it", "in the text has no origin"),
    ("{% raw %}{{ 7 }}{% endraw +%}\n", "'7' in the text"),
    ("&#55;", "'55' in the text"),
    ("a\x02b", "control character '\\x02'"),
    ("{{ plan.a|text }", "this is no template"),
    ("{% if plan.a %}\n", "this is no template"),
    ("Text {% if plan.a %}b{% endif %}\nnext", "the line end after this tag is lost"),
    ("Text {# why #}\nnext", "the line end after this tag is lost"),
]


@pytest.mark.parametrize(("source", "says"), REFUSED)
def test_what_could_make_a_number_is_refused(source, says):
    assert any(says in line for line in said(source)), said(source)


def test_every_refusal_names_its_line_and_all_come_in_one_pass():
    loop = "{% for o in plan.b %}\n  at 15:40\n{% endfor %}"
    source = f"{{# title #}}\n\nSince 2020\n{{{{ plan.a + 1 }}}}\n{loop}\n{{{{ foo.a|text }}}}\n"
    assert [line.split(" ")[0] for line in said(source)] == ["3:", "4:", "6:", "8:"]


def test_a_declared_phrase_passes_and_a_longer_number_does_not():
    assert said("By HSMS 2, at 15:40.", ["HSMS 2", "at 15:40"]) == []
    assert said("By HSMS 25, at 15:401.", ["HSMS 2", "at 15:40"]) != []
    assert said("By HSMS 2.5", ["HSMS 2"]) != []


def test_the_names_a_template_reads_are_those_no_loop_binds():
    source = "{% for a in plan.b %}\n{{ a.x|text }} {{ other.y|text }}\n{% else %}\n{{ third.z|text }}\n{% endfor %}"
    assert template_lint.variables(source) == ["other", "plan", "third"]
    assert template_lint.variables("{{ chart_line(plan.a, id='a', title='t', x='x', y='y') }}") == ["plan"]


@pytest.mark.parametrize("path", sorted((ROOT / "renderers").glob("*.md.j2")), ids=lambda path: path.name)
def test_the_standard_templates_are_clean(path):
    reports = yaml.safe_load((ROOT / "spec" / "90_reports.yaml").read_text(encoding="utf-8"))
    report = trace.report_of(path.name.split(".")[0], reports)
    known = [*ENGINE_ARTIFACTS, *(unit.stem for unit in (ROOT / "builders").glob("*.py"))]
    assert template_lint.lint(path.name, path.read_text(encoding="utf-8"), report.literals, known) == []
