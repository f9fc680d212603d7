"""Runs every gate on its cases: each must pass what is right and point at exactly what is wrong."""

import importlib.util
import inspect
import json
from pathlib import Path

import polars as pl
import pytest

from quantassay.store.manual_facts import SCHEMA

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent
BARS = {
    "ticker": pl.String,
    "session": pl.Date,
    "open": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "close": pl.Float64,
    "volume": pl.Int64,
    "foreign_net_buy": pl.Int64,
    "taken_at": pl.Datetime("us", "UTC"),
    "source": pl.String,
    "row": pl.UInt32,
}

FACTS = dict(SCHEMA)
EVENTS = {
    "study": pl.String,
    "ticker": pl.String,
    "session": pl.Date,
    "entry": pl.Date,
    "exit": pl.Date,
    "entry_price": pl.Int64,
    "exit_price": pl.Int64,
    "return_ppm": pl.Int64,
}
# Frames that have all their columns even where a case has no row of them.
WHOLE = {"bars": BARS, "adjusted_bars": BARS, "manual_facts": FACTS}


def gate(name):
    path = ROOT / "validators" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"gate_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def frame(rows, whole):
    """The rows of a case as the gate gets them: dates and instants read from text, all columns of a whole frame."""
    names = list(whole) if whole else list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    for name in names:
        values = pl.Series(name, [row.get(name) for row in rows], strict=False)
        dtype = (BARS | FACTS | EVENTS).get(name)
        if dtype == pl.Date:
            columns[name] = values.cast(pl.String).str.to_date()
        elif name in ("taken_at", "imported_at"):
            columns[name] = values.cast(pl.String).str.to_datetime(time_unit="us", time_zone="UTC")
        else:
            columns[name] = values if dtype is None else values.cast(dtype)
    return pl.DataFrame(columns)


def judgements(name, case):
    check = gate(name).check
    values = {}
    for parameter, described in inspect.signature(check).parameters.items():
        value = case["parameters"][parameter]
        wants_frame = described.annotation is pl.DataFrame
        values[parameter] = frame(value, WHOLE.get(parameter)) if wants_frame else value
    assert set(case["parameters"]) == set(values), "the case gives what the gate does not read"
    return list(check(**values))


def cases():
    for path in sorted(CASES.glob("*/*.json")):
        yield pytest.param(path, id=f"{path.parent.name}/{path.stem}")


@pytest.mark.parametrize("path", list(cases()))
def test_gate_judges_its_case_as_it_says(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    judged = judgements(path.parent.name, case)
    assert judged, "a case on which the gate judges nothing shows nothing"
    failing = {one.pointer for one in judged if not one.ok}
    assert failing == set(case["failing"])
    assert path.stem.startswith("fail" if failing else "pass")
    rules = gate(path.parent.name).RULES
    assert all(one.rule is None or one.rule in rules for one in judged)
    assert all(one.ok or one.says for one in judged)
