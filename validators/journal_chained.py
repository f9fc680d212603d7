"""The journal is one unbroken chain: every line has its number, and its digest follows from it and the line before.

What was done about orders is evidence only as long as nobody could have written it afterwards.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R16.1"]


def check(trading_journal: dict[str, Any]) -> Iterator[Judged]:
    """Judges each line, the head, and whatever was found wrong where the journal lies."""
    previous, number = "", 0
    for number, line in enumerate(trading_journal["events"], start=1):
        place = f"/events/{line['seq']}"
        says = "a line before it is missing, or two have one number"
        yield judged(f"{place}/seq", ok=line["seq"] == number, says=says, expected=number, actual=line["seq"])
        digest = _digest(line, previous)
        says = "the line is not what its digest says, or the line before it is another one"
        yield judged(f"{place}/digest", ok=line["digest"] == digest, says=says, expected=digest, actual=line["digest"])
        previous = line["digest"]
    head = {"seq": number, "digest": previous or None}
    says = "the head is not that of the last line"
    yield judged("/head", ok=trading_journal["head"] == head, says=says, expected=head, actual=trading_journal["head"])
    for index, problem in enumerate(trading_journal["problems"]):
        yield judged(f"/problems/{index}", ok=False, says=problem)


def _digest(line: dict[str, Any], previous: str) -> str:
    told = {name: line[name] for name in ("seq", "at", "kind", "account", "order", "body")} | {"previous": previous}
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
