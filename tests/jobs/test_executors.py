"""The same work in this process, in a pool, and on a real cluster of two workers on loopback."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from quantassay.harness.lazy import Lazy
from quantassay.jobs import executors
from quantassay.jobs.executors import NoCluster, NotAnAddress, Place, WorkLost, spread

CLUSTER = """import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=int(sys.argv[1]), threads_per_worker=1, processes=True, host="127.0.0.1",
                      dashboard_address=None, local_directory=sys.argv[2]) as cluster:
        print(cluster.scheduler_address, *(one.address for one in cluster.workers.values()), flush=True)
        sys.stdin.read()
"""


@contextmanager
def cluster(folder, workers):
    """The addresses of a scheduler and its workers, which live while the block runs."""
    script = folder / "cluster.py"
    script.write_text(CLUSTER)
    command = [sys.executable, "-W", "error", script, str(workers), folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().split()
        finally:
            process.stdin.close()
            process.wait(60)


def test_pieces_are_answered_in_their_order():
    call, pieces = Lazy("builtins:pow", (2,)), [(5,), (3,), (4,)]
    assert spread(call, pieces, Place()) == spread(call, pieces, Place(2)) == [32, 8, 16]


def test_a_pool_works_in_other_processes():
    call, pieces = Lazy("os:getpid"), [(), ()]
    assert spread(call, pieces, Place()) == [os.getpid()] * 2
    assert os.getpid() not in spread(call, pieces, Place(2))


def test_what_a_piece_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        spread(Lazy("builtins:divmod", (1,)), [(0,), (1,)], Place(2))


def test_a_worker_that_is_ended_is_named():
    with pytest.raises(WorkLost, match=r"a worker process ended before its piece was done .*`--jobs 1`"):
        spread(Lazy("os:_exit"), [(1,), (1,)], Place(2))


@pytest.mark.parametrize(
    "address",
    ["here", "tcp://here", "http://127.0.0.1:80", "tcp://127.0.0.1:0", "127.0.0.1:8786", "tcp://127.0.0.1:99999"],
)
def test_an_address_that_is_none(address):
    with pytest.raises(NotAnAddress, match="write it like tcp://"):
        spread(Lazy("os:getpid"), [()], Place(1, address))


def test_without_the_extra_a_sentence_says_what_to_install(desk, tmp_path):
    (tmp_path / "distributed.py").write_text("raise ModuleNotFoundError('distributed')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = desk.process("calibration", "sweep", "--scheduler", "tcp://127.0.0.1:8786", environment=environment)
    assert done.returncode == 2
    assert "pip install quantassay[cluster]" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_answers(desk):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        done = desk.process("calibration", "sweep", "--scheduler", address)
    assert done.returncode == 2
    assert f"no scheduler answers within {executors.ANSWER_S} s" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_bytes_on_a_cluster_of_two_workers(desk, tmp_path):
    study = "hsms_buy_foreign_window"
    assert desk.run("calibration", "sweep", study, "--values", "3,7", "-j", "1", "--out", tmp_path / "here").code == 0
    with cluster(tmp_path, 2) as (scheduler, worker, _):
        said = desk.process("calibration", "sweep", study, "--scheduler", scheduler, "--out", tmp_path / "there")
        wrong = desk.process("calibration", "sweep", "--scheduler", worker)
    assert (said.returncode, said.stderr) == (0, "")
    assert (tmp_path / "there").read_bytes() == (tmp_path / "here").read_bytes()
    assert wrong.returncode == 2
    assert "answers and no scheduler" in wrong.stderr


def test_a_cluster_without_workers(desk, tmp_path):
    with cluster(tmp_path, 0) as (scheduler,):
        done = desk.process("calibration", "sweep", "--scheduler", scheduler)
    assert done.returncode == 2
    assert "it has no worker" in done.stderr


def test_workers_with_other_code_are_refused():
    class Client:
        def run(self, call):
            return {"tcp://127.0.0.1:1": call(), "tcp://127.0.0.1:2": "sha256:other"}

    with pytest.raises(NoCluster, match=r"its worker tcp://127\.0\.0\.1:2 has another quantassay"):
        executors._check_code(Client(), "tcp://127.0.0.1:3")
