"""Options and words of the import of holidays."""

import json
from pathlib import Path

import click

from quantassay.jobs import import_holidays as job
from quantassay.terminal import Terminal

_SHOWN = 5


@click.command("holidays")
@click.argument("source", metavar="[FILE]", type=click.Path(path_type=Path), required=False)
@click.option("--market", default="", metavar="KEY", help="The exchange, such as XNYS.  [default: the desk's market]")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would happen, write nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def holidays(terminal: Terminal, source: Path | None, market: str, dry_run: bool, form: str) -> int:
    """Import a list of holidays: what the calendar does not know becomes rows of governance/calendar_overrides.yaml.

    FILE is a list of the older daily-bar report, or what the broker's holiday service answered; without one,
    data/holidays_us.json is read for XNYS, holidays_kr.json for XKRX, holidays_cn.json for XSHG.
    """
    report = job.run(terminal.folder, source, market, dry_run=dry_run)
    code = 1 if report.refused else 0
    if form == "json":
        click.echo(json.dumps(_as_json(report, dry_run=dry_run), ensure_ascii=False, indent=2))
        return code
    if terminal.loudness < 0 and code == 0:
        return code
    would = "would be " if dry_run else ""
    click.echo(
        f"{report.file}: {report.rows} rows read for {report.market}: {len(report.written)} new, {report.known} known "
        f"already, {len(report.ignored)} ignored, {len(report.refused)} refused"
    )
    for row in report.written:
        click.echo(f"  {would}written: {row['date']} {row['state']}: {row['name']}")
    for key, why in report.refused:
        click.echo(f"  refused: {key} {why}")
    shown = report.ignored if terminal.loudness > 0 else report.ignored[:_SHOWN]
    for key, why in shown:
        click.echo(f"  ignored: {key} {why}")
    if len(shown) < len(report.ignored):
        click.echo(f"  and {len(report.ignored) - len(shown)} more ignored; `assay -v import` shows them")
    click.echo(_next(report, dry_run=dry_run))
    return code


def _next(report: job.HolidayReport, *, dry_run: bool) -> str:
    if report.refused:
        return "next: correct the file, or the row in governance/calendar_overrides.yaml, and import it again"
    if not report.written:
        return "nothing changed: the calendar says all of it already"
    return "nothing was written; import without --dry-run" if dry_run else "next: assay run"


def _as_json(report: job.HolidayReport, *, dry_run: bool) -> dict[str, object]:
    told = {name: [{"row": key, "says": why} for key, why in getattr(report, name)] for name in ("ignored", "refused")}
    return {
        "file": report.file,
        "market": report.market,
        "rows": report.rows,
        "written": [dict(row) for row in report.written],
        "known": report.known,
        **told,
        "dry_run": dry_run,
    }
