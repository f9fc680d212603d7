"""`assay reconcile` and what a run of `assay trade` calls: a broker in memory, a real journal, a clock of its own."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from quantassay.brokers.port import Unreadable
from quantassay.domain.trading import reconcile as judged
from quantassay.domain.trading.book import Certificate
from quantassay.domain.trading.legality import Fenced
from quantassay.domain.trading.orders import Intent, Key
from quantassay.domain.trading.reconcile import Kind
from quantassay.jobs import halt, reconcile_run
from quantassay.jobs import reconcile as job
from quantassay.store.journal import Journal
from quantassay.store.operations import Operations
from tests.fakes.trading import FakeClock, MemoryBroker

AT = datetime.fromisoformat("2026-11-19T10:00:00+09:00")
LIMITS = job.Limits(ZoneInfo("Asia/Seoul"), timedelta(seconds=60), 3, timedelta(seconds=600))
A, B = "990010", "990020"


class Desk:
    """An account at a broker in memory, and its journal."""

    def __init__(self, path):
        self.clock = FakeClock(AT)
        self.broker = MemoryBroker(self.clock, prices={A: 1000, B: 2000}, held={A: 100})
        self.journal = Journal(path)
        self.ground = job.Ground("desk", self.journal, self.clock, LIMITS)
        self.line = 0

    def reconcile(self, **how):
        return job.reconcile(self.ground, self.broker, **how)

    def kinds(self):
        return [event.kind for event in self.journal.events("desk")]

    def held(self):
        return dict(judged.known(self.journal.events("desk")).held)

    def order(self, ticker, side, quantity):
        """An order of ours on the disk, and as sent; its name."""
        self.line += 1
        fence = self.journal.desk().fence("desk") or self.journal.take(self.clock.now(), "desk", "test")
        certificate = {"environment": "rehearsal"}
        key = Key("desk", "sha256:" + "c" * 64, self.line, 1)
        intent = Intent(key, ticker, side, quantity, self.broker.prices[ticker], 1000, {}, certificate)
        self.journal.intend(self.clock.now(), intent, fence)
        self.journal.send(self.clock.now(), key.order, fence, self.clock.now() + timedelta(seconds=30))
        return key.order

    def standing(self, ticker, quantity):
        """A buy of ours that the broker took; its name."""
        name = self.order(ticker, "buy", quantity)
        body = {"number": "900", "branch": "b", "day": "2026-11-19"}
        self.journal.append(self.clock.now(), "ack", account="desk", order=name, body=body)
        return name


@pytest.fixture
def desk(tmp_path):
    one = Desk(tmp_path / "journal.sqlite3")
    yield one
    one.journal.close()


def asked(desk):
    """The days whose orders the broker was asked for."""
    return [arguments[0].isoformat() for name, arguments in desk.broker.calls if name == "day_orders"]


def kinds(outcome):
    return {one.ticker: one.kind.value for one in outcome.names}


def test_the_first_reading_is_where_we_begin_whatever_was_traded_before_it(desk):
    desk.broker.external(A, "buy", 20, 1000)
    first = desk.reconcile()
    assert (first.first, kinds(first), desk.held()) == (True, {A: "agree"}, {A: 120})
    assert desk.kinds() == ["external", "book"]
    second = desk.reconcile()
    assert (second.first, kinds(second), desk.kinds()[2:]) == (False, {A: "agree"}, ["book"])


def test_a_trade_by_hand_is_recognised_once_and_nothing_is_locked(desk):
    desk.reconcile()
    desk.clock.advance(3600)
    desk.broker.external(B, "buy", 7, 2000)
    found = desk.reconcile()
    assert [(one.ticker, one.side, one.quantity, one.day) for one in found.externals] == [(B, "buy", 7, "2026-11-19")]
    assert desk.reconcile().externals == ()
    assert desk.held() == {A: 100, B: 7}
    assert desk.journal.desk().breaks == {}


def test_a_break_locks_the_name_until_the_broker_says_what_we_say(desk):
    desk.reconcile()
    desk.broker.held[A] = 60
    first, second = desk.reconcile(), desk.reconcile()
    assert (first.new, second.new, set(second.breaks)) == ((A,), (), {A})
    assert "we count 100, the broker 60" in second.breaks[A]
    assert desk.kinds().count("break") == 1
    assert set(desk.journal.desk().locked("desk", {})) == {A}
    desk.broker.held[A] = 50
    assert desk.reconcile().new == (A,), "another difference is news"
    desk.broker.held[A] = 100
    assert desk.reconcile().cleared == (A,)
    assert desk.journal.desk().breaks == {}
    assert desk.journal.events("desk")[-2].body["by"] == "assay reconcile"


def test_a_break_outlasts_an_order_of_ours_and_ends_with_the_row_that_explains_it(desk):
    desk.reconcile()
    desk.broker.hide_rows = True
    order = desk.standing(B, 7)
    desk.broker.external(B, "buy", 7, 2000)
    desk.broker.held[B] = 8
    assert set(desk.reconcile().breaks) == {B}
    desk.broker.held[B] = 7
    assert (kinds(desk.reconcile()), desk.journal.desk().breaks.keys()) == (
        {A: "agree", B: "ours_unfinished"},
        {("desk", B)},
    )
    body = {"filled": 0, "amount": 0, "estimated": False}
    desk.journal.append(desk.clock.now(), "cancelled", account="desk", order=order, body=body)
    desk.clock.advance(61)
    assert desk.reconcile().cleared == ()
    desk.broker.hide_rows = False
    assert desk.reconcile().cleared == (B,)
    assert desk.journal.desk().breaks == {}


def test_a_split_is_accepted_by_a_person_and_counted_from_there(desk):
    desk.reconcile()
    desk.broker.held[A] = 500
    desk.reconcile()
    done = job.accept(desk.ground, desk.broker, A, "kim", "split of 1 into 5 on 2026-11-19")
    assert (kinds(done), desk.held(), desk.journal.desk().breaks) == ({A: "agree"}, {A: 500}, {})
    cleared = next(event for event in desk.journal.events("desk") if event.kind == "break_cleared")
    assert (cleared.body["by"], cleared.body["adopted"], cleared.body["ours"]) == ("kim", 500, 100)
    with pytest.raises(job.NoBreak, match="990010 of desk is no break: we count 500, the broker 500"):
        job.accept(desk.ground, desk.broker, A, "kim", "again")
    with pytest.raises(job.NoBreak, match="990020 of desk is no break"):
        job.accept(desk.ground, desk.broker, B, "kim", "nothing there")


def test_what_the_broker_showed_when_a_break_was_accepted_explains_nothing_later(desk):
    desk.reconcile()
    desk.broker.external(A, "buy", 5, 1000)
    desk.broker.held[A] = 106
    job.accept(desk.ground, desk.broker, A, "kim", "one more came by post")
    desk.broker.held[A] = 111
    assert kinds(desk.reconcile()) == {A: "break"}


def test_a_break_of_a_name_with_an_order_of_ours_is_not_accepted(desk):
    desk.reconcile()
    desk.order(A, "sell", 10)
    desk.broker.held[A] = 500
    assert kinds(desk.reconcile()) == {A: "break"}
    with pytest.raises(job.StillOpen, match="cannot be accepted while an order of ours stands"):
        job.accept(desk.ground, desk.broker, A, "kim", "a split")


@pytest.mark.parametrize("reading", ["book", "day_orders"])
def test_a_failed_reading_changes_nothing(desk, reading):
    desk.reconcile()
    before, desk.broker.held[A] = desk.kinds(), 0
    desk.broker.fail(reading)
    with pytest.raises(Unreadable, match="nothing is concluded from it"):
        desk.reconcile()
    assert desk.kinds() == before
    assert desk.held() == {A: 100}


def test_a_book_with_one_name_twice_is_no_book(desk):
    desk.reconcile()
    book = desk.broker.book()
    desk.broker.say("book", type(book)(book.at, book.positions * 2, 0, 0, 0, 1, book.certificate))
    with pytest.raises(job.NamedTwice, match="990010 stands in it twice"):
        desk.reconcile()


def test_a_book_of_another_account_is_refused(desk):
    desk.reconcile()
    desk.broker.certificate = Certificate("rehearsal", "127.0.0.1:18080", "V", "cccccccccccc", "bbbbbbbbbbbb")
    with pytest.raises(job.OtherAccount, match="knows desk as account aaaaaaaaaaaa"):
        desk.reconcile()


def test_an_account_that_was_traded_before_it_was_read_is_refused(desk):
    name = desk.order(A, "sell", 10)
    with pytest.raises(job.OpenBeforeRead, match=name):
        desk.reconcile()


def test_the_journal_is_read_after_the_broker_so_that_an_order_sent_meanwhile_is_ours(desk):
    desk.reconcile()
    desk.clock.advance(3600)

    def another_process(moment, name):
        if (moment, name) == ("before", "book"):
            desk.order(B, "buy", 3)
            desk.broker.held[B] = 3

    desk.broker.watch = another_process
    assert kinds(desk.reconcile()) == {A: "agree", B: "ours_unfinished"}


def test_a_fill_that_does_not_show_yet_is_waited_for_and_no_longer_than_was_said(desk):
    desk.reconcile()
    order = desk.order(B, "buy", 3)
    body = {"number": "7", "branch": "b", "day": "2026-11-19"}
    desk.journal.append(desk.clock.now(), "ack", account="desk", order=order, body=body)
    body = {"filled": 3, "amount": 6000, "estimated": False}
    desk.journal.append(desk.clock.now(), "fill", account="desk", order=order, body=body)
    late = desk.reconcile(patience_s=5)
    assert (late.unfinished, desk.clock.slept) == ((B,), [2.0, 2.0, 2.0])
    desk.clock.at(desk.clock.now() + timedelta(seconds=3), lambda: desk.broker.held.update({B: 3}))
    assert kinds(desk.reconcile(patience_s=30)) == {A: "agree", B: "agree"}
    assert len(desk.clock.slept) == 5
    del desk.broker.held[B]
    desk.clock.advance(61)
    assert set(desk.reconcile(patience_s=30).breaks) == {B}


def test_a_difference_is_looked_for_in_earlier_days_as_many_as_may_be_asked_for(desk):
    desk.reconcile()
    desk.broker.external(B, "buy", 7, 2000)
    desk.clock.advance(24 * 3600)
    desk.broker.calls.clear()
    found = desk.reconcile()
    assert found.externals[0].day == "2026-11-19"
    assert asked(desk) == ["2026-11-20", "2026-11-19"]
    desk.broker.held[A] = 1
    desk.clock.advance(10 * 24 * 3600)
    desk.broker.calls.clear()
    assert set(desk.reconcile().breaks) == {A}
    assert asked(desk) == ["2026-11-30", "2026-11-27", "2026-11-26", "2026-11-25"]


def test_a_name_that_agrees_costs_two_readings(desk):
    desk.reconcile()
    desk.broker.calls.clear()
    desk.reconcile()
    assert [name for name, _ in desk.broker.calls] == ["day_orders", "book"]


def test_watching_writes_a_reading_when_it_says_something_or_the_last_is_old(desk):
    desk.reconcile()
    for seconds, money, written in ((60, 0, 1), (60, 5, 2), (599, 0, 2), (1, 0, 3)):
        desk.clock.advance(seconds)
        desk.broker.cash += money
        desk.reconcile(sparing=True)
        assert desk.kinds().count("book") == written


def test_looking_writes_nothing(desk):
    assert job.looked_at(desk.ground, desk.broker).first
    desk.reconcile()
    desk.broker.held[A] = 1
    before = desk.kinds()
    assert kinds(job.looked_at(desk.ground, desk.broker)) == {A: "break"}
    assert desk.kinds() == before


def test_whoever_lost_the_lease_writes_nothing(desk):
    fence = desk.journal.take(AT, "desk", "first")
    desk.journal.take(AT, "desk", "second")
    with pytest.raises(Fenced):
        job.reconcile(job.Ground("desk", desk.journal, desk.clock, LIMITS, fence), desk.broker)
    assert "book" not in desk.kinds()


@pytest.mark.parametrize("count", [0, 19, 20, 21, 50, 51])
def test_every_holding_counts(desk, count):
    desk.broker.held = {f"{990100 + i}": i + 1 for i in range(count)}
    assert desk.reconcile().first
    after = desk.reconcile()
    assert len(after.names) == count
    assert all(one.kind is Kind.AGREE for one in after.names)


# What a person runs.


@pytest.fixture
def place(desk, tmp_path):
    return reconcile_run.Place(desk.ground, desk.broker, tmp_path)


def told(place):
    with Operations(place.data) as store:
        return [(one.kind, one.subject, one.text) for one in reversed(store.notices())]


def test_a_new_break_is_told_to_whoever_is_to_be_told_and_only_once(desk, place):
    reconcile_run.once(place)
    desk.broker.held[A] = 60
    for _ in range(2):
        reconcile_run.once(place)
    [(kind, subject, text)] = told(place)
    assert (kind, subject) == ("alarm", "990010 of desk is locked")
    assert text.endswith("no order that the broker shows explains it; see `assay reconcile`")


def test_watching_goes_on_after_a_reading_that_failed_and_says_so(desk, place):
    watched = reconcile_run.watched(place, 30)
    assert next(watched).first
    desk.broker.fail("book")
    assert isinstance(next(watched), Unreadable)
    assert kinds(next(watched)) == {A: "agree"}
    assert desk.clock.slept == [30, 30]
    assert [(kind, subject) for kind, subject, _ in told(place)] == [("alarm", "desk cannot be read")]


def test_whoever_accepts_a_break_says_who_and_why(desk, place):
    desk.reconcile()
    desk.broker.held[A] = 500
    with pytest.raises(halt.NoReason):
        reconcile_run.accepted(place, A, " ", "kim")
    reconcile_run.accepted(place, A, "a split", "kim")
    assert desk.journal.desk().breaks == {}
