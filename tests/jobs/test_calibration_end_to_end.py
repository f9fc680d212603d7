"""A threshold is promoted by its evidence and by the command, and falls when the evidence does: all on one desk."""

import contextlib
import io
import json
import shutil

import polars as pl
import pytest

from quantassay import cli
from quantassay.store import bars

NAME, STUDY = "hsms.volume_multiple", "hsms_buy_volume_multiple"
TICKERS = ("990010", "990030", "990070", "990100", "990210", "990240")
AS_OF, BARS = "2026-11-18T15:45:00+09:00", 150
REGISTRY, NOTES = "spec/30_calibration.yaml", "governance/calibration/changes"
SAID = ("--author", "Kim Mina", "--reason", "Thirty events were read one by one, and they hold.")
SAMPLE, BACKTEST = "Thirty events of 2026 were read one by one.", "The backtest of 2026 gives the same mean return."
ENOUGH = 30


class Desk:
    """A folder with a desk in it, the assay command to run on it, and what it made."""

    def __init__(self, folder):
        self.root = folder

    def run(self, *arguments):
        """The exit code and all that was printed."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = cli.run(["-C", str(self.root), *map(str, arguments)])
        return code, said.getvalue()

    def ok(self, *arguments):
        code, said = self.run(*arguments)
        assert code == 0, said
        return said

    def note(self, status, *more, name=NAME):
        return self.run("calibration", "note", name, "--to", status, *SAID, *more)

    def edit(self, file, old, new):
        text = (self.root / file).read_text()
        assert text.count(old) == 1, f"{file} holds {text.count(old)} times {old!r}"
        (self.root / file).write_text(text.replace(old, new))

    def made(self, name):
        (path,) = (self.root / "Temp").glob(f"{name}_v?.json")
        return json.loads(path.read_bytes())["data"]

    def row(self, name=NAME):
        return next(row for row in self.made("calibration_backlog")["thresholds"] if row["id"] == name)

    def found(self):
        """Every finding of the gate record: severity, rule, and words."""
        gates = self.made("gate_record")["gates"]
        return [(one["severity"], one["rule"], one["says"]) for gate in gates for one in gate["findings"]]


def write_bars(source, target):
    """The last bars of some names of the sample market, a CSV file a name, as an exporter would write them."""
    frame = bars.read(source / "data", "SAMPLE")
    days = sorted(frame["session"].unique())[-BARS:]
    target.mkdir()
    for ticker in TICKERS:
        rows = frame.filter((pl.col("ticker") == ticker) & pl.col("session").is_in(days))
        prices = [pl.col(name).cast(pl.Int64) for name in ("open", "high", "low", "close")]
        rows.select(pl.col("session").alias("date"), *prices, "volume").write_csv(target / f"{ticker}.csv")


def last_of_thirty(root):
    """The event with which exactly thirty of the study have ended."""
    events = pl.read_parquet(root / "Temp/calibration_events_v1.parquet")
    own = events.filter(pl.col("study") == STUDY).sort("exit", "ticker")
    ended = own["exit"].to_list()[ENOUGH - 1 :]
    assert ended.count(ended[0]) == 1, "another choice of names is needed"
    return own.row(ENOUGH - 1, named=True)


@pytest.fixture(scope="module")
def promoted(tmp_path_factory, sample):
    """A paper desk on imported bars with one CALIBRATED threshold, promoted by the command. To be left as it is."""
    folder = tmp_path_factory.mktemp("promoted")
    desk = Desk(folder / "desk")
    Desk(folder).ok("init", desk.root)
    desk.edit("spec/00_workspace.yaml", "rooms:\n", f'as_of: "{AS_OF}"\nrooms:\n')
    write_bars(sample, folder / "bars")
    desk.ok("import", "bars", folder / "bars", "--market", "XKRX")
    desk.ok("build", "calibration_events")
    made_on = last_of_thirty(desk.root)["exit"].isoformat()
    study, begun = f'    study: "{STUDY}"\n', f'{{made_on: "{made_on}", sample_n: 1, mean_return: "-1"}}'
    desk.edit(REGISTRY, study, f"{study}    claim: {begun}\n")
    desk.ok("build", "calibration_backlog")
    found = json.loads(desk.ok("calibration", "show", NAME, "--format", "json"))["thresholds"][0]["recomputed"]
    claim = f'{{made_on: "{made_on}", sample_n: {found["n"]}, mean_return: "{found["mean_return"]}"}}'
    desk.edit(REGISTRY, begun, claim)
    desk.ok("build", "calibration_evidence")
    for status, more in (("PROVISIONAL", ("--sample-note", SAMPLE)), ("CALIBRATED", ("--backtest-note", BACKTEST))):
        code, said = desk.note(status, *more)
        assert code == 0, said
    desk.ok("run")
    return desk.root


@pytest.fixture
def desk(promoted, tmp_path):
    shutil.copytree(promoted, tmp_path / "desk")
    return Desk(tmp_path / "desk")


def take_one_event_away(desk, promoted):
    """Import the bars of one name again, without the session on which its last event was bought."""
    last = last_of_thirty(promoted)
    file = promoted.parent / "bars" / f"{last['ticker']}.csv"
    rows = file.read_text().splitlines(keepends=True)
    kept = [row for row in rows if not row.startswith(last["entry"].isoformat())]
    assert len(kept) == len(rows) - 1
    target = desk.root / file.name
    target.write_text("".join(kept))
    desk.ok("import", "bars", target, "--market", "XKRX")


def test_thirty_events_and_their_notes_make_it_calibrated(desk):
    row = desk.row()
    assert (row["claimed"], row["effective"], row["why"]) == ("CALIBRATED", "CALIBRATED", [])
    assert (row["verdict"], row["claim"]["sample_n"], row["recomputed"]["n"]) == ("supported", ENOUGH, ENOUGH)
    assert (row["note"], row["sample_note"], row["backtest_note"]) == ("C0005", SAMPLE, BACKTEST)
    assert desk.made("calibration_backlog")["effective"]["CALIBRATED"] == 1
    assert [note["id"] for note in desk.made("calibration_change_ledger")["notes"]] == [
        "C0001",
        "C0002",
        "C0003",
        "C0004",
        "C0005",
    ]
    assert desk.made("gate_record")["status"] == "passed"
    assert desk.made("gate_record")["counts"]["warnings"] == 0
    desk.ok("package")
    desk.ok("verify")


def test_one_event_less_takes_it_down_and_nothing_is_packaged(desk, promoted):
    take_one_event_away(desk, promoted)
    code, said = desk.run("run")
    assert code == 1
    row = desk.row()
    assert (row["claimed"], row["effective"], row["recomputed"]["n"]) == ("CALIBRATED", "PROVISIONAL", ENOUGH - 1)
    assert "the bars give too few events" in row["why"]
    assert row["plans"] == [desk.made("next_open_plan")["plan_id"]]
    assert "is claimed to be CALIBRATED and is worth PROVISIONAL" in said
    page = (desk.root / "Temp/calibration_review_report_v1.md").read_text()
    assert f"- `{NAME}` is claimed to be CALIBRATED and is worth PROVISIONAL" in page
    assert f"Plans that stand on it: {row['plans'][0]}" in page
    code, said = desk.run("package")
    assert code == 1
    assert "refused" in said
    assert not list((desk.root / "Temp").glob("packages/*"))


def test_a_claim_of_45_where_29_exist_is_named_and_counted(desk, promoted):
    desk.edit(REGISTRY, f"sample_n: {ENOUGH}", "sample_n: 45")
    take_one_event_away(desk, promoted)
    code, said = desk.run("run")
    assert code == 1
    backlog = desk.made("calibration_backlog")
    assert backlog["overclaimed_count"] == 1
    assert [row["id"] for row in backlog["thresholds"] if row["verdict"] == "overclaimed"] == [NAME]
    assert f"{NAME} claims 45 events, and the bars give 29" in said
    assert f"overclaimed_count is 1: {NAME}" in said
    page = (desk.root / "Temp/calibration_review_report_v1.md").read_text()
    assert page.index("**overclaimed_count is 1.**") < page.index("## ")
    assert f"until the claims are corrected: `{NAME}`." in page
    assert ("error", "R08.4") in {one[:2] for one in desk.found()}
    code, said = desk.note("CALIBRATED", "--backtest-note", BACKTEST, "--dry-run")
    assert code == 1
    assert f"overclaimed_count is 1 ({NAME}), and CALIBRATED asks for 0" in said


def test_an_edited_note_breaks_the_chain(desk):
    desk.edit(f"{NOTES}/C0004.yaml", SAMPLE, SAMPLE.replace("Thirty", "Eighty"))
    code, said = desk.run("run")
    assert code == 1
    assert {(severity, rule) for severity, rule, _ in desk.found()} == {("error", "R08.2")}
    assert "was written after C0004 as it then was" in said
    assert f"{NOTES}/C0005.yaml" in said
    code, said = desk.note("EXPERT_PRIOR")
    assert (code, "the chain is broken at C0005" in said) == (1, True)


def test_a_missing_note_breaks_it_too(desk):
    (desk.root / NOTES / "C0004.yaml").unlink()
    assert desk.run("run")[0] == 1
    assert {"R08.2", "R08.5"} <= {rule for _, rule, _ in desk.found()}
    assert desk.row()["effective"] == "EXPERT_PRIOR"


def test_another_value_than_the_noted_one_is_an_error_and_of_a_guess_a_warning(desk):
    desk.edit("spec/17_next_open.yaml", "max_positions: 8 ", "max_positions: 7 ")
    desk.ok("run")
    (only,) = desk.found()
    assert only[:2] == ("warning", "R08.6")
    assert only[2].startswith("next_open.limits.max_positions is 7, and C0001 gives it 8")
    desk.edit("spec/15_hsms.yaml", 'volume_multiple: "1.1"', 'volume_multiple: "1.2"')
    assert desk.run("run")[0] == 1
    assert ("error", "R08.5") in {one[:2] for one in desk.found()}
    row = desk.row()
    assert (row["effective"], row["value"], row["noted"]) == ("EXPERT_PRIOR", "1.2", "1.1")
    assert row["next"].startswith("Put the noted value back")


def test_old_evidence_counts_no_more(desk):
    desk.ok("build", "calibration_backlog", "--as-of", "2027-09-01T15:45:00+09:00")
    assert desk.row()["effective"] == "CALIBRATED"
    desk.ok("build", "calibration_backlog", "--as-of", "2027-09-02T15:45:00+09:00")
    row = desk.row()
    assert (row["effective"], row["why"]) == ("PROVISIONAL", ["its evidence is too old"])


@pytest.mark.parametrize(
    ("environment", "refused"),
    [("virtual", {"signal"}), ("real", {"signal", "limit", "data"})],
)
def test_a_plan_for_more_than_paper_needs_more_than_guesses(desk, environment, refused):
    desk.edit("spec/20_accounts.yaml", "environment: paper", f"environment: {environment}")
    assert desk.run("run")[0] == 1
    says = [says for _, rule, says in desk.found() if rule == "R08.9"]
    assert says
    assert {
        kind for kind in ("signal", "limit", "data") if any(f"its {kind} thresholds" in one for one in says)
    } == refused
    assert not any(NAME in one for one in says)
    assert desk.run("package")[0] == 1
