"""While a builder runs, what it reaches for outside of what it was given is noticed."""

import os
import socket
import sqlite3
import subprocess
import sys
import zoneinfo
from pathlib import Path

import pytest

from quantassay.harness import guard


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "builders" / "first.py"
    path.parent.mkdir()
    path.write_text('"""T."""\n')
    return path


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "data" / "secret.csv"
    path.parent.mkdir()
    path.write_text("x")
    return path


def connect():
    with socket.socket() as s:
        s.connect_ex(("127.0.0.1", 9))


REACHES = {
    "open": lambda p: p.read_text(),
    "os.open": lambda p: os.close(os.open(p, os.O_RDONLY)),
    "write": lambda p: p.write_text("y"),
    "list": lambda p: list(p.parent.iterdir()),
    "glob": lambda p: list(p.parent.glob("*")),
    "scandir": lambda p: os.scandir(p.parent).close(),
    "remove": lambda p: p.unlink(),
    "rename": lambda p: p.rename(p.with_suffix(".old")),
    "mkdir": lambda p: p.with_suffix("").mkdir(),
    "link": lambda p: p.with_suffix(".link").symlink_to(p),
    "chmod": lambda p: p.chmod(0o600),
    "utime": os.utime,
    "chdir": lambda _: os.chdir(Path.cwd()),
    "sqlite": lambda p: sqlite3.connect(p.with_suffix(".db")).close(),
    "connect": lambda _: connect(),
    "name": lambda _: socket.getaddrinfo("127.0.0.1", 80),
    "process": lambda _: subprocess.run(["true"], check=True),
    "system": lambda _: os.system("true"),
    "spawn": lambda _: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0),
    "devices": lambda _: Path("/dev/full").open("wb").close(),
}  # fmt: skip


@pytest.mark.parametrize("reach", REACHES)
def test_reaching_outside_is_noticed(own, secret, reach):
    with guard.watched(own) as reached:
        REACHES[reach](secret)
    assert reached, reach


def test_what_was_reached_is_named(own, secret):
    with guard.watched(own) as reached:
        secret.read_text()
        secret.write_text("y")
    assert reached == [f"open {secret}", f"write {secret}"]


ALLOWED = {
    "a library's file": lambda: Path(os.__file__).read_text(encoding="utf-8"),
    "a time zone": lambda: zoneinfo.ZoneInfo.no_cache("Asia/Seoul"),
    "a library imported late": lambda: __import__("wave"),
    "an open file": lambda: os.fdopen(os.dup(0)).close(),
    "nothing at all": lambda: Path(os.devnull).write_text("x"),
    "a wait": lambda: sum(range(1000)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", ALLOWED)
def test_what_python_and_its_libraries_need_is_not_reported(own, what):
    sys.modules.pop("wave", None)
    with guard.watched(own) as reached:
        ALLOWED[what]()
    assert reached == []


def test_a_builder_may_read_its_own_file_as_a_warning_does(own):
    with guard.watched(own) as reached:
        own.read_text()
    assert reached == []
    with guard.watched(own) as reached:
        own.write_text('"""T."""\n')
    assert reached == [f"write {own}"]


def test_a_library_is_not_written_to(own):
    with guard.watched(own) as reached, pytest.raises(FileNotFoundError):
        (Path(os.__file__).parent / "no such folder" / "x").write_text("")
    assert [what.split()[0] for what in reached] == ["write"]


def test_nothing_is_noticed_before_or_after(own, secret):
    with guard.watched(own) as reached:
        pass
    secret.read_text()
    assert reached == []
    with pytest.raises(ZeroDivisionError), guard.watched(own):
        raise ZeroDivisionError
    secret.read_text()
    assert guard._watching == []
