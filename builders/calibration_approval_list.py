"""Lists the thresholds that wait for a signature: the PROVISIONAL ones, and those for which a new review is asked."""

from typing import Any

from quantassay.domain.calibration.digest import digest
from quantassay.domain.calibration.registry import CALIBRATED, EXPERT_PRIOR, PROVISIONAL, STATUSES

_ROW = "calibration_backlog:/thresholds/{id}"
ORIGINS = {
    "/head": ["calibration_backlog:/head"],
    "/overclaimed_count": ["calibration_backlog:/overclaimed_count"],
    "/left_out/*": ["calibration_backlog:/thresholds", "calibration:/provisional_review"],
    **{f"/rows/*/{name}": [f"{_ROW}/{name}"] for name in ("value", "review_on")},
    **{f"/rows/*/{name}/*": [f"{_ROW}/{name}"] for name in ("claim", "recomputed")},
    "/rows/*/digest": [_ROW],
}
_SHOWN = (
    *("id", "pointer", "value", "unit", "kind", "owner", "effective", "why", "claim", "recomputed", "verdict", "note"),
    *("sample_note", "backtest_note", "review_on"),
)


def build(calibration_backlog: dict[str, Any], calibration: dict[str, Any]) -> dict[str, Any]:
    """One row a threshold that is to be signed, with the numbers that a signer needs and the digest of the row."""
    reviewed = set(calibration["provisional_review"])
    every = calibration_backlog["thresholds"]
    listed = [row for row in every if row["claimed"] == PROVISIONAL or _is_asked(row, reviewed)]
    kept = {row["id"] for row in listed}
    return {
        "head": calibration_backlog["head"],
        "overclaimed_count": calibration_backlog["overclaimed_count"],
        "left_out": {
            status: sum(row["claimed"] == status and row["id"] not in kept for row in every) for status in STATUSES
        },
        "rows": [_signed(row) for row in listed],
    }


def _is_asked(row: dict[str, Any], reviewed: set[str]) -> bool:
    return row["claimed"] == EXPERT_PRIOR and row["id"] in reviewed


def _signed(row: dict[str, Any]) -> dict[str, Any]:
    asks = CALIBRATED if row["claimed"] == PROVISIONAL else PROVISIONAL
    shown = {"source": row["claimed"], "asks": asks, **{name: row[name] for name in _SHOWN}}
    return {**shown, "digest": digest(shown)}
