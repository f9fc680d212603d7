"""SQLite files: laid out by steps, durable, and every way in which one cannot be used is a sentence."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from quantassay.store import sqlite
from quantassay.store.sqlite import DatabaseFault, SqliteTooOld, connect, statements, transaction

ONE = "CREATE TABLE notes (text TEXT NOT NULL) STRICT;"
TWO = """
CREATE TABLE told (text TEXT NOT NULL) STRICT;
CREATE TRIGGER kept BEFORE DELETE ON notes
BEGIN SELECT RAISE(ABORT, 'no; never'); END;
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "desk.sqlite3"


def filled(path, *steps):
    connection = connect(path, steps or (ONE,))
    connection.execute("INSERT INTO notes VALUES ('kept')")
    connection.close()


def notes(path, *steps):
    connection = connect(path, steps or (ONE,))
    found = [row[0] for row in connection.execute("SELECT text FROM notes")]
    connection.close()
    return found


def why(path, *steps):
    with pytest.raises(DatabaseFault) as raised:
        connect(path, steps or (ONE,), busy_s=0.01)
    assert raised.value.exit_code == 1
    text = str(raised.value)
    assert text.startswith(f"{path} cannot be used: ")
    return text


def test_a_new_file_is_private_and_what_is_committed_stays(path):
    connection = connect(path, (ONE,))
    told = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    # 2 is FULL: the log is put on the disk by every commit.
    assert told == {"journal_mode": "wal", "synchronous": 2}
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    connection.execute("INSERT INTO notes VALUES ('a')")
    modes = [stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()]
    assert modes == [0o600] * 3
    connection.close()
    assert notes(path) == ["a"]


def test_steps_are_taken_once_and_in_order(path):
    filled(path)
    assert notes(path, ONE, TWO) == ["kept"]
    connection = connect(path, (ONE, TWO))
    with pytest.raises(sqlite3.IntegrityError, match="no; never"):
        connection.execute("DELETE FROM notes")
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.close()
    assert list(statements(TWO)) == [part.strip() for part in TWO.strip().split("\n", 1)]
    assert list(statements("-- no more\n;\n")) == ["-- no more\n;"]


def test_a_step_that_fails_leaves_nothing(path):
    assert "no such table: nowhere" in why(path, ONE, TWO + "INSERT INTO nowhere VALUES (1);")
    connection = connect(path, (ONE,))
    assert {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")} == {"migrations", "notes"}
    connection.close()


def test_many_may_make_it_at_once(path):
    start, faults = threading.Barrier(8), []

    def make():
        start.wait()
        try:
            connect(path, (ONE, TWO)).close()
        except DatabaseFault as error:
            faults.append(str(error))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert notes(path, ONE, TWO) == []


def test_other_files_are_refused(path, tmp_path):
    filled(path, ONE, TWO)
    assert "a newer QuantAssay made it (layout 2, known are 1)" in why(path)
    assert "laid out for something else" in why(path, TWO)
    assert "laid out for something else" in why(path, ONE, TWO + " ")
    foreign = tmp_path / "foreign.sqlite3"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE t (x)")
    assert "of something else" in why(foreign)
    connection.execute("PRAGMA application_id = 252006673")
    connection.close()
    data = foreign.read_bytes()
    assert "of another program" in why(foreign)
    assert foreign.read_bytes() == data
    with sqlite3.connect(foreign) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("t",)]
    connection.close()


def test_what_is_no_database_is_refused(path, tmp_path):
    path.mkdir(parents=True)
    assert "it is a folder; move it away" in why(path)
    text = tmp_path / "text.sqlite3"
    text.write_text("no database" * 1_000)
    assert "it is no SQLite file, or it is damaged" in why(text)
    assert "text.sqlite3 is no folder" in why(text / "below.sqlite3")
    (tmp_path / "empty.sqlite3").touch()
    assert notes(tmp_path / "empty.sqlite3") == []


def test_a_damaged_file_is_told_when_it_is_read(path):
    filled(path)
    data = bytearray(path.read_bytes())
    page = int.from_bytes(data[16:18], "big")
    data[-page:] = b"\xff" * page
    path.write_bytes(data)
    connection = connect(path, (ONE,))
    with pytest.raises(DatabaseFault, match="it is damaged"), transaction(connection, write=False):
        connection.execute("SELECT * FROM notes").fetchall()
    connection.close()


