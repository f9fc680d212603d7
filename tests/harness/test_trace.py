"""The check of a page believes neither the page nor its trace: every single digit that is changed is found."""

import copy
import dataclasses
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import canonical, pointers, render, trace
from quantassay.harness.trace import Report, UnknownReport, Whole

FOLDER = Path(__file__).parent / "data" / "report"
REPORT = Report("plan", "Orders by HSMS 2", True, ("HSMS 2",))
ENVELOPES = {name: canonical.read(FOLDER / f"{name}.json") for name in ("plan", "gate_record")}
SOURCE = (FOLDER / "plan.md.j2").read_text(encoding="utf-8")
MADE = render.render(REPORT, "renderers/plan.md.j2", SOURCE, ENVELOPES)
DIGITS = [m.start() for m in re.finditer(r"\d", MADE.markdown)]


def problems(markdown=MADE.markdown, entries=MADE.trace, envelopes=ENVELOPES, report=REPORT, images=MADE.images):
    return [problem.says for problem in trace.check(markdown, entries, envelopes, report, images)]


def resealed(markdown, entries=MADE.trace):
    """The trace of a forger, who has put the digest of the changed page into it."""
    return {**entries, "digest": canonical.sha256(markdown.encode())}


def changed(kind, index, **members):
    entries = copy.deepcopy(MADE.trace)
    entries[kind][index] |= members
    return entries


def test_the_page_as_rendered_has_no_problem():
    assert problems() == []
    assert len(DIGITS) > 100


@pytest.mark.parametrize("reseal", [False, True])
def test_each_digit_changed_on_the_page_is_found(reseal):
    for at in DIGITS:
        digit = str((int(MADE.markdown[at]) + 1) % 10)
        markdown = MADE.markdown[:at] + digit + MADE.markdown[at + 1 :]
        assert problems(markdown, resealed(markdown) if reseal else MADE.trace), markdown[at - 20 : at + 20]


def test_each_digit_put_into_or_taken_from_the_page_is_found():
    for at in range(0, len(MADE.markdown), 3):
        markdown = MADE.markdown[:at] + "7" + MADE.markdown[at:]
        assert problems(markdown, resealed(markdown)), markdown[at - 20 : at + 20]
    for at in DIGITS:
        markdown = MADE.markdown[:at] + MADE.markdown[at + 1 :]
        assert problems(markdown, resealed(markdown)), markdown[at - 20 : at + 20]


@pytest.mark.parametrize("name", ENVELOPES)
def test_each_digit_changed_in_an_artifact_is_found(name):
    written = canonical.dumps(ENVELOPES[name]).decode()
    for match in re.finditer(r"\d", written):
        digit = str((int(match.group()) + 1) % 10)
        try:
            value = canonical.loads((written[: match.start()] + digit + written[match.end() :]).encode())
        except ValueError:
            continue  # a leading zero: no JSON at all
        assert problems(envelopes={**ENVELOPES, name: value})


def test_a_forger_who_fits_the_digests_still_has_to_fit_every_shown_number():
    value = copy.deepcopy(ENVELOPES["plan"])
    value["data"]["orders"][0]["quantity"] = 1201
    forged = {**MADE.trace, "sources": {**MADE.trace["sources"], "plan": canonical.digest(value)}}
    found = problems(entries=forged, envelopes={**ENVELOPES, "plan": value})
    assert "the page says '1,200', plan#/data/orders/0/quantity says '1,201'" in found
    assert any("sha256" in says for says in found)


def test_words_changed_on_the_page_are_found():
    assert problems(MADE.markdown.replace("Quiet Lake", "Quiet Pond")) != []
    assert problems(MADE.markdown.replace("BUY", "SELL")) != []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("| 1,200 |", "| -1,200 |", "'-1,200' has no origin"),
        ("| 1,200 |", "| 1,200% |", "'1,200%' has no origin"),
        ("| 1,200 |", "| 1,200k |", "'1,200k' has no origin"),
        ("| 1,200 |", "| 1,200만 |", "'1,200만' has no origin"),
        ("| 1,200 |", "| .1,200 |", "'.1,200' has no origin"),
        ("| 1,200 |", "| 1,200½ |", "'1,200½' has no origin"),
        ("Nothing is", "٣ are", "'٣' has no origin"),
        ("Nothing is", "③ is", "'③' has no origin"),
        ("Nothing is", "HSMS 22", "'22' has no origin"),
    ],
)
def test_what_changes_the_reading_of_a_number_is_found(old, new, says):
    markdown = MADE.markdown.replace(old, new)
    assert any(says in line for line in problems(markdown, resealed(markdown))), problems(markdown, resealed(markdown))


