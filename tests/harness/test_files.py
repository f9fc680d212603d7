"""Files are replaced whole: the old bytes or the new ones, whatever happens in between."""

import os
import signal
import subprocess
import sys
import time

import pytest

from quantassay.harness import files
from quantassay.harness.files import Unreadable, Unwritable

# The digest of "abc" as FIPS 180-2 gives it.
ABC = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_is_written_and_known_by_its_digest(tmp_path):
    path = tmp_path / "new" / "folder" / "x.json"
    assert files.digest(path) is None
    files.write(path, b"abc")
    assert (files.digest(path), files.sha256(b"abc"), files.read(path)) == (ABC, ABC, b"abc")
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.json"
    path.mkdir()
    with pytest.raises(
        Unwritable, match=r"x\.json cannot be written: Is a directory; .*what was there before is unharmed"
    ):
        files.write(path, b"abc")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(Unwritable, match=f"cannot be written: {tmp_path}/file is no folder;"):
        files.write(tmp_path / "file" / "x.json", b"abc")


def test_a_full_disk_is_one_sentence(tmp_path):
    part = tmp_path / f".x.json.{os.getpid()}.part"
    part.symlink_to("/dev/full")
    (tmp_path / "x.json").write_bytes(b"old")
    with pytest.raises(Unwritable, match="No space left on device"):
        files.write(tmp_path / "x.json", b"abc")
    assert (tmp_path / "x.json").read_bytes() == b"old"


def test_what_cannot_be_read_is_one_sentence(tmp_path):
    for ask in (files.read, files.digest):
        with pytest.raises(Unreadable, match="cannot be read: Is a directory; "):
            ask(tmp_path)
    with pytest.raises(Unreadable, match="No such file or directory"):
        files.read(tmp_path / "none")
    (tmp_path / "dangling").symlink_to(tmp_path / "none")
    assert files.digest(tmp_path / "dangling") is None


@pytest.mark.parametrize("durable", [True, False])
def test_a_reader_never_sees_a_part_though_the_writer_is_killed(tmp_path, durable):
    path = tmp_path / "x"
    texts = [bytes([65 + n]) * 200_000 for n in range(2)]
    path.write_bytes(texts[0])
    code = f"""
from pathlib import Path
from quantassay.harness import files
while True:
    for n in range(2):
        files.write(Path({str(path)!r}), bytes([65 + n]) * 200_000, durable={durable})
"""
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", code])
        seen = set()
        deadline = time.monotonic() + 60
        while len(seen) < 2 and time.monotonic() < deadline:
            seen.add(path.read_bytes())
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        assert seen | {path.read_bytes()} == set(texts)


def test_settling_a_folder_needs_a_folder(tmp_path):
    files.settle(tmp_path)
    with pytest.raises(OSError, match="Not a directory"):
        files.settle(files.__file__)
