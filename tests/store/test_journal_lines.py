"""The lines on the disk: whatever is changed, taken out, swapped or put in is found, and lines are only ever added."""

import shutil
import sqlite3

import pytest

from quantassay.store import journal_lines
from quantassay.store.journal import Journal, JournalDamaged, journal_file, lines_of
from quantassay.store.sqlite import DatabaseFault
from tests.fakes.small_journal import AT, BY, LATER, day, intent, name

COLUMNS = ("at", "kind", "account", "name", "body", "digest")


@pytest.fixture
def path(tmp_path):
    return journal_file(tmp_path / "data")


def raw(path, *statements, keep_triggers=False):
    """Do to the file what no journal does."""
    connection = sqlite3.connect(path, isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    if not keep_triggers:
        for trigger, _ in triggers:
            connection.execute(f"DROP TRIGGER {trigger}")
    try:
        for statement, *values in statements:
            connection.execute(statement, values)
    finally:
        if not keep_triggers:
            for _, sql in triggers:
                connection.execute(sql)
        connection.close()


def problems(path):
    with Journal(path) as journal:
        return journal.check()


def copied(path, tmp_path, *statements, head=True):
    folder = tmp_path / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(path.parent, folder)
    copy = journal_file(folder)
    if not head:
        journal_lines.head_file(copy).unlink()
    raw(copy, *statements)
    return copy


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = body",
        "UPDATE events SET kind = 'resume' WHERE seq = 8",
        "DELETE FROM events WHERE seq = 8",
        "DELETE FROM events",
        "REPLACE INTO events SELECT * FROM events WHERE seq = 8",
        "INSERT INTO events SELECT 12, at, kind, account, name, body, digest FROM events WHERE seq = 1",
        "INSERT INTO events SELECT 0, at, kind, account, name, body, digest FROM events WHERE seq = 1",
        "INSERT INTO events SELECT 9, at, kind, account, name, body, digest FROM events WHERE seq = 2",
        "INSERT INTO events SELECT * FROM events WHERE seq = 1 ON CONFLICT DO UPDATE SET kind = 'resume'",
    ],
)
def test_lines_are_only_added_at_the_end(path, statement):
    day(path)
    with pytest.raises(sqlite3.IntegrityError):
        raw(path, (statement,), keep_triggers=True)
    assert problems(path) == []


def test_every_byte_of_every_member_of_every_line_is_bound():
    rows, seq, digest = [], 0, journal_lines.GENESIS
    events = [
        (AT.isoformat(), "halt", "", "", '{"by":"Kim","level":"all","why":"\uc0bc\uc131"}'),
        (AT.isoformat(), "armed", "desk", "", '{"by":"Kim","why":"yes"}'),
    ]
    for number, (at, kind, account, of, body) in enumerate(events, 1):
        line = journal_lines.read([number, *(one.encode() for one in (at, kind, account, of, body, ""))])
        rows.append([number, *(one.encode() for one in (at, kind, account, of, body)), b""])
        rows[-1][-1] = journal_lines.digest_of(line, rows[-2][-1].decode() if number > 1 else "").encode()
    for row in rows:
        line = journal_lines.read(row)
        journal_lines.follows(line, seq, digest)
        for column, value in enumerate(row):
            changed = [value - 1, value + 1] if column == 0 else list(other_bytes(value))
            for other in changed:
                with pytest.raises(JournalDamaged):
                    journal_lines.follows(journal_lines.read([*row[:column], other, *row[column + 1 :]]), seq, digest)
        seq, digest = line.event.seq, line.digest


def other_bytes(value):
    """The value with each byte changed in turn, with a space more at its end, and without its last byte."""
    for i in range(len(value)):
        for bit in (1, 0x20, 0x80):
            yield value[:i] + bytes([value[i] ^ bit]) + value[i + 1 :]
    yield value + b" "
    if value:
        yield value[:-1]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_line_that_was_changed_is_found(path, tmp_path, column):
    day(path)
    for seq in range(1, 9):
        change = f"UPDATE events SET {column} = {column} || ' ' WHERE seq = ?"
        copy = copied(path, tmp_path, (change, seq), head=False)
        assert any(told.startswith(f"line {seq} ") for told in problems(copy)), seq
        with pytest.raises(JournalDamaged, match=f"line {seq} .*nothing is traded on it"), Journal(copy) as journal:
            journal.take(AT, "desk", "somebody")


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        ([("DELETE FROM events WHERE seq = 4",)], "line 5 comes after line 3"),
        ([("UPDATE events SET seq = 99 WHERE seq = 4",)], "line 5 comes after line 3"),
        (
            [(f"UPDATE events SET seq = {a} WHERE seq = {b}",) for a, b in [(99, 4), (4, 5), (5, 99)]],
            "line 4 (intent) is not what its digest says",
        ),
        ([("DELETE FROM events WHERE seq = 8",)], "journal.head tells line 8, and the journal ends with line 7"),
        ([("DELETE FROM events",)], "journal.head tells line 8, and the journal ends with line 0"),
        ([("DROP INDEX one_intent_a_key",)], "the layout lacks one_intent_a_key"),
        ([("CREATE TABLE more (x)",)], "the layout has more, which is not the journal's"),
        ([("UPDATE events SET body = x'ff' || body WHERE seq = 4",)], "line 4 cannot be read"),
        ([("UPDATE events SET at = 'yesterday' WHERE seq = 4",)], "line 4 cannot be read"),
    ],
)
def test_lines_that_were_taken_out_or_swapped_are_found(path, tmp_path, statements, says):
    copy = copied(day(path), tmp_path, *statements)
    assert [told for told in problems(copy) if says in told]
    with Journal(copy) as journal:
        if "layout" not in says:
            with pytest.raises(JournalDamaged):
                journal.orders()


