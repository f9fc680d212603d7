import textwrap
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from quantassay.findings import judged
from quantassay.harness import files, gate, rooms
from quantassay.harness.gate import Terms
from quantassay.harness.rulebook import EngineGate

ROOT = Path(__file__).parents[2]
AS_OF = "2026-11-18T15:45:00+09:00"
PLAN = {"orders": [{"quantity": 10}, {"quantity": 15}, {"quantity": 20}]}
APPROVALS = {"credentials": {"credentials": []}, "approval_states": {"approvals": []}}
LOTS = """
    RULES = ["R03.1"]

    def check(limits, next_open_plan):
        for i, order in enumerate(next_open_plan["orders"]):
            found, lot = order["quantity"], limits["lot"]
            ok = found % lot == 0
            yield judged(f"/orders/{i}/quantity", ok=ok, says="is no whole lot", expected=lot, actual=found)
"""


class Fake:
    """Inputs of plain values."""

    def __init__(self, **values):
        self.values = {"limits": {"lot": 10}, "next_open_plan": PLAN, **values}

    def kind(self, name):
        return "spec" if name == "limits" else "table" if isinstance(self.values[name], pl.DataFrame) else "artifact"

    def value(self, name):
        return self.values[name]


def rule(id_="R03.1", **changes):
    written = {"id": id_, "statement": "s", "why": "w", "enforced_by": ["lots"], "severity": "error", "waivable": True}
    return {**written, **changes}


@pytest.fixture
def unit(tmp_path):
    """Writes a gate and gives its unit as `rooms` sees it."""

    def write(name, source):
        path = tmp_path / f"{name}.py"
        docstring = f'"""The gate {name} judges something."""\n\nfrom quantassay.findings import judged\n\n'
        path.write_text(docstring + textwrap.dedent(source).lstrip())
        facts = rooms._python_facts(path.read_text(), f"validators/{name}.py", "validators")
        return rooms.Unit(
            name, "validators", path, f"validators/{name}.py", "standard", files.sha256(path.read_bytes()),
            facts["title"], tuple(facts["parameters"]), tuple(facts["rules"]), tuple(facts["imports"]),
        )  # fmt: skip

    return write


def judge(units, inputs=None, rules=None, zero_legal=None):
    return gate.judge(units, rules or [rule()], zero_legal or {}, partial(gate.judge_one, inputs or Fake()))


def conclude(results, rules=None, waivers=(), **options):
    return gate.conclude(results, rules or [rule()], waivers, AS_OF, **options)


def test_a_gate_counts_what_it_judged_and_finds_what_is_wrong(unit):
    lots = unit("lots", LOTS)
    (result,) = judge([lots])
    assert (result.gate, result.title, result.rules) == ("lots", "The gate lots judges something.", ("R03.1",))
    assert (result.judged, result.status, result.error) == (3, "failed", None)
    assert (result.origin, result.digest, result.by_rule) == ("standard", lots.digest, (("R03.1", 3),))
    (found,) = result.findings
    assert (found.rule, found.gate, found.severity, found.artifact) == ("R03.1", "lots", "error", "next_open_plan")
    assert (found.pointer, found.says, found.expected, found.actual) == (
        "/orders/1/quantity",
        "is no whole lot",
        "10",
        "15",
    )


def test_a_gate_without_a_finding_passes(unit):
    (result,) = judge([unit("lots", LOTS)], Fake(limits={"lot": 5}))
    assert (result.judged, result.status, result.findings) == (3, "passed", ())


def test_the_severity_is_the_rules_own(unit):
    (result,) = judge([unit("lots", LOTS)], rules=[rule(severity="warning")])
    assert result.findings[0].severity == "warning"


def test_a_breach_of_a_rule_that_governance_does_not_know_is_an_error(unit):
    (result,) = judge([unit("lots", LOTS)], rules=[rule("R09.9", severity="note")])
    assert result.findings[0].severity == "error"


def test_a_judgement_may_name_its_own_rule_and_artifact(unit):
    source = """
        RULES = ["R03.1", "R03.2"]

        def check(next_open_plan):
            yield judged("/a", ok=False, says="no", artifact="signals", rule="R03.2")
            yield judged("/b", ok=False, says="no")
    """
    rules = [rule(severity="error"), rule("R03.2", severity="note")]
    (result,) = judge([unit("lots", source)], rules=rules)
    assert [(f.rule, f.artifact, f.severity) for f in result.findings] == [
        ("R03.2", "signals", "note"),
        ("R03.1", "next_open_plan", "error"),
    ]
    assert result.by_rule == (("R03.1", 1), ("R03.2", 1))


