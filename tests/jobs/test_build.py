"""The build from the outside: killed anywhere, in many processes, in any environment, beside another run."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TABLE = "import polars as pl\nfrom quantassay.domain.table import Table\n"
# Ends the process, as kill -9 would, at the N-th event of the given kinds: before the file is touched.
KILLED_AT = """
import os, signal, sys
left, kinds = int(sys.argv[1]), ("open", "os.rename", "os.remove", "os.mkdir", "os.truncate")
def count(event, arguments):
    global left
    if event in kinds and not (event == "open" and arguments[1] == "r"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
from quantassay import cli
sys.addaudithook(count)
code = cli.run(sys.argv[2:])
print(left)
sys.exit(code)
"""


@pytest.fixture
def pair(toy):
    """Limits -> first -> second."""
    toy.write("spec/10_limits.yaml", "days: 4\n")
    toy.builder("first", "limits", "return {'n': limits['days'], 'x': [1, 2, 3]}")
    toy.builder("second", "first", "return {'twice': first['n'] * 2}")
    return toy


@pytest.fixture
def chain(pair):
    """Limits -> first -> second -> third."""
    pair.builder("third", "second, as_of", "return {'sum': second['twice'] + 1, 'as_of': as_of}")
    return pair


def killed_at(toy, event):
    """Build and be killed at this event; how many events were left when the build came to its end before."""
    command = [sys.executable, "-c", KILLED_AT, str(event), "-C", str(toy.root), "build"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1])


def events_of(toy):
    return 1000 - killed_at(toy, 1000)


def undisturbed(toy, folder):
    """What Temp/ holds after one build of the same workspace elsewhere, never built before."""
    shutil.copytree(toy.root, folder, ignore=shutil.ignore_patterns("Temp", "facts.cache"))
    there = type(toy)(folder, toy.capsys)
    there.write("spec/00_workspace.yaml", (toy.root / "spec/00_workspace.yaml").read_text())
    # In a process of its own: this one may have been started with another harness than lies there now.
    assert there.process("build").returncode == 0
    return there.temp()


@pytest.mark.parametrize("state", ["never built", "built before", "killed before"])
def test_a_build_killed_at_any_point_is_made_good_by_the_next(pair, tmp_path, state):
    start = tmp_path / "start"
    if state != "never built":
        assert pair.run("build").code == 0
    pair.write("spec/10_limits.yaml", "days: 5\n")
    expected = undisturbed(pair, tmp_path / "undisturbed")
    shutil.copytree(pair.root, start)
    events = events_of(pair)
    assert events > 8
    for event in range(1, events + 1, 2 if state == "killed before" else 1):
        shutil.rmtree(pair.root)
        shutil.copytree(start, pair.root)
        assert killed_at(pair, event) is None
        if state == "killed before":
            # Another change, another kill at the same point, and back: what lies there is two builds behind.
            pair.write("spec/10_limits.yaml", "days: 6\n")
            killed_at(pair, event)
            pair.write("spec/10_limits.yaml", "days: 5\n")
        done = pair.process("build")
        assert (done.returncode, done.stderr) == (0, ""), f"killed at event {event} of {events}"
        assert pair.temp() == expected, f"killed at event {event} of {events}"


def test_a_build_killed_at_odd_moments_is_made_good_by_the_next(chain, tmp_path):
    for number in range(12):
        chain.write("spec/10_limits.yaml", f"days: {number}\n")
        process = chain.start("build")
        time.sleep(0.02 * number)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert chain.process("build").returncode == 0
    assert chain.temp() == undisturbed(chain, tmp_path / "undisturbed")


# Two runs in one workspace.


def running(toy, *arguments):
    """A build that has begun its first step, which takes a second."""
    toy.builder("slow", "limits", "import time\ntime.sleep(1)\nreturn {'n': limits['days']}")
    process = toy.start("build", *arguments)
    lock = toy.root / "data/locks/build.lock"
    deadline = time.monotonic() + 60
    while not (lock.exists() and lock.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


def test_a_second_run_is_told_who_is_at_work(chain):
    first = running(chain)
    done = chain.run("build", "--wait", "0")
    said, _ = first.communicate()
    assert (done.code, done.out) == (2, "")
    assert f"assay: process {first.pid} (`assay -C {chain.root} build`) is at work in this workspace" in done.err
    assert (first.returncode, said.splitlines()[-1]) == (0, "4 built")


def test_a_second_run_waits_and_then_sees_what_the_first_has_done(chain):
    first = running(chain)
    done = chain.process("build", "--wait", "60")
    first.communicate()
    assert (done.returncode, done.stdout, done.stderr) == (0, "4 kept\n", "")


def test_the_workspace_is_free_after_kill_9(chain):
    first = running(chain)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    done = chain.run("build", "--wait", "0")
    assert (done.code, done.out.splitlines()[-1]) == (0, "4 built")


def test_a_dry_run_does_not_wait(chain):
    first = running(chain)
    done = chain.run("build", "--dry-run", "--wait", "0")
    first.communicate()
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_is_one_line_and_its_own_exit_code(chain, jobs):
    first = running(chain, "--jobs", jobs)
    time.sleep(0.3)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate()
    assert (first.returncode, said.strip()) == (130, "assay: stopped")
    assert chain.run("build").code == 0


# Many processes.


@pytest.fixture
def wide(chain):
    chain.builder("bars", "limits", "return Table(pl.DataFrame({'k': ['b', 'a'], 'x': [0.1, 0.2]}), ('k',))", TABLE)
    for name in "abcd":
        chain.builder(name, "bars, first", "return {'rows': bars.height, 'n': first['n']}")
    return chain


def test_two_processes_make_the_same_bytes(wide, tmp_path):
    expected = undisturbed(wide, tmp_path / "undisturbed")
    done = wide.process("build", "--jobs", "2")
    assert (done.returncode, done.stdout.splitlines()[-1], done.stderr) == (0, "8 built", "")
    assert wide.temp() == expected
    assert wide.process("build", "-j2").stdout == "8 kept\n"


FAILING = [
    ("return {'x': 1 / 0}", 3, "builders/b.py:5:1: building b failed: ZeroDivisionError: division by zero"),
    ("return {'x': (1,)}", 2, "builders/b.py made no artifact: /data/x is a tuple"),
    ("import os\nos.listdir('/etc')\nreturn {}", 2, "builders/b.py reached outside of what it was given: os.listdir"),
    ("import nowhere_at_all", 3, "builders/b.py:5:1: building b failed: ModuleNotFoundError"),
    ("raise SystemExit(0)", 3, "builders/b.py:5:1: building b failed: SystemExit: 0"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "says"), FAILING)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_builder_that_fails_harms_no_other(wide, jobs, body, code, says):
    wide.builder("b", "bars, first", body)
    done = wide.run("build", "--jobs", jobs)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert "Traceback" not in done.err
    if code == 3:
        log = Path(done.err.split("the details are in ")[1].partition(";")[0])
        assert "Traceback" in log.read_text(encoding="utf-8")
        log.unlink()
    assert not (wide.root / "Temp/b_v1.json").exists()
    assert wide.made("first")["data"]["n"] == 4
    wide.builder("b", "bars, first", "return {'rows': bars.height, 'n': first['n']}")
    assert wide.run("build").code == 0
    assert wide.made("b")["data"] == {"rows": 2, "n": 4}


def test_a_worker_that_dies_is_one_sentence(wide):
    wide.builder("b", "limits", "import os\nos._exit(5)")
    done = wide.run("build", "--jobs", "2")
    assert done.code == 3
    assert "a worker process ended while it built " in done.err
    assert "run again with `--jobs 1`" in done.err


# Anywhere.

PLACES = [
    {"TZ": "Asia/Seoul", "PYTHONHASHSEED": "1", "LC_ALL": "C"},
    {"TZ": "America/New_York", "PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "LANG": "ko_KR.UTF-8"},
    {"TZ": "UTC", "PYTHONHASHSEED": "random", "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONDONTWRITEBYTECODE": "1"},
]


def test_the_bytes_are_the_same_in_any_environment(wide, tmp_path):
    wide.write("spec/11_names.yaml", 'names: {b: "삼성전자", a: "SK하이닉스"}\nshares: [0.1, 2.5]\n')
    wide.write(
        "spec/schemas/named_v1.schema.json",
        '{"items": {"x-digits": 1}, "additionalProperties": {"items": {"x-digits": 1}}}',
    )
    wide.builder("named", "names", "return {'names': list(names['names'].values()), 'shares': names['shares']}")
    expected = undisturbed(wide, tmp_path / "undisturbed")
    for number, (place, umask) in enumerate(zip(PLACES, (0o000, 0o077, 0o022), strict=True)):
        folder = tmp_path / str(number) / "a name with spaces, 한글"
        shutil.copytree(wide.root, folder)
        there = type(wide)(folder, wide.capsys)
        done = there.process("build", environment={"PATH": os.environ["PATH"], **place}, umask=umask, cwd="/")
        assert done.returncode == 0, done.stderr
        assert there.temp() == expected
        # Names, as they stand in a spec, come in one order from the file and from the cache.
        assert b'"names":["SK' in expected["Temp/named_v1.json"]


HEAVY = (
    "concurrent", "csv", "decimal", "difflib", "jinja2", "jsonschema_rs", "logging", "multiprocessing", "numpy",
    "orjson", "polars", "rfc8785", "shutil", "sqlite3", "tempfile", "traceback", "unicodedata", "yaml",
    "quantassay.harness.produce",
)  # fmt: skip


def test_a_run_with_nothing_to_do_loads_nothing_heavy(chain):
    assert chain.process("build").returncode == 0
    code = f"import sys\nfrom quantassay import cli\ncli.run(['build'])\nprint(sorted({set(HEAVY)} & set(sys.modules)))"
    # From inside: click itself loads difflib for an option of one letter.
    done = subprocess.run([sys.executable, "-c", code], cwd=chain.root, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["3 kept", "[]"], done.stderr
