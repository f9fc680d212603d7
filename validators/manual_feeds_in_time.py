"""Every file that is fetched by hand comes by its due date, and consumers of one that is far too late are red.

Old data look exactly like new ones; only the calendar tells them apart.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R10.4", "R10.5"]


def check(data_gaps_roadmap: dict[str, Any]) -> Iterator[Judged]:
    """Judges each feed by hand, and each consumer of a gap that has one."""
    for number, gap in enumerate(data_gaps_roadmap["gaps"]):
        feed, review = gap["feed"], gap["review"]
        if feed["state"] == "none":
            continue
        dates = f"{feed['missed']} due date{'' if feed['missed'] == 1 else 's'}"
        late = f"{dates} since {feed['newest_session']} went by without a newer file"
        says = f"{gap['id']} {gap['title']}: {late}; run `{gap['manual']['command']}`"
        in_time = feed["state"] in ("never", "fresh")
        yield judged(f"/gaps/{number}/feed/state", ok=in_time, says=says, actual=feed["state"], rule="R10.4")
        for index, consumer in enumerate(gap["consumers"]):
            why = late if feed["state"] == "red" else f"its review is overdue for {review['overdue_days']} days"
            says = f"{consumer['artifact']} may not live on {gap['id']} {gap['title']}: {why}"
            ok = consumer["standing"] != "red"
            place = f"/gaps/{number}/consumers/{index}/standing"
            yield judged(place, ok=ok, says=says, actual=consumer["standing"], rule="R10.5")
