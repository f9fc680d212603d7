import json
import re

import pytest

from quantassay.findings import Finding, judged
from quantassay.harness import gate, outputs
from quantassay.harness.places import Place, locator
from quantassay.harness.rulebook import EngineGate

AS_OF = "2026-11-18T15:45:00+09:00"
LOCATE = locator(
    {"next_open_plan": "Temp/next_open_plan_v1.json", "accounts": "spec/20_accounts.yaml"},
    {"accounts": {"": (1, 1), "/accounts/0": (3, 5), "/accounts/0/environment": (4, 18)}},
)
RECORD = "Temp/gate_record_v1.json"


def rule(id_, severity="error", remedy="Rebuild the plan."):
    return {
        "id": id_, "statement": "s", "why": "w", "remedy": remedy, "enforced_by": ["lots"],
        "severity": severity, "waivable": True,
    }  # fmt: skip


RULES = [rule("R03.1"), rule("R03.2", "warning", "Look at the account."), rule("R04.4")]
WAIVER = {
    "id": "W001", "rule": "R03.1", "artifact": "next_open_plan", "pointer": "/orders/1/quantity",
    "reason": "Agreed with the broker.", "approver": "Kim Mina", "expires": "2026-11-20",
}  # fmt: skip


def tallied(name, rule_id, seen, severity="error", zero_legal=None):
    unit = EngineGate(name, f"The title of {name}", (rule_id,))
    return gate.tally(unit, seen, "next_open_plan", gate.Terms({rule_id: severity}, zero_legal or {}))


def orders(count, *wrong):
    says = [f"order {i} is no whole lot" for i in range(count)]
    return [
        judged(f"/orders/{i}/quantity", ok=i not in wrong, says=says[i], expected="a multiple of 10", actual=i)
        for i in range(count)
    ]


def crash():
    raise ValueError
    yield


@pytest.fixture
def verdict():
    """One gate of every state, a warning, a waived finding."""
    warned = [judged("/accounts/0/environment", ok=False, says="is real", artifact="accounts")]
    results = [
        tallied("calendar", "R03.1", orders(1200)),
        tallied("lots", "R03.1", orders(30, 1, 2)),
        tallied("caps", "R03.2", warned, "warning"),
        tallied("sells", "R03.1", [], zero_legal={"sells": "no sell today"}),
        tallied("buys", "R03.1", []),
        tallied("broken", "R03.1", crash()),
    ]
    return gate.conclude(results, RULES, [WAIVER], AS_OF)


def test_the_text_names_every_gate_with_its_state_and_count(verdict):
    table = outputs.text(verdict, LOCATE, record=RECORD).split("\n\n")[0].splitlines()
    assert table == [
        "ok      1,200  calendar          The title of calendar",
        "FAILED     30  lots              The title of lots",
        "warned      1  caps              The title of caps",
        "ok          0  sells             nothing to judge is legal: no sell today",
        "EMPTY       0  buys              The title of buys",
        "CRASHED     0  broken            The title of broken",
        "ok          1  waivers_in_force  Every waiver is allowed, in force, and waives something.",
    ]


def test_a_long_title_is_cut_in_the_table_and_whole_where_something_is_wrong():
    title = "All orders are for whole lots, " * 8
    unit = EngineGate("lots", title, ("R03.1",))
    result = gate.tally(unit, orders(3, 1), "next_open_plan", gate.Terms({"R03.1": "error"}, {}))
    table, found, _ = outputs.text(gate.conclude([result], RULES, [], AS_OF), LOCATE, record=RECORD).split("\n\n")
    assert len(table.splitlines()[0]) <= 120
    assert table.splitlines()[0].endswith("...")
    assert not table.splitlines()[1].endswith("...")
    assert found.startswith(f"lots: {title.strip()}\n")


def test_the_text_tells_of_each_finding_where_what_and_what_to_do(verdict):
    parts = outputs.text(verdict, LOCATE, record=RECORD).split("\n\n")
    assert parts[1].splitlines() == [
        "lots: The title of lots",
        "  error  R03.1  Temp/next_open_plan_v1.json /orders/2/quantity",
        "      order 2 is no whole lot (expected a multiple of 10, found 2)",
        "  do: Rebuild the plan.",
    ]
    assert parts[2].splitlines() == [
        "caps: The title of caps",
        "  warning  R03.2  spec/20_accounts.yaml:4:18 /accounts/0/environment",
        "      is real",
        "  do: Look at the account.",
    ]
    assert parts[3].splitlines()[:2] == ["buys: The title of buys", "  error  R03.1  Temp/next_open_plan_v1.json"]
    assert parts[4].splitlines() == ["broken: The title of broken", "  crashed  ValueError"]


def test_the_text_tells_what_is_waived_by_whom_and_until_when(verdict):
    part = outputs.text(verdict, LOCATE, record=RECORD).split("\n\n")[5]
    assert part.splitlines() == [
        "waived",
        "  W001  R03.1  1 finding until 2026-11-20, approved by Kim Mina: Agreed with the broker.",
    ]


def test_the_text_ends_with_the_outcome_and_where_to_look(verdict):
    assert outputs.text(verdict, LOCATE, record=RECORD).splitlines()[-2:] == [
        "failed: 2 errors, 1 warning, 0 notes, 1 waived, 1 gate crashed; 1,232 things judged by 7 gates",
        "see Temp/gate_record_v1.json",
    ]


def test_the_text_of_a_passed_run_is_the_table_and_the_outcome():
    verdict = gate.conclude([tallied("lots", "R03.1", orders(3))], RULES, [], AS_OF)
    parts = outputs.text(verdict, LOCATE, record=RECORD).split("\n\n")
    assert len(parts) == 2
    assert parts[1].startswith("passed: 0 errors, 0 warnings, 0 notes; 3 things judged by 2 gates\n")


