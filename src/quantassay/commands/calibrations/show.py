"""Show how the thresholds stand: value, status, claim and next step of each, or everything of one."""

import json
from collections.abc import Mapping
from typing import Any

import click

from quantassay.jobs import calibration_told as job
from quantassay.terminal import Terminal

_REGISTRY = "spec/30_calibration.yaml"


@click.command("show", help=__doc__)
@click.argument("threshold", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, threshold: str | None, form: str) -> int:
    told = job.tell(terminal.folder, threshold)
    if form == "json":
        value = {"as_of": told.as_of, "stale": list(told.stale), "thresholds": list(told.rows)}
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))
        return 0
    lines = _one(told.rows[0], told.as_of) if threshold else _table(told)
    click.echo("\n".join([*lines, *(f"not of now: {why}; run `assay build`" for why in told.stale[:1])]))
    return 0


def _table(told: job.Told) -> list[str]:
    rows = [("THRESHOLD", "VALUE", "UNIT", "STATUS", "EVENTS", "CLAIM", "REVIEW BY")]
    for row in told.rows:
        events = "-" if row["recomputed"] is None else f"{row['recomputed']['n']:,}"
        review = f"{row['review_on']}{' (overdue)' if row['overdue'] else ''}"
        rows.append((row["id"], row["value"] or "-", row["unit"], _status(row), events, row["verdict"], review))
    widths = [max(len(one[column]) for one in rows) for column in range(len(rows[0]))]
    right = ("VALUE", "EVENTS")
    lines = []
    for one in rows:
        cells = zip(rows[0], one, widths, strict=True)
        lines.append("  ".join(f"{cell:>{w}}" if head in right else f"{cell:<{w}}" for head, cell, w in cells).rstrip())
    counts = ("overclaimed_count", "underclaimed_count", "unverifiable_count", "demoted_count", "overdue_count")
    said = ", ".join(f"{name} {told.backlog[name]}" for name in counts)
    return [*lines, "", f"{said}; as of {told.as_of}", "`assay calibration show THRESHOLD` tells what to do next"]


def _status(row: Mapping[str, Any]) -> str:
    fallen = row["effective"] != row["claimed"]
    return f"{row['effective']} (claimed {row['claimed']})" if fallen else str(row["effective"])


def _one(row: Mapping[str, Any], as_of: str) -> list[str]:
    found, claim = row["recomputed"], row["claim"]
    facts = {
        "value": f"{row['value']} {row['unit']} ({row['kind']}), at {row['pointer']}",
        "status": _status(row),
        "because": "; ".join(row["why"]),
        "answers for it": row["owner"],
        "last note": f"{row['note']}, which gave it {row['noted']}" if row["note"] else "none that counts",
        "sample note": row["sample_note"],
        "backtest note": row["backtest_note"],
        "claimed": claim and f"{claim['sample_n']} events, mean {claim['mean_return']}, on {claim['made_on']}",
        "the bars give": found and _found(found),
        "verdict": row["verdict"],
        "plans on it": ", ".join(row["plans"]),
        "review by": f"{row['review_on']}{', overdue' if row['overdue'] else ''}",
        "next": row["next"],
    }
    width = max(map(len, facts))
    lines = [row["id"], *(f"  {name:<{width}}  {told}" for name, told in facts.items() if told)]
    if found and found["n"] and found["mean_return"] is not None and claim is None:
        said = f'{{made_on: "{as_of[:10]}", sample_n: {found["n"]}, mean_return: "{found["mean_return"]}"}}'
        lines += [f"to claim what the bars give, write below it in {_REGISTRY}:", f"    claim: {said}"]
    return lines


def _found(found: Mapping[str, Any]) -> str:
    sure = "no interval" if found["low"] is None else f"{found['low']} to {found['high']}, p {found['adjusted_p']}"
    return f"{found['n']} events up to {found['until']}, mean {found['mean_return']} ({sure}), by {found['study']}"
