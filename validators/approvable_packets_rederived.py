"""Every packet's digest, and every place where it differs from what was approved, is found a second time.

What changed since a signature is what the next signer looks at; a change left out there is a change nobody saw.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import rfc8785

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R09.1"]
SAYS = "is not what the packets, and what was kept of them, give"
KEYS = (["ticker", "side"], ["ticker"], ["id"], ["threshold"], ["name"], ["spec"], ["place"], ["session"], ["date"])
LISTED, LONGEST = 100, 120
NOTHING = object()


def check(
    approvable_packets: dict[str, Any],
    approved_packets: dict[str, Any],
    next_open_plan: dict[str, Any],
    calibration_approval_list: dict[str, Any],
    snapshot_admin_approval_packet: dict[str, Any],
) -> Iterator[Judged]:
    """Judges every field."""
    now = {
        "next_open_plan": next_open_plan,
        "calibration_approval_list": calibration_approval_list,
        "snapshot_admin_approval_packet": snapshot_admin_approval_packet,
    }
    copies = []
    for approval in sorted(approved_packets):
        kept = approved_packets[approval]
        found: list[tuple[str, Any, Any]] = []
        if kept["content"] is not None and kept["name"] in now:
            found = _differences(kept["content"], now[kept["name"]])
        copies.append(
            {
                "approval": approval,
                "content": None if kept["content"] is None else _digest(kept["content"]),
                "signature": kept["signature"],
                "changed": len(found),
                "changes": [
                    {"place": place, "before": _text(old), "after": _text(new)} for place, old, new in found[:LISTED]
                ],
            }
        )
    expected = {
        "environment": next_open_plan["account"]["environment"],
        "packets": [{"name": name, "content": _digest(now[name])} for name in now],
        "copies": copies,
    }
    yield from agree(approvable_packets, expected, SAYS)


def _digest(value: Any) -> str:
    return "sha256:" + hashlib.sha256(rfc8785.dumps(value) + b"\n").hexdigest()


def _differences(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """(place, before, after) of what differs, worked through pair by pair from a heap of pairs."""
    heap = [("", before, after)]
    found: list[tuple[str, Any, Any]] = []
    while heap:
        place, old, new = heap.pop()
        if isinstance(old, list) and isinstance(new, list):
            names_old, names_new = _names(old, new)
            in_both = set(names_old) & set(names_new)
            sequences = [[name for name in names if name in in_both] for names in (names_old, names_new)]
            if sequences[0] != sequences[1]:
                found.append((place, sequences[0], sequences[1]))
            old, new = dict(zip(names_old, old, strict=True)), dict(zip(names_new, new, strict=True))
        if isinstance(old, dict) and isinstance(new, dict):
            heap += [(f"{place}/{name}", old.get(name, NOTHING), new.get(name, NOTHING)) for name in {**old, **new}]
        elif old != new or isinstance(old, bool) != isinstance(new, bool):
            found.append((place, old, new))
    return sorted(found, key=lambda one: (one[0], _text(one[1]) or "", _text(one[2]) or ""))


def _names(old: list[Any], new: list[Any]) -> tuple[list[str], list[str]]:
    """What the rows of two lists are called: by a key that tells them apart, by a text itself, or by position."""
    for key in KEYS:
        called = []
        for rows in (old, new):
            names = [
                row if isinstance(row, str) else " ".join(row[part] for part in key) if _has(row, key) else None
                for row in rows
            ]
            called.append([name for name in names if name is not None])
        if all(len(set(names)) == len(rows) for names, rows in zip(called, (old, new), strict=True)):
            return called[0], called[1]
    return [str(i) for i in range(len(old))], [str(i) for i in range(len(new))]


def _has(row: Any, key: list[str]) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(part), str) for part in key)


def _text(value: Any) -> str | None:
    if value is NOTHING:
        return None
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
