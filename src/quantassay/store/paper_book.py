"""What paper accounts began with, and their orders and fills, in a database that outlives the program.

A fill is kept as it was made: a bar that is imported again with another price changes nothing that was traded.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantassay.domain.trading.paper_account import Holding, PaperAccount, PaperOrder
from quantassay.domain.trading.paper_fills import Fill
from quantassay.store import sqlite

FILE = "paper.sqlite3"
MIGRATIONS = (
    """
    CREATE TABLE accounts (
        id TEXT PRIMARY KEY, opened_at TEXT NOT NULL, cash INTEGER NOT NULL CHECK (cash >= 0)
    ) STRICT;
    CREATE TABLE holdings (
        account TEXT NOT NULL REFERENCES accounts,
        ticker TEXT NOT NULL,
        quantity INTEGER NOT NULL CHECK (quantity > 0),
        average_price TEXT NOT NULL,
        PRIMARY KEY (account, ticker)
    ) STRICT;
    CREATE TABLE orders (
        account TEXT NOT NULL REFERENCES accounts,
        number INTEGER NOT NULL CHECK (number > 0),
        day TEXT NOT NULL,
        time TEXT NOT NULL,
        ticker TEXT NOT NULL,
        side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
        quantity INTEGER NOT NULL CHECK (quantity > 0),
        price INTEGER NOT NULL CHECK (price >= 0),
        origin INTEGER NOT NULL,
        PRIMARY KEY (account, number)
    ) STRICT;
    CREATE TABLE fills (
        account TEXT NOT NULL,
        number INTEGER NOT NULL,
        quantity INTEGER NOT NULL CHECK (quantity > 0),
        price INTEGER NOT NULL CHECK (price > 0),
        fee INTEGER NOT NULL CHECK (fee >= 0),
        tax INTEGER NOT NULL CHECK (tax >= 0),
        PRIMARY KEY (account, number),
        FOREIGN KEY (account, number) REFERENCES orders
    ) STRICT;
    CREATE TABLE endings (
        account TEXT NOT NULL,
        number INTEGER NOT NULL,
        cancelled INTEGER NOT NULL CHECK (cancelled > 0),
        PRIMARY KEY (account, number),
        FOREIGN KEY (account, number) REFERENCES orders
    ) STRICT;
    """,
)
_ORDERS = """
    SELECT o.number, o.day, o.time, o.ticker, o.side, o.quantity, o.price, o.origin,
           f.quantity, f.price, f.fee, f.tax, coalesce(e.cancelled, 0)
    FROM orders o LEFT JOIN fills f USING (account, number) LEFT JOIN endings e USING (account, number)
    WHERE o.account = ? ORDER BY o.number
"""


@dataclass(frozen=True, slots=True)
class PaperBook:
    """The paper accounts of a workspace; every question and every change opens the file anew."""

    path: Path

    @contextlib.contextmanager
    def change(self, account: str) -> Iterator["Change"]:
        """All that is read and written within happens at once, or not at all. Raises DatabaseFault, SqliteTooOld."""
        with contextlib.closing(sqlite.connect(self.path, MIGRATIONS)) as connection, sqlite.transaction(connection):
            yield Change(connection, account)


@dataclass(frozen=True, slots=True)
class Change:
    """One account, while nobody else can change it."""

    connection: sqlite3.Connection
    account: str

    def read(self) -> PaperAccount | None:
        """The account as it is now; None where it was never opened."""
        row = self.connection.execute("SELECT cash FROM accounts WHERE id = ?", (self.account,)).fetchone()
        if row is None:
            return None
        held = self.connection.execute(
            "SELECT ticker, quantity, average_price FROM holdings WHERE account = ? ORDER BY ticker", (self.account,)
        )
        orders = self.connection.execute(_ORDERS, (self.account,))
        holdings = {ticker: Holding(quantity, Decimal(price)) for ticker, quantity, price in held}
        return PaperAccount(row[0], holdings, tuple(map(_order, orders)))

    def begin(self, account: PaperAccount, at: str) -> None:
        """Open the account with this cash and these holdings."""
        self.connection.execute("INSERT INTO accounts VALUES (?, ?, ?)", (self.account, at, account.cash))
        self.connection.executemany(
            "INSERT INTO holdings VALUES (?, ?, ?, ?)",
            [(self.account, ticker, one.quantity, str(one.average_price)) for ticker, one in account.holdings.items()],
        )

    def write(self, order: PaperOrder) -> None:
        """Keep a new order, or what has become of one that is kept; what was kept of it before stays."""
        key = (self.account, order.number)
        self.connection.execute(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                *key,
                order.day.isoformat(),
                order.time,
                order.ticker,
                order.side,
                order.quantity,
                order.price,
                order.origin,
            ),
        )
        if order.fill:
            fill = order.fill
            self.connection.execute(
                "INSERT INTO fills VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*key, fill.quantity, fill.price, fill.fee, fill.tax),
            )
        if order.cancelled:
            self.connection.execute(
                "INSERT INTO endings VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (*key, order.cancelled)
            )


def _order(row: tuple[Any, ...]) -> PaperOrder:
    number, day, time, ticker, side, quantity, price, origin, *fill, cancelled = row
    filled = Fill(*fill) if fill[0] is not None else None
    return PaperOrder(number, date.fromisoformat(day), time, ticker, side, quantity, price, origin, filled, cancelled)
