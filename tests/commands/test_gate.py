"""The gate command: five formats, to the terminal or to a file, and the exit codes 0, 1 and 3."""

import json
import xml.etree.ElementTree as ET

import pytest

FORMATS = ["text", "json", "junit", "sarif", "annotations"]
CRASHED = {
    "json": '"crashed": 1',
    "junit": 'errors="1"',
    "sarif": "no lots today",
    "annotations": "::error title=lots::the gate crashed: ValueError: no lots today",
}
EMPTY = "    return\n    yield"


@pytest.fixture
def red(house):
    """Built, with one order that is no whole lot."""
    house.write("spec/10_limits.yaml", "lot: 7\n")
    assert house.run("build").code == 0
    return house


def body(toy, text):
    path = toy.root / "validators/lots.py"
    path.write_text(path.read_text().partition("    for i")[0] + text + "\n")


def test_text_shows_each_gate_what_is_wrong_and_the_outcome(red):
    said = red.run("gate")
    assert (said.code, said.err) == (1, "")
    assert said.out.splitlines() == [
        "FAILED  2  lots              Every order is for whole lots.",
        "ok      0  waivers_in_force  nothing to judge is legal: a desk without exceptions needs no waiver",
        "",
        "lots: Every order is for whole lots.",
        "  error  R01.1  Temp/plan_v1.json /orders/1/quantity",
        "      is no whole lot (expected 7, found 21)",
        "  do: Round the orders to whole lots.",
        "",
        "failed: 1 error, 0 warnings, 0 notes; 2 things judged by 2 gates",
        "see Temp/gate_record_v1.json",
    ]


def test_json_is_the_record_with_places(red):
    told = json.loads(red.run("gate", "--format", "json").out)
    assert {**told, "gates": []} == {**red.made("gate_record")["data"], "gates": []}
    (finding,) = told["gates"][0]["findings"]
    assert (finding["file"], finding["pointer"]) == ("Temp/plan_v1.json", "/orders/1/quantity")


def test_junit_holds_a_case_for_each_gate(red):
    root = ET.fromstring(red.run("gate", "--format", "junit").out.encode())
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "0")
    assert [case.get("name") for case in root.iter("testcase")] == ["lots", "waivers_in_force"]
    assert "/orders/1/quantity" in ET.tostring(root, encoding="unicode")


def test_sarif_holds_each_finding(red):
    (run,) = json.loads(red.run("gate", "--format", "sarif").out)["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("R01.1", "error")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "Temp/plan_v1.json"


def test_annotations_hold_one_line_for_each_finding(red):
    said = red.run("gate", "--format", "annotations").out
    assert said == (
        "::error file=Temp/plan_v1.json,title=R01.1 lots::/orders/1/quantity is no whole lot (expected 7, found 21)\n"
    )


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_gets_what_the_terminal_would(red, form, tmp_path):
    shown = red.run("gate", "--format", form)
    file = tmp_path / "new/folder" / form
    written = red.run("gate", "--format", form, "-o", file)
    assert (shown.code, written.code, written.out) == (1, 1, "")
    assert file.read_text(encoding="utf-8") == shown.out


def test_a_file_that_cannot_be_written_is_one_sentence(done):
    said = done.run("gate", "-o", done.root / "spec")
    assert said.code == 2
    done.write("file", "x")
    said = done.run("gate", "-o", done.root / "file/report.txt")
    assert (said.code, said.out) == (2, "")
    assert "file" in said.err
    assert "Traceback" not in said.err


def test_passed_is_0_and_quiet_says_nothing(done):
    assert done.run("gate").code == 0
    assert done.run("-q", "gate").out == ""


def test_a_crash_is_3_and_the_other_gates_are_heard(done):
    body(done, "    raise ValueError('no lots today')\n    yield")
    said = done.run("-q", "gate")
    assert said.code == 3
    assert "CRASHED 0  lots" in said.out
    assert "  crashed  ValueError: no lots today (validators/lots.py:" in said.out
    assert "ok      0  waivers_in_force" in said.out
    for form, sign in CRASHED.items():
        said = done.run("gate", "--format", form)
        assert (said.code, sign in said.out) == (3, True), form


def test_nothing_judged_is_red_unless_a_reason_is_given(done):
    body(done, EMPTY)
    said = done.run("gate")
    assert said.code == 1
    assert "EMPTY   0  lots" in said.out
    assert "judged nothing, so it proves nothing" in said.out
    legal = '- {gate: "lots", why: "A day without an order."}'
    done.write("governance/gates.yaml", f'zero_legal:\n  {legal}\nleast_share_caught: "0.1"\n')
    said = done.run("gate")
    assert said.code == 0
    assert "ok      0  lots              nothing to judge is legal: A day without an order." in said.out


def test_a_waiver_lets_it_pass_until_it_expires(red):
    waiver = """id: "W001"
rule: "R01.1"
artifact: "plan"
pointer: "/orders/1/quantity"
reason: "The last odd lot is sold this week."
approver: "head of desk"
expires: "{expires}"
"""
    red.write("governance/waivers/w001.yaml", waiver.format(expires="2026-01-31"))
    said = red.run("gate")
    assert (said.code, "1 waived" in said.out) == (0, True), said.out + said.err
    red.write("governance/waivers/w001.yaml", waiver.format(expires="2026-01-04"))
    assert red.run("gate").code == 1


def test_prove_follows_only_a_passed_gate(done):
    assert "the floor 0.1 is reached" in done.run("gate", "--prove").out
    body(done, EMPTY)
    said = done.run("gate", "--prove")
    assert (said.code, "the floor" in said.out) == (1, False)
