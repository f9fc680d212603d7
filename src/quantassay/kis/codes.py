"""What an answer of KIS means: whether it was processed, may be asked again, or may never be sent again.

The HTTP status tells little: a refusal of the business comes with 200, and a rate that was exceeded with 500. So the
code in the body decides wherever it is known, whatever the status; and what is not known is taken for the worse.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

_OK_STATUS = 200
_NO_REASON = "no reason was given"

_THROTTLED = frozenset({"EGW00201", "EGW00215"})
_TOKEN = frozenset({"EGW00121", "EGW00122", "EGW00123"})
TOO_SOON = "EGW00133"
# Nothing was processed, and nothing but another key, right or field will change that.
_PERMANENT = frozenset(
    {
        *("EGW00003", "EGW00004", "EGW00101", "EGW00102", "EGW00103", "EGW00104", "EGW00105", "EGW00115", "EGW00116"),
        *("EGW00131", "EGW00132", "EGW00205", "EGW00206", "EGW00207", "EGW00208", "EGW00209", "EGW00210"),
        *("EGW02004", "EGW2004", "EGW02007", "OPSQ0002", "OPSQ2000", "OPSQ2001"),
    }
)
_NOT_OFFERED = frozenset({"EGW02006", "EGW00213", "90000000"})
# The gateway lost track: its own text says to look at the transaction before.
_AMBIGUOUS = frozenset(
    {"EGW00001", "EGW00002", "EGW00202", "EGW00203", "EGW00300", "EGW00301", "EGW00302", "EGW00303", "EGW00304"}
)


class Meaning(StrEnum):
    """What may follow from an answer."""

    DONE = "done"
    THROTTLED = "throttled"
    TOKEN = "token"  # noqa: S105  a kind of answer
    REFUSED = "refused"
    NOT_OFFERED = "not offered"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means, with KIS's code and words, and its body where it is one (keys in lower case)."""

    means: Meaning
    code: str
    why: str
    body: Mapping[str, Any]


def judged(status: int, data: bytes) -> Verdict:
    """The verdict on an answer by its status and its bytes."""
    body = _parsed(data)
    if body is None:
        return Verdict(Meaning.UNCLEAR, "", f"HTTP {status} came with no JSON object in it", {})
    code, why = _text(body, "msg_cd", "error_code"), _text(body, "msg1", "error_description")
    said = why or (f"{_NO_REASON}, HTTP {status}")
    return Verdict(_meaning(status, str(body.get("rt_cd", "")).strip(), code), code, said, body)


def _meaning(status: int, result: str, code: str) -> Meaning:
    for codes, means in _BY_CODE:
        if code in codes:
            return means
    if status != _OK_STATUS or not result:
        return Meaning.UNCLEAR
    return Meaning.DONE if result == "0" else Meaning.REFUSED


_BY_CODE = (
    (_THROTTLED, Meaning.THROTTLED),
    (_TOKEN, Meaning.TOKEN),
    (_AMBIGUOUS, Meaning.UNCLEAR),
    (_PERMANENT, Meaning.REFUSED),
    (_NOT_OFFERED, Meaning.NOT_OFFERED),
)


def _parsed(data: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(data, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return lowered(body) if isinstance(body, dict) else None


def _no_number(name: str) -> Any:
    raise ValueError(name)


def lowered(value: Any) -> Any:
    """The same with all keys in lower case: KIS writes those of an acknowledgement, and of some fields, in capitals."""
    if isinstance(value, dict):
        return {str(key).lower(): lowered(member) for key, member in value.items()}
    return [lowered(member) for member in value] if isinstance(value, list) else value


def _text(body: Mapping[str, Any], *names: str) -> str:
    found = next((body[name] for name in names if isinstance(body.get(name), str)), "")
    return " ".join(found.split())
