"""Which plan is to be carried out: the gated one that lies there, or the one in the journal that was begun with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from quantassay.domain.trading.desk_state import DeskState, Run
from quantassay.errors import AssayError
from quantassay.harness import files, ledger, plan_loader
from quantassay.harness.inputs import Inputs
from quantassay.harness.plan_loader import PlanRefused, Trust
from quantassay.jobs.gate import LEDGER
from quantassay.store.bars_index import SAMPLE
from quantassay.store.journal import Journal

PLAN = "next_open_plan"
MARKET, WON = "XKRX", "KRW"
# Where a plan that was made of invented bars may be carried out: nothing of it leaves this machine.
INVENTED = ("sample", "rehearsal")


class NothingBegun(AssayError):
    """A run that is to be continued and never was begun."""

    exit_code = 1

    def __init__(self, account: str, day: date) -> None:
        super().__init__(
            f"no plan was begun for {account} on {day}, so there is nothing to continue; leave --continue out"
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """A plan: the digests of its file and of its gate record, and the plan itself.

    `begun` says that it stands in the journal, from where it is taken then: it was checked when it was begun.
    """

    digest: str
    record: str
    data: Mapping[str, Any]
    begun: bool


def chosen(inputs: Inputs, journal: Journal, account: str, path: Path | None, *, go_on: bool, day: date) -> Chosen:
    """The plan of a file, or with `go_on` and no file the one that was begun for the account on this day.

    Raises PlanRefused, NothingBegun.
    """
    runs = planned(journal.desk(), account)
    if go_on and path is None:
        return _from_journal(_newest(runs, account, day))
    wanted = path or inputs.workspace.root / "Temp" / f"{PLAN}_v1.json"
    begun = next((run for run in runs if run.plan == _digest(wanted)), None)
    if begun is not None:
        return _from_journal(begun)
    return _gated(inputs, wanted)


def planned(state: DeskState, account: str) -> list[Run]:
    """The runs of an account that a plan of the desk stands behind: what a person cleared by hand is none of them."""
    return [run for run in state.runs.values() if run.account == account and not run.data.get("clearing")]


def _newest(runs: list[Run], account: str, day: date) -> Run:
    mine = [run for run in runs if run.session == day.isoformat()]
    if not mine:
        raise NothingBegun(account, day)
    return max(mine, key=lambda run: run.started_at)


def _digest(path: Path) -> str | None:
    try:
        return files.digest(path)
    except OSError:
        return None


def _from_journal(run: Run) -> Chosen:
    return Chosen(run.plan, str(run.body.get("record", "")), run.data, begun=True)


def _gated(inputs: Inputs, path: Path) -> Chosen:
    """A plan whose digest stands in the newest gate record, which is passed. Raises PlanRefused."""
    file = inputs.workspace.data / LEDGER
    if problems := ledger.check(file):
        raise PlanRefused(path, problems[0], "see `assay verify` for what is wrong with the ledger")
    last = ledger.last(file)
    loaded = plan_loader.load(path, PLAN, Trust(last.record if last else None), [SAMPLE])
    data = loaded.data
    if SAMPLE in loaded.envelope["marks"] and data["account"]["environment"] not in INVENTED:
        raise PlanRefused(
            path, f"it is marked {SAMPLE}", "only a sample account, or a rehearsal, trades on invented bars"
        )
    if data["market"] != MARKET or data["account"]["currency"] != WON:
        raise PlanRefused(
            path,
            f"it is for {data['market']} in {data['account']['currency']}, and only {MARKET} in {WON} is traded yet",
            "carry it out by hand",
        )
    return Chosen(loaded.digest, loaded.record, data, begun=False)
