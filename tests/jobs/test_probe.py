"""`assay probe` repeats an attempt, records whatever came of it, and never overwrites, logs in or tries twice."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quantassay.harness import canonical, files, lock
from quantassay.jobs import probe as job

ROOT = Path(__file__).parents[2]
ROADMAP = "spec/16_data_gaps_roadmap.yaml"
ATTEMPTS = "governance/data_gaps/attempts"


@pytest.fixture
def site():
    spec = importlib.util.spec_from_file_location("krx_site", ROOT / "tests/fakes/krx_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.opened() as opened:
        yield opened


@pytest.fixture
def desk(toy, site):
    """A workspace that knows the shipped gaps, with the exchange's site on loopback."""
    text = (ROOT / ROADMAP).read_text(encoding="utf-8")
    toy.write(ROADMAP, text.replace("https://data.krx.co.kr", site.root).replace("answer_s: 20", "answer_s: 1"))
    toy.write(
        "spec/00_workspace.yaml", 'name: toy\nrooms: {standard: true, own: false}\nas_of: "2026-11-20T09:00:00+09:00"\n'
    )
    for spec in ("spec/10_desk.yaml", "spec/11_calendars.yaml", "spec/20_accounts.yaml"):
        toy.write(spec, (ROOT / spec).read_text(encoding="utf-8"))
    return toy


def recorded(desk):
    return sorted(path.name for path in (desk.root / ATTEMPTS).glob("*.yaml"))


def attempt(desk, name):
    inputs = job.desk.opened(desk.root)
    return next(one for one in inputs.value("gap_attempts") if one["id"] == name)


def test_an_attempt_is_recorded_with_its_transcript(desk):
    said = desk.run("probe", "S5")
    assert (said.code, said.err) == (0, "")
    assert 'short balance of one name: HTTP 400 with the body "LOGOUT", as recorded\nlogin_required: ' in said.out
    assert recorded(desk) == ["P0001_S5.yaml"]
    one = attempt(desk, "P0001")
    assert (one["gap"], one["by"], one["outcome"], one["status"], one["login"]) == (
        "S5", "assay probe", "login_required", 400, False,
    )  # fmt: skip
    assert one["previous"] is None
    assert "MDCSTAT30502" in one["procedure"]
    path = desk.root / "data/probes" / one["transcript"]["file"]
    assert files.digest(path) == one["transcript"]["digest"]
    assert path.stat().st_size == one["transcript"]["bytes"]
    kept = json.loads(path.read_bytes())
    assert [(x["request"]["method"], x["answer"]["status"]) for x in kept["exchanges"]] == [("GET", 200), ("POST", 400)]
    assert kept["exchanges"][1]["answer"]["body"] == "LOGOUT"


def test_attempts_are_chained_whatever_their_gap(desk, site):
    assert desk.run("probe", "S5").code == 0
    site.mode = "no_rows"
    assert desk.run("probe", "S4", "--by", "Kim Mina").code == 0
    assert desk.run("probe", "S5").code == 0
    assert recorded(desk) == ["P0001_S5.yaml", "P0002_S4.yaml", "P0003_S5.yaml"]
    first, second, third = (attempt(desk, f"P000{n}") for n in (1, 2, 3))
    assert (second["previous"], third["previous"]) == (canonical.digest(first), canonical.digest(second))
    assert (second["by"], second["outcome"], third["outcome"]) == ("Kim Mina", "unexpected", "no_rows")
    assert [one["request"] for one in second["answers"]] == ["price deviation", "tracking error"]


def test_two_probes_at_once_are_recorded_one_after_the_other(desk, site):
    site.meanwhile = lambda: job.probe(desk.root, "S5", "Kim Mina")
    assert job.probe(desk.root, "S5", "Lee Jun").value["id"] == "P0002"
    first, second = attempt(desk, "P0001"), attempt(desk, "P0002")
    assert (first["by"], second["by"]) == ("Kim Mina", "Lee Jun")
    assert second["previous"] == canonical.digest(first)


@pytest.mark.parametrize(("mode", "outcome"), [("slow", "timed_out"), ("close", "cut_off"), ("html", "html")])
def test_a_site_that_was_reached_is_recorded_whatever_it_did(desk, site, mode, outcome):
    site.mode = mode
    assert desk.run("probe", "S5").code == 0
    assert attempt(desk, "P0001")["outcome"] == outcome
    assert [method for method, *_ in site.seen] == ["GET", "POST"]


def test_an_answer_with_rows_says_that_the_gap_may_be_closable(desk, site):
    site.mode = "rows"
    said = desk.run("probe", "S5")
    assert "answered: the gap may be closable" in said.out
    assert attempt(desk, "P0001")["answers"][0]["rows"] == 1
    said = json.loads(desk.run("probe", "S5", "--format", "json").out)
    assert (said["attempt"]["id"], said["file"]) == ("P0002", f"{ATTEMPTS}/P0002_S5.yaml")


