"""The exchange's Open API: one answer a board and day, every failure one sentence, the key in none of them."""

import importlib.util
import json
import socket
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from quantassay.feeds import krx_openapi
from quantassay.feeds.day_answers import NoAnswer, Question
from quantassay.feeds.krx_openapi import Limits, Service, ask, rows

FAKE = Path(__file__).parents[1] / "fakes/krx_openapi.py"
DATA = Path(__file__).parents[1] / "data"
AT = datetime(2026, 11, 18, 23, 15, tzinfo=UTC)
LIMITS = Limits(connect_s=2, answer_s=0.5, attempts=4, first_wait_s=1, longest_wait_s=3)
KOSPI = Question("XKRX", "KOSPI", "/svc/apis/sto/stk_bydd_trd", date(2026, 11, 18))
KOSDAQ = Question("XKRX", "KOSDAQ", "/svc/apis/sto/ksq_bydd_trd", date(2026, 11, 18))


def fake():
    spec = importlib.util.spec_from_file_location("krx_openapi_fake", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


KEY = fake().KEY


@pytest.fixture
def api():
    with fake().opened() as opened:
        yield opened


class Asker:
    """Asks the fake service, and keeps how often a call was counted and how long it waited."""

    def __init__(self, api, key=KEY):
        self.counted, self.waits = 0, []
        self.service = Service(api.root, key, LIMITS, self.count)

    def count(self):
        self.counted += 1

    def ask(self, question=KOSPI):
        return ask(self.service, question, lambda: AT, self.waits.append)

    def refused(self, question=KOSPI):
        """The refusal of a question, by the service or by what is read of its answer."""
        with pytest.raises(NoAnswer) as error:
            rows(self.ask(question).data, question)
        assert error.value.exit_code == 1
        assert "\n" not in error.value.says
        assert KEY not in error.value.says + repr(error.value) + error.value.data.decode("utf-8", "replace")
        return error.value


def test_a_board_comes_in_one_answer_with_the_key_in_the_header_alone(api):
    asker = Asker(api)
    answer = asker.ask()
    assert answer.taken_at == AT
    assert answer.request == {"method": "GET", "url": f"{api.root}/svc/apis/sto/stk_bydd_trd", "basDd": "20261118"}
    assert [(path, day, key) for path, day, key, _ in api.seen] == [("/svc/apis/sto/stk_bydd_trd", "20261118", KEY)]
    assert (asker.counted, asker.waits) == (1, [])
    assert [row.ticker for row in rows(answer.data, KOSPI)] == [
        "005930", "000660", "0126Z0", "068270", "207940", "900140", "005935",
    ]  # fmt: skip


def test_a_row_keeps_the_texts_of_the_service():
    data = (DATA / "krx_openapi_kospi.json").read_bytes()
    first, *_, unknown, _ = rows(data, KOSPI)
    assert first == ("005930", "104,200", "105,800", "103,900", "105,300", "17,204,311", "1,806,000,000,000")
    assert unknown == ("900140", "-", "-", "-", "-", "-", "-")
    assert [row.ticker for row in rows((DATA / "krx_openapi_kosdaq.json").read_bytes(), KOSDAQ)][1] == "196170"


def test_numbers_that_are_no_texts_are_taken_digit_by_digit():
    listed = json.loads((DATA / "krx_openapi_kospi.json").read_text())["OutBlock_1"][:1]
    listed[0] |= {"TDD_CLSPRC": 105300, "ACC_TRDVOL": 9007199254740993}
    row = rows(json.dumps({"OutBlock_1": listed}).encode(), KOSPI)[0]
    assert (row.close, row.volume) == ("105300", "9007199254740993")


@pytest.mark.parametrize(
    ("mode", "kind", "says"),
    [
        (
            "401",
            "wrong_key",
            "does not let this key read KOSPI (HTTP 401: Unauthorized API Call); apply for its service",
        ),
        ("403", "wrong_key", "(HTTP 403: a web page)"),
        ("200_401", "wrong_key", "(HTTP 401: Unauthorized Key)"),
        ("200_500", "bad_answer", "which is no answer"),
        ("404", "bad_answer", "answered KOSPI with HTTP 404: no such service, which is no answer"),
        ("redirect", "bad_answer", "HTTP 302"),
        ("empty", "no_rows", "has no figures of KOSPI for 2026-11-18"),
        ("html", "bad_answer", "is a web page, not JSON; it is kept in data/imports/quarantine"),
        ("cut_json", "bad_answer", "is no whole JSON"),
        ("text", "bad_answer", "is no whole JSON"),
        ("deep", "bad_answer", "is no whole JSON"),
        ("nan", "bad_answer", "is no whole JSON"),
        ("twice", "bad_answer", "is no whole JSON"),
        ("array", "bad_answer", "is no object with a list OutBlock_1"),
        ("no_list", "bad_answer", "is no object with a list OutBlock_1"),
        ("no_object", "bad_answer", "has a row 1 that is no object"),
        ("many", "bad_answer", "has 100001 rows, more than a board can have names"),
        ("slow", "too_slow", "gave no whole answer for KOSPI within 0.5 seconds; try again, or raise answer_s"),
        ("drip", "too_slow", "gave no whole answer for KOSPI within 0.5 seconds"),
        ("close", "bad_answer", "ended before the answer for KOSPI was whole (ConnectionError); try again"),
        ("cut", "bad_answer", "ended before the answer for KOSPI was whole"),
        ("echo_200", "bad_answer", "is no object with a list OutBlock_1"),
    ],
)
def test_each_way_to_fail_is_told_in_one_sentence_and_asked_once(api, mode, kind, says):
    api.modes = [mode]
    asker = Asker(api)
    error = asker.refused()
    assert error.kind == kind
    assert says in error.says
    assert (asker.counted, asker.waits, len(api.seen)) == (1, [], 1)


@pytest.mark.parametrize("mode", ["429", "500", "503", "echo"])
def test_a_busy_service_is_asked_again_with_longer_waits_and_each_call_counts(api, mode):
    api.modes = [mode]
    asker = Asker(api)
    error = asker.refused()
    assert error.kind == "busy"
    assert "was busy for KOSPI (HTTP" in error.says
    assert "each of 4 times; try again later" in error.says
    assert (asker.counted, asker.waits, len(api.seen)) == (4, [1, 2, 3], 4)


def test_a_service_that_was_busy_answers_at_last(api):
    api.modes = ["429_wait", "503", "rows"]
    asker = Asker(api)
    assert len(rows(asker.ask().data, KOSPI)) == 7
    # It asked to wait for seven seconds, and no wait is longer than three.
    assert (asker.counted, asker.waits) == (3, [3, 2])


def test_a_wrong_key_is_told_by_the_service_and_not_repeated(api):
    asker = Asker(api, "F" * 40)
    assert asker.refused().kind == "wrong_key"


@pytest.mark.parametrize("key", ["short", "with space in it", "a key\r\nEvil: header", "ключ-к-данным", "x" * 201, ""])
def test_what_can_be_no_key_is_not_sent(api, key):
    with pytest.raises(NoAnswer, match="AUTH_KEY is set to what can be no key") as error:
        Asker(api, key)
    assert (error.value.kind, api.seen) == ("no_key", [])
    assert not key or key not in error.value.says


def test_the_key_stands_in_no_text_of_the_service(api):
    asker = Asker(api)
    assert KEY not in repr(asker.service) + str(asker.service)
    assert asker.service.hidden(f"AUTH_KEY: {KEY}, {KEY.lower()}") == "AUTH_KEY: (not shown), (not shown)"


def test_a_key_is_sent_over_no_open_line():
    with pytest.raises(NoAnswer, match="is not asked over http, which would show the key to the network"):
        Service("http://data-dbg.krx.co.kr", KEY, LIMITS, lambda: None)


def test_a_count_that_refuses_keeps_the_call_from_being_made(api):
    def count():
        raise NoAnswer("over_budget", "all calls were made")

    with pytest.raises(NoAnswer, match="all calls were made"):
        ask(Service(api.root, KEY, LIMITS, count), KOSPI, lambda: AT)
    assert api.seen == []


def test_nobody_there_and_a_proxy_in_the_way_are_told(api, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    service = replace(Asker(api).service, base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(NoAnswer, match=rf"127\.0\.0\.1:{port} cannot be reached; look at the network") as error:
        ask(service, KOSPI, lambda: AT)
    assert error.value.kind == "unreachable"
    secure = replace(service, base_url=api.root.replace("http", "https"))
    with pytest.raises(NoAnswer, match="is not one that this machine trusts") as error:
        ask(secure, KOSPI, lambda: AT)
    assert error.value.kind == "unreachable"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(NoAnswer) as error:
        ask(Asker(api).service, KOSPI, lambda: AT)
    assert error.value.kind == "unreachable"


def test_no_password_is_taken_from_the_machine(api, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login member password hush\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    Asker(api).ask()
    assert "Authorization" not in api.seen[0][3]


def test_an_answer_without_end_is_left(api, monkeypatch):
    monkeypatch.setattr(krx_openapi, "MOST_BYTES", 100)
    error = Asker(api).refused()
    assert error.kind == "bad_answer"
    assert "which is no day of a board" in error.says


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"BAS_DD": "20261117"}, "is of '?20261117'? in row 2, not of 20261118"),
        ({"BAS_DD": None}, "has no text for BAS_DD in row 2"),
        ({"TDD_OPNPRC": None}, "has no text for TDD_OPNPRC in row 2"),
        ({"ACC_TRDVOL": ["1"]}, "has no text for ACC_TRDVOL in row 2"),
        ({"TDD_CLSPRC": True}, "has no text for TDD_CLSPRC in row 2"),
        ({"MKT_NM": "KOSDAQ"}, "is of KOSDAQ in row 2, not of KOSPI"),
        ({"ISU_CD": "KR7005931001"}, "gives the ISIN KR7005931001 in row 2 where the short code must be"),
    ],
)
def test_a_row_of_another_kind_refuses_the_answer(change, says):
    listed = json.loads((DATA / "krx_openapi_kospi.json").read_text())["OutBlock_1"]
    listed[1] |= change
    with pytest.raises(NoAnswer, match=says) as error:
        rows(json.dumps({"OutBlock_1": listed}).encode(), KOSPI)
    assert error.value.kind == "bad_answer"
