"""Every status above EXPERT_PRIOR is earned: by notes, by events counted again, and by evidence that still stands.

A status that nobody earned lets a guess drive orders as if it had been measured.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R08.5"]
NOTES = "calibration_changes"
RANKS = ("EXPERT_PRIOR", "PROVISIONAL", "CALIBRATED")


def check(
    calibration_backlog: dict[str, Any],
    calibration: dict[str, Any],
    calibration_changes: list[dict[str, Any]],
    calibration_evidence: dict[str, Any],
    calibration_policy: dict[str, Any],
    as_of: str,
) -> Iterator[Judged]:
    """Judges each promotion in each note, and each threshold's status: claimed, noted, and borne out by its study."""
    yield from _notes(calibration_changes)
    day = as_of[:10]
    told = [(note, change) for note in calibration_changes if note["date"] <= day for change in note["changes"]]
    studies = {study["id"]: study for study in calibration_evidence["studies"]}
    worth = {row.get("id"): row for row in calibration_backlog.get("thresholds", [])}
    for index, row in enumerate(calibration["thresholds"]):
        place, found = f"/thresholds/{index}/status", worth.get(row["id"], {})
        effective, why = str(found.get("effective")), found.get("why") or ["it is not in the backlog"]
        ok = effective in RANKS and RANKS.index(row["status"]) <= RANKS.index(effective)
        says = f"{row['id']} is claimed to be {row['status']} and is worth {effective}: {'; '.join(map(str, why))}"
        yield _judged(place, says, ok=ok)
        if row["status"] == "EXPERT_PRIOR":
            continue
        mine = [(note, change) for note, change in told if change["threshold"] == row["id"]]
        yield from _noted(place, row, mine, found.get("value"))
        if row["status"] == "CALIBRATED":
            study = studies.get(row.get("study"), {"n": 0, "digest": None})
            asked = (calibration_policy["calibrated"]["least_n"], calibration_policy["evidence_days"], day)
            yield from _calibrated(index, row, mine, study, asked)
            count = calibration_backlog.get("overclaimed_count")
            says = f"{row['id']} cannot be CALIBRATED while overclaimed_count is {count}"
            yield _judged(place, says, ok=count == 0)


def _judged(place: str, says: str, *, ok: bool) -> Judged:
    return judged(place, ok=ok, says=says, artifact="calibration")


def _notes(notes: list[dict[str, Any]]) -> Iterator[Judged]:
    """A promotion needs a sample note, its own or one since the threshold was last EXPERT_PRIOR, on the same value."""
    sampled: dict[str, set[Decimal]] = {}
    for note in notes:
        for index, change in enumerate(note["changes"]):
            name, place, value = change["threshold"], f"/{note['id']}/changes/{index}", Decimal(str(change["value"]))
            if change["to"] == "EXPERT_PRIOR":
                sampled.pop(name, None)
                continue
            if change.get("sample_note", "").strip():
                sampled.setdefault(name, set()).add(value)
            says = f"{name} becomes {change['to']} without a sample note on the value {change['value']}"
            yield judged(f"{place}/sample_note", ok=value in sampled.get(name, ()), says=says, artifact=NOTES)
            if change["to"] == "CALIBRATED":
                says = f"{name} becomes CALIBRATED without a backtest note"
                ok = bool(change.get("backtest_note", "").strip())
                yield judged(f"{place}/backtest_note", ok=ok, says=says, artifact=NOTES)


def _noted(
    place: str, row: dict[str, Any], told: list[tuple[dict[str, Any], dict[str, Any]]], value: str | None
) -> Iterator[Judged]:
    """The last note that counts gives at least this status, for the value in force."""
    last = told[-1][1] if told else {"to": "EXPERT_PRIOR", "value": "0"}
    ok = RANKS.index(last["to"]) >= RANKS.index(row["status"])
    yield _judged(place, f"{row['id']} is {row['status']}, and no change note makes it so", ok=ok)
    ok = value is not None and Decimal(str(value)) == Decimal(str(last["value"]))
    yield _judged(place, f"{row['id']} is {value}, and its change note gave the status to {last['value']}", ok=ok)


def _calibrated(
    index: int,
    row: dict[str, Any],
    told: list[tuple[dict[str, Any], dict[str, Any]]],
    study: dict[str, Any],
    asked: tuple[int, int, str],
) -> Iterator[Judged]:
    """The study gives enough events, the note has the claim's figures and the study's events, and none of it is old."""
    least, days, day = asked
    name, place, claim = row["id"], f"/thresholds/{index}/claim", row.get("claim")
    says = f"{name} is CALIBRATED, and its study gives {study['n']} of the {least} events that are asked for"
    yield _judged(f"/thresholds/{index}/status", says, ok=study["n"] >= least)
    if claim is None:
        yield _judged(f"/thresholds/{index}/status", f"{name} is CALIBRATED, and nothing is claimed of it", ok=False)
        return
    note, change = told[-1] if told else ({"id": "no note", "date": ""}, {})
    same = change.get("sample_n") == claim["sample_n"]
    says = f"{name} claims {claim['sample_n']} events, and {note['id']} speaks of {change.get('sample_n')}"
    yield _judged(f"{place}/sample_n", says, ok=same)
    noted = change.get("mean_return")
    same = noted is not None and Decimal(noted) == Decimal(claim["mean_return"])
    says = f"{name} claims a mean return of {claim['mean_return']}, and {note['id']} speaks of {noted}"
    yield _judged(f"{place}/mean_return", says, ok=same)
    says = f"{name}: the events of {row.get('study')} are no longer those that {note['id']} was written on"
    same = change.get("evidence") is not None and change["evidence"] == study["digest"]
    yield _judged(f"{place}/sample_n", says, ok=same)
    until = (date.fromisoformat(claim["made_on"]) + timedelta(days)).isoformat()
    says = f"{name}: its claim of {claim['made_on']} has expired, or was made after {note['id']}"
    yield _judged(f"{place}/made_on", says, ok=day <= until and claim["made_on"] <= min(note["date"], day))
