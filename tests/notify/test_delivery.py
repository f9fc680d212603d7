"""The outbox and its delivery: once a key, one channel's fault is its own, waits grow, nothing is lost on the way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from quantassay.notify.channels import Later, Refused, Sent
from quantassay.notify.delivery import Outbox, Rules, after, deliver
from quantassay.store.operations import Delivery, Operations
from tests.fakes.trading import FakeClock

START = datetime(2026, 11, 20, 0, 1, tzinfo=UTC)
RULES = Rules(timedelta(seconds=30), timedelta(minutes=30), timedelta(hours=24), timedelta(seconds=60))
WINDOW = timedelta(hours=24)
BOTH = frozenset({"report", "alarm"})


class Mouth:
    """A channel that answers what it is told to, the last for all that follow, and keeps what was said to it."""

    def __init__(self, *answers, takes_s=0, clock=None):
        self.answers, self.said, self.takes_s, self.clock = list(answers) or [Sent()], [], takes_s, clock

    def send(self, message):
        self.said.append(message)
        if self.clock:
            self.clock.sleep(self.takes_s)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def clock():
    return FakeClock(START)


@pytest.fixture
def store(tmp_path):
    with Operations(tmp_path) as opened:
        yield opened


def put(store, at=START, subject="execute: done", key="k", kind="report"):
    store.put(at, kind, subject, "2 filled", key)


def round_of(store, clock, channels, rules=RULES, **more):
    kinds = [(name, BOTH) for name in channels]
    store.take(kinds, WINDOW, clock.now() - rules.give_up, clock.now())
    found = deliver(Outbox(store, "Desk", **more), channels, rules, clock.now)
    return [(one.channel, one.state, one.says) for one in found]


def test_a_notice_reaches_every_channel_once(store, clock):
    put(store)
    one, two = Mouth(), Mouth()
    assert round_of(store, clock, {"one": one, "two": two}) == [("one", "sent", ""), ("two", "sent", "")]
    assert round_of(store, clock, {"one": one, "two": two}) == []
    assert (
        [(m.subject, m.text) for m in one.said]
        == [("Desk: execute: done", "2 filled")]
        == [(m.subject, m.text) for m in two.said]
    )


def test_the_same_key_is_told_once_within_the_window_and_counted(store, clock):
    mouth = Mouth()
    for _ in range(3):
        put(store)
    round_of(store, clock, {"one": mouth})
    assert mouth.said[0].text == "2 filled\n(left 3 times before it was sent)"
    for minutes in (1, 2, 60 * 23):
        put(store, START + timedelta(minutes=minutes))
        assert round_of(store, clock, {"one": mouth}) == []
    put(store, START + timedelta(minutes=3), key="another")
    assert len(round_of(store, clock, {"one": mouth})) == 1
    # Beyond the window it is news again, and tells what was kept back.
    clock.advance(24 * 3600)
    put(store, START + WINDOW)
    round_of(store, clock, {"one": mouth})
    assert mouth.said[-1].text == "2 filled\n(it came 5 times more after it was told on 2026-11-20 00:01 UTC)"
    assert [one.state for one in store.notices()] == ["taken", "taken", "repeat", "repeat", "repeat", "taken"]


def test_kinds_go_where_they_are_taken_and_an_unknown_kind_everywhere(store):
    for kind in ("report", "alarm", "other"):
        put(store, key=kind, subject=kind, kind=kind)
    store.take([("all", BOTH), ("alarms", frozenset({"alarm"}))], WINDOW, START - WINDOW, START)
    wanted = {(one.subject, row.channel) for one in store.notices() for row in store.deliveries(one.id)}
    everywhere = {(kind, channel) for kind in ("alarm", "other") for channel in ("all", "alarms")}
    assert wanted == everywhere | {("report", "all")}


def test_without_channels_notices_wait_and_old_ones_are_no_news_any_more(store, clock):
    put(store)
    put(store, START - timedelta(hours=25), key="old")
    assert store.take([], WINDOW, START - RULES.give_up, START) == 0
    assert [one.state for one in store.notices()] == ["expired", "new"]
    mouth = Mouth()
    assert len(round_of(store, clock, {"one": mouth})) == 1


def test_a_dead_channel_costs_one_wait_a_round_and_keeps_no_other(store, clock):
    for number in range(5):
        put(store, key=str(number), subject=str(number))
    dead, alive = Mouth(Later("no whole answer (ReadTimeout)"), clock=clock, takes_s=10), Mouth()
    round_of(store, clock, {"dead": dead, "alive": alive})
    assert (len(dead.said), len(alive.said)) == (1, 5)
    states = {row.state for row in store.deliveries() if row.channel == "dead"}
    assert states == {"waiting"}
    # It comes back: all five arrive, in their order.
    dead.answers = [Sent()]
    clock.advance(30)
    round_of(store, clock, {"dead": dead, "alive": alive})
    assert [m.subject for m in dead.said[1:]] == [f"Desk: {n}" for n in range(5)]
    assert len(alive.said) == 5


def test_waits_double_up_to_the_longest_and_end_when_it_gives_up(store, clock):
    put(store)
    mouth, waits = Mouth(Later("busy")), []
    while True:
        round_of(store, clock, {"one": mouth})
        (row,) = store.deliveries()
        if row.state != "waiting":
            break
        waits.append((row.next_at - clock.now()).total_seconds())
        assert round_of(store, clock, {"one": mouth}) == []
        clock.advance(waits[-1])
    assert waits[:8] == [30, 60, 120, 240, 480, 960, 1800, 1800]
    assert (row.state, row.says) == ("given_up", "busy")
    assert timedelta(hours=24) <= clock.now() - START < timedelta(hours=25)
    assert store.again(clock.now()) == 1
    mouth.answers = [Sent()]
    assert round_of(store, clock, {"one": mouth}) == [("one", "sent", "")]


def test_what_a_channel_asks_for_is_honoured(store, clock):
    put(store)
    mouth = Mouth(Later("enough for now", 4000.0), Sent())
    round_of(store, clock, {"one": mouth})
    clock.advance(3999)
    assert round_of(store, clock, {"one": mouth}) == []
    clock.advance(1)
    assert round_of(store, clock, {"one": mouth}) == [("one", "sent", "")]


def test_what_is_refused_waits_for_a_person(store, clock):
    put(store)
    mouth = Mouth(Refused("errcode 310000: sign not match"), Sent())
    assert round_of(store, clock, {"one": mouth}) == [("one", "refused", "errcode 310000: sign not match")]
    clock.advance(7200)
    assert round_of(store, clock, {"one": mouth}) == []
    assert store.again(clock.now()) == 1
    assert round_of(store, clock, {"one": mouth}) == [("one", "sent", "")]


def test_a_channel_that_cannot_be_used_says_why_and_is_asked_later(store, clock):
    put(store)
    why = "the login telegram_bot is not used: refused"
    assert round_of(store, clock, {"one": why}) == [("one", "waiting", why)]
    clock.advance(30)
    gone = deliver(Outbox(store), {}, RULES, clock.now)
    assert [one.says for one in gone] == ["spec/29_operations.yaml has no such channel any more, or it is off"]
    clock.advance(60)
    assert list(deliver(Outbox(store, left_alone=frozenset({"one"})), {}, RULES, clock.now)) == []


def test_a_round_ends_by_the_clock_and_the_rest_waits_for_the_next(store, clock):
    for number in range(9):
        put(store, key=str(number))
    slow = Mouth(clock=clock, takes_s=25)
    assert len(round_of(store, clock, {"one": slow})) == 3
    assert len(round_of(store, clock, {"one": slow})) == 3


def test_each_answer_is_on_disk_before_the_next_attempt(store, clock, tmp_path):
    for number in range(3):
        put(store, key=str(number))
    store.take([("one", BOTH)], WINDOW, START - WINDOW, START)
    attempts = deliver(Outbox(store), {"one": Mouth()}, RULES, clock.now)
    next(attempts)
    attempts.close()  # as a kill between two attempts would
    with Operations(tmp_path) as another:
        assert [row.state for row in another.deliveries()] == ["sent", "waiting", "waiting"]


def test_a_long_wait_stays_a_wait():
    row = Delivery(1, "one", "waiting", 5000, START, START, "")
    assert after(row, Later("busy"), RULES, START).next_at == START + RULES.longest_wait
    assert after(replace(row, attempts=0), Later("x", 1.0), RULES, START, asked=False).attempts == 0
