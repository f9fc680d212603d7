import json
from datetime import date
from decimal import Decimal

import pytest

from quantassay.domain.trading.book import Accepted, Refused
from quantassay.kis import overseas
from quantassay.kis.overseas import NoSuchExchange, NoSuchOrder, OverseasOrder
from quantassay.kis.unreadable import KisUnreadable

QUOTE = {"rsym": "DNASAAPL", "base": "251.3300", "last": "253.1200"}
TAKEN = {"KRX_FWDG_ORD_ORGNO": "00950", "ODNO": "0000040911", "ORD_TMD": "224651"}
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 8)


def test_a_price(client, server, kis, clock):
    server.say(kis.good(output=QUOTE))
    found = overseas.price(client, "Nasdaq", "AAPL")
    assert (found.last, found.base, found.currency) == (Decimal("253.12"), Decimal("251.33"), "USD")
    assert found.at == clock.now()
    assert server.calls[0].query == {"AUTH": "", "EXCD": "NAS", "SYMB": "AAPL"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"last": ""}, "no such name on Nasdaq"), ({"last": "0.0000"}, "no such name"), ({"rsym": "DNASMSFT"}, "another")],
)
def test_a_price_that_is_none(client, server, kis, changes, says):
    server.say(kis.good(output={**QUOTE, **changes}))
    with pytest.raises(KisUnreadable, match=says):
        overseas.price(client, "Nasdaq", "AAPL")


def test_an_exchange_that_is_none_is_said_before_asking(client, server):
    with pytest.raises(NoSuchExchange, match="Paris is none of the exchanges that KIS knows: Nasdaq"):
        overseas.price(client, "Paris", "MC")
    assert server.seen == []


def bars(kis, *days, symbol="DNASAAPL"):
    price = dict.fromkeys(("open", "high", "low", "clos"), "1.5000")
    rows = [{"xymd": day, **price, "tvol": "5", "tamt": "7"} if day else {} for day in days]
    return kis.good(output1={"rsym": symbol}, output2=rows)


def test_bars_are_read_back_to_the_first_day(client, server, kis):
    server.say(bars(kis, "20261008", "20261006", ""), bars(kis, "20261002", "20260930"))
    found = overseas.daily_bars(client, "Nasdaq", "AAPL", FIRST, LAST, adjusted=True)
    assert [one.day.day for one in found] == [2, 6, 8]
    assert [one.query["BYMD"] for one in server.calls] == ["20261008", "20261005"]
    assert {one.query["MODP"] for one in server.calls} == {"1"}
    server.say(bars(kis))
    assert overseas.daily_bars(client, "Nasdaq", "AAPL", FIRST, LAST, adjusted=False) == []
    assert server.calls[-1].query["MODP"] == "0"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"days": ["20261009"]}, "not asked for"),
        ({"days": ["20261007"], "symbol": ""}, "no such name on Nasdaq"),
        ({"days": ["2026-10-07"]}, "xymd is no day"),
    ],
)
def test_bars_that_cannot_be_are_refused(client, server, kis, given, says):
    server.say(bars(kis, *given.pop("days"), **given))
    with pytest.raises(KisUnreadable, match=says):
        overseas.daily_bars(client, "Nasdaq", "AAPL", FIRST, LAST, adjusted=True)


def row(symbol, exchange, quantity="3"):
    return {
        "ovrs_pdno": symbol,
        "ovrs_item_name": "n",
        "pchs_avg_pric": "249.9200",
        "ovrs_cblc_qty": quantity,
        "ord_psbl_qty": quantity,
        "now_pric2": "253.120000",
        "tr_crcy_cd": "USD",
        "ovrs_excg_cd": exchange,
    }


def page(kis, *rows, cont="D", key=""):
    return kis.good(cont, output1=list(rows), output2={"tot": "0"}, ctx_area_fk200="f", ctx_area_nk200=key)


def test_an_account_over_pages_and_exchanges(client, server, kis):
    server.say(
        page(kis, row("AAPL", "NASD"), cont="F", key="1"),
        page(kis, row("SOXL", "AMEX"), row("GONE", "NASD", "0")),
        page(kis, row("SOXL", "AMEX"), row("GE", "NYSE")),
    )
    found = overseas.balance(client, ["Nasdaq", "NYSE"])
    assert [one.symbol for one in found] == ["SOXL", "AAPL", "GE"]
    assert (found[0].quantity, found[0].average_price) == (3, Decimal("249.92"))
    assert [one.query["OVRS_EXCG_CD"] for one in server.calls] == ["NASD", "NASD", "NYSE"]
    assert server.calls[1].query["CTX_AREA_NK200"] == "1"


