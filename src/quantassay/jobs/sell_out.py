"""Clear an account: sell all that may be sold, once a person at a terminal has typed the account's number.

It is no part of any day: it has no plan behind it, stands in no schedule, and is written down as a clearing. The orders
go the way of all orders, and every limit holds for them; what is too large for one order is left for another clearing.
"""

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.domain.market import price_rules, sessions
from quantassay.domain.planning.costs import Costs, charge, costs_on
from quantassay.domain.trading.book import Book, Position
from quantassay.errors import AssayError
from quantassay.harness import canonical
from quantassay.harness.inputs import Inputs
from quantassay.jobs import desk as desks
from quantassay.jobs import execution, lease, trade, trade_checks
from quantassay.jobs.trade_checks import MarketClosed
from quantassay.jobs.trading_desk import Desk, Work
from quantassay.kis.connection import fingerprint
from quantassay.store.journal import Journal, journal_file

TOOL = "tools/sell_out.py"
Ask = Callable[[str], str]
Tell = Callable[[str], None]
_REASON = ("close_average", "momentum", "volume", "volume_average", "foreign_sum")


class NoTerminal(AssayError):
    """A clearing that nobody sits before."""

    def __init__(self) -> None:
        super().__init__("an account is cleared by a person at a terminal, and never from a schedule or a pipe")


class NotByHand(AssayError):
    """A desk that does not let anybody clear an account by hand."""

    def __init__(self) -> None:
        super().__init__(f"spec/27_trading.yaml does not list {TOOL} under by_hand, so no account is cleared with it")


class NotConfirmed(AssayError):
    """A person who did not type the number of the account."""

    exit_code = 1

    def __init__(self) -> None:
        super().__init__("that is not the number of this account; nothing was sent")


@dataclass(frozen=True, slots=True)
class Clearing:
    """What was asked for: which account, and the time to rehearse at."""

    account: str = ""
    at: str = ""


def main(argv: Sequence[str], ask: Ask | None = None, tell: Tell = print) -> int:
    """Clear an account of the desk that we are in; the exit code. Without `ask`, a person at a terminal is asked."""
    reader = argparse.ArgumentParser(prog="sell_out.py", description="Sell all that an account holds.")
    reader.add_argument("--account", default="", metavar="ID", help="an account of spec/20_accounts.yaml")
    reader.add_argument("--at", default="", metavar="INSTANT", help="the time to rehearse at")
    said = reader.parse_args(list(argv))
    try:
        if ask is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise NoTerminal
        return sell_out(Path(), Clearing(said.account, said.at), ask or input, tell)
    except AssayError as error:
        sys.stderr.write(f"sell_out: {error}\n")
        return error.exit_code


def sell_out(folder: Path, clearing: Clearing, ask: Ask, tell: Tell) -> int:
    """Show what is held, ask for the account's number, and sell; 0 where all that was to be sold was.

    Raises NotByHand, NotConfirmed, TradeRefused, AccountHeld, what the connection to the broker raises, Unreadable.
    """
    inputs = desks.built(folder)
    if TOOL not in inputs.value("trading")["by_hand"]:
        raise NotByHand
    account, environment = trade.account_of(inputs, clearing.account)
    clock = trade.clock_for(clearing.at, account, environment)
    with Journal(journal_file(inputs.workspace.data)) as journal:
        desk = trade.desk_of(inputs, account, journal, clock)
        with lease.held(account, desk.broker.certificate, journal, clock, TOOL) as fence:
            for refusal in _refusals(desk, account):
                raise refusal
            book = desk.broker.book()
            work = Work(account, "", "", _plan(inputs, desk, account, book))
            if not work.data["orders"]:
                tell(f"{account} holds nothing that may be sold")
                return 0
            _confirm(desk, work, ask, tell)
            by = {"by": getpass.getuser(), "account": account}
            journal.append(clock.now(), "clearing", account=account, body=by, fence=fence)
            work = Work(account, canonical.digest(dict(work.data)), "", work.data)
            outcome = execution.execute(work, desk, fence)
    for one in outcome.told:
        wish = one.line.wish
        tell(f"{wish.ticker}: {one.line.filled} of {wish.quantity} sold, {one.state} {one.why}".rstrip())
    return 0 if outcome.ok else 1


def _refusals(desk: Desk, account: str) -> list[trade_checks.TradeRefused]:
    why = desk.why_closed()
    return [*trade_checks.of_desk(desk, account), *([MarketClosed(why)] if why else [])]


def _confirm(desk: Desk, work: Work, ask: Ask, tell: Tell) -> None:
    """Show what would be sold and have the account's number typed. Raises NotConfirmed."""
    tell(f"{work.account} ({desk.broker.certificate.environment}) would sell:")
    for row in work.data["orders"]:
        tell(f"  {row['ticker']} {row['name']}: {row['quantity']} at {row['limit_price']:,} or more")
    typed = ask("type the account's number to sell all of this: ").strip()
    own = desk.broker.certificate
    # An account on paper has no number: its name stands for one.
    is_own = typed == work.account if own.host == "paper" else fingerprint(typed) == own.account
    if not is_own:
        raise NotConfirmed


def _plan(inputs: Inputs, desk: Desk, account: str, book: Book) -> dict[str, Any]:
    """A plan of sells in the form of a plan for the next open, which is marked as a clearing."""
    day = desk.day()
    costs = costs_on(inputs.value("costs"), day)
    held = [one for one in book.positions if one.sellable]
    orders = [_order(desk, (line, one), book, costs) for line, one in enumerate(held, 1)]
    return {
        "plan_id": f"XKRX-{day}-{account}-clearing",
        "clearing": True,
        "account": {"id": account, "environment": desk.broker.certificate.environment, "currency": "KRW"},
        "market": "XKRX",
        "created_at": desk.clock.now().isoformat(),
        "execution_session": day.isoformat(),
        "opens_at": sessions.hours(desk.market.calendar, day).open.isoformat(),
        "costs": {"fee_bps": costs.fee_bps, "slippage_bps": costs.slippage_bps, "sell_tax_bps": costs.sell_tax_bps},
        "orders": [row for row in orders if row["quantity"]],
        "budget": {"cash_buffer": 0},
    }


def _order(desk: Desk, what: tuple[int, Position], book: Book, costs: Costs) -> dict[str, Any]:
    """A sell of as much as one order may be worth, down to the widest price that the collar allows."""
    line, held = what
    quote, terms, market = desk.broker.quote(held.ticker), desk.terms.limits, desk.market
    least = max(quote.lower, quote.last - int(quote.last * terms.collar["sell"]))
    price = price_rules.round_up(market.rules, least, desk.day(), market.kind)
    most = min(terms.largest_order, int(terms.largest_share * book.equity)) // price
    quantity = min(held.sellable, most)
    value = quantity * price
    return {
        "line": line,
        "ticker": held.ticker,
        "name": held.name or held.ticker,
        "side": "sell",
        "quantity": quantity,
        "reference_close": quote.last,
        "limit_low": quote.lower,
        "limit_high": quote.upper,
        "limit_price": price,
        "open_low": None,
        "open_high": None,
        "value": value,
        "fee": charge(value, costs.fee_bps),
        "tax": charge(value, costs.sell_tax_bps),
        "slippage": charge(quantity * quote.last, costs.slippage_bps),
        "reason": {"rule": "clearing sell", "because": [], **dict.fromkeys(_REASON)},
    }
