"""A process that carries a plan out may die anywhere: whoever begins it again sends nothing twice and loses nothing."""

import pytest

from quantassay.domain.trading.book import Unknown
from quantassay.domain.trading.orders import State
from quantassay.store.journal import Journal
from tests.fakes.execution import HELD, PLAN, TERMS, Killed, Rig, placed, states


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "state"))


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path, list(PLAN), held=HELD)


# Kills: before and after each line of the journal, before and after each call of the broker.


class Dying(Journal):
    """A journal whose process dies before, or just after, its n-th line."""

    def __init__(self, path, number, moment):
        super().__init__(path)
        self.left, self.moment = number, moment

    def _die(self, moment):
        if moment == "before":
            self.left -= 1
        if self.left == 0 and moment == self.moment:
            raise Killed

    def _do(self, do, *arguments, **named):
        self._die("before")
        done = do(*arguments, **named)
        self._die("after")
        return done

    def append(self, *arguments, **named):
        return self._do(super().append, *arguments, **named)

    def take(self, *arguments):
        return self._do(super().take, *arguments)

    def intend(self, *arguments):
        return self._do(super().intend, *arguments)

    def send(self, *arguments):
        return self._do(super().send, *arguments)


def finished(rig, most=6):
    """Run until nothing is left to do."""
    for _ in range(most):
        outcome = rig.run(go_on=True)
        if outcome.ok and outcome.done:
            return outcome
    raise AssertionError(outcome)


def is_in_doubt(rig):
    """Whether an order was written down as sent and never left: nobody can know that afterwards."""
    sent = [one.intent.ticker for one in rig.orders().values() if one.state is State.SENT]
    return any(not rig.broker.orders(ticker) for ticker in sent)


def stays_in_doubt(rig):
    """Nothing is sent in the place of such an order, however often one tries."""
    before = placed(rig)
    for _ in range(2):
        outcome = rig.run(go_on=True)
        assert "unknown" in states(outcome).values()
        assert not outcome.ok
    assert [one for one in placed(rig) if one not in before] == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("way", ["lost and in parts", "no rows"])
def test_a_process_that_dies_at_any_line_of_the_journal_is_gone_on_with(tmp_path, way, moment):
    number, died = 0, True
    while died:
        number += 1
        rig = Rig(tmp_path / str(number), list(PLAN[1:3]), held=HELD, terms=TERMS)
        if way == "lost and in parts":
            rig.broker.say("submit", Unknown("no answer"), taken=True, shown_after=1)
            rig.broker.fills("990030", 0, 2, 3)
            rig.broker.fills("990010", 1, 9)
        rig.broker.hide_rows = way == "no rows"
        died = False
        try:
            rig.run(Dying(rig.folder / "journal.sqlite3", number, moment))
        except Killed:
            died = True
        rig.clock.advance(5)
        if is_in_doubt(rig):
            stays_in_doubt(rig)
            continue
        finished(rig)
        assert placed(rig) == [("990010", "buy", 10), ("990030", "sell", 5)], (way, number, moment)
        assert rig.broker.held == {"990020": 30, "990030": 0, "990010": 10}
        with rig.journal() as journal:
            assert journal.check() == []
    assert number > 12


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_dies_at_any_call_of_the_broker_is_gone_on_with(tmp_path, moment):
    number, died = 0, True
    while died:
        number += 1
        rig = Rig(tmp_path / str(number), list(PLAN[1:3]), held=HELD)
        left = [number]

        def die(at, _, left=left):
            left[0] -= at == moment
            if left[0] == 0 and at == moment:
                left[0] = -1
                raise Killed

        rig.broker.watch = die
        died = False
        try:
            rig.run()
        except Killed:
            died = True
        rig.broker.watch = None
        rig.clock.advance(5)
        if is_in_doubt(rig):
            stays_in_doubt(rig)
            continue
        finished(rig)
        assert placed(rig) == [("990010", "buy", 10), ("990030", "sell", 5)], number
    assert number > 10
