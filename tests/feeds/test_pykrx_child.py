"""pykrx in a process of its own: whatever it does, the parent gets rows or one sentence, in time, and nothing stays."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from quantassay.feeds import pykrx_child
from quantassay.feeds.day_answers import NoAnswer, Question
from quantassay.feeds.pykrx_child import Child, ask, rows

FAKE = Path(__file__).parents[1] / "fakes/pykrx_package.py"
AT = datetime(2026, 11, 18, 10, 13, tzinfo=UTC)
KOSPI = Question("XKRX", "KOSPI", "KOSPI", date(2026, 11, 18))


def package(folder, mode):
    spec = importlib.util.spec_from_file_location("pykrx_package", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.write(folder, mode))


@pytest.fixture
def told(tmp_path, monkeypatch):
    # So that the process can be told from those of other tests by its command.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def told(mode, answer_s=20.0):
        return ask(Child(answer_s, (package(tmp_path / mode, mode),)), KOSPI, lambda: AT)

    return told


def refused(told, mode, answer_s=20.0):
    def rows_of():
        return rows(told(mode, answer_s).data, KOSPI)

    with pytest.raises(NoAnswer) as error:
        rows_of()
    assert error.value.exit_code == 1
    return error.value


def test_rows_come_typed_and_unknown_prices_are_no_zeros(told):
    answer = told("good")
    assert answer.taken_at == AT
    assert answer.request == {
        "method": "pykrx.stock.get_market_ohlcv_by_ticker", "market": "KOSPI", "date": "20261118",
    }  # fmt: skip
    assert json.loads(answer.data)["rows"][0] == [
        "005930", "104200", "105800", "103900", "105300", "17204311", "1806000000000",
    ]  # fmt: skip
    found = {row.ticker: row for row in rows(answer.data, KOSPI)}
    # A halt keeps its zeros beside a close; a close of zero is the dash of the site.
    assert found["068270"][1:6] == ("0", "0", "0", "181500", "0")
    assert found["900140"][1:6] == ("", "", "", "", "")
    assert answer.chatter == ""


@pytest.mark.parametrize("mode", ["floats", "without_value"])
def test_other_types_of_the_same_numbers_are_the_same(told, mode):
    right = [row[:6] for row in rows(told("good").data, KOSPI)]
    assert [row[:6] for row in rows(told(mode).data, KOSPI)] == right


def test_nan_is_unknown(told):
    found = {row.ticker: row for row in rows(told("nans").data, KOSPI)}
    assert found["0126Z0"][1:] == ("",) * 6


def test_what_it_prints_is_kept_and_not_printed(told, capfd):
    answer = told("prints")
    assert "KRX 로그인 실패" in answer.chatter
    assert "warning" in answer.chatter
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("mode", "kind", "says"),
    [
        ("missing", "not_installed", "pykrx cannot be asked: it is not installed; pip install 'quantassay[krx]'"),
        ("no_dependency", "not_installed", "its dependency a_library_that_nobody_has is not installed"),
        ("raises_on_import", "crashed", "it cannot be imported: ConnectionError: data.krx.co.kr cannot be reached"),
        (
            "refused",
            "crashed",
            "no prices in what the site sent, as when the site refuses; the exchange answers only its",
        ),
        ("raises", "crashed", "it raised ValueError: 시가"),
        ("overflows", "bad_answer", "a volume of the day does not fit its 32 bits"),
        ("exits", "crashed", "died without an answer for KOSPI (exit code 7)"),
        ("system_exit", "crashed", "died without an answer for KOSPI (exit code 0)"),
        ("crashes", "crashed", "ended by signal 11"),
        ("empty", "no_rows", "it gave an empty table, as it does when the site refuses as well"),
        ("none", "bad_answer", "its table is of another form"),
        ("halves", "bad_answer", "104200.5 is no whole number"),
        ("texts", "bad_answer", "'104200' is no number"),
        ("infinite", "bad_answer", "inf is no whole number"),
        ("numbers_for_codes", "bad_answer", "a code is no text: 0"),
        ("no_column", "bad_answer", "KeyError: '종가'"),
        ("chatter_for_answer", "bad_answer", "is of the board None, not KOSPI"),
        ("other_day", "bad_answer", "is of the day 20200101, not 20261118"),
    ],
)
def test_each_way_to_fail_is_told_in_one_sentence(told, mode, kind, says):
    error = refused(told, mode)
    assert error.kind == kind
    assert says in error.says
    assert "\n" not in error.says
    assert "hush1234" not in error.says + error.chatter


def test_what_it_printed_before_it_died_is_kept(told):
    assert "about to die" in refused(told, "crashes").chatter


@pytest.mark.parametrize("mode", ["hangs", "hangs_on_import", "ignores_signals", "forks_and_hangs"])
def test_one_that_hangs_is_ended_by_the_clock_with_all_that_it_started(told, tmp_path, mode):
    started = time.monotonic()
    error = refused(told, mode, answer_s=0.7)
    assert (error.kind, error.says) == (
        "too_slow", "pykrx gave no answer for KOSPI within 0.7 seconds and was ended",
    )  # fmt: skip
    assert time.monotonic() - started < 5
    assert left_running(tmp_path) == []


def test_one_that_leaves_a_process_behind_answers_and_it_is_ended(told, tmp_path):
    started = time.monotonic()
    assert len(rows(told("forks").data, KOSPI)) == 6
    assert time.monotonic() - started < 10
    assert left_running(tmp_path) == []


def test_chatter_without_end_fills_no_disk(told):
    error = refused(told, "shouts")
    assert error.kind == "crashed"
    assert len(error.chatter) <= pykrx_child.MOST_CHATTER


def left_running(folder):
    """Processes whose command names the folder; a killed one may need a moment to be gone."""
    for _ in range(50):
        found = [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if names(path, folder)]
        if not found:
            return []
        time.sleep(0.05)
    return found


def names(path, folder):
    try:
        return str(folder).encode() in path.read_bytes()
    except OSError:
        return False


def test_no_login_proxy_or_key_reaches_it(told, monkeypatch):
    for name in ("KRX_ID", "KRX_PW", "AUTH_KEY", "KIS_REAL_APP_KEY", "HTTPS_PROXY", "https_proxy", "AWS_SECRET"):
        monkeypatch.setenv(name, "something")
    passed = {line.split()[1] for line in told("tells_its_environment").chatter.splitlines()}
    own = {"HOME", "MPLCONFIGDIR", "MPLBACKEND", "NETRC", "PYTHONUTF8", "PYTHONUNBUFFERED", "TMPDIR", "LC_CTYPE"}
    assert passed <= {*pykrx_child._PASSED, *own}
    assert rows(told("logs_in").data, KOSPI)


def test_the_parent_never_loads_it(tmp_path):
    package(tmp_path, "raises_on_import")
    code = (
        "import sys\nfrom quantassay.feeds import pykrx_child\nfrom quantassay.jobs import fetch\n"
        "from quantassay.commands import fetch as command\nprint([m for m in sys.modules if 'pykrx' in m])"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['quantassay.feeds.pykrx_child']"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is no whole JSON"),
        (b"[1]", "is no object"),
        (b"[" * 100_000, "is no whole JSON"),
        (b'{"refused": "a good reason"}', "has no list of rows"),
        (b'{"rows": []}', "has no list of rows"),
        (b'{"board": "KOSPI", "day": "20261118", "rows": [["005930", "1"]]}', "has a row 1 of another form"),
        (b'{"board": "KOSPI", "day": "20261118", "rows": [["005930", 1, 1, 1, 1, 1, 1]]}', "no whole numbers in row 1"),
        (b'{"board": "KOSPI", "day": "20261118", "rows": [["005930", "1.5", "1", "1", "1", "1", "1"]]}', "no whole"),
    ],
)
def test_an_answer_of_another_form_is_refused(data, says):
    with pytest.raises(NoAnswer, match=says) as error:
        rows(data, KOSPI)
    assert error.value.kind == "bad_answer"
