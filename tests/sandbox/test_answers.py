"""Keys, widths and letters of the answers, beside payloads of the real servers where those lie."""

import json
import re
from datetime import timedelta

import pytest

from quantassay.kis.rehearsal import ACCOUNT
from quantassay.sandbox.accounts import Opening
from quantassay.sandbox.answers import orderable
from quantassay.sandbox.exchange import Costs, Exchange, Wish
from quantassay.sandbox.quotes import daily_chart, price
from quantassay.sandbox.tape import Bar, Name, Tape
from tests.fakes.practice import DAY, at, calendar, practice_exchange, practice_tape, rules
from tests.fakes.trading import FakeClock


def payload(shared, file, name):
    exchanges = json.loads((shared / "data/kis_payloads" / file).read_text())["exchanges"]
    return next(one["response"]["body"] for one in exchanges if one["name"] == name)


def shape(value):
    """The keys in their order, and for each text the kind of it: whole number, decimals, blanks at the end."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if not isinstance(value, str):
        return type(value).__name__
    if found := re.fullmatch(r"[-+]?\d+(?:\.(\d+))?", value):
        return f"number with {len(found[1] or '')} decimals"
    return f"text filled to {len(value)}" if value.endswith(" ") else "text"


def loosely(value):
    """A shape in which a blank, a date and a word are all text, and 0 has as many decimals as it likes."""
    text = json.dumps(shape(value), ensure_ascii=False)
    return json.loads(re.sub(r"number with \d decimals|text(?! filled)", "value", text))


def test_a_balance_has_the_form_of_the_virtual_servers(caller, server, shared):
    real = payload(shared, "02_inquire_balance.json", "page1")
    server.reset(practice_exchange(server.exchange.clock, many(21), holdings=dict.fromkeys(many(21), (3, 9_000))))
    answer = caller.balance()
    assert shape(answer.body) == {**shape(real), "output1": shape(answer.body)["output1"]}
    assert list(answer.body["output1"][0]) == list(real["output1"][0])
    row = shape(real["output1"][0])
    assert {**shape(answer.body["output1"][0]), "prdt_name": "text"} == {**row, "prdt_name": "text"}
    last = payload(shared, "02_inquire_balance.json", "page2_last")
    assert caller.balance(follows=True, key=answer.body["ctx_area_nk100"]).body["msg1"] == last["msg1"]


def test_an_empty_account_is_answered_as_by_the_virtual_server(caller, server, shared):
    server.reset(practice_exchange(server.exchange.clock, {"990010": 10_000}, cash=10_000_000))
    real = payload(shared, "02_inquire_balance.json", "empty_account")
    real["output2"][0]["bfdy_tot_asst_evlu_amt"] = "0"
    assert caller.balance().body == real


def test_orders_of_a_day_have_the_form_of_the_servers(caller, shared):
    real = payload(shared, "06_inquire_daily_ccld.json", "rows")
    caller.order("buy", "990010", 10, 10_000)
    body = caller.day_orders().body
    assert list(body["output1"][0]) == list(real["output1"][0])
    assert loosely(body["output1"][0]) == loosely(real["output1"][0])
    assert shape(body["output2"]) == shape(real["output2"])
    assert [len(body[key]) for key in ("ctx_area_fk100", "ctx_area_nk100", "msg1")] == [100, 100, 80]
    none = payload(shared, "06_inquire_daily_ccld.json", "virtual_rows_missing_totals_present")
    nothing = caller.day_orders(day="20261117").body
    assert (nothing["msg_cd"], nothing["msg1"], nothing["output1"]) == (none["msg_cd"], none["msg1"], [])
    assert nothing["ctx_area_fk100"] == none["ctx_area_fk100"].replace("20261008", "20261117")


def test_acknowledgements_and_refusals_are_word_for_word_those_of_the_virtual_server(caller, shared):
    accepted = payload(shared, "04_order_cash.json", "virtual_buy_accepted")
    body = caller.order("buy", "990010", 10, 9_000).body
    assert {**body, "output": shape(body["output"])} == {**accepted, "output": shape(accepted["output"])}
    assert body["output"]["KRX_FWDG_ORD_ORGNO"] == accepted["output"]["KRX_FWDG_ORD_ORGNO"]
    refused = payload(shared, "04_order_cash.json", "virtual_outside_price_limit")
    assert caller.order("buy", "990010", 10, 99_900).body == refused
    number = body["output"]["ODNO"]
    cancelled = payload(shared, "05_order_rvsecncl.json", "cancel_accepted")
    assert {**caller.cancel(number).body, "output": ""} == {**cancelled, "output": ""}
    assert caller.cancel(number).body == payload(shared, "05_order_rvsecncl.json", "nothing_left_to_cancel")


def test_quotes_have_the_fields_of_the_servers(caller, shared):
    real = payload(shared, "07_quotes_price_and_book.json", "inquire_price")
    body = caller.price("990010").body
    assert list(body["output"]) == list(real["output"])
    assert {key: body[key] for key in ("rt_cd", "msg_cd", "msg1")} == {
        key: real[key] for key in ("rt_cd", "msg_cd", "msg1")
    }
    unknown = payload(shared, "07_quotes_price_and_book.json", "inquire_price_unknown_symbol")
    assert caller.price("999999").body == unknown
    book = payload(shared, "07_quotes_price_and_book.json", "inquire_asking_price_exp_ccn")
    query = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "990010"}
    mine = caller.get("FHKST01010200", "/quotations/inquire-asking-price-exp-ccn", **query).body
    assert list(mine["output1"]) == list(book["output1"])
    assert list(mine["output2"]) == list(book["output2"])
    chart = payload(shared, "08_daily_itemchartprice.json", "five_bars")
    window = {"FID_INPUT_DATE_1": "20261101", "FID_INPUT_DATE_2": "20261118", "FID_PERIOD_DIV_CODE": "D"}
    mine = caller.get(
        "FHKST03010100", "/quotations/inquire-daily-itemchartprice", **query, **window, FID_ORG_ADJ_PRC="1"
    ).body
    assert list(mine["output1"]) == list(chart["output1"])
    assert list(mine["output2"][0]) == list(chart["output2"][0])


def test_an_orderable_amount_has_the_fields_of_the_virtual_server(caller, shared):
    real = payload(shared, "03_inquire_psbl_order.json", "market_order_capacity")
    mine = caller.orderable("990010", 0, "01")
    assert list(mine) == list(real["output"])
    assert mine["psbl_qty_calc_unpr"] == "13000"


def many(count):
    return {f"99{n:04d}": 10_000 for n in range(count)}


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 40, 50, 51])
def test_every_holding_stands_on_one_page_and_the_letters_say_how_many_pages_there_are(caller, server, count):
    held = {ticker: (n + 1, 9_000) for n, ticker in enumerate(many(count))}
    server.reset(practice_exchange(server.exchange.clock, many(60), holdings=held))
    pages = caller.pages(caller.balance)
    rows = [(row["pdno"], int(row["hldg_qty"])) for page in pages for row in page.body["output1"]]
    assert rows == [(ticker, shares) for ticker, (shares, _) in held.items()]
    assert "".join(page.headers["tr_cont"] for page in pages) == ["D", "D", "FD", "FMD"][-(-count // 20)]
    assert len({page.body["output2"][0]["tot_evlu_amt"] for page in pages}) == 1


def test_without_the_letter_for_more_the_first_page_comes_again(caller, server):
    held = dict.fromkeys(many(21), (1, 9_000))
    server.reset(practice_exchange(server.exchange.clock, many(30), holdings=held))
    first = caller.balance().body
    assert caller.balance(key=first["ctx_area_nk100"]).body["output1"] == first["output1"]


@pytest.mark.parametrize("newest_first", ["00", "01"])
def test_orders_come_fifteen_a_page_and_totals_are_those_of_the_day(caller, newest_first):
    numbers = [caller.order("buy", "990030", 1, 1_500).body["output"]["ODNO"] for _ in range(31)]
    pages = caller.pages(lambda **told: caller.day_orders(**told, INQR_DVSN=newest_first))
    assert [len(page.body["output1"]) for page in pages] == [15, 15, 1]
    listed = [row["odno"] for page in pages for row in page.body["output1"]]
    assert listed == (numbers if newest_first == "01" else numbers[::-1])
    assert {page.body["output2"]["tot_ord_qty"] for page in pages} == {"31"}


def test_orders_can_be_asked_for_by_side_name_and_fill(caller):
    caller.order("buy", "990010", 1, 10_000)
    caller.order("buy", "990030", 2, 1_400)
    caller.order("sell", "990020", 3, 50_000)

    def found(**asked):
        return [row["ord_qty"] for row in caller.day_orders(**asked).body["output1"]]

    assert found(SLL_BUY_DVSN_CD="01") == ["3"]
    assert found(SLL_BUY_DVSN_CD="02") == ["1", "2"]
    assert found(PDNO="990030") == ["2"]
    assert found(CCLD_DVSN="01") == ["1", "3"]
    assert found(CCLD_DVSN="02") == ["2"]


def test_the_totals_of_a_day_do_not_count_a_cancel_again(caller):
    number = caller.order("buy", "990030", 2, 1_400).body["output"]["ODNO"]
    caller.cancel(number)
    body = caller.day_orders().body
    rows = [(row["orgn_odno"], row["ord_qty"], row["cnc_cfrm_qty"], row["rmn_qty"]) for row in body["output1"]]
    assert rows == [("", "2", "2", "0"), (number, "2", "0", "0")]
    assert body["output2"]["tot_ord_qty"] == "2"


def test_quotes_say_no_more_than_is_known_at_the_instant():
    bars = {DAY - timedelta(days=1): Bar(9_000, 9_500, 8_900, 9_400, 70), DAY: Bar(9_600, 9_900, 9_100, 9_200, 80)}
    tape = Tape(calendar(), rules(), [Name("990010", "A", "kosdaq")], {"990010": bars}.__getitem__)
    clock = FakeClock(at("08:00"))
    market = Exchange(tape, [Opening(ACCOUNT, 0)], clock)
    window = {"FID_INPUT_ISCD": "990010", "FID_INPUT_DATE_1": "00000101", "FID_INPUT_DATE_2": "99991231"}
    seen = []
    for instant in ("08:00", "10:00", "15:30"):
        clock.instant = at(instant)
        quote, chart = price(market, "990010")["output"], daily_chart(market, window)["output2"]
        told = tuple(quote[key] for key in ("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_sdpr"))
        seen.append((*told, [row["stck_clpr"] for row in chart]))
    assert seen == [
        ("9400", "0", "0", "0", "9400", ["9400"]),
        ("9600", "9600", "9600", "9600", "9400", ["9600", "9400"]),
        ("9200", "9600", "9900", "9100", "9400", ["9200", "9400"]),
    ]


def test_a_name_sold_out_is_listed_with_nothing_until_it_is_paid(caller, server):
    caller.order("sell", "990020", 30, 50_000)
    (row,) = caller.balance().body["output1"]
    assert (row["hldg_qty"], row["thdt_sll_qty"], row["pchs_avg_pric"]) == ("0", "30", "0.0000")
    clock = server.exchange.clock
    clock.instant = at("09:10", DAY.replace(day=20))
    caller.log_in()
    assert caller.balance().body["output1"][0]["hldg_qty"] == "0"
    clock.instant = at("09:10", DAY.replace(day=23))
    caller.log_in()
    assert caller.balance().body["output1"] == []
    quick = practice_exchange(FakeClock(at("09:01")), {"990020": 50_000}, holdings={"990020": (30, 1)}, zero_rows=False)
    server.reset(quick)
    caller.order("sell", "990020", 30, 50_000)
    assert caller.balance().body["output1"] == []


def test_the_deposit_is_not_reduced_by_a_buy_that_is_not_settled(caller, server):
    caller.order("buy", "990010", 100, 10_000)
    money = caller.balance().body["output2"][0]
    assert (money["dnca_tot_amt"], money["nxdy_excc_amt"]) == ("10000000", "10000000")
    assert money["prvs_rcdl_excc_amt"] == str(10_000_000 - 1_000_000 - 150)
    assert money["tot_evlu_amt"] == str(int(money["scts_evlu_amt"]) + int(money["prvs_rcdl_excc_amt"]))
    server.exchange.clock.instant = at("09:10", DAY.replace(day=20))
    caller.log_in()
    later = caller.balance().body["output2"][0]
    assert later["dnca_tot_amt"] == money["prvs_rcdl_excc_amt"]


def test_what_may_be_bought_leaves_room_for_the_fee():
    tape = practice_tape({"990010": 10_000})
    clock = FakeClock(at("09:01"))
    for cash in (0, 9_999, 100_000, 123_456_789):
        market = Exchange(tape, [Opening(ACCOUNT, cash)], clock, costs=Costs("14.7", "20"))
        from_server = _buyable(market)
        assert from_server * 10_000 <= cash
        if from_server:
            assert _takes(market, from_server)


def _buyable(market):
    query = {"PDNO": "990010", "ORD_UNPR": "10000", "ORD_DVSN": "00"}
    return int(orderable(market, ACCOUNT, query)["output"]["nrcvb_buy_qty"])


def _takes(market, shares):
    return hasattr(market.submit(ACCOUNT, Wish("990010", "buy", shares, 10_000)), "number")
