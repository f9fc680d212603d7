"""Facts are kept under digests: the same whether they were kept or not, and none that anybody else wrote."""

import pytest

from quantassay.harness.cache import LARGEST, Cache


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "facts.cache"


def never():
    pytest.fail("the fact was to be kept")


FACT = {"b": [1, 2.5, None, "가\t\n\u2028\x1c"], "a": {"y": True}}


def test_a_fact_is_worked_out_once_and_comes_back_as_it_was(path):
    cache = Cache(path, "engine 1")
    assert cache.fact("k", lambda: FACT) == FACT
    assert cache.fact("k", never) == FACT
    cache.save()
    assert Cache(path, "engine 1").fact("k", never) == FACT
    # Also what a reader can see of it besides: the order of its keys.
    assert list(Cache(path, "engine 1").fact("k", never)) == ["b", "a"]


def test_a_kept_fact_is_the_same_value_as_a_new_one(path):
    assert Cache(path, "e").fact("k", lambda: {"a": (1, 2)}) == {"a": [1, 2]}


def test_no_reader_changes_what_the_next_one_gets(path):
    cache = Cache(path, "e")
    cache.fact("k", lambda: {"limit": 4})["limit"] = 5
    assert cache.fact("k", never) == {"limit": 4}
    cache.save()
    assert Cache(path, "e").fact("k", never) == {"limit": 4}


def test_another_engine_begins_with_none(path):
    cache = Cache(path, "engine 1")
    cache.fact("k", lambda: 1)
    cache.save()
    assert Cache(path, "engine 2").facts == {}


def edited(data):
    return data.replace(b": 4", b": 5")


@pytest.mark.parametrize(
    "change",
    [
        edited,
        lambda data: data[:-1],
        lambda data: data + data,
        lambda _: b"",
        lambda _: b"\xff\n\xff",
        lambda data: data[10:],
    ],
)
def test_a_file_that_something_else_has_changed_is_not_used(path, change):
    cache = Cache(path, "e")
    cache.fact("k", lambda: {"limit": 4})
    cache.save()
    assert change(path.read_bytes()) != path.read_bytes()
    path.write_bytes(change(path.read_bytes()))
    assert Cache(path, "e").fact("k", lambda: "anew") == "anew"


def test_a_cache_that_cannot_be_read_is_an_empty_one(path):
    path.mkdir(parents=True)
    assert Cache(path, "e").fact("k", lambda: 1) == 1


def test_nothing_new_writes_nothing(path):
    cache = Cache(path, "e")
    cache.fact("k", lambda: 1)
    cache.save()
    before = path.stat().st_ino
    again = Cache(path, "e")
    again.fact("k", never)
    again.save()
    assert path.stat().st_ino == before


def test_a_large_cache_keeps_what_the_run_asked_for(path):
    cache = Cache(path, "e")
    for number in range(LARGEST + 1):
        cache.facts[f"old {number}"] = "0"
    cache.fact("new", lambda: 1)
    cache.fact("old 7", never)
    cache.save()
    assert sorted(Cache(path, "e").facts) == ["new", "old 7"]
