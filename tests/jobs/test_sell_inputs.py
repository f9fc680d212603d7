"""From a file downloaded by hand to the line of the report: import, build, gate, page, and the way back to the row."""

import json

import pytest

RATIO = "종목코드,종목명,수량_공매도순보유잔고수량,수량_상장주식수,금액_공매도순보유잔고금액,금액_시가총액,비중"
NAV = (
    "일자,종가,대비,등락률,순자산가치(NAV),시가,고가,저가,거래량,거래대금,시가총액,순자산총액,상장좌수,"
    "기초지수_지수명,기초지수_종가,기초지수_대비,기초지수_등락률"
)
NAV_ROW = (
    "2026/11/17,21800,50,0.23,21811.37,21750,21900,21700,8025,174945000,152600000000,152679590000,7000000,"
    "예시 지수,268.32,0.03,0.01"
)
SHARES, PRICE = 10_000_000, 1_800
PAGE = "Temp/qualitative_sell_inputs_v1.md"


@pytest.fixture
def downloads(tmp_path):
    """Writes a file as the exchange gives it: CP949, every value in quotes."""

    def write(name, head, rows):
        path = tmp_path / name
        lines = [head, *(",".join(f'"{cell}"' for cell in row) for row in rows)]
        path.write_bytes("".join(line + "\r\n" for line in lines).encode("cp949"))
        return path

    return write


@pytest.fixture
def short(downloads):
    """A list of short balances of a day in November 2026, with these ratios in percent."""

    def write(day, ratios):
        rows = []
        for ticker, ratio in ratios.items():
            sold = round(SHARES * float(ratio) / 100)
            rows.append((ticker, "예시", sold, SHARES, sold * PRICE, SHARES * PRICE, ratio))
        return downloads(f"data_공매도순보유잔고_전종목_KOSDAQ_202611{day:02}.csv", RATIO, rows)

    return write


def inputs(desk):
    rows = desk.made("qualitative_sell_inputs")["data"]["holdings"]
    return {row["ticker"]: row for row in rows}


def build(desk, *files, as_of="2026-11-18T15:45:00+09:00"):
    return desk.run("build", "qualitative_sell_inputs", *files, "--historic", "--as-of", as_of)


def test_without_a_file_every_value_is_unknown_and_names_its_gap(desk):
    assert {row["short_balance_ratio"]["state"] for row in inputs(desk).values()} == {"unknown"}
    page = (desk.root / PAGE).read_text(encoding="utf-8")
    assert "no file tells, gap `S5`" in page
    assert "Download the list of all names" in page


def test_a_file_is_imported_first_and_reaches_the_page(desk, short, downloads):
    older, newer = short(9, {"990040": "0.07", "990190": "0.31"}), short(16, {"990040": "0.12", "990190": "0.31"})
    nav = downloads("data_ETF개별종목시세추이_990380.csv", NAV, [NAV_ROW.split(",")])
    said = build(desk, "--short-csv", older, "--short-csv", newer, "--nav-csv", nav)
    assert said.code == 0, said.err
    assert said.out.count("1 loaded") == 3
    assert "built     qualitative_sell_inputs" in said.out
    held = inputs(desk)
    ratio, change = held["990040"]["short_balance_ratio"], held["990040"]["short_balance_change"]
    assert (ratio["value"], ratio["session"], ratio["age_sessions"], ratio["row"]) == ("0.12", "2026-11-16", 2, 2)
    assert (change["value"], change["previous_value"], change["sessions"]) == ("0.05", "0.07", 5)
    assert held["990190"]["short_balance_change"]["value"] == "0.00"
    assert held["990210"]["short_balance_ratio"]["state"] == "unknown"
    assert (held["990380"]["kind"], held["990380"]["premium"]["value"]) == ("etf", "-0.05")
    assert held["990380"]["aum"]["value"] == "152679590000"
    run = desk.run("run")
    assert run.code == 0, run.out + run.err
    lines = (desk.root / PAGE).read_text(encoding="utf-8").splitlines()
    number, line = next((i, text) for i, text in enumerate(lines, 1) if text.startswith("| 990040"))
    assert f"`{newer.name}` row 2, file `{ratio['digest'][:19]}`" in line
    told = desk.run("explain", f"{PAGE}:{number}:{line.index('0.12') + 1}")
    assert f"{newer.name} row 2 (file {ratio['digest'][:19]}" in told.out
    assert "990040 | 예시 | 12000 | 10000000 | 21600000 | 18000000000 | 0.12" in told.out


