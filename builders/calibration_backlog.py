"""Says what every threshold is worth, which claims the bars do not bear out, and what is to be done next."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quantassay.domain.calibration import notes as change_notes
from quantassay.domain.calibration import promotion, registry
from quantassay.domain.calibration.notes import Change, Note
from quantassay.domain.calibration.registry import Threshold

_REGISTRY = "spec_values:/calibration/thresholds"
_NOTES = ["calibration_change_ledger:/notes"]
_STUDY = "calibration_evidence:/studies/{study}"
_WORTH = [_REGISTRY, *_NOTES, "calibration_evidence:/studies", "calibration_policy:"]
ORIGINS = {
    "/overclaimed_count": [_REGISTRY, "calibration_evidence:/studies"],
    "/underclaimed_count": [_REGISTRY, "calibration_evidence:/studies"],
    "/unverifiable_count": [_REGISTRY, "calibration_evidence:/studies"],
    "/demoted_count": _WORTH,
    "/overdue_count": [_REGISTRY, "as_of:"],
    "/claimed/*": [_REGISTRY],
    "/effective/*": _WORTH,
    "/head": ["calibration_change_ledger:/head"],
    "/asked/least_n": ["calibration_policy:/calibrated/least_n"],
    "/asked/largest_adjusted_p": ["calibration_policy:/calibrated/largest_adjusted_p"],
    "/asked/evidence_days": ["calibration_policy:/evidence_days"],
    "/plan/id": ["next_open_plan:/plan_id"],
    "/specs/*/thresholds": [_REGISTRY],
    "/thresholds/*/value": ["spec_values:/{pointer}"],
    "/thresholds/*/claim/*": [_REGISTRY],
    **{f"/thresholds/*/recomputed/{name}": [f"{_STUDY}/{name}"] for name in ("n", "until", "adjusted_p")},
    **{f"/thresholds/*/recomputed/{name}": [f"{_STUDY}/{name}"] for name in ("mean_return", "low", "high", "digest")},
    "/thresholds/*/noted": _NOTES,
    "/thresholds/*/review_on": [_REGISTRY],
}
_FIGURES = ("until", "direction", "n", "mean_return", "low", "high", "adjusted_p", "digest")


def build(
    calibration_evidence: dict[str, Any],
    calibration_change_ledger: dict[str, Any],
    calibration_policy: dict[str, Any],
    spec_values: dict[str, Any],
    next_open_plan: dict[str, Any],
    as_of: str,
) -> dict[str, Any]:
    """One row a threshold, in the order of the registry, and the counts of what is wrong."""
    calibration = spec_values["calibration"]
    asked = promotion.terms(calibration_policy, as_of[:10])
    notes = _notes(calibration_change_ledger)
    studies = {study["id"]: study for study in calibration_evidence["studies"]}
    stands_on = {plan["artifact"]: plan["specs"] for plan in calibration["plans"]}
    plan = {"id": next_open_plan["plan_id"], "specs": stands_on.get("next_open_plan", [])}
    rows = []
    for threshold in registry.thresholds(calibration):
        told = change_notes.told_of(threshold.id, notes)
        study = studies.get(threshold.study) if threshold.study else None
        value = registry.value_of(threshold, spec_values)
        worth = promotion.examine(threshold, value, told, study, asked)
        row = _row(threshold, value, worth) | _figures(study) | _noted(promotion.in_time(told, asked.day), value)
        rows.append(row | {"plans": [plan["id"]] if row["why"] and threshold.spec in plan["specs"] else []})
    return {
        **_counts(rows),
        "head": calibration_change_ledger["head"],
        "asked": {**calibration_policy["calibrated"], "evidence_days": calibration_policy["evidence_days"]},
        "plan": _plan(next_open_plan, calibration_policy),
        "specs": _specs(rows),
        "thresholds": rows,
    }


def _notes(ledger: Mapping[str, Any]) -> list[Note]:
    """The notes of the ledger as the domain knows them."""
    return [_note(note) for note in ledger["notes"]]


def _note(note: Mapping[str, Any]) -> Note:
    head = {name: note[name] for name in ("id", "date", "author", "reason", "previous", "digest", "counts")}
    return Note(**head, changes=tuple(_change(note, row) for row in note["changes"]))


def _change(note: Mapping[str, Any], row: Mapping[str, Any]) -> Change:
    told = {name: row[name] for name in change_notes.OPTIONAL}
    return Change(note["id"], note["date"], row["threshold"], row["from"], row["to"], row["value"], **told)


def _row(threshold: Threshold, value: str | None, worth: promotion.Examined) -> dict[str, Any]:
    claim = threshold.claim
    kept = ("id", "spec", "pointer", "unit", "kind", "owner", "review_on")
    return {
        **{name: getattr(threshold, name) for name in kept},
        "value": value,
        "claimed": threshold.status,
        "effective": worth.status,
        "why": [promotion.WHY[reason] for reason in worth.why],
        "claim": claim and {"made_on": claim.made_on, "sample_n": claim.sample_n, "mean_return": claim.mean_return},
        "verdict": worth.verdict,
        "overdue": worth.overdue,
        "next": promotion.NEXT[worth.next],
    }


def _figures(study: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the bars give, where the threshold has a study."""
    return {"recomputed": study and {"study": study["id"], **{name: study[name] for name in _FIGURES}}}


def _noted(told: list[Change], value: str | None) -> dict[str, Any]:
    """The last note that speaks of the threshold, and its last sample and backtest notes on this value."""
    last = told[-1] if told else None
    same = [one for one in promotion.since_prior(told) if value is not None and Decimal(one.value) == Decimal(value)]
    samples = [one.sample_note for one in same if one.sample_note]
    backtests = [one.backtest_note for one in same if one.backtest_note]
    return {
        "note": last and last.note,
        "noted": last and last.value,
        "sample_note": samples[-1] if samples else None,
        "backtest_note": backtests[-1] if backtests else None,
    }


def _counts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "overclaimed_count": sum(row["verdict"] == promotion.OVERCLAIMED for row in rows),
        "underclaimed_count": sum(row["verdict"] == promotion.UNDERCLAIMED for row in rows),
        "unverifiable_count": sum(row["verdict"] == promotion.UNVERIFIABLE for row in rows),
        "demoted_count": sum(bool(row["why"]) for row in rows),
        "overdue_count": sum(row["overdue"] for row in rows),
        **{
            name: {status: sum(row[name] == status for row in rows) for status in registry.STATUSES}
            for name in ("claimed", "effective")
        },
    }


def _plan(next_open_plan: Mapping[str, Any], calibration_policy: Mapping[str, Any]) -> dict[str, Any]:
    environment = next_open_plan["account"]["environment"]
    least = calibration_policy["least_status"][environment]
    return {"id": next_open_plan["plan_id"], "environment": environment, **least}


def _specs(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    order = list(dict.fromkeys(row["spec"] for row in rows))
    return [{"spec": spec, "thresholds": sum(row["spec"] == spec for row in rows)} for spec in order]
