"""`assay orders`: what became of each order, and what a person decides where nobody else can say."""

import json
import shutil
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from quantassay.domain.trading.book import NewOrder, Unknown
from quantassay.domain.trading.evidence import FilledByHoldings, Found, Nothing, Several
from quantassay.domain.trading.orders import Intent, Key, State
from quantassay.jobs import orders as job
from quantassay.jobs.halt import NoReason
from quantassay.jobs.orders import NoOrder, NoSuchRow, NothingInDoubt, ShownByBroker, TooEarly, Wish
from quantassay.store.journal import Journal, NumberTaken, journal_file
from tests.fakes.trading import CERTIFICATE, FakeClock, MemoryBroker

ROOT = Path(__file__).parents[2]
AT = datetime.fromisoformat("2026-11-19T09:01:00+09:00")
ANSWER = timedelta(seconds=30)
SPAN = timedelta(seconds=30 + 600 + 120)
PLAN = "sha256:" + "ef" * 32
TICKER = "990010"
SAID = {"why": "seen in the broker's program", "by": "Kim Mina"}


class Scene:
    """A workspace with an order whose answer was lost, a broker in memory, and a clock that is past its deadline."""

    def __init__(self, toy):
        self.toy, self.clock = toy, FakeClock(AT)
        self.broker = MemoryBroker(self.clock, prices={TICKER: 1_000}, held={TICKER: 5})
        shutil.copy(ROOT / "spec/27_trading.yaml", toy.root / "spec/27_trading.yaml")
        self.journal = Journal(journal_file(toy.root / "data"))
        self.fence = self.journal.take(AT, "desk", "a run")

    def order(self, line=0, *, taken, shares=10, answer=True, shown_after=0):
        """Send an order; nobody is told what came of it."""
        totals, book = self.broker.day_orders(AT.date()).totals, self.broker.book()
        before = {
            "held": book.held(TICKER),
            "ordered": totals.ordered,
            "filled": totals.filled,
            "amount": totals.amount,
        }
        certificate = {name: str(value) for name, value in asdict(CERTIFICATE).items()}
        key = Key("desk", PLAN, line, 1)
        intent = Intent(key, TICKER, "buy", shares, 1_000, 990, before, certificate)
        now = self.clock.now()
        self.journal.intend(now, intent, self.fence)
        self.journal.send(now, key.order, self.fence, now + ANSWER)
        self.broker.say("submit", Unknown("no answer within 10 s"), taken=taken, shown_after=shown_after)
        self.broker.submit(NewOrder(TICKER, "buy", shares, 1_000))
        if not taken:
            self.broker._scripts.clear()
        if answer:
            self.journal.append(now, "unknown", account="desk", order=key.order, body={"why": "no answer within 10 s"})
        self.clock.advance(ANSWER.total_seconds())
        return key.order

    def resolve(self, order, **said):
        wish = Wish(order, **said)
        return job.resolve(self.toy.root, wish, clock=self.clock, broker=self.broker)

    def state(self, order):
        return self.journal.orders()[order].state


@pytest.fixture
def scene(toy):
    made = Scene(toy)
    yield made
    made.journal.close()


def test_an_order_that_the_broker_shows_is_placed(scene):
    order = scene.order(taken=True)
    shown = scene.resolve(order)
    assert isinstance(shown.finding, Found)
    assert not shown.decided
    assert scene.state(order) is State.UNKNOWN
    done = scene.resolve(order[:6], placed="0000000001", **SAID)
    # What became of it is written down at once.
    assert (done.decided, done.order.state, done.order.filled, done.order.amount) == (True, State.FILLED, 10, 10_000)
    assert (done.order.number, done.order.branch, done.order.day) == ("1", "00950", "2026-11-19")
    found = next(event for event in scene.journal.events() if event.kind == "found")
    assert {name: found.body[name] for name in ("how", "by", "why")} == {"how": "person", **SAID}


def test_an_order_that_was_sent_when_its_process_died_is_in_doubt_too(scene):
    order = scene.order(taken=True, answer=False)
    assert scene.state(order) is State.SENT
    assert scene.resolve(order, placed="1", **SAID).order.state is State.FILLED


def test_two_orders_like_it_are_for_a_person(scene):
    order = scene.order(taken=True)
    by_hand = scene.broker.external(TICKER, "buy", 10, 1_000)
    shown = scene.resolve(order)
    assert isinstance(shown.finding, Several)
    assert {row.number for row in shown.finding.rows} == {"1", str(by_hand.number)}
    assert scene.resolve(order, placed="1", **SAID).order.state is State.FILLED