def test_without_a_network_nothing_is_recorded(desk, site):
    site.server_close()
    site.shutdown()
    said = desk.run("probe", "S5")
    assert said.code == 1
    assert re.fullmatch(
        r"assay: 127.0.0.1:\d+ cannot be reached \(no connection\), so nothing was recorded; .*\n", said.err
    )
    assert recorded(desk) == []
    assert not (desk.root / "data/probes").exists()


def test_a_dry_run_asks_and_writes_nothing(desk, site):
    said = desk.run("probe", "S4", "--dry-run")
    assert said.code == 0
    assert "bld=dbms/MDC/STAT/standard/MDCSTAT06001" in said.out
    assert "recorded: HTTP 400 LOGOUT" in said.out
    assert (site.seen, recorded(desk), (desk.root / "data").exists()) == ([], [], False)
    assert json.loads(desk.run("probe", "S4", "-n", "--format", "json").out)["gap"] == "S4"


def test_nobody_is_logged_in_whatever_the_environment_holds(desk, site, monkeypatch):
    monkeypatch.setenv("KRX_ID", "member7")
    monkeypatch.setenv("KRX_PW", "hush7hush7")
    assert "login not allowed: governance/credentials.yaml" in desk.run("probe", "S5", "-n").out
    assert desk.run("probe", "S5").code == 0
    everything = json.dumps([list(map(str, one)) for one in site.seen])
    everything += "".join(p.read_text(encoding="utf-8") for p in desk.root.rglob("*") if p.is_file())
    for secret in ("member7", "hush7hush7"):
        assert secret not in everything
    assert [path for _, path, *_ in site.seen if "COMS" in path] == []


def test_what_cannot_be_probed_is_said(desk):
    said = desk.run("probe", "S1")
    assert (said.code, "S1 has no probe: No source of the older sessions" in said.err) == (2, True)
    said = desk.run("probe", "S9")
    assert (said.code, "there is no gap 'S9'" in said.err) == (2, True)
    for name in ("x", "a" * 61, "two\nlines"):
        said = desk.run("probe", "S5", "--by", name)
        assert (said.code, "is no name for a record" in said.err) == (2, True)
    (desk.root / ROADMAP).unlink()
    said = desk.run("probe", "S5")
    assert (said.code, "has no spec/16_data_gaps_roadmap.yaml" in said.err) == (2, True)


def test_a_file_in_the_way_is_left_alone(desk):
    # Renamed by hand, it is no longer where its id says.
    assert desk.run("probe", "S5").code == 0
    path = desk.root / ATTEMPTS / "P0001_S5.yaml"
    path.rename(path.with_name("P0002_S5.yaml"))
    before = path.with_name("P0002_S5.yaml").read_bytes()
    said = desk.run("probe", "S5")
    assert (said.code, "P0002_S5.yaml is there already and is left alone" in said.err) == (2, True)
    assert path.with_name("P0002_S5.yaml").read_bytes() == before


def test_another_run_holds_the_workspace(desk, site):
    with lock.held(desk.root / "data/locks/build.lock"), pytest.raises(lock.Busy):
        job.probe(desk.root, "S5", wait_s=0)
    assert recorded(desk) == []
    assert [method for method, *_ in site.seen] == ["GET", "POST"]


def test_the_list_tells_what_was_tried_and_which_transcripts_were_changed(desk):
    said = desk.run("probe")
    assert said.code == 0
    assert re.search(r"^S1 +- +never tried", said.out, re.MULTILINE)
    assert re.search(r"^S5 +probe +2026-06-22 login_required +Short balance ratio$", said.out, re.MULTILINE)
    for _ in range(2):
        assert desk.run("probe", "S5").code == 0
    assert desk.run("probe").code == 0
    first, second = (desk.root / "data/probes" / attempt(desk, f"P000{n}")["transcript"]["file"] for n in (1, 2))
    first.unlink()
    second.write_bytes(second.read_bytes().replace(b"LOGOUT", b"LOGIN!"))
    said = desk.run("probe")
    assert said.code == 1
    assert "not on this machine: transcripts of P0001" in said.out
    assert "changed since they were recorded: transcripts of P0002" in said.out
    told = {one["gap"]: one for one in json.loads(desk.run("probe", "--format", "json").out)}
    assert (told["S5"]["missing"], told["S5"]["changed"]) == (["P0001"], ["P0002"])


def test_the_record_is_yaml_that_reads_back(desk):
    value = {
        "id": "P0001",
        "says": 'a: "b" \\ # c — 한',
        "answers": [{"a": None, "b": "1"}],
        "transcript": {"bytes": 3},
    }
    path = desk.write("governance/any.yaml", job.yaml_text(value))
    assert job.desk.opened(desk.root).yaml(path, "none")["value"] == value


def test_the_library_is_loaded_only_to_ask(desk):
    code = (
        "import sys\nfrom quantassay.cli import run\n"
        f"code = run(['-C', {str(desk.root)!r}, 'probe', 'S5', '-n'])\n"
        "sys.exit(code or ('requests' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
