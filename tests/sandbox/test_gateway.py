"""Keys, tokens, paces and what the gateway refuses."""

from datetime import timedelta

import pytest
import requests

from quantassay.sandbox.gateway import NO_LIMITS, REAL_KEY, REAL_SECRET, Limits
from quantassay.sandbox.serve import serve
from tests.fakes.practice import at, practice_exchange
from tests.fakes.trading import FakeClock
from tests.sandbox.conftest import CANO, DOMESTIC, PRICES, Caller


@pytest.fixture
def limited(clock):
    with serve(practice_exchange(clock, PRICES)) as server:
        yield server


@pytest.fixture
def guest(limited):
    return Caller(limited)


def code(answer):
    return answer.status, answer.body.get("msg_cd") or answer.body.get("error_code")


def test_a_token_is_the_same_for_six_hours_and_lives_for_a_day(guest, clock):
    first = guest.log_in().body
    assert (first["token_type"], first["expires_in"], first["access_token_token_expired"]) == (
        "Bearer",
        86_400,
        "2026-11-19 09:00:05",
    )
    clock.advance(5 * 3600)
    assert guest.log_in().body["access_token"] == first["access_token"]
    clock.advance(2 * 3600)
    assert guest.log_in().body["access_token"] != first["access_token"]
    assert guest.server.gateway.tokens_issued == 2


def test_a_token_is_given_once_a_minute(guest, clock):
    guest.log_in()
    clock.advance(59)
    assert code(guest.log_in()) == (403, "EGW00133")
    clock.advance(1)
    assert guest.log_in().status == 200


def test_wrong_keys_are_told_apart(guest):
    assert code(guest.log_in(appkey="X" * 36)) == (403, "EGW00103")
    assert code(guest.log_in(appsecret="x" * 180)) == (403, "EGW00105")
    assert code(guest.log_in(grant_type="password")) == (403, "EGW00116")


def test_a_revoked_or_old_token_is_not_taken(guest, clock):
    guest.log_in()
    body = {"appkey": guest.key, "appsecret": guest.secret, "token": guest.token}
    revoked = requests.post(guest.server.url + "/oauth2/revokeP", json=body, timeout=5).json()
    assert revoked["code"] == 200
    assert code(guest.price("990010")) == (500, "EGW00121")
    clock.advance(60)
    guest.log_in()
    clock.advance(86_400)
    assert code(guest.price("990010")) == (500, "EGW00123")
    assert code(guest.price("990010", headers={"authorization": guest.token})) == (500, "EGW00205")


def test_one_request_a_second_is_let_through_and_a_refused_one_does_not_count(guest, clock):
    guest.log_in()
    assert guest.price("990010").status == 200
    clock.advance(0.5)
    assert code(guest.price("990010")) == (500, "EGW00201")
    clock.advance(0.5)
    assert guest.price("990010").status == 200
    log = [one for one in guest.server.requests if one.call == "price"]
    assert [one.outcome for one in log] == ["200 MCA00000", "500 EGW00201", "200 MCA00000"]
    assert [one.at - log[0].at for one in log] == [timedelta(seconds=n) for n in (0, 0.5, 1)]
    assert len({one.key for one in log}) == 1


def test_the_pace_is_each_keys_own_and_can_be_another(clock):
    with serve(practice_exchange(clock, PRICES), limits=Limits(requests_per_s=2)) as server:
        ours, theirs = Caller(server), Caller(server, REAL_KEY, REAL_SECRET)
        ours.log_in()
        theirs.log_in()
        assert [ours.price("990010").status for _ in range(3)] == [200, 200, 500]
        assert theirs.price("990010").status == 200


def test_the_log_holds_neither_key_nor_token(guest):
    guest.log_in()
    guest.price("990010")
    told = repr(guest.server.requests)
    assert guest.key not in told
    assert guest.secret not in told
    assert guest.token not in told


@pytest.mark.parametrize(
    ("tr_id", "expected"),
    [
        ("VTTC8036R", (200, "90000000")),  # the virtual server knows it by name only
        ("VTTT1006U", (200, "90000000")),
        ("TTTC8434R", (500, "EGW02006")),  # of the real server
        ("CTCA0903R", (500, "EGW02006")),
        ("CTPF1604R", (500, "EGW02006")),
    ],
)
def test_what_the_virtual_server_does_not_offer_is_refused_as_there(caller, tr_id, expected):
    assert code(caller.get(tr_id, "/trading/inquire-balance")) == expected


def test_real_keys_read_prices_and_profiles_and_no_account(server):
    other = Caller(server, REAL_KEY, REAL_SECRET)
    other.log_in()
    assert code(other.balance()) == (500, "EGW02007")
    asked = {"PDNO": "990010", "PRDT_TYPE_CD": "300"}
    known = other.get("CTPF1604R", "/quotations/search-info", **asked).body
    assert known["output"]["shtn_pdno"] == "990010"
    assert other.get("CTPF1604R", "/quotations/search-info", **{**asked, "PDNO": "1"}).body["rt_cd"] == "7"


