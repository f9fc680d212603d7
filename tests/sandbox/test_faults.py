"""Every fault, seen from the client's side and in the books; and plans that are wrong."""

import re
import time
from pathlib import Path

import pytest
import requests

from quantassay.harness.problems import SpecErrors
from quantassay.kis.rehearsal import ACCOUNT
from quantassay.sandbox.calls import GROUPS, NAMES
from quantassay.sandbox.faults import ALWAYS, KINDS, BadFault, Fault, NoPlan, nth, plan_of, read_plan
from tests.fakes.practice import practice_exchange
from tests.sandbox.conftest import PRICES


@pytest.fixture
def struck(server, caller, clock):
    """Begin anew with these faults, for a client that waits a moment only."""

    def begin(*faults, **changed):
        told = {"cash": 10_000_000, "holdings": {"990020": (30, 48_000)}, **changed}
        server.reset(practice_exchange(clock, PRICES, **told), faults)
        return caller

    return begin


def buy(caller, timeout=5):
    return caller.order("buy", "990010", 10, 10_000, timeout=timeout)


@pytest.mark.parametrize(
    ("do", "booked", "seen"),
    [
        ("timeout_before", 0, requests.ReadTimeout),
        ("timeout_after", 1, requests.ReadTimeout),
        ("reset_before", 0, requests.ConnectionError),
        ("reset_after", 1, requests.ConnectionError),
        ("http_500_body", 0, "EGW00002"),
        ("http_500_empty", 0, None),
        ("http_500_after", 1, "EGW00002"),
        ("http_500_empty_after", 1, None),
        ("gateway_timeout_before", 0, "EGW00301"),
        ("gateway_timeout_after", 1, "EGW00301"),
        ("rate_limited", 0, "EGW00201"),
        ("ledger_limited", 0, "EGW00215"),
        ("token_revoked", 0, "EGW00121"),
        ("token_expired", 0, "EGW00123"),
        ("maintenance", 0, "EGW00001"),
        ("refused", 0, "40910000"),
        ("rejected", 1, "40600000"),
        ("late_accept", 0, requests.ReadTimeout),
        ("late_fill", 1, "40600000"),
        ("partial_fill", 1, "40600000"),
        ("broken_body_after", 1, requests.JSONDecodeError),
        (None, 1, "40600000"),
    ],
)
def test_what_a_client_sees_and_what_is_booked_are_two_things(struck, server, do, booked, seen):
    caller = struck(*([Fault("buy", do)] if do else []))
    if isinstance(seen, type):
        with pytest.raises(seen):
            buy(caller, 0.1 if seen is requests.ReadTimeout else 5)
    else:
        body = buy(caller).body
        assert (body and body["msg_cd"]) == seen
    assert len(server.exchange.orders(ACCOUNT)) == booked
    assert server.requests[-1].faults == ((do,) if do else ())
    caller.log_in()


def test_every_kind_of_fault_is_tried():
    tried = {"slow", "duplicate_row", "repeated_page", "page_2_fails", "empty_fills", "lagging_holdings"}
    marks = test_what_a_client_sees_and_what_is_booked_are_two_things.pytestmark
    assert tried | {row[0] for row in marks[0].args[1]} - {None} == set(KINDS)


def test_a_late_order_is_booked_some_requests_later(struck, server):
    caller = struck(Fault("buy", "late_accept", requests=2, answer="http_500_empty"))
    assert buy(caller).status == 500
    caller.price("990010")
    assert server.exchange.orders(ACCOUNT) == ()
    assert caller.day_orders().body["output1"][0]["tot_ccld_qty"] == "10"


@pytest.mark.parametrize(("do", "at_once"), [("late_fill", 0), ("partial_fill", 4)])
def test_the_rest_of_an_order_is_filled_some_requests_later(struck, server, do, at_once):
    caller = struck(Fault("buy", do, requests=2, shares=at_once or None))
    buy(caller)
    assert [one.filled for one in server.exchange.orders(ACCOUNT)] == [at_once]
    caller.price("990010")
    caller.price("990010")
    (order,) = server.exchange.orders(ACCOUNT)
    assert [fill.quantity for fill in order.fills] == [n for n in (at_once, 10 - at_once) if n]


def test_a_partial_fill_without_a_later_one_leaves_the_rest_to_be_cancelled(struck, server):
    caller = struck(Fault("buy", "partial_fill"))
    number = buy(caller).body["output"]["ODNO"]
    for _ in range(5):
        caller.price("990010")
    assert caller.cancel(number).body["rt_cd"] == "0"
    original = server.exchange.orders(ACCOUNT)[0]
    assert (original.filled, original.cancelled) == (1, 9)


