"""Each reason for which a plan may not be carried out now, alone, with its own sentence."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest

from quantassay.domain.trading.book import MarketState
from quantassay.jobs import trade_checks, trade_plan
from quantassay.jobs.trade_checks import Asked
from tests.fakes.execution import OPEN, Rig, buy

NO_APPROVALS = {"approvals": [], "required": []}


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path, [buy(1, "990010", 10, 1_000)])
    rig.append("armed", "desk", by="Kim Mina", why="to rehearse")
    return rig


def refusals(rig, *, go_on=False, approvals=NO_APPROVALS, begun=False, environment="rehearsal"):
    inputs = SimpleNamespace(value={"approval_states": approvals}.__getitem__)
    chosen = trade_plan.Chosen(rig.plan, "sha256:b", rig.data, begun)
    with rig.journal() as journal:
        asked = Asked("desk", environment, go_on)
        return [str(one) for one in trade_checks.refusals(inputs, rig.desk(journal), asked, chosen)]


def test_nothing_stands_in_the_way_of_a_plan_for_now(rig):
    assert refusals(rig) == []


def test_an_account_that_nobody_armed(rig):
    rig.append("disarmed", "desk", by="Kim Mina", why="enough")
    (why,) = refusals(rig)
    assert "nobody has said yet that orders may be sent for the account desk; `assay trade arm desk --why" in why


def test_a_halted_desk_but_not_one_whose_buys_alone_are_halted(rig):
    rig.append("halt", by="Kim Mina", why="no new risk", level="buys")
    assert refusals(rig) == []
    rig.append("halt", by="Kim Mina", why="a drill", level="all")
    assert refusals(rig) == [
        "the desk was halted by Kim Mina: a drill; nothing is sent before `assay resume --why TEXT`"
    ]


@pytest.mark.parametrize(
    ("at", "whys"),
    [
        ("2026-11-19T08:59:59", ["the session of 2026-11-19 is traded from 09:00 on"]),
        ("2026-11-19T15:30:00", ["the session of 2026-11-19 closed at 15:30"]),
        ("2026-11-20T09:01:00", ["it is 2026-11-20 at the exchange; it is stale"]),
        ("2026-11-18T09:01:00", ["it is 2026-11-18 at the exchange; wait for it"]),
        ("2026-11-21T09:01:00", ["it is 2026-11-21 at the exchange; it is stale", "2026-11-21 is no session"]),
    ],
)
def test_another_time(rig, at, whys):
    rig.clock.instant = datetime.fromisoformat(at).replace(tzinfo=OPEN.tzinfo)
    found = refusals(rig)
    assert len(found) == len(whys)
    assert all(why in one for why, one in zip(whys, found, strict=True))


def test_a_day_on_which_the_calendars_sources_disagree(rig):
    rig.calendar = replace(rig.calendar, disputed=frozenset({OPEN.date()}))
    assert "the calendar's sources disagree on 2026-11-19" in refusals(rig)[0]


def test_the_broker_must_be_open_too_and_is_asked_last(rig):
    rig.broker.say("market_state", MarketState(None, "it gives no sign"))
    assert refusals(rig) == []
    rig.broker.open = False
    assert refusals(rig) == ["nothing is sent: the broker does not trade now: as the test says"]
    asked = [name for name, _ in rig.broker.calls].count("market_state")
    rig.append("halt", by="Kim Mina", why="a drill", level="all")
    refusals(rig)
    assert [name for name, _ in rig.broker.calls].count("market_state") == asked


def test_a_broker_of_another_environment(rig):
    assert "for the environment virtual, and the account is of rehearsal now" in refusals(rig, environment="virtual")[0]


def test_another_plan_for_the_session_and_a_plan_that_is_finished(rig):
    body = {"plan_id": "p", "session": "2026-11-19", "data": {}, "continued": False, "record": ""}
    rig.append("run_started", "desk", plan=rig.plan, **body)
    assert refusals(rig) == []
    rig.append("run_done", "desk", plan=rig.plan, outcome="incomplete")
    assert "was carried out already (incomplete); nothing was sent, and --continue" in refusals(rig)[0]
    assert refusals(rig, go_on=True) == []
    rig.append("run_started", "desk", plan="sha256:" + "c" * 64, **body)
    assert "another plan (cccccccccccc) was begun for desk" in refusals(rig, go_on=True)[0]
    rig.data["execution_session"] = "2026-11-20"
    rig.clock.instant = OPEN + timedelta(days=1)
    assert refusals(rig, go_on=True) == []


def approvals(*ends, state="in_force"):
    ids = [f"A{number:03}" for number, _ in enumerate(ends, 1)]
    return {
        "approvals": [{"id": one, "expires": end} for one, end in zip(ids, ends, strict=True)],
        "required": [
            {"packet": "next_open_plan", "environments": ["rehearsal", "real"], "state": state, "approvals": ids},
            {"packet": "calibration_approval_list", "environments": ["real"], "state": "missing", "approvals": []},
        ],
    }


def test_a_plan_that_governance_wants_approved_needs_an_approval_that_still_holds(rig):
    assert refusals(rig, approvals=approvals("2026-11-19")) == []
    assert refusals(rig, approvals=approvals("2026-11-18", "2026-11-20")) == []
    assert "wants next_open_plan approved" in refusals(rig, approvals=approvals("2026-11-18"))[0]
    assert len(refusals(rig, approvals=approvals(state="missing"))) == 1
    assert refusals(rig, approvals=approvals(state="missing"), begun=True) == []
    inputs = SimpleNamespace(value={"approval_states": approvals("2026-11-19")}.__getitem__)
    of_real = [str(one) for one in trade_checks._unapproved(inputs, "real", date(2026, 11, 19))]
    assert len(of_real) == 1
    assert "calibration_approval_list" in of_real[0]


def test_a_plan_for_another_account_or_environment_is_refused_whatever_the_time(rig):
    chosen = trade_plan.Chosen(rig.plan, "sha256:b", rig.data, begun=False)
    trade_checks.before(Asked("desk", "rehearsal", go_on=False), chosen)
    with pytest.raises(trade_checks.OtherAccount, match="for the account desk, and main was asked for"):
        trade_checks.before(Asked("main", "rehearsal", go_on=False), chosen)
    with pytest.raises(
        trade_checks.OtherEnvironment, match="for the environment rehearsal, and the account is of real"
    ):
        trade_checks.before(Asked("desk", "real", go_on=False), chosen)
