"""What governance wants approved for a plan of this kind of account is approved, and the approval is in force.

The plan of a real account leaves the house on a person's word, and this is where that word is looked for.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R09.3"]


def check(
    approval_states: dict[str, Any], approval_policy: dict[str, Any], next_open_plan: dict[str, Any]
) -> Iterator[Judged]:
    """Judges each packet that the policy names, and the policy itself."""
    environment = next_open_plan["account"]["environment"]
    counting = [one for one in approval_states["approvals"] if one["subject"] == "packet"]
    for index, asked in enumerate(approval_policy["required"]):
        packet, wanted = asked["packet"], environment in asked["environments"]
        mine = [one for one in counting if one["name"] == packet]
        ok = not wanted or any(one["state"] == "in_force" for one in mine)
        told = "; ".join(f"{one['id']}: {one['why']}" for one in mine) or "nobody has approved it"
        says = f"the plan is for a {environment} account, and no approval of {packet} is in force ({told})"
        yield judged(f"/required/{index}", ok=ok, says=says, expected="in_force", actual=told if not ok else None)
        known = packet in approval_policy["packets"]
        says = f"{packet} must be approved and is not among the packets that may be"
        yield judged(f"/required/{index}/packet", ok=known, says=says, artifact="approval_policy")
    can_sign = approval_policy["signatures"] != "ed25519" or bool(approval_policy["signers"])
    says = "governance asks for signatures and lists nobody who may sign"
    yield judged("/signers", ok=can_sign, says=says, artifact="approval_policy")