def test_a_late_cancel_is_done_later_too(struck, server):
    caller = struck(Fault("cancel", "late_accept", answer="http_500_body"))
    number = caller.order("buy", "990010", 1, 9_000).body["output"]["ODNO"]
    assert caller.cancel(number).status == 500
    assert server.exchange.orders(ACCOUNT)[0].is_live
    caller.price("990010")
    caller.price("990010")
    assert server.exchange.orders(ACCOUNT)[0].cancelled == 1


def test_an_order_that_the_exchange_rejects_is_listed_as_rejected(struck):
    caller = struck(Fault("sell", "rejected"))
    caller.order("sell", "990020", 5, 50_000)
    (row,) = caller.day_orders().body["output1"]
    assert (row["rjct_qty"], row["rmn_qty"], row["tot_ccld_qty"]) == ("5", "0", "0")
    assert caller.balance().body["output1"][0]["ord_psbl_qty"] == "30"


def test_a_refusal_can_say_another_code(struck):
    body = buy(struck(Fault("order", "refused", code="40250000", text="no"))).body
    assert (body["rt_cd"], body["msg_cd"], body["msg1"]) == ("1", "40250000", "no")


def test_maintenance_lasts_some_requests_and_takes_all_tokens(struck):
    caller = struck(Fault("any", "maintenance", requests=2))
    assert [caller.price("990010").body["msg_cd"] for _ in range(3)] == ["EGW00001", "EGW00001", "EGW00121"]
    before = caller.token
    caller.log_in()
    assert caller.token != before
    assert caller.price("990010").body["rt_cd"] == "0"


def test_rows_can_be_missing_while_the_totals_are_right(struck):
    caller = struck(Fault("day_orders", "empty_fills", nth(2), requests=2))
    buy(caller)
    seen = [caller.day_orders().body for _ in range(4)]
    assert [len(body["output1"]) for body in seen] == [1, 0, 0, 1]
    assert {body["output2"]["tot_ccld_qty"] for body in seen} == {"10"}
    assert [body["msg_cd"] for body in seen][1:3] == ["70070000"] * 2
    caller = struck(Fault("day_orders", "empty_fills"))
    buy(caller)
    assert [len(caller.day_orders().body["output1"]) for _ in range(5)] == [0] * 5


def test_holdings_can_lag_behind_the_fills(struck):
    caller = struck(Fault("balance", "lagging_holdings", requests=2, fills=1))
    caller.order("buy", "990030", 3, 1_500)
    buy(caller)
    seen = [caller.balance().body for _ in range(3)]
    assert [[row["pdno"] for row in body["output1"]] for body in seen] == [
        ["990020", "990030"],
        ["990020", "990030"],
        ["990020", "990030", "990010"],
    ]
    assert seen[1]["output2"][0]["prvs_rcdl_excc_amt"] != seen[2]["output2"][0]["prvs_rcdl_excc_amt"]


def test_pages_can_fail_repeat_or_hold_a_row_twice(struck, server, clock):
    many = {f"99{n:04d}": 10_000 for n in range(45)}
    held = dict.fromkeys(many, (1, 9_000))

    def begin(do, at):
        server.reset(practice_exchange(clock, many, holdings=held), [Fault("balance", do, at)])
        return server

    caller = struck()
    begin("page_2_fails", nth(2))
    first = caller.balance().body
    second = caller.balance(follows=True, key=first["ctx_area_nk100"]).body
    assert caller.balance(follows=True, key=second["ctx_area_nk100"]).status == 500
    begin("duplicate_row", nth(1))
    rows = [row["pdno"] for row in caller.balance().body["output1"]]
    assert rows[-1] == rows[-2]
    begin("repeated_page", ALWAYS)
    caller.balance()
    again = caller.balance(follows=True, key=first["ctx_area_nk100"])
    assert (again.body["output1"], again.headers["tr_cont"]) == (first["output1"], "F")


def test_a_slow_answer_comes_and_one_name_can_be_meant(struck):
    caller = struck(Fault("buy", "slow", ticker="990030", seconds=0.3))
    begun = time.monotonic()
    buy(caller)
    quick, begun = time.monotonic() - begun, time.monotonic()
    assert caller.order("buy", "990030", 1, 1_500).body["rt_cd"] == "0"
    assert time.monotonic() - begun >= 0.3 > quick


