"""What a file changes: nothing said before is lost, nothing is said twice, a blank takes nothing away."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.manual.versions import Stated, Version, changes, taken_back

DAY, KNOWN_ON = date(2026, 11, 16), date(2026, 11, 18)
KEY = ("005930", DAY, "balance_shares")


def says(value, note="", known_on=KNOWN_ON):
    return Stated(None if value is None else Decimal(value), note, known_on)


def held(stated, number=1, digest="sha256:a"):
    return Version(stated, number, "a.csv", digest, 2)


def test_what_was_not_known_is_version_one():
    (change,) = changes({}, {KEY: says("5")})
    assert (change.number, change.corrects) == (1, False)


def test_the_same_again_changes_nothing_however_it_is_written():
    assert changes({KEY: held(says("0.70"))}, {KEY: says("0.7")}) == []
    assert changes({KEY: held(says(None, "banned"))}, {KEY: says(None, "banned")}) == []


def test_another_value_is_the_next_version():
    before = held(says("5"), number=3)
    (change,) = changes({KEY: before}, {KEY: says("6")})
    assert (change.number, change.corrects, change.before) == (4, True, before)


def test_another_day_of_use_is_a_correction_too():
    (change,) = changes({KEY: held(says("5"))}, {KEY: says("5", known_on=date(2026, 11, 19))})
    assert change.corrects


def test_a_blank_takes_nothing_away_and_is_filled_without_being_a_correction():
    assert changes({KEY: held(says("5"))}, {KEY: says(None, "blank")}) == []
    assert changes({KEY: held(says(None, "banned"))}, {KEY: says(None, "blank")}) == []
    (change,) = changes({KEY: held(says(None, "blank"))}, {KEY: says("5")})
    assert (change.number, change.corrects) == (2, False)


def test_zero_and_banned_are_not_the_same():
    (change,) = changes({KEY: held(says("0"))}, {KEY: says(None, "banned")})
    assert change.corrects


def test_changes_are_in_order():
    said = {("B", DAY, "x"): says("1"), ("A", DAY, "y"): says("2"), ("A", DAY, "x"): says("3")}
    assert [change.key[::2] for change in changes({}, said)] == [("A", "x"), ("A", "y"), ("B", "x")]


def test_a_file_takes_back_what_it_gave_and_says_no_more():
    other = ("000660", DAY, "balance_shares")
    known = {KEY: held(says("5")), other: held(says("7"), digest="sha256:b")}
    (change,) = taken_back(known, {}, "sha256:a")
    assert (change.key, change.stated, change.number) == (KEY, says(None, "blank"), 2)
    assert taken_back(known, {KEY: says("5")}, "sha256:a") == []
    assert taken_back({KEY: held(says(None, "blank"))}, {}, "sha256:a") == []


VALUES = st.one_of(st.integers(-3, 3).map(says), st.sampled_from([says(None, "blank"), says(None, "banned")]))


@given(st.lists(VALUES, max_size=8))
def test_versions_count_up_and_the_last_word_that_is_no_blank_stands(statements):
    known, last = {}, None
    for stated in statements:
        for change in changes(known, {KEY: stated}):
            assert change.number == (known[KEY].number + 1 if known else 1)
            known[KEY] = held(change.stated, change.number)
        assert changes(known, {KEY: stated}) == []
        last = stated if last is None or stated.note != "blank" else last
    assert (known[KEY].stated if known else None) == last
