"""The server without its sockets: whatever it is asked, it has an answer, and its books stay right."""

from hypothesis import given
from hypothesis import strategies as st

from quantassay.kis.rehearsal import ACCOUNT, APP_KEY, APP_SECRET
from quantassay.sandbox.calls import CALLS, RVSECNCL
from quantassay.sandbox.gateway import NO_LIMITS, Gateway
from quantassay.sandbox.practice import Practice
from quantassay.sandbox.reply import Asked
from tests.fakes.practice import at, practice_exchange
from tests.fakes.trading import FakeClock

CANO, PRODUCT = ACCOUNT.split("-")
VALUES = st.sampled_from(
    ["", "0", "1", "7", "10000", "9990", "-1", "1.5", "٣", "x" * 300, "990010", "N", "Y", "00", "01"]
)
KEYS = (
    *("PDNO", "ORD_QTY", "ORD_UNPR", "ORD_DVSN", "ORGN_ODNO", "RVSE_CNCL_DVSN_CD", "QTY_ALL_ORD_YN", "ODNO"),
    *("CTX_AREA_FK100", "CTX_AREA_NK100", "INQR_STRT_DT", "INQR_END_DT", "SLL_BUY_DVSN_CD", "CCLD_DVSN", "INQR_DVSN"),
    *("AFHR_FLPR_YN", "UNPR_DVSN", "PRCS_DVSN", "FID_INPUT_ISCD", "FID_INPUT_DATE_1", "FID_INPUT_DATE_2"),
    *("FID_PERIOD_DIV_CODE", "FID_ORG_ADJ_PRC", "PRDT_TYPE_CD"),
)
FIELDS = st.fixed_dictionaries(dict.fromkeys(KEYS, VALUES))
REQUESTS = st.lists(st.tuples(st.sampled_from([*CALLS, "VTTC0000R", "X", ""]), FIELDS, st.sampled_from(["", "N", "M"])))


@given(requests=REQUESTS)
def test_whatever_is_asked_is_answered(requests):
    exchange = practice_exchange(FakeClock(at("09:01")), {"990010": 10_000}, cash=50_000, holdings={"990010": (9, 1)})
    doors = Gateway(exchange.clock, NO_LIMITS)
    practice = Practice(exchange, doors)
    keys = {"appkey": APP_KEY, "appsecret": APP_SECRET}
    token = doors.issue({**keys, "grant_type": "client_credentials"})["access_token"]
    headers = {**keys, "authorization": f"Bearer {token}", "content-type": "application/json", "content-length": "1"}
    for tr_id, fields, more in requests:
        method = "POST" if tr_id.endswith("U") else "GET"
        told = {**fields, "CANO": CANO, "ACNT_PRDT_CD": PRODUCT}
        asked = Asked(method, RVSECNCL, {**headers, "tr_id": tr_id, "tr_cont": more}, told, told)
        reply = practice.answer(asked)
        assert {"rt_cd", "msg_cd", "msg1"} <= set(reply.body)
    assert exchange.cash(ACCOUNT) >= 0
    assert exchange.orderable_cash(ACCOUNT) >= 0
    assert exchange.positions(ACCOUNT).get("990010", 0) >= 0
    assert len(practice.requests) == len(requests)
