from datetime import date, datetime
from decimal import Decimal

import pytest

from quantassay.domain.trading.book import (
    Accepted,
    NewOrder,
    NotSent,
    Orderable,
    OrderRow,
    Placed,
    Refused,
    Totals,
    Unknown,
)
from quantassay.kis import domestic
from quantassay.kis.client import Client
from quantassay.kis.unreadable import KisUnreadable

DAY = date(2026, 11, 20)
PLACED = Placed("0000012873", "00950", DAY)
KEY = "50099999^01^N^N^02^01^N^".ljust(100)


def holding(number, **changes):
    given = {"pdno": f"{900000 + number}", "prdt_name": f"name {number}   ", "hldg_qty": str(number)}
    given |= {"ord_psbl_qty": "1", "pchs_avg_pric": "70150.2500", "prpr": "71300", **changes}
    return given


def money(**changes):
    given = {"dnca_tot_amt": "10000000", "prvs_rcdl_excc_amt": "+3214870", "nass_amt": "10526070"}
    given |= {"thdt_buy_amt": "0", "thdt_sll_amt": "0", "pchs_amt_smtl_amt": "7178700"}
    return [{**given, **changes}]


def balance_pages(kis, rows, size=20, **last):
    """The answers of an account with these rows, as the virtual server cuts them."""
    parts = [rows[at : at + size] for at in range(0, len(rows), size)] or [[]]
    return [
        kis.good(
            tr_cont="D" if part is parts[-1] else "F" if number == 1 else "M",
            output1=part,
            output2=money(),
            ctx_area_fk100=KEY,
            ctx_area_nk100=(" " * 100 if part is parts[-1] else f"{number}^".ljust(100)),
            **last,
        )
        for number, part in enumerate(parts, start=1)
    ]


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (19, 1), (20, 1), (21, 2), (50, 3), (51, 3)])
def test_an_account_is_read_to_its_last_page(client, server, kis, count, pages):
    server.say(*balance_pages(kis, [holding(n) for n in range(1, count + 1)]))
    book = domestic.balance(client)
    assert (len(book.positions), book.pages, len(server.calls)) == (count, pages, pages)
    assert [one.headers["tr_cont"] for one in server.calls] == ["", *["N"] * (pages - 1)]
    assert [one.query["CTX_AREA_NK100"] for one in server.calls] == ["", *(f"{n}^" for n in range(1, pages))]
    assert {one.query["CANO"] for one in server.calls} == {"50099999"}
    assert (book.cash, book.deposit, book.equity) == (3214870, 10000000, 10526070)
    assert book.certificate == client.certificate


def test_a_holding_as_it_is_read(client, server, kis):
    server.say(*balance_pages(kis, [holding(7, hldg_qty="0012", ord_psbl_qty=" 10.00 ", pdno="0015S0")]))
    (held,) = domestic.balance(client).positions
    assert (held.ticker, held.name, held.quantity, held.sellable) == ("0015S0", "name 7", 12, 10)
    assert (held.average_price, held.last_price) == (Decimal("70150.25"), 71300)


def test_a_name_of_which_nothing_is_left_is_no_holding(client, server, kis):
    server.say(*balance_pages(kis, [holding(1), holding(2, hldg_qty="0", ord_psbl_qty="0")]))
    book = domestic.balance(client)
    assert [one.ticker for one in book.positions] == ["900001"]
    assert (book.held("900002"), book.sellable("900002")) == (0, 0)


def refused(client, says, read=domestic.balance, *arguments):
    """Why it is, where it is refused with these words."""
    with pytest.raises(KisUnreadable, match=says) as caught:
        read(client, *arguments)
    return str(caught.value)


MANY = [holding(n) for n in range(1, 52)]


def test_an_account_of_which_a_page_fails_is_not_read(client, server, kis):
    server.say(balance_pages(kis, MANY)[0], kis.failed("EGW00001", 500))
    assert refused(client, "asked 4 times")
    assert len(server.calls) == 5


def test_an_account_of_which_a_page_fails_once_is_read(client, server, kis):
    first, second, third = balance_pages(kis, MANY)
    server.say(first, kis.failed("EGW00201", 500), second, kis.SHUT, third)
    assert len(domestic.balance(client).positions) == 51


def test_a_page_that_comes_twice_is_refused(client, server, kis):
    first, second, _ = balance_pages(kis, MANY)
    server.say(first, second, kis.Said(200, {**second.body, "ctx_area_nk100": "other"}, {"tr_cont": "D"}))
    assert refused(client, "page 3 repeats a page before it")


