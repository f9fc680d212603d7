"""`assay calibration note` writes what the rules accept, chained to the last note, and refuses the rest with why."""

import pytest
import yaml

from quantassay.harness import canonical

NAME, OTHER = "hsms.volume_multiple", "hsms.sell_band"
REGISTRY, NOTES = "spec/30_calibration.yaml", "governance/calibration/changes"
SAID = ("--author", "Kim Mina", "--reason", "Forty events were read one by one, and they hold.")
SAMPLE = ("--sample-note", "Forty events of 2026 were read one by one.")
BACKTEST = ("--backtest-note", "The backtest of 2025 and 2026 holds.")


def note(desk, status, *more, names=(NAME,), said=SAID):
    return desk.run("calibration", "note", *names, "--to", status, *said, *more)


def written(desk):
    return sorted(path.name for path in (desk.root / NOTES).glob("*.yaml"))


def of(desk, id_):
    return yaml.safe_load((desk.root / NOTES / f"{id_}.yaml").read_text())


def claim(desk, edit, text='{made_on: "2026-11-18", sample_n: 1, mean_return: "-1"}'):
    study = '    study: "hsms_buy_volume_multiple"\n'
    edit(desk, REGISTRY, study, f"{study}    claim: {text}\n")


def test_a_note_is_chained_to_the_last_one_and_the_registry_follows(desk):
    before = (desk.root / REGISTRY).read_text().splitlines()
    done = note(desk, "PROVISIONAL", *SAMPLE, names=(NAME, OTHER))
    assert (done.code, done.err) == (0, "")
    made = of(desk, "C0004")
    assert made["previous"] == canonical.digest(of(desk, "C0003"))
    assert (made["date"], made["author"], made["reason"]) == ("2026-11-18", *SAID[1::2])
    first = {"threshold": NAME, "from": "EXPERT_PRIOR", "to": "PROVISIONAL", "value": "1.1", "sample_note": SAMPLE[1]}
    assert made["changes"] == [first, {**first, "threshold": OTHER, "value": "0.99"}]
    after = (desk.root / REGISTRY).read_text().splitlines()
    changed = [(number, old, new) for number, (old, new) in enumerate(zip(before, after, strict=True), 1) if old != new]
    assert [(old, new) for _, old, new in changed] == 2 * [('    status: "EXPERT_PRIOR"', '    status: "PROVISIONAL"')]
    lines = done.out.splitlines()
    assert lines[0] == f"written: {NOTES}/C0004.yaml"
    wanted = zip((OTHER, NAME), changed, strict=True)
    assert lines[1:3] == [f"set: {REGISTRY}:{n}:13 {name}: EXPERT_PRIOR -> PROVISIONAL" for name, (n, *_) in wanted]
    assert lines[3] == "next: assay run"
    done = desk.run("run")
    assert (done.code, "0 warnings" in done.out) == (0, True)
    backlog = desk.made("calibration_backlog")["data"]
    assert backlog["effective"]["PROVISIONAL"] == 2
    rows = desk.made("calibration_approval_list")["data"]["rows"]
    assert [(row["id"], row["source"], row["asks"]) for row in rows] == [
        (OTHER, "PROVISIONAL", "CALIBRATED"),
        (NAME, "PROVISIONAL", "CALIBRATED"),
    ]
    assert "2 thresholds wait for a signature" in (desk.root / "Temp/calibration_approval_list_v1.md").read_text()


def test_a_dry_run_prints_the_note_and_writes_nothing(desk):
    files = {path: path.read_bytes() for path in desk.root.rglob("*") if path.is_file()}
    done = note(desk, "PROVISIONAL", *SAMPLE, "--dry-run")
    assert done.code == 0
    assert {path: path.read_bytes() for path in desk.root.rglob("*") if path.is_file()} == files
    lines = done.out.splitlines()
    assert lines[0] == f"# {NOTES}/C0004.yaml"
    assert lines[-1] == "nothing was written; note without --dry-run"
    assert lines[-2].startswith(f"would set {REGISTRY}:")
    assert yaml.safe_load("\n".join(lines[:-2]))["changes"][0]["to"] == "PROVISIONAL"


