"""Hold our account of what is held against the broker's, and lock the names that differ.

Without options once, at the desk's account. A name of which the broker counts other shares than we do is a break, and
nothing is sent for it until the broker says what we say, the broker's own orders explain it, or a person accepts it.
"""

import json
from dataclasses import asdict
from typing import Any

import click

from quantassay.brokers.port import Unreadable
from quantassay.domain.trading.reconcile import Kind, Name
from quantassay.jobs import reconcile_run as job
from quantassay.jobs.reconcile import Outcome
from quantassay.terminal import Terminal


@click.command("reconcile", help=__doc__)
@click.option("--account", default="", metavar="ID", help="The account; the desk's unless told.")
@click.option("--broker", "kind", type=click.Choice(["paper", "kis"]), help="The broker; the account says which.")
@click.option(
    "--watch", type=click.FloatRange(min=1), metavar="SECONDS", help="Do it again after so long, until Ctrl-C."
)
@click.option("--accept", metavar="TICKER", help="Take the broker's count of this name for ours.")
@click.option("--why", metavar="TEXT", help="Why the counts may differ; needed with --accept.")
@click.option("--by", default="", metavar="NAME", help="Who accepts; your login name unless told.")
@click.option("--at", default="", metavar="INSTANT", help="Begin at this instant; only where no money is at stake.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, /, **said: Any) -> int:
    if said["accept"] and not said["why"]:
        raise click.UsageError("--accept needs --why: a sentence on why the counts may differ")
    if said["watch"] and said["accept"]:
        raise click.UsageError("--watch and --accept cannot stand together")
    wish = job.Wish(said["account"], said["kind"], said["at"])
    with job.opened(terminal.folder, wish) as place:
        if said["watch"]:
            return _watch(place, said["watch"], said["form"])
        found = job.accepted(place, said["accept"], said["why"], said["by"]) if said["accept"] else job.once(place)
    if terminal.loudness >= 0 or found.breaks:
        click.echo(_json(found) if said["form"] == "json" else "\n".join(_words(found)))
    return 1 if found.breaks else 0


def _watch(place: job.Place, every_s: float, form: str) -> int:
    """Say what is new, and nothing while nothing is."""
    before = ""
    for found in job.watched(place, every_s):
        if isinstance(found, Unreadable):
            now, text = str(found), json.dumps({"error": str(found)}) if form == "json" else str(found)
        else:
            now = str([found.names, found.externals])
            text = _json(found, indent=None) if form == "json" else "\n".join(_words(found))
        if now != before:
            click.echo(text)
        before = now
    return 0


def _json(found: Outcome, indent: int | None = 2) -> str:
    value = {
        "account": found.account,
        "environment": found.book.certificate.environment,
        "at": found.book.at.isoformat(),
        "pages": found.book.pages,
        "cash": found.book.cash,
        "equity": found.book.equity,
        "first": found.first,
        "names": [{**asdict(one), "externals": [each.body() for each in one.externals]} for one in found.names],
        "breaks": sorted(found.breaks),
        "new": list(found.new),
        "cleared": list(found.cleared),
    }
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _counts(one: Name) -> str:
    """Both counts, where the reason does not tell them."""
    return "" if one.kind is Kind.BREAK else f"we count {one.ours}, the broker {one.theirs}: "


def _words(found: Outcome) -> list[str]:
    book, count = found.book, len(found.names)
    agree = sum(one.kind is Kind.AGREE for one in found.names)
    pages = f"{book.pages} page{'' if book.pages == 1 else 's'}"
    head = f"{found.account} ({book.certificate.environment}), read {book.at.isoformat(timespec='seconds')}, {pages}"
    if found.first:
        return [f"{head}: read for the first time; {count} names and cash {book.cash:,} won are what we begin with"]
    lines = [f"{head}: {agree} of {count} names agree; cash {book.cash:,} won"]
    others = [one for one in found.names if one.kind is not Kind.AGREE]
    lines += [f"{one.kind:15} {one.ticker:8} {_counts(one)}{one.why}" for one in others]
    lines += [f"{'cleared':15} {ticker:8} it is no break any more" for ticker in found.cleared]
    if found.breaks:
        first = min(found.breaks)
        lines.append(f"nothing is sent for {', '.join(sorted(found.breaks))}")
        lines.append(f"next: find out why; then `assay reconcile --accept {first} --why TEXT`")
    return lines
