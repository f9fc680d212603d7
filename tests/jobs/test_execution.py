"""The executor: each order once, sells before buys, within every limit, and stopped when a person says so."""

from dataclasses import replace
from fractions import Fraction

import pytest

from quantassay.domain.trading.orders import State
from quantassay.jobs import lease, watching
from quantassay.store.journal import Fenced, Journal
from tests.fakes.execution import ALL, DAY, HELD, OPEN, PLAN, TERMS, Killed, Rig, buy, placed, sell, states


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "state"))


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path, list(PLAN), held=HELD)


def test_sells_are_filled_before_the_first_buy_and_the_plan_is_then_done(rig):
    outcome = rig.run()
    assert outcome.ok
    assert (outcome.done, outcome.sent, outcome.stopped) == (True, 4, "")
    assert placed(rig) == ALL
    one = ["intent", "sent", "ack"]
    assert rig.kinds() == ["run_started", *one, *one, "fill", "fill", *one, *one, "fill", "fill", "run_done"]
    bodies = {event.kind: event.body for event in rig.events()}
    assert bodies["run_done"]["outcome"] == "complete"
    started = next(event.body for event in rig.events() if event.kind == "run_started")
    assert started["data"] == rig.data
    assert started["certificate"]["environment"] == "rehearsal"


def test_what_the_broker_said_before_is_written_with_the_intent(rig):
    rig.run()
    intents = {event.body["ticker"]: event.body for event in rig.events() if event.kind == "intent"}
    assert intents["990020"]["before"] == {
        "held": 30, "sellable": 30, "cash": 100_000_000, "ordered": 0, "filled": 0, "amount": 0,
    }  # fmt: skip
    assert intents["990010"]["before"]["filled"] == 35
    assert intents["990010"]["before"]["cash"] == 100_110_000


@pytest.mark.parametrize("times", [2, 10])
def test_the_same_plan_again_places_nothing_new(rig, times):
    outcomes = [rig.run(go_on=True) for _ in range(times)]
    assert all(one.ok for one in outcomes)
    assert [one.sent for one in outcomes] == [4, *[0] * (times - 1)]
    assert placed(rig) == ALL


def test_no_call_is_made_that_decides_nothing(rig):
    rig.run()
    calls = [name for name, _ in rig.broker.calls]
    assert {name: calls.count(name) for name in set(calls)} == {
        "quote": 4,  # one an order
        "submit": 4,
        "orderable": 1,
        "book": 3,  # before, between sells and buys, after
        "day_orders": 3,  # before, and one look at each side's ends
    }
    assert rig.clock.slept == []


# Money, limits, locks, modes.


def test_buys_are_cut_down_to_what_the_sells_brought(tmp_path):
    orders = [sell(1, "990020", 30, 2_000), buy(2, "990010", 40, 1_000), buy(3, "990040", 60, 500)]
    rig = Rig(tmp_path, orders, held={"990020": 30, "990050": 1_000}, cash=10_000)
    rig.broker.prices["990050"] = 1_000  # so that the account is worth enough
    rig.broker.fills("990020", 15)
    outcome = rig.run()
    assert states(outcome) == {1: "cancelled", 2: "filled", 3: "filled"}
    given = {one.line.wish.line: one.ordered for one in outcome.told}
    assert given[2] < 40
    assert given[3] < 60
    assert 0 <= rig.broker.cash < 1_000


def test_the_plans_buffer_is_kept_and_a_buy_for_which_nothing_is_left_is_left_out(tmp_path):
    rig = Rig(tmp_path, [buy(1, "990010", 5, 1_000)], cash=10_000)
    rig.data["budget"]["cash_buffer"] = 9_500
    outcome = rig.run()
    assert states(outcome) == {1: "left_out"}
    assert outcome.told[0].why.startswith("T18")
    assert rig.broker.orders() == []


def test_a_line_that_breaks_a_limit_is_told_with_the_rule_and_may_be_tried_again(tmp_path):
    rig = Rig(tmp_path, [sell(1, "990020", 31, 2_000), buy(2, "990010", 1, 1_003)], held={"990020": 30})
    rig.broker.prices["990010"] = 10_003
    outcome = rig.run()
    assert [one.why[:3] for one in outcome.told] == ["T12", "T08"]
    assert (outcome.ok, outcome.done) == (False, False)
    assert "intent" not in rig.kinds()


def test_an_order_whose_name_opened_out_of_bounds_is_left_out_on_purpose(tmp_path):
    rig = Rig(tmp_path, [buy(1, "990010", 5, 1_000, open_low=None, open_high=999)])
    outcome = rig.run()
    assert states(outcome) == {1: "left_out"}
    assert outcome.ok
    assert outcome.done


