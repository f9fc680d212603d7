"""The builders of sell inputs and of the packet for signature: exact values, nothing later, every gap named."""

import importlib.util
import json
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.manual.sell_inputs import NoGap
from quantassay.harness import canonical, origins, pointers, schemas
from quantassay.store.manual_facts import SCHEMA

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/validators/sell_inputs_rederived"
FACTS = dict(SCHEMA)
READS = ("as_of", "manual_facts", "listing_import", "data_gaps_roadmap", "trading_calendar")
STATES = ["short_balance_ratio", "short_balance_change", "premium", "tracking_error", "aum"]


def unit(name):
    spec = importlib.util.spec_from_file_location(f"builder_{name}", ROOT / f"builders/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def frame(rows):
    read = {"session": date.fromisoformat, "available_from": date.fromisoformat, "imported_at": datetime.fromisoformat}
    return pl.DataFrame([{k: read.get(k, lambda v: v)(v) for k, v in row.items()} for row in rows], schema=FACTS)


def given_by(case):
    parameters = json.loads((CASES / f"{case}.json").read_text(encoding="utf-8"))["parameters"]
    artifact = parameters["qualitative_sell_inputs"]
    holdings = [{"ticker": row["ticker"], "quantity": row["quantity"]} for row in artifact["holdings"]]
    account = {**artifact["account"], "holdings": list(reversed(holdings))}
    return {name: parameters[name] for name in READS} | {"account_snapshot": account}, artifact


def build(inputs):
    return unit("qualitative_sell_inputs").build(**inputs | {"manual_facts": frame(inputs["manual_facts"])})


@pytest.fixture(scope="module")
def sell_inputs():
    return build(given_by("pass")[0])


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("pass*.json")))
def test_the_builder_makes_what_the_cases_of_its_gate_call_right(case):
    inputs, right = given_by(case)
    made = build(inputs)
    assert made == right
    schema = json.loads((ROOT / "spec/schemas/qualitative_sell_inputs_v1.schema.json").read_text(encoding="utf-8"))
    assert schemas.validate(schema, json.loads(canonical.dumps(made))) == []
    assert canonical.dumps(build(given_by(case)[0])) == canonical.dumps(made)


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("pass*.json")))
def test_what_is_not_known_names_its_gap_and_shows_no_value(case):
    gaps = {"short_balance_ratio": "S5", "short_balance_change": "S5"}
    for row in given_by(case)[1]["holdings"]:
        for name in STATES:
            one = row[name]
            known = one["state"] == "known"
            assert (one["value"] is not None) == known
            applies = one["state"] != "not_applicable"
            assert one["gap"] == (gaps.get(name, "S4") if applies and not known else None)


def test_every_number_and_date_has_an_origin(sell_inputs):
    module = unit("qualitative_sell_inputs")
    rows = origins.coverage("qualitative_sell_inputs", sell_inputs, module.ORIGINS, [*READS, "account_snapshot"])
    assert [row["pointer"] for row in rows if row["bare"] or row["unknown"]] == []


def test_lots_of_one_name_are_one_row(sell_inputs):
    inputs, _ = given_by("pass")
    lots = [{"ticker": "990040", "quantity": 300}, {"ticker": "990040", "quantity": 500}]
    others = [one for one in inputs["account_snapshot"]["holdings"] if one["ticker"] != "990040"]
    inputs["account_snapshot"]["holdings"] = [*lots, *others]
    assert build(inputs) == sell_inputs


def test_an_account_that_holds_nothing_has_no_rows():
    inputs, _ = given_by("pass")
    inputs["account_snapshot"]["holdings"] = []
    made = build(inputs)
    assert (made["holdings"], made["imports"]) == ([], [])


def test_a_roadmap_without_the_gap_is_one_sentence():
    inputs, _ = given_by("pass")
    inputs["data_gaps_roadmap"] = {"gaps": []}
    with pytest.raises(NoGap, match="the feed short_balance and the consumer qualitative_sell_inputs"):
        build(inputs)


FIELDS = {
    "short_balance": ["balance_ratio"],
    "etf_nav": ["premium_percent", "nav", "close", "tracking_error_percent", "aum"],
}


