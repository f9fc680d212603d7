"""What an event study asks: which signal, on which days, held how long, at which values of one threshold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from quantassay.domain.signals.hsms import Hsms, parameters

IN_FORCE, DECLARED, LOOKED_AT = "in_force", "declared", "looked_at"
# What each parameter may be, for whoever names another value.
MEANING = {
    "average_window": "whole bars, at least one",
    "sell_band": "a part of the mean, above 0 and at most 1, of up to four digits",
    "momentum_window": "whole bars, at least one",
    "volume_window": "whole bars, at least one",
    "volume_multiple": "a multiple of the mean below 100, of up to four digits",
    "foreign_window": "whole bars, at least one",
    "foreign_level": "whole shares",
}
RATIOS, LEVEL = ("sell_band", "volume_multiple"), "foreign_level"
# A study's event is the verdict of the strategy behind this.
PREFIX = "hsms_"


@dataclass(frozen=True, slots=True)
class Trial:
    """A study at one value of its threshold, with its window settled: all that decides which events it has."""

    verdict: str
    strategy: str
    rules: Hsms
    horizon: int
    first: date
    last: date
    until: date


def settled(
    event_studies: Mapping[str, Any],
    hsms: Mapping[str, Any],
    calibration: Mapping[str, Any],
    values_tried: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """The data of the artifact calibration_studies: every study with every value that anybody tried, and its claim.

    A value that stands in several places is one value, however it is written (1.1 and 1.10). Values tried of studies
    that are no more, or that now study another threshold, are kept in `elsewhere`: they were looked at all the same.
    """
    tried = list(values_tried)
    parameter = {study["id"]: parameter_of(study) for study in event_studies["studies"]}
    known = [one for one in tried if one["study"] in parameter and fits(parameter[one["study"]], one["value"])]
    studies = [_study(study, hsms, calibration, known) for study in event_studies["studies"]]
    elsewhere = [{"study": one["study"], "value": one["value"]} for one in tried if one not in known]
    return {
        "bootstrap": dict(event_studies["bootstrap"]),
        "correction": event_studies["correction"],
        "rules": {name: value for name, value in hsms.items() if name != "strategy"},
        "trials_total": sum(len(study["values"]) for study in studies) + len(elsewhere),
        "elsewhere": elsewhere,
        "studies": studies,
    }


def _study(
    study: Mapping[str, Any],
    hsms: Mapping[str, Any],
    calibration: Mapping[str, Any],
    tried: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    claims = [row["claim"]["made_on"] for row in calibration["thresholds"] if _claims(row, study["id"])]
    given = [
        (IN_FORCE, hsms[parameter_of(study)]),
        *((DECLARED, value) for value in study["tried"]),
        *((LOOKED_AT, one["value"]) for one in tried if one["study"] == study["id"]),
    ]
    values: dict[Fraction, dict[str, Any]] = {}
    for source, value in given:
        values.setdefault(Fraction(value), {"value": value, "source": source})
    kept = ("id", "threshold", "event", "strategy", "direction", "horizon_sessions", "from", "to")
    return {
        **{name: study[name] for name in kept},
        "made_on": min(claims, default=None),
        "values": [values[number] for number in sorted(values)],
    }


def _claims(threshold: Mapping[str, Any], study: str) -> bool:
    return threshold.get("study") == study and threshold.get("claim") is not None


def parameter_of(study: Mapping[str, Any]) -> str:
    """The parameter of the strategy that a study is about: `hsms.sell_band` is about sell_band."""
    return str(study["threshold"]).rpartition(".")[2]


def fits(parameter: str, value: str | int) -> bool:
    """Whether the value can stand for the parameter: ratios are texts, windows count at least one bar."""
    if parameter in RATIOS:
        return isinstance(value, str)
    return isinstance(value, int) and (parameter == LEVEL or value > 0)


def windows(study: Mapping[str, Any], first: str, last: str) -> dict[str, str]:
    """`from`, `to` and `until` of a study as dates; they are ISO texts, which sort as the days do.

    Args:
        study: of the artifact calibration_studies
        first: the first day of the calendar, before which no session is known
        last: the last complete session, after which there is nothing to know
    """
    until = min(study["made_on"] or last, last)
    return {"from": max(study["from"] or first, first), "to": min(study["to"] or until, until), "until": until}


def trials(studies: Mapping[str, Any], first: str, last: str) -> Iterator[tuple[Mapping[str, Any], list[Trial]]]:
    """Each study of the artifact calibration_studies with its trials, in the order of its values."""
    rules = parameters(studies["rules"])
    for study in studies["studies"]:
        window = {name: date.fromisoformat(day) for name, day in windows(study, first, last).items()}
        basis = Trial(
            verdict=study["event"].removeprefix(PREFIX),
            strategy=study["strategy"],
            rules=rules,
            horizon=study["horizon_sessions"],
            first=window["from"],
            last=window["to"],
            until=window["until"],
        )
        yield study, [replace(basis, rules=at(rules, parameter_of(study), one["value"])) for one in study["values"]]


def at(rules: Hsms, parameter: str, value: str | int) -> Hsms:
    """The rules with one parameter at another value."""
    given: Any = value if isinstance(value, int) else Fraction(value)
    return replace(rules, **{parameter: given})


def in_force(study: Mapping[str, Any]) -> int:
    """The place of the value in force among the values of a study of the artifact calibration_studies."""
    sources: Sequence[str] = [one["source"] for one in study["values"]]
    return sources.index(IN_FORCE)
