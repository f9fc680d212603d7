"""Proving gates: what a gate notices counts, what none notices is named, and a gate that sleeps is seen to sleep."""

import json
from dataclasses import dataclass, field

import polars as pl
import pytest

from quantassay.harness import canonical, gate, prove, rooms

WHOLE = """for i, o in enumerate(plan["orders"]):
        yield judged(f"/orders/{i}/n", ok=o["n"] == desk[o["ticker"]], says="is another number")
    yield judged("/orders", ok=[o["ticker"] for o in plan["orders"]] == sorted(desk), says="others")"""
FORM = """for name, errors in artifact_schema_errors.items():
        yield judged("", ok=not errors, says="form", artifact=name)"""
CHECKS = {
    "whole": ("plan, desk", WHOLE),
    "form": ("artifact_schema_errors", FORM),
    "asleep": ("plan", 'yield judged("", ok=True, says="never wrong")'),
    "thin": ("plan", 'yield judged("/note", ok=plan["note"] == "n", says="another note")'),
    "rows": ("history", 'yield judged("", ok=history["close"].sum() == 30, says="another sum")'),
    "counter": (
        "plan, calls",
        "calls.append(1)\n    yield judged('', ok=len(calls) < 3 or calls[0] == 2, says='tired')",
    ),
    "elsewhere": ("desk", 'yield judged("", ok=bool(desk), says="empty")'),
}
SOURCE = (
    '"""{name}."""\nfrom quantassay.findings import judged\nRULES = {rules}\ndef check({parameters}):\n    {body}\n'
)
RULES = {
    "whole": ["R01"],
    "form": ["R02"],
    "asleep": ["R03"],
    "thin": ["R04"],
    "rows": ["R05"],
    "elsewhere": ["R06"],
    "counter": ["R06"],
}
SEVERITIES = dict.fromkeys(["R01", "R02", "R03", "R05", "R06", "R99"], "error") | {"R04": "warning"}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"orders": {"type": "array"}, "note": {"type": "string"}},
}


@dataclass(frozen=True)
class Desk:
    """What gates read; the fact about forms is worked out from the plan."""

    values: dict = field(default_factory=dict)

    def kind(self, name):
        kinds = {
            "plan": "artifact",
            "history": "table",
            "desk": "spec",
            "calls": "spec",
            "artifact_schema_errors": "fact",
        }
        return kinds[name]

    def value(self, name):
        if name != "artifact_schema_errors":
            return self.values[name]
        plan = self.values["plan"]
        good = plan.keys() == {"orders", "note"} and all(o.keys() == {"ticker", "n", "why"} for o in plan["orders"])
        return {"plan": [] if good else ["bad"]}

    def with_artifact(self, name, data):
        return Desk({**self.values, name: data})


@pytest.fixture
def bench(tmp_path):
    def made(*names):
        units = []
        for name in names:
            parameters, body = CHECKS[name]
            path = tmp_path / f"{name}.py"
            path.write_text(SOURCE.format(name=name, rules=RULES[name], parameters=parameters, body=body))
            digest = canonical.sha256(path.read_bytes())
            units.append(
                rooms.Unit(
                    name, "validators", path, f"validators/{name}.py", "workspace", digest, name,
                    tuple(parameters.split(", ")), tuple(RULES[name]), (),
                )
            )  # fmt: skip
        orders = [{"ticker": "900010", "n": 10, "why": "w"}, {"ticker": "900020", "n": 20, "why": "w"}]
        values = {
            "plan": {"orders": orders, "note": "n"},
            "desk": {"900010": 10, "900020": 20},
            "calls": [1],
            "history": pl.DataFrame({"close": [10, 20]}),
        }
        return prove.Bench(units, Desk(values), gate.Terms(SEVERITIES, {}))

    return made


def survivors(result):
    return {(s["operator"], s["pointer"]) for s in result["survivors"]}


def test_a_gate_that_re_derives_kills_and_what_nobody_reads_survives(bench):
    result = prove.prove(bench("whole", "form"), {"plan": SCHEMA})
    assert result["killed"] + len(result["survivors"]) == result["mutants"]
    assert survivors(result) == {
        ("blanked", "/orders/0/why"), ("blanked", "/orders/1/why"), ("blanked", "/note"),
        ("longer text", "/orders/0/why"), ("longer text", "/orders/1/why"), ("longer text", "/note"),
    }  # fmt: skip
    assert {"artifact": "plan", "pointer": "/note", "operator": "blanked", "from": "n", "to": ""} in result["survivors"]
    assert result["unread_fields"] == ["plan#/note", "plan#/orders/*/why"]
    assert result["per_pointer"]["plan#/orders/*/n"]["share"] == "1.0000"
    assert result["red_before"] == []
    assert json.loads(json.dumps(result)) == result


