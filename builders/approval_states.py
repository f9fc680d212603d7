"""Says of every approval whether it is in force, and why not; and which packets governance wants approved."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from quantassay.domain.approvals import states
from quantassay.domain.approvals.changes import Change
from quantassay.domain.approvals.states import Copy, Ground, State

_CUT = ["approval_ground:/bars", "approval_ground:/rules"]
ORIGINS = {
    "/day": ["as_of:"],
    "/counts/*": ["approvals:", "approval_policy:/required"],
    "/approvals/*/granted": ["approvals:"],
    "/approvals/*/expires": ["approvals:"],
    "/approvals/*/days_left": ["approvals:", "as_of:"],
    "/approvals/*/changed": ["approvable_packets:/copies", *_CUT],
    "/approvals/*/changes/*/place": ["approvable_packets:/copies", *_CUT],
    "/approvals/*/changes/*/before": ["approvable_packets:/copies", "approvals:"],
    "/approvals/*/changes/*/after": ["approvable_packets:/copies", *_CUT],
}


def build(
    approvals: list[dict[str, Any]],
    approval_policy: dict[str, Any],
    approvable_packets: dict[str, Any],
    approval_ground: dict[str, Any],
    as_of: str,
) -> dict[str, Any]:
    """Every approval by its id with its state on the day of `as_of`, and what is asked for and missing."""
    day = datetime.fromisoformat(as_of).date()
    approvals = sorted(approvals, key=lambda one: str(one["id"]))
    copies = {row["approval"]: row for row in approvable_packets["copies"]}
    found = states.states(
        approvals,
        approval_policy,
        _ground(day, approval_policy, approvable_packets, approval_ground),
        {approval: _copy(row) for approval, row in copies.items()},
    )
    rows = [_row(one, state, copies[one["id"]], day) for one, state in zip(approvals, found, strict=True)]
    environment = approvable_packets["environment"]
    required = [_required(asked, environment, rows) for asked in approval_policy["required"]]
    return {
        "day": day.isoformat(),
        "workspace": approval_ground["workspace"],
        "signatures": approval_policy["signatures"],
        "environment": environment,
        "counts": _counts(rows, required),
        "approvals": rows,
        "required": required,
    }


def _ground(day: date, policy: Mapping[str, Any], packets: Mapping[str, Any], ground: Mapping[str, Any]) -> Ground:
    contents = {row["name"]: row["content"] for row in packets["packets"]}
    known = {**ground["known"], states.PACKET: [name for name in policy["packets"] if name in contents]}
    return Ground(day, ground["workspace"], ground["rules"], ground["bars"], known, contents)


def _copy(row: Mapping[str, Any]) -> Copy:
    listed = tuple(Change(one["place"], one["before"], one["after"]) for one in row["changes"])
    return Copy(row["content"], row["signature"], listed, row["changed"])


def _row(one: Mapping[str, Any], state: State, copy: Mapping[str, Any], day: date) -> dict[str, Any]:
    return {
        "id": one["id"],
        "subject": one["subject"],
        "name": one["name"],
        "proposer": one.get("proposer"),
        "approver": one["approver"],
        "reason": one["reason"],
        "granted": one["granted"],
        "expires": one["expires"],
        "days_left": (date.fromisoformat(one["expires"]) - day).days,
        "signature": copy["signature"],
        "state": state.state,
        "why": state.why,
        "changed": state.changed,
        "changes": [{"place": c.place, "before": c.before, "after": c.after} for c in state.changes],
    }


def _required(asked: Mapping[str, Any], environment: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    mine = [row for row in rows if (row["subject"], row["name"]) == (states.PACKET, asked["packet"])]
    holding = [row["id"] for row in mine if row["state"] == states.IN_FORCE]
    state = "in_force" if holding else "missing"
    return {
        "packet": asked["packet"],
        "environments": asked["environments"],
        "state": state if environment in asked["environments"] else "not_asked",
        "approvals": holding,
    }


def _counts(rows: Sequence[Mapping[str, Any]], required: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {
        "approvals": len(rows),
        "in_force": sum(row["state"] == states.IN_FORCE for row in rows),
        "lapsed": sum(row["state"] in states.LAPSED for row in rows),
        "refused": sum(row["state"] in states.REFUSED for row in rows),
        "missing": sum(row["state"] == "missing" for row in required),
    }
