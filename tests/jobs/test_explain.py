"""From every kind of number of the sample desk back to a line of a spec or a raw row, and honest where that ends."""

import re

import pytest

from quantassay.harness import explain as harness
from quantassay.jobs import desk as opening
from quantassay.jobs import explain as job

# Numbers over whole lists, each with the reason: their way goes on in every member, so no single row can be shown.
OVER_A_LIST = {
    ("buy_signals", "/totals"): "counts all names",
    ("calibration_approval_list", "/left_out"): "counts thresholds",
    ("calibration_approval_list", "/overclaimed_count"): "counts claims",
    ("calibration_backlog", "/"): "counts, and sums over the events of a study",
    ("calibration_evidence", "/studies"): "what all events of a study come to",
    ("data_gaps_roadmap", "/gaps/*/attempts"): "attempts in the spec and in files of their own",
    ("data_quality", "/totals"): "counts all names",
    ("entry_check", "/caps"): "counts all candidates, and all names held",
    ("entry_check", "/totals"): "counts all candidates",
    ("followed_signals", "/universe"): "what the list of names is and how long",
    ("next_open_plan", "/budget/cash_after"): "what all orders leave",
    ("next_open_plan", "/budget/cash_reserved"): "what all buys need",
    ("next_open_plan", "/budget/positions_after"): "counts all orders",
    ("next_open_plan", "/orders/*/line"): "a place among all signals",
    ("next_open_plan", "/universe"): "what the list of names is and how long",
    ("qualitative_sell_inputs", "/feeds"): "what all files of a feed come to",
    ("sell_signals", "/totals"): "counts all positions",
    ("signals", "/universe/size"): "counts all names",
    ("universe", "/considered"): "counts all names",
}
# The rows of a table have no pointers of their own.
TABLES = {"calibration_events", "signal_history"}
# What is made from all files of a folder of governance ends at the folder.
IN_A_FOLDER = re.compile(r"governance/[a-z_/]+/ holds \d+ files?$")


def steps(step):
    yield step
    for origin in step.origins:
        yield from steps(origin)


def test_every_kind_of_number_finds_its_way_back(desk):
    inputs = opening.built(desk.root)
    context = job._context(inputs)
    rows = [row for row in inputs.value("origin_coverage") if row["artifact"] not in TABLES]
    assert len(rows) > 100
    lost, met = [], set()
    for row in rows:
        explained = harness.explain_place(row["artifact"], "/data" + row["pointer"], context)
        found, ends_in_a_folder = list(steps(explained.step)), False
        over = [key for key in OVER_A_LIST if key[0] == row["artifact"] and row["kind"].startswith(key[1])]
        for step in found:
            if step.kind == "open" and over and step.lines[0].startswith("one for each "):
                met.update(over)
            elif step.kind == "open" and IN_A_FOLDER.match(step.lines[0]):
                ends_in_a_folder = True
            elif step.kind == "open":
                lost.append((row["artifact"], row["kind"], step.reference, step.lines))
        if not over and not ends_in_a_folder and not any(step.kind in ("spec", "raw") for step in found):
            lost.append((row["artifact"], row["kind"], "ends nowhere"))
    assert lost == []
    assert met == OVER_A_LIST.keys(), "an exception that is none any more"


def line_of(toy, start):
    """The number of the line of the plan's page that begins like this."""
    lines = (toy.root / "Temp/next_open_plan_v1.md").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


def test_a_limit_price_on_the_page_leads_to_the_spec_and_to_the_raw_bar(desk):
    line = line_of(desk, "| 1 | SELL | 990040 |")
    done = desk.run("explain", f"Temp/next_open_plan_v1.md:{line}:47")
    assert (done.code, done.err) == (0, "")
    said = done.out.splitlines()
    assert said[0] == f'Temp/next_open_plan_v1.md:{line}:46  "1,724"  int'
    assert "  Temp/next_open_plan_v1.json#/data/orders/0/limit_price = 1724" in said
    (place,) = [
        re.match(r" *(spec/17_next_open\.yaml:(\d+):(\d+)) next_open:/collar", one) for one in said if "collar" in one
    ]
    spec = (desk.root / "spec/17_next_open.yaml").read_text().splitlines()
    assert spec[int(place[2]) - 1][int(place[3]) - 1 :].startswith('buy: "0.03"')
    assert "close = 1915" in done.out
    assert "SAMPLE 990040 2026-11-18: open 1879, high 1919, low 1869, close 1915, volume 73501513" in done.out
    assert "sample:990040 line 500 (simulated by spec/40_sample_market.yaml)" in done.out