FORGED = [
    (changed("values", 20, text="1"), "where the trace says '1'"),
    (changed("values", 20, line=999), "points outside the page, at 999"),
    (changed("values", 20, column=-4), "points outside the page"),
    (changed("values", 20, line=True), "broken entry in values"),
    (changed("values", 20, text=None), "broken entry in values"),
    (changed("values", 20, artifact="nobody"), "there is no artifact 'nobody'"),
    (changed("values", 20, pointer="/data/nope"), "leads nowhere"),
    (changed("values", 20, pointer="/data/orders/\u00b2"), "leads nowhere"),
    (changed("values", 20, format="nope"), "there is no such format"),
    (changed("values", 20, arguments=["KRW", "KRW", "KRW"]), "argument(s)"),
    (changed("values", 20, arguments=[[]]), "argument(s)"),
    (changed("literals", 0, text="By"), "no literal that spec/90_reports.yaml allows"),
    (changed("images", 0, file="plan_v1.other.svg"), "in place of plan_v1.other.svg"),
    (changed("images", 0, digest="sha256:0"), "is not what plan#/data/equity draws"),
    (changed("images", 0, chart="chart_bar"), "is not what plan#/data/equity draws"),
    (changed("images", 0, pointer="/data/skipped"), "is not what plan#/data/skipped draws"),
    (changed("images", 0, arguments={}), "chart_line: takes title"),
    ({**MADE.trace, "values": MADE.trace["values"][:-1]}, "has no origin"),
    ({**MADE.trace, "values": [*MADE.trace["values"], 5]}, "broken entry in values: 5"),
    ({**MADE.trace, "values": MADE.trace["values"][::-1]}, "not in the order of the page"),
    ({**MADE.trace, "values": [*MADE.trace["values"][:1], *MADE.trace["values"]]}, "not in the order of the page"),
    ({**MADE.trace, "literals": [*MADE.trace["literals"], {"line": 9, "column": 4, "text": "HSMS 2"}]}, "overlaps"),
    ({**MADE.trace, "images": []}, "has no origin"),
    ({**MADE.trace, "sources": {"plan": MADE.trace["sources"]["plan"]}}, "is not among the sources"),
    ({**MADE.trace, "sources": MADE.trace["sources"] | {"ghost": "sha256:0"}}, "there is no such artifact"),
    ({**MADE.trace, "report": "other"}, "the trace is of report 'other'"),
    ({**MADE.trace, "audit_only": True}, "is for audit only and does not say so"),
    ({**MADE.trace, "digest": "sha256:0"}, "changed after it was rendered"),
    ({}, "the trace has no report"),
]


@pytest.mark.parametrize(("forged", "says"), FORGED, ids=[says for _, says in FORGED])
def test_a_forged_trace_is_found(forged, says):
    assert any(says in line for line in problems(entries=forged)), problems(entries=forged)


def test_a_literal_that_is_not_allowed_any_more_is_found():
    report = Report("plan", "Orders by HSMS 2", True, ())
    assert any("no literal" in line for line in problems(report=report))


def test_another_title_is_found():
    report = Report("plan", "Orders", True, ("HSMS 2",))
    assert "the page does not open with its title 'Orders'" in problems(report=report)


def test_a_chart_that_was_redrawn_or_is_gone_is_found():
    assert any("is missing" in line for line in problems(images={}))
    redrawn = {name: svg.replace(b"990,000", b"990,001") for name, svg in MADE.images.items()}
    assert any("is not what plan#/data/equity draws" in line for line in problems(images=redrawn))