@pytest.mark.parametrize(
    ("parameters", "about"),
    [("limits, next_open_plan", "next_open_plan"), ("limits, table", "table"), ("limits", "limits"), ("", "lots")],
)
def test_a_finding_is_about_the_first_artifact_or_else_the_first_input(unit, parameters, about):
    lots = unit("lots", f'RULES = ["R03.1"]\n\ndef check({parameters}):\n    yield judged("", ok=False, says="no")\n')
    (result,) = judge([lots], Fake(table=pl.DataFrame({"close": [1]})))
    assert result.findings[0].artifact == about


# ---- what crashes


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("raise KeyError('close')", "KeyError: 'close' (validators/broken.py:8)"),
        ("1 / 0", "ZeroDivisionError: division by zero (validators/broken.py:8)"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines (validators/broken.py:8)"),
        ("raise AssertionError", "AssertionError (validators/broken.py:8)"),
        ("raise SystemExit(0)", "SystemExit: 0 (validators/broken.py:8)"),
        ("yield 'a finding'", "NotJudged: broken yields a str; let it yield judged(...) for each thing"),
        (
            "yield judged('', ok=True, says='', rule='R03.9')",
            "UnlistedRule: broken judges by R03.9, which its RULES do not name; add it, there and in enforced_by",
        ),
    ],
)
def test_a_crash_is_one_line_and_hides_no_other_gate(unit, body, error):
    broken = unit(
        "broken", f'RULES = ["R03.1"]\n\ndef check(limits):\n    {body}\n    yield judged("", ok=True, says="")\n'
    )
    results = judge([broken, unit("lots", LOTS)])
    assert [(r.gate, r.status) for r in results] == [("broken", "crashed"), ("lots", "failed")]
    assert results[0].error == error


def test_what_a_gate_found_before_it_crashed_is_kept(unit):
    source = """
        RULES = ["R03.1"]

        def check(next_open_plan):
            yield judged("/orders/0", ok=False, says="no")
            yield judged("/orders/1", ok=next_open_plan["missing"], says="no")
    """
    (result,) = judge([unit("lots", source)])
    assert (result.status, result.judged) == ("crashed", 1)
    assert [f.pointer for f in result.findings] == ["/orders/0"]


def test_a_gate_that_cannot_be_loaded_has_crashed(unit):
    broken = unit(
        "broken",
        'import no_such_library\n\nRULES = ["R03.1"]\n\ndef check(limits):\n    yield judged("", ok=True, says="")\n',
    )
    results = judge([broken, unit("lots", LOTS)])
    assert [r.status for r in results] == ["crashed", "failed"]
    assert "no_such_library" in results[0].error


def test_an_input_that_cannot_be_read_is_a_crash_of_that_gate_alone(unit):
    class Unreadable(Fake):
        def value(self, name):
            if name == "limits":
                raise TimeoutError(name)
            return super().value(name)

    other = unit("other", 'RULES = ["R03.1"]\n\ndef check(next_open_plan):\n    yield judged("", ok=True, says="")\n')
    results = judge([unit("lots", LOTS), other], Unreadable())
    assert [(r.status, r.error) for r in results] == [("crashed", "TimeoutError: limits"), ("passed", None)]


def test_an_interrupt_stops_the_run(unit):
    lots = unit("lots", 'RULES = ["R03.1"]\n\ndef check(limits):\n    raise KeyboardInterrupt\n    yield\n')
    with pytest.raises(KeyboardInterrupt):
        judge([lots])


# ---- what judged nothing


EMPTY = {
    "an empty object": {},
    "an empty list": [],
    "an object of empty lists": {"orders": [], "skipped": []},
    "a list of empty objects": [{}, {}],
    "null": None,
    "an empty text": "",
    "a table without rows": pl.DataFrame(schema={"ticker": pl.String, "close": pl.Float64}),
    "a table without columns": pl.DataFrame(),
    "objects all filtered away": {"orders": [{"side": "none"}]},
}


