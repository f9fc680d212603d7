from pathlib import Path

import pytest

from quantassay.findings import judged
from quantassay.harness import canonical, files, gate, schemas
from quantassay.harness.rulebook import EngineGate

ROOT = Path(__file__).parents[2]
AS_OF = "2026-11-18T15:45:00+09:00"


def rule(id_="R03.1", **changes):
    written = {"id": id_, "statement": "s", "why": "w", "enforced_by": ["lots"], "severity": "error", "waivable": True}
    return {**written, **changes}


def waiver(**changes):
    written = {
        "id": "W001",
        "rule": "R03.1",
        "artifact": "next_open_plan",
        "pointer": "/orders/1/quantity",
        "reason": "Agreed with the broker.",
        "approver": "Kim Mina",
        "expires": "2026-11-20",
    }
    return {**written, **changes}


def lots(*wrong, severity="error", judged_count=3):
    """What a gate says that judged so many orders and found these wrong."""
    unit = EngineGate("lots", "Orders are whole lots", ("R03.1",), "standard", "sha256:" + "c" * 64)
    seen = [judged(f"/orders/{i}/quantity", ok=i not in wrong, says="is no whole lot") for i in range(judged_count)]
    return gate.tally(unit, seen, "next_open_plan", gate.Terms({"R03.1": severity}, {}))


def broken():
    def judgements():
        raise RuntimeError
        yield

    unit = EngineGate("broken", "Breaks", ("R03.1",), "workspace", "sha256:" + "d" * 64)
    return gate.tally(unit, judgements(), "next_open_plan", gate.Terms({}, {}))


def conclude(results, rules=None, waivers=(), **options):
    return gate.conclude(results, rules or [rule()], waivers, AS_OF, **options)


def states(verdict):
    return [(r.gate, r.status, r.judged, len(r.findings)) for r in verdict.results]


def test_no_result_at_all_is_refused():
    with pytest.raises(gate.NothingToJudge):
        conclude([])


def test_a_passed_gate_run():
    verdict = conclude([lots()])
    assert (verdict.status, verdict.exit_code, verdict.active, verdict.crashed) == ("passed", 0, (), ())
    assert states(verdict) == [("lots", "passed", 3, 0), ("waivers_in_force", "passed", 0, 0)]
    assert verdict.results[1].zero_legal == gate.NO_WAIVERS
    assert verdict.judged_by("R03.1") == 3
    assert verdict.judged_by("R04.4") == 0
    assert verdict.as_of == AS_OF


def test_an_error_fails_the_run():
    verdict = conclude([lots(1)])
    assert (verdict.status, verdict.exit_code) == ("failed", 1)
    assert (verdict.count("error"), verdict.count("warning")) == (1, 0)
    assert states(verdict)[0] == ("lots", "failed", 3, 1)


def test_a_warning_does_not_unless_governance_says_so():
    rules = [rule(severity="warning")]
    results = [lots(1, severity="warning")]
    warned = conclude(results, rules)
    assert (warned.status, warned.exit_code, warned.count("error"), warned.count("warning")) == ("passed", 0, 0, 1)
    assert states(warned)[0] == ("lots", "passed", 3, 1)
    strict = conclude(results, rules, failing=frozenset({"error", "warning"}))
    assert (strict.status, strict.exit_code, strict.results[0].status) == ("failed", 1, "failed")


def test_a_crash_fails_the_run_with_its_own_exit_code():
    verdict = conclude([lots(), broken()])
    assert (verdict.status, verdict.exit_code, verdict.active) == ("failed", 3, ())
    assert [r.gate for r in verdict.crashed] == ["broken"]
    assert [s[1] for s in states(verdict)] == ["passed", "crashed", "passed"]


def test_waived_findings_do_not_count_and_stay_on_record():
    verdict = conclude([lots(1)], waivers=[waiver()])
    assert (verdict.status, verdict.active, len(verdict.waived)) == ("passed", (), 1)
    assert verdict.waived[0].waiver.id == "W001"
    assert states(verdict) == [("lots", "passed", 3, 1), ("waivers_in_force", "passed", 1, 0)]
    assert (verdict.waivers[0].state, verdict.waivers[0].days_left) == ("active", 2)


