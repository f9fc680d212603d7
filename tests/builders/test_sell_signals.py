"""Positions and sell signals: every ticker once, none held on doubtful data, and the same by a second path."""

import importlib.util
import json
import random
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

from quantassay.domain.signals import sell_generic, sell_hybrid
from quantassay.harness import canonical, schemas, specs

ROOT = Path(__file__).parents[2]
DAYS = [day for n in range(330) if (day := date(2025, 8, 1) + timedelta(n)).weekday() < 5]
SESSION, NEXT = DAYS[-2].isoformat(), DAYS[-1].isoformat()
NAMES = [f"9000{n:02d}" for n in range(10, 22)]
IDS = sorted({*sell_generic.CORRECTIONS, *sell_hybrid.CORRECTIONS})


def unit(room, name):
    spec = importlib.util.spec_from_file_location(f"{room}_{name}", ROOT / room / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


POSITIONS, SIGNALS = unit("builders", "positions"), unit("builders", "sell_signals")
GATES = {
    name: unit("validators", name).check
    for name in (
        "positions_of_holdings",
        "positions_in_doubt",
        "sell_signals_of_holdings",
        "sell_signals_rederived",
        "no_hold_in_doubt",
    )
}
RULES = yaml.safe_load((ROOT / "spec/24_sell_rules.yaml").read_text(encoding="utf-8"))


def schema(name):
    return json.loads((ROOT / f"spec/schemas/{name}.schema.json").read_text(encoding="utf-8"))


def walk(ticker, seed):
    """A wandering price; some names are halted now and then, have a bar without prices, or begin late."""
    dice, close, rows = random.Random(seed), 10_000.0, []
    for day in DAYS[dice.choice((0, 0, 0, 60, 200)) :]:
        before, close = close, max(round(close * (1 + dice.gauss(0, 0.03))), 100.0)
        opened = float(round(before * (1 + dice.gauss(0, 0.01))))
        top, low = max(opened, close) + dice.randint(0, 200), min(opened, close) - dice.randint(0, 50)
        row = {
            "ticker": ticker,
            "session": day,
            "open": opened,
            "high": top,
            "low": low,
            "close": close,
            "volume": 1000,
        }
        if dice.random() < 0.02:
            row |= dict.fromkeys(("open", "high", "low", "volume"), 0)
        if dice.random() < 0.01:
            row["high"] = None
        rows.append(row)
    return rows


@pytest.fixture(scope="module")
def bars():
    rows = [row for seed, ticker in enumerate(NAMES) for row in walk(ticker, seed)]
    rows += [{**rows[5], "close": 1.0}]  # a second bar of a name and session: the first counts
    return pl.DataFrame(rows, schema_overrides={"open": pl.Float64, "high": pl.Float64, "low": pl.Float64})


def world(bars, holdings, *, account=None, currency="KRW", session=SESSION, **quality):
    """What the builders read: every name decides on the session before its last bar unless `quality` says otherwise."""
    names = sorted(set(bars["ticker"]))
    decided = {name: quality.get("decided", {}).get(name, session) for name in names}
    told = quality.get("told", {})
    fine = {"doubts": [], "actions": []}
    return {
        "trading_calendar": {
            "market": {"KRW": "XKRX", "USD": "XNYS", "CNY": "XSHG"}[currency],
            "currency": currency,
            "zone": "Asia/Seoul",
            "first": "2025-01-01",
            "last": "2026-12-31",
            "sessions": [day.isoformat() for day in DAYS],
            "regular_hours": [{"from": "2025-01-01", "open": "09:00", "close": "15:30"}],
            "special_sessions": [],
            "breaks": [],
            "segments": [],
            "disputed": [{"date": day, "closed_by": [], "open_by": []} for day in quality.get("disputed", ())],
        },
        "evaluation_bars": {
            "session": session,
            "day": NEXT,
            "names": [{"ticker": name, "session": decided[name]} for name in names],
        },
        "data_quality": {"names": [{"ticker": name, **fine, **told.get(name, {})} for name in names]},
        "universe": {"names": [{"ticker": name, "name": f"Name {name}"} for name in names[:5]]},
        "account_snapshot": account,
        "holdings": holdings,
        "bars": bars,
        "sell_rules": quality.get("rules", RULES),
        "daily_bars": {"chart_sessions": 60, "fx": quality.get("fx", {})},
    }


def given(function, values):
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return function(**{name: values[name] for name in names})


def built(values):
    values["positions"] = given(POSITIONS.build, values)
    values["sell_signals"] = given(SIGNALS.build, values)
    for name in ("positions", "sell_signals"):
        assert schemas.validate(schema(f"{name}_v1"), values[name]) == []
        canonical.dumps(values[name])
    return values["sell_signals"]


def wrong(values):
    return {(name, one.pointer) for name, check in GATES.items() for one in given(check, values) if not one.ok}


def action(day, allowed=None):
    return {"session": day.isoformat(), "allowed": allowed}


def of_file(*rows, **settings):
    return {"source": "file", "settings": settings, "holdings": list(rows)}


def held(ticker, quantity=10, price=10_000, **details):
    return {"ticker": ticker, "quantity": quantity, "entry_price": price, **details}


def by_ticker(signals):
    return {row["ticker"]: row for row in signals["rows"]}


def invented(dice):
    """Positions of all kinds, and rules of all kinds."""
    rows = []
    for ticker in NAMES:
        row = held(ticker, dice.choice((3, "2.5", 7.25)), dice.choice((9_000, "10000.5", 11_000)))
        for name, value in (
            ("entry_date", dice.choice(DAYS).isoformat()),
            ("strategy", dice.choice(("swing", "Breakout"))),
            ("tags", ["breakout"]),
            ("stop_override", dice.choice((8_000, "9500.5"))),
            ("target_override", dice.choice((9_000, 12_000))),
        ):
            if dice.random() < 0.5:
                row[name] = value
        rows.append(row)
    mode = dice.choice(("generic", "hybrid"))
    chosen = dice.choice(("all", "all", "none", dice.sample(IDS, dice.randint(1, len(IDS)))))
    rules = deepcopy(RULES) | {"mode": mode, "corrections": chosen}
    rules["hybrid"] |= {"time_stop": dice.choice((0, 10, 100)), "grace": dice.choice((0, 20))}
    rules["generic"] |= {
        "time_stop": dice.choice((0, 60)),
        "slow_mean": dice.random() < 0.5,
        "min_bars": dice.choice((20, 50)),
    }
    return of_file(*rows), rules


@pytest.mark.parametrize("seed", range(16))
def test_the_second_path_agrees_whatever_the_positions_and_the_rules(bars, seed):
    dice = random.Random(seed)
    holdings, rules = invented(dice)
    told = {NAMES[0]: {"doubts": ["stale"]}}
    told[NAMES[1]] = {"actions": [action(dice.choice(DAYS))]}
    decided = {NAMES[2]: None, NAMES[3]: dice.choice(DAYS[210:-1]).isoformat()}
    values = world(bars, holdings, rules=rules, told=told, decided=decided, disputed=[DAYS[-3].isoformat()])
    signals = built(values)
    assert wrong(values) == set()
    assert len(signals["rows"]) == len(NAMES)
    order = [("SELL", "REVIEW", "HOLD").index(row["action"]) for row in signals["rows"]]
    assert order == sorted(order)


def test_a_position_without_data_is_a_review_and_never_missing(bars):
    values = world(bars, of_file(held("999999"), held(NAMES[0])), decided={NAMES[0]: None})
    rows = by_ticker(built(values))
    assert {ticker: (row["action"], row["last_close"]) for ticker, row in rows.items()} == {
        "999999": ("REVIEW", None),
        NAMES[0]: ("REVIEW", None),
    }
    assert [reason["code"] for reason in rows["999999"]["reasons"]] == ["no_bar"]
    assert values["sell_signals"]["totals"] | {"aside": 0} == values["sell_signals"]["totals"]
    assert wrong(values) == set()


@pytest.fixture
def calm():
    """Bars of a name that rises slowly and is held by both rules."""
    prices = [(day, 10_000.0 + 10 * n + 15 * (n % 3)) for n, day in enumerate(DAYS)]
    return pl.DataFrame(
        {"ticker": "900010", "session": day, "open": p - 5, "high": p + 90, "low": p - 90, "close": p, "volume": 1}
        for day, p in prices
    )


ENTRY = {"price": 11_800, "entry_date": DAYS[-20].isoformat()}


@pytest.mark.parametrize("mode", ["generic", "hybrid"])
def test_a_doubt_makes_a_review_of_a_hold_and_leaves_a_sell(calm, mode):
    rules = RULES | {"mode": mode}
    rules["generic"] = RULES["generic"] | {"atr_multiple": "4.0"}
    told = {"900010": {"doubts": ["halted", "stale"]}}
    since = {"900010": {"actions": [action(DAYS[-5])]}}
    other = {"900010": {"actions": [action(DAYS[-20]), action(DAYS[-1]), action(DAYS[-5], "relisting")]}}
    for holding, fine, doubtful in (
        (held("900010", **ENTRY), "HOLD", "REVIEW"),
        (held("900010", **ENTRY, stop_override=99_999), "SELL", "SELL"),
    ):
        got = {
            name: by_ticker(built(world(calm, of_file(holding), rules=rules, **quality)))["900010"]
            for name, quality in (
                ("fine", {}),
                ("blocked", {"told": told}),
                ("action", {"told": since}),
                ("other", {"told": other}),
                ("disputed", {"disputed": [SESSION]}),
            )
        }
        assert {name: row["action"] for name, row in got.items()} == {
            "fine": fine,
            "blocked": doubtful,
            "action": doubtful,
            "other": fine,
            "disputed": doubtful,
        }
        assert got["blocked"]["doubts"] == ["halted", "stale"]
        assert got["action"]["doubts"] == ["action_since_entry"]


def test_the_bar_that_decides_decides_and_no_later_one(calm):
    values = world(calm, of_file(held("900010", **ENTRY)))
    row = by_ticker(built(values))["900010"]
    closes = dict(calm.select(pl.col("session").cast(pl.String), "close").iter_rows())
    assert (row["session"], row["last_close"]) == (SESSION, int(closes[SESSION]))
    assert [point["session"] for point in row["chart"] if point["evaluated"]] == [SESSION]
    later = calm.with_columns(close=pl.when(pl.col("session") == DAYS[-1]).then(1.0).otherwise("close"))
    assert built(world(later, of_file(held("900010", **ENTRY)))) == values["sell_signals"]
    # A deciding bar without prices decides nothing, and the one before it does not take its place.
    empty = calm.with_columns(high=pl.when(pl.col("session") == DAYS[-2]).then(None).otherwise("high"))
    values = world(empty, of_file(held("900010", **ENTRY)))
    row = by_ticker(built(values))["900010"]
    assert (row["action"], row["last_close"], row["reasons"][0]["code"]) == ("REVIEW", None, "unusable_bar")
    assert wrong(values) == set()


def test_the_account_holds_and_the_file_tells_the_rest(bars):
    account = {
        "id": "desk",
        "environment": "paper",
        "currency": "KRW",
        "as_of": "2026-06-25T15:40:00+09:00",
        "holdings": [
            {"ticker": NAMES[0], "quantity": 2, "average_price": 10_000},
            {"ticker": NAMES[0], "quantity": 1, "average_price": 10_001},
            {"ticker": NAMES[1], "quantity": 5, "average_price": 0},
        ],
    }
    holdings = {
        "source": "account",
        "settings": {"default_strategy": "swing", "default_tags": ["t"]},
        "holdings": [
            held(NAMES[0], 99, 1, tags=[]),
            {"ticker": NAMES[2]},
            {"ticker": NAMES[3], "quantity": 0},
            {"ticker": "TMO.NYS", "quantity": 1},
        ],
    }
    values = world(bars, holdings, account=account)
    rows = by_ticker(built(values))
    assert (rows[NAMES[0]]["quantity"], rows[NAMES[0]]["entry_price"]) == (3, "10000.33333333")
    assert (rows[NAMES[0]]["strategy"], rows[NAMES[0]]["tags"], rows[NAMES[1]]["tags"]) == ("swing", [], ["t"])
    assert (rows[NAMES[1]]["entry_price"], rows[NAMES[1]]["profit"]) == (None, None)
    aside = {row["ticker"]: (row["code"], row["currency"]) for row in values["sell_signals"]["appendix"]}
    assert aside == {
        NAMES[2]: ("not_in_account", "KRW"),
        NAMES[3]: ("inactive", "KRW"),
        "TMO.NYS": ("other_market", "USD"),
    }
    assert wrong(values) == set()
    nobody = world(bars, holdings)
    assert (built(nobody)["rows"], wrong(nobody)) == ([], set())


def test_a_desk_of_new_york_holds_parts_of_shares_and_no_default_of_another_market(calm):
    names = {"900010": "TMO"}
    american = calm.with_columns(
        pl.col("ticker").replace(names), *(pl.col(name) / 64 for name in ("open", "high", "low", "close"))
    )
    rows = (
        held("TMO.NYS", "0.125", "179.69"),
        held("BRK.B.NYS", 1, 400, entry_currency="USD"),
        held("005930", 3, 70_000),
        held("600519", 3, 1_700, entry_currency="CNY"),
        held("AAPL", 1, 200, entry_currency="KRW"),
        held("MSFT", 0, 200),
    )
    rate = {"rate": "1465.20", "date": "2026-06-24", "source": "Example Bank"}
    values = world(american, of_file(*rows, default_currency="KRW"), currency="USD", fx={"USD": rate})
    signals = built(values)
    told = by_ticker(signals)
    assert (told["TMO"]["quantity"], told["TMO"]["entry_price"], told["TMO"]["written"]) == (
        "0.125",
        "179.69",
        "TMO.NYS",
    )
    assert told["TMO"]["last_close"] == repr(american["close"][-2])
    assert told["BRK.B.NYS"]["action"] == "REVIEW"
    assert {row["ticker"]: row["code"] for row in signals["appendix"]} == {
        "005930": "other_market",
        "600519": "other_market",
        "AAPL": "contradiction",
        "MSFT": "inactive",
    }
    assert signals["fx"] == rate
    assert wrong(values) == set()


def test_details_of_a_symbol_with_its_exchange_are_those_of_the_symbol(calm):
    american = calm.with_columns(pl.col("ticker").replace({"900010": "TMO"}))
    account = {"id": "desk", "environment": "paper", "currency": "USD", "as_of": "2026-06-25T15:40:00+09:00"}
    account["holdings"] = [{"ticker": "TMO", "quantity": "0.5", "average_price": "11800.25"}]
    rows = [{"ticker": "TMO.NYS", "stop_override": 99_999}, {"ticker": "TMO.NAS", "stop_override": 1}]
    values = world(american, {"source": "account", "holdings": rows[:1]}, account=account, currency="USD")
    (row,) = built(values)["rows"]
    assert (row["ticker"], row["quantity"], row["stop_kind"], row["action"]) == ("TMO", "0.5", "override", "SELL")
    assert (values["sell_signals"]["appendix"], wrong(values)) == ([], set())
    # Of two such rows one counts, and the other is told.
    values = world(american, {"source": "account", "holdings": rows}, account=account, currency="USD")
    assert [one["ticker"] for one in built(values)["appendix"]] == ["TMO.NYS"]
    assert wrong(values) == set()
    own = world(
        american, {"source": "account", "holdings": [*rows, {"ticker": "TMO"}]}, account=account, currency="USD"
    )
    assert [one["ticker"] for one in built(own)["appendix"]] == ["TMO.NAS", "TMO.NYS"]
    assert (own["sell_signals"]["rows"][0]["stop_kind"], wrong(own)) == ("profit", set())


def test_a_wrong_artifact_is_noticed(bars):
    values = world(bars, of_file(*(held(ticker, entry_date=DAYS[150].isoformat()) for ticker in NAMES)))
    built(values)
    right = values["sell_signals"]
    for change in (
        lambda data: data["rows"].pop(),
        lambda data: data["rows"].append(deepcopy(data["rows"][0])),
        lambda data: data["rows"][-1].update(action="HOLD", reasons=[]),
        lambda data: data["rows"][0].update(stop="1.000000"),
        lambda data: data["rows"].reverse(),
        lambda data: data["totals"].update(sell=99),
        lambda data: data["appendix"].append({"ticker": NAMES[0], "code": "inactive"}),
    ):
        values["sell_signals"] = deepcopy(right)
        change(values["sell_signals"])
        assert wrong(values), change


def test_a_holdings_file_is_refused_with_its_line_where_it_cannot_be_read():
    def said(text):
        _, problems = specs.parse(text.encode(), schema("holdings"), "spec/21_holdings.yaml")
        return [(one.line, one.column) for one in problems], " ".join(one.says for one in problems)

    assert said('holdings:\n  - {ticker: "0007C0", quantity: 3, entry_price: 71000.5, notes: null}\n') == ([], "")
    assert said('source: "account"\nholdings:\n  - {ticker: "BRK.B.NYS"}\n') == ([], "")
    for row, column, words in (
        ("ticker: 005930, quantity: 1, entry_price: 10", 14, "must be quoted"),
        ("ticker: ON, quantity: 1, entry_price: 10", 14, "must be quoted"),
        ('ticker: "AAPL.US", quantity: 1, entry_price: 10', 14, "does not match"),
        ('ticker: "AAPL", quantity: "1,5", entry_price: 10', 32, "no allowed form"),
        ('ticker: "AAPL", quantity: 1, entry_price: -10', 48, "no allowed form"),
        ('ticker: "AAPL", quantity: 1, entry_price: 10, entry_date: 2025-01-02', 64, "must be quoted"),
        ('ticker: "AAPL", quantity: 1, entry_price: 10, entry_date: "2025-02-30"', 64, "date"),
        ('ticker: "AAPL", quantity: 1, entry_price: 10, stop: 3', 52, "not known here; known are"),
        ('ticker: "AAPL", quantity: 1', 5, "'entry_price' is missing"),
    ):
        places, says = said(f"holdings:\n  - {{{row}}}\n")
        assert places[:1] == [(2, column)], row
        assert words in says, row
    twice = (
        'holdings:\n  - {ticker: "A", quantity: 1, entry_price: 1}\n  - {ticker: "A", quantity: 2, entry_price: 1}\n'
    )
    places, says = said(twice)
    assert places == [(3, 14)]
    assert "'A' stands twice, first in item 1" in says
