"""Fetch daily bars that are missing; the sources are asked in their order, and each answer is kept as it came."""

import json
from datetime import date, datetime
from typing import Any

import click

from quantassay.jobs import fetch as job
from quantassay.jobs.fetch_wish import Wish
from quantassay.terminal import Terminal

_DAY = click.DateTime(["%Y-%m-%d"])
_SHOWN = 5


@click.group("fetch", help=__doc__)
def command() -> None:
    """What can be fetched."""


@command.command("bars")
@click.option("--market", default="", metavar="KEY", help="The market; the desk's own unless told.")
@click.option(
    "--from", "first", type=_DAY, metavar="DAY", help="The first day; some of the latest sessions unless told."
)
@click.option("--to", "last", type=_DAY, metavar="DAY", help="The last day; today unless told.")
@click.option("--session", type=_DAY, metavar="DAY", help="This session alone.")
@click.option("--source", default="", metavar="NAME", help="Ask this source alone, and fall back on none.")
@click.option("--again", is_flag=True, help="Ask also for what the store has already.")
@click.option("--replace", is_flag=True, help="Where a bar of the past has other values now, take the new ones.")
@click.option("-n", "--dry-run", is_flag=True, help="Say who would be asked for what, ask nobody, write nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def bars(terminal: Terminal, /, session: datetime | None, form: str, **said: Any) -> int:
    """Fetch the daily bars that the store lacks.

    Which sources there are and in which order they are asked stands in spec/33_bar_feeds.yaml; whether one may be used,
    in governance/data_sources.yaml. A bar that is there already is never replaced without --replace.
    """
    first, last = _day(said.pop("first")), _day(said.pop("last"))
    if session is not None:
        if first or last:
            raise click.UsageError("say --session, or --from and --to, not both")
        first = last = session.date()
    report = job.fetch(terminal.folder, Wish(first=first, last=last, **said))
    code = exit_code(report, named=session is not None)
    if form == "json":
        _say_json(report)
    elif terminal.loudness >= 0 or code:
        _say(terminal, report)
    return code


def exit_code(report: job.FetchReport, *, named: bool) -> int:
    """1 where days stay without bars, rows were refused, or the past differs; a day that was not named may wait."""
    lacking = [one for one in report.missing if named or not one.waits]
    return 1 if lacking or report.refused or report.differing else 0


def _day(said: datetime | None) -> date | None:
    return said.date() if said else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _say(terminal: Terminal, report: job.FetchReport) -> None:
    for line in [*_words(report), *_details(report, most=None if terminal.loudness > 0 else _SHOWN), _next(report)]:
        click.echo(line)


def _words(report: job.FetchReport) -> list[str]:
    would = "would be " if report.dry_run else ""
    days = f"{report.sessions[0]} to {report.sessions[-1]}" if report.sessions else "no session"
    lines = [f"{report.market}: {len(report.sessions)} sessions, {days}"]
    if not report.asked:
        lines.append("nothing is missing: the store has every board of every session")
    gave, missing = ("would be asked for", "are missing") if report.dry_run else ("gave", "were missing")
    sources = dict.fromkeys(source for _, _, source in report.asked if source)
    for source in sources:
        count = sum(one == source for _, _, one in report.asked)
        lines.append(f"  {source} {gave} {count} of {len(report.asked)} boards that {missing}")
    lines += [f"  passed over: {one.says}" for one in report.passed_over if one.session is None]
    if report.taken_up:
        lines.append(f"answers that an earlier run kept and did not store: {report.taken_up} {would}stored")
    if report.bars:
        stored = report.stored
        lines.append(
            f"{report.bars} bars read: {stored.new} new, {stored.finished} in place of unfinished ones, "
            f"{stored.replaced} replaced"
        )
    return lines


def _details(report: job.FetchReport, most: int | None) -> list[str]:
    reasons = [f"{one.session} {one.board}: {one.says}" for one in report.passed_over if one.session is not None]
    rows = [f"{one.file}:{one.row}: {one.code}: {one.says}" for one in report.refused]
    differing = [f"{one.file}: {one.code}: {one.says}" for one in report.differing]
    replaced = [f"{one.file}: {one.code}: {one.says}" for one in report.stored.issues if one.code == "superseded"]
    waiting = [f"{one.session} {one.board}" for one in report.missing if one.waits]
    lacking = [f"{one.session} {one.board}" for one in report.missing if not one.waits]
    return [
        *_list("why a source was passed over", reasons, most),
        *_list("names without a bar, their rows are in data/imports/quarantine", rows, most),
        *_list("the past differs", [*differing, *replaced], most),
        *_list("not out yet", waiting, most),
        *_list("still without bars", lacking, most),
    ]


def _list(title: str, lines: list[str], most: int | None) -> list[str]:
    shown = lines[:most]
    more = [f"  and {len(lines) - len(shown)} more; `assay -v fetch` shows them"] if len(shown) < len(lines) else []
    return [f"{title}: {len(lines)}", *(f"  {line}" for line in shown), *more] if lines else []


def _next(report: job.FetchReport) -> str:
    if report.dry_run:
        return "nobody was asked and nothing was written; fetch without --dry-run"
    if any(not one.waits for one in report.missing):
        return f"next: fetch again later, or `assay import bars DIR --market {report.market}`"
    return "next: assay run" if report.stored.changed else "nothing changed in the store"


def _say_json(report: job.FetchReport) -> None:
    value = {
        "market": report.market,
        "sessions": [str(day) for day in report.sessions],
        "asked": [{"session": str(day), "board": board, "source": source} for day, board, source in report.asked],
        "passed_over": [
            {"source": one.source, "why": one.why, "says": one.says, "board": one.board, "session": _iso(one.session)}
            for one in report.passed_over
        ],
        "missing": [{"session": str(one.session), "board": one.board, "waits": one.waits} for one in report.missing],
        "taken_up": report.taken_up,
        "bars": report.bars,
        "new": report.stored.new,
        "finished": report.stored.finished,
        "replaced": report.stored.replaced,
        "changed": report.stored.changed,
        "dry_run": report.dry_run,
        "issues": [{**issue.to_json(), "harmless": issue.harmless} for issue in report.stored.issues],
    }
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
