"""Says which event studies are run, at every value of a threshold that anybody has tried, and up to which claim."""

from typing import Any

from quantassay.domain.calibration import studies

ORIGINS = {
    "/bootstrap/**": ["event_studies:/bootstrap"],
    "/rules/**": ["hsms:"],
    "/trials_total": ["event_studies:/studies", "values_tried:"],
    "/elsewhere/**": ["values_tried:"],
    "/studies/*/horizon_sessions": ["event_studies:/studies"],
    "/studies/*/from": ["event_studies:/studies"],
    "/studies/*/to": ["event_studies:/studies"],
    "/studies/*/made_on": ["calibration:/thresholds"],
    "/studies/*/values/*/value": ["hsms:", "event_studies:/studies", "values_tried:"],
}


def build(
    event_studies: dict[str, Any],
    hsms: dict[str, Any],
    calibration: dict[str, Any],
    values_tried: list[dict[str, Any]],
) -> dict[str, Any]:
    """One row a study: its window, the day of the claim that rests on it, and its values in ascending order."""
    return studies.settled(event_studies, hsms, calibration, values_tried)