def test_a_waiver_leaves_the_other_findings_of_its_gate():
    verdict = conclude([lots(1, 2)], waivers=[waiver()])
    assert (verdict.status, len(verdict.waived)) == ("failed", 1)
    assert [f.pointer for f in verdict.active] == ["/orders/2/quantity"]
    assert verdict.results[0].status == "failed"


@pytest.mark.parametrize(
    ("change", "waivable", "says"),
    [
        ({"expires": "2026-11-17"}, True, "expired on 2026-11-17; 1 finding is back"),
        ({"pointer": "/orders/0/quantity"}, True, "covers no finding"),
        ({}, False, "nobody may waive"),
        ({"rule": "R77.7"}, True, "does not know"),
    ],
)
def test_a_bad_waiver_is_an_error_and_its_finding_counts(change, waivable, says):
    rules = [rule(waivable=waivable), rule("R04.4", enforced_by=["waivers_in_force"], waivable=False)]
    verdict = conclude([lots(1)], rules, [waiver(**change)])
    assert verdict.status == "failed"
    assert not verdict.waived
    assert [(f.rule, f.gate, f.severity) for f in verdict.active] == [
        ("R03.1", "lots", "error"),
        ("R04.4", "waivers_in_force", "error"),
    ]
    assert (verdict.active[1].artifact, verdict.active[1].pointer) == ("waivers", "/W001")
    assert says in verdict.active[1].says
    assert verdict.judged_by("R04.4") == 1


def test_a_bad_waiver_fails_a_run_in_which_all_else_is_in_order():
    verdict = conclude([lots()], waivers=[waiver()])
    assert (verdict.status, verdict.exit_code, verdict.count("error")) == ("failed", 1, 1)
    assert [s[1] for s in states(verdict)] == ["passed", "failed"]


def test_the_day_of_a_waiver_is_that_of_as_of_in_its_own_zone():
    last = [waiver(expires="2026-11-18")]
    late = gate.conclude([lots(1)], [rule()], last, "2026-11-18T23:59:00-05:00")
    assert (late.status, late.waivers[0].days_left) == ("passed", 0)
    after = gate.conclude([lots(1)], [rule()], last, "2026-11-19T00:00:00+09:00")
    assert (after.status, after.waivers[0].days_left) == ("failed", -1)


def test_a_gate_that_judged_nothing_cannot_be_waived():
    verdict = conclude([lots(judged_count=0)], waivers=[waiver(pointer="/**")])
    assert verdict.status == "failed"
    assert [f.gate for f in verdict.active] == ["lots", "waivers_in_force"]
    assert [s[1] for s in states(verdict)] == ["vacuous", "failed"]


def test_a_finding_at_the_whole_artifact_can_be_waived_where_something_was_judged():
    unit = EngineGate("lots", "Orders are whole lots", ("R03.1",))
    found = [judged("", ok=False, says="is no plan")]
    result = gate.tally(unit, found, "next_open_plan", gate.Terms({"R03.1": "error"}, {}))
    assert conclude([result], waivers=[waiver(pointer="")]).status == "passed"


# ---- the record


@pytest.fixture
def record():
    rules = [rule(), rule("R04.4", waivable=False), rule("R08.1", severity="note")]
    given = [waiver(), waiver(id="W002", pointer="/cash", gate="lots")]
    verdict = conclude([lots(1), broken()], rules, given)
    digests = {"signals": "sha256:" + "b" * 64, "next_open_plan": "sha256:" + "a" * 64}
    return gate.record(verdict, digests, AS_OF, ["SAMPLE", "AUDIT-ONLY"], "quantassay 0.1.0")


def test_the_record_has_the_form_that_its_schema_states(record):
    schema = canonical.read(ROOT / "spec/schemas/gate_record_v1.schema.json")
    assert schemas.validate(schema, record["data"]) == []