def test_a_page_without_a_figure_fails_only_where_figures_are_wanted():
    made = render.render(REPORT, "x", "{{ plan.currency|text }}\n", {"plan": ENVELOPES["plan"]})
    given_ = {"plan": ENVELOPES["plan"]}
    assert problems(made.markdown, made.trace, given_, REPORT, {}) == [
        "the page holds no figure from its artifacts, and spec/90_reports.yaml wants some"
    ]
    easy = Report("plan", "Orders by HSMS 2", False, ("HSMS 2",))
    assert problems(made.markdown, made.trace, given_, easy, {}) == []


def test_a_mark_that_is_not_on_the_page_is_found():
    lines = MADE.markdown.replace("SAMPLE", "SIMPLE")
    assert any("SAMPLE" in line for line in problems(lines, resealed(lines)))
    unsaid = {**MADE.trace, "values": [e for e in MADE.trace["values"] if not e["pointer"].startswith("/marks")]}
    assert "the page does not say SAMPLE, which its sources are marked with" in problems(entries=unsaid)


def test_a_title_of_a_chart_may_not_smuggle_a_number():
    entries = copy.deepcopy(MADE.trace)
    entries["images"][0]["arguments"]["title"] = "Up 500"
    assert any("the title of plan_v1.equity.svg holds '500'" in line for line in problems(entries=entries))


def test_two_values_glued_together_have_no_origin():
    source = "{{ plan.totals.buy|int }}{{ plan.totals.sell|int }} and -{{ plan.cash|int }}\n"
    made = render.render(REPORT, "x", source, {"plan": ENVELOPES["plan"]})
    found = problems(made.markdown, made.trace, {"plan": ENVELOPES["plan"]}, REPORT, {})
    assert found == ["'11' has no origin in one artifact value", "'-1,000,000' has no origin in one artifact value"]


@given(st.lists(st.integers(-(10**9), 10**9) | st.text(max_size=12), min_size=1, max_size=12), st.data())
def test_any_page_passes_and_any_digit_of_it_is_guarded(values, data):
    rows = [
        {"n": v, "s": None} if isinstance(v, int) else {"n": None, "s": v.encode("utf-8", "replace").decode()}
        for v in values
    ]
    envelope = {
        "artifact": "plan",
        "version": 1,
        "as_of": "2026-11-18T15:45:00+09:00",
        "marks": [],
        "data": {"rows": rows},
    }
    source = "{% for row in plan.rows %}\n| {{ row.n|int }} | {{ row.s|text }} | {{ row.s|code }} |\n{% endfor %}"
    report = Report("plan", "Rows", False, ())
    made = render.render(report, "x", source, {"plan": envelope})
    assert problems(made.markdown, made.trace, {"plan": envelope}, report, {}) == []
    at = data.draw(st.sampled_from([m.start() for m in re.finditer("[0-9]", made.markdown)]))
    markdown = made.markdown[:at] + str((int(made.markdown[at]) + 1) % 10) + made.markdown[at + 1 :]
    assert problems(markdown, resealed(markdown, made.trace), {"plan": envelope}, report, {})


PLACES = [pointer for pointer, _ in pointers.walk(MADE.trace)] + [
    "/values",
    "/images",
    "/sources",
    "/images/0/arguments",
]
JSON = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.just([])
    | st.just({})
    | st.just([{}])
    | st.just({"a": []})
)


@given(st.sampled_from(PLACES), JSON)
def test_a_trace_broken_anywhere_is_a_problem_and_no_crash(place, value):
    entries = copy.deepcopy(MADE.trace)
    above, _, member = place.rpartition("/")
    holder = pointers.get(entries, above)
    before = pointers.get(entries, place)
    holder[int(member) if isinstance(holder, list) else member] = value
    # Neither the template's digest nor the noun for one of two things is on the page.
    unseen = member in ("template", "audit_only") or (before == "order" and place.endswith("/arguments/0"))
    assert problems(entries=entries) or before == value or unseen


