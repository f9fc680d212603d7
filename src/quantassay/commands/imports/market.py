"""Options and words of the imports of a market: bars, universe lists and quotes."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from quantassay.feeds.csv_bars import Prices
from quantassay.harness.workspace import find
from quantassay.jobs import import_market as job
from quantassay.jobs.import_quotes import import_quotes
from quantassay.jobs.imported_quotes import own_market
from quantassay.terminal import Terminal

_FORM = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
_MARKET = click.option("--market", required=True, metavar="KEY", help="The market, such as XKRX.")
_DRY_RUN = click.option("-n", "--dry-run", is_flag=True, help="Say what would happen, write nothing.")
_SHOWN = 3
# What --prices means, series by series.
_SERIES = {
    "raw": {"raw": Prices.RAW},
    "adjusted": {"adjusted": Prices.ADJUSTED},
    "both": {"raw": Prices.RAW, "adjusted": Prices.ADJUSTED_COLUMN},
}


@click.command("bars")
@click.argument("source", type=click.Path(path_type=Path))
@_MARKET
@click.option(
    "--taken-at", default="", metavar="INSTANT", help="When the bars were taken; marks the bars of that date."
)
@click.option(
    "--prices",
    type=click.Choice(list(_SERIES)),
    default="raw",
    show_default=True,
    help="Which series is filled: raw prices as they were traded, adjusted ones, or both from files with Adj Close.",
)
@_DRY_RUN
@_FORM
@click.pass_obj
def bars(  # noqa: PLR0913 - one parameter an option
    terminal: Terminal, source: Path, market: str, taken_at: str, dry_run: bool, form: str, *, prices: str = "raw"
) -> int:
    """Import daily bars: a folder of CSV files named by ticker, or one file.

    A file replaces all bars of its ticker in the series that is filled, and leaves the other series as it is. A file
    with a harmful fault is quarantined whole and changes nothing.
    """
    taken = _instant(taken_at) if taken_at else None
    data, now = find(terminal.folder).data, datetime.now(UTC)
    codes, values = [], {}
    for series, meant in _SERIES[prices].items():
        report = job.import_bars(data, source, market, taken, now, prices=meant, dry_run=dry_run)
        if form == "json":
            values[series] = _value(report, dry_run=dry_run)
            codes.append(1 if report.quarantined else 0)
            continue
        if len(_SERIES[prices]) > 1 and terminal.loudness >= 0:
            click.echo(f"{series} prices:")
        codes.append(_say(terminal, report, form, "bars", dry_run=dry_run))
    if form == "json":
        click.echo(json.dumps(values if len(values) > 1 else values[prices], ensure_ascii=False, indent=2))
    return max(codes)


@click.command("universe")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@_MARKET
@click.option(
    "--session", type=click.DateTime(["%Y-%m-%d"]), help="The list's session, if the file's name does not say it."
)
@_DRY_RUN
@_FORM
@click.pass_obj
def universe(terminal: Terminal, source: Path, market: str, session: datetime | None, dry_run: bool, form: str) -> int:
    """Import the list of names that may be traded on one session: ticker, name, close, volume, traded_value."""
    day: date | None = session.date() if session else None
    data = find(terminal.folder).data
    report = job.import_universe(data, source, market, day, datetime.now(UTC), dry_run=dry_run)
    return _say(terminal, report, form, "names", dry_run=dry_run)


@click.command("quotes")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--market", default="", metavar="KEY", help="The market, such as XKRX; the desk's own unless told.")
@_DRY_RUN
@_FORM
@click.pass_obj
def quotes(terminal: Terminal, source: Path, market: str, dry_run: bool, form: str) -> int:
    """Import prices seen before or after the open, for the entry check: ticker, price, taken_at, currency, source.

    A file is taken whole or not at all. Every row needs the time at which the price was seen, with its zone, and the
    market's currency. The file whose newest quote is the latest is the one in use.
    """
    data = find(terminal.folder).data
    key = market or own_market(terminal.folder)
    report = import_quotes(data, source, key, datetime.now(UTC), dry_run=dry_run)
    return _say(terminal, report, form, "quotes", dry_run=dry_run)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise job.NotAnInstant(repr(text), "is no instant") from None


def _say(terminal: Terminal, report: job.ImportReport, form: str, noun: str, *, dry_run: bool) -> int:
    code = 1 if report.quarantined else 0
    if form == "json":
        click.echo(json.dumps(_value(report, dry_run=dry_run), ensure_ascii=False, indent=2))
        return code
    if terminal.loudness < 0 and code == 0:
        return code
    would = "would be " if dry_run else ""
    click.echo(
        f"{report.files} files read: {len(report.loaded)} {would}loaded with {report.rows} {noun}, "
        f"{len(report.quarantined)} {would}quarantined"
    )
    for name in report.quarantined:
        harmful = [issue for issue in report.issues if issue.file == name and not issue.harmless]
        shown = harmful if terminal.loudness > 0 else harmful[:_SHOWN]
        for issue in shown:
            click.echo(f"  {_place(issue.file, issue.row)}: {issue.code}: {issue.says}")
        if len(shown) < len(harmful):
            click.echo(f"  {name}: and {len(harmful) - len(shown)} more; `assay -v import` shows them")
    _say_notes(terminal, report)
    click.echo(_next(report, dry_run=dry_run))
    return code


def _say_notes(terminal: Terminal, report: job.ImportReport) -> None:
    notes = [issue for issue in report.issues if issue.harmless and issue.file not in report.quarantined]
    if terminal.loudness > 0:
        for issue in notes:
            click.echo(f"  note {_place(issue.file, issue.row)}: {issue.code}: {issue.says}")
        return
    for code in dict.fromkeys(issue.code for issue in notes):
        alike = [issue for issue in notes if issue.code == code]
        first = alike[0]
        more = f" (and {len(alike) - 1} more files; `assay -v import` shows them)" if len(alike) > 1 else ""
        click.echo(f"  note {_place(first.file, first.row)}: {code}: {first.says}{more}")


def _next(report: job.ImportReport, *, dry_run: bool) -> str:
    if dry_run:
        return "nothing was written; import without --dry-run"
    if report.quarantined:
        return (
            "next: correct these files and import them again; copies and reasons are in data/imports/quarantine, "
            "delete there what you do not want"
        )
    return "next: assay run" if report.changed else "nothing changed: the store held all of it already"


def _place(file: str, row: int | None) -> str:
    return file if row is None else f"{file}:{row}"


def _value(report: job.ImportReport, *, dry_run: bool) -> dict[str, Any]:
    return {
        "files": report.files,
        "loaded": list(report.loaded),
        "quarantined": list(report.quarantined),
        "rows": report.rows,
        "changed": report.changed,
        "dry_run": dry_run,
        "issues": [{**issue.to_json(), "harmless": issue.harmless} for issue in report.issues],
    }
