"""The answers of KIS as they were taken down, given by a server on loopback and read to their end."""

import json
from dataclasses import asdict
from datetime import date

import pytest

from quantassay.domain.trading.book import Accepted, NewOrder, Orderable, Placed, Refused, Totals
from quantassay.kis import domestic
from quantassay.kis.unreadable import KisUnreadable

PLACED = Placed("0000012873", "00950", date(2026, 11, 20))


def exchanges(shared, number):
    (path,) = (shared / "data/kis_payloads").glob(f"{number}_*.json")
    return {one["name"]: one for one in json.loads(path.read_text(encoding="utf-8"))["exchanges"]}


def replayed(kis, *given):
    own = {"tr_id", "tr_cont", "gt_uid"}
    return [
        kis.Said(
            one["response"]["status"],
            one["response"]["body"],
            {n: v for n, v in one["response"]["headers"].items() if n in own},
        )
        for one in given
    ]


def asked_as_written(sent, request):
    assert sent.headers["tr_id"] == request["headers"]["tr_id"]
    if "query" in request:
        assert {name: text.strip() for name, text in request["query"].items()} == sent.query
    else:
        assert {"CNDT_PRIC": "", "SLL_TYPE": "", **request["body"]} == {"CNDT_PRIC": "", "SLL_TYPE": "", **sent.body}


def test_the_balance_payload(shared, client, server, kis):
    given = exchanges(shared, "02")
    server.say(*replayed(kis, given["page1"], given["page2_last"]))
    book = domestic.balance(client)
    assert [(one.ticker, one.quantity, one.sellable) for one in book.positions] == [
        ("0015S0", 15, 15),
        ("005930", 40, 40),
        ("069500", 120, 100),
    ]
    assert (book.cash, book.deposit, book.equity, book.pages) == (3214870, 10000000, 10526070, 2)
    for sent, name in zip(server.calls, ("page1", "page2_last"), strict=True):
        asked_as_written(sent, given[name]["request"])
    server.say(*replayed(kis, given["empty_account"]))
    assert domestic.balance(client).positions == ()


def test_the_orderable_payload(shared, client, server, kis):
    server.say(*replayed(kis, *exchanges(shared, "03").values()))
    assert domestic.orderable(client, "005930", 92300) == Orderable(3213900, 34)


def test_the_order_payloads(shared, client, server, kis):
    given = exchanges(shared, "04")
    for name, one in given.items():
        server.say(*replayed(kis, one))
        answer = domestic.order(client, NewOrder("005930", "sell" if "sell" in name else "buy", 10, 71300))
        assert isinstance(answer, Accepted if name.endswith("accepted") else Refused), name
    asked_as_written(server.calls[0], given["virtual_buy_accepted"]["request"])


def test_the_cancel_payloads(shared, client, server, kis):
    given = exchanges(shared, "05")
    server.say(*replayed(kis, *given.values()))
    assert domestic.cancel(client, PLACED).placed.number == "0000013002"
    assert domestic.cancel(client, PLACED).code == "40330000"
    asked_as_written(server.calls[0], given["cancel_accepted"]["request"])


def test_the_day_payloads(shared, client, server, kis):
    given = exchanges(shared, "06")
    day = date(2026, 10, 8)
    server.say(*replayed(kis, given["rows"]))
    found = domestic.day_orders(client, day)
    assert [(row.filled, row.remaining, row.cancelled) for row in found.rows] == [
        (10, 0, 0),
        (12, 8, 0),
        (5, 0, 0),
        (0, 0, 30),
        (0, 0, 0),
    ]
    originals = [row for row in found.rows if not row.origin]
    assert all(row.quantity == row.filled + row.remaining + row.cancelled + row.rejected for row in originals)
    assert sum(row.amount for row in originals) == found.totals.amount
    assert "203.0.113" not in json.dumps(asdict(found), default=str)
    server.say(*replayed(kis, given["virtual_rows_missing_totals_present"]))
    found = domestic.day_orders(client, day)
    assert (found.rows, found.totals) == ((), Totals(15, 15, 754650, 110))
    asked_as_written(server.calls[-1], given["virtual_rows_missing_totals_present"]["request"])


def test_the_price_payloads(shared, client, server, kis):
    given = exchanges(shared, "07")
    server.say(*replayed(kis, *given.values()))
    assert domestic.price(client, "005930").last == 71300
    book = domestic.order_book(client, "005930")
    assert (book.time, len(book.asks), len(book.bids), book.asks[0].price) == ("103015", 10, 10, 71400)
    with pytest.raises(KisUnreadable, match="KIS has no such name"):
        domestic.price(client, "999999")
    for sent, one in zip(server.calls, given.values(), strict=True):
        asked_as_written(sent, one["request"])


def test_the_bars_payload(shared, client, server, kis):
    server.say(*replayed(kis, *exchanges(shared, "08").values()))
    found = domestic.daily_bars(client, "005930", date(2026, 10, 1), date(2026, 10, 8), adjusted=True)
    assert [one.close for one in found] == [70900, 70900, 70600, 71000, 71300]
    asked_as_written(server.calls[0], exchanges(shared, "08")["five_bars"]["request"])


def test_the_holiday_payload(shared):
    body = exchanges(shared, "09")["chk_holiday"]["response"]["body"]
    assert domestic.opens(body, "20261008")
    assert not domestic.opens(body, "20261009")
    with pytest.raises(KisUnreadable, match="20261108 is not among them"):
        domestic.opens(body, "20261108")
