"""The other inputs of the benchmarks: a table with 20 checks, and 100 specs with one schema."""

import json
import random
from datetime import date
from pathlib import Path

ROWS, SPECS = 20_000, 100
COLUMNS = "trade_id,trade_date,settle_date,ticker,side,quantity,price,notional,fee,currency,account,broker"

GATE = '''"""Every trade of the blotter is well formed and adds up."""
import re
from datetime import date

from quantassay.findings import judged

RULES = ["R01.1"]
TICKER, ACCOUNT, TRADE = (re.compile(p).fullmatch for p in (r"[0-9A-Z]{6}", r"A[0-9]{3}", r"T[0-9]{6}"))


def each(values, holds):
    """Whether it holds, row by row; each distinct value is looked at once."""
    truth = {value: bool(holds(value)) for value in set(values)}
    return [truth[value] for value in values]


def check(trades):
    ids, traded, settled = trades["trade_id"], trades["trade_date"], trades["settle_date"]
    quantities, prices, notionals, fees = (
        list(map(int, trades[name])) for name in ("quantity", "price", "notional", "fee")
    )
    days = {text: date.fromisoformat(text) for text in {*traded, *settled}}
    spans = list(zip(traded, settled))
    checks = {
        "there are trades": [len(ids) > 0],
        "trade_id is unique": [len(set(ids)) == len(ids)],
        "trade_id has its form": [TRADE(i) is not None for i in ids],
        "trade_date is in 2026": each(traded, lambda d: days[d].year == 2026),
        "trade_date is a weekday": each(traded, lambda d: days[d].weekday() < 5),
        "settle_date is a weekday": each(settled, lambda d: days[d].weekday() < 5),
        "settle_date is after trade_date": each(spans, lambda span: days[span[0]] < days[span[1]]),
        "settle_date is within a week": each(spans, lambda span: (days[span[1]] - days[span[0]]).days <= 7),
        "ticker has its form": each(trades["ticker"], TICKER),
        "tickers are at most 200": [len(set(trades["ticker"])) <= 200],
        "side is buy or sell": each(trades["side"], {"buy", "sell"}.__contains__),
        "quantity is positive": [q > 0 for q in quantities],
        "quantity is at most 10,000": [q <= 10_000 for q in quantities],
        "price is positive": [p > 0 for p in prices],
        "price is on its tick": [p % 10 == 0 for p in prices],
        "notional is price times quantity": [n == p * q for n, p, q in zip(notionals, prices, quantities)],
        "fee is not negative": [f >= 0 for f in fees],
        "fee is at most 0.1 % of notional": [f * 1000 <= n for f, n in zip(fees, notionals)],
        "currency is KRW": each(trades["currency"], "KRW".__eq__),
        "account has its form": each(trades["account"], ACCOUNT),
    }
    for name, rows in checks.items():
        row = None if all(rows) else rows.index(False)
        yield judged(f"/{row or 0}", ok=row is None, says=f"row {row}: not so that {name}", artifact="trades")
'''

RULES = """title: The blotter
rules:
  - id: "R01.1"
    statement: Trades are well formed and add up.
    why: What follows is computed from them.
    remedy: Have the blotter sent again.
    enforced_by: [blotter]
    severity: error
    waivable: false
"""

