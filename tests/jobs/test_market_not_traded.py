"""A desk of New York: nobody has rules for prices there, so its plan has every signal, no order and green gates."""

import csv
import json
from datetime import date, timedelta

import pytest

from quantassay.harness import rooms
from quantassay.jobs import desk as jobs_desk

AS_OF = "2020-12-11T17:00:00-05:00"
LAST = date(2020, 12, 11)
GATES = (
    *("plan_rederived", "followed_signals_rederived", "entry_check_rederived", "entries_within_caps"),
    *("price_on_tick_and_inside_limit", "buys_within_cash", "position_and_value_caps", "sells_within_holdings"),
    *("signal_bar_age", "corporate_action_block", "plan_for_right_session", "no_disputed_session", "artifact_schema"),
    *("one_order_per_name_and_side", "quantities_integral", "signals_rederived", "origins_complete"),
)
HELD = """
  - id: dollars
    environment: paper
    currency: USD
    as_of: "2020-12-11T16:30:00-05:00"
    cash: "1234.56"
    holdings:
      - {ticker: "DROP", quantity: "0.5", average_price: "100.25"}
      - {ticker: "BRK.B", quantity: 3, average_price: "90"}
"""
STOP = '\n  - {ticker: "DROP", entry_date: "2020-11-02", stop_override: "99.5"}\n'


def bars(folder, ticker, prices):
    """A file of daily bars, one each weekday that is a session, the last of LAST."""
    holidays = {date(2020, 11, 26), date(2020, 9, 7), date(2020, 7, 3), date(2020, 5, 25), date(2020, 4, 10)}
    days = [LAST - timedelta(back) for back in range(1000)]
    days = [day for day in days if day.weekday() < 5 and day not in holidays and day > date(2020, 2, 17)]
    with (folder / f"{ticker}.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Date", "Open", "High", "Low", "Close", "Volume"])
        for number, day in enumerate(reversed(days)):
            price = prices(number)
            rows.writerow(
                [day.isoformat(), f"{price:.2f}", f"{price + 1:.2f}", f"{price - 1:.2f}", f"{price:.2f}", 10**6]
            )


@pytest.fixture
def york(new_desk):
    source = new_desk.root.parent / "bars"
    source.mkdir()
    bars(source, "DROP", lambda number: 120 - number / 10)
    bars(source, "BRK.B", lambda number: 90 + number / 10)
    bars(source, "FLAT", lambda number: 50 + number % 3)
    for file, old, new in (
        ("10_desk", "market: XKRX", "market: XNYS"),
        ("17_next_open", 'follow: "hsms"', 'follow: "daily"'),
    ):
        path = new_desk.root / f"spec/{file}.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
    for file, more in (("20_accounts", HELD), ("21_holdings", STOP)):
        path = new_desk.root / f"spec/{file}.yaml"
        path.write_text(path.read_text(encoding="utf-8").rstrip() + more, encoding="utf-8")
    assert new_desk.run("import", "bars", source, "--market", "XNYS").code == 0
    said = new_desk.run("build", "next_open_plan", "--as-of", AS_OF)
    assert said.code == 0, said.err
    return new_desk


def test_the_plan_has_every_signal_and_no_order_and_its_gates_are_green(york):
    inputs = jobs_desk.built(york.root)
    plan = inputs.value("next_open_plan")
    assert plan["orders"] == []
    assert [(row["ticker"], row["code"]) for row in plan["skipped"] if row["side"] == "sell"] == [
        ("DROP", "market_not_traded")
    ]
    assert plan["plan_id"] == "XNYS-2020-12-14-dollars-hybrid"
    assert (plan["account"]["currency"], plan["budget"]["cash_before"], plan["budget"]["positions_before"]) == (
        *("USD", "1234.56"),
        2,
    )
    session = inputs.value("next_session")
    assert {session[name] for name in ("price_kind", "fee_bps", "slippage_bps", "sell_tax_bps")} == {None}
    for name in GATES:
        unit = inputs.rooms.validators[name]
        judged = list(rooms.load(unit).check(**{one: inputs.value(one) for one in unit.parameters}))
        assert [(name, one.pointer, one.says) for one in judged if not one.ok] == []
    legal = {row["gate"] for row in inputs.value("gates")["zero_legal"]}
    assert {"one_order_per_name_and_side", "sells_within_holdings", "quantities_integral"} <= legal
    assert json.dumps(plan, ensure_ascii=False).count("market_not_traded") >= 1
