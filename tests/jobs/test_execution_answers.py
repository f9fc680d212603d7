"""Whatever is answered to an order or a cancel, and however late it fills, it is sent once and its end is known."""

from datetime import timedelta

import pytest

from quantassay.brokers.port import Unreadable
from quantassay.domain.trading.book import NotSent, Refused, Unknown
from tests.fakes.execution import ALL, HELD, OPEN, PLAN, TERMS, Killed, Rig, buy, placed, states


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "state"))


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path, list(PLAN), held=HELD)


# What is answered.


def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again(rig):
    rig.broker.say("submit", Unknown("no answer in 10 s"), taken=True, shown_after=2)
    outcome = rig.run()
    assert outcome.ok
    assert placed(rig) == ALL
    assert rig.kinds()[:4] == ["run_started", "intent", "sent", "unknown"]
    assert "found" in rig.kinds()


def test_an_order_that_is_nowhere_stays_unknown_locks_its_name_and_other_names_go_on(rig):
    rig.broker.say("submit", Unknown("no answer in 10 s"))
    outcome = rig.run()
    assert states(outcome) == {1: "unknown", 2: "filled", 3: "not_sent", 4: "not_sent"}
    assert not outcome.ok
    assert not outcome.done
    assert "every sell has ended" in outcome.stopped
    again = rig.run()
    assert again.sent == 0
    assert states(again) == states(outcome)
    assert placed(rig) == [("990030", "sell", 5)]


def test_a_buy_that_is_nowhere_does_not_keep_the_others_back(rig):
    rig.broker.say("submit", None, taken=True)
    rig = Rig(rig.folder, list(PLAN[2:]))
    rig.broker.say("submit", Unknown("no answer"))
    outcome = rig.run()
    assert states(outcome) == {3: "unknown", 4: "filled"}


def test_two_orders_that_it_may_be_are_for_a_person(tmp_path):
    rig = Rig(tmp_path, [buy(1, "990010", 10, 1_000)])
    rig.broker.say("submit", Unknown("no answer"), taken=True)
    rig.broker.watch = lambda at, name: (
        rig.broker.external("990010", "buy", 10, 1_000) if (at, name) == ("before", "submit") else None
    )
    outcome = rig.run()
    assert states(outcome) == {1: "unknown"}
    assert "all like it" in outcome.told[0].why
    assert len(rig.broker.orders()) == 2


def test_what_was_certainly_not_processed_is_sent_again_after_its_wait(rig):
    rig.broker.say("submit", NotSent("EGW00201", "too many requests", 3))
    rig.broker.say("submit", NotSent("connect", "no connection", 1))
    outcome = rig.run()
    assert outcome.ok
    assert placed(rig) == ALL
    assert rig.clock.slept[:2] == [3, 1]
    assert rig.kinds()[:7] == ["run_started", "intent", "sent", "not_sent", "sent", "not_sent", "sent"]


def test_it_is_sent_again_only_so_often_and_the_next_run_may_begin_anew(rig):
    for _ in range(3):
        rig.broker.say("submit", NotSent("connect", "no connection", 1))
    outcome = rig.run()
    assert states(outcome) == {1: "not_sent", 2: "filled", 3: "filled", 4: "filled"}
    assert "could not be sent in 3 tries: no connection" in outcome.told[0].why
    assert not outcome.done
    assert rig.run().ok
    assert placed(rig) == ALL
    assert [name[-2:] for name, one in rig.orders().items() if one.intent.key.line == 1] == ["-1", "-2"]


def test_a_refused_order_is_final_for_its_line(rig):
    rig.broker.say("submit", Refused("40240000", "not enough"))
    outcome = rig.run()
    assert states(outcome) == {1: "refused", 2: "filled", 3: "filled", 4: "filled"}
    assert (outcome.ok, outcome.done) == (False, True)
    assert rig.run(go_on=True).sent == 0
    assert not rig.broker.orders("990020")


def test_a_broker_that_is_closed_is_not_asked_line_by_line(rig):
    rig.broker.open = False
    outcome = rig.run()
    assert states(outcome) == {1: "refused", 2: "not_sent", 3: "not_sent", 4: "not_sent"}
    assert [name for name, _ in rig.broker.calls].count("submit") == 1
    assert "the session is closed" in outcome.stopped


def test_an_order_that_the_exchange_refuses_later_is_told(rig):
    rig.broker.reject_later("990020")
    assert states(rig.run())[1] == "refused"


