"""Every bar of the store comes from a source that governance allows, and a fetched one from one recorded answer.

A refused source would live on in the bars that it once brought, and nobody can check a bar without its answer.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import polars as pl

from quantassay.findings import Judged, judged

RULES = ["R07.4", "R07.5", "R07.6"]
# Sources that stand in no answer: the simulated market, and files that a person imported.
SIMULATED, IMPORTED = "sample", "imported"
Seen = tuple[str, list[date], list[datetime | None]]
"""A source, and the different sessions and hours of its bars."""


def check(
    bars: pl.DataFrame,
    adjusted_bars: pl.DataFrame,
    import_log: dict[str, Any] | None,
    data_sources: dict[str, list[dict[str, Any]]],
    bar_feeds: dict[str, dict[str, Any]],
) -> Iterator[Judged]:
    """Judges each source of the bars by the governed list, each fetched one by its answer, each order by both lists."""
    listed = {one["id"]: one["status"] for one in data_sources["data_sources"]}
    described = bar_feeds["sources"]
    for market, rules in bar_feeds["markets"].items():
        for index, name in enumerate(rules["order"]):
            wrong = _undescribed(name, described, listed)
            pointer = f"/markets/{market}/order/{index}"
            yield judged(pointer, ok=not wrong, says=wrong, artifact="bar_feeds", rule="R07.6")
    files = import_log["files"] if import_log else []
    answers = {entry["file"]: entry for entry in files if entry["loaded"] and "fetch" in entry}
    both = [("bars", "raw", one) for one in _sources(bars)]
    both += [("adjusted_bars", "adjusted", one) for one in _sources(adjusted_bars)]
    for series, prices, (source, sessions, taken) in both:
        name = _name(source)
        governed = described[name]["governed_as"] if name in described else name
        status = listed.get(governed, "not on the list")
        says = f"bars come from {source}, and the data source {governed} is {status}"
        place = f"/{series}/{source.replace('~', '~0').replace('/', '~1')}"
        yield judged(place, ok=status == "allowed", says=says, artifact=series, rule="R07.4")
        fetched = name not in (SIMULATED, IMPORTED)
        wrong = _unproven((source, sessions, taken), name, prices, answers.get(source)) if fetched else ""
        yield judged(place, ok=not wrong, says=wrong, artifact=series, rule="R07.5")


def _undescribed(name: str, described: Mapping[str, Any], listed: Mapping[str, str]) -> str:
    if name not in described:
        return f"the order names {name}, and no such source is described"
    governed = described[name]["governed_as"]
    return "" if governed in listed else f"the order names {name}, and governance has not judged {governed}"


def _sources(bars: pl.DataFrame) -> Iterator[Seen]:
    """Each source with the different sessions and hours of its bars, in order."""
    grouped = bars.group_by("source").agg(pl.col("session").unique(), pl.col("taken_at").unique())
    yield from grouped.sort("source").iter_rows()


def _name(source: str) -> str:
    """The source's name: what stands before the file of an answer; else that of imported or of simulated ones."""
    name, slash, _ = source.partition("/")
    if slash:
        return name
    return SIMULATED if source.startswith(f"{SIMULATED}:") else IMPORTED


def _unproven(seen: Seen, name: str, prices: str, entry: Mapping[str, Any] | None) -> str:
    """What is not as the answer says, empty where all is."""
    source, sessions, taken = seen
    if entry is None:
        return f"bars come from {source}, and the import log knows no such answer"
    answer = entry["fetch"]
    if answer["source"] != name:
        return f"{source} stands in the log as an answer of {answer['source']}"
    if not entry["digest"].startswith("sha256:") or not answer["request"]:
        return f"{source} stands in the log without its digest or its question"
    if answer["prices"] != prices:
        return f"{source} has {answer['prices']} prices, and its bars stand among the {prices} ones"
    if [day.isoformat() for day in sessions] != [answer["session"]]:
        return f"{source} has bars of other days than {answer['session']}, for which it was asked"
    if taken != [datetime.fromisoformat(answer["taken_at"])]:
        return f"{source} has bars that were not taken at {answer['taken_at']}, when it was asked"
    return ""
