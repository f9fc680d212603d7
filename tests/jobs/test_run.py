"""The whole day on real and on sample bars: the judged plans, the same bytes anywhere, two runs at once, kill -9."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import date

import polars as pl

from quantassay.jobs.desk import opened

DAY = "2025-12-17"


def plan(toy):
    return toy.made("next_open_plan")["data"]


def gates(toy):
    """The rules that fail the gate, and its status."""
    record = toy.made("gate_record")["data"]
    return record["status"], {one["rule"] for gate in record["gates"] for one in gate["findings"]}


# The judged days.


def test_the_predecessors_plan_comes_out_exactly(real, edit, shared):
    edit(real, "spec/12_evaluation_bar.yaml", 'policy: "session"', 'policy: "predecessor"')
    done = real.run("run", "--as-of", f"{DAY}T15:40:00+09:00")
    assert (done.code, done.err, gates(real)) == (0, "", ("passed", set()))
    expected = json.loads((shared / "oracles/legacy_next_open_plan_20251218.json").read_bytes())
    made = plan(real)
    assert (len(made["buy_signals"]), len(made["sell_signals"])) == (1, 36)
    assert made["buy_signals"] == expected["buy"]
    assert made["sell_signals"] == expected["sell"]
    assert made["execution_session"].replace("-", "") == expected["for_trading_day"]


def test_no_bar_of_a_session_that_is_not_over_decides(real):
    done = real.run("run", "--as-of", f"{DAY}T10:13:00+09:00")
    assert (done.code, gates(real)) == (1, ("failed", {"R03.8"}))
    made = plan(real)
    assert (len(made["buy_signals"]), len(made["sell_signals"])) == (4, 31)
    assert (made["signal_session"], made["execution_session"]) == ("2025-12-16", "2025-12-18")
    decided = [row["session"] for row in real.made("evaluation_bars")["data"]["names"]]
    assert len(decided) > 50
    assert DAY not in decided
    assert pl.read_parquet(real.root / "Temp/signal_history_v1.parquet")["session"].max() == date(2025, 12, 16)
    bars = [row for row in real.made("data_quality")["data"]["names"] if row["last"] == DAY]
    assert len(bars) == 50, "the bars of that day are there and were left out"


# The same bytes.


PLACES = [
    ({"TZ": "Asia/Seoul", "PYTHONHASHSEED": "1", "LC_ALL": "C"}, 0o077),
    ({"TZ": "Pacific/Honolulu", "PYTHONHASHSEED": "77", "LC_ALL": "C.UTF-8", "LANG": "ko_KR.UTF-8"}, 0o000),
]
FRESH = (
    "import sys; from quantassay.cli import run; sys.exit(run(['-q', 'init', 'desk']) or run(['-Cdesk', '-q', 'run']))"
)


def test_two_fresh_desks_are_the_same_in_any_environment(desk, tmp_path):
    started = []
    for number, (place, umask) in enumerate(PLACES):
        folder = tmp_path / f"{number} 한글"
        folder.mkdir()
        environment = {**os.environ, **place}
        command = [sys.executable, "-c", FRESH]
        started.append((folder / "desk", subprocess.Popen(command, cwd=folder, env=environment, umask=umask)))
    for folder, process in started:
        assert process.wait() == 0
        made = [path for path in sorted((folder / "Temp").rglob("*")) if path.is_file()]
        assert {path.relative_to(folder).as_posix(): path.read_bytes() for path in made} == desk.temp()


def test_a_deleted_temp_comes_back_the_same_state_and_all(desk):
    before, ledger = desk.temp(), (desk.root / "data/gate_ledger.jsonl").read_bytes()
    assert "Temp/state.jsonl" in before
    shutil.rmtree(desk.root / "Temp")
    assert desk.run("run").code == 0
    assert desk.temp() == before
    assert (desk.root / "data/gate_ledger.jsonl").read_bytes() == ledger


def test_two_processes_build_the_same_bytes(desk):
    before, artifacts = desk.temp(), len(opened(desk.root).rooms.builders)
    shutil.rmtree(desk.root / "Temp")
    done = desk.run("build", "--jobs", "2")
    assert (done.code, done.out.splitlines()[-1], done.err) == (0, f"{artifacts} built", "")
    after = desk.temp()
    assert len(after) > 8
    assert {file: after[file] for file in after if "state" not in file} == {
        file: before[file] for file in after if "state" not in file
    }


# Two runs at once, and kill -9.


def test_the_second_of_two_runs_waits_and_takes_over_what_the_first_made(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    both = [desk.start("run", "--wait", "60") for _ in range(2)]
    said = [process.communicate() for process in both]
    assert [(process.returncode, error) for process, (_, error) in zip(both, said, strict=True)] == [(0, ""), (0, "")]
    assert sum(out.startswith("nothing has changed: everything is kept") for out, _ in said) == 1
    assert len((desk.root / "data/gate_ledger.jsonl").read_bytes().splitlines()) == 2
    assert desk.run("verify").code == 0


def test_what_waited_for_a_run_sees_what_the_run_made(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    run = at_work(desk)
    waiting = [desk.start(command, "--wait", "60") for command in ("gate", "render")]
    for process in (run, *waiting):
        _, error = process.communicate()
        assert (process.returncode, error) == (0, "")
    assert desk.run("verify").code == 0


def at_work(toy):
    """A run that holds the workspace."""
    process, lock = toy.start("run"), toy.root / "data/locks/build.lock"
    deadline = time.monotonic() + 30
    while not lock.read_text() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert process.poll() is None, process.communicate()
    return process


def test_a_run_that_will_not_wait_is_told_who_is_at_work(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    first = at_work(desk)
    refused = [desk.run(command, "--wait", "0") for command in ("run", "gate", "render")]
    first.communicate()
    assert first.returncode == 0
    for done in refused:
        assert (done.code, done.out) == (2, "")
        assert f"assay: process {first.pid} (`assay -C {desk.root} run`) is at work in this workspace" in done.err


def test_a_run_that_was_killed_is_made_good_by_the_next(desk, edit):
    edit(desk, "spec/15_hsms.yaml", "average_window: 20", "average_window: 10")
    first = at_work(desk)
    time.sleep(0.3)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert first.returncode == -signal.SIGKILL
    done = desk.run("run", "--wait", "0")
    assert (done.code, done.err) == (0, "")
    assert desk.run("verify").out.endswith(" 0 problems\n")


# Secrets.

SECRET = "PSfakeKey0123456789abcdefghijklmnop"


def shows(toy, done):
    """Where the secret can be read: in what was said, or in a file under Temp/."""
    found = [file for file, data in toy.temp().items() if SECRET.encode() in data]
    return found + [stream for stream in (done.out, done.err) if SECRET in stream]


def test_a_credential_in_a_text_is_refused_and_is_repeated_nowhere(desk, edit):
    edit(desk, "spec/00_workspace.yaml", 'name: "desk"', f'name: "app_key={SECRET}"')
    done = desk.run("run")
    assert (done.code, done.out) == (2, "")
    assert "spec/00_workspace.yaml:2:7: this holds a login, password or key; take it out" in done.err
    assert shows(desk, done) == []


def test_a_credential_in_a_comment_fails_the_gate_and_is_repeated_nowhere(desk, edit):
    edit(desk, "spec/00_workspace.yaml", 'name: "desk"', f'name: "desk"  # app_key={SECRET}')
    done = desk.run("run")
    assert (done.code, gates(desk)) == (1, ("failed", {"R06.1"}))
    assert "spec/00_workspace.yaml:2 " in done.out
    assert shows(desk, done) == []


def test_a_key_for_a_credential_is_refused_and_its_line_is_not_shown(desk, edit):
    key = f'    environment: paper\n    app_key: "{SECRET}"\n'
    edit(desk, "spec/20_accounts.yaml", "    environment: paper\n", key)
    for command in ("run", "specs check", "status", "gate", "verify"):
        done = desk.run(*command.split())
        assert done.code == 2
        assert "spec/20_accounts.yaml:15:5: the key 'app_key' is not known here" in done.out + done.err
        assert shows(desk, done) == []
