"""Every data gap has an owner, a review, an attempt or the reason for none, consumers that exist, a chore that fits.

A gap that is only half described is found again by the next person, who does not know that it was known.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R10.1"]


def check(
    data_gaps_roadmap: dict[str, Any], manual_feeds: dict[str, Any], work_items: list[dict[str, Any]]
) -> Iterator[Judged]:
    """Judges what each gap says of itself, that it has a name of its own, and that what it names is there."""
    gaps, artifacts = data_gaps_roadmap["gaps"], {item["name"] for item in work_items}
    ids = Counter(gap["id"] for gap in gaps)
    fields = Counter(field["name"] for gap in gaps for field in gap["fields"])
    for number, gap in enumerate(gaps):
        place = f"/gaps/{number}"
        yield judged(f"{place}/id", ok=ids[gap["id"]] == 1, says=f"{gap['id']} is the id of two gaps")
        for name in ("title", "why", "owner"):
            yield judged(f"{place}/{name}", ok=bool(gap[name].strip()), says=f"{gap['id']} has no {name}")
        review, last = gap["review"], max((one["date"] for one in gap["reviews"]), default="")
        yield judged(f"{place}/review/action", ok=bool(review["action"].strip()), says=f"{gap['id']} has no action")
        says = f"the next review of {gap['id']} is not after the last one"
        yield judged(f"{place}/review/date", ok=review["date"] > last, says=says, expected=f"after {last}")
        for index, field in enumerate(gap["fields"]):
            says = f"two gaps have the field {field['name']}"
            yield judged(f"{place}/fields/{index}/name", ok=fields[field["name"]] == 1, says=says)
        for index, consumer in enumerate(gap["consumers"]):
            says = f"there is no artifact {consumer['artifact']}"
            yield judged(f"{place}/consumers/{index}/artifact", ok=consumer["artifact"] in artifacts, says=says)
        yield from _attempts(place, gap)
        yield from _chore(f"{place}/manual", gap["manual"], manual_feeds["feeds"])


def _attempts(place: str, gap: dict[str, Any]) -> Iterator[Judged]:
    tried, reason = bool(gap["attempts"]), gap["no_attempt"] is not None
    says = "has an attempt and a reason for none" if tried else "has neither an attempt nor a reason for none"
    yield judged(f"{place}/no_attempt", ok=tried != reason, says=f"{gap['id']} {says}")
    for index, one in enumerate(gap["attempts"]):
        kept, excused = one["transcript"] is not None, one["no_transcript"] is not None
        says = "an attempt has a transcript or says why not, and not both"
        yield judged(f"{place}/attempts/{index}/transcript", ok=kept != excused, says=says)


def _chore(place: str, manual: dict[str, Any], feeds: dict[str, Any]) -> Iterator[Judged]:
    """A feed has a cadence that can be kept: a file is asked for no earlier than its data are published."""
    feed, rhythm = manual["feed"], manual["cadence"]
    fed = feed != "none"
    says = "a feed has a cadence, a tool and a command, and without a feed there is no cadence"
    equipped = all(manual[name] is not None for name in ("cadence", "tool", "command"))
    yield judged(f"{place}/cadence", ok=equipped if fed else rhythm is None, says=says)
    if fed and rhythm is not None:
        lag = feeds[feed]["publication_lag_sessions"]
        says = f"the data of a file for the open come out {lag} sessions after their own, in the evening"
        found = rhythm["data_lag_sessions"]
        yield judged(f"{place}/cadence/data_lag_sessions", ok=found > lag, says=says, expected=lag + 1, actual=found)
        says = "a feed turns amber before it turns red, and has a weekday when it is weekly"
        ok = rhythm["amber_after"] <= rhythm["red_after"] and (rhythm["weekday"] is None) == (rhythm["every"] != "week")
        yield judged(f"{place}/cadence/red_after", ok=ok, says=says)
