"""The sample desk knows its gaps: a probe reaches the page, and a record that was changed turns the gate red."""

import importlib.util
import json
from pathlib import Path

import pytest

FAKE = Path(__file__).parents[1] / "fakes/krx_site.py"


@pytest.fixture
def site():
    spec = importlib.util.spec_from_file_location("krx_site", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.opened() as opened:
        yield opened


def findings(desk):
    record = json.loads((desk.root / "Temp/gate_record_v1.json").read_bytes())["data"]
    return {(one["rule"], one["pointer"]) for gate in record["gates"] for one in gate["findings"]}


def test_a_probe_reaches_the_page_and_a_changed_record_the_gate(desk, site):
    roadmap = desk.root / "spec/16_data_gaps_roadmap.yaml"
    text = roadmap.read_text(encoding="utf-8")
    page = desk.root / "Temp/data_gaps_roadmap_v1.md"
    assert "P0001" not in page.read_text(encoding="utf-8")
    roadmap.write_text(text.replace("https://data.krx.co.kr", site.root), encoding="utf-8")
    for _ in range(2):
        assert desk.run("probe", "S5").code == 0
    roadmap.write_text(text, encoding="utf-8")
    said = desk.run("run")
    assert said.code == 0, said.out
    assert 'HTTP 400 with the body "LOGOUT", as recorded | `P0001`' in page.read_text(encoding="utf-8")
    record = desk.root / "governance/data_gaps/attempts/P0001_S5.yaml"
    record.write_text(
        record.read_text(encoding="utf-8").replace('by: "assay probe"', 'by: "Somebody else"'), encoding="utf-8"
    )
    said = desk.run("run")
    assert said.code == 1
    assert ("R10.6", "/P0002/previous") in findings(desk)
    assert "Put the file in governance/data_gaps/attempts back as it was" in said.out


def test_nothing_was_imported_by_hand_and_the_page_says_so(desk):
    page = (desk.root / "Temp/data_gaps_roadmap_v1.md").read_text(encoding="utf-8")
    assert page.count("Nothing was imported, so every field of it is a gap.") == 2
    assert not {rule for rule, _ in findings(desk) if rule.startswith("R10.")}
