"""Why a plan may not be carried out now: one sentence a reason, each with what to do next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from quantassay.domain.trading.book import Environment
from quantassay.errors import AssayError
from quantassay.harness.inputs import Inputs
from quantassay.jobs import trade_plan
from quantassay.jobs.trade_plan import Chosen
from quantassay.jobs.trading_desk import Desk


class TradeRefused(AssayError):
    """A plan that is not carried out now."""

    exit_code = 1


class OtherAccount(TradeRefused):
    """A plan for another account."""

    def __init__(self, plan: str, wanted: str) -> None:
        super().__init__(f"the plan is for the account {plan}, and {wanted} was asked for; make a plan for {wanted}")


class OtherEnvironment(TradeRefused):
    """A plan for another environment than its account, or its broker, is of now."""

    def __init__(self, plan: str, now: str) -> None:
        super().__init__(
            f"the plan is for the environment {plan}, and the account is of {now} now; make a new plan with `assay run`"
        )


class OtherSession(TradeRefused):
    """A plan for another session than today's."""

    def __init__(self, session: str, today: date) -> None:
        way = "wait for it" if session > today.isoformat() else "it is stale, make a new plan with `assay run`"
        super().__init__(f"the plan is for the session of {session}, and it is {today} at the exchange; {way}")


class MarketClosed(TradeRefused):
    """Nothing is traded now, by the calendar or by the broker."""

    def __init__(self, why: str) -> None:
        super().__init__(f"nothing is sent: {why}")


class NotApproved(TradeRefused):
    """A plan that governance wants approved, and that nobody has approved."""

    def __init__(self, packet: str, environment: str) -> None:
        super().__init__(
            f"governance wants {packet} approved for an account of the environment {environment}, and no approval of "
            f"it is in force; have it looked at, then `assay approve {packet}`"
        )


class NotArmed(TradeRefused):
    """An account for which nobody has said yet that orders may be sent."""

    def __init__(self, account: str) -> None:
        super().__init__(
            f"nobody has said yet that orders may be sent for the account {account}; "
            f"`assay trade arm {account} --why TEXT` says so, once"
        )


class DeskHalted(TradeRefused):
    """The kill switch is thrown."""

    def __init__(self, by: str, why: str) -> None:
        super().__init__(f"the desk was halted by {by}: {why}; nothing is sent before `assay resume --why TEXT`")


class OtherPlanBegun(TradeRefused):
    """Another plan was begun for the account and the session."""

    def __init__(self, account: str, session: str, begun: str) -> None:
        super().__init__(
            f"another plan ({begun}) was begun for {account} and the session of {session}, and a session has "
            "one plan; `assay trade next-open --continue` goes on with that one"
        )


class PlanConsumed(TradeRefused):
    """A plan that was carried out to its end."""

    def __init__(self, plan: str, outcome: str) -> None:
        super().__init__(
            f"the plan {plan} was carried out already ({outcome}); nothing was sent, and --continue places only what "
            "was never placed"
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the account and its environment, whether a finished plan may be gone on with."""

    account: str
    environment: Environment
    go_on: bool


def before(asked: Asked, chosen: Chosen) -> None:
    """Refuse a plan that is not for this account, whatever the time. Raises OtherAccount, OtherEnvironment."""
    of = chosen.data["account"]
    if of["id"] != asked.account:
        raise OtherAccount(of["id"], asked.account)
    if of["environment"] != asked.environment:
        raise OtherEnvironment(of["environment"], asked.environment)


def refusals(inputs: Inputs, desk: Desk, asked: Asked, chosen: Chosen) -> Iterator[TradeRefused]:
    """Every reason for which nothing may be sent now. The broker is asked last, and only where nothing else refuses.

    To be asked while the account is held: the journal does not change then. Raises Unreadable.
    """
    found = [*_of_plan(inputs, desk, asked, chosen), *of_desk(desk, asked.account), *_of_runs(desk, asked, chosen)]
    if why := desk.why_closed():
        found.append(MarketClosed(why))
    yield from found
    if not found and chosen.data["orders"]:
        state = desk.broker.market_state(chosen.data["orders"][0]["ticker"], desk.day())
        if state.open is False:
            yield MarketClosed(f"the broker does not trade now: {state.why}")


def _of_plan(inputs: Inputs, desk: Desk, asked: Asked, chosen: Chosen) -> Iterator[TradeRefused]:
    told = desk.broker.certificate.environment
    if told != asked.environment:
        yield OtherEnvironment(asked.environment, told)
    if chosen.data["execution_session"] != desk.day().isoformat():
        yield OtherSession(chosen.data["execution_session"], desk.day())
    # A plan that was begun was approved then; the approvals that lie there now are of the plans after it.
    if not chosen.begun:
        yield from _unapproved(inputs, asked.environment, desk.day())


def _unapproved(inputs: Inputs, environment: str, day: date) -> Iterator[TradeRefused]:
    told = inputs.value("approval_states")
    ends = {one["id"]: one["expires"] for one in told["approvals"]}
    for asked in told["required"]:
        if environment in asked["environments"]:
            holding = asked["approvals"] if asked["state"] == "in_force" else []
            if not any(ends[one] >= day.isoformat() for one in holding):
                yield NotApproved(asked["packet"], environment)


def of_desk(desk: Desk, account: str) -> Iterator[TradeRefused]:
    """Why nothing may be sent for an account now, whatever is wanted: not armed, halted."""
    state = desk.journal.desk()
    if account not in state.armed:
        yield NotArmed(account)
    if state.halt is not None and state.halt.level == "all":
        yield DeskHalted(state.halt.by, state.halt.why)


def _of_runs(desk: Desk, asked: Asked, chosen: Chosen) -> Iterator[TradeRefused]:
    state, session = desk.journal.desk(), chosen.data["execution_session"]
    for run in trade_plan.planned(state, asked.account):
        if run.session == session and run.plan != chosen.digest:
            yield OtherPlanBegun(asked.account, session, run.plan.removeprefix("sha256:")[:12])
    mine = state.runs.get((asked.account, chosen.digest))
    if mine is not None and not mine.is_unfinished and not asked.go_on:
        yield PlanConsumed(str(chosen.data["plan_id"]), mine.outcome)
