"""What may be added to a journal, and the laws that hold at every line of any journal that was added to so."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantassay.domain.trading import desk_state, legality, orders
from quantassay.domain.trading.bodies import MEMBERS, fault
from quantassay.domain.trading.desk_state import DESK_KINDS, DeskState
from quantassay.domain.trading.legality import (
    AlreadyIntended,
    AttemptOpen,
    CannotFollow,
    Fenced,
    Halted,
    Ledger,
    Locked,
    NotRecorded,
    NumberTaken,
    StillOpen,
    Wrong,
)
from quantassay.domain.trading.orders import LIVE, ORDER_KINDS, TERMINAL, Event, Key, State

AT = datetime.fromisoformat("2026-11-19T09:01:00+09:00")
PLAN = "sha256:" + "ab" * 32
TICKERS = ("990010", "990020")
BY = {"by": "Kim Mina", "why": "as it should be"}
DEADLINE = {"deadline": (AT + timedelta(seconds=30)).isoformat()}
ACK = {"number": "7", "branch": "1", "day": "2026-11-19"}


def filled(shares, *, estimated=False):
    return {"filled": shares, "amount": shares * 1_000, "estimated": estimated}


def intended(line=0, attempt=1, **changes):
    told = {"ticker": TICKERS[line % 2], "side": "buy", "quantity": 10, "limit_price": 1_000, "reference_price": 990}
    return {"plan": PLAN, "line": line, "attempt": attempt, **told, "before": {}, "certificate": {}, **changes}


class Lines:
    """A journal without a disk: what may be added is, what may not raises."""

    def __init__(self):
        self.events, self.ledger, self.desk = [], Ledger(), DeskState()

    @property
    def orders(self):
        return self.ledger.orders

    def add(self, kind, body=None, line=0, attempt=1, account="desk"):
        name = Key(account, PLAN, line, attempt).order if kind in ORDER_KINDS else ""
        of = "" if kind in ("halt", "resume") else account
        event = Event(len(self.events) + 1, AT, kind, of, name, body or {})
        legality.check(event, self.ledger, self.desk)
        self.ledger.add(event)
        self.desk = desk_state.after(self.desk, event)
        self.events.append(event)
        return self

    def order(self, line=0, attempt=1):
        return self.orders[Key("desk", PLAN, line, attempt).order]


def begun(line=0, **changes):
    return Lines().add("intent", intended(line, **changes), line).add("sent", DEADLINE, line)


def refused(lines, kind, body=None, **of):
    with pytest.raises(NotRecorded) as raised:
        lines.add(kind, body, **of)
    return raised.type


def test_a_key_is_intended_once():
    lines = Lines().add("intent", intended())
    assert refused(lines, "intent", intended()) is AlreadyIntended
    assert refused(lines, "intent", intended(quantity=5)) is AlreadyIntended
    lines.add("withdrawn", {"why": "halted"})
    assert refused(lines, "intent", intended()) is AlreadyIntended


def test_a_line_is_tried_again_only_for_what_its_last_attempt_left():
    lines = begun().add("ack", ACK)
    assert refused(lines, "intent", intended(attempt=2), attempt=2) is AttemptOpen
    lines.add("cancelled", filled(4))
    for wrong in ({"quantity": 7}, {"quantity": 6, "side": "sell"}, {"quantity": 6, "ticker": TICKERS[1]}):
        assert refused(lines, "intent", intended(attempt=2, **wrong), attempt=2) is AttemptOpen
    assert refused(lines, "intent", intended(attempt=3, quantity=6), attempt=3) is AttemptOpen
    lines.add("intent", intended(attempt=2, quantity=6), attempt=2)
    done = begun().add("fill", filled(10))
    assert refused(done, "intent", intended(attempt=2, quantity=1), attempt=2) is AttemptOpen


def test_a_name_has_one_order_at_the_broker():
    same = {"ticker": TICKERS[0]}
    for kind, body in [("ack", ACK), ("unknown", {"why": "no answer"}), ("fill", filled(3))]:
        lines = begun().add(kind, body)
        assert refused(lines, "intent", intended(1, **same), line=1) is StillOpen
        lines.add("intent", intended(2, ticker="990030"), line=2)
        # Another account's orders are its own.
        Lines.add(lines, "intent", intended(1, **same), line=1, account="other")
    # Two that wait to be sent: the second is refused when it is sent.
    lines = Lines().add("intent", intended()).add("intent", intended(1, **same), line=1).add("sent", DEADLINE)
    assert refused(lines, "sent", DEADLINE, line=1) is StillOpen


def test_an_order_is_sent_once_unless_it_was_not_processed():
    lines = begun()
    assert refused(lines, "sent", DEADLINE) is CannotFollow
    lines.add("not_sent", {"why": "throttled"}).add("sent", DEADLINE).add("unknown", {"why": "no answer"})
    assert refused(lines, "sent", DEADLINE) is CannotFollow
    assert refused(lines, "not_sent", {"why": "throttled"}) is CannotFollow
    assert refused(Lines(), "sent", DEADLINE) is CannotFollow


@pytest.mark.parametrize(("level", "side", "stopped"), [("all", "sell", 1), ("buys", "buy", 1), ("buys", "sell", 0)])
def test_the_kill_switch_stands_before_sending(level, side, stopped):
    lines = Lines().add("intent", intended(side=side)).add("halt", {**BY, "level": level})
    if stopped:
        assert refused(lines, "sent", DEADLINE) is Halted
        lines.add("resume", BY)
    lines.add("sent", DEADLINE)
    # What is at the broker may be taken back, and is told, whatever the switch says.
    lines.add("halt", {**BY, "level": "all"}).add("ack", ACK).add("cancel_sent").add("cancel_answer", {"taken": True})
    lines.add("cancelled", filled(0))


def test_a_halt_is_never_weakened_by_another():
    lines = Lines().add("halt", {**BY, "level": "buys"}).add("halt", {**BY, "level": "all", "why": "worse"})
    lines.add("halt", {**BY, "level": "buys", "why": "less"})
    assert (lines.desk.halt.level, lines.desk.halt.why) == ("all", "worse")
    assert lines.add("resume", BY).desk.halt is None


def test_only_the_newest_lease_sends():
    lines = Lines().add("lease", {"owner": "a", "fence": 1}).add("intent", intended())
    lines.add("lease", {"owner": "b", "fence": 2})
    assert refused(lines, "sent", {**DEADLINE, "fence": 1}) is Fenced
    lines.add("sent", {**DEADLINE, "fence": 2})
    for fence in (2, 4):
        assert refused(lines, "lease", {"owner": "c", "fence": fence}) is CannotFollow
    assert lines.desk.fence("desk") == 2
    assert lines.desk.fence("other") == 0


def test_nothing_is_sent_for_a_name_in_a_break():
    lines = Lines().add("intent", intended()).add("intent", intended(1), line=1)
    lines.add("break", {"ticker": TICKERS[0], "ours": 3, "theirs": 4, "why": "nobody knows"})
    assert refused(lines, "sent", DEADLINE) is Locked
    assert lines.desk.locked("desk", {}) == {TICKERS[0]: "we count 3 shares and the broker 4; `assay reconcile`"}
    assert lines.desk.locked("other", {}) == {}
    lines.add("sent", DEADLINE, line=1)
    lines.add("break_cleared", {"ticker": TICKERS[0], **BY}).add("sent", DEADLINE)
    assert set(lines.desk.locked("desk", lines.orders)) == set(TICKERS)
    lines.add("ack", ACK).add("unknown", {"why": "no answer"}, line=1)
    assert set(lines.desk.locked("desk", lines.orders)) == {TICKERS[1]}
    assert lines.desk.locked("other", lines.orders) == {}


def test_a_number_belongs_to_one_order_of_a_day():
    lines = begun().add("ack", ACK).add("intent", intended(1), line=1).add("sent", DEADLINE, line=1)
    for kind in ("ack", "found"):
        assert refused(lines, kind, {**ACK, "number": "0007"}, line=1) is NumberTaken
    lines.add("found", {**ACK, "day": "2026-11-20"}, line=1)


def test_what_cannot_have_happened_is_refused():
    lines = begun().add("ack", ACK).add("fill", filled(6))
    for kind, body in [("fill", filled(5)), ("fill", filled(11)), ("ack", ACK), ("withdrawn", {"why": "x"})]:
        assert refused(lines, kind, body) is CannotFollow
    lines.add("fill", filled(10))
    for kind, body in [("fill", filled(10)), ("cancelled", filled(10)), ("cancel_sent", {}), ("not_placed", BY)]:
        assert refused(lines, kind, body) is CannotFollow
    assert refused(Lines(), "fill", filled(1)) is CannotFollow
    assert refused(begun(), "intent", intended(1)) is AlreadyIntended
    assert refused(Lines(), "intent", intended(1)) is CannotFollow
    assert refused(Lines(), "run_done", {"plan": PLAN, "outcome": "complete"}) is CannotFollow


def test_a_plan_is_begun_once_and_then_continued():
    start = {"plan": PLAN, "plan_id": "P1", "session": "2026-11-19", "data": {"orders": []}, "continued": False}
    lines = Lines().add("run_started", start)
    assert [run.plan for run in lines.desk.unfinished("desk")] == [PLAN]
    assert refused(lines, "run_started", start) is CannotFollow
    lines.add("run_started", {**start, "continued": True, "data": {}})
    lines.add("run_done", {"plan": PLAN, "outcome": "complete"})
    run = lines.desk.runs["desk", PLAN]
    assert (run.starts, run.outcome, run.data) == (2, "complete", {"orders": []})
    assert lines.desk.unfinished("desk") == []
    assert refused(lines, "run_done", {"plan": PLAN, "outcome": "complete"}) is CannotFollow
    assert refused(lines, "run_started", start) is CannotFollow
    assert lines.add("run_started", {**start, "continued": True}).desk.runs["desk", PLAN].is_unfinished


def test_the_rest_of_the_desk_is_as_it_was_last_said():
    lines = Lines().add("armed", BY)
    body = {"at": AT.isoformat(), "cash": 1, "positions": [], "certificate": {}}
    lines.add("book", body).add("book", {**body, "cash": 2})
    assert lines.desk.armed["desk"].by == "Kim Mina"
    assert lines.desk.books["desk"].body["cash"] == 2
    assert lines.add("disarmed", BY).desk.armed == {}
    assert lines.add("disarmed", BY).desk.armed == {}
    lines.add(
        "external", {"ticker": "9", "side": "buy", "quantity": 1, "amount": 2, "number": "3", "day": "2026-11-19"}
    )
    assert lines.add("clearing", {"by": "Kim Mina"}).desk.books["desk"].seq == 3


def test_an_event_is_about_what_its_kind_is_about():
    naive = Event(1, AT.replace(tzinfo=None), "resume", "", "", BY)
    for event in (
        naive,
        Event(1, AT, "halt", "desk", "", {**BY, "level": "all"}),
        Event(1, AT, "armed", "", "", BY),
        Event(1, AT, "armed", "desk", "an-order", BY),
        Event(1, AT, "ack", "desk", "", ACK),
        Event(1, AT, "splurge", "desk", "", {}),
    ):
        with pytest.raises((Wrong, CannotFollow)):
            legality.check(event, Ledger(), DeskState())
    lines = begun()
    nobody = Event(1, AT, "intent", "", Key("", PLAN, 0, 1).order, intended())
    for wrong in (naive, nobody, Event(1, AT, "armed", "desk", "", {"by": "Kim Mina"})):
        with pytest.raises(Wrong) as raised:
            legality.check(wrong, Ledger(), DeskState())
        # Whoever wrote it is at fault, and no state of the market.
        assert raised.value.exit_code == 3
    stray = Event(9, AT, "ack", "other", Key("desk", PLAN, 0, 1).order, ACK)
    with pytest.raises(CannotFollow, match="another account"):
        legality.check(stray, lines.ledger, lines.desk)
    with pytest.raises(orders.BadHistory, match="does not know"):
        desk_state.after(DeskState(), Event(1, AT, "splurge", "desk", "", {}))


def test_every_kind_of_event_has_its_members():
    assert set(MEMBERS) == ORDER_KINDS | DESK_KINDS


BODIES = {
    "intent": intended(),
    "sent": DEADLINE,
    "ack": ACK,
    "fill": filled(3),
    "cancel_answer": {"taken": True},
    "not_placed": BY,
    "rejected": {"why": "closed"},
    "lease": {"owner": "a", "fence": 1},
    "halt": {**BY, "level": "all"},
    "run_started": {
        "plan": PLAN,
        "plan_id": "",
        "session": "2026-11-19",
        "data": {"a": [None, True]},
        "continued": True,
    },
    "book": {"at": AT.isoformat(), "cash": 0, "positions": [{"ticker": "9", "quantity": 1}], "certificate": {"a": "b"}},
    "break": {"ticker": "9", "ours": -1, "theirs": 0, "why": ""},
    "external": {"ticker": "9", "side": "sell", "quantity": 1, "amount": 2, "number": "3", "day": "2026-11-19"},
}
ODD = [None, True, 1.5, -1, 0, 2**53, "", " ", "x", "\ud800", [], [1], {}, {"a": 1.0}, {1: 2}, {"\xe9": 1}, AT, b"x"]


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_is_what_its_kind_must_be(kind):
    body = BODIES[kind]
    assert fault(kind, body) == ""
    assert fault(kind, {**body, "more": "may be said"}) == ""
    for name in body:
        assert fault(kind, {one: value for one, value in body.items() if one != name})
        # No member takes everything, and what stands on the disk is JSON.
        assert sum(not fault(kind, {**body, name: odd}) for odd in ODD) <= 6
    for odd in (1.5, 2**53, "\ud800", {1: 2}, {"\xe9": 1}, AT, b"x", [[1.5]]):
        assert fault(kind, {**body, "more": odd})
    assert fault(kind, None)
    deep = []
    for _ in range(100):
        deep = [deep]
    assert fault(kind, {**body, "more": deep})


# Any journal: what is refused is left out, what is left obeys the laws.

DESK = ("halt", "resume", "lease", "break", "break_cleared")
KINDS = [*sorted(ORDER_KINDS), *DESK]
STEPS = st.lists(st.tuples(st.integers(0, 999), st.integers(0, 2), st.integers(0, 10)), min_size=10, max_size=40)


def body_of(kind, line, number):
    by_kind = {
        "intent": intended(line, quantity=number or 1),
        "sent": DEADLINE if number > 2 else {**DEADLINE, "fence": number},
        "ack": {**ACK, "number": f"0{number}"},
        "found": {**ACK, "number": str(number)},
        "fill": filled(number),
        "cancelled": filled(number),
        "cancel_answer": {"taken": number > 5},
        "halt": {**BY, "level": "all" if number > 5 else "buys"},
        "lease": {"owner": "a", "fence": 1 + number % 3},
        "break": {"ticker": TICKERS[number % 2], "ours": 1, "theirs": 2, "why": ""},
        "break_cleared": {"ticker": TICKERS[number % 2], **BY},
    }
    return by_kind.get(kind, BY)


def journal_of(steps):
    """A step goes on with the newest attempt of a line, mostly by what may come next, sometimes by anything."""
    lines = Lines()
    for choice, line, number in steps:
        attempts = [one for one in (1, 2, 3) if Key("desk", PLAN, line, one).order in lines.orders]
        attempt = attempts[-1] if attempts else 1
        state = lines.order(line, attempt).state if attempts else None
        if state in TERMINAL:
            attempt += 1
        fits = [kind for kind in sorted(orders._MAY_FOLLOW) if state in orders._MAY_FOLLOW[kind]] or ["intent"]
        kind = fits[choice % len(fits)] if choice < 850 else KINDS[choice % len(KINDS)]
        body = body_of(kind, line, number)
        if kind == "intent":
            body = {**body, "attempt": attempt}
        try:
            lines.add(kind, body, line, attempt)
        except NotRecorded:
            continue
    return lines


@settings(max_examples=150)
@given(STEPS)
def test_the_laws_hold_at_every_line_of_any_journal(steps):
    events = journal_of(steps).events
    assert len({tuple(e.body[n] for n in ("plan", "line", "attempt")) for e in events if e.kind == "intent"}) == sum(
        e.kind == "intent" for e in events
    )
    before = {}
    for end in range(len(events) + 1):
        now, desk = orders.fold(events[:end]), desk_state.fold(events[:end])
        live = Counter(o.intent.ticker for o in now.values() if o.state in LIVE)
        assert set(live.values()) <= {1}
        for name, old in before.items():
            assert now[name].intent == old.intent
            assert old.filled <= now[name].filled <= old.intent.quantity
            assert old.state not in TERMINAL or now[name] == old
        by_line = Counter()
        for order in now.values():
            by_line[order.intent.key.line] += order.filled
        for line, shares in by_line.items():
            assert shares <= now[Key("desk", PLAN, line, 1).order].intent.quantity
        if end and events[end - 1].kind == "sent":
            # One sending, and no answer since the last that says nothing was processed: never a second one.
            of = [e.kind for e in events[:end] if e.order == events[end - 1].order]
            assert of.count("sent") == of.count("not_sent") + 1
            order = now[events[end - 1].order]
            assert desk.halt is None or not desk.halt.stops(order.intent.side)
            assert ("desk", order.intent.ticker) not in desk.breaks
            assert events[end - 1].body.get("fence", desk.fence("desk")) == desk.fence("desk")
        before = now


def test_the_journals_that_are_tried_reach_every_state():
    seen = Counter()

    @settings(max_examples=150)
    @given(STEPS)
    def tried(steps):
        found = journal_of(steps).orders.values()
        seen.update({order.state for order in found})
        seen["again"] += any(order.intent.key.attempt == 2 for order in found)

    tried()
    assert all(seen[state] for state in (*State, "again")), seen
