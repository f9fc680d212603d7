"""How a desk stands: ok, stale with the input that changed, red with what is wrong, none where nothing was made yet."""

from pathlib import Path

import pytest

from quantassay.jobs import status as job


def not_ok(toy):
    """(state, words) of what is not in order, by (kind, name)."""
    return {(row.kind, row.name): (row.state, row.says) for row in job.status(toy.root) if row.state != "ok"}


GATE = ("gate", "gate_record")
OTHER = ("stale", "passed, but of something else than what lies there now")


def test_all_is_well_after_a_run(desk):
    found = {row.name: row.says for row in job.status(desk.root) if row.kind != "report"}
    assert not_ok(desk) == {}
    assert found["signals"] == "as of 2026-11-18T15:45:00+09:00"
    assert found["gate_record"] == "passed"
    assert found["bars SAMPLE"] == "29,512 bars of 60 names, 2024-10-30 to 2026-11-18"
    assert found["universe list"] == "60 names of 2026-11-18"
    assert found["account sample"] == "sample, seen 2026-11-18T15:40:00+09:00"


def test_nothing_is_made_yet(new_desk):
    found = not_ok(new_desk)
    assert set(found.values()) == {("none", "never built"), ("none", "never judged"), ("none", "never rendered")}
    assert [kind for kind, _ in found] == ["artifact"] * 8 + ["gate"] + ["report"] * 3
    assert new_desk.run("status").code == 0


def test_a_changed_spec_is_named_and_only_what_stands_on_it_is_stale(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7 # as agreed")
    assert not_ok(desk) == {("artifact", "next_open_plan"): ("stale", "input next_open changed"), GATE: OTHER}
    assert desk.run("build").code == 0
    assert not_ok(desk) == {GATE: OTHER, ("report", "next_open_plan"): ("stale", "input next_open_plan changed")}
    assert desk.run("run").code == 0
    assert not_ok(desk) == {}


def test_a_comment_makes_nothing_stale(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 8 # as agreed")
    assert not_ok(desk) == {}


def test_bars_that_were_imported_make_stale_what_reads_them(desk):
    desk.write("in/005930.csv", "date,open,high,low,close,volume\n2020-11-18,100,110,90,105,1001\n")
    assert desk.run("import", "bars", desk.root / "in", "--market", "XKRX").code == 0
    assert "input bars changed" in not_ok(desk)["artifact", "evaluation_bars"][1]
    assert job.Row("input", "bars XKRX", "ok", "1 bars of 1 names, 2020-11-18 to 2020-11-18") in job.status(desk.root)


def test_a_red_gate_is_red(desk, own_gate):
    own_gate(desk, "quantities_integral", 'yield judged("/orders", ok=False, says="are not to my taste")')
    desk.run("run")
    assert not_ok(desk) == {GATE: ("red", "failed")}
    assert desk.run("status").code == 1


FILES = [
    ("Temp/signals_v1.json", "artifact", "signals"),
    ("Temp/signal_history_v1.parquet", "artifact", "signal_history"),
    ("Temp/gate_record_v1.json", "gate", "gate_record"),
    ("Temp/data_quality_v1.trace.json", "report", "data_quality"),
]


@pytest.mark.parametrize(("file", "kind", "name"), FILES)
def test_an_edited_file_is_red_and_a_deleted_one_is_stale(desk, file, kind, name):
    path = desk.root / file
    path.write_bytes(path.read_bytes() + b" ")
    assert not_ok(desk)[kind, name] == ("red", f"{file} was edited by hand")
    assert desk.run("status").code == 1
    path.unlink()
    assert not_ok(desk)[kind, name][0] == "stale"
    assert desk.run("status").code == 0


def test_a_page_is_stale_when_its_template_or_its_settings_changed(desk, edit):
    edit(desk, "spec/90_reports.yaml", 'title: "Data quality"', 'title: "Quality of the data"')
    assert not_ok(desk) == {("report", "data_quality"): ("stale", "settings changed"), GATE: OTHER}
    edit(desk, "spec/90_reports.yaml", 'title: "Quality of the data"', 'title: "Data quality"')
    edit(desk, "spec/00_workspace.yaml", "own: false", "own: true")
    standard = Path(__file__).parents[2] / "renderers/data_quality.md.j2"
    desk.write("renderers/data_quality.md.j2", standard.read_text().replace("#}", "of mine #}", 1))
    assert not_ok(desk) == {("report", "data_quality"): ("stale", "template changed"), GATE: OTHER}