def test_what_a_user_may_not_do_is_told(path):
    filled(path)
    path.chmod(0o400)
    if os.access(path, os.W_OK):
        pytest.skip("this user may write to everything")
    connection = connect(path, (ONE,))
    assert connection.execute("SELECT * FROM notes").fetchall() == [("kept",)]
    with pytest.raises(DatabaseFault, match="you may not write to it"), transaction(connection):
        connection.execute("INSERT INTO notes VALUES ('lost')")
    connection.close()
    path.chmod(0o000)
    assert "cannot be opened" in why(path)
    other = path.parent / "other" / path.name
    filled(other)
    other.parent.chmod(0o500)
    try:
        assert "you may not write to it" in why(other)
    finally:
        other.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("pragma", "says"),
    [("max_page_count = 3", "the disk is full"), ("query_only = ON", "you may not write to it")],
)
def test_what_cannot_be_written_is_told_and_leaves_nothing(path, pragma, says):
    connection = connect(path, (ONE,))
    connection.execute(f"PRAGMA {pragma}")
    with pytest.raises(DatabaseFault, match=says), transaction(connection):
        connection.executemany("INSERT INTO notes VALUES (?)", [("x" * 1_000,)] * 50)
    connection.close()
    assert notes(path) == []


def test_another_process_that_keeps_it_is_told(path):
    filled(path)
    keeper, other = connect(path, (ONE,)), connect(path, (ONE,), busy_s=0.01)
    with transaction(keeper):
        keeper.execute("INSERT INTO notes VALUES ('mine')")
        # Reading goes on, without what is not committed.
        assert other.execute("SELECT count(*) FROM notes").fetchone() == (1,)
        with pytest.raises(DatabaseFault, match="another process kept it"), transaction(other):
            pytest.fail("two may not write at once")
    keeper.close()
    other.close()


def test_a_transaction_is_whole_or_nothing_and_sees_one_instant(path):
    writer, reader = connect(path, (ONE,)), connect(path, (ONE,))
    with pytest.raises(DatabaseFault, match="no such column"), transaction(writer):
        writer.execute("INSERT INTO notes VALUES ('lost')").execute("SELECT absent")
    with transaction(reader, write=False):
        assert reader.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        writer.execute("INSERT INTO notes VALUES ('kept')")
        assert reader.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    assert reader.execute("SELECT count(*) FROM notes").fetchone() == (1,)
    writer.close()
    reader.close()


def test_a_disk_without_a_log_is_refused(path):
    # A database in memory keeps no write-ahead log, as a disk in the network may not.
    with sqlite3.connect(":memory:") as connection, pytest.raises(DatabaseFault, match="local disk"):
        sqlite._set_up(connection, path)
    connection.close()


def test_an_old_sqlite_is_told():
    assert "SQLite 3.34.1, and 3.37 or newer" in str(SqliteTooOld("3.34.1"))
    assert sqlite3.sqlite_version_info >= sqlite.OLDEST


def test_a_copy_with_its_log_is_the_same_database(path, tmp_path):
    connection = connect(path, (ONE,))
    connection.execute("INSERT INTO notes VALUES ('in the log')")
    shutil.copytree(path.parent, tmp_path / "copy")
    connection.close()
    assert notes(tmp_path / "copy" / path.name) == ["in the log"]


def test_to_open_it_once_more_leaves_the_locks_of_this_process(path):
    # A file that is closed takes every lock away that its process has on it, SQLite's among them.
    first = connect(path, (ONE,))
    with transaction(first, write=False):
        assert first.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        connect(path, (ONE,)).close()
        code = (
            "import fcntl, sys\nwith open(sys.argv[1], 'r+b') as f: fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, "
        )
        # The bytes that SQLite keeps locked while a database is open.
        done = subprocess.run([sys.executable, "-c", f"{code}{0x40000002})", path], capture_output=True, check=False)
    assert b"BlockingIOError" in done.stderr
    first.close()


NO_ROOM = """
import resource, signal, sys
from pathlib import Path
from quantassay.store.sqlite import DatabaseFault, connect
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    connect(Path(sys.argv[1]), ("CREATE TABLE notes (text TEXT NOT NULL) STRICT;",))
except DatabaseFault as error:
    print(error)
"""


@pytest.mark.parametrize("room", [0, 20_000])
def test_a_disk_without_room_is_told_and_nothing_half_made_is_left(path, room):
    done = subprocess.run([sys.executable, "-c", NO_ROOM, path, str(room)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{path} cannot be used: the disk failed, or has no room; see to it and do it again\n"
    assert list(path.parent.iterdir()) == []
