"""What a desk stands on: the instant, the bars, the account; and that nothing is done twice."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from quantassay.harness.build import Request
from quantassay.jobs import desk as job
from quantassay.jobs import market

SAMPLE_AS_OF = "2026-11-18T15:45:00+09:00"
BARS = "date,open,high,low,close,volume\n2020-11-17,100,110,90,105,1001\n2020-11-18,100,110,90,105,1001\n"


def instant(toy, as_of=""):
    return job.prepared(job.opened(toy.root), Request(as_of=as_of))[1].as_of


def handed(toy, name):
    inputs, _ = job.prepared(job.opened(toy.root), Request())
    return inputs.handed[name]


def import_bars(toy, text=BARS):
    """One file with the bars of one name; the exit code."""
    toy.write("in/005930.csv", text)
    return toy.run("import", "bars", toy.root / "in", "--market", "XKRX").code


# The instant.


def test_the_option_comes_first_then_the_workspace_then_the_sample(desk, edit):
    assert instant(desk) == SAMPLE_AS_OF
    edit(desk, "spec/00_workspace.yaml", "rooms:", 'as_of: "2026-11-18T16:00:00+09:00"\nrooms:')
    assert instant(desk) == "2026-11-18T16:00:00+09:00"
    assert instant(desk, "2026-11-18T17:00:00+09:00") == "2026-11-18T17:00:00+09:00"


def test_an_instant_is_kept_in_its_zone_and_cut_to_the_second(desk):
    assert instant(desk, "20261118T154500.987Z") == "2026-11-18T15:45:00+00:00"


@pytest.mark.parametrize("text", ["2026-11-18", "2026-11-18T15:45:00", "15:45", "yesterday"])
def test_what_is_no_instant_with_a_zone_is_refused(desk, text):
    with pytest.raises(job.BadInstant, match="no instant with a zone; write it like"):
        instant(desk, text)


@pytest.mark.parametrize("kind", ["no desk", "imported bars"])
def test_the_clock_is_asked_only_where_nobody_says_the_time(kind, toy, request):
    if kind == "no desk":
        toy.write("spec/00_workspace.yaml", "name: toy\nrooms: {standard: false, own: true}\n")
    else:
        assert import_bars(request.getfixturevalue("desk")) == 0
    before = datetime.now(UTC)
    found = datetime.fromisoformat(instant(toy))
    assert before - timedelta(seconds=1) < found <= datetime.now(UTC)
    assert instant(toy, SAMPLE_AS_OF) == SAMPLE_AS_OF


def test_what_is_built_is_looked_at_as_of_its_own_instant(desk):
    assert desk.run("build", "trading_calendar", "--as-of", "2026-11-18T18:00:00+09:00").code == 0
    assert job.built(desk.root).value("as_of") == "2026-11-18T18:00:00+09:00"


# The bars.


def test_auto_takes_the_imported_bars_once_there_are_any(desk):
    assert market.chosen(job.opened(desk.root)).key == "SAMPLE"
    assert handed(desk, "bars").marks == ("SAMPLE",)
    assert import_bars(desk) == 0
    assert market.chosen(job.opened(desk.root)).key == "XKRX"
    assert handed(desk, "bars").load()["ticker"].to_list() == ["005930", "005930"]
    assert {handed(desk, name).marks for name in ("bars", "import_log", "universe_import", "account_snapshot")} == {()}


def test_a_desk_may_stay_with_the_sample(desk, edit):
    import_bars(desk)
    edit(desk, "spec/10_desk.yaml", "bars: auto", "bars: sample")
    assert handed(desk, "bars").marks == ("SAMPLE",)
    assert instant(desk) == SAMPLE_AS_OF


def test_imported_bars_that_are_not_there_are_one_sentence(desk, edit):
    edit(desk, "spec/10_desk.yaml", "bars: auto", "bars: imported")
    done = desk.run("run")
    assert (done.code, done.out) == (2, "")
    assert "there are no bars of XKRX: none imported yet; run `assay import bars DIR --market XKRX`\n" in done.err


def test_when_every_file_was_refused_the_sample_does_not_take_their_place(desk):
    assert import_bars(desk, "prose\n") == 1
    done = desk.run("run")
    assert done.code == 2
    assert "every file imported was quarantined" in done.err


# The account.


def test_auto_takes_the_sample_account_for_the_sample_and_another_for_real_bars(desk):
    assert handed(desk, "account_snapshot").load()["id"] == "sample"
    import_bars(desk)
    assert handed(desk, "account_snapshot").load()["id"] == "desk"


def test_an_account_is_taken_by_its_id_and_marked_when_it_is_invented(desk, edit):
    edit(desk, "spec/10_desk.yaml", "account: auto", "account: desk")
    assert handed(desk, "account_snapshot").load()["id"] == "desk"
    assert handed(desk, "account_snapshot").marks == ("SAMPLE",), "for the bars are the sample's"
    import_bars(desk)
    assert handed(desk, "account_snapshot").marks == ()
    edit(desk, "spec/10_desk.yaml", "account: desk", "account: sample")
    assert handed(desk, "account_snapshot").marks == ("SAMPLE",)


def test_an_account_that_is_not_there_names_those_that_are(desk, edit):
    edit(desk, "spec/10_desk.yaml", "account: auto", "account: nobody")
    done = desk.run("run")
    assert (done.code, done.out) == (2, "")
    assert "spec/10_desk.yaml names the account 'nobody'; spec/20_accounts.yaml has sample, desk" in done.err


def test_two_accounts_of_one_name_are_refused(desk, edit):
    edit(desk, "spec/20_accounts.yaml", "id: desk", "id: sample")
    assert "two accounts with the id 'sample'" in desk.run("run").err


# Nothing is done twice.


def lying(toy):
    """Every file under Temp/ and data/ but the lock: its bytes, and when they were written."""
    found = [path for room in ("Temp", "data") for path in sorted((toy.root / room).rglob("*")) if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in found if path.parent.name != "locks"}


def test_a_second_run_touches_nothing(desk):
    before = lying(desk)
    done = desk.run("run")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("nothing has changed: everything is kept\n")
    assert lying(desk) == before


def test_a_second_run_does_not_even_load_what_simulates_and_builds(desk):
    makers = {"quantassay.jobs.import_market", "quantassay.harness.produce", "quantassay.harness.render", "polars"}
    code = f"import sys\nfrom quantassay import cli\nprint(cli.run(['-q', 'run']), {makers} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=desk.root, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("0 set()\n", "")


def test_another_sample_spec_makes_another_sample_market(desk, edit):
    held = market.chosen(job.opened(desk.root)).index
    edit(desk, "spec/40_sample_market.yaml", "seed: 498", "seed: 498 # the same")
    assert (handed(desk, "bars").digest, market.chosen(job.opened(desk.root)).index) == (held.content, held)
    edit(desk, "spec/40_sample_market.yaml", "seed: 498", "seed: 499")
    assert handed(desk, "bars").digest != held.content
    assert market.chosen(job.opened(desk.root)).index.recipe != held.recipe
