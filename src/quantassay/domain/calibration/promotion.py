"""What a threshold is worth: the status that its notes and the bars bear out, never believed and always worked out.

A status is earned step by step. PROVISIONAL needs a change note with a sample note. CALIBRATED needs on top of it a
note with a backtest note, and a claim that the bars bear out: enough events, no more than were found again, the very
events that the note saw, and not too old. What fails takes the status one step down from what is claimed; another
value than the noted one, or no note, takes all of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import Any

from quantassay.domain.calibration.notes import Change
from quantassay.domain.calibration.registry import CALIBRATED, EXPERT_PRIOR, PROVISIONAL, RANK, Claim, Threshold

NONE, SUPPORTED, OVERCLAIMED, UNDERCLAIMED, UNVERIFIABLE = (
    "none",
    "supported",
    "overclaimed",
    "underclaimed",
    "unverifiable",
)
# Why a status is not what is claimed, in words that stand behind a threshold's name.
WHY: Mapping[str, str] = MappingProxyType(
    {
        "no_note": "no change note gives it this status",
        "value_changed": "its value is not the one of its change note",
        "no_sample_note": "no note with this value has a sample note",
        "no_backtest_note": "no note with this value has a backtest note",
        "no_claim": "nothing is claimed of it",
        "other_figures": "its claim is not the one of its change note",
        "overclaimed": "more is claimed than the bars give",
        "unverifiable": "its claim cannot be worked out again",
        "too_few": "the bars give too few events",
        "not_significant": "the effect may well be luck",
        "evidence_changed": "the events are no longer those of its change note",
        "expired": "its evidence is too old",
        "claimed_later": "its claim was made after its change note, or after this run",
    }
)
# What to do next, in one sentence a case.
NEXT: Mapping[str, str] = MappingProxyType(
    {
        "correct_claim": "Correct the claim to what the bars give, and write a change note.",
        "drop_claim": "Name a study that has events, or take the claim out.",
        "restore_value": "Put the noted value back, or set the status to EXPERT_PRIOR and write a change note.",
        "renew": "Renew the claim from its study, and write a change note for the status that it bears.",
        "step_down": "Write the change note that is missing, or set the status to the effective one.",
        "record": "Record its value and status with a change note.",
        "review": "Review it, and set the day of the next review.",
        "backtest": "Have it signed off: with a backtest note it may become CALIBRATED.",
        "claim": "Claim what its study gives, or wait for more events.",
        "study": "Read its study; a sample note makes it PROVISIONAL.",
        "wait": "Nothing until its review.",
    }
)
_RENEW = frozenset({"other_figures", "too_few", "not_significant", "evidence_changed", "expired", "claimed_later"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What governance asks, and the day on which it is asked. A claim older than `evidence_days` has expired."""

    least_n: int
    largest_adjusted_p: Decimal
    evidence_days: int
    day: date


@dataclass(frozen=True, slots=True)
class Standing:
    """The status that holds, and why it is not the claimed one (keys of WHY; nothing where it is)."""

    status: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """What a threshold is worth and what is to be done: effective status, why not more, its claim, its next step.

    `why` holds keys of WHY, `next` is one of NEXT, `verdict` says how the claim stands against the bars.
    """

    status: str
    why: tuple[str, ...]
    verdict: str
    overdue: bool
    next: str


def terms(policy: Mapping[str, Any], day: str) -> Terms:
    """The terms of governance/calibration_policy.yaml on a day (YYYY-MM-DD)."""
    calibrated = policy["calibrated"]
    largest = Decimal(calibrated["largest_adjusted_p"])
    return Terms(calibrated["least_n"], largest, policy["evidence_days"], date.fromisoformat(day))


def verdict(claim: Claim | None, study: Mapping[str, Any] | None) -> str:
    """How a claim stands against the study of calibration_evidence that was run for it.

    The claimed mean is compared with the recomputed one at the digits claimed; where prices are expected to fall, the
    lower mean is the larger claim.
    """
    if claim is None:
        return NONE
    if study is None or not study["n"] or study["mean_return"] is None:
        return UNVERIFIABLE
    claimed, found = Decimal(claim.mean_return), Decimal(study["mean_return"])
    found = found.quantize(Decimal(1).scaleb(int(claimed.as_tuple().exponent)), ROUND_HALF_EVEN)
    if study["direction"] == "down":
        claimed, found = -claimed, -found
    if claim.sample_n > study["n"] or claimed > found:
        return OVERCLAIMED
    return SUPPORTED if (claim.sample_n, claimed) == (study["n"], found) else UNDERCLAIMED


