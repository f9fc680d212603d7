import json
from pathlib import Path

import jsonschema
import pytest

from quantassay.findings import judged
from quantassay.harness import gate, sarif
from quantassay.harness.places import locator
from quantassay.harness.rulebook import EngineGate

SCHEMA = json.loads((Path(__file__).parents[1] / "data/sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
AS_OF = "2026-11-18T15:45:00+09:00"
LOCATE = locator(
    {"next_open_plan": "Temp/next open/plan_v1.json", "accounts": "spec/20_accounts.yaml"},
    {"accounts": {"/cash": (4, 18)}},
)
WAIVER = {
    "id": "W001", "rule": "R03.1", "artifact": "next_open_plan", "pointer": "/1",
    "reason": "Agreed with the broker.", "approver": "Kim Mina", "expires": "2026-11-20",
}  # fmt: skip


def rule(id_, severity="error", remedy="Rebuild it."):
    return {
        "id": id_, "statement": f"Statement of {id_}.", "why": f"Why {id_}.", "remedy": remedy,
        "enforced_by": ["x"], "severity": severity, "waivable": True,
    }  # fmt: skip


RULES = [rule("R03.1"), rule("R03.2", "warning", ""), rule("R03.3", "note")]


def tallied(name, rule_id, seen, severity="error"):
    unit = EngineGate(name, f"The title of {name}", (rule_id,))
    return gate.tally(unit, seen, "next_open_plan", gate.Terms({rule_id: severity}, {}))


def places(count, *wrong):
    return [judged(f"/{i}", ok=i not in wrong, says=f"{i} is wrong", actual=i) for i in range(count)]


def crash():
    raise ValueError
    yield


def run_of(results, waivers=()):
    verdict = gate.conclude(results, RULES, waivers, AS_OF)
    log = json.loads(sarif.dumps(verdict, LOCATE, "0.1.0"))
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    return run


@pytest.fixture
def run():
    results = [
        tallied("lots", "R03.1", places(5, 1, 2)),
        tallied("caps", "R03.2", [judged("/cash", ok=False, says="is low", artifact="accounts")], "warning"),
        tallied("stray", "R99.1", places(2, 0)),
    ]
    return run_of(results, [WAIVER])


def test_the_official_schema_is_one_that_can_refuse():
    jsonschema.Draft4Validator.check_schema(SCHEMA)
    assert not jsonschema.Draft4Validator(SCHEMA).is_valid({"version": "2.1.0"})
    assert not jsonschema.Draft4Validator(SCHEMA).is_valid({"version": "2.1.0", "runs": [{"tool": {}}]})


def test_the_log_names_its_version_and_tool(run):
    log = sarif.log(gate.conclude([tallied("lots", "R03.1", places(1))], RULES, [], AS_OF), LOCATE, "0.1.0")
    assert (log["version"], log["$schema"]) == ("2.1.0", sarif.SCHEMA)
    assert (run["tool"]["driver"]["name"], run["tool"]["driver"]["semanticVersion"]) == ("QuantAssay", "0.1.0")


def test_the_catalogue_holds_every_rule_the_passed_ones_too(run):
    rules = {one["id"]: one for one in run["tool"]["driver"]["rules"]}
    assert list(rules) == ["R03.1", "R03.2", "R03.3", "R99.1"]
    assert rules["R03.1"]["shortDescription"]["text"] == "Statement of R03.1."
    assert rules["R03.1"]["fullDescription"]["text"] == "Why R03.1."
    assert rules["R03.1"]["help"]["text"] == "Rebuild it."
    assert rules["R03.2"]["help"]["text"] == "Statement of R03.2."
    assert rules["R03.1"]["properties"] == {"gates": ["x"], "judged": 5, "waivable": True}
    assert rules["R03.3"]["properties"]["judged"] == 0
    levels = {id_: one["defaultConfiguration"]["level"] for id_, one in rules.items()}
    assert levels == {"R03.1": "error", "R03.2": "warning", "R03.3": "note", "R99.1": "error"}


def test_rules_that_governance_does_not_know_follow_in_order():
    run = run_of([tallied("stray", f"R9{i}.1", places(1, 0)) for i in (3, 1, 4, 2, 0)])
    assert [one["id"] for one in run["tool"]["driver"]["rules"][3:]] == [f"R9{i}.1" for i in range(5)]


def test_each_finding_is_a_result_that_points_at_its_rule(run):
    rules = run["tool"]["driver"]["rules"]
    levels = [("R03.1", "error"), ("R03.1", "error"), ("R03.2", "warning"), ("R99.1", "error")]
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == levels
    assert {r["kind"] for r in run["results"]} == {"fail"}
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    assert run["results"][1]["message"]["text"] == "2 is wrong (found 2)"
    assert run["results"][1]["properties"] == {"gate": "lots", "artifact": "next_open_plan", "pointer": "/2"}


def test_locations_are_relative_and_have_lines_where_the_file_has(run):
    first, _, third, _ = (r["locations"][0] for r in run["results"])
    assert first["physicalLocation"] == {"artifactLocation": {"uri": "Temp/next%20open/plan_v1.json"}}
    assert first["logicalLocations"] == [{"fullyQualifiedName": "next_open_plan#/1", "kind": "member"}]
    assert third["physicalLocation"] == {
        "artifactLocation": {"uri": "spec/20_accounts.yaml"},
        "region": {"startLine": 4, "startColumn": 18},
    }


def test_fingerprints_are_those_of_the_findings(run):
    found = tallied("lots", "R03.1", places(5, 1, 2)).findings
    assert [r["fingerprints"]["assay/v1"] for r in run["results"][:2]] == [f.fingerprint for f in found]
    assert len({r["fingerprints"]["assay/v1"] for r in run["results"]}) == 4


def test_a_waived_finding_is_suppressed_with_the_reason_and_no_other(run):
    waived, *others = run["results"]
    assert waived["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "Agreed with the broker.",
            "properties": {"waiver": "W001", "approver": "Kim Mina", "expires": "2026-11-20"},
        }
    ]
    assert [r["suppressions"] for r in others] == [[], [], []]


def test_the_invocation_tells_the_outcome(run):
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["exitCode"] == 1
    assert invocation["toolExecutionNotifications"] == []
    assert invocation["properties"] == {"asOf": AS_OF, "status": "failed"}


def test_a_crash_is_a_notification_and_no_success():
    run = run_of([tallied("broken", "R03.1", crash()), tallied("lots", "R03.1", places(1))])
    (invocation,) = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 3)
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert notification["message"]["text"].startswith("broken crashed: ValueError")
    assert run["results"] == []


def test_a_passed_run_has_rules_and_no_results():
    run = run_of([tallied("lots", "R03.1", places(3))])
    assert run["results"] == []
    assert len(run["tool"]["driver"]["rules"]) == 3
    assert run["invocations"][0]["exitCode"] == 0


def test_a_vacuous_gate_is_a_result():
    run = run_of([tallied("lots", "R03.1", [])])
    assert [r["ruleId"] for r in run["results"]] == ["R03.1"]
    assert run["results"][0]["message"]["text"].startswith("judged nothing")


def test_any_text_gives_a_valid_log():
    hostile = "a\x00b\x1b[31m {0} [link](x) 한국\n"
    run = run_of([tallied("lots", "R03.1", [judged("/x", ok=False, says=hostile)])])
    text = run["results"][0]["message"]["text"]
    assert "\x1b" not in text
    assert "한국" in text
