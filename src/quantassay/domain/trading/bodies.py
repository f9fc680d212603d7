"""What each kind of the journal's events must say: which members its body has, and of what kind each is.

A body may say more than it must. Nothing in it is a float, a date or an object: what stands on the disk is JSON that
every reader reads alike.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

# What RFC 8785 calls a number that every reader has exactly.
LARGEST = 2**53 - 1
DEEPEST = 60


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _said(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count(value: Any) -> bool:
    return _number(value) and bool(value >= 0)


def _positive(value: Any) -> bool:
    return _number(value) and bool(value > 0)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _side(value: Any) -> bool:
    return isinstance(value, str) and value in ("buy", "sell")


def _level(value: Any) -> bool:
    return isinstance(value, str) and value in ("all", "buys")


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _counts(value: Any) -> bool:
    return isinstance(value, dict) and all(_number(one) for one in value.values())


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(_text(one) for one in value.values())


def _positions(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and _said(one.get("ticker")) and _count(one.get("quantity")) for one in value
    )


def _instant(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _day(value: Any) -> bool:
    try:
        return bool(date.fromisoformat(value).isoformat() == value)
    except (TypeError, ValueError):
        return False


_PLACED: Mapping[str, Callable[[Any], bool]] = {"number": _said, "branch": _text, "day": _day}
_FILLED: Mapping[str, Callable[[Any], bool]] = {"filled": _count, "amount": _count, "estimated": _flag}
_BY: Mapping[str, Callable[[Any], bool]] = {"by": _said, "why": _said}
MEMBERS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "intent": {
        "plan": _said,
        "line": _count,
        "attempt": _positive,
        "ticker": _said,
        "side": _side,
        "quantity": _positive,
        "limit_price": _positive,
        "reference_price": _count,
        "before": _counts,
        "certificate": _texts,
    },
    "sent": {"deadline": _instant},
    "not_sent": {"why": _text},
    "withdrawn": {"why": _text},
    "ack": _PLACED,
    "unknown": {"why": _text},
    "found": _PLACED,
    "fill": _FILLED,
    "cancel_sent": {},
    "cancel_answer": {"taken": _flag},
    "cancelled": _FILLED,
    "rejected": {"why": _text},
    "not_placed": _BY,
    "lease": {"owner": _said, "fence": _positive},
    "halt": {**_BY, "level": _level},
    "resume": _BY,
    "armed": _BY,
    "disarmed": _BY,
    "run_started": {"plan": _said, "plan_id": _text, "session": _day, "data": _mapping, "continued": _flag},
    "run_done": {"plan": _said, "outcome": _said},
    "book": {"at": _instant, "cash": _number, "positions": _positions, "certificate": _texts},
    "break": {"ticker": _said, "ours": _number, "theirs": _number, "why": _text},
    "break_cleared": {"ticker": _said, "by": _said, "why": _text},
    "external": {
        "ticker": _said,
        "side": _side,
        "quantity": _count,
        "amount": _count,
        "number": _text,
        "day": _day,
    },
    "clearing": {"by": _said},
}


def fault(kind: str, body: Any) -> str:
    """What is wrong with the body of an event of this kind, empty where nothing is."""
    members = MEMBERS.get(kind)
    if members is None:
        return f"is of a kind that the journal does not know, {kind!r}"
    if not isinstance(body, dict):
        return "has no body"
    if told := _odd(body, "", 0):
        return told
    for name, is_right in members.items():
        if name not in body:
            return f"does not say its {name}"
        if not is_right(body[name]):
            return f"says {name} {str(body[name])[:60]!r}, which is none"
    return ""


def _odd(value: Any, place: str, depth: int) -> str:
    """Where something stands in the value that is not JSON as every reader has it."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "" if abs(value) <= LARGEST else f"has a number that is too large at {place}"
    if isinstance(value, str):
        return "" if _is_unicode(value) else f"has a text that is no Unicode at {place}"
    if depth > DEEPEST:
        return "is nested too deeply"
    if isinstance(value, list):
        return next((told for i, one in enumerate(value) if (told := _odd(one, f"{place}/{i}", depth + 1))), "")
    if not isinstance(value, dict):
        return f"has a {type(value).__name__} at {place}, which is no JSON of the journal"
    for name, one in value.items():
        if not isinstance(name, str) or not name.isascii():
            return f"has a name that is no plain text at {place}"
        if told := _odd(one, f"{place}/{name}", depth + 1):
            return told
    return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