def standing(
    threshold: Threshold,
    value: str | None,
    told: Sequence[Change],
    study: Mapping[str, Any] | None,
    asked: Terms,
) -> Standing:
    """The status that a threshold has earned: never above the claimed one.

    `value` is the number in its spec, `told` every change of it in the notes, of which those of a later day do not
    count, `study` its row of calibration_evidence, None where it has none.
    """
    if threshold.status == EXPERT_PRIOR:
        return Standing(EXPERT_PRIOR)
    told = in_time(told, asked.day)
    if not told or told[-1].status == EXPERT_PRIOR:
        return Standing(EXPERT_PRIOR, ("no_note",))
    if value is None or Decimal(value) != Decimal(told[-1].value):
        return Standing(EXPERT_PRIOR, ("value_changed",))
    earned = [change for change in since_prior(told) if Decimal(change.value) == Decimal(value)]
    if not any(change.sample_note for change in earned):
        return Standing(EXPERT_PRIOR, ("no_sample_note",))
    if threshold.status == PROVISIONAL:
        why = tuple(_evidence(threshold, earned[-1], study, asked))
        return Standing(EXPERT_PRIOR if why else PROVISIONAL, why)
    why = tuple(_calibrated(threshold, earned, study, asked))
    return Standing(PROVISIONAL if why else CALIBRATED, why)


def in_time(told: Sequence[Change], day: date) -> list[Change]:
    """The changes that were noted by that day."""
    return [change for change in told if date.fromisoformat(change.date) <= day]


def since_prior(told: Sequence[Change]) -> list[Change]:
    """The changes after the last one that made the threshold EXPERT_PRIOR again."""
    fallen = [index for index, change in enumerate(told) if change.status == EXPERT_PRIOR]
    return list(told[fallen[-1] + 1 if fallen else 0 :])


def _calibrated(
    threshold: Threshold, earned: Sequence[Change], study: Mapping[str, Any] | None, asked: Terms
) -> Iterator[str]:
    """What CALIBRATED is wanting, PROVISIONAL being earned."""
    if earned[-1].status != CALIBRATED:
        yield "no_note"
        return
    if not any(change.status == CALIBRATED and change.backtest_note for change in earned):
        yield "no_backtest_note"
    if threshold.claim is None:
        yield "no_claim"
        return
    yield from _evidence(threshold, earned[-1], study, asked)
    if study is not None and study["n"] < asked.least_n:
        yield "too_few"
    # Without a p-value the effect is not known to be more than luck, which matters only where governance asks.
    p_value = None if study is None else study["adjusted_p"]
    if asked.largest_adjusted_p < (1 if p_value is None else Decimal(p_value)):
        yield "not_significant"


def _evidence(threshold: Threshold, note: Change, study: Mapping[str, Any] | None, asked: Terms) -> Iterator[str]:
    """What is wrong with a claim, and with the figures that the note was written on; a note may have none."""
    claim = threshold.claim
    bound = threshold.status == CALIBRATED or note.sample_n is not None or note.evidence is not None
    if bound and not _same_figures(note, claim):
        yield "other_figures"
    if claim is None:
        return
    found = verdict(claim, study)
    if found in (OVERCLAIMED, UNVERIFIABLE):
        yield found
    if bound and note.evidence != (None if study is None else study["digest"]):
        yield "evidence_changed"
    made_on = date.fromisoformat(claim.made_on)
    if (asked.day - made_on).days > asked.evidence_days:
        yield "expired"
    if made_on > asked.day or (bound and claim.made_on > note.date):
        yield "claimed_later"


def _same_figures(note: Change, claim: Claim | None) -> bool:
    if claim is None or note.mean_return is None:
        return claim is None and note.mean_return is None and note.sample_n is None
    return note.sample_n == claim.sample_n and Decimal(note.mean_return) == Decimal(claim.mean_return)


def examine(
    threshold: Threshold, value: str | None, told: Sequence[Change], study: Mapping[str, Any] | None, asked: Terms
) -> Examined:
    """Everything that is to be known of a threshold; parameters as of `standing`."""
    stands, found = standing(threshold, value, told, study, asked), verdict(threshold.claim, study)
    overdue = date.fromisoformat(threshold.review_on) < asked.day
    step = _wrong(threshold, value, told, found, stands)
    step = step or ("review" if overdue else _onward(threshold, study, asked))
    return Examined(stands.status, stands.why, found, overdue, step)


def _wrong(threshold: Threshold, value: str | None, told: Sequence[Change], found: str, stands: Standing) -> str:
    """The step that puts right what is wrong; empty where nothing is."""
    if "value_changed" in stands.why:
        return "restore_value"
    if found == OVERCLAIMED:
        return "correct_claim"
    if found == UNVERIFIABLE:
        return "drop_claim"
    if RANK[stands.status] < RANK[threshold.status]:
        return "renew" if set(stands.why) <= _RENEW else "step_down"
    return "" if is_noted(threshold, value, told) else "record"


def is_noted(threshold: Threshold, value: str | None, told: Sequence[Change]) -> bool:
    """Whether the last note on a threshold gives the value and the status that its specs give."""
    if not told or value is None:
        return False
    return Decimal(told[-1].value) == Decimal(value) and told[-1].status == threshold.status


def _onward(threshold: Threshold, study: Mapping[str, Any] | None, asked: Terms) -> str:
    """The step that would lead a threshold further that is in order."""
    events = 0 if study is None else study["n"]
    if threshold.status == PROVISIONAL:
        ready = threshold.claim is not None and events >= asked.least_n
        return "backtest" if ready else "claim" if study is not None else "wait"
    return "study" if threshold.status == EXPERT_PRIOR and events else "wait"
