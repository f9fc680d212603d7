"""Rows of `assay ready` on the plan: whether it was passed, is for today and this account, and is still to be done."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from quantassay.domain.approvals import states
from quantassay.domain.market import sessions
from quantassay.domain.trading.orders import Event
from quantassay.domain.trading.terms import terms
from quantassay.harness import files
from quantassay.harness.inputs import GATE_STEP
from quantassay.jobs import approvals
from quantassay.jobs import gate as gates
from quantassay.jobs.ready_scene import Row, Scene, no, ok, warn

AGAIN = "run `assay run`"
# What trading itself changes: that it did makes no plan wrong, see the row of the plan.
_MOVES = frozenset({"input account_snapshot", "input trading_journal"})
_SHOWN = 3


def gate(scene: Scene) -> Row:
    """Whether the newest gate record is passed, lies there as it was made, and is of what lies there now."""
    inputs = scene.inputs
    record = inputs.state.steps.get(GATE_STEP)
    if record is None:
        return no("gate", "nothing was judged", AGAIN)
    edited = [
        file for file, digest in record["outputs"].items() if files.digest(inputs.workspace.root / file) != digest
    ]
    if edited:
        return no("gate", f"{', '.join(edited)} is not as the gate wrote it", f"{AGAIN}; see `assay verify`")
    if not gates.is_last(inputs, record["content"]):
        return no("gate", "the gate record is not the newest of the ledger", AGAIN)
    if record["status"] != "passed":
        return no("gate", f"the gate says {record['status']}", "see `assay gate`")
    now = gates.gate_key(inputs)
    changed = sorted(part for part in {*record["key"], *now} - _MOVES if record["key"].get(part) != now.get(part))
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        return no("gate", f"changed since it was judged: {', '.join(changed[:_SHOWN])}{more}", AGAIN)
    return ok("gate", f"passed, as of {inputs.state.as_of}, and nothing has changed since")


def plan(scene: Scene) -> Row:
    """Whether there is a plan that may be carried out today for this account, and that has not been yet."""
    data = scene.plan.data
    own, session = data["account"], data["execution_session"]
    if (own["id"], own["environment"]) != (scene.account_id, scene.account["environment"]):
        made_for = f"{own['id']} ({own['environment']})"
        return no("plan", f"{data['plan_id']} is for {made_for}, and the desk trades {scene.account_id}", AGAIN)
    if session != scene.day.isoformat():
        return no("plan", f"{data['plan_id']} is for the session of {session}, and today is {scene.day}", AGAIN)
    if (row := _begun(scene, data)) is not None:
        return row
    if told := _moved(scene, data):
        return warn("plan", f"{data['plan_id']}: {told} since it was made", f"{AGAIN} for a plan on what is held now")
    orders = data["orders"]
    sells = sum(order["side"] == "sell" for order in orders)
    return ok("plan", f"{data['plan_id']}, passed and not begun: {sells} to sell, {len(orders) - sells} to buy")


def _begun(scene: Scene, data: Mapping[str, Any]) -> Row | None:
    """What the journal says of this plan, or of another one for the same session."""
    runs = [run for run in scene.desk.runs.values() if run.account == scene.account_id]
    mine = next((run for run in runs if run.plan == scene.plan.digest), None)
    if mine is not None and mine.is_unfinished:
        told = f"{data['plan_id']} was begun at {mine.started_at.isoformat()} and is not finished"
        return no("plan", told, "`assay trade next-open --continue --send` goes on with it")
    if mine is not None:
        told = f"{data['plan_id']} was carried out already ({mine.outcome})"
        return no("plan", told, "see `assay orders list`; the next session has a plan of its own")
    other = next((run for run in runs if run.session == data["execution_session"] or run.is_unfinished), None)
    if other is not None:
        told = f"another plan was begun for the session of {other.session} (at {other.started_at.isoformat()})"
        return no("plan", told, "see `assay orders list`; one plan a session is carried out")
    return None


def _moved(scene: Scene, data: Mapping[str, Any]) -> str:
    """What the broker says otherwise than when the plan was made, empty where it says the same.

    The plan tells when its account was seen; a plan from before the first reading stands on what a spec said.
    """
    newest = scene.desk.books.get(scene.account_id)
    made = data["account"]["as_of"]
    if newest is None or scene.journal is None or made == scene.account["as_of"]:
        return ""
    books = [event for event in scene.journal.events(scene.account_id) if event.kind == "book"]
    before = next((event for event in reversed(books) if _at(event) == datetime.fromisoformat(made)), None)
    if before is None:
        return "the account was read for the first time"
    held, was = _held(newest), _held(before)
    names = sorted(name for name in held.keys() | was.keys() if held.get(name) != was.get(name))
    told = [f"the holding of {', '.join(names)} has changed"] if names else []
    cash = newest.body["cash"] - before.body["cash"]
    return " and ".join([*told, *([f"cash has changed by {cash:,} won"] if cash else [])])


def _at(event: Event) -> datetime:
    return datetime.fromisoformat(event.body["at"]).replace(microsecond=0)


def _held(event: Event) -> dict[str, int]:
    return {one["ticker"]: one["quantity"] for one in event.body["positions"] if one["quantity"]}


def approval(scene: Scene) -> Row:
    """Whether what governance wants approved for a plan of this account is approved, and still is today."""
    policy, environment = scene.inputs.value(approvals.POLICY), scene.account["environment"]
    wanted = [one["packet"] for one in policy["required"] if environment in one["environments"]]
    if not wanted:
        return ok("approval", f"a plan of a {environment} account needs nobody's")
    rows = [row for row in scene.inputs.value("approval_states")["approvals"] if row["subject"] == states.PACKET]
    missing, holding = [], []
    for packet in wanted:
        mine = [row for row in rows if row["name"] == packet and row["state"] == states.IN_FORCE]
        lasting = [row for row in mine if row["expires"] >= scene.day.isoformat()]
        holding += [f"{packet} by {row['approver']} ({row['id']}, until {row['expires']})" for row in lasting[:1]]
        missing += [] if lasting else [packet]
    if missing:
        do = f"`assay approve {missing[0]} --by NAME --reason TEXT`, then {AGAIN}"
        return no("approval", f"no approval of {', '.join(missing)} is in force today", do)
    return ok("approval", "; ".join(holding))


def limits(scene: Scene) -> Row:
    """Whether the day's limits leave room for the whole plan."""
    most, data = terms(scene.inputs.value("trading")).limits, scene.plan.data
    today = [one for one in scene.orders.values() if one.sent_at and _is_today(scene, one.sent_at)]
    sent = sum(one.intent.quantity * one.intent.limit_price for one in today)
    equity = _equity(scene)
    left, turnover = most.most_day_orders - len(today), int(most.largest_day_turnover * equity) - sent
    wanted = sum(order["quantity"] * order["limit_price"] for order in data["orders"])
    told = (
        f"{left} of {most.most_day_orders} orders and {turnover:,} won of turnover are left today; "
        f"the plan has {len(data['orders'])} orders worth {wanted:,} won"
    )
    if len(data["orders"]) > left or wanted > turnover:
        return no("limits", told, "nothing beyond the limits is sent; spec/27_trading.yaml sets them")
    return ok("limits", told)


def _is_today(scene: Scene, instant: datetime) -> bool:
    return sessions.local_day(scene.calendar, instant) == scene.day


def _equity(scene: Scene) -> int:
    """What the broker says the account is worth; where it was never read, cash and holdings at what was paid."""
    newest = scene.desk.books.get(scene.account_id)
    if newest is not None:
        return int(newest.body.get("equity", newest.body["cash"]))
    account = scene.account
    paid = sum(Fraction(one["quantity"]) * Fraction(one["average_price"]) for one in account["holdings"])
    return int(Fraction(account["cash"]) + paid)