def test_a_new_value_is_recorded_and_the_warning_goes(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8 ", "max_positions: 7 ")
    limit = "next_open.limits.max_positions"
    done = note(desk, "EXPERT_PRIOR", names=(limit,))
    assert (done.code, done.err) == (0, "")
    assert of(desk, "C0004")["changes"] == [
        {"threshold": limit, "from": "EXPERT_PRIOR", "to": "EXPERT_PRIOR", "value": 7}
    ]
    done = desk.run("run")
    assert (done.code, "0 warnings" in done.out) == (0, True)


def test_the_figures_of_the_claim_and_the_events_behind_it_are_copied(desk, edit):
    claim(desk, edit)
    assert note(desk, "PROVISIONAL", *SAMPLE).code == 0
    (change,) = of(desk, "C0004")["changes"]
    study = desk.made("calibration_evidence")["data"]["studies"][0]
    assert (change["sample_n"], change["mean_return"], change["evidence"]) == (1, "-1", study["digest"])


@pytest.mark.parametrize(
    ("status", "more", "why"),
    [
        ("PROVISIONAL", (), f"{NAME} does not become PROVISIONAL: no note with this value has a sample note"),
        ("PROVISIONAL", BACKTEST, "no note with this value has a sample note"),
        ("CALIBRATED", BACKTEST, "no note with this value has a sample note"),
        ("CALIBRATED", SAMPLE, f"{NAME} does not become CALIBRATED: no note with this value has a backtest note"),
        ("CALIBRATED", (*SAMPLE, *BACKTEST), f"{NAME} does not become CALIBRATED: nothing is claimed of it"),
        ("EXPERT_PRIOR", (), f"{NAME} has this value, this status and these figures already by C0001"),
        ("EXPERT_PRIOR", SAMPLE, "a sample note or a backtest note is for a promotion"),
        ("PROVISIONAL", (*SAMPLE, "--date", "2026-11-19"), "2026-11-19 is after the run of 2026-11-18"),
        ("PROVISIONAL", (*SAMPLE, "--date", "2026-11-17"), "2026-11-17 is before the last note, C0003 of 2026-11-18"),
        ("PROVISIONAL", (*SAMPLE, "--date", "yesterday"), "'yesterday' is no day; write it like 2026-11-18"),
    ],
)
def test_what_the_rules_would_refuse_is_refused_with_its_reason(desk, status, more, why):
    before = (desk.root / REGISTRY).read_bytes()
    done = note(desk, status, *more)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("assay: no note is written: ")
    assert why in done.err
    assert written(desk) == ["C0001.yaml", "C0002.yaml", "C0003.yaml"]
    assert (desk.root / REGISTRY).read_bytes() == before


def test_calibrated_needs_a_claim_that_holds(desk, edit):
    claim(desk, edit, '{made_on: "2026-11-18", sample_n: 99999, mean_return: "0.5"}')
    done = note(desk, "CALIBRATED", *SAMPLE, *BACKTEST)
    assert done.code == 1
    assert "more is claimed than the bars give" in done.err
    assert f"overclaimed_count is 1 ({NAME}), and CALIBRATED asks for 0" in done.err
    edit(desk, REGISTRY, 'sample_n: 99999, mean_return: "0.5"', 'sample_n: 30, mean_return: "-0.5"')
    done = note(desk, "CALIBRATED", *SAMPLE, *BACKTEST)
    assert (done.code, done.err) == (0, "")
    assert desk.run("run").code == 0
    assert desk.made("calibration_backlog")["data"]["underclaimed_count"] == 1


@pytest.mark.parametrize("said", [("--author", "Kim Mina", "--reason", "Because."), ("--author", " ", *SAID[2:])])
def test_words_that_say_nothing_are_refused(desk, said):
    done = note(desk, "PROVISIONAL", *SAMPLE, said=said)
    assert done.code == 2
    assert f"{NOTES}/C0004.yaml cannot be written so" in done.err
    assert written(desk) == ["C0001.yaml", "C0002.yaml", "C0003.yaml"]


def test_a_threshold_that_nobody_registered_is_named_with_the_closest(desk):
    done = note(desk, "PROVISIONAL", *SAMPLE, names=("hsms.volume_multipel",))
    assert (done.code, done.out) == (2, "")
    assert f"no threshold 'hsms.volume_multipel'; did you mean {NAME}?" in done.err


def test_a_dry_run_does_not_stand_on_evidence_of_another_day(desk, edit):
    claim(desk, edit)
    done = note(desk, "PROVISIONAL", *SAMPLE, "--dry-run")
    assert done.code == 1
    assert "calibration_studies is out of date: input calibration changed" in done.err


def test_a_file_in_the_way_is_left_alone(desk):
    text = (desk.root / NOTES / "C0003.yaml").read_text()
    (desk.root / NOTES / "C0003.yaml").rename(desk.root / NOTES / "C0004.yaml")
    done = note(desk, "PROVISIONAL", *SAMPLE)
    assert done.code == 1
    assert "C0004.yaml is there already, under an id that is not in order" in done.err
    assert (desk.root / NOTES / "C0004.yaml").read_text() == text


def test_a_pointer_that_leads_nowhere_is_told(desk, edit):
    edit(desk, REGISTRY, '"hsms:/volume_multiple"', '"hsms:/volume_multipel"')
    done = note(desk, "EXPERT_PRIOR")
    assert done.code == 1
    assert "hsms:/volume_multipel leads to no number" in done.err