def test_a_number_must_be_one_that_the_broker_shows_for_such_an_order(scene):
    order = scene.order(taken=True)
    scene.broker.external(TICKER, "buy", 9, 1_000)
    with pytest.raises(NoSuchRow, match="shows no new order of that number on 2026-11-19"):
        scene.resolve(order, placed="9", **SAID)
    with pytest.raises(NoSuchRow, match="it is to buy 9 of 990010"):
        scene.resolve(order, placed="2", **SAID)
    scene.resolve(order, placed="1", **SAID)
    second = scene.order(1, taken=False)
    with pytest.raises(NumberTaken, match=f"belongs to order {order} already"):
        scene.resolve(second, placed="1", **SAID)
    assert scene.state(second) is State.UNKNOWN


def test_that_it_is_not_shown_proves_nothing_and_a_person_may_still_say_so(scene):
    order = scene.order(taken=False)
    assert isinstance(scene.resolve(order).finding, Nothing)
    with pytest.raises(TooEarly, match=r"may still arrive at the broker until 2026-11-19T09:13:30\+09:00"):
        scene.resolve(order, not_placed=True, **SAID)
    scene.clock.advance(SPAN.total_seconds())
    done = scene.resolve(order, not_placed=True, **SAID)
    assert (done.decided, done.order.state, done.order.given_up) == (True, State.REJECTED, True)
    said = next(event for event in scene.journal.events() if event.kind == "not_placed").body
    assert said["by"] == "Kim Mina"
    assert "no order like it" in said["seen"]
    with pytest.raises(NothingInDoubt, match="is REJECTED: there is nothing to decide"):
        scene.resolve(order, not_placed=True, **SAID)


@pytest.mark.parametrize("hide_rows", [False, True])
def test_what_the_broker_shows_cannot_be_given_up(scene, hide_rows):
    order = scene.order(taken=True)
    scene.broker.hide_rows = hide_rows
    scene.clock.advance(SPAN.total_seconds())
    assert isinstance(scene.resolve(order).finding, FilledByHoldings if hide_rows else Found)
    with pytest.raises(ShownByBroker):
        scene.resolve(order, not_placed=True, **SAID)
    assert scene.state(order) is State.UNKNOWN


def test_while_an_answer_may_come_nothing_is_decided(scene):
    order = scene.order(taken=True, answer=False)
    scene.clock.instant -= timedelta(seconds=1)
    with pytest.raises(TooEarly, match="may still be answered until"):
        scene.resolve(order, placed="1", **SAID)


def test_a_broker_that_cannot_be_read_concludes_nothing_and_a_person_may(scene):
    order = scene.order(taken=True)
    scene.broker.fail("day_orders")
    shown = scene.resolve(order)
    assert isinstance(shown.finding, Nothing)
    assert "could not be read" in shown.unread
    scene.broker.fail("book")
    done = scene.resolve(order, placed="0000000001", **SAID)
    assert (done.order.state, done.order.number) == (State.ACK, "0000000001")


def test_where_the_broker_leaves_rows_out_a_person_s_number_counts(scene):
    order = scene.order(taken=True)
    scene.broker.hide_rows = True
    done = scene.resolve(order, placed="1", **SAID)
    # The holdings tell how much of it is filled, as they do without a person.
    assert (done.order.state, done.order.filled, done.order.estimated) == (State.FILLED, 10, True)


def test_who_decides_says_how_they_know(scene):
    order = scene.order(taken=True)
    with pytest.raises(NoReason):
        scene.resolve(order, placed="1")
    for name in ("nobody", ""):
        with pytest.raises(NoOrder):
            scene.resolve(name, placed="1", **SAID)
    scene.broker.external(TICKER, "buy", 1, 1_000)
    scene.resolve(order, placed="1", **SAID)
    scene.order(1, taken=False)
    with pytest.raises(NoOrder, match="2 orders begin with it: efefefefefef-000-1, efefefefefef-001-1"):
        scene.resolve("ef", placed="2", **SAID)


# The command.