def test_every_line_of_the_page_with_a_value_is_explained(desk):
    found = job.number(desk.root, f"Temp/next_open_plan_v1.md:{line_of(desk, '| 1 | SELL | 990040 |')}")
    assert [value.text for value in found.values][:6] == ["1", "SELL", "990040", "Sample Dogwood", "800", "1,724"]
    assert found.changed == ()


def test_real_bars_lead_to_the_file_and_line_that_were_imported(real, shared):
    assert real.run("build", "signals", "--as-of", "2025-12-17T10:13:00+09:00").code == 0
    names = real.made("signals")["data"]["names"]
    number, name = next((n, one) for n, one in enumerate(names) if one["ticker"] == "319400")
    said = real.run("explain", f"signals#/names/{number}/close").out
    row = int(re.search(r"319400\.csv line (\d+) \(file sha256:", said)[1])
    line = (shared / "data/kosdaq_daily/319400.csv").read_text(encoding="utf-8-sig").splitlines()[row - 1]
    assert line.startswith(name["session"])
    assert str(name["close"]) in re.split(r"[,.]", line)
    said = real.run("explain", f"signals#/names/{number}/ticker").out
    row = int(re.search(r"kosdaq_20251217\.csv line (\d+): .*ticker 319400", said)[1])
    assert (
        "319400" in (shared / "data/universe/kosdaq_20251217.csv").read_text(encoding="utf-8-sig").splitlines()[row - 1]
    )


# What is handed in.


def test_the_account_is_explained_line_by_line(desk):
    path = desk.root / "spec/20_accounts.yaml"
    lines = path.read_text().splitlines()

    def said(pointer):
        return job.account_line(path, 0, pointer)

    assert said("/holdings/999999/quantity") == ["spec/20_accounts.yaml: 999999 is not held"]
    assert said("/holdings/999999") == ["spec/20_accounts.yaml: 999999 is not held"]
    for pointer, value in (("/cash", "20000000"), ("/holdings/990190/quantity", "150"), ("/holdings", ""), ("", "")):
        (text,) = said(pointer)
        _, row, column = text.split(" ")[0].split(":")
        assert text.endswith(value)
        assert lines[int(row) - 1][int(column) - 1 :].startswith(value)


def test_what_has_no_rows_is_told_in_words(desk):
    said = desk.run("explain", "next_session#/session").out
    assert "      as_of:\n        2026-11-18T15:45:00+09:00\n" in said
    assert "the tables of holidays " in desk.run("explain", "trading_calendar#/sessions/0").out
    assert "62 files loaded, 0 quarantined, 0 issues noted" in desk.run("explain", "data_quality#/imports").out


# Where it ends.


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("Temp/next_open_plan_v1.md:2", "holds no value of an artifact there; the nearest lines that do: "),
        ("Temp/next_open_plan_v1.md:17:1", "holds no value of an artifact there"),
        ("Temp/no_such_v1.md:1", "Temp/no_such_v1.md has no trace beside it"),
        ("next_open_plam#/orders", "names no place"),
        ("next_open_plan#/orders/99", "leads nowhere"),
        ("next_open_plan", "names no place"),
    ],
)
def test_a_place_that_is_none_is_one_sentence(desk, target, says):
    done = desk.run("explain", target)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


def test_what_is_not_built_yet_is_said(new_desk):
    done = new_desk.run("explain", "next_open_plan#/orders")
    assert (done.code, "next_open_plan is not built" in done.err) == (1, True)


def test_an_input_that_changed_since_is_named_where_it_is_shown(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    shown = desk.run("explain", "next_open_plan#/budget/max_positions")
    assert "max_positions = 7" in shown.out
    assert "next_open changed since this was built" in shown.err
    assert desk.run("explain", "signals#/names/0/close").err == ""
