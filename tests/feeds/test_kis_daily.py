import importlib.util
import json
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from quantassay.feeds import kis_daily
from quantassay.feeds.day_answers import NoAnswer, Question
from quantassay.feeds.day_bars import Board, read_day
from quantassay.feeds.markets import market_of
from quantassay.kis.client import Client

FAKES = Path(__file__).parents[1] / "fakes"
NOW = datetime.fromisoformat("2026-11-20T21:00:00+09:00")
FRIDAY = date(2026, 11, 20)
QUESTION = Question("XKRX", "KOSPI", "KOSPI", FRIDAY)
NAMES = ["990010", "990020", "990030"]


def fake(name):
    spec = importlib.util.spec_from_file_location(f"fake_{name}", FAKES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


KIS = fake("kis_server")


@pytest.fixture
def server():
    with KIS.kis_server() as running:
        running.token_answers = [KIS.token(1, "2026-11-21 20:00:00")]
        yield running


@pytest.fixture
def boards(server, tmp_path):
    client = Client(server.connection(tmp_path), fake("trading").FakeClock(NOW))
    return kis_daily.Boards(client, lambda board, _: NAMES if board == "KOSPI" else [])


def row(day, **changes):
    given = {"stck_oprc": "100", "stck_hgpr": "110", "stck_lwpr": "90", "stck_clpr": "105", "acml_vol": "7"}
    return {"stck_bsop_date": f"{day:%Y%m%d}", **given, "acml_tr_pbmn": "700", **changes}


def answer(*days, price="105", **changes):
    return KIS.good(output1={"stck_prpr": price}, output2=[row(day, **changes) for day in days])


def clock():
    return NOW


def test_a_board_is_put_together_from_its_names_and_leads_back_to_each(boards, server):
    server.say(answer(FRIDAY), answer(), answer(FRIDAY, price="0"))
    given = boards.ask(QUESTION, clock)
    rows = kis_daily.rows(given.data, QUESTION)
    assert [tuple(one) for one in rows] == [("990010", "100", "110", "90", "105", "7", "700")]
    kept = json.loads(given.data)
    assert (kept["without"], kept["unknown"]) == (["990020"], ["990030"])
    assert kept["rows"]["990010"] == row(FRIDAY)
    assert given.taken_at == NOW
    assert given.request["FID_ORG_ADJ_PRC"] == "1"
    assert [one.query["FID_INPUT_ISCD"] for one in server.calls] == NAMES
    bars = read_day(rows, Board(market_of("XKRX"), FRIDAY, "kis/x.json", NOW, 1, Decimal("0.05")))
    assert bars.frame["close"].to_list() == [105.0]


def test_the_sessions_of_one_run_are_read_once(boards, server):
    days = [FRIDAY - timedelta(days=n) for n in range(3)]
    server.say(answer(*days))
    for day in reversed(days):
        boards.ask(Question("XKRX", "KOSPI", "KOSPI", day), clock)
    assert len(server.calls) == 3
    assert {one.query["FID_INPUT_DATE_1"] for one in server.calls} == {f"{days[-1]:%Y%m%d}"}


def test_one_fault_in_a_row_is_left_to_the_checks_of_rows(boards, server):
    server.say(answer(FRIDAY), answer(FRIDAY, stck_clpr=""), answer(FRIDAY))
    assert [one.close for one in kis_daily.rows(boards.ask(QUESTION, clock).data, QUESTION)] == ["105", "", "105"]


def test_a_board_whose_names_nobody_knows_is_not_asked_for(boards, server):
    with pytest.raises(NoAnswer, match="no bar of the store tells which names KOSDAQ has") as told:
        boards.ask(Question("XKRX", "KOSDAQ", "KOSDAQ", FRIDAY), clock)
    assert (told.value.kind, server.seen) == ("no_names", [])


def test_a_session_without_a_bar_is_no_answer(boards, server):
    server.say(answer())
    with pytest.raises(NoAnswer, match="has no bar of KOSPI on 2026-11-20") as told:
        boards.ask(QUESTION, clock)
    assert told.value.kind == "no_rows"


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [("EGW00103", 403, "wrong_key"), ("EGW02007", 500, "wrong_key"), ("EGW00201", 500, "busy")],
)
def test_one_name_that_cannot_be_read_is_no_board(boards, server, code, status, kind):
    server.say(answer(FRIDAY), KIS.failed(code, status))
    with pytest.raises(NoAnswer, match=code) as told:
        boards.ask(QUESTION, clock)
    assert told.value.kind == kind


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"board": "KOSPI", "session": "2026-11-19", "rows": {}}'])
def test_what_is_no_such_answer_is_refused(data):
    with pytest.raises(NoAnswer, match="what was kept of the broker"):
        kis_daily.rows(data, QUESTION)
