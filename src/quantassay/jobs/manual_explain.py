"""Walk from a value that was imported by hand to the file that it came in, and to the very row."""

import hashlib
from pathlib import Path
from typing import Any

import polars as pl

from quantassay.feeds.raw_files import RawFile
from quantassay.feeds.table_file import read_tables
from quantassay.harness import pointers
from quantassay.jobs.imported_by_hand import listing_import, manual_log
from quantassay.store import manual_facts
from quantassay.store.manual_index import kept_path

_STEPS = ("feed", "ticker", "session", "field", "version")
_LONGEST = 300


def fact(data: Path, pointer: str) -> list[str]:
    """The rows behind `/{feed}/{ticker}/{session}/{field}[/{version}]`, newest version first; fewer steps count facts.

    Raises ManualDamaged.
    """
    steps = pointers.split(pointer)
    frame = manual_facts.read(data)
    found = frame.filter(
        *(pl.col(name).cast(pl.String) == str(step) for name, step in zip(_STEPS, steps, strict=False))
    )
    what = " ".join(map(str, steps)) or "manual imports"
    if found.is_empty():
        return [f"{what}: nothing was imported by hand"]
    if len(steps) < len(_STEPS) - 1:
        sessions = sorted(found["session"].unique())
        days = f"{sessions[0]} to {sessions[-1]}"
        return [f"{what}: {found.height} values of {days} in {found['file'].n_unique()} files"]
    versions = found.sort("version", descending=True).to_dicts()
    lines = [f"{versions[0]['field']} = {_value(versions[0])}"]
    for one in versions:
        known = f"may be used from {one['available_from']}, imported {one['imported_at'].isoformat()}"
        what = f"{one['feed']} {one['ticker']} {one['session']}: {_value(one)}"
        lines.append(f"{what}, version {one['version']}, {known}")
        lines += _row(data, one["file"], one["digest"], one["row"], one["ticker"])
    return lines


def log_line(data: Path, pointer: str) -> list[str]:
    """The import behind `/feeds/{feed}/{number}`, or how many there were. Raises ManualDamaged."""
    log = manual_log(data)["feeds"]
    _, feed, number, *_ = (*pointers.split(pointer), "", "", "")
    entries: list[dict[str, Any]] = log.get(str(feed), [])
    if str(number).isdigit() and int(number) < len(entries):
        entries = [entries[int(number)]]
    elif not feed:
        return [f"{name}: {len(those)} files imported" for name, those in log.items()]
    if not entries:
        return [f"{feed}: no file imported"]
    return [
        f"{one['file']} (file {one['digest'][:19]}): {one['layout']}, {one['facts']} values of {one['first']} to "
        f"{one['last']}, imported {one['imported_at']}"
        for one in entries
    ]


def listing_line(data: Path, pointer: str) -> list[str]:
    """The row of the list of listed companies behind `/names/{ticker}`. Raises ManualDamaged."""
    listed = listing_import(data)
    if listed is None:
        return ["no list of listed companies was imported"]
    room, ticker, *_ = (*pointers.split(pointer), "", "")
    if room != "names" or not ticker:
        return [f"{listed['file']} (file {listed['digest'][:19]}): {len(listed['names'])} names of {listed['as_of']}"]
    row = next((one for one in listed["names"] if one["ticker"] == ticker), None)
    if row is None:
        return [f"{listed['file']} of {listed['as_of']}: {ticker} is not in it"]
    return _row(data, listed["file"], listed["digest"], row["row"], row["ticker"])


def _value(one: dict[str, Any]) -> str:
    return one["value"] if one["value"] is not None else f"no value ({one['note'] or 'none given'})"


def _row(data: Path, file: str, digest: str, row: int, ticker: str) -> list[str]:
    """The file and the row, and what stands in that row of the raw copy."""
    path = kept_path(data, file, digest)
    place = f"{file} row {row} (file {digest[:19]}, kept as {path.relative_to(data.parent).as_posix()})"
    try:
        content = path.read_bytes()
    except OSError as error:
        return [place, f"the raw copy cannot be read ({error.strerror or error}); put it back from a backup"]
    if "sha256:" + hashlib.sha256(content).hexdigest() != digest:
        return [place, "the raw copy is no longer the file that was imported; put it back from a backup"]
    return [place, f"row {row}: {_text(RawFile(file, Path(file).stem, content, digest), row, ticker)}"]


def _text(raw: RawFile, row: int, ticker: str) -> str:
    tables = read_tables(raw, len).tables
    there = [cells for table in tables for cells, line in zip(table.rows, table.lines, strict=True) if line == row]
    cells = next((one for one in there if ticker in one), there[0] if there else ())
    text = " | ".join(cells)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
