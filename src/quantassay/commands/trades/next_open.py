"""Carry out the plan for the open: sells first, then buys for the money that is there, each order once.

Without --send it does everything up to the last call and says what would be sent; nothing is sent or written down.
A plan that was begun goes on by itself when it is asked for again; one that is finished is refused.
Exit code 0 only when every line is filled or was left out on purpose.
"""

import json
from pathlib import Path
from typing import Any

import click

from quantassay.domain.trading.limits import refused
from quantassay.jobs import trade as job
from quantassay.jobs.execution import Told
from quantassay.terminal import Terminal


@click.command("next-open", help=__doc__)
@click.option("--plan", type=click.Path(path_type=Path), metavar="FILE", help="The plan, or a package that holds one.")
@click.option("--broker", type=click.Choice(["paper", "kis"]), help="Must be that of the account; it decides itself.")
@click.option("--account", default="", metavar="ID", help="An account of spec/20_accounts.yaml; the desk's if unsaid.")
@click.option("--send", is_flag=True, help="Send the orders.")
@click.option("--continue", "go_on", is_flag=True, help="Go on with the plan of today; place only what never was.")
@click.option("--reduce-only", is_flag=True, help="Send sells only.")
@click.option("--at", default="", metavar="INSTANT", help="The time to rehearse at; not where the broker is real.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, /, form: str, **said: Any) -> int:
    traded = job.next_open(terminal.folder, job.Wish(**said))
    if form == "json":
        click.echo(json.dumps(_facts(traded), ensure_ascii=False, indent=2))
    elif terminal.loudness >= 0 or not traded.ok:
        click.echo("\n".join(_words(traded, every_check=terminal.loudness > 0)))
    return 0 if traded.ok else 1


def _facts(traded: job.Traded) -> dict[str, Any]:
    outcome = traded.outcome
    return {
        "plan_id": outcome.work.data["plan_id"],
        "account": outcome.work.account,
        "dry_run": traded.is_dry,
        "ok": traded.ok,
        "refused": list(traded.refused),
        "stopped": outcome.stopped,
        "sent": outcome.sent,
        "done": outcome.done,
        "breaks": dict(outcome.breaks),
        "lines": [_line(one) for one in outcome.told],
    }


def _line(one: Told) -> dict[str, Any]:
    wish = one.line.wish
    return {
        "line": wish.line,
        "side": wish.side,
        "ticker": wish.ticker,
        "limit_price": wish.limit_price,
        "planned": wish.quantity,
        "ordered": one.ordered,
        "filled": one.line.filled,
        "order": one.line.name,
        "state": one.state,
        "why": one.why,
        "checks": [{"rule": check.rule, "ok": check.ok, "says": check.says} for check in one.checks],
    }


def _words(traded: job.Traded, *, every_check: bool) -> list[str]:
    outcome = traded.outcome
    certificate = f"{outcome.work.data['plan_id']} for {outcome.work.account}"
    lines = [f"{certificate}: {'dry run, nothing is sent' if traded.is_dry else f'{outcome.sent} orders sent'}"]
    for one in outcome.told:
        wish = one.line.wish
        state = one.state.replace("_", " ")
        count = f"{one.ordered} of {wish.quantity}" if one.ordered != wish.quantity else f"{wish.quantity}"
        lines.append(f"  {wish.line:>3} {wish.side:<4} {wish.ticker:<8} {count:>11} at {wish.limit_price:>9,}  {state}")
        checks = one.checks if every_check else ()
        lines += [f"      {check.rule} {'ok' if check.ok else 'NO'}: {check.says}" for check in checks]
        if one.why:
            lines.append(f"      {one.why}")
        elif one.checks and not every_check and not refused(one.checks):
            lines.append(f"      {len(one.checks)} checks passed")
    lines += [f"in a break: {ticker}: {why}" for ticker, why in outcome.breaks.items()]
    lines += [f"stopped: {outcome.stopped}"] * bool(outcome.stopped)
    lines += [f"would be refused: {why}" for why in traded.refused]
    return [*lines, _next(traded)]


def _next(traded: job.Traded) -> str:
    if traded.is_dry:
        return "send with --send" if traded.ok else "with --send this would not be carried out as planned"
    if traded.ok:
        return "carried out as planned"
    if traded.outcome.done:
        return "finished, and not all as planned: see `assay orders`"
    return "not finished: see `assay orders`, then run this again"
