"""The plan's report says every order, every reason and every skipped name, and each of its numbers can be traced."""

import json
from pathlib import Path

import pytest
import yaml

from quantassay.harness import formats, render, trace

ROOT = Path(__file__).parents[2]
FILE = "renderers/next_open_plan.md.j2"
SCHEMA = json.loads((ROOT / "spec/schemas/next_open_plan_v1.schema.json").read_text(encoding="utf-8"))
CASE = json.loads((ROOT / "tests/validators/plan_rederived/pass.json").read_text(encoding="utf-8"))["parameters"]
DAILY = json.loads((ROOT / "tests/validators/plan_rederived/pass_daily.json").read_text(encoding="utf-8"))["parameters"]
UNTRADED = json.loads(
    (ROOT / "tests/validators/plan_rederived/pass_market_not_traded.json").read_text(encoding="utf-8")
)
FOLLOWED = ROOT / "tests/validators/followed_signals_rederived/pass.json"
UNIVERSE = json.loads((ROOT / "tests/validators/universe_rederived/pass.json").read_text(encoding="utf-8"))[
    "parameters"
]
HISTORY = {"rows": 22, "columns": {}, "key": ["ticker", "session"], "digest": f"sha256:{'0123' * 16}"}
CODES = SCHEMA["properties"]["skipped"]["items"]["properties"]["code"]["enum"]
SIGNALS = json.loads((ROOT / "spec/schemas/signals_v1.schema.json").read_text(encoding="utf-8"))
CONDITIONS = SIGNALS["properties"]["names"]["items"]["properties"]["because"]["items"]["enum"]


def envelope(name, data):
    return {"artifact": name, "version": 1, "as_of": "2026-11-18T15:45:00+09:00", "marks": ["SAMPLE"], "data": data}


def page(case=CASE, **changes):
    """The page of the plan of a gate's case, with members of the plan replaced; it must trace."""
    values = {
        "next_open_plan": case["next_open_plan"] | changes,
        "followed_signals": case["followed_signals"],
        "signals": json.loads(FOLLOWED.read_text(encoding="utf-8"))["parameters"]["signals"],
        "next_session": case["next_session"],
        "universe": UNIVERSE["universe"],
        "signal_history": HISTORY,
    }
    envelopes = {name: envelope(name, data) for name, data in values.items()}
    settings = yaml.safe_load((ROOT / "spec/90_reports.yaml").read_text(encoding="utf-8"))
    report = trace.report_of("next_open_plan", settings)
    made = render.render(report, FILE, (ROOT / FILE).read_text(encoding="utf-8"), envelopes)
    assert trace.check(made.markdown, made.trace, envelopes, report, made.images) == []
    return made.markdown


def skipped(code, **changes):
    row = {"ticker": "990040", "name": "Sample Dogwood", "side": "buy", "doubts": [], "wanted": None, "allowed": None}
    return row | {"code": code} | changes


def test_orders_stand_in_their_order_with_their_reasons():
    lines = page().splitlines()
    sell = next(
        i for i, line in enumerate(lines) if line.startswith("| 1 | SELL | 990020 | Sample Birch | 30 | 17,100 |")
    )
    assert lines[sell + 1].startswith("| 2 | BUY | 990010 | Sample Alder | 138 | 10,810 | 1,491,780 | 10,500 |")
    assert any(
        line.startswith("- SELL 990020 Sample Birch by `hsms2 sell`: it closed too far below its mean, its momentum")
        for line in lines
    )


def test_a_plan_without_orders_says_so():
    text = page(orders=[], skipped=[], buy_signals=[], sell_signals=[])
    assert "No signal led to an order." in text
    assert "| none | | | |" in text
    assert "which need no order: none.\n" in text


@pytest.mark.parametrize("code", [code for code in CODES if code != "not_held"])
def test_every_reason_against_an_order_has_its_words(code):
    text = page(skipped=[skipped(code, wanted=7_000_001, allowed=6_000_002, doubts=["halted"])])
    (row,) = [line for line in text.splitlines() if line.startswith("| BUY | 990040 | Sample Dogwood |")]
    assert len(row.split("|")[4].strip()) > 10


def test_names_that_are_not_held_stand_together():
    both = [skipped("not_held", ticker=ticker, side="sell") for ticker in ("990040", "9900A0")]
    assert "which need no order: 990040 Sample Dogwood,\n 9900A0 Sample Dogwood.\n" in page(skipped=both)


def test_numbers_against_an_order_are_told():
    assert "it needs 1,500,403 KRW, and -5 KRW are left" in page(
        skipped=[skipped("cash", wanted=1_500_403, allowed=-5)]
    )
    assert "155 shares, and the usual volume allows 29" in page(
        skipped=[skipped("turnover_share", wanted=155, allowed=29)]
    )


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_has_its_words(condition):
    order = CASE["next_open_plan"]["orders"][1]
    text = page(orders=[order | {"reason": order["reason"] | {"because": [condition]}}])
    (line,) = [line for line in text.splitlines() if line.startswith("- BUY 990010")]
    assert line.partition(":")[2].partition(".")[0].strip()


def test_unknown_figures_of_a_sell_are_a_dash():
    order = CASE["next_open_plan"]["orders"][0]
    unknown = order["reason"] | dict.fromkeys(("close_average", "volume_average", "foreign_sum"))
    text = page(orders=[order | {"reason": unknown}])
    shown = "momentum -1,100; volume 200,000, mean {0}; foreigners bought net {0} shares."
    assert f"Close 19,000, mean {{0}}; {shown}".format(formats.NOTHING) in text


def test_a_plan_of_the_daily_signals_names_rule_codes_and_the_open():
    text = page(DAILY)
    assert "- SELL 990020 Sample Birch by `daily sell`: cross_down, rsi_low.\n" in text
    line = "- BUY 990010 Sample Alder by `hybrid buy`: pullback, volume_confirmed. It is to be sent only if the session"
    assert f"{line} opens from 10,201 to 10,710.\n" in text
    assert (
        "| 990010 | Sample Alder | 2026-11-18 | buy | pullback, volume_confirmed | clear | \N{EN DASH} | 10,500 |"
        in text
    )
    assert "the candidates of `hybrid`" in text


def test_a_plan_of_hsms_has_nothing_of_the_daily_signals():
    text = page()
    assert "entry check" not in text
    assert "lowest open" not in text.lower()


def test_a_market_without_rules_for_prices_says_so_in_its_own_money():
    text = page(UNTRADED["parameters"])
    assert "Its 0 orders are for the session" in text
    assert "| Cash | 1,234.56 USD |" in text
    assert "Nothing says what a price of this market may be" in text
    assert "Fee, in basis points" not in text
    assert "Most for one buy" not in text
    assert "| BUY | 990010 | Sample Alder | nothing says what a price of this market may be" in text
