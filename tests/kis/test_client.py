import json
import logging

import pytest

from quantassay.domain.trading.book import NotSent, Refused, Unknown
from quantassay.kis import endpoints, rehearsal
from quantassay.kis.client import Client, Reply
from quantassay.kis.endpoints import NotOffered
from quantassay.kis.unreadable import KisUnreadable

BUSY = ("EGW00201", "EGW00215")
TOKEN = ("EGW00121", "EGW00122", "EGW00123")
AMBIGUOUS = ("EGW00301", "EGW00302", "EGW00300", "EGW00202", "EGW00203", "EGW00303", "EGW00304", "EGW00001")
FINAL = ("EGW00205", "EGW00206", "EGW00208", "EGW00132", "EGW00131", "EGW02007", "EGW02006", "OPSQ2000")


def price(client):
    return client.get(endpoints.PRICE, {"FID_INPUT_ISCD": "005930"})


def buy(client):
    return client.post(endpoints.BUY, {"PDNO": "005930", "ORD_QTY": "1"})


def test_a_question_as_it_is_sent(client, server, kis):
    server.say(kis.good(output={"STCK_PRPR": "1"}))
    reply = price(client)
    asked = server.calls[0]
    assert (asked.method, asked.path) == ("GET", endpoints.PRICE.path)
    assert asked.headers["authorization"] == "Bearer token-number-1"
    assert asked.headers["appkey"] == rehearsal.APP_KEY
    assert asked.headers["appsecret"] == rehearsal.APP_SECRET
    assert (asked.headers["tr_id"], asked.headers["custtype"], asked.headers["tr_cont"]) == ("FHKST01010100", "P", "")
    assert asked.query == {"FID_INPUT_ISCD": "005930"}
    assert reply.body["output"] == {"stck_prpr": "1"}


def test_an_order_as_it_is_sent(client, server):
    buy(client)
    sent = server.calls[0]
    assert sent.body == {"CANO": "50099999", "ACNT_PRDT_CD": "01", "PDNO": "005930", "ORD_QTY": "1"}
    assert sent.headers["content-length"].isdigit()
    assert "transfer-encoding" not in sent.headers
    assert sent.headers["tr_id"] == "VTTC0012U"


@pytest.mark.parametrize("status", [500, 200])
@pytest.mark.parametrize("code", BUSY)
def test_a_throttled_question_is_asked_again_after_a_wait(client, server, clock, kis, code, status):
    server.say(kis.failed(code, status), kis.failed(code, status), kis.good(output={}))
    price(client)
    assert len(server.calls) == 3
    assert clock.slept == [1.0, 2.0]


@pytest.mark.parametrize("what", ["EGW00001", "empty", "html", "array", "no_rt_cd", "RESET", "SHUT", "CUT"])
def test_a_question_that_failed_is_asked_again_and_not_for_ever(client, server, clock, kis, what):
    answers = {
        "EGW00001": kis.failed("EGW00001", 500),
        "empty": kis.Said(500, b"", {}),
        "html": kis.Said(503, b"<html>maintenance</html>", {}),
        "array": kis.Said(200, b"[]", {}),
        "no_rt_cd": kis.Said(200, {"output": {}}, {}),
    }
    server.say(answers.get(what) or getattr(kis, what))
    with pytest.raises(KisUnreadable, match=r"asked 4 times, at last: .*; nothing is concluded"):
        price(client)
    assert len(server.calls) == 4
    assert clock.slept == [1.0, 2.0, 4.0]
    server.say(answers.get(what) or getattr(kis, what), kis.good(output={}))
    assert isinstance(price(client), Reply)


@pytest.mark.parametrize("rt_cd", ["1", "2", "7"])
def test_a_refusal_with_status_200_is_final_whatever_its_number(client, server, kis, rt_cd):
    server.say(kis.failed("APBK0656", 200, "없는 종목   ", rt_cd))
    with pytest.raises(KisUnreadable, match=r"없는 종목 \(APBK0656\); nothing"):
        price(client)
    assert buy(client) == Refused("APBK0656", "없는 종목")
    assert len(server.calls) == 2


@pytest.mark.parametrize("code", FINAL)
def test_what_no_repetition_helps_is_not_repeated(client, server, kis, code):
    server.say(kis.failed(code, 500))
    with pytest.raises(KisUnreadable, match=code):
        price(client)
    assert isinstance(buy(client), Refused)
    assert len(server.calls) == 2