def test_ten_findings_of_a_gate_are_printed_unless_more_are_asked_for():
    verdict = gate.conclude([tallied("lots", "R03.1", orders(11, *range(11)))], RULES, [], AS_OF)
    assert outputs.text(verdict, LOCATE, record=RECORD).count("  error  R03.1") == 10


@pytest.mark.parametrize(("most", "shown", "more"), [(10, 10, 15), (24, 24, 1), (25, 25, None), (None, 25, None)])
def test_the_text_prints_only_so_many_findings_of_a_gate(most, shown, more):
    verdict = gate.conclude([tallied("lots", "R03.1", orders(25, *range(25)))], RULES, [], AS_OF)
    words = outputs.text(verdict, LOCATE, record=RECORD, most=most)
    assert words.count("  error  R03.1") == shown
    assert re.findall(r"^  and (\d+) more$", words, re.MULTILINE) == ([str(more)] if more else [])
    assert "25 errors" in words


HOSTILE = "close is 1\n::error title=x::forged\r\x1b[31m red \x07 \u202e \x00 한국"


def test_no_finding_can_forge_a_line_or_steer_the_terminal():
    seen = [judged(f"/{HOSTILE}", ok=False, says=HOSTILE, expected=HOSTILE, actual=HOSTILE)]
    verdict = gate.conclude([tallied("lots", "R03.1", seen)], RULES, [], AS_OF)
    for words in (outputs.text(verdict, LOCATE, record=RECORD), outputs.annotations(verdict, LOCATE)):
        assert "\x1b" not in words
        assert all(c.isprintable() or c == "\n" for c in words)
        assert "한국" in words
        assert [line for line in words.splitlines() if line.startswith("::error title=x")] == []
    assert len(outputs.annotations(verdict, LOCATE).splitlines()) == 1


def test_a_sentence_holds_only_the_values_that_there_are():
    def says(expected, actual):
        return outputs.sentence(Finding("R", "g", "error", "a", "/p", "is wrong", expected, actual))

    assert says(None, None) == "is wrong"
    assert says("1", None) == "is wrong (expected 1)"
    assert says(None, "2") == "is wrong (found 2)"
    assert says("1", "2") == "is wrong (expected 1, found 2)"
    assert says("", "2") == "is wrong (expected , found 2)"


def test_annotations_are_workflow_commands(verdict):
    says = "/orders/2/quantity order 2 is no whole lot (expected a multiple of 10, found 2)"
    assert outputs.annotations(verdict, LOCATE).splitlines() == [
        f"::error file=Temp/next_open_plan_v1.json,title=R03.1 lots::{says}",
        "::warning file=spec/20_accounts.yaml,line=4,col=18,title=R03.2 caps::/accounts/0/environment is real",
        "::error file=Temp/next_open_plan_v1.json,title=R03.1 buys::" + verdict.active[2].says,
        f"::error title=broken::the gate crashed: {verdict.crashed[0].error}",
    ]


def test_annotations_are_escaped():
    locate = locator({"next_open_plan": "Temp/a,b:c%d.json"})
    seen = [judged("/x", ok=False, says="100% of a, b: c")]
    verdict = gate.conclude([tallied("lots", "R03.1", seen, "note")], [rule("R03.1", "note")], [], AS_OF)
    assert outputs.annotations(verdict, locate) == (
        "::notice file=Temp/a%2Cb%3Ac%25d.json,title=R03.1 lots::/x 100%25 of a, b: c\n"
    )


def test_a_run_without_findings_annotates_nothing():
    verdict = gate.conclude([tallied("lots", "R03.1", orders(3))], RULES, [], AS_OF)
    assert outputs.annotations(verdict, LOCATE) == ""


def test_json_is_the_record_with_the_places(verdict):
    record = gate.record(verdict, {}, AS_OF, [], "quantassay 0.1.0")
    data = json.loads(outputs.as_json(record, LOCATE))
    found = data["gates"][2]["findings"][0]
    assert (found["file"], found["line"], found["column"]) == ("spec/20_accounts.yaml", 4, 18)
    for one in data["gates"]:
        one["findings"] = [{k: v for k, v in f.items() if k not in ("file", "line", "column")} for f in one["findings"]]
    assert data == record["data"]


def test_places_are_the_nearest_known_line_or_the_file_or_the_name():
    assert LOCATE("accounts", "/accounts/0/holdings/3/ticker") == Place("spec/20_accounts.yaml", 3, 5)
    assert LOCATE("accounts", "/other") == Place("spec/20_accounts.yaml", 1, 1)
    assert LOCATE("accounts", "/accounts/01") == Place("spec/20_accounts.yaml", 1, 1)
    assert LOCATE("next_open_plan", "/orders") == Place("Temp/next_open_plan_v1.json")
    assert LOCATE("unheard", "/x") == Place("unheard")


def test_one_name_may_stand_for_several_files():
    locate = locator({"rules": "governance/rules", "rules#/R03.1": "governance/rules/03.yaml", "sums#": "a.yaml"})
    assert locate("rules", "/R03.1/enforced_by/0") == Place("governance/rules/03.yaml")
    assert locate("rules", "/R03.1") == Place("governance/rules/03.yaml")
    assert locate("rules", "/R03.10") == Place("governance/rules")
    assert locate("rules", "") == Place("governance/rules")
    assert locate("sums", "/x") == Place("a.yaml")


def test_a_place_is_written_as_editors_read_it():
    assert [str(LOCATE(*at)) for at in (("accounts", ""), ("unheard", ""))] == ["spec/20_accounts.yaml:1:1", "unheard"]
