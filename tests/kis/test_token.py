import json
import multiprocessing
import stat
from datetime import datetime, timedelta

import pytest

from quantassay.domain.trading.book import NotSent
from quantassay.kis import endpoints
from quantassay.kis.client import Client
from quantassay.kis.connection import fingerprint
from quantassay.kis.pace import CannotShare
from quantassay.kis.token import KOREA, token_from
from quantassay.kis.unreadable import KisUnreadable


def ask(client):
    return client.get(endpoints.PRICE, {})


def token_file(client):
    return client.connection.folder / "token.json"


def test_the_file_is_its_owners_alone_and_lies_under_the_key(client, tmp_path):
    ask(client)
    path = token_file(client)
    assert path.parent == tmp_path / "kis" / fingerprint(client.connection.app_key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert client.connection.app_key not in path.read_text()
    assert client.connection.app_secret not in path.read_text()


def test_a_second_client_takes_the_token_that_is_there(client, server, clock, tmp_path):
    ask(client)
    ask(Client(server.connection(tmp_path), clock))
    assert len(server.tokens) == 1


def test_the_end_of_a_token_is_korean_wall_clock_time():
    now = datetime.fromisoformat("2026-11-20T00:00:00+00:00")
    token = token_from({"access_token": "x" * 40, "access_token_token_expired": "2026-11-21 08:31:12"}, now)
    assert token.expires_at == datetime(2026, 11, 21, 8, 31, 12, tzinfo=KOREA)
    assert token.good(datetime.fromisoformat("2026-11-20T23:21:00+00:00"))
    assert not token.good(datetime.fromisoformat("2026-11-20T23:21:30+00:00"))
    assert "x" * 40 not in repr(token)


def test_a_token_is_renewed_before_its_end_and_not_sooner(client, server, kis, clock):
    ask(client)
    clock.instant = datetime.fromisoformat("2026-11-20T22:49:59+09:00")
    ask(client)
    assert len(server.tokens) == 1
    clock.advance(1)
    server.token_answers = [kis.token(2, "2026-11-21 22:50:00")]
    ask(client)
    assert len(server.tokens) == 2


@pytest.mark.parametrize("body", [{}, {"access_token": 3}, {"access_token": "a\nb" * 9}, {"access_token": "x" * 40}])
def test_an_answer_without_a_token_or_its_end_is_refused_and_not_asked_for_again(client, server, kis, clock, body):
    server.token_answers = [kis.Said(200, body, {})]
    with pytest.raises(KisUnreadable, match="there is no token to ask with"):
        ask(client)
    assert len(server.tokens) == 1
    assert clock.slept == []


def test_the_seconds_count_where_the_end_is_not_said(client, server, kis, clock):
    server.token_answers = [kis.Said(200, {"access_token": "x" * 40, "expires_in": 86400}, {})]
    ask(client)
    said = json.loads(token_file(client).read_text())
    assert datetime.fromisoformat(said["expires_at"]) == clock.now() + timedelta(days=1)


def test_clocks_that_are_apart_are_told_and_cost_one_asking(client, server, kis):
    server.token_answers = [kis.token(1, "2026-11-20 08:00:00")]
    with pytest.raises(KisUnreadable, match="until 2026-11-20 08:00 of Korea, which is over by the clock"):
        ask(client)
    assert len(server.tokens) == 1


@pytest.mark.parametrize("code", ["EGW00133", "EGW00103", "EGW00105"])
def test_a_refusal_of_a_token_is_told_and_never_looped_on(client, server, kis, code):
    server.token_answers = [kis.token_refused(code)]
    with pytest.raises(KisUnreadable, match=code):
        ask(client)
    assert len(server.tokens) == 1
    assert server.calls == []
    outcome = client.post(endpoints.BUY, {})
    assert isinstance(outcome, NotSent)
    assert outcome.wait_s == 61
    assert len(server.tokens) == 1


def test_a_minute_lies_between_two_tokens_whoever_asks(client, server, kis, clock, tmp_path):
    server.token_answers = [kis.token_refused("EGW00133")]
    with pytest.raises(KisUnreadable):
        ask(client)
    clock.advance(15)
    ask(Client(server.connection(tmp_path), clock))
    assert clock.slept == [46.0]
    assert len(server.tokens) == 2


def test_a_revoked_token_costs_one_more_and_no_storm(client, server, kis, clock):
    """A server that takes no token for an hour of maintenance, asked all the time."""
    ask(client)
    server.say(kis.failed("EGW00121", 500))
    start = clock.now()
    while clock.now() - start < timedelta(minutes=20):
        with pytest.raises(KisUnreadable):
            ask(client)
        clock.advance(1)
    assert len(server.tokens) <= 1 + 20
    server.say(kis.good(output={}))
    ask(client)


def test_a_server_that_is_away_does_not_use_up_the_minute(server, clock, tmp_path):
    client = Client(server.connection(tmp_path, base_url="http://127.0.0.1:9"), clock)
    with pytest.raises(KisUnreadable):
        ask(client)
    assert max(clock.slept) <= 4


def test_an_asking_that_was_lost_does(client, server, kis, clock):
    server.token_answers = [kis.SHUT]
    with pytest.raises(KisUnreadable, match=r"closed|RemoteDisconnected|reset"):
        ask(client)
    ask(client)
    assert clock.slept == [61.0]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"host": 1}', "null"])
def test_a_damaged_file_counts_as_none(client, server, text):
    ask(client)
    token_file(client).write_text(text)
    ask(client)
    assert len(server.tokens) == 2
    assert stat.S_IMODE(token_file(client).stat().st_mode) == 0o600


def test_a_token_that_others_could_read_is_not_used(client, server, clock):
    ask(client)
    token_file(client).chmod(0o644)
    clock.advance(120)
    ask(client)
    assert len(server.tokens) == 2
    assert stat.S_IMODE(token_file(client).stat().st_mode) == 0o600


def test_a_token_of_another_server_is_not_used(client, clock, kis, tmp_path):
    ask(client)
    with kis.kis_server() as other:
        ask(Client(other.connection(tmp_path), clock))
        assert len(other.tokens) == 1
    assert clock.slept == []


def test_a_token_from_the_time_to_come_is_not_used(client, server, clock):
    ask(client)
    clock.advance(-7200)
    ask(client)
    assert len(server.tokens) == 2


def test_a_folder_that_cannot_be_written_is_told(client, tmp_path):
    (tmp_path / "kis").write_text("in the way")
    with pytest.raises(CannotShare, match="cannot be written"):
        ask(client)
    assert isinstance(client.post(endpoints.BUY, {}), NotSent)


def in_a_process(kis, url, state, clock, done):
    connection = kis.KisServer.connection(type("At", (), {"url": url})(), state)
    client = Client(connection, clock)
    ask(client)
    client.close()
    done.put(1)


def test_processes_that_begin_together_ask_for_one_token(server, kis, clock, tmp_path):
    fork = multiprocessing.get_context("fork")
    done = fork.Queue()
    started = [fork.Process(target=in_a_process, args=(kis, server.url, tmp_path, clock, done)) for _ in range(4)]
    for one in started:
        one.start()
    for one in started:
        one.join(20)
    assert [one.exitcode for one in started] == [0] * 4
    assert len(server.tokens) == 1
    assert len(server.calls) == 4
