"""Paper accounts on the disk: what was written once stays as it was, whoever writes it again."""

import sqlite3
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from quantassay.domain.trading.paper_account import Holding, PaperAccount, PaperOrder
from quantassay.domain.trading.paper_fills import Fill
from quantassay.store.paper_book import PaperBook
from quantassay.store.sqlite import DatabaseFault

ACCOUNT = PaperAccount(1_000_000, {"990010": Holding(30, Decimal("4000.2500"))})
ORDER = PaperOrder(1, date(2026, 11, 20), "090100", "990010", "sell", 20, 4_700)


@pytest.fixture
def book(tmp_path):
    kept = PaperBook(tmp_path / "data/paper.sqlite3")
    with kept.change("desk") as change:
        assert change.read() is None
        change.begin(ACCOUNT, "2026-11-20T09:00:00+09:00")
    return kept


def read(book, account="desk"):
    with book.change(account) as change:
        return change.read()


def test_an_account_and_its_orders_are_read_as_they_were_written(book):
    filled = replace(ORDER, fill=Fill(12, 4_990, 9, 12), cancelled=8)
    with book.change("desk") as change:
        change.write(ORDER)
        change.write(filled)
        change.write(replace(ORDER, number=2, origin=1, quantity=8, price=0))
    assert read(book) == replace(ACCOUNT, orders=(filled, replace(ORDER, number=2, origin=1, quantity=8, price=0)))
    assert read(book, "another") is None


def test_what_was_kept_of_an_order_is_not_written_over(book):
    with book.change("desk") as change:
        change.write(replace(ORDER, fill=Fill(12, 4_990, 9, 12)))
    with book.change("desk") as change:
        change.write(replace(ORDER, quantity=99, fill=Fill(20, 1, 0, 0)))
    (kept,) = read(book).orders
    assert (kept.quantity, kept.fill) == (20, Fill(12, 4_990, 9, 12))


def test_a_change_that_fails_in_the_middle_leaves_nothing(book):
    def broken():
        with book.change("desk") as change:
            change.write(ORDER)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert read(book).orders == ()


@pytest.mark.parametrize("wrong", [{"quantity": 0}, {"side": "hold"}, {"fill": Fill(0, 1, 0, 0)}])
def test_what_cannot_be_is_not_kept(book, wrong):
    def write():
        with book.change("desk") as change:
            change.write(replace(ORDER, **wrong))

    with pytest.raises(DatabaseFault):
        write()
    assert read(book).orders == ()


def test_the_file_is_the_owners_alone(book):
    assert book.path.stat().st_mode & 0o077 == 0
    with sqlite3.connect(book.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