def test_no_connection_is_no_answer_and_no_order(server, clock, tmp_path):
    client = Client(server.connection(tmp_path, base_url="http://127.0.0.1:9"), clock)
    with pytest.raises(KisUnreadable, match=r"asked 4 times, at last: .* refused"):
        price(client)
    assert buy(client) == NotSent("", "there is no token to ask with: Connection refused", 1.0)


def test_no_connection_for_an_order_is_not_sent(client, server):
    price(client)
    server.shutdown()
    server.server_close()
    client.close()
    assert buy(client) == NotSent("", "no connection: Connection refused", 1.0)


@pytest.mark.parametrize("status", [500, 200])
@pytest.mark.parametrize("code", BUSY)
def test_a_throttled_order_is_surely_not_sent_and_not_repeated_here(client, server, kis, code, status):
    server.say(kis.failed(code, status))
    assert buy(client) == NotSent(code, "안 됩니다.", 1.0)
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", [500, 200])
@pytest.mark.parametrize("code", AMBIGUOUS)
def test_an_order_that_the_gateway_lost_is_unknown(client, server, kis, code, status):
    server.say(kis.failed(code, status))
    assert isinstance(buy(client), Unknown)
    assert len(server.calls) == 1


UNCLEAR = [(500, b""), (502, b"<html>"), (200, b""), (200, b"<html>"), (200, b"[1]"), (200, b'{"output": {}}')]
UNCLEAR += [(200, b'{"rt_cd": "0"'), (200, b'{"rt_cd": NaN}'), (500, b'{"rt_cd": "0", "msg_cd": "X"}')]
UNCLEAR += [(500, b'{"rt_cd": "1", "msg_cd": "NEW1"}'), (403, b'{"rt_cd": "1", "msg_cd": "NEW1"}'), (302, b"")]


@pytest.mark.parametrize(("status", "body"), UNCLEAR)
def test_an_order_with_no_clear_answer_is_unknown(client, server, kis, status, body):
    server.say(kis.Said(status, body, {"location": server.url + "/elsewhere"}))
    assert isinstance(buy(client), Unknown)
    assert len(server.calls) == 1


@pytest.mark.parametrize("fault", ["RESET", "SHUT", "CUT"])
def test_an_order_whose_answer_broke_off_is_unknown(client, server, kis, fault):
    server.say(getattr(kis, fault))
    outcome = buy(client)
    assert isinstance(outcome, Unknown)
    assert outcome.why.startswith("sent, and then ")
    assert len(server.calls) == 1


def test_an_order_without_an_answer_in_time_is_unknown(server, clock, kis, tmp_path):
    client = Client(server.connection(tmp_path, read_timeout_s=0.2), clock)
    server.say(kis.HANG, kis.good(output={}))
    assert buy(client) == Unknown("sent, and then no answer in time")
    assert isinstance(buy(client), Reply)
    assert len(server.calls) == 2


def test_an_answer_after_the_time_is_not_taken_for_that_of_the_next_request(server, clock, kis, tmp_path):
    client = Client(server.connection(tmp_path, read_timeout_s=0.2), clock)
    server.say(kis.HANG, kis.good(output={"mine": "1"}))
    buy(client)
    assert price(client).body["output"] == {"mine": "1"}
    assert len({one.connection for one in server.calls}) == 2


@pytest.mark.parametrize("code", TOKEN)
@pytest.mark.parametrize("send", [price, buy])
def test_a_token_that_is_no_longer_taken_is_renewed_once(client, server, clock, kis, send, code):
    price(client)
    clock.advance(3600)
    server.say(kis.failed(code, 200 if send is buy else 500), kis.good(output={}))
    assert isinstance(send(client), Reply)
    assert len(server.tokens) == 2
    assert [one.headers["authorization"][-1] for one in server.calls] == ["1", "1", "2"]


@pytest.mark.parametrize("code", TOKEN)
def test_a_second_refusal_of_a_token_is_the_end(client, server, clock, kis, code):
    server.say(kis.failed(code, 500))
    clock.advance(-3600)
    with pytest.raises(KisUnreadable, match=code):
        price(client)
    assert len(server.tokens) == 2
    clock.advance(3600)
    outcome = buy(client)
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.wait_s) == (code, 61.0)
    assert len(server.tokens) == 3
    assert len(server.calls) == 4


def test_an_order_does_not_wait_out_the_minute_between_two_tokens(client, server, clock, kis):
    price(client)
    clock.advance(20)
    server.say(kis.failed("EGW00121", 500))
    outcome = buy(client)
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.wait_s) == ("EGW00133", 41.0)
    assert clock.slept == []
    assert len(server.tokens) == 1