def test_a_name_that_stands_there_twice_is_refused(client, server, kis):
    server.say(*balance_pages(kis, [*MANY[:25], MANY[3]]))
    assert refused(client, "900004 stands there twice")
    server.say(*balance_pages(kis, [holding(1), holding(1, hldg_qty="0")]))
    assert refused(client, "900001 stands there twice")


def test_more_pages_than_there_can_be_are_refused(client, server, kis):
    answers = [
        kis.good("M", output1=[holding(n)], output2=money(), ctx_area_fk100="a", ctx_area_nk100=str(n))
        for n in range(120)
    ]
    server.say(*answers)
    assert refused(client, "more than 100 pages")
    assert len(server.calls) == 100


BROKEN = [
    ({"tr_cont": "F"}, {"ctx_area_nk100": "   "}, "says that more is due and not where"),
    ({"tr_cont": "F"}, {"ctx_area_nk100": None}, "says that more is due and not where"),
    ({"tr_cont": "X"}, {}, "neither that there are further pages nor"),
    ({"tr_cont": "D"}, {"msg_cd": "KIOK0500"}, "marked as the last and says that it goes on"),
    ({}, {"ctx_area_nk100": "1^"}, "does not say whether more is due"),
    ({}, {"output1": [holding(n) for n in range(1, 21)]}, "does not say whether more is due"),
    ({"tr_cont": "D"}, {"output1": None}, "part output1 is missing"),
    ({"tr_cont": "D"}, {"output1": {}}, "part output1 is missing"),
    ({"tr_cont": "D"}, {"output1": [{}]}, "field pdno is missing"),
    ({"tr_cont": "D"}, {"output1": ["x"]}, "part output1 is missing"),
    ({"tr_cont": "D"}, {"output2": None}, "part output2 is missing"),
    ({"tr_cont": "D"}, {"output2": []}, "part output2 is missing"),
    ({"tr_cont": "D"}, {"output2": [{}]}, "part output2 is missing"),
    ({"tr_cont": "D"}, {"output2": money(prvs_rcdl_excc_amt="")}, "field prvs_rcdl_excc_amt is blank"),
    ({"tr_cont": "D"}, {"output2": money(dnca_tot_amt="1e7")}, "field dnca_tot_amt is no number"),
    ({"tr_cont": "D"}, {"output2": money(dnca_tot_amt="1,000")}, "field dnca_tot_amt is no number"),
    ({"tr_cont": "D"}, {"output2": money(nass_amt=True)}, "field nass_amt is no text"),
    ({"tr_cont": "D"}, {"output1": [holding(1, hldg_qty="-3")]}, "field hldg_qty is below zero"),
    ({"tr_cont": "D"}, {"output1": [holding(1, hldg_qty="1.5")]}, "field hldg_qty is no whole number"),
    ({"tr_cont": "D"}, {"output1": [holding(1, hldg_qty=" ")]}, "field hldg_qty is blank"),
    ({"tr_cont": "D"}, {"output1": [holding(1, ord_psbl_qty=None)]}, "field ord_psbl_qty is missing"),
    ({"tr_cont": "D"}, {"output1": [holding(1, pdno="")]}, "field pdno is no ticker"),
]


@pytest.mark.parametrize(("headers", "parts", "says"), BROKEN)
def test_what_is_not_whole_is_no_smaller_account(client, server, kis, headers, parts, says):
    body = {**balance_pages(kis, [])[0].body, **parts}
    server.say(kis.Said(200, {name: part for name, part in body.items() if part is not None}, headers))
    assert refused(client, says)


def test_one_short_page_without_a_mark_is_the_last(client, server, kis):
    server.say(kis.Said(200, balance_pages(kis, MANY[:19])[0].body, {}))
    assert len(domestic.balance(client).positions) == 19


def test_an_account_that_moves_between_its_pages_is_read_again(client, server, kis):
    first, second = balance_pages(kis, MANY[:25])
    moved = kis.Said(200, {**second.body, "output2": money(thdt_buy_amt="5")}, second.headers)
    server.say(first, moved, first, second)
    assert len(domestic.balance(client).positions) == 25
    assert len(server.calls) == 4
    server.say(*[first, moved] * 3)
    assert refused(client, "moved between its pages, each of 3 times")


