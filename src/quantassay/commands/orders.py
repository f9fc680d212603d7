"""What became of every order that the desk sent: list them, show one, decide about one in doubt, check the journal.

Without a command the orders are listed that have not ended, and those of the newest plan.
"""

import json
from collections.abc import Mapping
from typing import Any

import click

from quantassay.domain.trading.evidence import FilledByHoldings, Finding, Found, Several
from quantassay.domain.trading.orders import Event, Order
from quantassay.jobs import orders as job
from quantassay.terminal import Terminal

_FORM = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
_HEADS = ("ORDER", "ACCOUNT", "SIDE", "TICKER", "SHARES", "LIMIT", "STATE", "FILLED", "NUMBER", "CHANGED", "WHY")
_RIGHT = ("SHARES", "LIMIT", "FILLED")
_SHOWN = 20
_DIGITS = 12


class Head(click.ParamType[tuple[int, str]]):
    """A newest line of the journal as it was noted: its number and the beginning of its digest."""

    name = "NUMBER:DIGEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        """The number and the digest, which may be its beginning."""
        number, _, digest = str(value).partition(":")
        if not number.isdecimal() or not digest.removeprefix("sha256:"):
            self.fail(f"{value!r} is no head; write it as `assay orders check` does: 1201:00a989e1c98e", param, ctx)
        return int(number), digest


@click.group("orders", help=__doc__, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    return 0 if ctx.invoked_subcommand else int(ctx.invoke(listed) or 0)


@command.command("list")
@click.option("--account", default="", metavar="ID", help="Only those of this account.")
@click.option("--all", "everything", is_flag=True, help="All there ever were.")
@_FORM
@click.pass_obj
def listed(terminal: Terminal, account: str = "", everything: bool = False, form: str = "text") -> int:
    """The orders that have not ended and those of the newest plan, or all."""
    found = job.listed(terminal.folder, account, everything=everything)
    if form == "json":
        click.echo(json.dumps([_value(name, one) for name, one in found.orders.items()], indent=2, ensure_ascii=False))
        return 0
    if found.orders:
        click.echo("\n".join(_table(found.orders)))
    shown = len(found.orders)
    click.echo(f"{shown} of {found.count} orders; {found.doubted} in doubt")
    if found.doubted:
        click.echo("next: assay orders resolve ORDER shows what speaks for one in doubt")
    return 0


@command.command("show")
@click.argument("order")
@_FORM
@click.pass_obj
def show(terminal: Terminal, order: str, form: str) -> int:
    """One order, by its name or the beginning of it: the line of its plan, and everything that happened to it."""
    shown = job.show(terminal.folder, order)
    if form == "json":
        value = {**_value(shown.name, shown.order), "events": [_event(one) for one in shown.events]}
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
        return 0
    click.echo("\n".join(_story(shown)))
    return 0


@command.command("resolve")
@click.argument("order")
@click.option("--placed", default="", metavar="NUMBER", help="It is the broker's order of this number.")
@click.option("--not-placed", is_flag=True, help="The broker never had it: it may be made anew.")
@click.option("--why", default="", metavar="TEXT", help="How you know, in a sentence.")
@click.option("--by", default="", metavar="NAME", help="Who decides; the login name unless told.")
@click.pass_obj
def resolve(terminal: Terminal, /, **said: Any) -> int:
    """Show what speaks for an order of which nobody knows whether the broker has it, and decide about it.

    Exit code 1 while nothing is decided. That the broker does not show an order is no proof that it never had it: look
    into the broker's own program before you say so.
    """
    if said["placed"] and said["not_placed"]:
        raise click.UsageError("an order is --placed or --not-placed, not both")
    if (said["placed"] or said["not_placed"]) and not said["why"].strip():
        raise click.UsageError("say with --why how you know")
    done = job.resolve(terminal.folder, job.Wish(**said))
    if terminal.loudness >= 0 or not done.decided:
        click.echo("\n".join(_evidence(done)))
    return 0 if done.decided else 1


@command.command("check")
@click.option(
    "--head", "heads", type=Head(), multiple=True, help="A newest line that was noted before; several may be."
)
@_FORM
@click.pass_obj
def check(terminal: Terminal, heads: tuple[tuple[int, str], ...], form: str) -> int:
    """Whether the journal is as it was written: every line, their order, and what each says of the orders.

    Lines that were taken off its end show only where its newest line was noted: in data/journal.head, or by you.
    """
    found = job.check(terminal.folder, heads)
    if form == "json":
        value = None if found is None else {"head": found.count, "digest": found.digest, "problems": found.problems}
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
    elif found is None:
        click.echo("there is no journal yet: nothing was ever sent from this workspace")
    elif found.problems:
        more = len(found.problems) - _SHOWN
        click.echo("\n".join([*found.problems[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]))
        click.echo("nothing is traded on this journal; put data/journal.sqlite3 back from a backup, with its -wal")
    else:
        head = f"{found.count}:{found.digest.removeprefix('sha256:')[:_DIGITS]}"
        lines = "1 line" if found.count == 1 else f"{found.count} lines"
        click.echo(f"the journal is whole: {lines}, the head is {head}")
    return 1 if found is not None and found.problems else 0


def _table(orders: Mapping[str, Order]) -> list[str]:
    rows = [_HEADS, *(_row(name, order) for name, order in orders.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = zip(_HEADS, row, widths, strict=True)
        lines.append(
            "  ".join(f"{cell:>{w}}" if head in _RIGHT else f"{cell:<{w}}" for head, cell, w in cells).rstrip()
        )
    return lines


def _row(name: str, order: Order) -> tuple[str, ...]:
    intent = order.intent
    counts = (f"{intent.quantity:,}", f"{intent.limit_price:,}")
    filled = f"{order.filled:,}{'~' if order.estimated else ''}"
    changed = order.changed_at.isoformat(timespec="seconds")
    return (
        name,
        intent.key.account,
        intent.side,
        intent.ticker,
        *counts,
        order.state,
        filled,
        order.number or "-",
        changed,
        order.why,
    )


def _value(name: str, order: Order) -> dict[str, Any]:
    intent = order.intent
    return {
        "order": name,
        "account": intent.key.account,
        **intent.body(),
        "state": order.state,
        "filled": order.filled,
        "amount": order.amount,
        "estimated": order.estimated,
        "number": order.number,
        "branch": order.branch,
        "day": order.day,
        "sent_at": order.sent_at.isoformat() if order.sent_at else None,
        "changed_at": order.changed_at.isoformat(),
        "why": order.why,
    }


def _event(event: Event) -> dict[str, Any]:
    return {"seq": event.seq, "at": event.at.isoformat(), "kind": event.kind, "body": dict(event.body)}


def _story(shown: job.Shown) -> list[str]:
    order, intent = shown.order, shown.order.intent
    host = intent.certificate.get("host", "")
    about = "about " if order.estimated else ""
    bound = "at most" if intent.side == "buy" else "at least"
    lines = [
        f"{shown.name}: {intent.side} {intent.quantity:,} of {intent.ticker} at {intent.limit_price:,} won {bound}",
        f"  account   {intent.key.account}{f', at {host}' if host else ''}",
        f"  plan      {intent.key.plan}, line {intent.key.line}, attempt {intent.key.attempt}",
        f"  state     {order.state}{f': {order.why}' if order.why else ''}",
        f"  filled    {order.filled:,} for {about}{order.amount:,} won",
        f"  broker's  {order.number or 'number not known'}{f' of {order.day}' if order.day else ''}",
    ]
    for event in shown.events:
        told = " ".join(f"{name}={value}" for name, value in event.body.items() if not isinstance(value, dict | list))
        said = "" if event.kind == "intent" else f"  {told}"
        lines.append(f"  {event.seq:>8}  {event.at.isoformat(timespec='milliseconds')}  {event.kind}{said}".rstrip())
    return lines


def _evidence(done: job.Resolved) -> list[str]:
    lines = [f"{done.name}: {_found(done.finding)}"]
    if isinstance(done.finding, Found):
        lines.append(f"  {_broker_row(done.finding)}")
    if isinstance(done.finding, Several):
        lines += [f"  {_broker_row(Found(row))}" for row in done.finding.rows]
    if done.decided:
        return [*lines, f"decided: it is {done.order.state}{f', {done.order.why}' if done.order.why else ''}"]
    return [
        *lines,
        "nothing is decided; next: look into the broker's own program, then",
        f"  assay orders resolve {done.name} --placed NUMBER --why TEXT",
        f"  assay orders resolve {done.name} --not-placed --why TEXT",
    ]


def _found(finding: Finding) -> str:
    if isinstance(finding, Found):
        return "one order of the broker's can only be this one"
    if isinstance(finding, FilledByHoldings):
        return f"{finding.filled} filled: {finding.why}"
    return finding.why


def _broker_row(found: Found) -> str:
    row = found.row
    return (
        f"number {row.number}: {row.side} {row.quantity} of {row.ticker} at {row.price:,} won, taken at {row.time}, "
        f"filled {row.filled}"
    )
