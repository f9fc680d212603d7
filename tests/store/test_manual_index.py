"""The index of the manual imports: the one pointer to a state that is replaced whole, and to copies that stay."""

import json

import pytest

from quantassay.store import manual_index
from quantassay.store.bars_index import CannotStore, sha256
from quantassay.store.manual_index import ManualDamaged, ManualIndex, StoredList

LOG = manual_index.encode({"listing": [{"file": "한글.xls"}]})


def state(log=LOG, **other):
    name, digest = manual_index.part("log", log)
    return ManualIndex(log=name, log_sha256=digest, **other), {name: log}


def files(data):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in data.rglob("*") if path.is_file()}


def test_nothing_imported_is_an_empty_index(tmp_path):
    index = manual_index.read_index(tmp_path)
    assert (index, index.files, index.latest_list) == (ManualIndex(), {}, None)
    assert manual_index.read_log(tmp_path, index) == {}


def test_a_state_is_read_as_it_was_written(tmp_path):
    listed = manual_index.encode({"names": []})
    name, digest = manual_index.part("list-2026-11-16", listed)
    index, parts = state(rows=3, content="sha256:c", lists=(StoredList("2026-11-16", "sha256:d", name, digest),))
    manual_index.replace(tmp_path, index, {**parts, name: listed})
    assert manual_index.read_index(tmp_path) == index
    assert manual_index.read_log(tmp_path, index) == {"listing": [{"file": "한글.xls"}]}
    assert manual_index.read_list(tmp_path, index.latest_list) == {"names": []}
    manual_index.check(tmp_path, index)


def test_the_latest_list_is_of_the_latest_day_and_of_two_the_later_import():
    def one(day, digest):
        return StoredList(day, digest, f"{digest}.json", digest)

    lists = (one("2026-11-09", "a"), one("2026-11-16", "b"), one("2026-11-16", "c"), one("2026-11-02", "d"))
    assert ManualIndex(lists=lists).latest_list.digest == "c"


def test_the_same_state_again_touches_nothing(tmp_path):
    index, parts = state()
    manual_index.replace(tmp_path, index, parts)
    before = files(tmp_path)
    manual_index.replace(tmp_path, index, parts)
    assert files(tmp_path) == before


def test_a_new_state_sweeps_the_old_one_and_leaves_the_copies(tmp_path):
    manual_index.replace(tmp_path, *state())
    manual_index.keep_file(tmp_path, "a.csv", sha256(b"a"), b"a")
    stray = manual_index.manual_folder(tmp_path) / "facts.0123.parquet"
    stray.write_bytes(b"left by a kill")
    index, parts = state(b"{}\n")
    manual_index.replace(tmp_path, index, parts)
    assert sorted(p.name for p in manual_index.manual_folder(tmp_path).iterdir()) == ["files", "index.json", index.log]
    assert manual_index.kept_path(tmp_path, "a.csv", sha256(b"a")).read_bytes() == b"a"


def test_a_copy_is_kept_once_and_mended_where_it_was_changed(tmp_path):
    digest = sha256(b"a")
    manual_index.keep_file(tmp_path, "a.csv", digest, b"a")
    path = manual_index.kept_path(tmp_path, "a.csv", digest)
    assert path.name == f"{digest[7:23]}-a.csv"
    before = path.stat().st_mtime_ns
    manual_index.keep_file(tmp_path, "a.csv", digest, b"a")
    assert path.stat().st_mtime_ns == before
    path.write_bytes(b"b")
    manual_index.keep_file(tmp_path, "a.csv", digest, b"a")
    assert path.read_bytes() == b"a"


@pytest.mark.parametrize("name", ["../../escape.csv", "a/b\\c.csv", "한" * 200 + ".csv"])
def test_a_copy_cannot_leave_its_folder_whatever_its_name(tmp_path, name):
    manual_index.keep_file(tmp_path, name, sha256(b"a"), b"a")
    (kept,) = (manual_index.manual_folder(tmp_path) / "files").iterdir()
    assert kept.read_bytes() == b"a"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"rows": 1}', "null", "\x00"])
def test_a_broken_index_is_an_error(tmp_path, text):
    manual_index.replace(tmp_path, *state())
    (manual_index.manual_folder(tmp_path) / "index.json").write_text(text)
    with pytest.raises(ManualDamaged, match=r"index\.json .*; put data/imports/manual back"):
        manual_index.read_index(tmp_path)


def test_an_index_with_another_member_is_an_error(tmp_path):
    manual_index.replace(tmp_path, *state())
    path = manual_index.manual_folder(tmp_path) / "index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "more": 1}))
    with pytest.raises(ManualDamaged, match="is no index of manual imports of this version"):
        manual_index.read_index(tmp_path)


def test_a_changed_log_and_a_lost_list_are_errors(tmp_path):
    listed = manual_index.encode({"names": []})
    name, digest = manual_index.part("list-2026-11-16", listed)
    index, parts = state(lists=(StoredList("2026-11-16", "sha256:d", name, digest),))
    manual_index.replace(tmp_path, index, {**parts, name: listed})
    (manual_index.manual_folder(tmp_path) / index.log).write_bytes(b"{}\n")
    with pytest.raises(ManualDamaged, match="was changed"):
        manual_index.read_log(tmp_path, index)
    with pytest.raises(ManualDamaged, match="was changed"):
        manual_index.check(tmp_path, index)
    (manual_index.manual_folder(tmp_path) / name).unlink()
    with pytest.raises(ManualDamaged, match="cannot be read"):
        manual_index.read_list(tmp_path, index.latest_list)


def test_a_disk_that_refuses_is_one_sentence(tmp_path):
    (tmp_path / "imports").write_text("a file where a folder must be")
    with pytest.raises(CannotStore, match="nothing was changed"):
        manual_index.replace(tmp_path, *state())
