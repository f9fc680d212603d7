"""The page of the buy signals leaves out no name, says why in words, and each of its numbers can be traced."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml

from quantassay.harness import render, trace

ROOT = Path(__file__).parents[2]
FILE = "renderers/buy_signals.md.j2"
SOURCE = (ROOT / FILE).read_text(encoding="utf-8")
CASE = json.loads((ROOT / "tests/validators/hybrid_rederived/pass.json").read_text(encoding="utf-8"))["parameters"]
PARTS = json.loads((ROOT / "spec/schemas/buy_signals_v1.schema.json").read_text(encoding="utf-8"))["properties"]
CODES = PARTS["appendix"]["items"]["properties"]["code"]["enum"]
REASONS = PARTS["candidates"]["items"]["properties"]["reasons"]["items"]["properties"]["code"]["enum"]
ISSUES = PARTS["benchmark"]["properties"]["issue"]["anyOf"][1]["enum"]
SYSTEM = CODES[: CODES.index("price_floor")]
NOBODY = {"candidates": [], "appendix": []}
# Outcomes that a rule does not have.
NEVER = {"ema_cross": ("no_turnover", "no_pattern"), "hybrid": ("no_cross", "no_rebound", "overbought", "not_rising")}
UNIVERSE = {"source": "imported", "session": "2026-11-18", "names": CASE["universe"]["names"]}


def rendered(signals, source=SOURCE):
    data = {"buy_signals": signals, "universe": UNIVERSE}
    envelopes = {
        name: {"artifact": name, "version": 1, "as_of": "2026-11-18T15:45:00+09:00", "marks": [], "data": value}
        for name, value in data.items()
    }
    report = trace.report_of("buy_signals", yaml.safe_load((ROOT / "spec/90_reports.yaml").read_text(encoding="utf-8")))
    made = render.render(report, FILE, source, envelopes)
    return made, trace.check(made.markdown, made.trace, envelopes, report, made.images)


def page(**changes):
    made, problems = rendered(copy.deepcopy(CASE["buy_signals"]) | changes)
    assert problems == []
    return made.markdown


def test_every_candidate_has_a_row_a_section_and_a_chart():
    made, problems = rendered(CASE["buy_signals"])
    assert problems == []
    lines = made.markdown.splitlines()
    for row in CASE["buy_signals"]["candidates"]:
        begin = f"| {row['ticker']} | {row['name']} | {row['state']} | "
        assert sum(line.startswith(begin) for line in lines) >= 1
        assert f"### {row['ticker']} {row['name']}: `{row['strategy']}`, {row['state']}" in lines
        assert f"buy_signals_v1.{row['chart_id']}.svg" in made.images
        assert "Marked is 2026-11-18" in made.images[f"buy_signals_v1.{row['chart_id']}.svg"].decode()
    assert len(made.images) == len(CASE["buy_signals"]["candidates"])


def test_the_page_says_which_session_and_which_close_decided():
    text = page()
    assert "Evaluated are the bars of **2026-11-18**, the latest session of XKRX that is over." in text
    row = CASE["buy_signals"]["candidates"][0]
    assert f"Last close {float(row['close']):,.0f} KRW on 2026-11-18, adjusted prices" in text
    assert "Vol(5d)" not in text
    assert "Mean turnover of a day" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("for one in buy_signals.candidates %}", 'for one in buy_signals.candidates if one.pattern == "breakout" %}'),
        ('if row.kind == "system" %}', 'if row.kind == "system" and row.code == "blocked" %}'),
        ('row.kind == "signal" and row.code == group.code', 'row.kind == "signal" and row.code == "fund"'),
    ],
)
def test_a_page_that_leaves_out_a_name_does_not_pass(old, new):
    assert old in SOURCE
    _, problems = rendered(CASE["buy_signals"], SOURCE.replace(old, new))
    assert problems
    assert all("the page leaves out" in problem.says for problem in problems)


def test_a_day_without_candidates_says_so():
    text = page(**NOBODY)
    assert text.count("| no candidates |") == 2
    assert "There are no candidates." in text
    assert "| none | | | | | |" in text


@pytest.mark.parametrize("strategy", ["ema_cross", "hybrid"])
def test_every_reason_against_a_name_has_its_words(strategy):
    codes = [code for code in CODES if code not in NEVER[strategy]]
    rows = []
    for number, code in enumerate(codes):
        row = copy.deepcopy(CASE["buy_signals"]["appendix"][0])
        row |= {"kind": "system" if code in SYSTEM else "signal", "code": code, "codes": [code], "strategy": strategy}
        row |= {"value": "12.5", "threshold": "20", "reasons": ["halted"]}
        rows.append(row | {"ticker": f"9906{number:02d}", "name": f"Sample {code}"})
    totals = copy.deepcopy(CASE["buy_signals"]["totals"])
    totals["ema_cross"]["signal_codes"] = totals["hybrid"]["signal_codes"] = []
    totals[strategy]["signal_codes"] = [{"code": code, "names": 1} for code in codes if code not in SYSTEM]
    lines = page(candidates=[], appendix=rows, totals=totals).splitlines()
    for row in rows:
        (line,) = [line for line in lines if row["ticker"] in line]
        told = line.split("|")[5:7] if row["kind"] == "system" else [re.split("[,;]", line)[1]]
        assert all(len(words.strip()) > 6 for words in told), line


def test_every_reason_for_a_candidate_has_its_words():
    row = copy.deepcopy(CASE["buy_signals"]["candidates"][0])
    row["reasons"] = [{"code": code, "value": "12.5", "threshold": "20"} for code in REASONS]
    lines = page(candidates=[row], appendix=[]).splitlines()
    at = lines.index("| What speaks for it | Seen | Asked |")
    told = lines[at + 2 : at + 2 + len(REASONS)]
    assert all(re.fullmatch(r"\| [A-Z].{9,} \| \S+ \| \S+ \|", line) for line in told), told
    assert len({line.split("|")[1] for line in told}) == len(REASONS)


@pytest.mark.parametrize("issue", ISSUES)
def test_a_benchmark_in_doubt_is_told_with_what_to_do(issue):
    benchmark = CASE["buy_signals"]["benchmark"] | {"issue": issue, "close": None, "mean": None, "above": None}
    text = page(**NOBODY, benchmark=benchmark | {"effect": "warn"})
    assert "nobody gets a point for strength" in text
    assert "Whether the market is strong is not known. Candidates stand all the same" in text


def test_a_weak_market_that_blocks_is_told():
    benchmark = CASE["buy_signals"]["benchmark"] | {"above": False, "effect": "block"}
    assert "The market is **weak**: not above its mean. That holds every candidate back." in page(
        **NOBODY, benchmark=benchmark
    )


def test_won_stand_in_brackets_only_with_a_rate():
    rate = {"currency": "USD", "rate": "1465.20", "date": "2026-11-17", "source": "A bank"}
    row = CASE["buy_signals"]["candidates"][0] | {"raw_close_won": 14652000}
    text = page(currency="USD", fx=rate, candidates=[row], appendix=[])
    assert "Won in brackets: 1,465.20 KRW for one USD on 2026-11-17, by A bank." in text
    assert "USD (14,652,000 KRW)." in text
    assert "nothing is shown in won" in page(**NOBODY, currency="USD")
    assert "in won" not in page(**NOBODY)


def test_a_candidate_without_guard_or_trigger_says_what_that_means():
    rows = [row for row in CASE["buy_signals"]["candidates"] if row["strategy"] == "hybrid"]
    text = page(
        candidates=[rows[0] | {"guard": None, "trigger": None, "alignment": "tight_stop", "warnings": ["thin"]}]
    )
    assert "There is no guard for the next open, so a person must look" in text
    assert "there is no price to enter at yet" in text
    assert "A usual day is wider than the widest stop." in text
    assert "Its data carry a warning: thin." in text
