"""What was imported by hand, as builds and gates are handed it: the facts, the log, the latest list of companies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy
from quantassay.store import manual_index

FEEDS = ("short_balance", "etf_nav", "listing")
# What the log tells of an import; the rest of it is for the next import.
_TOLD = ("file", "digest", "layout", "imported_at", "first", "last", "rows", "facts")
_HERE, _EXPLAIN = "quantassay.jobs.imported_by_hand", "quantassay.jobs.manual_explain"


def handed(inputs: Inputs) -> Iterator[Handed]:
    """`manual_facts`, `manual_log` and `listing_import`, loaded when they are asked for. Raises ManualDamaged.

    A person imported them, so they are real whatever bars the desk stands on, and carry no mark of their own.
    """
    data = inputs.workspace.data
    loads = {
        "manual_facts": (Lazy("quantassay.store.manual_facts:read", (data,)), "fact"),
        "manual_log": (Lazy(f"{_HERE}:manual_log", (data,)), "log_line"),
        "listing_import": (Lazy(f"{_HERE}:listing_import", (data,)), "listing_line"),
    }
    for name, (load, explain) in loads.items():
        yield Handed(
            name,
            content(data, name),
            load,
            explain=Lazy(f"{_EXPLAIN}:{explain}", (data,)),
            recheck=Lazy(f"{_HERE}:content", (data, name)),
        )


def content(data: Path, name: str) -> str:
    """The digest of one of the handed values, by the index as it is now. Raises ManualDamaged."""
    index = manual_index.read_index(data)
    latest = index.latest_list
    digests = {
        "manual_facts": index.content,
        "manual_log": index.log_sha256,
        "listing_import": latest.sha256 if latest else "",
    }
    return digests[name] or "none"


def manual_log(data: Path) -> dict[str, Any]:
    """{"feeds": {feed: [one entry an import, in order]}}, a list for every feed. Raises ManualDamaged."""
    log = manual_index.read_log(data, manual_index.read_index(data))
    return {"feeds": {feed: [{key: one[key] for key in _TOLD} for one in log.get(feed, [])] for feed in FEEDS}}


def listing_import(data: Path) -> dict[str, Any] | None:
    """The list of the latest day, {"as_of", "file", "digest", "names"}; None where none was imported.

    Raises ManualDamaged.
    """
    stored = manual_index.read_index(data).latest_list
    return None if stored is None else manual_index.read_list(data, stored)


def ages(data: Path) -> Iterator[tuple[str, str]]:
    """Each feed that was imported, and how far it reaches, in words. Raises ManualDamaged."""
    for feed, entries in manual_log(data)["feeds"].items():
        if entries:
            last = max((one["last"] for one in entries if one["last"]), default="no day")
            yield f"manual {feed}", f"up to {last}, last imported {entries[-1]['imported_at']} ({entries[-1]['file']})"
