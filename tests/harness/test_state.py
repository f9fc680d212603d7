"""The state of a build outlives a kill at any byte, and a damaged one is told in one sentence."""

import json

import pytest

from quantassay.harness.files import Unreadable, Unwritable
from quantassay.harness.state import BadState, State


def record(digest, key="k"):
    return {"key": {"as_of": key}, "content": digest, "outputs": {"Temp/a.json": digest}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "Temp" / "state.jsonl"


def built(path, digests):
    """A state as runs leave it that announced these digests one after the other, each put in place and saved."""
    for digest in digests:
        state = State.load(path)
        state.as_of = "2026-01-05T10:00:00+09:00"
        state.announce("build:a", record(digest))
        state.placed("build:a")
        state.save()
    return State.load(path)


def test_nothing_recorded_is_an_empty_state(path):
    state = State.load(path)
    assert (state.steps, state.as_of, state.outputs()) == ({}, None, {})


def test_what_was_saved_is_loaded(path):
    state = built(path, ["d1", "d2"])
    assert (state.steps, state.as_of) == ({"build:a": record("d2")}, "2026-01-05T10:00:00+09:00")
    assert state.outputs() == {"Temp/a.json": ("build:a", {"d2"})}
    assert len(path.read_text().splitlines()) == 2


def test_saving_what_lies_there_writes_nothing(path):
    state = built(path, ["d1"])
    before = path.stat().st_ino
    state.save()
    assert path.stat().st_ino == before


def test_until_a_file_is_in_place_it_may_be_the_old_one(path):
    built(path, ["d1"])
    State.load(path).announce("build:a", record("d2"))
    killed = State.load(path)
    assert killed.outputs() == {"Temp/a.json": ("build:a", {"d1", "d2"})}
    # Another command that saves the state has not put the file in place either.
    killed.save()
    assert State.load(path).outputs() == {"Temp/a.json": ("build:a", {"d1", "d2"})}
    # Nor has a second run that was killed at the same point.
    State.load(path).announce("build:a", record("d3"))
    assert State.load(path).outputs() == {"Temp/a.json": ("build:a", {"d1", "d2", "d3"})}
    done = State.load(path)
    done.placed("build:a")
    done.save()
    assert State.load(path).outputs() == {"Temp/a.json": ("build:a", {"d3"})}


def test_a_file_that_a_step_no_longer_makes_is_no_longer_known(path):
    built(path, ["d1"])
    state = State.load(path)
    state.announce("build:a", {"key": {}, "outputs": {"Temp/a_v2.json": "d2"}})
    assert State.load(path).outputs() == {"Temp/a_v2.json": ("build:a", {"d2"})}


def test_a_line_cut_off_anywhere_counts_for_nothing(path):
    before = built(path, ["d1"]).steps
    whole = path.read_bytes()
    State.load(path).announce("build:a", record("d2"))
    line = path.read_bytes()[len(whole) :]
    for length in range(len(line)):
        path.write_bytes(whole + line[:length])
        state = State.load(path)
        assert state.steps == before
        # What is announced next must not become a part of the line that was cut off.
        state.announce("build:a", record("d3"))
        assert State.load(path).outputs() == {"Temp/a.json": ("build:a", {"d1", "d3"})}
        path.write_bytes(whole + line[:length])
        State.load(path).save()
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda lines: [lines[0], lines[1][:-9] + "}", *lines[2:]], "is damaged on line 2"),
        (lambda lines: [lines[0], "5"], "is damaged on line 2"),
        (lambda lines: [lines[0], '{"step": "build:a"}'], "is damaged on line 2"),
        (lambda lines: [lines[0], '{"step": "build:a", "outputs": [], "key": {}}'], "is damaged on line 2"),
        (lambda lines: lines[1:], "is damaged on line 1"),
        (lambda lines: ["{}", *lines], "is damaged on line 1"),
        (lambda lines: ['{"state": 1}', *lines[1:]], "is damaged on line 1"),
        (lambda lines: [*lines, "\udcff"], "is damaged on line 4"),
        (lambda lines: [lines[0], "", *lines[1:]], "is damaged on line 2"),
        (lambda _: [json.dumps({"state": 2, "as_of": None})], r"was written by another version \(2\)"),
    ],
)
def test_a_damaged_state_is_one_sentence(path, damage, says):
    built(path, ["d1"]).announce("build:b", record("d2"))
    lines = path.read_text().splitlines()
    path.write_bytes("".join(line + "\n" for line in damage(lines)).encode(errors="surrogateescape"))
    with pytest.raises(BadState, match=f"state.jsonl {says}; delete Temp/ and build again: it comes back the same"):
        State.load(path)


@pytest.mark.parametrize(
    "data", [b"\x00\xff", b"x", b'{"state": 1, "as_of": null}\nx', b'{"state": 1, "as_of": null}\n\x00']
)
def test_an_end_that_no_run_would_have_left_is_damage(path, data):
    path.parent.mkdir()
    path.write_bytes(data)
    with pytest.raises(BadState, match=f"is damaged on line {data.count(10) + 1};"):
        State.load(path)


def test_a_state_that_is_no_file_is_one_sentence(path):
    path.mkdir(parents=True)
    with pytest.raises(Unreadable, match="Is a directory"):
        State.load(path)


def test_a_state_that_cannot_be_written_is_one_sentence(path):
    path.parent.write_text("Temp is a file")
    state = State.load(path)
    for write in (lambda: state.announce("build:a", record("d1")), state.save):
        with pytest.raises(Unwritable, match="cannot be written"):
            write()
