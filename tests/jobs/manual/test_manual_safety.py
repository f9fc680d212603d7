"""Whatever happens to an import by hand, the desk knows what it knew before or what it knows after, nothing between."""

import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from quantassay.feeds.issues import HARMFUL, HARMLESS
from quantassay.harness import lock
from quantassay.jobs.imported_by_hand import listing_import, manual_log
from quantassay.store import manual_facts

NOW = datetime(2026, 11, 20, 0, 5, 30, tzinfo=UTC)
# Killed before the n-th thing that it does to a file below imports/: create, rename, remove, make a folder.
KILLED = """
import os, sys
from datetime import datetime
from pathlib import Path
from quantassay.jobs.manual_imports import Options, run
folder, feed, source, now, stop, lists = sys.argv[1:]
count = 0
def watch(event, arguments):
    global count
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (writes or event in ("os.rename", "os.remove", "os.mkdir")) and "imports" in str(arguments[0]):
        count += 1
        if count == int(stop):
            os.kill(os.getpid(), 9)
sys.addaudithook(watch)
date = "2026-11-17" if lists == "lists" else ""
run(Path(folder), feed, Path(source), Options(date=date, now=datetime.fromisoformat(now)))
"""


def killed(desk, feed, source, stop, date=False):
    arguments = (desk.root, feed, source, NOW.isoformat(), str(stop), "lists" if date else "")
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], check=False, capture_output=True)
    assert done.returncode in (0, -9), done.stderr.decode()
    return done.returncode == -9


def known(desk):
    return manual_facts.read(desk.data).to_dicts(), manual_log(desk.data), listing_import(desk.data)


def whole(desk):
    """Nothing half written, and nothing that no index names."""
    names = [path.name for path in desk.store.iterdir()]
    assert not [name for name in names if name.endswith(".part")]
    assert sum(name.startswith("facts.") for name in names) <= 1
    assert sum(name.startswith("log.") for name in names) == 1


def stops(desk, feed, source, date=False):
    """Kill one import after the other, a step later each, until one gets through; what was known after each kill."""
    seen = []
    kept = desk.root.parent / "kept"
    shutil.copytree(desk.data, kept)
    for stop in range(1, 60):
        shutil.rmtree(desk.data)
        shutil.copytree(kept, desk.data)
        if not killed(desk, feed, source, stop, date):
            return seen, known(desk)
        seen.append(known(desk))
        desk.imports(feed, source, date="2026-11-17" if date else "")
        whole(desk)
    raise AssertionError(seen)


def test_a_kill_at_any_step_leaves_the_old_or_the_new_facts(desk):
    desk.imports("short_balance", desk.shorts(t900010=5, t900020=6))
    before = known(desk)
    desk.shorts(name="corrected {}.csv", t900010=7, t900020=6)
    desk.put("bad_20261117.csv", "prose\n")
    seen, after = stops(desk, "short_balance", desk.downloads)
    assert before != after
    assert all(one in (before, after) for one in seen)
    assert [one == after for one in seen] == sorted(one == after for one in seen)
    # A part, its rename: the refused file, its reason, two copies, facts, log, index; the old facts and log removed.
    assert len(seen) >= 12
    assert seen.count(before) >= 10
    assert seen.count(after) >= 1


def test_a_kill_at_any_step_leaves_the_old_or_the_new_list(desk):
    desk.imports("listing", desk.companies(("Alpha", "900010", "parts")), date="2026-11-16")
    before = known(desk)
    other = desk.companies(("Beta", "900020", "parts"), name="new.xls")
    seen, after = stops(desk, "listing", other, date=True)
    assert before != after
    assert all(one in (before, after) for one in seen)
    assert before in seen
    assert after in seen


def test_two_imports_at_once_both_get_in(desk):
    first, second = desk.shorts(t900010=5), desk.shorts(day="20261117", t900010=6)
    command = [sys.executable, "-c", KILLED, str(desk.root), "short_balance"]
    running = [
        subprocess.Popen([*command, str(file), NOW.isoformat(), "0", ""], stderr=subprocess.PIPE)
        for file in (first, second)
    ]
    for process in running:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, b"")
    assert manual_facts.read(desk.data)["session"].n_unique() == 2
    assert len(manual_log(desk.data)["feeds"]["short_balance"]) == 2
    whole(desk)


def test_an_import_waits_until_whoever_is_at_work_has_ended(desk):
    file = desk.shorts(t900010=5)
    arguments = [sys.executable, "-c", KILLED, desk.root, "short_balance", file, NOW.isoformat(), "0", ""]
    with lock.held(desk.data / "locks" / "build.lock"):
        process = subprocess.Popen(arguments)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        assert not desk.store.exists()
    assert process.wait(60) == 0
    assert len(known(desk)[0]) == 5


def damaged(data, chance):
    """The file with bytes flipped, columns swapped, cut, encoded anew, lines doubled or lost, or in another order."""
    lines = data.split(b"\r\n")
    kind = chance.randrange(8)
    if kind == 0:
        hurt = bytearray(data)
        for _ in range(chance.randrange(1, 9)):
            hurt[chance.randrange(len(hurt))] = chance.randrange(256)
        return bytes(hurt)
    if kind == 1:
        order = chance.sample(range(7), 7)
        return b"\r\n".join(b",".join(line.split(b",")[i] for i in order) if line else line for line in lines)
    if kind == 2:
        return data[: chance.randrange(len(data))]
    if kind == 3:
        return data.decode("cp949").encode(chance.choice(["utf-8", "utf-8-sig", "utf-16", "utf-32", "johab"]))
    if kind == 4:
        place = chance.randrange(len(lines))
        return b"\r\n".join([*lines[:place], *lines[place : place + 1] * chance.randrange(3), *lines[place + 1 :]])
    if kind == 5:
        return data.replace(b",", chance.choice([b";", b"\t", b"|", b" ", b",,", b", "]))
    if kind == 6:
        return data.replace(b'"', b"") if chance.random() < 0.5 else data.replace(b"\r\n", b"\n")
    words = [b"-", b"", b"1e9", b"NaN", b"-5", b"9" * 30, b"1,2", "하나".encode("cp949"), b"0"]
    cells = [line.split(b",") for line in lines]
    row = chance.choice([line for line in cells[1:] if len(line) == 7])
    row[chance.randrange(7)] = b'"' + chance.choice(words) + b'"'
    return b"\r\n".join(b",".join(line) for line in cells)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_loads_whole_or_changes_nothing_of_the_store(desk, seed):
    """A hundred variants in all, each over a store that holds something."""
    chance = random.Random(seed)
    good = desk.shorts(**{f"t9{n:04}0": 100 + n for n in range(1, 25)})
    desk.imports("short_balance", desk.shorts(day="20261113", t900010=5))
    data = good.read_bytes()
    loaded = 0
    for n in range(25):
        before = desk.state()
        path = desk.put(f"v{n}_20261116.csv", damaged(data, chance))
        report = desk.imports("short_balance", path)
        (one,) = report.files
        assert {issue.code for issue in report.issues} <= set(HARMFUL) | set(HARMLESS)
        if one.loaded:
            loaded += 1
            assert all(issue.harmless for issue in report.issues)
            assert one.facts == len(one.read.facts) > 0
        else:
            assert desk.state() == before
            assert [issue for issue in report.issues if not issue.harmless]
    assert 0 < loaded < 25