def test_a_name_in_two_versions_or_twice_in_one_answer_is_refused(client, server, kis):
    server.say(page(kis, row("SOXL", "AMEX")), page(kis, row("SOXL", "AMEX", "4")))
    with pytest.raises(KisUnreadable, match="SOXL stands there twice"):
        overseas.balance(client, ["Nasdaq", "AMEX"])
    server.say(page(kis, row("SOXL", "AMEX"), row("SOXL", "AMEX")))
    with pytest.raises(KisUnreadable, match="SOXL stands there twice"):
        overseas.balance(client, ["Nasdaq"])


@pytest.mark.parametrize("missing", ["output1", "output2"])
def test_half_an_account_is_none(client, server, kis, missing):
    answer = page(kis, row("SOXL", "AMEX"))
    del answer.body[missing]
    server.say(answer)
    with pytest.raises(KisUnreadable, match=f"{missing} is missing"):
        overseas.balance(client, ["Nasdaq"])


@pytest.mark.parametrize(
    ("exchange", "side", "transaction"),
    [
        ("Nasdaq", "buy", "VTTT1002U"),
        ("NYSE", "sell", "VTTT1001U"),
        ("Hong Kong", "sell", "VTTS1001U"),
        ("Shanghai", "buy", "VTTS0202U"),
        ("Shenzhen", "sell", "VTTS0304U"),
        ("Tokyo", "buy", "VTTS0308U"),
        ("Hanoi", "sell", "VTTS0310U"),
    ],
)
def test_a_limit_order(client, server, kis, exchange, side, transaction):
    server.say(kis.good(output=TAKEN))
    answer = overseas.order(client, OverseasOrder(exchange, "ABC", side, 2, Decimal("253.5")))
    assert isinstance(answer, Accepted)
    (sent,) = server.calls
    assert sent.headers["tr_id"] == transaction
    assert sent.body["OVRS_EXCG_CD"] == overseas.EXCHANGES[exchange].trading
    assert sent.body["OVRS_ORD_UNPR"] == ("253.50" if transaction[1:4] == "TTT" else "253.5")
    assert sent.body["SLL_TYPE"] == ("" if side == "buy" else "00")


@pytest.mark.parametrize(
    ("symbol", "quantity", "limit"),
    [("AAPL", 0, "1"), ("AAPL", 1, "0"), ("a b", 1, "1"), ("A", 1, "0.99"), ("A", 1, "1.005")],
)
def test_an_order_that_cannot_be_is_not_sent(client, server, symbol, quantity, limit):
    with pytest.raises(NoSuchOrder, match="was not sent"):
        overseas.order(client, OverseasOrder("NYSE", symbol, "buy", quantity, Decimal(limit)))
    assert server.seen == []


def test_the_payloads(shared, client, server, kis):
    (path,) = (shared / "data/kis_payloads").glob("10_*.json")
    given = {one["name"]: one for one in json.loads(path.read_text(encoding="utf-8"))["exchanges"]}

    def said(name):
        response = given[name]["response"]
        server.say(kis.Said(200, response["body"], {"tr_cont": response["headers"]["tr_cont"]}))

    said("price")
    assert overseas.price(client, "Nasdaq", "AAPL").last == Decimal("253.12")
    said("dailyprice")
    found = overseas.daily_bars(client, "Nasdaq", "AAPL", date(2026, 10, 6), date(2026, 10, 7), adjusted=True)
    assert [one.close for one in found] == [Decimal("251.33"), Decimal("253.12")]
    said("inquire_balance")
    assert [one.symbol for one in overseas.balance(client, ["Nasdaq"])] == ["AAPL"]
    said("order_buy_accepted")
    order = OverseasOrder("Nasdaq", "AAPL", "buy", 1, Decimal("253.5"))
    assert overseas.order(client, order).placed.number == "0000040911"
    assert server.calls[-1].body == given["order_buy_accepted"]["request"]["body"]
    said("us_sell_with_wrong_virtual_tr")
    assert isinstance(overseas.order(client, order), Refused)