def test_fills_come_in_parts_and_without_rows_too(tmp_path):
    for hidden in (False, True):
        rig = Rig(tmp_path / str(hidden), list(PLAN), held=HELD)
        rig.broker.fills("990020", 0, 10, 20)
        rig.broker.hide_rows = hidden
        outcome = rig.run()
        assert outcome.ok, outcome
        assert placed(rig) == ALL
        assert any(one.estimated for one in rig.orders().values()) is hidden


# What takes too long.


def test_what_does_not_fill_in_time_is_taken_back_once_and_its_end_waited_for(rig):
    rig.broker.fills("990020", 10)
    outcome = rig.run()
    assert states(outcome) == {1: "cancelled", 2: "filled", 3: "filled", 4: "filled"}
    assert outcome.told[0].line.filled == 10
    assert (outcome.ok, outcome.done) == (False, True)
    assert [name for name, _ in rig.broker.calls].count("cancel") == 1
    assert rig.clock.now() - OPEN >= TERMS.fills["sell"]
    kinds = rig.kinds()
    assert kinds.index("cancelled") < [i for i, kind in enumerate(kinds) if kind == "intent"][2]


@pytest.mark.parametrize("answer", [Unknown("no answer"), NotSent("EGW00201", "too many", 1)])
def test_a_cancel_whose_answer_is_lost_is_looked_for_and_sent_again(rig, answer):
    rig.broker.fills("990020", 0)
    rig.broker.say("cancel", answer)
    assert states(rig.run())[1] == "cancelled"
    assert [name for name, _ in rig.broker.calls].count("cancel") == 2


def test_a_cancel_that_comes_too_late_is_followed_by_the_fill(rig):
    rig.broker.fills("990020", *[0] * 125, 30)
    rig.broker.say("cancel", Refused("40330000", "nothing is left"))
    assert states(rig.run())[1] == "filled"


def test_after_the_close_a_cancel_is_sent_once_and_the_order_is_left_until_it_has_lapsed(rig):
    rig.clock.instant = OPEN.replace(hour=15, minute=29)
    rig.broker.fills("990020", 10)
    for _ in range(9):
        rig.broker.say("cancel", Refused("40580000", "the session is closed"))
    outcome = rig.run()
    assert states(outcome)[1] == "standing"
    assert not outcome.done
    for _ in range(5):
        rig.clock.advance(600)
        assert states(rig.run())[1] == "standing"
    assert [name for name, _ in rig.broker.calls].count("cancel") == 1
    rig.clock.instant = OPEN + timedelta(days=1)
    assert states(rig.run())[1] == "cancelled"
    assert rig.orders()[outcome.told[0].line.name].filled == 10
    assert [name for name, _ in rig.broker.calls].count("cancel") == 1


def test_an_order_of_an_earlier_day_that_nobody_can_tell_of_is_left_and_not_taken_back(rig):
    def die(at, name):
        if (at, name) == ("before", "day_orders") and rig.broker.orders("990030"):
            raise Killed

    rig.broker.fills("990020", 0)
    rig.broker.watch = die
    with pytest.raises(Killed):
        rig.run()
    rig.broker.watch, rig.broker.hide_rows = None, True
    rig.broker.held["990020"] = 17
    rig.clock.instant = OPEN + timedelta(days=1)
    assert states(rig.run())[1] == "standing"
    assert "cancel" not in [name for name, _ in rig.broker.calls]


def test_a_reading_that_fails_concludes_nothing_and_is_tried_again(rig):
    rig.broker.fills("990020", 0, 30)
    rig.broker.watch = lambda at, name: (
        rig.broker.fail("day_orders", 3) if (at, name) == ("after", "submit") and rig.broker.orders() else None
    )
    assert rig.run().ok


@pytest.mark.parametrize("call", ["book", "day_orders"])
def test_nothing_is_sent_where_the_account_cannot_be_read(rig, call):
    rig.broker.fail(call)
    with pytest.raises(Unreadable):
        rig.run()
    assert rig.kinds() == []


def test_a_price_that_cannot_be_read_leaves_its_line_and_no_other(rig):
    rig.broker.fail("quote")
    outcome = rig.run()
    assert states(outcome) == {1: "not_sent", 2: "filled", 3: "filled", 4: "filled"}
    assert not outcome.done
    assert rig.run().ok
