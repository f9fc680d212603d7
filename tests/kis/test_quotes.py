from datetime import date, timedelta

import pytest

from quantassay.kis import domestic
from quantassay.kis.unreadable import KisUnreadable

DAY = date(2026, 11, 20)


def refused(says, read, client):
    """Why it is, where it is refused with these words."""
    with pytest.raises(KisUnreadable, match=says) as caught:
        read(client, "005930")
    return str(caught.value)


QUOTE = {"stck_prpr": "71300", "stck_sdpr": "71000", "stck_mxpr": "92300", "stck_llam": "49700", "aspr_unit": "100"}
QUOTE |= {"temp_stop_yn": "N", "iscd_stat_cls_code": "55", "stck_shrn_iscd": "005930"}


def test_a_price(client, server, kis, clock):
    server.say(kis.good(output=QUOTE))
    found = domestic.price(client, "005930")
    assert (found.last, found.base, found.upper, found.lower, found.tick) == (71300, 71000, 92300, 49700, 100)
    assert (found.halted, found.at) == (False, clock.now())


@pytest.mark.parametrize("changes", [{"temp_stop_yn": "Y"}, {"temp_stop_yn": ""}, {"iscd_stat_cls_code": "58"}])
def test_a_name_that_does_not_trade(client, server, kis, changes):
    server.say(kis.good(output={**QUOTE, **changes}))
    assert domestic.price(client, "005930").halted


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stck_prpr": "0"}, "KIS has no such name"),
        ({"stck_prpr": ""}, "stck_prpr is blank"),
        ({"stck_shrn_iscd": "000660"}, "about another name"),
        ({"stck_mxpr": "x"}, "stck_mxpr is no number"),
    ],
)
def test_a_price_that_is_none(client, server, kis, changes, says):
    server.say(kis.good(output={**QUOTE, **changes}))
    assert refused(says, domestic.price, client)


def test_an_order_book_with_the_servers_time(client, server, kis):
    levels = {
        f"{side}{part}{n}": str(n * 10) for side in ("askp", "bidp") for part in ("", "_rsqn") for n in range(1, 11)
    }
    levels |= {"aspr_acpt_hour": "103015", "askp10": "", "bidp_rsqn9": "0"}
    server.say(kis.good(output1=levels, output2={"antc_cnpr": "", "antc_vol": "0", "stck_shrn_iscd": "005930"}))
    found = domestic.order_book(client, "005930")
    assert (found.time, found.expected_price, len(found.asks), len(found.bids)) == ("103015", 0, 9, 9)
    assert (found.asks[0].price, found.bids[-1].price) == (10, 100)
    server.say(kis.good(output1={**levels, "aspr_acpt_hour": ""}, output2={"antc_cnpr": "0"}))
    assert refused("aspr_acpt_hour is no time", domestic.order_book, client)


def bar_row(day, **changes):
    given = {"stck_oprc": "100", "stck_hgpr": "110", "stck_lwpr": "90", "stck_clpr": "105", "acml_vol": "7"}
    return {"stck_bsop_date": f"{day:%Y%m%d}", **given, "acml_tr_pbmn": "700", "flng_cls_code": "00", **changes}


def bar_answer(kis, rows, **snapshot):
    return kis.good(output1={"stck_prpr": "105", **snapshot}, output2=rows)


def test_bars_are_read_back_to_the_first_day(client, server, kis):
    days = [DAY - timedelta(days=n) for n in range(150)]
    server.say(bar_answer(kis, [bar_row(day) for day in days[:100]]), bar_answer(kis, [bar_row(d) for d in days[100:]]))
    found = domestic.daily_bars(client, "005930", days[-1], DAY, adjusted=False)
    assert [one.day for one in found] == days[::-1]
    assert [one.query["FID_INPUT_DATE_2"] for one in server.calls] == ["20261120", f"{days[100]:%Y%m%d}"]
    assert {one.query["FID_ORG_ADJ_PRC"] for one in server.calls} == {"1"}
    assert (found[0].open, found[0].high, found[0].low, found[0].close) == (100, 110, 90, 105)
    assert (found[0].volume, found[0].turnover) == (7, 700)


def test_empty_rows_are_no_bars_and_an_empty_answer_is_the_end(client, server, kis):
    server.say(bar_answer(kis, [bar_row(DAY), {}, {}]), bar_answer(kis, [{}]))
    found = domestic.daily_bars(client, "005930", DAY - timedelta(days=9), DAY, adjusted=True)
    assert [one.day for one in found] == [DAY]
    assert {one.query["FID_ORG_ADJ_PRC"] for one in server.calls} == {"0"}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([bar_row(DAY), bar_row(DAY, stck_clpr="106")], "comes twice"),
        ([bar_row(DAY + timedelta(days=1))], "that was not asked for"),
        ([bar_row(DAY, stck_oprc="")], "stck_oprc is blank"),
        ([bar_row(DAY, stck_bsop_date="2026")], "stck_bsop_date is no day"),
    ],
)
def test_bars_that_cannot_be_are_refused(client, server, kis, rows, says):
    server.say(bar_answer(kis, rows))
    with pytest.raises(KisUnreadable, match=says):
        domestic.daily_bars(client, "005930", DAY, DAY, adjusted=False)


def test_bars_of_a_name_that_is_unknown_are_refused(client, server, kis):
    server.say(bar_answer(kis, [], stck_prpr="0"))
    with pytest.raises(KisUnreadable, match="KIS has no such name"):
        domestic.daily_bars(client, "999999", DAY, DAY, adjusted=False)


def test_a_page_of_bars_that_comes_again_is_refused(client, server, kis):
    server.say(bar_answer(kis, [bar_row(DAY)]))
    with pytest.raises(KisUnreadable, match="not asked for, or comes twice"):
        domestic.daily_bars(client, "005930", DAY - timedelta(days=9), DAY, adjusted=False)
