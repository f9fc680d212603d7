"""The run command: its words, its JSON, its exit codes; and that the next run makes good what a kill left behind."""

import json
import shutil
import subprocess
import sys

# Runs `assay run` again and again, each time in a child that ends as kill -9 would at one more event that changes
# the disk, before it happens, and then a run that must make good what lies there. Forks, because loading the program
# takes longer than running it; that is why nothing here may have started a thread.
KILLED_EVERYWHERE = """
import os, shutil, signal, sys
from pathlib import Path
from quantassay import cli
from quantassay.harness import files, ledger

start, root = sys.argv[1:]
kinds = ("open", "os.rename", "os.remove", "os.mkdir", "os.truncate")

def killed_at(event):
    child = os.fork()
    if child == 0:
        left = [event]
        def count(kind, arguments):
            if kind in kinds and not (kind == "open" and arguments[1] == "r"):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        os._exit(run())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def run():
    return cli.run(["-C", root, "-q", "run"])

def lying():
    record = files.digest(Path(root, "Temp/gate_record_v1.json"))
    found = {path: path.read_bytes() for path in sorted(Path(root, "Temp").rglob("*")) if path.is_file()}
    return found, ledger.last(Path(root, "data/gate_ledger.jsonl")).record == record

def again():
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(start, root)

again()
print(run())
wanted = lying()
assert wanted[1]
assert Path("/proc/self/status").read_text().split("Threads:")[1].split()[0] == "1"
for event in range(1, 3000, 3):
    again()
    code = killed_at(event)
    print(event, code, run(), lying() == wanted, flush=True)
    if code != -signal.SIGKILL:
        break
"""


def record(toy):
    return toy.made("gate_record")["data"]


def test_what_a_run_did(house):
    first = house.run("run")
    assert (first.code, first.err) == (0, "")
    lines = first.out.splitlines()
    assert lines[0] == "artifacts: 2 built"
    assert "passed: 0 errors, 0 warnings, 0 notes; 2 things judged by 2 gates" in lines
    assert lines[-2:] == ["report: Temp/orders_v1.md", "as of 2026-01-05T10:00:00+09:00: PASSED"]


def test_a_run_without_anything_to_do_says_so(done):
    assert done.run("run").out.splitlines() == [
        "nothing has changed: everything is kept",
        "gate: passed (2 things judged by 2 gates), unchanged",
        "report: Temp/orders_v1.md (kept)",
        "as of 2026-01-05T10:00:00+09:00: PASSED",
    ]


def test_quiet_speaks_only_of_what_is_wrong(done):
    assert done.run("-q", "run").out == ""
    done.write("spec/10_limits.yaml", "lot: 7\n")
    red = done.run("-q", "run")
    assert red.code == 1
    assert "/orders/1/quantity" in red.out


def test_a_red_gate_stays_exit_1_and_is_told_where_to_look(done):
    done.write("spec/10_limits.yaml", "lot: 7\n")
    red = done.run("run")
    assert red.code == 1
    assert "  error  R01.1  Temp/plan_v1.json /orders/1/quantity" in red.out
    assert red.out.endswith("as of 2026-01-05T10:00:00+09:00: NOT PASSED\n")
    again = done.run("run")
    assert (again.code, again.out.splitlines()[1:3]) == (
        1,
        ["gate: failed (2 things judged by 2 gates), unchanged", "  `assay gate` says what is wrong"],
    )


def test_a_gate_that_crashed_stays_exit_3(done):
    done.write("validators/lots.py", (done.root / "validators/lots.py").read_text().replace("% 10", "% 0"))
    assert done.run("run").code == 3
    assert record(done)["counts"]["crashed"] == 1
    assert done.run("run").code == 3


def test_the_json_tells_the_same(done):
    assert json.loads(done.run("run", "--format", "json").out) == {
        "passed": True,
        "as_of": "2026-01-05T10:00:00+09:00",
        "artifacts": [
            {"name": "history", "status": "kept", "why": []},
            {"name": "plan", "status": "kept", "why": []},
        ],
        "gate": record(done)["counts"],
        "reports": [{"file": "Temp/orders_v1.md", "made": False, "problems": []}],
    }
    done.write("spec/10_limits.yaml", "lot: 7\n")
    red = done.run("run", "--format", "json")
    told = json.loads(red.out)
    assert (red.code, told["passed"], told["gate"]["errors"]) == (1, False, 1)
    assert {"name": "plan", "status": "built", "why": ["input limits changed"]} in told["artifacts"]


def test_a_run_with_nothing_to_do_loads_nothing_heavy(done):
    heavy = {"jinja2", "jsonschema_rs", "numpy", "polars", "sqlite3", "yaml", "quantassay.harness.render"}
    code = f"import sys\nfrom quantassay import cli\nprint(cli.run(['-q', 'run']), {heavy} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=done.root, capture_output=True, text=True, check=False)
    assert ran.stdout == "0 set()\n", ran.stderr


def test_a_run_killed_at_any_point_is_made_good_by_the_next(done, tmp_path):
    # Without the table: polars would bring threads, and a copy of them does not live on in a child.
    (done.root / "builders/history.py").unlink()
    done.write("spec/10_limits.yaml", "lot: 20\n")
    shutil.copytree(done.root, tmp_path / "start")
    ran = subprocess.run(
        [sys.executable, "-c", KILLED_EVERYWHERE, tmp_path / "start", tmp_path / "killed"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stderr == ""
    first, *killed, last = ran.stdout.splitlines()
    assert first == "0"
    assert len(killed) > 15
    assert killed == [f"{3 * number + 1} -9 0 True" for number in range(len(killed))]
    assert last == f"{3 * len(killed) + 1} 0 0 True"
