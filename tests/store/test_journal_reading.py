"""A journal looked back into: the rows are what was written, every byte counts, and damage is told and not refused."""

import sqlite3

import pytest

from quantassay.store import journal_reading
from tests.fakes import journals


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "journal.sqlite3"
    journals.write(file, journals.rows("left_open"))
    return file


def damage(path, statement, *values):
    with sqlite3.connect(path) as connection:
        for trigger in ("never_changed", "never_removed"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize("name", journals.NAMES)
def test_every_journal_of_the_tests_is_one_that_the_real_one_takes(tmp_path, name):
    file = tmp_path / "journal.sqlite3"
    journals.write(file, journals.rows(name))
    _, last = journal_reading.content(file)
    assert journal_reading.read(file, last) == journals.journal(name)


def test_the_same_lines_have_the_same_content_and_one_more_another(path, tmp_path):
    other = tmp_path / "other.sqlite3"
    journals.write(other, journals.rows("left_open"))
    assert journal_reading.content(path) == journal_reading.content(other)
    journals.write(other, [journals.rows("halt")[-1]])
    assert journal_reading.content(path)[0] != journal_reading.content(other)[0]


def test_lines_that_came_later_are_not_read(path):
    content, last = journal_reading.content(path)
    journals.write(path, [journals.rows("halt")[-1]])
    assert journal_reading.read(path, last) == journals.journal("left_open")
    assert journal_reading.content(path)[0] != content


def test_a_changed_line_changes_the_content_and_is_told(path):
    before, last = journal_reading.content(path)
    damage(path, "UPDATE events SET body = replace(body, '568500', '568501')")
    assert journal_reading.content(path)[0] != before
    found = journal_reading.read(path, last)
    assert found["problems"] == ["the layout lacks never_changed", "the layout lacks never_removed"]
    assert [row["body"]["amount"] for row in found["events"] if row["kind"] == "fill"] == [568_501]


@pytest.mark.parametrize("body", ["{", '{"by": "jun"}'])
def test_a_line_that_is_none_is_told_and_is_no_row(path, body):
    _, last = journal_reading.content(path)
    damage(path, "UPDATE events SET body = ? WHERE seq = 1", body)
    found = journal_reading.read(path, last)
    assert [row["seq"] for row in found["events"]] == list(range(2, last + 1))
    assert found["problems"]