@st.composite
def poison(draw):
    """A fact that nobody could know on 18 November 2026: of a later day of use, or a later version."""
    feed = draw(st.sampled_from(sorted(FIELDS)))
    later = draw(st.booleans())
    return {
        "feed": feed,
        "ticker": draw(st.sampled_from(["990040", "990210", "990380", "9900M0"])),
        "session": draw(st.sampled_from(["2026-11-02", "2026-11-13", "2026-11-18", "2026-11-19", "2026-11-20"])),
        "field": draw(st.sampled_from(FIELDS[feed])),
        "value": draw(st.sampled_from([None, "6.66", "0"])),
        "note": draw(st.sampled_from(["", "blank", "banned"])),
        "file": "poison.csv",
        "digest": "sha256:" + "6" * 64,
        "row": 666,
        "available_from": "2026-11-19" if later else draw(st.sampled_from(["2026-11-19", "2026-12-01"])),
        "imported_at": draw(st.sampled_from(["2026-11-10T00:00:00+00:00", "2026-12-01T00:00:00+00:00"])),
        "version": draw(st.integers(1, 4)),
    }


@given(st.lists(poison(), min_size=1, max_size=20))
def test_facts_of_later_days_change_nothing(facts):
    inputs, right = given_by("pass")
    inputs["manual_facts"] = [*inputs["manual_facts"], *facts]
    assert build(inputs) == right


@given(st.sampled_from(["0.5", None]), st.integers(3, 9))
def test_a_correction_of_tomorrow_changes_nothing(value, version):
    inputs, right = given_by("pass")
    late = {"value": value, "imported_at": "2026-11-19T00:00:00+00:00", "file": "poison.csv", "note": "blank"}
    corrections = [row | late | {"version": row["version"] + version} for row in inputs["manual_facts"]]
    inputs["manual_facts"] = [*inputs["manual_facts"], *corrections]
    assert build(inputs) == right


def test_a_list_of_a_later_day_tells_no_kind():
    inputs, _ = given_by("pass")
    inputs["listing_import"]["as_of"] = "2026-11-19"
    made = build(inputs)
    assert made["listing"] is None
    assert {row["kind"] for row in made["holdings"]} == {"unknown", "etf"}
    assert made["imports"][-1] == {"feed": "listing", "why": "no_list", "tickers": ["990040", "9900M0", "990210"]}


# The packet for signature.


@pytest.fixture(scope="module")
def packet_inputs():
    named = {path.stem[3:]: path for path in (ROOT / "spec").glob("*.yaml")}
    specs = {name: yaml.safe_load(path.read_text(encoding="utf-8")) for name, path in named.items()}
    account = specs["accounts"]["accounts"][0]
    return {"account_snapshot": account, "spec_values": specs, "calibration": specs["calibration"]}


@pytest.fixture(scope="module")
def packet(packet_inputs):
    return unit("snapshot_admin_approval_packet").build(**packet_inputs)


def test_the_packet_of_the_shipped_specs_fits_its_schema(packet):
    file = ROOT / "spec/schemas/snapshot_admin_approval_packet_v1.schema.json"
    assert schemas.validate(json.loads(file.read_text(encoding="utf-8")), packet) == []
    rows = origins.coverage(
        "packet",
        packet,
        unit("snapshot_admin_approval_packet").ORIGINS,
        ["account_snapshot", "spec_values", "calibration"],
    )
    assert [row["pointer"] for row in rows if row["bare"] or row["unknown"]] == []
    assert packet["settings"][0]["spec"] == "desk"
    strategy_and_limits = {"hsms", "next_open", "costs", "universe_rules", "quality_limits", "evaluation_bar"}
    assert strategy_and_limits <= {part["spec"] for part in packet["settings"]}


def test_every_value_of_a_setting_stands_in_the_packet_once(packet, packet_inputs):
    for part in packet["settings"]:
        spec = packet_inputs["spec_values"][part["spec"]]
        in_order = json.loads(canonical.dumps(spec))
        right = [f"{part['spec']}:{at}" for at, _ in pointers.walk(in_order)]
        assert [line["place"] for line in part["lines"]] == right
        for line in part["lines"]:
            value = pointers.get(spec, line["place"].partition(":")[2])
            words = {"True": "yes", "False": "no", "None": "(none)", "[]": "(empty)", "{}": "(empty)"}
            assert line["value"] == words.get(str(value), str(value))


def test_a_signature_holds_while_nothing_signed_changes(packet, packet_inputs):
    other = {**packet_inputs, "spec_values": packet_inputs["spec_values"] | {"reports": {"reports": {}}}}
    assert unit("snapshot_admin_approval_packet").build(**other) == packet
    specs = json.loads(json.dumps(packet_inputs["spec_values"]))
    specs["next_open"]["limits"]["max_positions"] += 1
    changed = unit("snapshot_admin_approval_packet").build(**packet_inputs | {"spec_values": specs})
    assert changed["settings_digest"] != packet["settings_digest"]
    assert changed["account_digest"] == packet["account_digest"]
