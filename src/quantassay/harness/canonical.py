"""The one writer of canonical JSON: RFC 8785 and one final newline."""

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from quantassay.errors import AssayError
from quantassay.harness import pointers
from quantassay.harness.files import sha256, write
from quantassay.harness.lazy import Lazy

__all__ = ["NotCanonical", "UnreadableJson", "digest", "dumps", "loads", "read", "sha256", "write"]

LARGEST_INTEGER = 2**53 - 1
# RFC 8785 writes a smaller float without a fraction as an integer.
FIRST_WITH_EXPONENT = 1e21
DEEPEST = 100
# orjson.OPT_SORT_KEYS and orjson.OPT_APPEND_NEWLINE: the library is loaded only where something is written.
SORTED_WITH_NEWLINE = 32 | 1024


class NotCanonical(AssayError):
    """A value that has no single canonical text."""

    def __init__(self, pointer: str, why: str) -> None:
        super().__init__(f"{pointer or '/'} {why}; round it, or write it as text")


class UnreadableJson(AssayError):
    """A file that should hold canonical JSON and does not."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be read as JSON: {why}; correct it, or make it anew with `assay build`")


class NoJson(ValueError):
    """Bytes that are no JSON that every reader agrees on."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} {why}")


class _Refused(Exception):
    """What is wrong with a value, and the steps to it, innermost first."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.steps: list[object] = []


def dumps(value: Any) -> bytes:
    """The canonical bytes of a JSON value.

    Raises NotCanonical for NaN, infinities, -0.0, integers beyond 2^53 - 1, text that is no Unicode, more than DEEPEST
    levels, and anything that is not JSON.
    """
    if _checked(value):
        fast: bytes = Lazy("orjson:dumps")(value, None, SORTED_WITH_NEWLINE)
        return fast
    slow: bytes = Lazy("rfc8785:dumps")(value)
    return slow + b"\n"


def _checked(value: Any) -> bool:
    """Whether the value is plain, see below. Raises NotCanonical."""
    try:
        return _plain(value, 0)
    except _Refused as refused:
        raise NotCanonical(pointers.join(*reversed(refused.steps)), str(refused)) from None


def _plain(value: Any, depth: int) -> bool:
    """Check the value; True where any sorted JSON is RFC 8785's (no float, keys within the BMP)."""
    why, plain = None, True
    if isinstance(value, str):
        why = _fault(value)
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            why = f"is an integer beyond 2^53 - 1, of {value.bit_length()} bits"
    elif isinstance(value, float):
        why, plain = _fault_of_float(value), False
    elif not isinstance(value, list | dict):
        why = f"is a {type(value).__name__}, not a JSON value"
    elif depth == DEEPEST:
        why = f"is nested deeper than {DEEPEST} levels, or holds itself"
    else:
        plain = _plain_members(value, depth + 1)
    if why is not None:
        raise _Refused(why)
    return plain


def _plain_members(value: list[Any] | dict[Any, Any], depth: int) -> bool:
    keyed = isinstance(value, dict)
    plain = True
    for step, member in value.items() if isinstance(value, dict) else enumerate(value):
        try:
            if keyed and not _plain_key(step):
                plain = False
            if not _plain(member, depth):
                plain = False
        except _Refused as refused:
            refused.steps.append(step)
            raise
    return plain


def _plain_key(key: object) -> bool:
    why = _fault(key) if isinstance(key, str) else "has a key that is not text"
    if why is not None:
        raise _Refused(why)
    text = str(key)
    return text.isascii() or max(text) < "\ud800"


def _fault_of_float(value: float) -> str | None:
    if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
        return f"is {value}"
    if LARGEST_INTEGER < abs(value) < FIRST_WITH_EXPONENT:
        return f"is {value}, which is written as an integer beyond 2^53 - 1"
    return None


def _fault(text: str) -> str | None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return f"holds {text[:40]!a}, which is no Unicode text (half of a surrogate pair)"
    return None


def digest(value: Any) -> str:
    """The digest of a value's canonical bytes: the same for every layout of the same content. Raises NotCanonical."""
    if not _checked(value):
        return sha256(dumps(value))
    # What a run asks for that has nothing to do: small values, not worth the loading of a library.
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode() + b"\n")


def read(path: Path) -> Any:
    """The value in a JSON file; a duplicate key is an error. Raises UnreadableJson."""
    try:
        return loads(path.read_bytes())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise UnreadableJson(path, why or str(error)) from error


def loads(data: bytes) -> Any:
    """The JSON value in these bytes. Raises ValueError, also for a duplicate key, NaN, and too deep a nesting."""
    try:
        return json.loads(data, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise NoJson("it", "is nested too deep") from error


def _refuse_constant(name: str) -> NoReturn:
    raise NoJson(name, "is no JSON number")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NoJson(f"{twice!r}", "stands twice as a key")
    return members
