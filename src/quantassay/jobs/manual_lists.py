"""What new lists of listed companies change in the store: the list of the latest day counts, all are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quantassay.feeds.issues import Issue
from quantassay.feeds.manual_read import ListingRead
from quantassay.jobs.manual_batch import Batch, Outcome, Taken, corrected_since, counted
from quantassay.store import manual_index
from quantassay.store.manual_index import ManualIndex, StoredList

_EXAMPLES = 3
_COMPARED = ("name", "market", "listed_on", "sector")


def take(data: Path, batch: Batch, reads: Sequence[ListingRead]) -> Taken:
    """What these lists make of the store's state, in their order. Raises ManualDamaged."""
    index = manual_index.read_index(data)
    log = manual_index.read_log(data, index)
    manual_index.check(data, index)
    entries = [dict(one) for one in log.get(batch.feed, [])]
    parts: dict[str, bytes] = {}
    outcomes, issues = [], []
    for read in reads:
        before = batch.earlier(entries, read) if read.loaded else None
        if not read.loaded or before is not None:
            issues += corrected_since(entries, read) if before else []
            outcomes.append(counted(read, loaded=read.loaded, before=before["imported_at"] if before else ""))
            continue
        known = _of_day(data, index, parts, read)
        issues += _dated_otherwise(index, read)
        index, name, content = _with(index, read)
        parts[name] = content
        outcome, notes, corrects = _compared(read, known)
        outcomes.append(outcome)
        issues += notes
        entries.append(batch.entry(read, outcome, corrects))
    if len(entries) == len(log.get(batch.feed, [])):
        return Taken(tuple(outcomes), None, {}, tuple(issues))
    data_log = manual_index.encode({**log, batch.feed: entries})
    name, digest = manual_index.part("log", data_log)
    named = {one.file for one in index.lists}
    kept = {file: content for file, content in parts.items() if file in named}
    return Taken(tuple(outcomes), replace(index, log=name, log_sha256=digest), {**kept, name: data_log}, tuple(issues))


def listed(read: ListingRead) -> dict[str, Any]:
    """The list as it is stored and handed in."""
    names = [
        {
            "ticker": one.ticker,
            "name": one.name,
            "market": one.market,
            "listed_on": one.listed_on and one.listed_on.isoformat(),
            "sector": one.sector,
            "row": one.row,
        }
        for one in read.names
    ]
    return {"as_of": str(read.as_of), "file": read.file, "digest": read.digest, "names": names}


def _with(index: ManualIndex, read: ListingRead) -> tuple[ManualIndex, str, bytes]:
    """The index with this list, which is the only one of its file: one file is the list of one day."""
    content = manual_index.encode(listed(read))
    name, digest = manual_index.part(f"list-{read.as_of}", content)
    others = tuple(one for one in index.lists if one.digest != read.digest)
    stored = StoredList(str(read.as_of), read.digest, name, digest)
    return replace(index, lists=(*others, stored)), name, content


def _of_day(
    data: Path, index: ManualIndex, parts: Mapping[str, bytes], read: ListingRead
) -> tuple[StoredList, dict[str, Any]] | None:
    """The list of the same day that another file gave."""
    same = [one for one in index.lists if one.as_of == str(read.as_of) and one.digest != read.digest]
    if not same:
        return None
    content = parts.get(same[-1].file)
    return same[-1], manual_index.decode(content) if content else manual_index.read_list(data, same[-1])


def _dated_otherwise(index: ManualIndex, read: ListingRead) -> list[Issue]:
    before = [one.as_of for one in index.lists if one.digest == read.digest and one.as_of != str(read.as_of)]
    says = f"was imported before as the list of {', '.join(before)}; it is that of {read.as_of} now"
    return [Issue(read.file, None, "superseded", says)] if before else []


def _compared(
    read: ListingRead, known: tuple[StoredList, dict[str, Any]] | None
) -> tuple[Outcome, list[Issue], dict[str, int]]:
    plain = counted(read, loaded=True)
    if known is None:
        return replace(plain, added=plain.facts), [], {}
    new, old = ({one["ticker"]: one for one in value["names"]} for value in (listed(read), known[1]))
    other = [code for code in old if code in new and any(old[code][key] != new[code][key] for key in _COMPARED)]
    gone, added = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    corrected = len(other) + len(gone)
    outcome = replace(plain, added=len(added), corrected=corrected)
    if not corrected and not added:
        return outcome, [], {}
    told = {"differ": sorted(other), "gone": gone, "new": added}
    says = ", ".join(f"{len(codes)} {what} ({_few(codes)})" for what, codes in told.items() if codes)
    says = f"replaces {known[1]['file']} as the list of {read.as_of}: {says}; both are kept"
    return outcome, [Issue(read.file, None, "superseded", says)], {known[0].digest: max(corrected, 1)}


def _few(codes: Sequence[str]) -> str:
    return ", ".join(codes[:_EXAMPLES]) + (", ..." if len(codes) > _EXAMPLES else "")
