"""The journal as its users have it: what was added is there, and what is refused leaves nothing."""

import hashlib
import json

import pytest

from quantassay.domain.trading.orders import State
from quantassay.store.journal import (
    AlreadyIntended,
    CannotFollow,
    Fenced,
    Journal,
    NotRecorded,
    Wrong,
    journal_file,
    lines_of,
)
from tests.fakes.small_journal import AT, BY, LATER, day, intent, name


@pytest.fixture
def path(tmp_path):
    return journal_file(tmp_path / "data")


def test_what_was_added_is_there_for_whoever_comes_next(path):
    assert lines_of(path.parent) == []
    assert not path.exists()
    day(path)
    with Journal(path) as journal:
        events = journal.events()
        assert [event.seq for event in events] == list(range(1, 9))
        assert [event.kind for event in events[:4]] == ["lease", "intent", "sent", "ack"]
        assert (events[1].at, events[1].body) == (AT, intent().body())
        assert events[2].body == {"deadline": LATER.isoformat(), "fence": 1}
        assert [one.state for one in journal.orders("desk").values()] == [State.ACK, State.UNKNOWN]
        assert journal.orders()[name()].intent == intent()
        assert journal.orders("other") == {}
        assert journal.desk().halt.why == BY["why"]
        assert [event.kind for event in journal.events("other")] == ["halt"]
        assert journal.events("desk", after=7) == events[7:]
        assert journal.events("desk", after=2, kinds=("ack", "intent")) == [events[3], events[4]]
        assert [line.digest for line in journal.lines()][-1] == journal.head()[1]
        assert journal.check() == []
    assert lines_of(path.parent)[1].event == events[1]


def test_the_chain_is_canonical_json_that_anybody_can_work_out(path):
    with Journal(day(path)) as journal:
        journal.append(AT, "armed", account="\uacc4\uc88c", body=BY)
    previous = ""
    for line in lines_of(path.parent):
        event = line.event
        told = {"seq": event.seq, "at": line.at, "kind": event.kind, "account": event.account, "order": event.order}
        whole = {**told, "body": dict(event.body), "previous": previous}
        text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = line.digest
        assert previous == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_what_is_refused_leaves_nothing(path):
    with Journal(day(path)) as journal:
        head = journal.head()
        fence = journal.desk().fence("desk")
        for refused in (
            lambda: journal.intend(AT, intent(), fence),
            lambda: journal.intend(AT, intent(5), fence + 1),
            lambda: journal.intend(AT, intent(5, quantity=0), fence),
            lambda: journal.send(AT, name(), fence, LATER),
            lambda: journal.send(AT, "nobody", fence, LATER),
            lambda: journal.append(AT, "sent", account="desk", order=name(), body={"deadline": LATER.isoformat()}),
            lambda: journal.append(AT, "lease", account="desk", body={"owner": "me", "fence": 9}),
            lambda: journal.append(AT, "intent", account="desk", order=name(5), body=intent(5).body()),
            lambda: journal.append(AT, "fill", account="desk", order=name(), body={"filled": 1}),
            lambda: journal.append(AT, "ack", account="desk", order=name(), body={}),
            lambda: journal.append(AT, "resume", body={"by": "me"}),
            lambda: journal.append(AT.replace(tzinfo=None), "resume", body=BY),
            lambda: journal.append(AT, "cancel_sent", account="desk", order=name(), fence=fence + 1),
            lambda: journal.append(AT, "chatter", body={}),
        ):
            with pytest.raises(NotRecorded):
                refused()
            assert journal.head() == head
        assert len(journal.events()) == head[0]
        with pytest.raises(NotRecorded, match="trading is halted by Kim Mina"):
            journal.send(AT, journal.intend(AT, intent(5), fence).order, fence, LATER)


def test_a_refusal_is_a_sentence_that_says_what_to_do(path):
    with Journal(day(path)) as journal:
        with pytest.raises(AlreadyIntended, match="assay orders show abababababab-000-1") as raised:
            journal.intend(AT, intent(), 1)
        assert raised.value.exit_code == 1
        journal.take(AT, "desk", "another process")
        with pytest.raises(Fenced, match=r"another process took it over at .* with 2; it stops here"):
            journal.send(AT, name(), 1, LATER)
        with pytest.raises(CannotFollow, match="'ack' of abababababab-000-1: it cannot follow the state ACK"):
            journal.append(
                AT, "ack", account="desk", order=name(), body={"number": "9", "branch": "", "day": "2026-11-19"}
            )
        with pytest.raises(Wrong) as raised:
            journal.append(AT, "sent", account="desk", order=name())
        assert raised.value.exit_code == 3


def test_the_disk_is_told_to_keep_each_line(path):
    with Journal(path) as journal:
        told = [journal._connection.execute(f"PRAGMA {one}").fetchone()[0] for one in ("journal_mode", "synchronous")]
    assert told == ["wal", 2]