def test_twelve_hundred_numbers_are_checked_in_milliseconds():
    rows = [{"q": 1000 + i, "p": 12300 + i, "s": "0.0123"} for i in range(400)]
    envelope = {
        "artifact": "plan",
        "version": 1,
        "as_of": "2026-11-18T15:45:00+09:00",
        "marks": [],
        "data": {"rows": rows},
    }
    source = "{% for r in plan.rows %}\n{{ r.q|int }} {{ r.p|price('KRW') }} {{ r.s|percent(1) }}\n{% endfor %}"
    made = render.render(REPORT, "x", source, {"plan": envelope})
    started = time.perf_counter()
    assert problems(made.markdown, made.trace, {"plan": envelope}, REPORT, {}) == []
    assert time.perf_counter() - started < 1  # some 15 ms; the bound is for a busy machine


EVERY = Whole("plan", "/orders", ("ticker", "quantity"))


def lists(*whole):
    return dataclasses.replace(REPORT, whole=whole)


def made_of(source):
    made = render.render(REPORT, "renderers/plan.md.j2", source, ENVELOPES)
    return {"markdown": made.markdown, "entries": made.trace, "images": made.images}


def test_a_page_that_shows_every_row_of_a_list_is_right():
    assert problems(report=lists(EVERY, Whole("plan", "/skipped", ("ticker",)))) == []


def test_a_row_or_a_member_left_out_is_found():
    some = made_of(SOURCE.replace("for order in plan.orders", "for order in plan.orders if order.side == 'buy'"))
    assert len(ENVELOPES["plan"]["data"]["orders"]) > len(re.findall(r"\| BUY \|", some["markdown"])) > 0
    assert problems(**some) == []  # every number on it is right
    assert any("leaves out 'ticker' of plan#/data/orders/" in says for says in problems(**some, report=lists(EVERY)))
    less = made_of(SOURCE.replace("{{ order.quantity|int }}", "many"))
    assert any(
        "leaves out 'quantity' of plan#/data/orders/0," in says for says in problems(**less, report=lists(EVERY))
    )


def test_a_chart_of_a_row_is_shown_by_its_picture():
    charts = Whole("plan", "", ("equity",))
    assert problems(report=lists(charts)) == [
        "spec/90_reports.yaml wants all of plan: on the page: it is no list",
    ]
    rows = {**ENVELOPES["plan"], "data": {"rows": [{"id": i, "line": [{"x": "a", "y": 1}]} for i in ("a", "b")]}}
    drawn = '{{ chart_line(r.line, id=r.id, title="T", x="x", y="y") }}'
    source = f'{{% for r in plan.rows if r.id == "a" %}}\n{drawn}\n{{% endfor %}}'
    made = render.render(REPORT, "x", source, {"plan": rows})
    report = dataclasses.replace(REPORT, needs_numbers=False, whole=(Whole("plan", "/rows", ("line",)),))
    found = problems(made.markdown, made.trace, {"plan": rows}, report, made.images)
    assert found == ["the page leaves out 'line' of plan#/data/rows/1, and is to show every row"]


@pytest.mark.parametrize(("artifact", "pointer"), [("plam", "/orders"), ("plan", "/ordres"), ("plan", "/cash")])
def test_a_list_that_is_none_is_a_problem_and_no_crash(artifact, pointer):
    (says,) = problems(report=lists(Whole(artifact, pointer, ("ticker",))))
    assert says.startswith(f"spec/90_reports.yaml wants all of {artifact}:{pointer} on the page: ")


def test_settings_of_a_report_come_from_its_entry():
    reports = {"reports": {"plan": {"title": "T", "needs_numbers": True, "literals": ["HSMS 2"]}}}
    report = trace.report_of("plan", reports)
    assert report == Report("plan", "T", True, ("HSMS 2",))
    assert (report.file, report.image("a")) == ("plan_v1.md", "plan_v1.a.svg")
    entry = reports["reports"]["plan"]
    entry["whole"] = [{"rows": "plan:/orders", "members": ["ticker", "quantity"]}]
    assert trace.report_of("plan", reports).whole == (EVERY,)
    with pytest.raises(UnknownReport, match=r"report 'plam' has no entry in spec/90_reports.yaml.*known: plan"):
        trace.report_of("plam", reports)