@pytest.mark.parametrize("empty", EMPTY.values(), ids=EMPTY.keys())
def test_a_gate_over_nothing_is_red(unit, empty):
    source = """
        RULES = ["R03.1"]

        def check(next_open_plan):
            rows = next_open_plan
            if hasattr(rows, "to_dicts"):
                rows = rows.to_dicts()
            if isinstance(rows, dict):
                rows = [row for part in rows.values() for row in part]
            for i, row in enumerate(rows or ()):
                if row and row.get("side") in ("buy", "sell"):
                    yield judged(f"/{i}", ok=True, says="")
    """
    results = judge([unit("lots", source)], Fake(next_open_plan=empty))
    verdict = conclude(results)
    assert (results[0].status, results[0].judged) == ("vacuous", 0)
    assert (verdict.status, verdict.exit_code, verdict.count("error")) == ("failed", 1, 1)
    (found,) = verdict.active
    assert (found.rule, found.artifact, found.pointer) == ("R03.1", "next_open_plan", "")
    assert found.says.startswith("judged nothing, so it proves nothing")
    assert "governance/gates.yaml" in found.says


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("artifact_schema", {"artifact_schema_errors": {}}),
        ("rule_coverage", {"rules": [], "gate_units": [], "gates": {"zero_legal": []}}),
        ("origins_complete", {"origin_coverage": []}),
        (
            "definition_of_done",
            {"work_items": [], "loose_ends": [], "unreported": {"unreported": []}, "orphans": {"orphans": []}},
        ),
        ("no_secret_in_text", {"raw_texts": []}),
        ("credentials_policy", {"documents": {}, "account_snapshot": {}, **APPROVALS}),
        ("data_sources_policy", {"documents": {}, "data_sources": {"data_sources": []}, **APPROVALS}),
        ("approvals_genuine", {"approval_states": {"approvals": []}}),
    ],
)
def test_the_standard_gates_are_red_over_nothing(name, values):
    path = ROOT / "validators" / f"{name}.py"
    facts = rooms._python_facts(path.read_text(), path.name, "validators")
    standard = rooms.Unit(
        name, "validators", path, path.name, "standard", files.sha256(path.read_bytes()),
        facts["title"], tuple(facts["parameters"]), tuple(facts["rules"]), (),
    )  # fmt: skip
    (result,) = judge([standard], Fake(**values))
    assert (result.status, result.judged) == ("vacuous", 0)
    assert [f.rule for f in result.findings] == facts["rules"]


def test_a_finding_about_nothing_judged_is_known_from_every_other(unit):
    (empty,) = judge([unit("lots", LOTS)], Fake(next_open_plan={"orders": []}))
    (red,) = judge([unit("lots", LOTS)])
    assert [gate.is_vacuous(found) for found in (*empty.findings, *red.findings)] == [True, False]


def test_no_finding_repeats_a_credential(unit):
    key = "PS" + "fakeKey0123456789abcdefghijklmnopqr"
    source = LOTS.replace('says="is no whole lot"', f'says="of {key} is no whole lot"').replace(
        "actual=found", f'actual="{key}"'
    )
    (result,) = judge([unit("lots", source)])
    (found,) = result.findings
    assert (found.says, found.actual, found.expected) == ("of (not shown) is no whole lot", "(not shown)", "10")


def test_zero_is_legal_where_governance_gives_a_reason(unit):
    (result,) = judge([unit("lots", LOTS)], Fake(next_open_plan={"orders": []}), zero_legal={"lots": "no signal today"})
    assert (result.status, result.findings, result.zero_legal) == ("passed", (), "no signal today")
    (other,) = judge([unit("lots", LOTS)], Fake(next_open_plan={"orders": []}), zero_legal={"caps": "no signal today"})
    assert other.status == "vacuous"


def test_the_reason_for_zero_is_not_given_where_something_was_judged(unit):
    (result,) = judge([unit("lots", LOTS)], zero_legal={"lots": "no signal today"})
    assert (result.judged, result.zero_legal) == (3, None)


def test_a_crash_is_not_excused_by_a_reason_for_zero(unit):
    broken = unit("broken", 'RULES = ["R03.1"]\n\ndef check(limits):\n    raise RuntimeError\n    yield\n')
    (result,) = judge([broken], zero_legal={"broken": "no signal today"})
    assert (result.status, result.zero_legal) == ("crashed", None)


def test_a_rule_that_the_gate_names_and_never_judges_by_is_a_finding(unit):
    lots = unit(
        "lots", 'RULES = ["R03.1", "R03.2"]\n\ndef check(limits):\n    yield judged("/lot", ok=True, says="")\n'
    )
    (result,) = judge([lots], rules=[rule(), rule("R03.2", severity="warning")])
    assert (result.judged, result.status) == (1, "failed")
    (found,) = result.findings
    assert (found.rule, found.severity, found.pointer) == ("R03.2", "warning", "")
    assert found.says.startswith("judged nothing by this rule, so it proves nothing")
    assert result.vacuous_findings == (found,)


def test_no_gate_at_all_is_refused():
    with pytest.raises(gate.NothingToJudge, match="nothing was judged"):
        judge([])
    with pytest.raises(gate.NothingToJudge):
        conclude([])


def test_an_engine_gate_is_tallied_like_any_other():
    pages = EngineGate("report_trace", "Every digit is traced", ("R05.2",))
    seen = [judged("/3", ok=True, says=""), judged("/4", ok=False, says="12 has no origin")]
    result = gate.tally(pages, seen, "next_open_plan", Terms({"R05.2": "error"}, {}))
    assert (result.judged, result.status, result.origin) == (2, "failed", "engine")
    assert result.findings[0].artifact == "next_open_plan"
