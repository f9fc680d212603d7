"""Puts together what a reviewer signs: the account as it was last seen, and the settings that the desk trades by."""

from collections.abc import Mapping
from typing import Any

from quantassay.domain.calibration.digest import digest
from quantassay.domain.settings import lines, settings

_HELD = "account_snapshot:/holdings/{ticker}"
ORIGINS = {
    "/account/as_of": ["account_snapshot:/as_of"],
    "/account/cash": ["account_snapshot:/cash"],
    "/account/holdings/*/quantity": [f"{_HELD}/quantity"],
    "/account/holdings/*/average_price": [f"{_HELD}/average_price"],
    "/account_digest": ["account_snapshot:"],
    "/settings/*/lines/*/value": ["spec_values:/{place}"],
    "/settings/*/digest": ["spec_values:/{spec}"],
    "/settings_digest": ["spec_values:", "calibration:/plans"],
}


def build(account_snapshot: dict[str, Any], spec_values: dict[str, Any], calibration: dict[str, Any]) -> dict[str, Any]:
    """The packet; it names no moment of its own, so a signature on it holds until something signed is changed."""
    chosen = settings(spec_values, calibration)
    return {
        "account": account_snapshot,
        "account_digest": digest(account_snapshot),
        "settings": [_part(name, value) for name, value in chosen.items()],
        "settings_digest": digest(chosen),
    }


def _part(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "spec": name,
        "digest": digest(value),
        "lines": [
            {"place": f"{name}:{line.pointer}", "setting": line.name, "value": line.value} for line in lines(value)
        ],
    }
