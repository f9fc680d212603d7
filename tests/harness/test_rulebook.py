from pathlib import Path

import pytest

from quantassay.harness import canonical, rulebook, schemas, specs
from quantassay.harness.rooms import Unit

ROOT = Path(__file__).parents[2]


def rule(id_="R03.1", **changes):
    written = {
        "id": id_,
        "statement": "Orders are for whole lots.",
        "why": "The exchange refuses others.",
        "remedy": "Rebuild the plan.",
        "enforced_by": ["lots"],
        "severity": "error",
        "waivable": False,
    }
    return {**written, **changes}


def unit(name, *rules, origin="standard"):
    return Unit(
        name, "validators", Path(f"{name}.py"), f"validators/{name}.py", origin, "sha256:1", "Title", (), rules, ()
    )


def governance(stem):
    schema = canonical.read(ROOT / f"spec/schemas/{stem}.schema.json")
    return specs.load(ROOT / f"governance/{stem}.yaml", schema).value


def standard_rules():
    schema = canonical.read(ROOT / "spec/schemas/rules.schema.json")
    files = sorted((ROOT / "governance/rules").glob("*.yaml"))
    return {path.name: specs.load(path, schema, path.name).value["rules"] for path in files}


def test_rules_are_sorted_by_their_numbers_and_keep_every_fact():
    parsed = rulebook.parse([rule("R10.1"), rule("R03.10"), rule("R03.9", enforced_by=["b", "a"], waivable=True)])
    assert [one.id for one in parsed] == ["R03.9", "R03.10", "R10.1"]
    assert parsed[0] == rulebook.Rule(
        "R03.9", "Orders are for whole lots.", "The exchange refuses others.", "Rebuild the plan.",
        ("b", "a"), "error", True,
    )  # fmt: skip


def test_a_rule_that_stands_twice_is_refused():
    with pytest.raises(rulebook.DuplicateRule, match=r"R03\.1 stands twice"):
        rulebook.parse([rule(), rule(statement="Something else.")])


def test_failing_and_zero_legal_are_what_governance_says():
    levels = [{"name": "error", "fails": True}, {"name": "warning", "fails": True}, {"name": "note", "fails": False}]
    assert rulebook.failing({"severities": levels}) == {"error", "warning"}
    assert rulebook.zero_legal({"zero_legal": [{"gate": "lots", "why": "no order"}]}) == {"lots": "no order"}


def test_gate_units_name_every_gate_and_those_of_the_engine():
    units = rulebook.gate_units([unit("zeta", "R09.1", "R09.2"), unit("lots", "R03.1", origin="workspace")])
    assert [one["name"] for one in units] == ["lots", "report_trace", "waivers_in_force", "zeta"]
    assert units[0] == {"name": "lots", "title": "Title", "rules": ["R03.1"], "origin": "workspace"}
    assert units[2]["rules"] == ["R04.4"]
    assert units[2]["origin"] == "engine"


def test_the_standard_governance_is_sound():
    rules = [one for rules in standard_rules().values() for one in rules]
    assert len(rulebook.parse(rules)) == len(rules) > 20
    assert rulebook.failing(governance("severities")) == {"error"}
    assert all(reason for reason in rulebook.zero_legal(governance("gates")).values())


def test_a_rule_stands_in_the_file_of_its_number():
    for file, rules in standard_rules().items():
        assert rules, file
        assert {one["id"][1:3] for one in rules} == {file[:2]}


def test_a_reason_is_one_sentence():
    for rules in standard_rules().values():
        for one in rules:
            for words in (one["statement"], one["why"], one["remedy"]):
                assert words.endswith("."), words
                assert ". " not in words, words


def test_no_engine_gate_bears_the_name_of_a_file_in_validators():
    names = {path.stem for path in (ROOT / "validators").glob("*.py")}
    assert names
    assert not names & {one.name for one in rulebook.ENGINE_GATES}


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "fatal"},
        {"enforced_by": []},
        {"enforced_by": ["lots", "lots"]},
        {"id": "R3"},
        {"why": ""},
        {"waivable": "yes"},
        {"owner": "me"},
    ],
)
def test_the_schema_refuses_a_bad_rule(change):
    schema = canonical.read(ROOT / "spec/schemas/rules.schema.json")
    assert not schemas.validate(schema, {"title": "Orders", "rules": [rule()]})
    assert schemas.validate(schema, {"title": "Orders", "rules": [rule(**change)]})


def test_the_schema_refuses_severities_by_which_an_error_passes():
    schema = canonical.read(ROOT / "spec/schemas/severities.schema.json")
    levels = governance("severities")
    assert not schemas.validate(schema, levels)
    levels["severities"][0]["fails"] = False
    assert schemas.validate(schema, levels)
    assert schemas.validate(schema, {"severities": levels["severities"][1:]})


def test_the_digest_of_the_rules_changes_with_any_of_their_words_and_not_with_their_order():
    rules = [rule(), rule("R03.2")]
    first = rulebook.digest(rulebook.parse(rules))
    assert rulebook.digest(rulebook.parse(reversed(rules))) == first
    for change in ({"severity": "warning"}, {"waivable": True}, {"statement": "Other."}, {"enforced_by": ["other"]}):
        assert rulebook.digest(rulebook.parse([rule(**change), rule("R03.2")])) != first
