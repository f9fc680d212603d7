"""Kill a trading process with SIGKILL at every step, with every fault of the practice server, and look at the book.

    python tests/crash/matrix.py [--every N]

A combination is a scenario, a fault of the server and a point at which the process dies: before and after each line of
the journal, before and after each question to the broker and each order. The process is started again until the plan is
finished. Where nobody can know whether an order was taken, a person decides, who sees what the server really booked.
Afterwards the server's book must hold exactly the planned orders, each once, and the journal must know them all.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from quantassay.domain.trading.orders import TERMINAL, State
from quantassay.kis import rehearsal
from quantassay.sandbox.faults import Fault
from quantassay.sandbox.gateway import NO_LIMITS
from quantassay.sandbox.serve import serve
from quantassay.store.journal import Journal
from tests.crash.forks import KILLED, Nursery
from tests.crash.trader import ACCOUNT, BETWEEN, PRICES, SCENARIOS, trade
from tests.fakes.practice import DAY, at, practice_exchange
from tests.fakes.trading import FakeClock

RESTARTS = 12
LATER = timedelta(minutes=60)
# Of points of one name, as while the orders are looked at again and again, the first ones and the last one.
ALIKE = 3


FAULTS = {
    "none": (),
    "timeout_before": (Fault("buy", "timeout_before", seconds=0.3),),
    "timeout_after": (Fault("sell", "timeout_after", seconds=0.3),),
    "timeout_after_buy": (Fault("buy", "timeout_after", seconds=0.3),),
    "reset_before": (Fault("sell", "reset_before"),),
    "reset_after": (Fault("sell", "reset_after"),),
    "reset_after_buy": (Fault("buy", "reset_after"),),
    "http_500_body": (Fault("sell", "http_500_body"),),
    "http_500_empty": (Fault("buy", "http_500_empty"),),
    "http_500_after": (Fault("sell", "http_500_after"),),
    "http_500_empty_after": (Fault("buy", "http_500_empty_after"),),
    "gateway_timeout_before": (Fault("sell", "gateway_timeout_before"),),
    "gateway_timeout_after": (Fault("buy", "gateway_timeout_after"),),
    "broken_body_after": (Fault("sell", "broken_body_after"),),
    "rate_limited": (Fault("sell", "rate_limited"),),
    "ledger_limited": (Fault("buy", "ledger_limited"),),
    "token_revoked": (Fault("sell", "token_revoked"),),
    "token_expired": (Fault("buy", "token_expired"),),
    "maintenance": (Fault("sell", "maintenance", requests=3),),
    "late_accept": (Fault("sell", "late_accept", requests=4, answer="reset"),),
    "late_accept_buy": (Fault("buy", "late_accept", requests=4, answer="http_500_body"),),
    "late_fill": (Fault("sell", "late_fill", requests=3),),
    "partial_fill": (Fault("buy", "partial_fill", shares=7, requests=3),),
    "duplicate_row": (Fault("day_orders", "duplicate_row", nth=((1, None),)),),
    "empty_fills": (Fault("day_orders", "empty_fills", nth=((1, None),)),),
    "page_2_fails": (Fault("balance", "page_2_fails", nth=((1, 2),)),),
    "repeated_page": (Fault("balance", "repeated_page", nth=((2, 2),)),),
    "lagging_holdings": (Fault("balance", "lagging_holdings", nth=((2, 2),), requests=4),),
    "empty_fills_reset_after": (
        Fault("day_orders", "empty_fills", nth=((1, None),)),
        Fault("buy", "reset_after"),
    ),
}


@dataclass(frozen=True)
class Combination:
    """What happens in a run, and how it came out: what is wrong (nothing, if all is well), and what it took."""

    scenario: str
    fault: str
    kill: int
    point: str
    killed: bool
    wrong: tuple
    duplicates: int
    lost: int
    persons: int
    starts: int


class Matrix:
    """Runs combinations on one practice server; `nursery` was made before anything else."""

    def __init__(self, nursery, folder):
        self.nursery, self.root = nursery, Path(folder)
        self._number = 0

    def points(self, server, scenario, fault_name):
        """The names of all points of an undisturbed process with this fault."""
        folder = self._begin(server, scenario, fault_name)
        self.nursery.run(self._job(server, scenario, folder, 0, log=True))
        return (folder / "points").read_text().splitlines()

    def run(self, server, scenario, fault_name, kill, point, *, at_once=1):
        """Kill one process at a point, start others until all is done, and judge; `at_once` begin together."""
        folder = self._begin(server, scenario, fault_name)
        first = [self._job(server, scenario, folder, 0, name=str(n), kill=kill) for n in range(at_once)]
        codes = self.nursery.run(*first)
        persons, go_on = 0, False
        for number in range(1, RESTARTS + 1):
            server.exchange.clock.sleep(BETWEEN.total_seconds())
            self.nursery.run(self._job(server, scenario, folder, number, go_on=go_on))
            with Journal(folder / "journal.sqlite3") as journal:
                doubted = self._doubted(journal)
                if doubted and number >= 3:
                    persons += self._decide(server, journal, doubted, number)
                    go_on = True
                elif not doubted and self._is_over(journal, scenario) and (kill or number >= 9):
                    break
        with Journal(folder / "journal.sqlite3") as journal:
            wrong, duplicates, lost = judged(server.exchange, journal, scenario)
        shutil.rmtree(folder)
        return Combination(
            scenario.name, fault_name, kill, point, KILLED in codes, tuple(wrong), duplicates, lost, persons, number + 1
        )

    def _begin(self, server, scenario, fault_name):
        self._number += 1
        folder = self.root / f"run{self._number}"
        (folder / "state").mkdir(parents=True, mode=0o700)
        with Journal(folder / "journal.sqlite3") as journal:
            journal.append(at("08:30"), "armed", account=ACCOUNT, body={"by": "Kim Mina", "why": "crash matrix"})
        exchange = practice_exchange(FakeClock(at("09:01")), PRICES, cash=scenario.cash, holdings=scenario.held)
        server.reset(exchange, FAULTS[fault_name])
        return folder

    def _job(self, server, scenario, folder, number, **more):
        same = {"url": server.url, "state": str(folder / "state"), "folder": str(folder), "scenario": scenario.name}
        return {**same, "round": number, "name": "0", **more}

    def _doubted(self, journal):
        return {name: one for name, one in journal.orders().items() if one.state in (State.SENT, State.UNKNOWN)}

    def _is_over(self, journal, scenario):
        orders = journal.orders().values()
        tried = {one.intent.key.line for one in orders}
        return len(tried) == len(scenario.orders) and all(one.state in TERMINAL for one in orders)

    def _decide(self, server, journal, doubted, number):
        """A person looks into the broker's books, long after the last request, and says what became of each order."""
        when = at("09:01") + LATER + timedelta(minutes=number)
        owned = {int(one.number) for one in journal.orders().values() if one.number}
        for name, one in doubted.items():
            wanted = (one.intent.ticker, one.intent.side, one.intent.quantity)
            like = [
                booked
                for booked in server.exchange.orders(rehearsal.ACCOUNT)
                if (booked.ticker, booked.side, booked.quantity) == wanted and int(booked.number) not in owned
            ]
            said = {"by": "Kim Mina", "why": "seen in the broker's own terminal"}
            if like:
                owned.add(int(like[0].number))
                body = {"number": like[0].number, "branch": "00950", "day": DAY.isoformat(), "how": "person", **said}
                journal.append(when, "found", account=ACCOUNT, order=name, body=body)
            else:
                journal.append(when, "not_placed", account=ACCOUNT, order=name, body={**said, "seen": "no such order"})
        return len(doubted)


