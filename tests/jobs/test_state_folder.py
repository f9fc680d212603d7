import os
import stat
from pathlib import Path

import pytest

from quantassay.jobs.state_folder import UnsafeStateFolder, state_folder


def test_where_it_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ASSAY_STATE", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert state_folder() == tmp_path / "home/.local/state/quantassay"
    monkeypatch.setenv("XDG_STATE_HOME", "not/full")
    assert state_folder() == tmp_path / "home/.local/state/quantassay"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder() == tmp_path / "xdg/quantassay"
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "own"))
    assert state_folder() == tmp_path / "own"


def test_it_is_its_owners_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "a/b"))
    assert stat.S_IMODE(state_folder().stat().st_mode) == 0o700
    (tmp_path / "a/b").chmod(0o755)
    assert stat.S_IMODE(state_folder().stat().st_mode) == 0o700


def test_what_cannot_be_it_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("ASSAY_STATE", "some/where")
    with pytest.raises(UnsafeStateFolder, match="it is not a full path; set ASSAY_STATE to a folder of yours"):
        state_folder()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "file"))
    with pytest.raises(UnsafeStateFolder, match="cannot keep this user's tokens and locks"):
        state_folder()
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "mine"))
    monkeypatch.setattr(os, "getuid", lambda: Path(tmp_path).stat().st_uid + 1)
    with pytest.raises(UnsafeStateFolder, match="it belongs to another user"):
        state_folder()