def test_a_trigger_that_is_gone_is_found(path):
    day(path)
    raw(path, ("DROP TRIGGER never_changed",), keep_triggers=True)
    assert problems(path) == ["the layout lacks never_changed"]
    weaker = "CREATE TRIGGER never_changed BEFORE UPDATE OF digest ON events BEGIN SELECT 1; END"
    raw(path, (weaker,), keep_triggers=True)
    assert problems(path) == ["the layout's never_changed was changed"]


def test_lines_taken_off_the_end_show_only_by_a_head_that_was_noted(path, tmp_path):
    noted = lines_of(day(path).parent)[-1]
    head = (noted.event.seq, noted.digest.removeprefix("sha256:")[:12])
    copy = copied(path, tmp_path, ("DELETE FROM events WHERE seq = 8",), head=False)
    with Journal(copy) as journal:
        assert journal.check() == []
        assert journal.check([head]) == [
            "the head that was noted tells line 8, and the journal ends with line 7: lines were taken off its end"
        ]
        # Another line is put in its place: the chain is whole, and not the one that was noted.
        journal.append(AT, "resume", body=BY)
        assert journal.check() == []
        assert "tells another line 8" in journal.check([head])[0]
    with Journal(path) as journal:
        assert journal.check([head]) == []


def test_an_older_copy_put_in_its_place_is_found(path, tmp_path):
    day(path)
    with Journal(path) as journal:
        older = journal_file(tmp_path / "older")
        shutil.copytree(path.parent, older.parent)
        journal.take(AT, "desk", "later")
    for name_ in ("", "-wal", "-shm"):
        kept = older.with_name(older.name + name_)
        if kept.exists():
            shutil.copy(kept, path.with_name(path.name + name_))
    with Journal(path) as journal, pytest.raises(JournalDamaged, match=r"journal\.head tells line 9"):
        journal.orders()
    # A head file that was cut off as the power failed says nothing.
    journal_lines.head_file(path).write_text("")
    assert problems(path) == []


def test_a_file_that_is_exchanged_under_a_process_stops_it(path, tmp_path):
    day(path)
    with Journal(path) as journal:
        new = journal_file(tmp_path / "new")
        Journal(new).close()
        new.replace(path)
        with pytest.raises(JournalDamaged, match="another file was put in its place"):
            journal.append(AT, "resume", body=BY)


def test_a_whole_journal_of_impossible_lines_is_found(path):
    # Somebody who knows the chain may write what no journal would have taken.
    with Journal(path) as journal:
        journal.take(AT, "desk", "somebody")
        journal.intend(AT, intent(), 1)
        journal.append(AT, "halt", body={**BY, "level": "all"})
        head, previous = journal.head()
        event = journal_lines.Event(head + 1, AT, "sent", "desk", name(), {"deadline": LATER.isoformat()})
        journal_lines.insert(journal._connection, event, previous)
        told = journal.check()
        assert len(told) == 1
        assert "line 4 could not have been added: trading is halted" in told[0]


def test_a_process_that_meets_a_damaged_line_says_so_each_time_and_adds_nothing(path):
    day(path)
    with Journal(path) as journal, Journal(path) as other:
        head = journal.head()
        other.append(AT, "cancel_sent", account="desk", order=name())
        other.intend(AT, intent(7), 1)
        other.append(AT, "resume", body=BY)
        raw(path, ("UPDATE events SET kind = 'halt' WHERE seq = 11",))
        for _ in range(2):
            with pytest.raises(JournalDamaged, match=r"line 11 .* is not what its digest says"):
                journal.append(AT, "resume", body=BY)
        assert journal._head == head


def test_a_line_that_is_spelt_otherwise_is_found(path):
    day(path)
    with Journal(path) as journal:
        seq, previous = journal.head()
        body = '{"why": "yes", "by": "Kim Mina"}'
        row = [seq + 1, AT.isoformat(), "resume", "", "", body, ""]
        line = journal_lines.read([seq + 1, *(str(one).encode() for one in row[1:])])
        row[-1] = journal_lines.digest_of(line, previous)
        journal._connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        assert journal.check() == ["line 9 has a body that nobody here writes so"]


def test_a_journal_that_cannot_be_written_refuses_in_a_sentence(path):
    day(path)
    with Journal(path) as journal:
        journal._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(DatabaseFault, match="the disk is full"):
            journal.append(AT, "armed", account="desk", body={**BY, "why": "x" * 9_000})
        journal._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(DatabaseFault, match="you may not write to it"):
            journal.append(AT, "resume", body=BY)
        assert len(journal.events()) == 8
