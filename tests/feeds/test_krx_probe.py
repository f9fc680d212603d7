"""A probe asks once, without a login, and tells each kind of answer from the others."""

import importlib.util
import json
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from quantassay.feeds import krx_probe
from quantassay.feeds.krx_probe import CannotAsk, Limits, NoNetwork, attempt

FAKE = Path(__file__).parents[1] / "fakes/krx_site.py"
LIMITS = Limits(connect_s=2, answer_s=0.5, most_bytes=20_000)


def fake():
    spec = importlib.util.spec_from_file_location("krx_site", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site():
    with fake().opened() as opened:
        yield opened


def told(site, mode, **changes):
    site.mode = mode
    tried = attempt(site.probe(**changes), LIMITS)
    request, one, status = tried.answers[0]
    assert request == "short balance"
    return SimpleNamespace(outcome=one.outcome, rows=one.rows, says=one.says, status=status, tried=tried)


@pytest.mark.parametrize(
    ("mode", "outcome", "status", "rows", "says"),
    [
        ("logout", "login_required", 400, None, 'HTTP 400 with the body "LOGOUT", as recorded'),
        ("logout_200", "login_required", 200, None, "where HTTP 400 was recorded"),
        ("logout_json", "login_required", 200, None, "a message that says"),
        ("rows", "answered", 200, 1, "with 1 row in OutBlock_1, without a login"),
        ("rows_500", "unexpected", 500, None, "an object without OutBlock_1"),
        ("dashes", "no_rows", 200, 0, "rows of dashes"),
        ("no_rows", "no_rows", 200, 0, "no row"),
        ("other_json", "unexpected", 200, None, "an object without OutBlock_1"),
        ("array", "unexpected", 200, None, "[1, 2]"),
        ("deep", "unexpected", 200, None, "more than is read"),
        ("maintenance", "maintenance", 200, None, "speaks of maintenance"),
        ("unavailable", "maintenance", 503, None, "try later"),
        ("maintenance_page", "maintenance", 200, None, "a page that speaks of maintenance"),
        ("html", "html", 200, None, "공지 사항"),
        ("login_page", "login_page", 200, None, "asks for a login"),
        ("redirect", "login_page", 302, None, "not followed"),
        ("empty", "unexpected", 200, None, "an empty body"),
        ("large", "unexpected", 200, None, "more than is read"),
        ("slow", "timed_out", None, None, "within 0.5 seconds"),
        ("drip", "timed_out", None, None, "within 0.5 seconds"),
        ("close", "cut_off", None, None, "closed before the answer was whole"),
        ("cut", "cut_off", None, None, "closed before the answer was whole"),
    ],
)
def test_each_kind_of_answer_is_told(site, mode, outcome, status, rows, says):
    got = told(site, mode)
    assert (got.outcome, got.status, got.rows) == (outcome, status, rows)
    assert says in got.says


def test_a_deep_array_that_is_read_whole_is_no_table(site):
    site.mode = "deep"
    tried = attempt(site.probe(), Limits(2, 2, 1_000_000))
    assert tried.answers[0][1].outcome == "unexpected"


def test_each_request_is_made_once_in_the_session_of_the_page(site):
    two = [site.probe()["requests"][0] | {"id": name, "form": {"bld": name}} for name in ("price deviation", "error")]
    tried = attempt(site.probe(requests=two), LIMITS)
    assert [(method, body) for method, _, _, body in site.seen] == [
        ("GET", ""), ("POST", "bld=price+deviation"), ("POST", "bld=error"),
    ]  # fmt: skip
    assert [request for request, _, _ in tried.answers] == ["price deviation", "error"]
    assert all("JSESSIONID=opened" in headers["Cookie"] for _, _, headers, _ in site.seen[1:])
    assert attempt(site.probe(session_page=None), LIMITS).exchanges[0]["request"]["method"] == "POST"
    assert "Cookie" not in site.seen[-1][2]


def test_no_password_is_taken_from_the_machine_and_none_is_kept(site, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login member password hush\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("KRX_ID", "member7")
    monkeypatch.setenv("KRX_PW", "hush7")
    got = told(site, "secrets")
    sent = json.dumps([(headers, body) for _, _, headers, body in site.seen])
    assert "Authorization" not in sent
    assert "member" not in sent
    kept = json.dumps([*got.tried.exchanges, got.says])
    assert got.tried.exchanges[0]["answer"]["headers"]["Set-Cookie"] == krx_probe.LEFT_OUT
    for secret in ("opened", "ABC123", "xyz789", "203.0.113.7", "member", "hush"):
        assert secret not in kept
    assert "ABC123" not in json.dumps([*told(site, "redirect").tried.exchanges])


def test_the_transcript_is_bounded_and_says_what_is_missing(site):
    site.mode = "large"
    answer = attempt(site.probe(), Limits(2, 2, 1_000_000)).exchanges[1]["answer"]
    assert (len(answer["body"]), answer["body_is_whole"]) == (krx_probe.MOST_KEPT, False)
    assert answer["body_bytes"] > 40_000
    cut = told(site, "large").tried.exchanges[1]["answer"]
    assert (cut["body_bytes"], cut["body_is_whole"]) == (20_000, False)
    assert told(site, "logout").tried.exchanges[1]["answer"]["body"] == "LOGOUT"


def test_a_site_that_cannot_be_reached_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    probe = fake().Site.probe(SimpleNamespace(root=f"http://127.0.0.1:{port}"))
    with pytest.raises(NoNetwork, match=rf"127.0.0.1:{port} cannot be reached \(no connection\), so nothing was rec"):
        attempt(probe, LIMITS)
    assert NoNetwork("https://x/", "y").exit_code == 1


def test_a_certificate_that_is_none_and_a_proxy_that_refuses_say_nothing_either(site, monkeypatch):
    probe = site.probe(session_page=site.root.replace("http", "https") + "/")
    with pytest.raises(NoNetwork, match="not one that this machine trusts"):
        attempt(probe, LIMITS)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(NoNetwork, match="the proxy of this machine"):
        attempt(site.probe(), LIMITS)


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://[::1/", "http://a..b/"])
def test_an_address_that_is_none_is_named(url):
    request = {"id": "x", "url": url, "headers": {}, "form": {"a": "b"}, "rows": "r", "refusal": {}}
    with pytest.raises(CannotAsk, match=r"correct it in spec/16_data_gaps_roadmap\.yaml"):
        attempt({"session_page": None, "requests": [request]}, LIMITS)
