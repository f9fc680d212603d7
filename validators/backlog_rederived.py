"""The backlog is worked out a second time: every status, verdict, count and next step must come out the same.

The backlog is what people read before they sign; an error in it is signed with the rest.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from quantassay.domain.agreement import agree
from quantassay.domain.calibration.promotion import NEXT, WHY
from quantassay.findings import Judged

RULES = ["R08.8"]
RANKS = ("EXPERT_PRIOR", "PROVISIONAL", "CALIBRATED")
FIGURES = ("until", "direction", "n", "mean_return", "low", "high", "adjusted_p", "digest")
RENEWED = {"other_figures", "too_few", "not_significant", "evidence_changed", "expired", "claimed_later"}
Row = dict[str, Any]


def check(
    calibration_backlog: dict[str, Any],
    calibration_change_ledger: dict[str, Any],
    calibration_evidence: dict[str, Any],
    calibration_policy: dict[str, Any],
    spec_values: dict[str, Any],
    as_of: str,
) -> Iterator[Judged]:
    """Judges each field but the plans, which another gate judges."""
    day, registry = date.fromisoformat(as_of[:10]), spec_values["calibration"]["thresholds"]
    studies = {study["id"]: study for study in calibration_evidence["studies"]}
    rows = []
    for row in registry:
        told = [
            {**change, "id": note["id"], "date": note["date"]}
            for note in calibration_change_ledger["notes"]
            for change in note["changes"]
            if change["threshold"] == row["id"]
        ]
        case = _Case(row, spec_values, told, studies.get(row.get("study")), calibration_policy)
        rows.append(case.row(day))
    verdicts = [row["verdict"] for row in rows]
    expected = {
        **{f"{name}_count": verdicts.count(name) for name in ("overclaimed", "underclaimed", "unverifiable")},
        "demoted_count": len([row for row in rows if row["why"]]),
        "overdue_count": len([row for row in rows if row["overdue"]]),
        **{name: _by_status([row[name] for row in rows]) for name in ("claimed", "effective")},
        "head": calibration_change_ledger["head"],
        "asked": {
            **{name: calibration_policy["calibrated"][name] for name in ("least_n", "largest_adjusted_p")},
            "evidence_days": calibration_policy["evidence_days"],
        },
        "specs": _specs([row["spec"] for row in rows]),
        "thresholds": rows,
    }
    actual = {name: value for name, value in calibration_backlog.items() if name != "plan"}
    shown = actual.get("thresholds")
    if isinstance(shown, list):
        actual["thresholds"] = [{name: row[name] for name in row if name != "plans"} for row in shown]
    yield from agree(actual, expected, "is not what the registry, the notes and the bars give")


def _by_status(statuses: list[str]) -> dict[str, int]:
    return {status: statuses.count(status) for status in RANKS}


def _specs(specs: list[str]) -> list[Row]:
    return [{"spec": spec, "thresholds": specs.count(spec)} for at, spec in enumerate(specs) if spec not in specs[:at]]


class _Case:
    """One threshold with all that speaks for and against it."""

    def __init__(
        self, row: Row, spec_values: dict[str, Any], told: list[Row], study: Row | None, policy: dict[str, Any]
    ) -> None:
        self.given, self.told, self.study, self.policy = row, told, study, policy
        self.claim: Row | None = row.get("claim")
        self.spec, _, place = row["pointer"].partition(":")
        found: Any = spec_values.get(self.spec)
        for step in place.split("/")[1:]:
            found = _member(found, step.replace("~1", "/").replace("~0", "~"))
        self.value = None if found is None else format(Decimal(str(found)), "f")

    def row(self, day: date) -> Row:
        """The whole row but its plans."""
        told = [one for one in self.told if one["date"] <= day.isoformat()]
        kept = self._kept(told)
        effective, why = self._worth(told, kept, day)
        verdict, last = self._verdict(), told[-1] if told else {"id": None, "value": None}
        overdue = self.given["review_on"] < day.isoformat()
        figures = self.study and {"study": self.study["id"], **{name: self.study[name] for name in FIGURES}}
        return {
            **{name: self.given[name] for name in ("id", "pointer", "unit", "kind", "owner", "review_on")},
            "spec": self.spec,
            "value": self.value,
            "claimed": self.given["status"],
            "effective": effective,
            "why": [WHY[reason] for reason in why],
            "claim": self.claim,
            "recomputed": figures,
            "verdict": verdict,
            "note": last["id"],
            "noted": last["value"],
            "sample_note": _last([one["sample_note"] for one in kept]),
            "backtest_note": _last([one["backtest_note"] for one in kept]),
            "overdue": overdue,
            "next": NEXT[self._next(why, verdict, overdue=overdue)],
        }

    def _kept(self, told: list[Row]) -> list[Row]:
        """What was noted on this value since the threshold was last EXPERT_PRIOR."""
        kept: list[Row] = []
        for one in told:
            kept = [] if one["to"] == RANKS[0] else [*kept, one]
        return [one for one in kept if self.value is not None and Decimal(one["value"]) == Decimal(self.value)]

    def _worth(self, told: list[Row], kept: list[Row], day: date) -> tuple[str, list[str]]:
        """The status that holds, and what is missing for the claimed one."""
        claimed = str(self.given["status"])
        if claimed == RANKS[0]:
            return claimed, []
        if not told or told[-1]["to"] == RANKS[0]:
            return RANKS[0], ["no_note"]
        if self.value is None or Decimal(self.value) != Decimal(told[-1]["value"]):
            return RANKS[0], ["value_changed"]
        if not _last([one["sample_note"] for one in kept]):
            return RANKS[0], ["no_sample_note"]
        why = [reason for reason, holds in self._against(kept, day).items() if holds]
        return (RANKS[RANKS.index(claimed) - 1] if why else claimed), why

    def _against(self, kept: list[Row], day: date) -> dict[str, bool]:
        """Each thing that may be wrong with a status that has its sample note, and whether it is."""
        highest, note = self.given["status"] == RANKS[2], kept[-1]
        if highest and note["to"] != RANKS[2]:
            return {"no_note": True}
        claim, found = self.claim, self.study or {"n": None, "digest": None, "adjusted_p": None}
        bound = highest or any(note[name] is not None for name in ("sample_n", "evidence"))
        noted = [note["sample_n"], note["mean_return"] and Decimal(note["mean_return"])]
        told = [claim["sample_n"], Decimal(claim["mean_return"])] if claim else [None, None]
        asked, there = self.policy["calibrated"], claim is not None
        made_on = claim["made_on"] if claim else day.isoformat()
        old = date.fromisoformat(made_on) + timedelta(self.policy["evidence_days"]) < day
        largest, reached = Decimal(asked["largest_adjusted_p"]), Decimal(found["adjusted_p"] or 1)
        backtests = [one for one in kept if one["to"] == RANKS[2] and one["backtest_note"]]
        return {
            "no_backtest_note": highest and not backtests,
            "no_claim": highest and not there,
            "other_figures": bound and noted != told and (there or not highest),
            self._verdict(): self._verdict() in ("overclaimed", "unverifiable"),
            "evidence_changed": there and bound and note["evidence"] != found["digest"],
            "expired": there and old,
            "claimed_later": there and (made_on > day.isoformat() or (bound and made_on > note["date"])),
            "too_few": highest and there and found["n"] is not None and found["n"] < asked["least_n"],
            "not_significant": highest and there and reached > largest,
        }

    def _next(self, why: list[str], verdict: str, *, overdue: bool) -> str:
        """The key of the next step; what is wrong comes before what is due, and that before what would be more."""
        claims = {"overclaimed": "correct_claim", "unverifiable": "drop_claim"}
        if "value_changed" in why:
            return "restore_value"
        if verdict in claims:
            return claims[verdict]
        if why:
            return "renew" if set(why) <= RENEWED else "step_down"
        last = self.told[-1] if self.told else None
        if last is None or self.value is None or last["to"] != self.given["status"]:
            return "record"
        if Decimal(last["value"]) != Decimal(self.value):
            return "record"
        events = self.study["n"] if self.study else 0
        onward = {
            RANKS[0]: "study" if events else "wait",
            RANKS[1]: "claim" if self.study else "wait",
            RANKS[2]: "wait",
        }
        if self.claim is not None and events >= self.policy["calibrated"]["least_n"]:
            onward[RANKS[1]] = "backtest"
        return "review" if overdue else onward[self.given["status"]]

    def _verdict(self) -> str:
        if self.claim is None:
            return "none"
        if self.study is None or self.study["n"] == 0 or self.study["mean_return"] is None:
            return "unverifiable"
        claimed, scale = Fraction(self.claim["mean_return"]), 10 ** len(self.claim["mean_return"].partition(".")[2])
        gap = Fraction(round(Fraction(self.study["mean_return"]) * scale), scale) - claimed
        gap = -gap if self.study["direction"] == "down" else gap
        more = self.study["n"] - self.claim["sample_n"]
        return "overclaimed" if min(gap, more) < 0 else "underclaimed" if gap or more else "supported"


def _member(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    return value[int(step)] if isinstance(value, list) and step.isdigit() and int(step) < len(value) else None


def _last(texts: list[str | None]) -> str | None:
    told = [text for text in texts if text]
    return told[-1] if told else None
