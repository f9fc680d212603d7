"""No plan stands on a threshold that is worth less than governance asks for its account's environment.

A guess may move money on paper; it may not move anybody's.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R08.9"]
RANKS = ("EXPERT_PRIOR", "PROVISIONAL", "CALIBRATED")
PLAN = "next_open_plan"
# From invented money to the owner's: what is further right asks no less.
ENVIRONMENTS = ("sample", "paper", "rehearsal", "virtual", "real")


def check(
    next_open_plan: dict[str, Any],
    calibration_backlog: dict[str, Any],
    calibration: dict[str, Any],
    calibration_policy: dict[str, Any],
    work_items: list[dict[str, Any]],
) -> Iterator[Judged]:
    """Judges each threshold that the plan stands on, which those are, what the backlog says of it, and the policy."""
    declared = {plan["artifact"]: plan["specs"] for plan in calibration["plans"]}.get(PLAN, [])
    asked_for = [item["cells"]["yaml"] for item in work_items if item["name"] == PLAN]
    read = {spec for one in asked_for for spec in (*one["names"], *one["inherited"])} & set(calibration["covers"])
    says = f"{PLAN} stands on {', '.join(sorted(read))}, and spec/30_calibration.yaml names {', '.join(declared)}"
    yield judged("/plans", ok=read == set(declared), says=says, artifact="calibration")
    account = next_open_plan["account"]
    least = calibration_policy["least_status"][account["environment"]]
    worth = {row.get("id"): row for row in calibration_backlog.get("thresholds", [])}
    for index, row in enumerate(calibration["thresholds"]):
        if row["pointer"].partition(":")[0] in read:
            asked, found = least[row["kind"]], str(worth.get(row["id"], {}).get("effective", "not in the backlog"))
            ok = found in RANKS and RANKS.index(found) >= RANKS.index(asked)
            says = (
                f"the plan for the {account['environment']} account {account['id']} stands on {row['id']}, "
                f"which is {found}; its {row['kind']} thresholds are {asked} at least"
            )
            place = f"/thresholds/{index}/status"
            yield judged(place, ok=ok, says=says, expected=asked, actual=found, artifact="calibration")
    yield from _backlog(next_open_plan, calibration_backlog, read, least)
    yield from _policy(calibration_policy["least_status"])


def _backlog(
    next_open_plan: dict[str, Any], backlog: dict[str, Any], read: set[str], least: dict[str, str]
) -> Iterator[Judged]:
    """The plan as the backlog names it, and the plan's id at each demoted threshold that it stands on."""
    name, shown = next_open_plan["plan_id"], backlog.get("plan")
    expected = {"id": name, "environment": next_open_plan["account"]["environment"], **least}
    says = "is not the plan that was made, or not what governance asks of it"
    yield judged(
        "/plan", ok=shown == expected, says=says, expected=expected, actual=shown, artifact="calibration_backlog"
    )
    for index, row in enumerate(backlog.get("thresholds", [])):
        right = [name] if row.get("why") and row.get("spec") in read else []
        says = f"{row.get('id')}: these are not the plans that stand on it while it is worth less than claimed"
        place, ok = f"/thresholds/{index}/plans", row.get("plans") == right
        yield judged(place, ok=ok, says=says, expected=right, actual=row.get("plans"), artifact="calibration_backlog")


def _policy(least: dict[str, dict[str, str]]) -> Iterator[Judged]:
    """More than paper asks for no less than paper."""
    for one, more in pairwise(ENVIRONMENTS):
        for kind, asked in least[more].items():
            ok = RANKS.index(asked) >= RANKS.index(least[one][kind])
            says = f"a {more} account asks {asked} of {kind} thresholds, less than a {one} one with {least[one][kind]}"
            yield judged(f"/least_status/{more}/{kind}", ok=ok, says=says, artifact="calibration_policy")
