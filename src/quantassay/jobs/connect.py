"""The broker of an account: which one it is, whether governance lets the desk reach it, and with what it is reached.

Everything is settled here before a connection is opened, and each thing that is not as it must be has its own refusal.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from quantassay.brokers.kis import KisBroker
from quantassay.brokers.paper import PaperBroker
from quantassay.brokers.port import Broker
from quantassay.domain.trading.book import Certificate
from quantassay.domain.trading.clock import Clock
from quantassay.domain.trading.paper_account import Holding, PaperAccount
from quantassay.errors import AssayError
from quantassay.harness.inputs import Inputs
from quantassay.jobs import approvals, kis_connection, secrets
from quantassay.jobs.paper_market import PaperMarket
from quantassay.kis.client import Client
from quantassay.kis.connection import Connection, ModeMismatch, fingerprint
from quantassay.kis.token import KOREA
from quantassay.store.paper_book import FILE, PaperBook

Kind = Literal["paper", "kis"]
# Which broker an account's environment has.
KINDS: Mapping[str, Kind] = {
    "sample": "paper",
    "paper": "paper",
    "rehearsal": "kis",
    "virtual": "kis",
    "real": "kis",
}
_WON = "KRW"
# The pins that real money cannot be reached without, with the file that holds each.
_PINS = {
    "account": ("number_fingerprint", "spec/20_accounts.yaml"),
    "key": ("key_fingerprint", "governance/credentials.yaml"),
}


class NoSuchAccount(AssayError):
    """An account that the desk does not keep, or keeps twice."""

    def __init__(self, wanted: str, known: list[str]) -> None:
        if wanted in known:
            super().__init__(
                f"spec/20_accounts.yaml holds two accounts with the id {wanted!r}; give one of them another"
            )
            return
        super().__init__(f"there is no account {wanted!r}; spec/20_accounts.yaml has {', '.join(known)}")


class WrongBroker(AssayError):
    """A broker that does not serve this account."""

    def __init__(self, account: str, environment: str, kind: str) -> None:
        there = KINDS[environment]
        super().__init__(
            f"the account {account} is one of the environment {environment}, which the {there} broker serves, and not "
            f"{kind}; leave --broker out, or name an account of the other"
        )


class WrongMoney(AssayError):
    """An account in money that no broker here trades in."""

    def __init__(self, account: str, currency: str) -> None:
        super().__init__(
            f"the account {account} is kept in {currency}, and orders are sent for accounts in {_WON} only"
        )


class NotAllowed(AssayError):
    """A server that governance does not let the desk reach; no connection was opened."""

    exit_code = 1

    def __init__(self, account: str, environment: str, why: str) -> None:
        super().__init__(f"the {environment} account {account} is not reached: {why}")


class AnswersTooLate(AssayError):
    """Waits that contradict each other: an order would be given up while its answer may still come."""

    def __init__(self, longest_s: float, waited_s: float) -> None:
        super().__init__(
            f"by spec/28_brokers.yaml an answer to an order may take {longest_s:g} s (its turn, the connection, the "
            f"answer), and waits/answer of spec/27_trading.yaml is {waited_s:g} s; make one shorter or the other longer"
        )


def broker(inputs: Inputs, account_id: str, clock: Clock, kind: Kind | None = None) -> Broker:
    """The broker of this account of spec/20_accounts.yaml, ready to be asked; no connection is opened yet.

    The account's environment decides which; `kind` may say it too, and must then say the same. `inputs` are those of a
    built desk where the broker is paper. Raises NoSuchAccount, WrongBroker, WrongMoney, NotAllowed, ModeMismatch,
    AnswersTooLate, what `secrets.kis_secrets` raises, NoPaperMarket.
    """
    account = _account(inputs, account_id)
    environment = str(account["environment"])
    if kind is not None and kind != KINDS[environment]:
        raise WrongBroker(account_id, environment, kind)
    if account["currency"] != _WON:
        raise WrongMoney(account_id, str(account["currency"]))
    if KINDS[environment] == "paper":
        return _paper(inputs, account, clock)
    return _kis(inputs, account, clock)


def _account(inputs: Inputs, wanted: str) -> Mapping[str, Any]:
    accounts: list[dict[str, Any]] = inputs.value("accounts")["accounts"]
    found = [one for one in accounts if one["id"] == wanted]
    if len(found) != 1:
        raise NoSuchAccount(wanted, [one["id"] for one in accounts])
    return found[0]


def _paper(inputs: Inputs, account: Mapping[str, Any], clock: Clock) -> PaperBroker:
    # Not by where the workspace lies, so that what is made of it has the same bytes on every machine.
    own = fingerprint(f"{inputs.settings['name']} {account['id']}")
    return PaperBroker(
        certificate=Certificate(account["environment"], "paper", "", own, ""),
        account=str(account["id"]),
        opening=PaperAccount(int(account["cash"]), _holdings(account)),
        kept=PaperBook(inputs.workspace.data / FILE),
        market=PaperMarket(inputs, inputs.value("brokers")["paper"]),
        clock=clock,
    )


def _holdings(account: Mapping[str, Any]) -> dict[str, Holding]:
    """The account's holdings; a name that stands twice, bought in two lots, is one."""
    held: dict[str, Holding] = {}
    for row in account["holdings"]:
        quantity, price = int(row["quantity"]), Decimal(str(row["average_price"]))
        before = held.get(row["ticker"], Holding(0, Decimal(0)))
        paid = before.quantity * before.average_price + quantity * price
        total = before.quantity + quantity
        held[row["ticker"]] = Holding(total, paid / total)
    return held


