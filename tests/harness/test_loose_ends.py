"""Orphans in every direction: each kind is found, and what belongs to something is let be."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from quantassay.harness import loose_ends
from quantassay.harness.loose_ends import Lot
from quantassay.harness.rooms import Rooms, Unit

RULES = [{"id": "R01.1", "enforced_by": ["lots", "report_trace"]}]
LIMITS = {"type": "object", "properties": {"lot": {}, "steps": {"items": {"properties": {"size": {}}}}}}


def unit(room, name, *parameters, rules=()):
    return Unit(name, room, Path(name), f"{room}/{name}", "standard", "sha256:", "Title", parameters, rules, ())


def named(*units):
    return {one.name: one for one in units}


@pytest.fixture
def lot():
    """A house in which everything belongs to something."""
    rooms = Rooms(
        named(unit("builders", "plan", "limits"), unit("builders", "totals", "plan")),
        named(unit("validators", "lots", "plan", rules=("R01.1",))),
        named(unit("renderers", "orders", "totals")),
        named(unit("tools", "import_lots")),
    )
    return Lot(
        rooms=rooms,
        sources={
            "limits": ("spec/10_limits.yaml", {"lot": 10, "steps": [{"size": 5}]}),
            "workspace": ("spec/00_workspace.yaml", {"name": "toy"}),
            "reports": ("spec/90_reports.yaml", {"reports": {"orders": {"title": "Made by tools/import_lots.py"}}}),
            "rules": ("governance/rules", RULES),
            "waivers": ("waivers", []),
        },
        schemas={"limits": LIMITS},
        own_schemas=["limits", "plan_v1", "plan_v2", "totals_v1", "gate_record_v1", "package_manifest"],
        schema_of=lambda name: name,
        asked=["reports", "rules"],
        words=["lot", "steps", "size"],
        case_folders=["lots"],
    )


def wrong(lot):
    return {(kind, name): says for kind, name, says in loose_ends.look(lot) if says}


def rooms_with(lot, room, *units):
    return replace(lot, rooms=replace(lot.rooms, **{room: {**getattr(lot.rooms, room), **named(*units)}}))


def sources_with(lot, **sources):
    return replace(lot, sources={**lot.sources, **sources})


def test_a_house_in_order_has_none_and_everything_was_looked_at(lot):
    assert wrong(lot) == {}
    looked = [(kind, name) for kind, name, _ in loose_ends.look(lot)]
    assert {kind for kind, _ in looked} == {
        "gate", "report", "tool", "spec", "artifact", "schema", "evidence", "field",
    }  # fmt: skip
    assert len(looked) == len(set(looked))


def test_a_gate_that_no_rule_asks_for_and_one_whose_rules_are_gone(lot):
    more = rooms_with(lot, "validators", unit("validators", "own", "plan", rules=("R01.1",)))
    assert wrong(more) == {("gate", "own"): "no rule asks for it"}
    gone = rooms_with(lot, "validators", unit("validators", "lots", "plan", rules=("R01.1", "R01.9")))
    assert wrong(gone) == {("gate", "lots"): "its rules R01.9 are gone"}


def test_a_report_without_settings_and_settings_without_a_report(lot):
    assert wrong(rooms_with(lot, "renderers", unit("renderers", "more", "plan")))["report", "more"]
    settings = {"reports": {"orders": {"title": "tools/import_lots.py"}, "gone": {"title": "x"}}}
    found = wrong(sources_with(lot, reports=("spec/90_reports.yaml", settings)))
    assert found == {("report", "gone"): "spec/90_reports.yaml names it, and there is no template for it"}


def test_a_tool_that_nothing_names(lot):
    found = wrong(rooms_with(lot, "tools", unit("tools", "import_lot")))
    assert found == {("tool", "import_lot"): "no spec and no governance file names it"}


def test_a_spec_that_nobody_reads(lot):
    found = wrong(sources_with(lot, extra=("spec/50_extra.yaml", {"x": 1})))
    assert found == {("spec", "spec/50_extra.yaml"): "no builder, no gate and no part of the engine reads it"}
    assert wrong(replace(lot, asked=["rules"]))["spec", "spec/90_reports.yaml"]
    read_by_a_gate = rooms_with(lot, "validators", unit("validators", "lots", "plan", "extra", rules=("R01.1",)))
    assert wrong(sources_with(read_by_a_gate, extra=("spec/50_extra.yaml", {"x": 1}))) == {}


def test_an_artifact_that_nobody_reads(lot):
    found = wrong(rooms_with(lot, "builders", unit("builders", "aside", "limits")))
    assert found == {("artifact", "aside"): "no builder reads it and no report shows it"}


def test_a_schema_of_nothing(lot):
    found = wrong(replace(lot, own_schemas=[*lot.own_schemas, "gone_v1", "gone", "plans_v1", "definition_of_done_v1"]))
    assert set(found) == {("schema", "gone_v1"), ("schema", "gone"), ("schema", "plans_v1")}


def test_cases_of_a_gate_that_is_gone(lot):
    found = wrong(replace(lot, case_folders=["lots", "lots_before"]))
    assert found == {("evidence", "tests/validators/lots_before"): "cases of a gate that is gone"}


def test_a_field_that_no_code_names(lot):
    assert wrong(replace(lot, words=["lot", "steps"])) == {
        ("field", "spec/10_limits.yaml:size"): "no builder, no gate and no other code names it"
    }
    # A key that the schema does not name is data, and a field that does not stand in the file is no orphan.
    data = sources_with(lot, limits=("spec/10_limits.yaml", {"lot": 10, "005930": 3}))
    assert wrong(replace(data, words=["lot"])) == {}


def test_a_reference_to_what_is_gone(lot):
    references = [
        {"from": "studies:/*/threshold", "to": "thresholds:/ids/*", "what": "a study of a threshold"},
        {"from": "studies:/*/tool", "to": "tools", "what": "a tool"},
        {"from": "nowhere:/x", "to": "thresholds:/ids/*", "what": "nothing"},
    ]
    studies = [{"threshold": "a", "tool": "tools/import_lots.py"}, {"threshold": "b", "tool": None}, {"threshold": "a"}]
    with_them = sources_with(
        replace(lot, asked=["reports", "rules", "orphans", "studies", "thresholds"]),
        orphans=("governance/orphans.yaml", {"orphans": [], "references": references}),
        studies=("studies", studies),
        thresholds=("spec/30_thresholds.yaml", {"ids": ["a", "c"]}),
    )
    assert wrong(with_them) == {
        ("reference", "studies:/*/threshold=b"): "a study of a threshold that is gone: thresholds:/ids/* has no b"
    }
    looked = [name for kind, name, _ in loose_ends.look(with_them) if kind == "reference"]
    assert looked == ["studies:/*/threshold=a", "studies:/*/threshold=b", "studies:/*/tool=tools/import_lots.py"]


def test_what_the_engine_reads_by_name_is_found_in_its_modules():
    source = """
desk = inputs.value("desk")
other = inputs.source('accounts').paths
same = inputs.value(name)
text = value("not_a_method")
if "severities" in inputs.sources and "other" in names:
    pass
"""
    assert loose_ends.asked_in(ast.parse(source)) == {"desk", "accounts", "severities"}


def test_words_are_whole():
    assert loose_ends.words_of('spec["max_positions"] + lots') == {"spec", "max_positions", "lots"}