def test_the_record_names_itself_and_what_it_stands_on(record):
    assert (record["artifact"], record["version"], record["as_of"]) == ("gate_record", 1, AS_OF)
    assert record["marks"] == ["AUDIT-ONLY", "SAMPLE"]
    assert record["origins"] == {}
    data, provenance = record["data"], record["provenance"]
    assert provenance == {
        "builder": {
            "file": "engine:gate",
            "digest": files.sha256(Path(gate.__file__).read_bytes()),
            "origin": "engine",
        },
        "engine": "quantassay 0.1.0",
        "inputs": [
            {"name": "next_open_plan", "kind": "artifact", "digest": "sha256:" + "a" * 64},
            {"name": "signals", "kind": "artifact", "digest": "sha256:" + "b" * 64},
            {"name": "rules", "kind": "governance", "digest": data["rules_digest"]},
        ],
        "libraries": [],
    }
    assert list(record["data"]["judged"]) == ["next_open_plan", "signals"]


def test_the_record_counts(record):
    counts = {"gates": 3, "judged": 5, "errors": 1, "warnings": 0, "notes": 0, "waived": 1, "crashed": 1}
    assert (record["data"]["status"], record["data"]["counts"]) == ("failed", counts)


def test_the_record_counts_each_severity_apart():
    rules = [rule(severity=severity, id=f"R03.{i}") for i, severity in enumerate(("error", "warning", "note"), 1)]
    unit = EngineGate("lots", "Orders are whole lots", ("R03.1", "R03.2", "R03.3"))
    seen = [judged(f"/{i}", ok=False, says="no", rule=f"R03.{kind}") for kind in (1, 2, 3) for i in range(kind)]
    terms = gate.Terms({one["id"]: one["severity"] for one in rules}, {})
    verdict = conclude([gate.tally(unit, seen, "next_open_plan", terms)], rules)
    data = gate.record(verdict, {}, AS_OF, [], "x")["data"]
    assert [data["counts"][name] for name in ("errors", "warnings", "notes", "judged")] == [1, 2, 3, 6]
    assert [(r["judged"], r["evaluated"]) for r in data["rules"]] == [(1, True), (2, True), (3, True)]


def test_the_record_tells_what_each_gate_did(record):
    first, second, third = record["data"]["gates"]
    assert (first["gate"], first["status"], first["judged"], first["origin"]) == ("lots", "passed", 3, "standard")
    assert first["digest"] == "sha256:" + "c" * 64
    (found,) = first["findings"]
    assert (found["pointer"], found["waiver"]) == ("/orders/1/quantity", "W001")
    assert found["fingerprint"] == lots(1).findings[0].fingerprint
    assert (second["status"], second["origin"], second["error"]) == ("crashed", "workspace", "RuntimeError")
    assert (third["gate"], third["origin"], third["findings"][0]["waiver"]) == ("waivers_in_force", "engine", None)


def test_the_record_tells_which_rules_were_judged_by_and_which_were_not(record):
    rows = [(r["id"], r["judged"], r["evaluated"]) for r in record["data"]["rules"]]
    assert rows == [("R03.1", 3, True), ("R04.4", 2, True), ("R08.1", 0, False)]


def test_the_record_tells_how_each_waiver_stands(record):
    rows = [(w["id"], w["state"], w["days_left"], w["findings"], w["gate"]) for w in record["data"]["waivers"]]
    assert rows == [("W001", "active", 2, 1, None), ("W002", "unused", 2, 0, "lots")]
    assert {w["expires"] for w in record["data"]["waivers"]} == {"2026-11-20"}


def test_the_record_is_the_same_for_the_same_run_and_another_for_what_is_new():
    def written(*rules, letters="ab"):
        digests = {name: "sha256:" + letter * 64 for name, letter in zip(("x", "y"), letters, strict=True)}
        verdict = conclude([lots(1)], rules)
        return canonical.dumps(gate.record(verdict, digests, AS_OF, ["SAMPLE"], "quantassay 0.1.0"))

    same = written(rule(), rule("R03.2"))
    assert written(rule("R03.2"), rule()) == same
    assert written(rule(), rule("R03.2"), letters="ac") != same


def test_the_rules_digest_covers_all_that_the_rules_demand():
    def digest(**change):
        return gate.record(conclude([lots(1)], [rule(**change)]), {}, AS_OF, [], "x")["data"]["rules_digest"]

    changes = [{}, {"severity": "note"}, {"waivable": False}, {"enforced_by": ["lots", "caps"]}, {"statement": "z"}]
    changes += [{"why": "x"}, {"remedy": "y"}, {"id": "R03.2"}]
    assert len({digest(**change) for change in changes}) == len(changes)
