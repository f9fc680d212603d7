"""No claim is above what the bars give when its events are counted again.

A claim that was never counted again is an advertisement: it stays while its events go.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R08.4"]


def check(
    calibration_backlog: dict[str, Any], calibration: dict[str, Any], calibration_evidence: dict[str, Any]
) -> Iterator[Judged]:
    """Judges the events and the mean return of each claim, and that overclaimed_count is their number and is 0."""
    studies = {study["id"]: study for study in calibration_evidence["studies"]}
    named = []
    for index, row in enumerate(calibration["thresholds"]):
        study = studies.get(row.get("study"))
        if "claim" not in row or study is None or not study["n"] or study["mean_return"] is None:
            continue
        claim, place = row["claim"], f"/thresholds/{index}/claim"
        found, says = study["n"], f"{row['id']} claims {claim['sample_n']} events, and the bars give {study['n']}"
        many = claim["sample_n"] > found
        yield judged(f"{place}/sample_n", ok=not many, says=says, expected=found, artifact="calibration")
        mean = _rounded(study["mean_return"], claim["mean_return"])
        says = f"{row['id']} claims a mean return of {claim['mean_return']}, and the bars give {study['mean_return']}"
        sign = -1 if study["direction"] == "down" else 1
        high = sign * Fraction(claim["mean_return"]) > sign * mean
        yield judged(
            f"{place}/mean_return", ok=not high, says=says, expected=study["mean_return"], artifact="calibration"
        )
        named += [row["id"]] if many or high else []
    count, told = len(named), calibration_backlog.get("overclaimed_count")
    says = f"overclaimed_count is {count}: {', '.join(named) or 'nothing is claimed'}; correct the claims"
    if told != count:
        says = f"overclaimed_count is {count}, and the backlog says {told}"
    yield judged("/overclaimed_count", ok=count == told == 0, says=says, expected=0, actual=count)


def _rounded(found: str, claimed: str) -> Fraction:
    """What was found, with as many digits as were claimed."""
    scale = 10 ** len(claimed.partition(".")[2])
    return Fraction(round(Fraction(found) * scale), scale)