def test_what_may_be_bought(client, server, kis):
    server.say(kis.good(output={"nrcvb_buy_amt": "3213900", "nrcvb_buy_qty": "45", "max_buy_qty": "99"}))
    assert domestic.orderable(client, "005930", 71300) == Orderable(3213900, 45)
    query = server.calls[0].query
    assert (query["PDNO"], query["ORD_UNPR"], query["ORD_DVSN"]) == ("005930", "71300", "00")
    server.say(kis.good(output={"nrcvb_buy_amt": "-5", "nrcvb_buy_qty": "-1"}))
    assert domestic.orderable(client, "005930", 71300) == Orderable(0, 0)
    server.say(kis.good(output={}))
    assert refused(client, "part output is missing", domestic.orderable, "005930", 71300)


TAKEN = {"KRX_FWDG_ORD_ORGNO": "00950", "ODNO": "0000012873", "ORD_TMD": "090003"}


@pytest.mark.parametrize(("side", "transaction", "kind"), [("buy", "VTTC0012U", ""), ("sell", "VTTC0011U", "01")])
def test_a_limit_order(client, server, kis, side, transaction, kind):
    server.say(kis.good(output=TAKEN))
    answer = domestic.order(client, NewOrder("005930", side, 10, 71300))
    assert answer == Accepted(PLACED, "090003")
    sent = server.calls[0]
    assert sent.headers["tr_id"] == transaction
    assert sent.body == {
        "CANO": "50099999",
        "ACNT_PRDT_CD": "01",
        "PDNO": "005930",
        "ORD_DVSN": "00",
        "ORD_QTY": "10",
        "ORD_UNPR": "71300",
        "SLL_TYPE": kind,
        "CNDT_PRIC": "",
        "EXCG_ID_DVSN_CD": "KRX",
    }


def test_the_day_of_an_order_is_that_of_korea(client, server, kis, clock):
    clock.instant = datetime.fromisoformat("2026-11-19T15:30:00+00:00")
    server.say(kis.good(output=TAKEN))
    assert domestic.order(client, NewOrder("005930", "buy", 1, 1)).placed.day == DAY


@pytest.mark.parametrize("output", [None, {}, [], {"ODNO": ""}, {**TAKEN, "ODNO": "0000000000"}, {"ODNO": "1"}])
def test_an_order_that_was_taken_without_a_number_is_unknown(client, server, kis, output):
    server.say(kis.good(**({} if output is None else {"output": output})))
    answer = domestic.order(client, NewOrder("005930", "buy", 1, 1))
    assert isinstance(answer, Unknown)
    assert answer.why.startswith("it was taken, and ")
    assert len(server.calls) == 1


def test_the_older_transactions_name_no_exchange(server, kis, clock, tmp_path):
    client = Client(server.connection(tmp_path, legacy_ids=True), clock)
    server.say(kis.good(output=TAKEN))
    domestic.order(client, NewOrder("005930", "buy", 1, 1))
    domestic.cancel(client, PLACED)
    assert not any("EXCG_ID_DVSN_CD" in one.body for one in server.calls)


def test_a_cancel_and_a_change(client, server, kis):
    server.say(kis.good(output={**TAKEN, "ODNO": "0000013002"}))
    assert domestic.cancel(client, Placed("12873", "00950", DAY)).placed.number == "0000013002"
    domestic.revise(client, PLACED, 4, 71200)
    sent, changed = (one.body for one in server.calls)
    assert {one.headers["tr_id"] for one in server.calls} == {"VTTC0013U"}
    names = ("ORGN_ODNO", "KRX_FWDG_ORD_ORGNO", "RVSE_CNCL_DVSN_CD", "QTY_ALL_ORD_YN", "ORD_QTY", "ORD_UNPR")
    assert [sent[name] for name in names] == ["0000012873", "00950", "02", "Y", "0", "0"]
    assert [changed[name] for name in names] == ["0000012873", "00950", "01", "N", "4", "71200"]


def test_the_outcomes_of_a_cancel(client, server, kis):
    server.say(kis.failed("40330000", 200, "모의투자 정정/취소할 수량이 없습니다."))
    assert domestic.cancel(client, PLACED) == Refused("40330000", "모의투자 정정/취소할 수량이 없습니다.")
    server.say(kis.failed("EGW00201", 500))
    assert isinstance(domestic.cancel(client, PLACED), NotSent)
    server.say(kis.SHUT)
    assert isinstance(domestic.cancel(client, PLACED), Unknown)
    assert len(server.calls) == 3