def judged(exchange, journal, scenario):
    """What is wrong with the broker's book, how many orders are there twice, and how many nobody knows of."""
    wrong = list(journal.check())
    booked = [one for one in exchange.orders(rehearsal.ACCOUNT) if not one.change]
    planned = Counter((one["ticker"], one["side"], one["quantity"]) for one in scenario.orders)
    held = Counter((one.ticker, one.side, one.quantity) for one in booked)
    duplicates, missing = (held - planned).total(), (planned - held).total()
    known = {int(one.number) for one in journal.orders().values() if one.number}
    unnumbered = Counter(
        (one.intent.ticker, one.intent.side) for one in journal.orders().values() if not one.number and one.filled
    )
    unknown = Counter((one.ticker, one.side) for one in booked if int(one.number) not in known) - unnumbered
    for what, count in (("orders too many", duplicates), ("planned orders missing", missing)):
        if count:
            wrong.append(f"{count} {what}: {dict(held)}")
    if unknown:
        wrong.append(f"the journal does not know {dict(unknown)}")
    short = [one for one in booked if one.filled != one.quantity]
    wrong += [f"{one.ticker} {one.side}: {one.filled} of {one.quantity} filled" for one in short]
    if exchange.cash(rehearsal.ACCOUNT) < 0:
        wrong.append(f"cash is {exchange.cash(rehearsal.ACCOUNT)}")
    wrong += [f"{ticker}: {count} held" for ticker, count in exchange.positions(rehearsal.ACCOUNT).items() if count < 0]
    journaled = Counter()
    for one in journal.orders().values():
        journaled[one.intent.ticker] += one.filled if one.intent.side == "buy" else -one.filled
    opened = {ticker: count for ticker, (count, _) in scenario.held.items()}
    ours = {t: opened.get(t, 0) + journaled[t] for t in {*opened, *journaled} if opened.get(t, 0) + journaled[t]}
    if ours != exchange.positions(rehearsal.ACCOUNT):
        wrong.append(f"the journal counts {ours}, the broker {exchange.positions(rehearsal.ACCOUNT)}")
    return wrong, duplicates, unknown.total()


