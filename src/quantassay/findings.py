"""What a gate saw: each thing judged, and the findings made of those that were not in order."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that a gate looked at.

    `pointer` is a JSON pointer into the artifact's data; `says` tells what is wrong when `ok` is False.
    `artifact` and `rule` are None where the gate's own first artifact and first rule are meant.
    """

    pointer: str
    ok: bool
    says: str
    expected: str | None = None
    actual: str | None = None
    artifact: str | None = None
    rule: str | None = None


def judged(  # noqa: PLR0913 - a pointer, and keywords that may be left out
    pointer: str,
    *,
    ok: bool,
    says: str,
    expected: object = None,
    actual: object = None,
    artifact: str | None = None,
    rule: str | None = None,
) -> Judged:
    """One judgement; `expected` and `actual` may be any value and are kept as text."""
    return Judged(pointer, ok, says, _text(expected), _text(actual), artifact, rule)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule, as reports, CI and waivers see it."""

    rule: str
    gate: str
    severity: str
    artifact: str
    pointer: str
    says: str
    expected: str | None = None
    actual: str | None = None

    @property
    def fingerprint(self) -> str:
        """16 hex digits that stay the same for the same breach at the same place."""
        identity = f"{self.rule}|{self.gate}|{self.artifact}|{self.pointer}"
        return hashlib.sha256(identity.encode()).hexdigest()[:16]