def test_each_buy_leaves_less_for_the_next_and_the_orders_of_the_day_are_counted(tmp_path):
    limits = replace(TERMS.limits, most_day_orders=2)
    orders = [buy(1, "990010", 5, 1_000), buy(2, "990040", 4, 500), buy(3, "990050", 1, 700)]
    rig = Rig(tmp_path, orders, cash=1_000_000, terms=replace(TERMS, limits=limits))
    outcome = rig.run()
    assert states(outcome) == {1: "filled", 2: "filled", 3: "not_sent"}
    told = [{check.rule: check.says for check in one.checks} for one in outcome.told]
    assert [one["T14"].rpartition(", ")[2] for one in told] == [
        "1,000,000 are free",
        "994,992 are free",
        "992,989 are free",
    ]
    assert [one["T04"].partition(" won")[0] for one in told] == ["makes 5,000", "makes 7,000", "makes 7,700"]
    assert outcome.told[2].why.startswith("T05 is order 3 of the day, at most 2")


def test_reduce_only_sends_no_buy_and_a_later_run_may(rig):
    outcome = rig.run(reduce_only=True)
    assert states(outcome) == {1: "filled", 2: "filled", 3: "left_out", 4: "left_out"}
    assert outcome.ok
    assert {one.side for one in rig.broker.orders()} == {"sell"}
    assert rig.run(go_on=True).ok
    assert placed(rig) == ALL


def test_a_name_in_a_break_is_not_traded_and_the_others_are(rig):
    rig.run(reduce_only=True)
    rig.broker.held["990010"] = 7
    outcome = rig.run(go_on=True)
    assert states(outcome)[3] == "not_sent"
    assert next(one.why for one in outcome.told if one.line.wish.line == 3).startswith("T15 we count 0 shares")
    assert "990010" in outcome.breaks
    assert rig.broker.orders("990010") == []
    assert len(rig.broker.orders("990040")) == 1


# The kill switch, and who holds the account.


def test_a_halt_before_the_first_order_sends_nothing(rig):
    rig.append("halt", by="Kim Mina", why="a drill", level="all")
    outcome = rig.run()
    assert placed(rig) == []
    assert "halted by Kim Mina: a drill" in outcome.stopped
    assert not outcome.ok
    assert not outcome.done
    rig.append("resume", by="Kim Mina", why="the drill is over")
    assert rig.run().ok


def test_a_halt_between_two_orders_stops_the_second_and_what_stands_is_still_taken_back(rig):
    rig.broker.fills("990020", 0)
    thrown = []

    def halt(at, name):
        if (at, name) == ("after", "submit") and not thrown:
            thrown.append(rig.append("halt", by="Kim Mina", why="a drill", level="all"))

    rig.broker.watch = halt
    outcome = rig.run()
    assert placed(rig) == [("990020", "sell", 30)]
    assert states(outcome) == {1: "cancelled", 2: "not_sent", 3: "not_sent", 4: "not_sent"}
    assert "halted" in outcome.stopped


# An account that has nothing but what it sells.
POOR = replace(TERMS, limits=replace(TERMS.limits, largest_share=Fraction(1)))


def test_buys_wait_until_the_account_shows_what_the_sells_brought(tmp_path):
    for lag in (0, 3):
        rig = Rig(tmp_path / str(lag), list(PLAN), held=HELD, cash=0, terms=POOR)
        rig.broker.lag = lag
        outcome = rig.run()
        assert (states(outcome), placed(rig)) == ({1: "filled", 2: "filled", 3: "filled", 4: "filled"}, ALL), lag


def test_no_buy_is_cut_to_the_money_of_an_account_that_never_shows_the_sells(tmp_path):
    rig = Rig(tmp_path, list(PLAN), held=HELD, cash=600, terms=POOR)
    rig.broker.lag = 500
    outcome = rig.run()
    assert states(outcome) == {1: "filled", 2: "filled", 3: "not_sent", 4: "not_sent"}
    assert "no buy is cut to the money that it shows" in outcome.stopped
    assert {side for _, side, _ in placed(rig)} == {"sell"}
    rig.broker.catch_up()
    assert rig.run().ok
    assert placed(rig) == ALL


def test_an_account_that_is_disarmed_between_two_orders_gets_no_second(rig):
    done = []

    def disarm(moment, name):
        if (moment, name) == ("after", "submit") and not done:
            done.append(name)
            rig.append("disarmed", "desk", by="Kim Mina", why="stop here")

    rig.broker.watch = disarm
    outcome = rig.run()
    assert (len(rig.broker.orders()), outcome.ok) == (1, False)
    assert "nobody says any more that orders may be sent for desk" in outcome.stopped


