"""The pages about past trading: every kind of journal can be told, every word has its case, every number its origin."""

import importlib.util
import inspect
import json
from pathlib import Path

import pytest
import yaml

from quantassay.harness import render, trace
from tests.fakes import journals

ROOT = Path(__file__).parents[2]
SETTINGS = yaml.safe_load((ROOT / "spec/90_reports.yaml").read_text(encoding="utf-8"))
INPUTS = {
    "trading_reports": {"sessions": 10, "days": 10, "rounding_won": 10},
    "trading_calendar": {"zone": "Asia/Seoul", "sessions": ["2026-11-19", "2026-11-20"]},
}


def made(name, journal, **inputs):
    spec = importlib.util.spec_from_file_location(f"builder_{name}", ROOT / f"builders/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    values = {"trading_journal": journals.journal(journal), **INPUTS, **inputs}
    return module.build(**{key: values[key] for key in inspect.signature(module.build).parameters})


def page(name, data):
    """The page of this data; it must trace."""
    envelope = {"artifact": name, "version": 1, "as_of": "2026-11-20T15:45:00+09:00", "marks": [], "data": data}
    envelopes = {name: envelope}
    report, file = trace.report_of(name, SETTINGS), f"renderers/{name}.md.j2"
    page = render.render(report, file, (ROOT / file).read_text(encoding="utf-8"), envelopes)
    assert trace.check(page.markdown, page.trace, envelopes, report, page.images) == []
    return page.markdown


def choices(name, *steps):
    """The words that the schema allows at a place."""
    part = json.loads((ROOT / f"spec/schemas/{name}_v1.schema.json").read_text(encoding="utf-8"))
    for step in steps:
        part = part["items"] if step == "*" else part["properties"][step]
    return [choice for choice in part["enum"] if choice is not None]


@pytest.mark.parametrize("name", ["execution_report", "daily_ops"])
@pytest.mark.parametrize("journal", ["empty", *journals.NAMES])
def test_every_journal_has_a_page_whose_numbers_have_their_origins(name, journal):
    assert len(page(name, made(name, journal))) > 250


def test_a_desk_that_never_traded_says_so():
    text = page("execution_report", made("execution_report", "empty"))
    assert "No run has been made: the journal holds 0 runs." in text
    text = page("daily_ops", made("daily_ops", "empty"))
    assert "No account is armed: nothing can be sent." in text
    assert "Nothing stands in the journal yet: 0 lines." in text


def test_an_order_is_told_from_its_reason_to_its_fill():
    text = page("execution_report", made("execution_report", "part_filled"))
    assert "| 1 | SELL | 990020 | Sample Birch | 30 | 30 | 30 | 0 | filled | 19,000 | 18,430 | 18,816.0000 |" in text
    assert "by `hsms2 sell`: below_band, falling, foreign_selling." in text
    assert "(2 tries), taken 2026-11-19" in text
    assert "as number `0000004101` of 2026-11-19" in text
    assert "REJECTED at" in text
    assert "3,787, where 3,824 were estimated." in text


def test_a_clearing_says_that_no_gate_let_it_out():
    text = page("execution_report", made("execution_report", "cleared"))
    assert "the account cleared by a person without a gate. Begun" in text
    assert "gate record" not in text


def test_who_settled_an_unknown_order_stands_on_the_page():
    text = page("execution_report", made("execution_report", "unknown_resolved"))
    assert "settled as not placed 2026-11-19 10:20:02 +09:00 by minji" in text
    assert "by minji as number `0000004102`" in text


@pytest.mark.parametrize("state", choices("execution_report", "runs", "*", "lines", "*", "state"))
def test_every_state_of_a_line_has_its_words(state):
    data = made("execution_report", "left_open")
    data["runs"][0]["lines"][0]["state"] = state
    (row,) = [line for line in page("execution_report", data).splitlines() if line.startswith("| 1 | SELL")]
    assert row.split("|")[9].strip().strip("*").replace(" ", "_") == state


@pytest.mark.parametrize("why", choices("execution_report", "runs", "*", "cash", "why"))
def test_every_reason_against_comparing_cash_has_its_words(why):
    data = made("execution_report", "left_open")
    words = {"nothing_sent": "Nothing was sent", "open": "still open", "no_book": "was not read"}
    words |= {"external": "Somebody else traded", "estimated": "inferred from the holdings, so"}
    data["runs"][0]["cash"]["why"] = why
    assert words[why] in page("execution_report", data)


@pytest.mark.parametrize("kind", choices("execution_report", "runs", "*", "events", "*", "kind"))
def test_everything_beside_the_orders_has_its_words(kind):
    data = made("execution_report", "manual_trade")
    data["runs"][0]["events"][0]["kind"] = kind
    (line,) = page("execution_report", data).partition("What else happened\n\n- ")[2].splitlines()[:1]
    assert len(line.partition("+09:00: ")[2]) > 10


@pytest.mark.parametrize("code", choices("daily_ops", "attention", "*", "code"))
def test_everything_that_waits_says_what_to_do(code):
    data = made("daily_ops", "left_open")
    data["attention"] = [{**data["attention"][1], "code": code}]
    text = page("daily_ops", data)
    (line,) = [one for one in text.partition("How the desk stands")[0].splitlines() if one.startswith("- **")]
    assert "`assay" in line or "Give the same plan again" in line


@pytest.mark.parametrize("kind", choices("daily_ops", "days", "*", "events", "*", "kind"))
def test_every_event_of_a_day_has_its_words(kind):
    data = made("daily_ops", "left_open")
    day = data["days"][0]
    day["events"] = [{**day["events"][0], "kind": kind, "why": None, "by": None, "ticker": "990010", "order": "o-1"}]
    (line,) = [one for one in page("daily_ops", data).splitlines() if ", line 1:" in one]
    assert len(line.partition(", line 1: ")[2]) > 8


@pytest.mark.parametrize(("level", "words"), [("all", "nothing is sent"), ("buys", "no buy is sent")])
def test_a_halt_says_what_it_stops(level, words):
    data = made("daily_ops", "halt")
    data["now"]["halt"]["level"] = level
    assert f"Halted ({words}) by jun since" in page("daily_ops", data)


def test_a_damaged_journal_and_days_left_out_are_told():
    short = {"sessions": 10, "days": 1, "rounding_won": 10}
    data = made("daily_ops", "two_sessions", trading_reports=short)
    data["problems"] = ["line four is not what its digest says"]
    text = page("daily_ops", data)
    assert "- **The journal is not as it was written**: line four" in text
    assert "At most 1 day is told of; 1 earlier day stands in the journal only." in text