def test_transactions_lead_and_paths_follow(caller):
    query = {"CANO": CANO, "ACNT_PRDT_CD": "01", "PDNO": "990010", "ORD_UNPR": "10000", "ORD_DVSN": "00"}
    wrong_path = caller.get("VTTC8908R", "/trading/inquire-daily-ccld", **query)
    assert "nrcvb_buy_qty" in wrong_path.body["output"]
    quote = {"FID_COND_MRKT_DIV_CODE": "J", "fid_input_iscd": "990010"}
    no_transaction = caller.get("", "/quotations/inquire-price", **quote)
    assert no_transaction.body["output"]["stck_prpr"] == "10000"
    address = caller.server.url + "//uapi/domestic-stock/v1/quotations/inquire-price"
    slashes = requests.get(address, headers=caller.headers("FHKST01010100"), params=quote, timeout=5)
    assert slashes.headers["tr_id"] == "FHKST01010100"
    assert code(caller.get("VTTC0012U", "/trading/order-cash")) == (200, "OPSQ0002")
    assert code(caller.get("", "/trading/order-cash")) == (500, "EGW02006")


def test_old_ids_are_taken_as_the_new_ones(caller):
    body = {"CANO": CANO, "ACNT_PRDT_CD": "01", "PDNO": "990010", "ORD_DVSN": "00", "ORD_QTY": "1", "ORD_UNPR": "10000"}
    assert code(caller.post("VTTC0802U", "/trading/order-cash", **body)) == (200, "40600000")
    assert code(caller.post("VTTC0801U", "/trading/order-cash", **body)) == (200, "40590000")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"ORD_QTY": 10}, (200, "OPSQ2002")),  # a number where a text belongs
        ({"ORD_QTY": "1.5"}, (200, "OPSQ2002")),
        ({"ORD_QTY": "0"}, (200, "OPSQ2002")),
        ({"ord_unpr": "1"}, (200, "OPSQ2002")),
        ({"CANO": "50000000"}, (200, "OPSQ2000")),
        ({"ORD_DVSN": "03"}, (200, "90000000")),
        ({"EXCG_ID_DVSN_CD": "SOR"}, (200, "90000000")),
        ({"ORD_UNPR": "0"}, (200, "40270000")),
        ({"headers": {"content-type": "text/plain"}}, (500, "EGW00132")),
        ({"headers": {"custtype": "B"}}, (500, "EGW00210")),
        ({"headers": {"custtype": "X"}}, (500, "EGW00208")),
        ({"headers": {"custtype": None}}, (200, "40600000")),
        ({"headers": {"appkey": "X"}}, (500, "EGW00103")),
        ({"ORD_DVSN": "01", "ORD_UNPR": "0"}, (200, "40600000")),
    ],
)
def test_an_order_is_judged_by_its_fields_and_headers(caller, changed, expected):
    assert code(caller.order("buy", "990010", 1, 10_000, **changed)) == expected


def test_a_body_in_pieces_and_one_that_is_no_object_are_refused(caller):
    headers = caller.headers("VTTC0012U")
    address = caller.server.url + DOMESTIC + "/trading/order-cash"
    pieces = caller.session.post(address, headers=headers, data=iter([b'{"CANO":', b'"1"}']), timeout=5)
    assert pieces.json()["msg_cd"] == "EGW00202"
    assert caller.session.post(address, headers=headers, data=b"[1]", timeout=5).json()["msg_cd"] == "EGW00202"


def test_fields_that_are_missing_or_no_dates_are_named(caller):
    assert caller.get("VTTC8434R", "/trading/inquire-balance").body["msg1"].endswith("[CANO]")
    assert code(caller.day_orders(day="2026-11-18")) == (200, "OPSQ2002")
    assert caller.get("FHKST01010100", "/quotations/inquire-price").body["rt_cd"] == "2"


def test_clients_with_another_clock_see_a_token_that_is_good(clock):
    wall = FakeClock(at("09:00:05") + timedelta(days=400))
    with serve(practice_exchange(clock, PRICES), limits=NO_LIMITS, wall=wall) as server:
        body = Caller(server).log_in().body
        assert body["access_token_token_expired"] == "2027-12-24 09:00:05"
        assert body["expires_in"] == 86_400


def test_hash_keys_and_approval_keys_are_given_to_clients_that_ask(caller):
    hashed = requests.post(caller.server.url + "/uapi/hashkey", json={"CANO": "1"}, timeout=5).json()
    assert hashed["BODY"] == {"CANO": "1"}
    assert len(hashed["HASH"]) == 64
    asked = requests.post(caller.server.url + "/oauth2/Approval", json={}, timeout=5).json()
    assert set(asked) == {"approval_key"}