def test_a_halt_between_the_intent_and_the_order_takes_the_intent_back(rig):
    with rig.journal() as other:

        class Halting(Journal):
            def intend(self, *arguments):
                event = super().intend(*arguments)
                other.append(rig.clock.now(), "halt", body={"by": "Kim Mina", "why": "a drill", "level": "all"})
                return event

        rig.run(Halting(rig.folder / "journal.sqlite3"))
    assert placed(rig) == []
    assert [one.state for one in rig.orders().values()] == [State.CANCELLED]


def test_a_halt_in_the_very_moment_of_sending_is_obeyed(rig):
    with rig.journal() as other:

        class Halting(Journal):
            def send(self, *arguments):
                other.append(rig.clock.now(), "halt", body={"by": "Kim Mina", "why": "a drill", "level": "all"})
                return super().send(*arguments)

        outcome = rig.run(Halting(rig.folder / "journal.sqlite3"))
    assert placed(rig) == []
    assert "trading is halted by Kim Mina" in outcome.stopped
    assert [one.state for one in rig.orders().values()] == [State.CANCELLED]


def test_a_halt_of_buys_lets_the_sells_go(rig):
    rig.append("halt", by="Kim Mina", why="no new risk", level="buys")
    outcome = rig.run()
    assert states(outcome) == {1: "filled", 2: "filled", 3: "not_sent", 4: "not_sent"}
    assert "halted" in outcome.stopped


def test_the_second_process_is_told_who_holds_the_account_and_sends_nothing(rig):
    with (
        rig.journal() as journal,
        lease.held("desk", rig.broker.certificate, journal, rig.clock),
        pytest.raises(lease.AccountHeld, match=r"holds the account desk; nothing was sent"),
    ):
        rig.run()
    assert rig.broker.calls == []
    assert rig.run().ok


def test_a_process_whose_account_was_taken_over_sends_nothing_more(rig):
    def take_over(at, name):
        if (at, name) == ("after", "submit") and len(rig.broker.orders()) == 1:
            with rig.journal() as other:
                other.take(rig.clock.now(), "desk", "another machine")

    rig.broker.watch = take_over
    with pytest.raises(Fenced, match="another machine"):
        rig.run()
    assert len(rig.broker.orders()) == 1
    # The answer that it had got is written down even so.
    assert [one.state for one in rig.orders().values()] == [State.ACK]


def test_after_the_close_nothing_is_sent_and_the_run_is_over(rig):
    rig.clock.instant = OPEN.replace(hour=15, minute=30)
    outcome = rig.run()
    assert "the session of 2026-11-19 closed at 15:30" in outcome.stopped
    assert placed(rig) == []
    assert outcome.done
    assert rig.events()[-1].body["outcome"] == "incomplete"


# Dry runs, and taking everything back.


def test_a_dry_run_uses_the_real_inputs_sends_nothing_and_writes_nothing(rig):
    outcome = rig.rehearse()
    assert {one.state for one in outcome.told} == {"would_send"}
    assert outcome.ok
    assert all(len(one.checks) >= 14 for one in outcome.told)
    assert [one.kind for one in rig.events()] == ["armed"]
    assert {name for name, _ in rig.broker.calls} == {"day_orders", "book", "quote", "orderable"}


def test_a_dry_run_tells_which_limit_would_refuse(tmp_path):
    rig = Rig(tmp_path, [sell(1, "990020", 31, 2_000)], held={"990020": 30})
    outcome = rig.rehearse()
    assert states(outcome) == {1: "not_sent"}
    assert "T12" in outcome.told[0].why
    assert not outcome.ok


def test_cancel_all_takes_back_what_stands_also_while_the_desk_is_halted(rig):
    rig.broker.fills("990020", 0)
    rig.broker.fills("990030", 2)

    def die(at, name):
        if (at, name) == ("before", "day_orders") and len(rig.broker.orders()) == 2:
            raise Killed

    rig.broker.watch = die
    with pytest.raises(Killed):
        rig.run()
    rig.broker.watch = None
    rig.append("halt", by="Kim Mina", why="a drill", level="all")
    with rig.journal() as journal:
        desk = rig.desk(journal)
        assert len(watching.standing(desk, "desk")) == 2
        with lease.held("desk", rig.broker.certificate, journal, rig.clock) as fence:
            assert watching.cancel_all(desk, "desk", fence) == ()
    assert {one.state for one in rig.orders().values()} == {State.CANCELLED}
    assert sorted(one.filled for one in rig.orders().values()) == [0, 2]
    assert rig.clock.now().date() == DAY
