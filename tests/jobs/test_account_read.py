"""The account that plans are built on, taken from the newest reading of its broker in the journal."""

from datetime import datetime
from decimal import Decimal

import pytest
import yaml

from quantassay.domain.trading.book import Book, Certificate, Position
from quantassay.domain.trading.reconcile import book_body
from quantassay.harness import canonical, rooms
from quantassay.jobs import desk as opening
from quantassay.jobs import market
from quantassay.store.journal import Journal, journal_file

AT = datetime.fromisoformat("2026-11-18T06:42:03.5+00:00")
# Gates that hold something against the account.
COMPARING = [
    "buys_within_cash", "credentials_policy", "packet_rederived", "plan_rederived", "position_and_value_caps",
    "positions_of_holdings", "sell_inputs_of_holdings", "sell_signals_of_holdings", "sells_within_holdings",
    "universe_rederived",
]  # fmt: skip


def book(cash=5_000_000, environment="paper", **positions):
    held = tuple(
        Position(ticker.removeprefix("_"), "a name", quantity, quantity, Decimal(price), 100)
        for ticker, (quantity, price) in positions.items()
    )
    certificate = Certificate(environment, "", "", "aaaaaaaaaaaa", "")
    return Book(AT, held, cash, cash + 7, cash + 9, 1, certificate)


def write(desk, one, account="desk"):
    with Journal(journal_file(desk.root / "data")) as journal:
        return journal.append(AT, "book", account=account, body=book_body(one)).seq


def handed(desk):
    return opening.built(desk.root).handed["account_snapshot"]


@pytest.fixture
def paper(desk, edit):
    """The sample desk, trading its paper account."""
    edit(desk, "spec/10_desk.yaml", "account: auto", "account: desk")
    return desk


def of_spec(desk, account):
    accounts = yaml.safe_load((desk.root / "spec/20_accounts.yaml").read_text())["accounts"]
    return next(one for one in accounts if one["id"] == account)


def test_the_newest_reading_takes_the_place_of_what_the_spec_says(paper):
    assert handed(paper).load() == of_spec(paper, "desk")
    write(paper, book(cash=1))
    write(paper, book(_990210=(30, "44100"), _990040=(800, "1720.2500")), "another")
    write(paper, book(_990210=(30, "44100"), _990040=(800, "1720.2500"), _990050=(0, "1")))
    found = handed(paper)
    assert found.load() == {
        "id": "desk",
        "environment": "paper",
        "currency": "KRW",
        "as_of": "2026-11-18T15:42:03+09:00",
        "cash": 5_000_000,
        "holdings": [
            {"ticker": "990040", "quantity": 800, "average_price": "1720.25"},
            {"ticker": "990210", "quantity": 30, "average_price": 44100},
        ],
    }
    assert found.digest == canonical.digest(found.load())
    inputs = opening.built(paper.root)
    schema = inputs.schema("accounts")["properties"]["accounts"]["items"]["properties"]
    assert set(found.load()) <= set(schema)
    assert ("account desk", "paper, seen 2026-11-18T15:42:03+09:00, event 3 of the journal") in list(
        market.ages(inputs)
    )


def test_explain_tells_the_event_of_the_journal(paper):
    write(paper, book(_990210=(30, "44100")))
    explain, event = handed(paper).explain, "data/journal.sqlite3 event 1 (book) of 2026-11-18T06:42:03.500000+00:00"
    told = "ticker 990210, name a name, quantity 30, sellable 30, average_price 44100, last_price 100"
    assert explain("/holdings/990210/quantity") == [f"{event}: {told}"]
    assert explain("/holdings/0/quantity") == [f"{event}: {told}"]
    assert explain("/holdings/990999") == [f"{event}: 990999 is not held"]
    assert explain("/cash") == [f"{event}: cash 5000000, once all that was traded is settled"]
    assert explain("") == explain("/holdings") == [f"{event}: 1 names held, cash 5000000"]


def test_money_that_is_owed_leaves_nothing_to_spend(paper):
    write(paper, book(cash=-5))
    assert handed(paper).load()["cash"] == 0


def test_a_reading_of_another_environment_is_not_that_of_this_account(paper):
    write(paper, book(environment="rehearsal", _990210=(30, "1")))
    assert handed(paper).load() == of_spec(paper, "desk")


def test_the_invented_account_stays_what_it_is_to_the_byte(desk):
    before = handed(desk)
    write(desk, book(environment="sample"), "sample")
    after = handed(desk)
    assert (after.load(), after.digest) == (before.load(), before.digest) == (of_spec(desk, "sample"), before.digest)


def test_the_number_by_which_an_account_is_known_stands_in_no_plan(paper, edit):
    edit(paper, "spec/20_accounts.yaml", "  - id: desk\n", '  - id: desk\n    number_fingerprint: "aaaaaaaaaaaa"\n')
    assert "number_fingerprint" not in handed(paper).load()


def test_a_plan_on_a_reading_has_its_holdings_money_and_time_and_the_gates_hold_it_against_them(paper):
    write(paper, book(cash=4_000_000, _990040=(800, "1720"), _990210=(30, "44100"), _990380=(70, "21800.5")))
    assert paper.run("build", "universe", "snapshot_admin_approval_packet", "qualitative_sell_inputs",
                     "next_open_plan", "approval_states", "signals").code == 0  # fmt: skip
    plan = paper.made("next_open_plan")["data"]
    as_of = "2026-11-18T15:42:03+09:00"
    assert plan["account"] == {"id": "desk", "environment": "paper", "currency": "KRW", "as_of": as_of}
    assert (plan["budget"]["cash_before"], plan["budget"]["positions_before"]) == (4_000_000, 3)
    held = {row["ticker"]: row["quantity"] for row in paper.made("positions")["data"]["rows"]}
    assert held == {"990040": 800, "990210": 30, "990380": 70}
    sells = [order for order in plan["orders"] if order["side"] == "sell"]
    assert sells
    assert all(order["quantity"] == held[order["ticker"]] for order in sells)
    inputs = opening.built(paper.root)
    for name in COMPARING:
        unit = inputs.rooms.validators[name]
        judged = list(rooms.load(unit).check(**{one: inputs.value(one) for one in unit.parameters}))
        assert judged, name
        assert [one for one in judged if not one.ok] == [], name
