"""The packet for signature holds the account and every setting as they are, value by value, with their digests.

Who signs a page that shows other values than the desk uses has approved nothing.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R11.5"]
SAYS = "is not what the account and the specs hold"
WORDS = {"null": "(none)", "true": "yes", "false": "no", "[]": "(empty)", "{}": "(empty)"}


def check(
    snapshot_admin_approval_packet: dict[str, Any],
    account_snapshot: dict[str, Any],
    spec_values: dict[str, Any],
    calibration: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each value of the packet."""
    chosen = {"desk": spec_values["desk"]}
    for plan in calibration["plans"]:
        chosen |= {name: spec_values[name] for name in plan["specs"] if name in spec_values}
    expected = {
        "account": account_snapshot,
        "account_digest": _digest(account_snapshot),
        "settings": [
            {"spec": name, "digest": _digest(value), "lines": _lines(name, value)} for name, value in chosen.items()
        ],
        "settings_digest": _digest(chosen),
    }
    yield from agree(snapshot_admin_approval_packet, expected, SAYS)


def _lines(spec: str, value: Any) -> list[dict[str, str]]:
    found = []
    left: list[tuple[list[str], Any]] = [([], value)]
    while left:
        steps, inner = left.pop()
        members = sorted(inner.items()) if isinstance(inner, dict) else []
        members = list(enumerate(inner)) if isinstance(inner, list) else members
        if members:
            left += reversed([([*steps, str(step)], member) for step, member in members])
            continue
        text = inner if isinstance(inner, str) else WORDS.get(json.dumps(inner), str(inner))
        escaped = [step.replace("~", "~0").replace("/", "~1") for step in steps]
        place = "/".join([f"{spec}:", *escaped]) if steps else f"{spec}:"
        found.append({"place": place, "setting": ".".join(steps), "value": text})
    return found


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode() + b"\n").hexdigest()
