from xml.etree import ElementTree as ET

import pytest

from quantassay.findings import judged
from quantassay.harness import gate, junit
from quantassay.harness.places import locator
from quantassay.harness.rulebook import EngineGate

AS_OF = "2026-11-18T15:45:00+09:00"
LOCATE = locator({"next_open_plan": "Temp/next_open_plan_v1.json"})
WAIVER = {
    "id": "W001", "rule": "R03.1", "artifact": "next_open_plan", "pointer": "/1",
    "reason": "Agreed with the broker.", "approver": "Kim Mina", "expires": "2026-11-20",
}  # fmt: skip


def rule(id_, severity="error"):
    return {"id": id_, "statement": "s", "why": "w", "enforced_by": ["x"], "severity": severity, "waivable": True}


def tallied(name, rule_id, seen, severity="error"):
    unit = EngineGate(name, f"The title of {name}", (rule_id,))
    return gate.tally(unit, seen, "next_open_plan", gate.Terms({rule_id: severity}, {}))


def places(count, *wrong):
    return [judged(f"/{i}", ok=i not in wrong, says=f"{i} is wrong") for i in range(count)]


def crash():
    yield judged("/0", ok=False, says="0 is wrong")
    raise ValueError


def read(results, waivers=(), rules=(("R03.1", "error"), ("R03.2", "warning"))):
    verdict = gate.conclude(results, [rule(*one) for one in rules], waivers, AS_OF)
    return ET.fromstring(junit.dumps(verdict, LOCATE).encode())


@pytest.fixture
def suite():
    results = [
        tallied("calendar", "R03.1", places(5)),
        tallied("lots", "R03.1", places(5, 1, 2, 3)),
        tallied("caps", "R03.2", places(5, 4), "warning"),
        tallied("broken", "R03.1", crash()),
    ]
    return read(results, [WAIVER])


def case(suite, name):
    (found,) = suite.findall(f".//testcase[@name='{name}']")
    return found


def test_each_gate_is_a_test_case_and_the_counts_agree(suite):
    assert [one.get("name") for one in suite.iter("testcase")] == [
        "calendar",
        "lots",
        "caps",
        "broken",
        "waivers_in_force",
    ]
    for level in (suite, suite.find("testsuite")):
        counts = {name: level.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert counts == {"tests": "5", "failures": "1", "errors": "1", "skipped": "0"}
    assert len(list(suite.iter("failure"))) == 1
    assert len(list(suite.iter("error"))) == 1
    assert suite.find("testsuite").get("timestamp") == "2026-11-18T15:45:00"


def test_a_case_tells_what_was_judged_under_which_rules(suite):
    lots = case(suite, "lots")
    facts = {p.get("name"): p.get("value") for p in lots.iter("property")}
    assert facts == {"title": "The title of lots", "judged": "5", "status": "failed"}
    assert lots.get("classname") == "gates.R03.1"


def test_a_failure_holds_every_finding_that_counts(suite):
    failure = case(suite, "lots").find("failure")
    assert (failure.get("type"), failure.get("message")) == ("R03.1", "2 findings: 2 is wrong")
    assert failure.text.splitlines() == [
        "error R03.1 Temp/next_open_plan_v1.json /2 2 is wrong",
        "error R03.1 Temp/next_open_plan_v1.json /3 3 is wrong",
    ]


def test_waived_findings_and_warnings_are_told_and_do_not_fail(suite):
    told = case(suite, "lots").find("system-out").text
    assert told == "error R03.1 Temp/next_open_plan_v1.json /1 1 is wrong [waived by W001]"
    caps = case(suite, "caps")
    assert caps.find("failure") is None
    assert caps.find("system-out").text == "warning R03.2 Temp/next_open_plan_v1.json /4 4 is wrong"
    assert [child.tag for child in case(suite, "calendar")] == ["properties"]


def test_a_crash_is_an_error_and_what_was_found_before_it_is_told(suite):
    broken = case(suite, "broken")
    assert broken.find("error").attrib == {"type": "crash", "message": "ValueError"}
    assert broken.find("failure") is None
    assert "0 is wrong" in broken.find("system-out").text


def test_a_case_of_two_rules_names_both_and_tells_each_waived_finding_on_its_line():
    unit = EngineGate("caps", "Title", ("R03.1", "R03.2"))
    seen = [*places(3, 1, 2), judged("/9", ok=True, says="", rule="R03.2")]
    result = gate.tally(unit, seen, "next_open_plan", gate.Terms({"R03.1": "error"}, {}))
    caps = case(read([result], [{**WAIVER, "pointer": "/*"}]), "caps")
    assert caps.get("classname") == "gates.R03.1.R03.2"
    assert len(caps.find("system-out").text.splitlines()) == 2


def test_a_vacuous_gate_fails():
    suite = read([tallied("lots", "R03.1", [])])
    assert case(suite, "lots").find("failure").get("message").startswith("1 finding: judged nothing")
    assert suite.get("failures") == "1"


def test_any_text_can_be_written():
    hostile = "a\x00b\x1b[31m\ufffe\ud800 <b>&\"' ]]> 한국\n"
    suite = read([tallied("lots", "R03.1", [judged(f"/{hostile}", ok=False, says=hostile)])])
    text = case(suite, "lots").find("failure").text
    assert "<b>&\"' ]]> 한국" in text
    assert "\x00" not in text
    assert "\ufffd" in text


def test_the_same_verdict_gives_the_same_text():
    verdict = gate.conclude([tallied("lots", "R03.1", places(3, 1))], [rule("R03.1")], [], AS_OF)
    assert junit.dumps(verdict, LOCATE) == junit.dumps(verdict, LOCATE)
    assert junit.dumps(verdict, LOCATE).startswith(
        '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="assay gate"'
    )
