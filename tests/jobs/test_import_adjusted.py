"""Importing raw and adjusted bars: each into its own series, and a desk that is handed both."""

import json

import pytest

from quantassay.jobs.import_market import explain_adjusted_bar

YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume\n"
PLAIN = "date,open,high,low,close,volume\n2026-11-16,100,110,90,105,1000\n2026-11-17,105,115,95,110,2000\n"
BOTH = YAHOO + "2026-11-16,100,110,90,100,50,1000\n2026-11-17,50,55,45,50,50,2000\n"


@pytest.fixture
def files(toy):
    def put(**texts):
        folder = toy.root / "in"
        folder.mkdir(exist_ok=True)
        for ticker, text in texts.items():
            (folder / f"{ticker[1:]}.csv").write_text(text)
        return folder

    return put


def bars_imported(toy, folder, *options):
    return toy.run("import", "bars", folder, "--market", "XKRX", *options)


def index(toy, key):
    return json.loads((toy.root / f"data/bars/{key}/index.json").read_text())


def test_each_series_is_imported_for_itself(toy, files):
    assert bars_imported(toy, files(t005930=PLAIN)).code == 0
    raw = index(toy, "XKRX")
    adjusted = PLAIN.replace("100,110,90,105", "50,55,45,52")
    assert bars_imported(toy, files(t005930=adjusted), "--prices", "adjusted").code == 0
    assert index(toy, "XKRX") == raw
    assert index(toy, "XKRX.adjusted")["content"] != raw["content"]
    assert (toy.root / "data/imports" / raw["log"]).exists()


def test_both_series_from_one_file_and_the_raw_one_although_the_other_fails(toy, files):
    said = bars_imported(toy, files(t005930=BOTH, t000660=PLAIN), "--prices", "both")
    assert said.code == 1
    assert said.out.count("files read") == 2
    assert "adjusted_missing" in said.out
    assert index(toy, "XKRX")["tickers"] == 2
    assert index(toy, "XKRX.adjusted")["tickers"] == 1
    told = bars_imported(toy, files(t005930=BOTH), "--prices", "both", "--dry-run", "--format", "json")
    assert set(json.loads(told.out)) == {"raw", "adjusted"}


def test_the_desk_is_handed_both_and_says_how_old_they_are(new_desk, files):
    folder = files(t005930=BOTH)
    assert bars_imported(new_desk, folder, "--prices", "both").code == 0
    rows = json.loads(new_desk.run("status", "--format", "json").out)
    ages = {row["name"]: row["says"] for row in rows if row["kind"] == "input"}
    assert ages["bars XKRX"] == ages["bars XKRX.adjusted"] == "2 bars of 1 names, 2026-11-16 to 2026-11-17"


def test_an_unknown_market_or_series_is_refused(toy, files):
    folder = files(t005930=PLAIN)
    assert toy.run("import", "bars", folder, "--market", "XTKS").code == 2
    assert toy.run("import", "bars", folder, "--market", "XKRX.adjusted").code == 2
    assert bars_imported(toy, folder, "--prices", "other").code == 2


def test_a_bar_of_the_adjusted_series_is_explained_and_so_is_that_there_is_none(toy, files):
    assert bars_imported(toy, files(t005930=BOTH), "--prices", "both").code == 0
    data = toy.root / "data"
    lines = explain_adjusted_bar(data, "XKRX.adjusted", "/005930/2026-11-16/close")
    assert lines[0] == "close = 50"
    assert lines[1].startswith("XKRX.adjusted 005930 2026-11-16: open 50, high 55")
    for key, ticker in (("XKRX.adjusted", "000660"), ("SAMPLE.adjusted", "005930")):
        (line,) = explain_adjusted_bar(data, key, f"/{ticker}/2026-11-16/close")
        assert line == f"{key}: no adjusted bar /{ticker}/2026-11-16/close was imported"