def test_an_order_does_not_go_over_a_connection_that_the_server_has_closed(client, server, kis):
    server.say(kis.Said(200, {"rt_cd": "0"}, {"x-then": "shut"}))
    for _ in range(5):
        server.gone.clear()
        assert isinstance(buy(client), Reply)
        assert server.gone.wait(10)
    assert len(server.calls) == 5


def test_an_order_whose_turn_comes_too_late_is_not_sent(server, clock, tmp_path):
    client = Client(server.connection(tmp_path, pace_s=20), clock)
    price(client)
    outcome = buy(client)
    assert outcome == NotSent("", "no connection: no turn came in time, and an order that has waited is not sent", 1.0)
    assert len(server.calls) == 1


def test_nothing_that_is_read_or_logged_shows_a_secret(server, clock, kis, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    client = Client(server.connection(tmp_path), clock)
    secrets = (rehearsal.APP_KEY, rehearsal.ACCOUNT, "50099999", "token-number-1", "eyJhbGciOiJIUzI.eyJzdWIiOiJ0b2.x1")
    shown = []
    for told in (*secrets, rehearsal.APP_SECRET):
        server.say(kis.failed("APBK1234", 200, f"{'no ' * 30}: {told}"))
        with pytest.raises(KisUnreadable) as refused:
            price(client)
        shown += [str(refused.value), repr(refused.value), repr(buy(client))]
    shown += [caplog.text, *capfd.readouterr()]
    for secret in (*secrets, rehearsal.APP_SECRET[:40]):
        assert not any(secret in text for text in shown), secret


def test_neither_a_proxy_nor_a_redirect_is_followed(client, server, kis, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.say(kis.Said(307, {"rt_cd": "0"}, {"location": server.url + "/elsewhere"}))
    with pytest.raises(KisUnreadable):
        price(client)
    assert {one.path for one in server.calls} == {endpoints.PRICE.path}


def test_a_connection_is_used_again_and_not_when_it_lay_idle(client, server):
    price(client)
    price(client)
    assert len({one.connection for one in server.calls}) == 1
    client._wire._used_at -= 4
    buy(client)
    assert len({one.connection for one in server.calls}) == 2


def test_what_the_virtual_server_lacks_is_said_without_asking(client, server):
    with pytest.raises(NotOffered, match="does not offer holidays in the environment rehearsal"):
        client.get(endpoints.HOLIDAYS, {})
    assert server.calls == []


def test_the_older_transactions_are_sent_where_the_desk_says_so(server, clock, tmp_path):
    client = Client(server.connection(tmp_path, legacy_ids=True), clock)
    for call in (endpoints.BUY, endpoints.SELL, endpoints.CHANGE):
        client.post(call, {})
    client.get(endpoints.DAY_ORDERS, {})
    client.get(endpoints.BALANCE, {})
    sent = [one.headers["tr_id"] for one in server.calls]
    assert sent == ["VTTC0802U", "VTTC0801U", "VTTC0803U", "VTTC8001R", "VTTC8434R"]


def test_every_transaction_is_of_its_environment():
    calls = [one for one in vars(endpoints).values() if isinstance(one, endpoints.Call)]
    for call in [*calls, *endpoints.OVERSEAS_ORDERS.values()]:
        for letter, ids in (("T", (call.real, call.legacy[0])), ("V", (call.virtual, call.legacy[1]))):
            assert all(endpoints.fits(call, one, letter) for one in ids if one), call
    assert endpoints.OVERSEAS_ORDERS["US", "sell"].virtual == "VTTT1001U"
    assert endpoints.OVERSEAS_ORDERS["US", "sell"].real == "TTTT1006U"


def test_the_longest_time_of_an_order_covers_its_parts(server, tmp_path):
    given = server.connection(tmp_path, connect_timeout_s=3, read_timeout_s=10)
    assert given.longest_post_s == 33


def test_the_payloads_of_errors_mean_what_they_are_said_to(shared, client, server, clock, kis):
    cases = json.loads((shared / "data/kis_payloads/11_errors.json").read_text())["cases"]
    kinds = {"throttled": NotSent, "unsupported": Refused, "permanent": Refused, "AMBIGUOUS": Unknown, "auth": NotSent}
    for case in cases:
        clock.advance(3600)
        response = case["response"]
        server.say(kis.Said(response["status"], response["body"], {}) if response else kis.SHUT)
        before = len(server.calls)
        assert isinstance(buy(client), kinds[case["class"]]), case["name"]
        assert len(server.calls) - before == (2 if case["class"] == "auth" else 1)
