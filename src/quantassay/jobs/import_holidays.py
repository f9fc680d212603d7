"""Take a list of holidays in: what the calendar does not know becomes governed overrides, each with its source."""

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quantassay.domain.market import holiday_news
from quantassay.domain.market.calendars import market_key
from quantassay.domain.market.holiday_news import Statement
from quantassay.errors import AssayError
from quantassay.feeds import holiday_files
from quantassay.harness import files, rooms, specs
from quantassay.harness.inputs import Inputs
from quantassay.jobs import desk, trading_days
from quantassay.jobs.build import workspace_held

OVERRIDES = "calendar_overrides"
# Where the older daily-bar report keeps its list, by market.
USUAL = {"XKRX": "holidays_kr.json", "XNYS": "holidays_us.json", "XSHG": "holidays_cn.json"}
_NEEDED = {
    "desk": "spec/10_desk.yaml",
    "calendars": "spec/11_calendars.yaml",
    OVERRIDES: "governance/calendar_overrides.yaml",
    "trading_calendar": "builders/trading_calendar.py",
}
_LONGEST_NAME = 80
_EMPTY = re.compile(r"^overrides:[ ]*\[[ ]*\]", re.MULTILINE)
_ITEM = re.compile(r"^([ ]*)-[ ]", re.MULTILINE)


class NoHolidayFile(AssayError):
    """No file to import."""

    def __init__(self, path: Path, market: str) -> None:
        super().__init__(f"{path} is no file; write `assay import holidays FILE --market {market}` with one that is")


class NoCalendarHere(AssayError):
    """A workspace that settles no calendar."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"this workspace has no {missing}, which holidays are compared with; make another with `assay init DIR` "
            "and copy it from there"
        )


class CannotAdd(AssayError):
    """An override file that no program can add to."""

    def __init__(self, file: str, why: str, rows: Sequence[str]) -> None:
        super().__init__(f"{file} cannot be added to by program ({why}); write these rows by hand: {' '.join(rows)}")


@dataclass(frozen=True, slots=True)
class HolidayReport:
    """What an import did, or would do: the override rows written, and what became of the other rows of the file."""

    file: str
    market: str
    rows: int
    written: tuple[Mapping[str, str], ...]
    known: int
    ignored: tuple[tuple[str, str], ...]
    refused: tuple[tuple[str, str], ...]


def run(
    folder: Path, source: Path | None, market: str, now: datetime | None = None, *, dry_run: bool = False
) -> HolidayReport:
    """Compare a list of holidays with the calendar of a market, and add what is new to the override file.

    Args:
        folder: where the workspace is
        source: the file; None takes the older program's, in the workspace's data/
        market: an exchange, such as XNAS; empty takes the desk's market
        now: the instant of the import (aware), whose date the new rows bear
        dry_run: say what would happen, write nothing

    Raises NoWorkspace, NoCalendarHere, NoCalendar, NoHolidayFile, BadHolidayFile, CannotAdd, lock.Busy.
    """
    inputs = desk.opened(folder)
    for name, where in _NEEDED.items():
        if name not in inputs.sources:
            raise NoCalendarHere(where)
    with contextlib.nullcontext() if dry_run else workspace_held(inputs.workspace):
        key = market_key(inputs.value("calendars"), market or str(inputs.value("desk")["market"]))
        path = source or inputs.workspace.data / USUAL[key]
        if not path.is_file():
            raise NoHolidayFile(path, key)
        statements = holiday_files.read(path.read_bytes(), path.name, key)
        overrides: list[dict[str, str]] = inputs.value(OVERRIDES)["overrides"]
        own = [row for row in overrides if row["market"] == key]
        found = holiday_news.weigh(statements, calendar(inputs, key, overrides), own)
        today = (now or datetime.now(UTC)).date().isoformat()
        written = tuple(_override(one, key, path.name, today) for one in found.new)
        if written:
            # A calendar that could not be settled with the new rows is none that may be left behind.
            calendar(inputs, key, [*overrides, *written])
            _add(inputs, written, dry_run=dry_run)
    return HolidayReport(path.name, key, len(statements), written, found.known, found.ignored, found.refused)


def calendar(inputs: Inputs, market: str, overrides: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The trading calendar of any market with these overrides, made as the desk's own is. Raises UselessOverride."""
    if "holiday_sources" not in inputs.handed:
        inputs.hand([trading_days.holiday_tables()])
    unit = inputs.rooms.builders["trading_calendar"]
    values = {name: inputs.fresh(name) for name in unit.parameters}
    values["desk"] = {**values["desk"], "market": market}
    values[OVERRIDES] = {"overrides": [dict(row) for row in overrides]}
    made: dict[str, Any] = rooms.load(unit).build(**values)
    return made


def _override(one: Statement, market: str, file: str, today: str) -> dict[str, str]:
    return {
        "market": market,
        "date": one.day.isoformat() if one.day else "",
        "state": "open" if one.is_open else "closed",
        "name": one.note[:_LONGEST_NAME],
        "source": f"{file}: {one.note}",
        "noted_on": today,
    }


def _add(inputs: Inputs, rows: Sequence[dict[str, str]], *, dry_run: bool) -> None:
    """Put the rows behind those of the override file, all else left as it is; the file is replaced whole, or not."""
    path = inputs.source(OVERRIDES).paths[0]
    name = inputs.workspace.relative(path)
    before = inputs.bytes(path)
    flat = [_flow(row) for row in rows]
    edited = _appended(before.decode(), flat).encode()
    read, problems = specs.parse(edited, inputs.schema(OVERRIDES), name)
    if read is None:
        raise CannotAdd(name, problems[0].says, flat)
    if read.value != {"overrides": [*inputs.value(OVERRIDES)["overrides"], *rows]}:
        raise CannotAdd(name, "its rows are not the last thing in it", flat)
    if not dry_run:
        files.write(path, edited)


def _flow(row: Mapping[str, str]) -> str:
    """The row on one line: a text in JSON is the same text in YAML, quotes and all."""
    members = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in row.items())
    return f"- {{{members}}}"


def _appended(text: str, rows: Sequence[str]) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    plain = _EMPTY.sub("overrides:", text, count=1)
    items = _ITEM.findall(plain)
    indent = items[-1] if items else "  "
    gap = "" if plain.endswith("\n") else end
    return plain + gap + "".join(f"{indent}{row}{end}" for row in rows)
