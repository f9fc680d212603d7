import itertools
import multiprocessing
import stat
import threading
import time
from datetime import UTC, datetime

import pytest

from quantassay.jobs.clock import ShiftedClock, SystemClock
from quantassay.kis import endpoints
from quantassay.kis.client import Client
from quantassay.kis.pace import Pace


def test_requests_are_spaced_as_they_are_sent_and_use_the_rate_up(server, clock, tmp_path):
    server.tick = lambda: clock.now().timestamp()
    client = Client(server.connection(tmp_path, pace_s=1.05), clock)
    for _ in range(30):
        client.get(endpoints.PRICE, {})
    at = [one.at for one in server.seen]
    gaps = [later - sooner for sooner, later in itertools.pairwise(at)]
    assert min(gaps) >= 1.0
    assert len(gaps) / (at[-1] - at[0]) >= 0.9


def test_a_pause_is_no_reason_to_wait(server, clock, tmp_path):
    client = Client(server.connection(tmp_path, pace_s=1.05), clock)
    client.get(endpoints.PRICE, {})
    clock.slept.clear()
    clock.advance(30)
    # The machine's own time has not gone by, and it is the machine's that other processes share.
    client.get(endpoints.PRICE, {})
    assert max(clock.slept) <= 1.05


def test_a_clock_that_was_set_back_holds_nobody_up(clock, tmp_path):
    pace = Pace(tmp_path / "pace", 1.05, clock)
    with pace.turn() as note:
        note()
    clock.advance(-86400)
    clock.slept.clear()
    with pace.turn():
        assert max(clock.slept) <= 1.05


def test_two_clocks_that_differ_share_the_machines_time(tmp_path):
    early, late = (ShiftedClock(datetime(2026, 11, day, tzinfo=UTC)) for day in (19, 20))
    sent = []
    for clock in (early, late, early, late):
        with Pace(tmp_path / "pace", 0.05, clock).turn() as note:
            note()
            sent.append(time.monotonic())
    assert min(b - a for a, b in itertools.pairwise(sent)) >= 0.049


def test_damaged_and_missing_files_hold_nobody_up(clock, tmp_path):
    path = tmp_path / "kis" / "pace"
    for text in (b"", b"x", b"1", b"a b", b"\x00" * 64):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
        with Pace(path, 1.05, clock).turn() as note:
            note()
    assert clock.slept == []
    path.unlink()
    with Pace(path, 1.05, clock).turn() as note:
        note()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("machine", "since", "waits"), [(0, 0, 1.05), (0, 0.4, 0.65), (0, 9, 0), (10**18, 9, 1.05), (10**18, -9, 1.05)]
)
def test_whichever_time_says_wait_is_heard_and_neither_for_longer_than_the_pace(clock, tmp_path, machine, since, waits):
    """The machine's time of the last request may be long ago or, after a start of the machine, to come."""
    path = tmp_path / "pace"
    noted = int((clock.now().timestamp() - since) * 1e6)
    path.write_text(f"{machine:020d} {noted:020d}\n")
    with Pace(path, 1.05, clock).turn():
        assert sum(clock.slept) == pytest.approx(waits)


def test_no_pace_touches_no_file(clock, tmp_path):
    with Pace(tmp_path / "pace", 0, clock).turn() as note:
        note()
    assert list(tmp_path.iterdir()) == []


def many(kis, url, state, requests):
    connection = kis.KisServer.connection(type("At", (), {"url": url})(), state, pace_s=0.08)
    client = Client(connection, SystemClock())
    for _ in range(requests):
        client.get(endpoints.PRICE, {})
    client.close()


def test_processes_and_threads_with_one_key_share_the_rate(server, kis, tmp_path):
    server.token_answers = [kis.token(1, "2099-01-01 00:00:00")]
    fork = multiprocessing.get_context("fork")
    started = [fork.Process(target=many, args=(kis, server.url, tmp_path, 4)) for _ in range(2)]
    started += [threading.Thread(target=many, args=(kis, server.url, tmp_path, 4))]
    for one in started:
        one.start()
    for one in started:
        one.join(20)
    at = sorted(one.at for one in server.seen)
    assert len(at) == 13
    # A request may be noted late on a machine that is busy, but so many in so little time cannot be.
    assert at[-1] - at[0] >= 12 * 0.08 - 0.02


def test_the_turn_of_a_process_that_died_is_free(clock, tmp_path):
    fork = multiprocessing.get_context("fork")
    taken = fork.Event()

    def hold():
        with Pace(tmp_path / "pace", 1.05, clock).turn() as note:
            note()
            taken.set()
            time.sleep(60)

    held = fork.Process(target=hold)
    held.start()
    assert taken.wait(10)
    held.kill()
    held.join(10)
    with Pace(tmp_path / "pace", 1.05, clock).turn():
        assert 0 < sum(clock.slept) <= 1.05