def test_the_command_lists_shows_and_checks(scene):
    toy = scene.toy
    first = scene.order(taken=True, shares=1_200)
    assert toy.run("orders").out.splitlines()[-2] == "1 of 1 orders; 1 in doubt"
    scene.resolve(first, placed="1", **SAID)
    second = scene.order(1, taken=False)
    told = toy.run("orders", "list")
    assert told.code == 0
    rows = told.out.splitlines()
    assert rows[0].split()[:7] == ["ORDER", "ACCOUNT", "SIDE", "TICKER", "SHARES", "LIMIT", "STATE"]
    assert rows[1].split()[:9] == [first, "desk", "buy", TICKER, "1,200", "1,000", "FILLED", "1,200", "1"]
    assert rows[2].split()[6:9] == ["UNKNOWN", "0", "-"]
    assert "2 of 2 orders; 1 in doubt" in told.out
    assert toy.run("orders", "list", "--account", "other").out == "0 of 0 orders; 0 in doubt\n"
    listed = json.loads(toy.run("orders", "list", "--format", "json").out)
    assert [(one["order"], one["state"], one["filled"]) for one in listed] == [
        (first, "FILLED", 1_200),
        (second, "UNKNOWN", 0),
    ]
    shown = toy.run("orders", "show", first)
    assert f"{first}: buy 1,200 of {TICKER} at 1,000 won at most" in shown.out
    assert "found  branch=00950 by=Kim Mina day=2026-11-19 how=person number=1 why=seen in" in shown.out
    events = json.loads(toy.run("orders", "show", first, "--format", "json").out)["events"]
    assert [event["kind"] for event in events] == ["intent", "sent", "unknown", "found", "fill"]
    seq, digest = scene.journal.head()
    checked = toy.run("orders", "check")
    assert (checked.code, checked.out) == (0, f"the journal is whole: {seq} lines, the head is {seq}:{digest[7:19]}\n")
    assert toy.run("orders", "check", "--head", f"{seq}:{digest[7:19]}").code == 0
    assert toy.run("orders", "check", "--head", f"{seq}:000000000000").code == 1
    value = json.loads(toy.run("orders", "check", "--format", "json").out)
    assert value == {"head": seq, "digest": digest, "problems": []}


def test_ended_orders_of_older_plans_are_listed_only_when_asked_for(scene):
    first = scene.order(taken=True)
    scene.resolve(first, placed="1", **SAID)
    key = Key("desk", "sha256:" + "01" * 32, 0, 1)
    scene.journal.intend(AT, Intent(key, TICKER, "buy", 1, 1_000, 990, {}, {}), scene.fence)
    assert [one["order"] for one in json.loads(scene.toy.run("orders", "list", "--format", "json").out)] == [key.order]
    assert scene.toy.run("orders", "list", "--all").out.count(TICKER) == 2


def test_a_damaged_journal_is_exit_code_1(scene):
    scene.order(taken=True)
    head = scene.journal.head()
    scene.journal._connection.execute("DROP TRIGGER never_changed")
    scene.journal._connection.execute("UPDATE events SET body = replace(body, '990', '991') WHERE kind = 'intent'")
    checked = scene.toy.run("orders", "check")
    assert checked.code == 1
    assert "the layout lacks never_changed" in checked.out
    assert "line 2 (intent) is not what its digest says" in checked.out
    assert "put data/journal.sqlite3 back from a backup" in checked.out
    assert json.loads(scene.toy.run("orders", "check", "--format", "json").out)["problems"]
    assert scene.toy.run("orders").code == 1
    assert scene.toy.run("halt", "--why", "stop").code == 1
    assert head[0] == 4


def test_a_workspace_without_orders_says_so(toy):
    assert toy.run("orders").out == "0 of 0 orders; 0 in doubt\n"
    assert "there is no journal yet" in toy.run("orders", "check").out
    assert toy.run("orders", "check", "--format", "json").out == "null\n"
    assert toy.run("orders", "show", "x").code == 2
    # Looking makes no file.
    assert not (toy.root / "data").exists()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (["--placed", "1", "--not-placed", "--why", "x"], "not both"),
        (["--placed", "1"], "say with --why how you know"),
        (["--not-placed", "--why", " "], "say with --why how you know"),
    ],
)
def test_a_decision_that_is_none_is_wrong_use(toy, said, why):
    refused = toy.run("orders", "resolve", "x", *said)
    assert refused.code == 2
    assert why in refused.err


def test_the_command_shows_what_speaks_for_an_order(scene):
    order = scene.order(taken=True)
    told = scene.toy.run("orders", "resolve", order)
    # The account of this workspace has no broker: that proves nothing, and a person is told what to do.
    assert told.code == 1
    assert "nothing is decided; next: look into the broker's own program" in told.out
    decided = scene.toy.run("orders", "resolve", order, "--placed", "1", "--why", "seen", "--by", "Kim Mina")
    assert decided.code == 0, decided.err
    assert "decided: it is ACK" in decided.out
