import sys

import pytest

from quantassay.domain.trading.book import NewOrder
from quantassay.kis import domestic, rehearsal
from quantassay.kis.client import Client
from quantassay.kis.connection import REAL_URL, VIRTUAL_URL, Connection, ModeMismatch, certificate, fingerprint

KEY, SECRET, ACCOUNT = "K" * 36, "S" * 180, "12345678-01"
OPENED = []


def note(event, arguments):
    if event.startswith("socket.") and WATCH[0]:
        OPENED.append((event, arguments))


WATCH = [False]
sys.addaudithook(note)


def connection(tmp_path, environment, url, **changes):
    given = dict.fromkeys(("pace_s", "connect_timeout_s", "read_timeout_s"), 1)
    given |= {"app_key": KEY, "app_secret": SECRET, "account_number": ACCOUNT, "state": tmp_path}
    return Connection(**{"environment": environment, "base_url": url, **given, **changes})


@pytest.mark.parametrize(
    ("environment", "url", "letter"),
    [
        ("virtual", VIRTUAL_URL, "V"),
        ("real", REAL_URL, "T"),
        ("rehearsal", "http://127.0.0.1:18080", "V"),
        ("rehearsal", "http://[::1]:18080", "V"),
        ("rehearsal", "http://localhost:18080", "V"),
    ],
)
def test_what_belongs_together_has_a_certificate(tmp_path, environment, url, letter):
    found = certificate(connection(tmp_path, environment, url))
    assert (found.environment, found.host, found.transactions) == (environment, url.partition("//")[2], letter)
    assert (found.key, found.account) == (fingerprint(KEY), fingerprint(ACCOUNT))
    assert KEY not in repr(found)
    assert ACCOUNT not in repr(found)


WRONG = [
    ("virtual", REAL_URL, {}, "its one server is"),
    ("real", VIRTUAL_URL, {}, "its one server is"),
    ("virtual", "http://127.0.0.1:18080", {}, "its one server is"),
    ("virtual", "http://openapivts.koreainvestment.com:29443", {}, "its one server is"),
    ("virtual", VIRTUAL_URL + ".example", {}, "is none"),
    ("real", "https://openapi.koreainvestment.com.example:9443", {}, "its one server is"),
    ("rehearsal", REAL_URL, {}, "another machine"),
    ("rehearsal", VIRTUAL_URL, {}, "another machine"),
    ("rehearsal", "http://127.0.0.1.example:18080", {}, "another machine"),
    ("rehearsal", "http://10.0.0.1:18080", {}, "another machine"),
    ("rehearsal", "http://127.0.0.1:18080@10.0.0.1:80", {}, "login"),
    ("rehearsal", "http://127.0.0.1:18080/path", {}, "only scheme, host and port"),
    ("rehearsal", "ftp://127.0.0.1:18080", {}, "only scheme, host and port"),
    ("rehearsal", "http://127.0.0.1", {}, "only scheme, host and port"),
    ("paper", "http://127.0.0.1:1", {}, "no environment of KIS"),
    ("virtual", VIRTUAL_URL, {"app_key": "K" * 35}, "these have 35 and 180"),
    ("virtual", VIRTUAL_URL, {"app_secret": ""}, "missing"),
    ("virtual", VIRTUAL_URL, {"app_secret": "S" * 179 + "\n"}, "missing or holds a blank"),
    ("virtual", VIRTUAL_URL, {"app_key": rehearsal.APP_KEY}, "that of the practice server"),
    ("real", REAL_URL, {"app_secret": "short"}, "these have 36 and 5"),
    ("virtual", VIRTUAL_URL, {"account_number": "1234567801"}, "eight digits"),
    ("real", REAL_URL, {"pinned_key": "0" * 12}, "is the one that was approved"),
]


@pytest.mark.parametrize(("environment", "url", "changes", "says"), WRONG)
def test_what_does_not_opens_no_socket(tmp_path, clock, environment, url, changes, says):
    given = connection(tmp_path, environment, url, **changes)
    OPENED.clear()
    WATCH[0] = True
    try:
        with pytest.raises(ModeMismatch, match=says) as refused:
            Client(given, clock)
    finally:
        WATCH[0] = False
    assert OPENED == []
    assert not any(secret in str(refused.value) for secret in (KEY[:30], SECRET[:30], ACCOUNT))
    assert list(tmp_path.iterdir()) == []


def test_the_hook_does_see_what_opens_one(client):
    OPENED.clear()
    WATCH[0] = True
    try:
        client.get(domestic.endpoints.PRICE, {})
    finally:
        WATCH[0] = False
    assert any(event == "socket.connect" for event, _ in OPENED)


def test_a_connection_that_changes_under_its_client_sends_nothing_more(client, server, kis, tmp_path):
    server.say(kis.good(output={}))
    client.get(domestic.endpoints.PRICE, {})
    sent = len(server.seen)
    client.connection = server.connection(tmp_path, account_number="12345678-01")
    with pytest.raises(ModeMismatch, match="not the one it began with"):
        domestic.order(client, NewOrder("005930", "buy", 1, 1000))
    assert len(server.seen) == sent


def test_a_transaction_of_another_environment_is_not_sent(client, server):
    client.get(domestic.endpoints.PRICE, {})
    sent = len(server.seen)
    wrong = domestic.endpoints.Call("balance", "GET", "/x", "TTTC8434R", "TTTC8434R")
    with pytest.raises(ModeMismatch, match="the transaction TTTC8434R is not of it"):
        client.get(wrong, {})
    wrong = domestic.endpoints.Call("buy", "POST", "/x", "TTTC0012U", "TTTC0012U")
    with pytest.raises(ModeMismatch, match="the transaction TTTC0012U is not of it"):
        client.post(wrong, {})
    assert len(server.seen) == sent


def test_nothing_shows_a_secret(tmp_path, client):
    given = connection(tmp_path, "virtual", VIRTUAL_URL)
    shown = [repr(given), str(given), repr(client), f"{Client(given, client.clock)!r}"]
    for secret in (KEY, SECRET, ACCOUNT, rehearsal.APP_KEY, rehearsal.APP_SECRET):
        assert not any(secret in text for text in shown)