def test_a_field_that_only_the_schema_holds_counts_as_killed_and_as_unread(bench):
    result = prove.prove(bench("whole", "form"), {"plan": SCHEMA})
    counts = result["per_pointer"]["plan#/note"]
    assert counts["killed"] > 0
    assert "plan#/note" in result["unread_fields"]


def test_a_gate_that_sleeps_kills_nothing(bench):
    result = prove.prove(bench("asleep"), {"plan": None})
    assert (result["killed"], result["share"]) == (0, "0.0000")
    assert result["per_gate"] == {"asleep": {"shown": result["mutants"], "killed": 0}}


def test_a_warning_kills_nothing(bench):
    result = prove.prove(bench("thin"), {"plan": None})
    # All that it does is crash where the note is gone.
    assert {s["pointer"] for s in result["survivors"]} >= {"/note", "/orders/0/n"}
    assert result["killed"] == 1


def test_a_gate_that_failed_before_is_not_believed_again(bench):
    red = bench("rows")
    broken = prove.Bench(red.units, red.inputs.with_artifact("history", pl.DataFrame({"close": [1, 2]})), red.terms)
    result = prove.prove(broken, {"history": None})
    assert result["red_before"] == ["rows"]
    kept = {s["operator"] for s in result["survivors"]}
    assert {"one more", "missing row", "emptied"} <= kept


def test_tables_are_mutated_by_cell_and_row(bench):
    result = prove.prove(bench("rows"), {"history": None})
    assert survivors(result) == {("swapped rows", "/0"), ("extra column", "/extra_member")}
    assert result["per_pointer"]["history#/*/close"]["share"] == "1.0000"


def test_only_gates_that_can_see_the_artifact_are_asked_the_least_laborious_first(bench):
    every = bench("elsewhere", "form", "whole", "asleep", "rows")
    assert [unit.name for unit in every.readers("plan")] == ["asleep", "whole", "form"]
    assert [unit.name for unit in every.readers("history")] == ["rows", "form"]
    result = prove.prove(every, {"plan": SCHEMA})
    assert result["per_gate"]["elsewhere"] == {"shown": 0, "killed": 0}
    assert result["per_gate"]["form"]["shown"] < result["per_gate"]["whole"]["shown"]


def test_every_gate_can_be_asked(bench):
    result = prove.prove(bench("whole", "form", "asleep"), {"plan": SCHEMA}, every_gate=True)
    assert {counts["shown"] for counts in result["per_gate"].values()} == {result["mutants"]}
    first = prove.prove(bench("whole", "form", "asleep"), {"plan": SCHEMA})
    assert (first["killed"], first["survivors"]) == (result["killed"], result["survivors"])


def test_rules_that_nothing_was_judged_by_are_named(bench):
    assert prove.prove(bench("whole", "thin"), {})["unevaluated_rules"] == ["R02", "R03", "R05", "R06", "R99"]


def test_no_mutant_at_all_is_no_proof(bench):
    result = prove.prove(bench("whole"), {})
    assert (result["mutants"], result["share"]) == (0, "0.0000")


@pytest.mark.parametrize(("killed", "mutants", "text"), [(94999, 100000, "0.9499"), (2, 3, "0.6666"), (5, 5, "1.0000")])
def test_a_share_is_never_rounded_up(killed, mutants, text):
    assert prove.share(killed, mutants) == text


def test_a_gate_that_does_not_say_the_same_twice_is_no_witness(bench):
    with pytest.raises(prove.UnsteadyGate, match="counter judges plan otherwise"):
        prove.prove(bench("counter"), {"plan": None})


def test_a_gate_is_stopped_at_its_first_failing_breach(bench):
    made = bench("whole")
    wrong = made.inputs.with_artifact("plan", {"orders": [{"ticker": "900010", "n": 1}] * 3})
    whole = made.judge(made.units[0], wrong)
    stopped = made.judge(made.units[0], wrong, until_wrong=True)
    assert (whole.judged, stopped.judged) == (4, 1)
    thin = bench("thin")
    other = thin.inputs.with_artifact("plan", {"note": "x"})
    assert thin.judge(thin.units[0], other, until_wrong=True) == thin.judge(thin.units[0], other)


def test_progress_names_the_artifact(bench):
    told = []
    prove.prove(bench("whole", "rows"), {"plan": None, "history": None}, progress=lambda *facts: told.append(facts))
    assert told == [(0, 2, "plan"), (1, 2, "history")]
