"""SQLite files of the desk: what is committed stays, the layout comes by numbered steps, a fault is one sentence.

A commit is on the disk when it returns (WAL with synchronous FULL), so that what is about to be done can be written
down before it is done. Several processes may have one file open at once.
"""

import contextlib
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from quantassay.errors import AssayError

OLDEST = (3, 37)
BUSY_S = 10.0
# Marks a file as ours: the letters QAsy.
APPLICATION = 0x51417379
_STEPS = "CREATE TABLE migrations (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT"
# What SQLite calls a fault, by how the name begins, and what it means to whoever must do something about it.
_FAULTS = {
    "SQLITE_FULL": "the disk is full; make room and do it again",
    "SQLITE_READONLY": "you may not write to it, its -wal, its -shm or its folder; see who owns them",
    "SQLITE_BUSY": f"another process kept it for {BUSY_S:.0f} seconds; wait for that one, or end it",
    "SQLITE_LOCKED": "another process keeps it; wait for that one, or end it",
    "SQLITE_NOTADB": "it is no SQLite file, or it is damaged; put it back from a backup",
    "SQLITE_CORRUPT": "it is damaged; put it back from a backup",
    "SQLITE_CANTOPEN": "it, its -wal or its -shm cannot be opened; see who owns them",
    "SQLITE_PERM": "you may not open it; see who owns it",
    "SQLITE_IOERR": "the disk failed, or has no room; see to it and do it again",
}


class DatabaseFault(AssayError):
    """A SQLite file that cannot be read or written; nothing of what was asked for was written."""

    exit_code = 1

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(f"{path} cannot be used: {why}")


class SqliteTooOld(AssayError):
    """A Python with a SQLite of before strict tables."""

    def __init__(self, found: str) -> None:
        wanted = ".".join(map(str, OLDEST))
        super().__init__(f"this Python has SQLite {found}, and {wanted} or newer is needed; use a newer Python")


def connect(path: Path, migrations: Sequence[str], *, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """Open the file, made with its folder where it is missing (0600), and lay it out by these steps.

    Each step is a script that runs once, in a transaction of its own; a step that a file has had may never change.
    Statements outside of `transaction` commit by themselves. Raises DatabaseFault, SqliteTooOld.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        raise SqliteTooOld(sqlite3.sqlite_version)
    connection = None
    try:
        _make(path, migrations)
        connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None)
        # Before anything is changed in a file that may be somebody else's.
        _looked(connection, path, migrations)
        _set_up(connection, path)
        _lay_out(connection, path, migrations)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise _told(path, error) from error
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, *, write: bool = True) -> Iterator[None]:
    """All statements within happen at once or not at all; nobody else writes meanwhile, or reads half of it.

    Without `write` everything within sees the file as of one instant. Raises DatabaseFault.
    """
    with told(connection):
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise


@contextlib.contextmanager
def told(connection: sqlite3.Connection) -> Iterator[None]:
    """Turn what SQLite raises within into a DatabaseFault that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise _told(_file(connection), error) from error


def statements(script: str) -> Iterator[str]:
    """The statements of a script; the ones within a trigger belong to it."""
    text = ""
    for part in script.split(";"):
        text += part + ";"
        if sqlite3.complete_statement(text):
            if text.strip("; \n"):
                yield text.strip()
            text = ""


def _make(path: Path, migrations: Sequence[str]) -> None:
    """A new file under this name, laid out, where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise DatabaseFault(path, "it is a folder; move it away")
        if not path.exists():
            _put_new(path, migrations)
    except (FileExistsError, NotADirectoryError):
        raise DatabaseFault(path, f"{path.parent} is no folder; move it away") from None
    except OSError as error:
        raise DatabaseFault(path, f"{error.strerror or error}; see who owns it and whether the disk is full") from error


def _put_new(path: Path, migrations: Sequence[str]) -> None:
    """Make the file elsewhere and give it its name when it is whole, unless another process was faster.

    To switch a file to its log cannot wait for others who do the same. And nobody may open a database but SQLite: to
    close it takes away every lock that this process has on it.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        new = Path(folder) / path.name
        # Private from its first byte on; SQLite gives its -wal and -shm the same mode.
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(new, isolation_level=None)
        try:
            _set_up(connection, path)
            _lay_out(connection, path, migrations)
        finally:
            connection.close()
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Put the folder's list of files on the disk, so that a new file is still there after the power fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise DatabaseFault(path, "its disk keeps no write-ahead log; put data/ on a local disk")
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _lay_out(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    done = _looked(connection, path, migrations)
    while done < len(migrations):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been faster.
            done = _done(connection, path, migrations)
            if done < len(migrations):
                _step(connection, done + 1, migrations[done])
                done += 1
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise


def _roll_back(connection: sqlite3.Connection) -> None:
    """Leave nothing of a transaction; after a fault of the disk SQLite has done so already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _looked(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> int:
    """The same as `_done`, as of one instant."""
    connection.execute("BEGIN")
    try:
        return _done(connection, path, migrations)
    finally:
        _roll_back(connection)


def _done(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> int:
    """How many steps the file has had. Raises DatabaseFault where they are not these."""
    mark, done = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if mark == 0:
        if done or connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise DatabaseFault(path, "it is a SQLite file of something else; move it away")
        return 0
    if mark != APPLICATION:
        raise DatabaseFault(path, "it is a SQLite file of another program; move it away")
    rows = connection.execute("SELECT number, checksum FROM migrations ORDER BY number").fetchall()
    known = [(i + 1, _checksum(script)) for i, script in enumerate(migrations)]
    if rows[: len(known)] != known[: len(rows)] or len(rows) != done:
        raise DatabaseFault(
            path, "it is laid out for something else, or its layout was changed; put it back from a backup"
        )
    if done > len(known):
        raise DatabaseFault(
            path, f"a newer QuantAssay made it (layout {done}, known are {len(known)}); upgrade this one"
        )
    return int(done)


def _step(connection: sqlite3.Connection, number: int, script: str) -> None:
    if number == 1:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(_STEPS)
    for statement in statements(script):
        connection.execute(statement)
    connection.execute("INSERT INTO migrations VALUES (?, ?)", (number, _checksum(script)))
    connection.execute(f"PRAGMA user_version = {number}")


def _checksum(script: str) -> str:
    return "sha256:" + hashlib.sha256(script.encode()).hexdigest()


def _file(connection: sqlite3.Connection) -> Path | str:
    try:
        return Path(connection.execute("PRAGMA database_list").fetchone()[2])
    except sqlite3.Error:
        return "the database"


def _told(path: Path | str, error: sqlite3.Error) -> DatabaseFault:
    name = getattr(error, "sqlite_errorname", "")
    why = next((says for start, says in _FAULTS.items() if name.startswith(start)), f"SQLite says {error} ({name})")
    return DatabaseFault(path, why)
