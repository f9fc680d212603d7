"""The state of every approval, and the reason for it, is worked out a second time from the files and the digests.

A stale or copied approval that is shown as good would carry a plan out of the house.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any
from unicodedata import normalize

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R09.1"]
SAYS = "is not what the approvals, the policy and the digests of today give"
PLAIN = ("id", "subject", "name", "approver", "reason", "granted", "expires")
SIGNATURES = {
    "invalid": "its signature does not fit: it was edited after {} signed it, or it was copied",
    "unknown_key": "it is signed with a key that governance does not list for {}",
    "not_checked": "its signature cannot be checked here; install `pip install 'quantassay[sign]'`",
}
LATE = ("expired", "not_yet", "stale")


def check(
    approval_states: dict[str, Any],
    approvals: list[dict[str, Any]],
    approval_policy: dict[str, Any],
    approvable_packets: dict[str, Any],
    approval_ground: dict[str, Any],
    as_of: str,
) -> Iterator[Judged]:
    """Judges every field."""
    today = date.fromisoformat(as_of[:10])
    case = _Case(approvals, approval_policy, approvable_packets, approval_ground, today)
    rows = [case.row(one) for one in sorted(approvals, key=lambda one: str(one["id"]))]
    environment = approvable_packets["environment"]
    required = []
    for asked in approval_policy["required"]:
        good = [
            row["id"]
            for row in rows
            if row["subject"] == "packet" and row["name"] == asked["packet"] and row["state"] == "in_force"
        ]
        state = "in_force" if good else "missing"
        if environment not in asked["environments"]:
            state = "not_asked"
        required.append({**asked, "state": state, "approvals": good})
    in_force = sum(row["state"] == "in_force" for row in rows)
    lapsed = sum(row["state"] in LATE for row in rows)
    expected = {
        "day": today.isoformat(),
        "workspace": approval_ground["workspace"],
        "signatures": approval_policy["signatures"],
        "environment": environment,
        "counts": {
            "approvals": len(rows),
            "in_force": in_force,
            "lapsed": lapsed,
            "refused": len(rows) - in_force - lapsed,
            "missing": [one["state"] for one in required].count("missing"),
        },
        "approvals": rows,
        "required": required,
    }
    yield from agree(approval_states, expected, SAYS)


class _Case:
    """All approvals, and what each is held against."""

    def __init__(
        self,
        approvals: list[dict[str, Any]],
        policy: dict[str, Any],
        packets: dict[str, Any],
        ground: dict[str, Any],
        today: date,
    ) -> None:
        self.approvals, self.policy, self.ground, self.today = approvals, policy, ground, today
        self.now = {row["name"]: row["content"] for row in packets["packets"]}
        self.copies = {row["approval"]: row for row in packets["copies"]}

    def row(self, one: dict[str, Any]) -> dict[str, Any]:
        """One approval as it must be told."""
        copy = self.copies[one["id"]]
        state, why = self.refusal(one, copy)
        changes: list[dict[str, Any]] = []
        changed = 0
        if not state and one["subject"] == "packet":
            cut = {
                "bars": (one["data_cut"]["bars"], self.ground["bars"]),
                "rules": (one["rules"], self.ground["rules"]),
            }
            moved = [name for name, (before, after) in cut.items() if before != after]
            changes = [{"place": name, "before": cut[name][0], "after": cut[name][1]} for name in moved]
            words = [f"the {name}" for name in moved]
            changed = len(moved)
            if one["content"] != self.now[one["name"]]:
                changes += copy["changes"]
                changed += copy["changed"]
                words.insert(0, f"the packet in {copy['changed']} place" + "s" * (copy["changed"] != 1))
            if words:
                state, why = "stale", f"what it stands on has changed since it was given: {', '.join(words)}"
        return {
            **{name: one[name] for name in PLAIN},
            "proposer": one.get("proposer"),
            "days_left": date.fromisoformat(one["expires"]).toordinal() - self.today.toordinal(),
            "signature": copy["signature"],
            "state": state or "in_force",
            "why": why or f"it holds through {one['expires']}",
            "changed": changed,
            "changes": changes,
        }

    def refusal(self, one: dict[str, Any], copy: dict[str, Any]) -> tuple[str, str]:
        """Why it does not count, whatever it stands on; the gravest comes first."""
        if [other["id"] for other in self.approvals].count(one["id"]) > 1:
            return "duplicate", f"{one['id']} stands in more than one file; delete all of them but the right one"
        if twins := sorted(other["id"] for other in self.approvals if other["id"] != one["id"] and _twin(one, other)):
            return "duplicate", f"it says the same as {', '.join(twins)}, under another id; delete the copy"
        if copy["signature"] == "unsigned" and self.policy["signatures"] == "ed25519":
            return "unsigned", "governance asks for a signature, and it carries none"
        if copy["signature"] in SIGNATURES:
            return "bad_signature", SIGNATURES[copy["signature"]].format(one["approver"])
        return self.astray(one, copy)

    def astray(self, one: dict[str, Any], copy: dict[str, Any]) -> tuple[str, str]:
        """Whether it is for something else, over something else, by one person where two are wanted, or out of time."""
        is_packet, name, here = one["subject"] == "packet", one["name"], self.ground["workspace"]
        if one["workspace"] != here:
            return "wrong_scope", f"it was given in the workspace {one['workspace']}, and this is {here}"
        if is_packet and not (name in self.policy["packets"] and name in self.now):
            return "wrong_scope", f"{name} is no packet that governance lets anybody approve"
        if not is_packet and name not in self.ground["known"][one["subject"]]:
            return "wrong_scope", f"there is no {one['subject'].replace('_', ' ')} {name} here"
        if is_packet and copy["content"] is None:
            return "forged", "the approved data, which belong beside it, are missing or cannot be read"
        if is_packet and copy["content"] != one["content"]:
            return "forged", "the data kept beside it are not those that its digest names"
        two = self.policy["four_eyes"]
        if name in two["packets"] if is_packet else one["subject"] in two["subjects"]:
            if "proposer" not in one:
                return "self_approved", "governance wants two people, and it names nobody who proposed it"
            if _letters(one["proposer"]) == _letters(one["approver"]):
                why = f"governance wants two people, and {one['approver']} both proposed and approved it"
                return "self_approved", why
        return self.out_of_time(one)

    def out_of_time(self, one: dict[str, Any]) -> tuple[str, str]:
        """Whether it runs too long, has ended or has not begun."""
        first, last = date.fromisoformat(one["granted"]), date.fromisoformat(one["expires"])
        days, most = last.toordinal() - first.toordinal(), self.policy["longest_days"][one["subject"] + "s"]
        if days > most:
            return "too_long", f"it runs for {days} days, and governance allows {most}"
        if self.today > last:
            return "expired", f"it ended on {one['expires']}"
        return ("not_yet", f"it begins on {one['granted']}") if self.today < first else ("", "")


def _twin(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if "signature" in one and "signature" in other and one["signature"]["sig"] == other["signature"]["sig"]:
        return True
    apart = {name for name in {*one, *other} if one.get(name) != other.get(name)}
    return apart <= {"id", "signature"}


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, normalize("NFKC", name).casefold()))
