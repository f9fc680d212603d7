"""`assay sandbox` on the sample desk: what it is made of, what it says, how it ends, and what it refuses."""

import signal
import socket
import subprocess
import sys

import pytest
import requests

from quantassay.kis.rehearsal import ACCOUNT, APP_KEY, APP_SECRET
from quantassay.sandbox.exchange import Wish
from quantassay.sandbox.workspace import rehearsal


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_it_serves_the_desks_own_account_on_the_desks_own_bars(desk):
    made = rehearsal(desk.root, "", "")
    market = made.exchange
    assert (made.account, made.begins.isoformat()[:19]) == ("rehearsal", "2026-11-19T10:00:05")
    assert (market.cash(ACCOUNT), market.positions(ACCOUNT)["990040"]) == (20_000_000, 800)
    session = market.tape.session("990040", market.today())
    assert (session.base, session.upper, session.lower) == (1_915, 2_485, 1_341)
    assert session.bar.volume > 0
    assert session.bar != market.tape.session("990040", market.tape.session_from(market.today(), 1)).bar
    sold = market.submit(ACCOUNT, Wish("990040", "sell", 800, session.lower))
    assert (sold.filled, sold.fills[0].price) == (800, session.bar.open)
    assert sold.fills[0].fee == -(-800 * session.bar.open * 147 // 100_000)  # 14.7 basis points of spec/18_costs.yaml
    other = rehearsal(desk.root, "desk", "2026-11-18T15:45:00+09:00").exchange
    assert other.cash(ACCOUNT) == 10_000_000
    assert other.submit(ACCOUNT, Wish("990040", "buy", 1, 1_900)).code == "40580000"


def test_it_runs_until_it_is_ended_and_tells_what_happened(desk, port, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text("- {at: price, nth: 1, do: http_500_body}\n")
    process = desk.start("sandbox", "--port", port, "--faults", plan)
    try:
        said = [process.stdout.readline().strip() for _ in range(4)]
        _ask(port)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert said[0].startswith(f"practice server at http://127.0.0.1:{port}; its clock shows 2026-11-19T10:00:05+09:00")
    assert said[1] == "account rehearsal: 20,000,000 won, 4 holdings; 62 names trade"
    assert said[2] == "1 rows of faults will strike"
    assert "assay trade next-open --account rehearsal --at 2026-11-19T10:00:05+09:00" in said[3]
    told = rest.splitlines()
    assert [line.split()[1:] for line in told[:2]] == [
        ["token", "200"],
        ["price", "990040", "500", "EGW00002", "(http_500_body)"],
    ]
    assert told[2] == "0 orders, 0 of them filled; 4 holdings, 20,000,000 won; nothing of it is kept"
    assert (process.returncode, errors) == (0, "")


def _ask(port):
    url = f"http://127.0.0.1:{port}"
    keys = {"appkey": APP_KEY, "appsecret": APP_SECRET}
    token = requests.post(url + "/oauth2/tokenP", json={"grant_type": "client_credentials", **keys}, timeout=5).json()[
        "access_token"
    ]
    headers = {**keys, "authorization": f"Bearer {token}", "tr_id": "FHKST01010100", "custtype": "P"}
    requests.get(url + "/uapi/x", headers=headers, params={"FID_INPUT_ISCD": "990040"}, timeout=5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--account", "nobody"], "spec/20_accounts.yaml has no account 'nobody'; it has sample, desk, rehearsal"),
        (["--at", "noon"], "'noon' is no instant with a zone"),
        (["--faults", "none.yaml"], "none.yaml cannot be read as a plan of faults"),
        (["--port", "0"], "Invalid value for '--port'"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(desk, options, says):
    done = desk.run("sandbox", *options)
    assert done.code == 2
    assert says in done.err


def test_a_port_that_is_taken_is_one_sentence(desk):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = desk.run("sandbox", "--port", taken.getsockname()[1])
    assert done.code == 2
    assert "end what does, or say --port" in done.err


@pytest.mark.parametrize("library", ["starlette", "uvicorn"])
def test_without_the_extra_a_sentence_says_what_to_install(library, tmp_path):
    code = f"import sys; sys.modules[{library!r}] = None\nfrom quantassay.cli import run\nsys.exit(run(['sandbox']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install quantassay[sandbox]" in done.stderr