PANDERA = '''"""The same 20 checks as a pandera schema, as its documentation writes them."""
import sys

import pandas as pd
import pandera.pandas as pa

day = pa.Check(lambda s: s.dt.day_of_week < 5, name="weekday")
schema = pa.DataFrameSchema(
    {
        "trade_id": pa.Column(str, pa.Check.str_matches(r"^T[0-9]{6}$"), unique=True),
        "trade_date": pa.Column("datetime64[ns]", [pa.Check(lambda s: s.dt.year == 2026), day], coerce=True),
        "settle_date": pa.Column("datetime64[ns]", day, coerce=True),
        "ticker": pa.Column(str, [pa.Check.str_matches(r"^[0-9A-Z]{6}$"), pa.Check(lambda s: s.nunique() <= 200)]),
        "side": pa.Column(str, pa.Check.isin(["buy", "sell"])),
        "quantity": pa.Column(int, [pa.Check.gt(0), pa.Check.le(10_000)]),
        "price": pa.Column(int, [pa.Check.gt(0), pa.Check(lambda s: s % 10 == 0)]),
        "notional": pa.Column(int),
        "fee": pa.Column(int, pa.Check.ge(0)),
        "currency": pa.Column(str, pa.Check.eq("KRW")),
        "account": pa.Column(str, pa.Check.str_matches(r"^A[0-9]{3}$")),
        "broker": pa.Column(str),
    },
    checks=[
        pa.Check(lambda df: len(df) > 0),
        pa.Check(lambda df: df["settle_date"] > df["trade_date"]),
        pa.Check(lambda df: (df["settle_date"] - df["trade_date"]).dt.days <= 7),
        pa.Check(lambda df: df["notional"] == df["price"] * df["quantity"]),
        pa.Check(lambda df: df["fee"] * 1000 <= df["notional"]),
    ],
)
schema.validate(pd.read_csv(sys.argv[1], dtype={"ticker": str}), lazy=True)
'''


def table(folder: Path) -> Path:
    """A workspace with `trades.csv` and one gate of 20 checks, and the pandera script beside it."""
    for name in ("spec", "governance/rules", "validators"):
        (folder / name).mkdir(parents=True)
    (folder / "spec" / "00_workspace.yaml").write_text(
        'name: Blotter\nas_of: "2026-11-18T15:45:00+09:00"\nrooms: {standard: false, own: true}\n'
        "files:\n  trades: {path: trades.csv, format: csv}\n"
    )
    (folder / "governance" / "rules" / "01_blotter.yaml").write_text(RULES)
    (folder / "validators" / "blotter.py").write_text(GATE)
    (folder / "check_pandera.py").write_text(PANDERA)
    (folder / "trades.csv").write_text("\n".join([COLUMNS, *rows()]) + "\n")
    return folder


def rows() -> list[str]:
    """Trades that pass every check."""
    chance = random.Random(7)
    tickers = [f"{chance.randrange(1_000_000):06}" for _ in range(199)] + ["9000A0"]
    made = []
    for number in range(ROWS):
        week, weekday = 10 + number % 30, number % 3
        traded, settled = day_of(week, weekday), day_of(week, weekday + 2)
        quantity, price = chance.randrange(1, 10_000), 10 * chance.randrange(100, 10_000)
        notional = quantity * price
        made.append(
            f"T{number:06},{traded},{settled},{chance.choice(tickers)},{chance.choice(('buy', 'sell'))},{quantity},"
            f"{price},{notional},{notional // 2000},KRW,A{number % 7:03},B{number % 3}"
        )
    return made


def day_of(week: int, weekday: int) -> str:
    """A day of 2026 by week and weekday (0 = Monday)."""
    return f"{date.fromisocalendar(2026, week, weekday + 1)}"


def specs(folder: Path) -> Path:
    """100 YAML files of 50 lines under `specs/`, and the `schema.json` that they obey."""
    (folder / "specs").mkdir(parents=True)
    limit = {
        "type": "object",
        "additionalProperties": False,
        "required": ["ticker", "largest_share", "note"],
        "properties": {
            "ticker": {"type": "string", "pattern": "^[0-9A-Z]{6}$"},
            "largest_share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            "note": {"type": "string", "maxLength": 40},
        },
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Limits",
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "market", "limits"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "market": {"enum": ["XKRX", "XNYS"]},
            "limits": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/limit"}},
        },
        "$defs": {"limit": limit},
    }
    (folder / "schema.json").write_text(json.dumps(schema, indent=2))
    for number in range(SPECS):
        lines = [f"# Desk {number}", f"name: desk {number}", "market: XKRX", "limits:"]
        for row in range(15):
            lines += [f'  - ticker: "{row:06}"', f"    largest_share: 0.{row + 10}", f"    note: row {row} of {number}"]
        (folder / "specs" / f"{number:02}_desk.yaml").write_text("\n".join([*lines, "# end"]) + "\n")
    return folder