def chosen(points):
    """The points to die at, each as its number and its name."""
    numbers = {}
    for number, name in enumerate(points, 1):
        numbers.setdefault(name, []).append(number)
    return sorted((one, name) for name, all_ in numbers.items() for one in {*all_[:ALIKE], all_[-1]})


def combinations(matrix, server, every=1, faults=FAULTS):
    """Every combination, or every nth; one generator for the command and for the tests."""
    number = 0
    for scenario in SCENARIOS:
        for fault_name in faults:
            for kill, point in chosen(matrix.points(server, scenario, fault_name)):
                number += 1
                if number % every == 0:
                    yield matrix.run(server, scenario, fault_name, kill, point)


def crowds(matrix, server, every=1, faults=FAULTS):
    """The same plan by several processes at once, and then again and again: one set of orders."""
    for scenario in SCENARIOS:
        for fault_name in list(faults)[:: 1 + every // 10]:
            yield matrix.run(server, scenario, fault_name, 0, "at once", at_once=3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="only every nth combination")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only with this fault")
    asked = parser.parse_args()
    begun, found = time.monotonic(), []
    shm = Path("/dev/shm")
    with Nursery(trade) as nursery, tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as folder:
        exchange = practice_exchange(FakeClock(at("09:01")), PRICES)
        with serve(exchange, limits=NO_LIMITS) as server:
            matrix = Matrix(nursery, folder)
            faults = asked.fault or FAULTS
            for one in (
                *combinations(matrix, server, asked.every, faults),
                *crowds(matrix, server, asked.every, faults),
            ):
                found.append(one)
                for wrong in one.wrong:
                    print(f"{one.scenario}, {one.fault}, killed {one.point} ({one.kill}): {wrong}", flush=True)
    per_fault = Counter(one.fault for one in found)
    for name, count in per_fault.items():
        mine = [one for one in found if one.fault == name]
        print(f"{name:24} {count:5} combinations, {sum(one.persons > 0 for one in mine):4} needed a person")
    bad, persons = sum(bool(one.wrong) for one in found), sum(one.persons > 0 for one in found)
    duplicates, lost = sum(one.duplicates for one in found), sum(one.lost for one in found)
    killed = sum(one.killed for one in found)
    print(
        f"{len(found)} combinations, {killed} killed with SIGKILL, {time.monotonic() - begun:.0f} s: "
        f"{duplicates} duplicates, {lost} lost, {bad} wrong; a person decided in {persons}"
    )
    return 1 if bad or not found else 0


if __name__ == "__main__":
    sys.exit(main())