def day_row(number, **changes):
    given = {"ord_dt": "20261120", "ord_gno_brno": "91252", "odno": f"{number:010d}", "orgn_odno": ""}
    given |= {"sll_buy_dvsn_cd": "02", "pdno": "005930", "ord_qty": "10", "ord_unpr": "71300", "ord_tmd": "090003"}
    given |= {"tot_ccld_qty": "4", "tot_ccld_amt": "285000", "rmn_qty": "6", "cnc_cfrm_qty": "0", "rjct_qty": "0"}
    return {**given, "inqr_ip_addr": "203.0.113.7", "ctac_tlno": "01012345678", **changes}


SUMS = {"tot_ord_qty": "10", "tot_ccld_qty": "4", "tot_ccld_amt": "285000", "prsm_tlex_smtl": "40"}


def day_answer(kis, rows, cont="D", sums=SUMS, key=""):
    return kis.good(cont, output1=rows, output2=sums, ctx_area_fk100="k", ctx_area_nk100=key)


def test_the_orders_of_a_day(client, server, kis):
    rows = [day_row(number) for number in range(1, 18)]
    server.say(day_answer(kis, rows[:15], "F", key="15"), day_answer(kis, rows[15:]))
    found = domestic.day_orders(client, DAY)
    assert (found.day, len(found.rows), found.pages) == (DAY, 17, 2)
    assert found.totals == Totals(10, 4, 285000, 40)
    assert found.rows[0] == OrderRow(
        "0000000001", "91252", "", "005930", "buy", 10, 71300, "090003", 4, 285000, 6, 0, 0
    )
    query = server.calls[0].query
    assert (query["INQR_STRT_DT"], query["INQR_END_DT"], query["EXCG_ID_DVSN_CD"]) == ("20261120", "20261120", "KRX")


def test_an_address_and_a_telephone_number_go_no_further(client, server, kis):
    server.say(day_answer(kis, [day_row(1)]))
    shown = repr(domestic.day_orders(client, DAY))
    assert "203.0.113.7" not in shown
    assert "01012345678" not in shown


def test_totals_without_a_row_are_what_they_are(client, server, kis):
    server.say(day_answer(kis, []))
    found = domestic.day_orders(client, DAY)
    assert (found.rows, found.totals.filled) == ((), 4)


def test_an_order_that_stands_there_twice_is_one_or_refused(client, server, kis):
    server.say(day_answer(kis, [day_row(1), day_row(1), day_row(2)]))
    assert len(domestic.day_orders(client, DAY).rows) == 2
    server.say(day_answer(kis, [day_row(1), day_row(1, tot_ccld_qty="5", rmn_qty="5")]))
    assert refused(client, "the order 1 stands there twice, in two versions", domestic.day_orders, DAY)


@pytest.mark.parametrize(
    ("on", "of"), [({"cnc_cfrm_qty": "6", "rmn_qty": "0"}, {}), ({"rmn_qty": "0"}, {"cnc_cfrm_qty": "6"})]
)
def test_a_cancel_counts_on_whichever_row_it_was_booked(client, server, kis, on, of):
    cancel = day_row(2, orgn_odno="0000000001", ord_qty="6", tot_ccld_qty="0", tot_ccld_amt="0", rmn_qty="0", **of)
    server.say(day_answer(kis, [day_row(1, **on), cancel]))
    order, request = domestic.day_orders(client, DAY).rows
    assert (order.cancelled, order.remaining, order.filled, request.origin) == (6, 0, 4, "0000000001")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ord_dt": "20261119"}, "ord_dt is of another day"),
        ({"odno": "0000000000"}, "odno is blank"),
        ({"sll_buy_dvsn_cd": "03"}, "neither a sale nor a purchase"),
        ({"rmn_qty": ""}, "rmn_qty is blank"),
        ({"ord_tmd": "9:00"}, "ord_tmd is no time"),
    ],
)
def test_a_row_that_cannot_be_read_refuses_the_day(client, server, kis, changes, says):
    server.say(day_answer(kis, [day_row(1), day_row(2, **changes)]))
    assert refused(client, says, domestic.day_orders, DAY)


def test_a_day_without_its_totals_or_rows_is_refused(client, server, kis):
    server.say(kis.good("D", output1=[]))
    assert refused(client, "output2 is missing", domestic.day_orders, DAY)
    server.say(kis.good("D", output2=SUMS))
    assert refused(client, "output1 is missing", domestic.day_orders, DAY)