def test_the_nth_request_of_a_call_is_meant(struck):
    rows = "[{at: price, nth: 2, do: http_500_body}, {at: price, nth: '4-5', do: rate_limited}]"
    caller = struck(
        *plan_of("plan.yaml", rows), *plan_of("plan.json", '[{"at": "any", "nth": "7-", "do": "rejected"}]')
    )
    assert [caller.price("990010").status for _ in range(6)] == [200, 500, 200, 500, 500, 200]
    buy(caller)
    assert caller.server.exchange.orders(ACCOUNT)[0].rejected == 10
    assert [one.do for one in caller.server.practice.strikes.struck] == [
        "http_500_body",
        "rate_limited",
        "rate_limited",
        "rejected",
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{at: buys, do: slow, seconds: 1}", "2:4: `at` must name a call: order, cancel"),
        ("{at: buy, do: explode}", "2:13: `do` must name a fault: timeout_before"),
        ("{at: buy}", "2:3: `do` must name a fault"),
        ("{at: balance, do: rejected}", "2:4: rejected can happen at buy, sell, not at balance"),
        ("{at: buy, do: rejected, nth: 0}", "2:27: 'nth' must be a number from 1 on, a list of them"),
        ("{at: buy, do: rejected, nth: '5-3'}", "2:27: 'nth' must be a number"),
        ("{at: buy, do: rejected, nth: [1, -2]}", "2:27: 'nth' must be a number"),
        ("{at: buy, do: rejected, shares: 3}", "2:27: rejected takes no 'shares'"),
        ("{at: buy, do: partial_fill, shares: 0}", "2:31: 'shares' must be a whole number from 1 on"),
        ("{at: buy, do: slow}", "2:13: slow must say 'seconds'"),
        ("{at: buy, do: slow, seconds: -1}", "2:23: 'seconds' must be a number above 0"),
        ("{at: buy, do: late_accept, answer: x}", "2:30: 'answer' must be one of timeout, reset"),
        ("{at: buy, do: rejected, ticker: 5930}", "2:27: 'ticker' must be a text; write it in quotes"),
        ("{at: buy, do: rejected, wenn: 1}", "2:27: a fault has no 'wenn'; it has at, nth"),
        ("buy", "2:3: a row is a mapping like"),
        ("{at: buy, at: buy, do: rejected}", "2:13: the key 'at' stands twice"),
    ],
)
def test_each_mistake_of_a_plan_is_one_sentence_with_its_line(row, says):
    with pytest.raises(SpecErrors) as caught:
        plan_of("plan.yaml", f"# a plan\n- {row}\n")
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"plan.yaml:{says}"), str(problem)


def test_a_plan_is_a_list_and_all_its_mistakes_are_told(tmp_path):
    with pytest.raises(SpecErrors, match=r"plan.yaml:1:1: a plan is a list of rows"):
        plan_of("plan.yaml", "at: buy\n")
    with pytest.raises(SpecErrors) as caught:
        plan_of("plan.yaml", "- {at: x, do: slow, seconds: 1}\n- {at: buy, do: zap}\n")
    assert [problem.line for problem in caught.value.problems] == [1, 2]
    with pytest.raises(NoPlan, match="No such file"):
        read_plan(tmp_path / "none.yaml")
    (tmp_path / "plan.yaml").write_text("- {at: order, nth: all, do: refused}\n")
    assert read_plan(tmp_path / "plan.yaml") == (Fault("order", "refused", ALWAYS),)


def test_a_fault_made_in_code_is_judged_as_one_in_a_file():
    with pytest.raises(BadFault, match="rejected can happen at buy, sell, not at price"):
        Fault("price", "rejected")
    with pytest.raises(BadFault, match="takes no 'shares'"):
        Fault("buy", "rejected", shares=3)


def test_the_page_tells_every_fault_and_every_call():
    page = (Path(__file__).parents[2] / "docs/sandbox.md").read_text(encoding="utf-8")
    told = {
        name for cell in re.findall(r"^\| (`[^|]+`) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)
    }
    assert set(KINDS) <= told
    calls = set(re.findall(r"`(\w+)`", re.search(r"^\| `at` \|(.*)$", page, re.MULTILINE)[1]))
    assert calls == {*NAMES, *GROUPS}
    shown = re.search(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]
    assert len(plan_of("plan.yaml", shown)) == 3
