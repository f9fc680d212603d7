"""How each approval stands: in force, stale, expired, or refused as copied, forged, self-given or out of its scope."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from quantassay.domain.approvals.changes import Change

PACKET = "packet"
IN_FORCE = "in_force"
# What makes an approval worthless whatever the day; the others have only lapsed, or not begun.
REFUSED = (
    "duplicate", "unsigned", "bad_signature", "wrong_scope", "forged", "self_approved", "too_long",
)  # fmt: skip
LAPSED = ("not_yet", "expired", "stale")
Approval = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """What approvals are held against: the day, the workspace, the digests now, and the names that there are.

    `known` holds the names by subject, those of packets being the ones that governance lets anybody approve.
    """

    day: date
    workspace: str
    rules: str
    bars: str
    known: Mapping[str, Collection[str]]
    contents: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Copy:
    """What lies beside an approval: the digest of the approved data (None: none), its signature, what changed since.

    `changed` counts the changes, of which `changes` may list only the first.
    """

    content: str | None
    signature: str
    changes: tuple[Change, ...] = ()
    changed: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """How an approval stands, why in one sentence, and what changed since it was given: how often, and the first."""

    state: str
    why: str
    changes: tuple[Change, ...] = ()
    changed: int = 0


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: capitals, spaces, dots and hyphens tell nobody apart."""
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def public_keys(policy: Mapping[str, Any], approver: str) -> list[str]:
    """The public keys that governance lists for this person."""
    return [one["public_key"] for one in policy["signers"] if same_person(one["name"], approver)]


def states(
    approvals: Sequence[Approval], policy: Mapping[str, Any], ground: Ground, copies: Mapping[str, Copy]
) -> list[State]:
    """The state of each approval, in their order."""
    return [_state(one, approvals, policy, ground, copies[one["id"]]) for one in approvals]


def _state(
    one: Approval, approvals: Sequence[Approval], policy: Mapping[str, Any], ground: Ground, copy: Copy
) -> State:
    for state, why in (
        _repeated(one, approvals),
        _signed(one, policy, copy),
        _scope(one, ground),
        _forged(one, copy),
        _alone(one, policy),
        _length(one, policy),
        _days(one, ground.day),
    ):
        if state:
            return State(state, why)
    changed = _changed(one, ground, copy)
    if changed is not None:
        return changed
    return State(IN_FORCE, f"it holds through {one['expires']}")


def _repeated(one: Approval, approvals: Sequence[Approval]) -> tuple[str, str]:
    others = [other for other in approvals if other is not one]
    if any(other["id"] == one["id"] for other in others):
        return "duplicate", f"{one['id']} stands in more than one file; delete all of them but the right one"
    twins = [other["id"] for other in others if _same_signature(one, other) or _said(one) == _said(other)]
    if twins:
        return "duplicate", f"it says the same as {', '.join(sorted(twins))}, under another id; delete the copy"
    return "", ""


def _same_signature(one: Approval, other: Approval) -> bool:
    mine, theirs = one.get("signature"), other.get("signature")
    return mine is not None and theirs is not None and bool(mine["sig"] == theirs["sig"])


def _said(one: Approval) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in ("id", "signature")}


def _signed(one: Approval, policy: Mapping[str, Any], copy: Copy) -> tuple[str, str]:
    if copy.signature == "unsigned":
        if policy["signatures"] == "ed25519":
            return "unsigned", "governance asks for a signature, and it carries none"
        return "", ""
    whys = {
        "invalid": f"its signature does not fit: it was edited after {one['approver']} signed it, or it was copied",
        "unknown_key": f"it is signed with a key that governance does not list for {one['approver']}",
        "not_checked": "its signature cannot be checked here; install `pip install 'quantassay[sign]'`",
    }
    return ("bad_signature", whys[copy.signature]) if copy.signature in whys else ("", "")


def _scope(one: Approval, ground: Ground) -> tuple[str, str]:
    if one["workspace"] != ground.workspace:
        return "wrong_scope", f"it was given in the workspace {one['workspace']}, and this is {ground.workspace}"
    if one["name"] in ground.known[one["subject"]]:
        return "", ""
    if one["subject"] == PACKET:
        return "wrong_scope", f"{one['name']} is no packet that governance lets anybody approve"
    return "wrong_scope", f"there is no {one['subject'].replace('_', ' ')} {one['name']} here"


def _forged(one: Approval, copy: Copy) -> tuple[str, str]:
    if one["subject"] != PACKET:
        return "", ""
    if copy.content is None:
        return "forged", "the approved data, which belong beside it, are missing or cannot be read"
    if copy.content != one["content"]:
        return "forged", "the data kept beside it are not those that its digest names"
    return "", ""


def _alone(one: Approval, policy: Mapping[str, Any]) -> tuple[str, str]:
    wanted = policy["four_eyes"]
    asked = one["name"] in wanted["packets"] if one["subject"] == PACKET else one["subject"] in wanted["subjects"]
    if not asked:
        return "", ""
    proposer = one.get("proposer")
    if proposer is None:
        return "self_approved", "governance wants two people, and it names nobody who proposed it"
    if same_person(proposer, one["approver"]):
        return "self_approved", f"governance wants two people, and {one['approver']} both proposed and approved it"
    return "", ""


def _length(one: Approval, policy: Mapping[str, Any]) -> tuple[str, str]:
    days = (date.fromisoformat(one["expires"]) - date.fromisoformat(one["granted"])).days
    most = policy["longest_days"][f"{one['subject']}s"]
    return ("too_long", f"it runs for {days} days, and governance allows {most}") if days > most else ("", "")


def _days(one: Approval, day: date) -> tuple[str, str]:
    if date.fromisoformat(one["expires"]) < day:
        return "expired", f"it ended on {one['expires']}"
    if date.fromisoformat(one["granted"]) > day:
        return "not_yet", f"it begins on {one['granted']}"
    return "", ""


def _changed(one: Approval, ground: Ground, copy: Copy) -> State | None:
    if one["subject"] != PACKET:
        return None
    pairs = (("bars", one["data_cut"]["bars"], ground.bars), ("rules", one["rules"], ground.rules))
    found = [Change(place, before, after) for place, before, after in pairs if before != after]
    parts = [f"the {change.place}" for change in found]
    inside = 0
    if one["content"] != ground.contents[one["name"]]:
        inside = copy.changed
        parts = [f"the packet in {inside} {'place' if inside == 1 else 'places'}", *parts]
    if not parts:
        return None
    why = f"what it stands on has changed since it was given: {', '.join(parts)}"
    return State("stale", why, (*found, *(copy.changes if inside else ())), len(found) + inside)