def _kis(inputs: Inputs, account: Mapping[str, Any], clock: Clock) -> KisBroker:
    environment, spec = account["environment"], inputs.value("brokers")
    pins = _allowed(inputs, account, clock.now().astimezone(KOREA).date())
    key, secret, number = secrets.kis_secrets(inputs.workspace.root, environment)
    _check_pins(account, pins, {"account": fingerprint(number), "key": fingerprint(key)})
    connection = kis_connection.connection(inputs, environment, (key, secret, number), pins["key"])
    _check_waits(inputs, connection)
    return KisBroker(Client(connection, clock), spec["book_age_s"])


def _allowed(inputs: Inputs, account: Mapping[str, Any], day: date) -> dict[str, str]:
    """The fingerprints that account and key must have (empty: any), if governance allows both. Raises NotAllowed."""
    name, environment = account["id"], account["environment"]
    credential = kis_connection.CREDENTIALS.get(environment)
    pins = {"account": str(account.get("number_fingerprint", "")), "key": ""}
    if credential is None:
        return pins
    permission = approvals.credential_allowed(inputs, credential, day)
    if permission.allowed and environment == "real":
        permission = approvals.account_approved(inputs, name, day)
    if not permission.allowed:
        raise NotAllowed(name, environment, permission.reason)
    return {**pins, "key": kis_connection.pinned_key(inputs, credential)}


def _check_pins(account: Mapping[str, Any], pins: Mapping[str, str], found: Mapping[str, str]) -> None:
    """That account and key are those which were approved; real money needs both written down. Raises ModeMismatch."""
    environment = account["environment"]
    for what, (member, file) in _PINS.items():
        if not pins[what] and environment == "real":
            why = f"{file} has no {member}, and real money is reached only with the {what} that was written down there"
            raise ModeMismatch(
                environment, why, f"the one here is {found[what]}: write it there if it is the right one"
            )
    if pins["account"] and pins["account"] != found["account"]:
        own = f"{pins['account']} is that of {account['id']}"
        why = f"the account number has the fingerprint {found['account']}, and {own}"
        raise ModeMismatch(environment, why, "give the number of this account, or correct spec/20_accounts.yaml")


def _check_waits(inputs: Inputs, connection: Connection) -> None:
    if "trading" in inputs.sources:
        waited = inputs.value("trading")["waits"]["answer"]
        if connection.longest_post_s > waited:
            raise AnswersTooLate(connection.longest_post_s, waited)