def test_a_decision_of_an_earlier_day_does_not_see_what_was_published_later(desk, short):
    files = ("--short-csv", short(9, {"990040": "0.07"}), "--short-csv", short(16, {"990040": "0.12"}))
    assert build(desk, *files, as_of="2026-11-17T15:45:00+09:00").code == 0
    ratio = inputs(desk)["990040"]["short_balance_ratio"]
    assert (ratio["value"], ratio["session"]) == ("0.07", "2026-11-09")  # that of the 16th is out on the 18th


def test_a_feed_that_is_too_late_shows_nothing(desk, short):
    assert build(desk, "--short-csv", short(9, {"990040": "0.07"}), as_of="2027-02-01T16:00:00+09:00").code == 0
    row = inputs(desk)["990040"]
    assert (row["short_balance_ratio"]["state"], row["short_balance_ratio"]["value"]) == ("stale", None)
    assert {row[name]["gap"] for name in ("short_balance_ratio", "short_balance_change")} == {"S5"}
    imports = desk.made("qualitative_sell_inputs")["data"]["imports"]
    assert {"feed": "short_balance", "why": "stale", "tickers": ["990040"]} in imports
    desk.run("run", "--as-of", "2027-02-01T16:00:00+09:00")  # red for other reasons: the bars are old by then
    record = json.loads((desk.root / "Temp/gate_record_v1.json").read_bytes())["data"]
    ours = {gate["gate"]: gate["status"] for gate in record["gates"] if gate["rules"][0].startswith("R11")}
    assert set(ours.values()) == {"passed"}
    assert "too old, gap `S5`" in (desk.root / PAGE).read_text(encoding="utf-8")


def test_a_refused_file_builds_nothing_and_the_exit_code_says_so(desk, short, downloads):
    good, bad = short(16, {"990040": "0.12"}), downloads("data_20261116.csv", "아무개,무엇", [("1", "2")])
    before = desk.temp()
    said = build(desk, "--short-csv", bad, "--short-csv", good)
    assert said.code == 1
    assert "1 quarantined" in said.out
    assert said.err == "assay: nothing was built; correct the files that were refused, and build again\n"
    assert desk.temp() == before
    assert len(list((desk.root / "data/imports/quarantine").glob("*data_20261116.csv"))) == 1
    again = build(desk, "--short-csv", good)
    assert again.code == 0
    assert "imported before" in again.out
    assert inputs(desk)["990040"]["short_balance_ratio"]["value"] == "0.12"


def test_a_file_that_is_not_there_is_wrong_use(desk):
    before = desk.temp()
    said = build(desk, "--nav-csv", desk.root / "nothing.csv")
    assert (said.code, said.out) == (2, "")
    assert "nothing.csv does not exist" in said.err
    assert desk.temp() == before


def test_a_dry_run_imports_nothing(desk, short):
    file = short(16, {"990040": "0.12"})
    said = desk.run("build", "-n", "qualitative_sell_inputs", "--short-csv", file, "--historic")
    assert (said.code, said.err) == (0, "")
    assert not (desk.root / "data/imports/manual").exists()


def test_beside_json_the_words_of_the_import_go_to_standard_error(desk, short):
    said = desk.run("build", "--short-csv", short(16, {"990040": "0.12"}), "--historic", "--format", "json")
    assert said.code == 0
    assert {"artifact", "status", "why"} == set(json.loads(said.out)[0])
    assert "1 loaded" in said.err


def test_real_files_are_seen_from_the_day_on_which_they_were_public(desk, edit, shared):
    files, holds = shared / "data/krx_manual_csv", ("095570", "069500")
    edit(desk, "spec/10_desk.yaml", "account: auto", "account: desk")
    rows = "".join(f'\n      - {{ticker: "{ticker}", quantity: 1, average_price: 1}}' for ticker in holds)
    edit(desk, "spec/20_accounts.yaml", "holdings: []", f"holdings:{rows}")
    given = (files / "data_공매도순보유잔고_전종목_KOSPI_20210127.csv", files / "data_ETF괴리율추이_069500.csv")
    options = ("--short-csv", given[0], "--nav-csv", given[1])
    seen = {}
    for day in ("2021-01-28", "2021-01-29", "2024-11-26", "2025-11-26"):
        assert build(desk, *options, as_of=f"{day}T08:00:00+09:00").code == 0
        held = inputs(desk)
        seen[day] = [
            (held[ticker][name]["state"], held[ticker][name]["value"])
            for ticker, name in zip(holds, ("short_balance_ratio", "premium"), strict=True)
        ]
    assert seen == {
        "2021-01-28": [("unknown", None), ("unknown", None)],
        "2021-01-29": [("known", "0.07"), ("unknown", None)],  # a balance that stood on in a ban is a number
        "2024-11-26": [("stale", None), ("known", "-0.15")],
        "2025-11-26": [("stale", None), ("stale", None)],
    }
