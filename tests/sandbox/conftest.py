"""A plain client of the practice server, written from the endpoint's documents and not from our own client."""

from types import SimpleNamespace

import pytest
import requests

from quantassay.kis.rehearsal import ACCOUNT, APP_KEY, APP_SECRET
from quantassay.sandbox.gateway import NO_LIMITS
from quantassay.sandbox.serve import serve
from tests.fakes.practice import at, practice_exchange
from tests.fakes.trading import FakeClock

DOMESTIC = "/uapi/domestic-stock/v1"
CANO, PRODUCT = ACCOUNT.split("-")
PRICES = {"990010": 10_000, "990020": 50_000, "990030": 1_500}


class Caller:
    """Asks a practice server as a program would: `answer.status`, `answer.body`, `answer.headers`."""

    def __init__(self, server, key=APP_KEY, secret=APP_SECRET):
        self.server, self.key, self.secret, self.token = server, key, secret, ""
        self.session = requests.Session()
        self.session.trust_env = False

    def log_in(self, **changed):
        body = {"grant_type": "client_credentials", "appkey": self.key, "appsecret": self.secret, **changed}
        answer = self._send("POST", "/oauth2/tokenP", json=body)
        self.token = answer.body.get("access_token", self.token)
        return answer

    def _send(self, method, path, **options):
        answer = self.session.request(method, self.server.url + path, timeout=options.pop("timeout", 5), **options)
        body = answer.json() if answer.content else None
        return SimpleNamespace(status=answer.status_code, body=body, headers=dict(answer.headers))

    def headers(self, tr_id, **changed):
        told = {
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {self.token}",
            "appkey": self.key,
            "appsecret": self.secret,
            "custtype": "P",
            "tr_id": tr_id,
            **changed,
        }
        return {name: value for name, value in told.items() if value is not None}

    def get(self, tr_id, path, timeout=5, headers=None, **query):
        told = self.headers(tr_id, **(headers or {}))
        return self._send("GET", DOMESTIC + path, headers=told, params=query, timeout=timeout)

    def post(self, tr_id, path, timeout=5, headers=None, **body):
        told = self.headers(tr_id, **(headers or {}))
        return self._send("POST", DOMESTIC + path, headers=told, json=body, timeout=timeout)

    def order(self, side, ticker, quantity, price, **changed):
        options = {name: changed.pop(name) for name in ("timeout", "headers") if name in changed}
        fields = {"ORD_QTY": str(quantity), "ORD_UNPR": str(price), "EXCG_ID_DVSN_CD": "KRX", "ORD_DVSN": "00"}
        body = {"CANO": CANO, "ACNT_PRDT_CD": PRODUCT, "PDNO": ticker, **fields, "SLL_TYPE": "", **changed}
        tr_id = "VTTC0012U" if side == "buy" else "VTTC0011U"
        return self.post(tr_id, "/trading/order-cash", **options, **body)

    def cancel(self, number, **changed):
        fields = {"ORD_DVSN": "00", "RVSE_CNCL_DVSN_CD": "02", "ORD_QTY": "0", "ORD_UNPR": "0", "QTY_ALL_ORD_YN": "Y"}
        body = {"CANO": CANO, "ACNT_PRDT_CD": PRODUCT, "KRX_FWDG_ORD_ORGNO": "00950", "ORGN_ODNO": number, **fields}
        return self.post("VTTC0013U", "/trading/order-rvsecncl", **{**body, **changed})

    def balance(self, follows=False, key="", **changed):
        names = {"AFHR_FLPR_YN": "N", "OFL_YN": "", "INQR_DVSN": "02", "UNPR_DVSN": "01", "FUND_STTL_ICLD_YN": "N"}
        query = {"CANO": CANO, "ACNT_PRDT_CD": PRODUCT, **names, "FNCG_AMT_AUTO_RDPT_YN": "N", "PRCS_DVSN": "00"}
        query |= {"CTX_AREA_FK100": "", "CTX_AREA_NK100": key, **changed}
        headers = {"tr_cont": "N" if follows else ""}
        return self.get("VTTC8434R", "/trading/inquire-balance", headers=headers, **query)

    def day_orders(self, day="20261118", follows=False, key="", **changed):
        names = {"SLL_BUY_DVSN_CD": "00", "PDNO": "", "CCLD_DVSN": "00", "INQR_DVSN": "01", "INQR_DVSN_3": "00"}
        query = {"CANO": CANO, "ACNT_PRDT_CD": PRODUCT, "INQR_STRT_DT": day, "INQR_END_DT": day, **names, "ODNO": ""}
        query |= {"EXCG_ID_DVSN_CD": "ALL", "CTX_AREA_FK100": "", "CTX_AREA_NK100": key, **changed}
        headers = {"tr_cont": "N" if follows else ""}
        return self.get("VTTC0081R", "/trading/inquire-daily-ccld", headers=headers, **query)

    def orderable(self, ticker, price, kind="00"):
        query = {"CANO": CANO, "ACNT_PRDT_CD": PRODUCT, "PDNO": ticker, "ORD_UNPR": str(price), "ORD_DVSN": kind}
        return self.get("VTTC8908R", "/trading/inquire-psbl-order", **query).body["output"]

    def price(self, ticker, **options):
        query = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": ticker}
        return self.get("FHKST01010100", "/quotations/inquire-price", **query, **options)

    def pages(self, ask):
        """Every page, as its letter says."""
        found = [ask()]
        while found[-1].headers["tr_cont"] in ("F", "M"):
            found.append(ask(follows=True, key=found[-1].body["ctx_area_nk100"]))
        return found


@pytest.fixture
def clock():
    return FakeClock(at("09:00:05"))


@pytest.fixture(scope="session")
def _one_server():
    """One server for all tests that need no other: each begins it anew."""
    with serve(practice_exchange(FakeClock(at("09:00:05")), PRICES), limits=NO_LIMITS) as server:
        caller = Caller(server)
        caller.log_in()
        yield server, caller


@pytest.fixture
def server(_one_server, clock):
    one, _ = _one_server
    one.reset(practice_exchange(clock, PRICES, cash=10_000_000, holdings={"990020": (30, 48_000)}))
    return one


@pytest.fixture
def caller(_one_server, server):
    caller = _one_server[1]
    assert caller.server is server
    return caller
