"""How a desk stands: ok, stale with the input that changed, red with what is wrong, none where nothing was made yet."""

from pathlib import Path

import pytest

from quantassay.jobs import status as job
from quantassay.jobs.desk import opened


def not_ok(toy):
    """(state, words) of what is not in order, by (kind, name)."""
    return {(row.kind, row.name): (row.state, row.says) for row in job.status(toy.root) if row.state != "ok"}


def readers_of_every_spec(toy):
    """What is made of the values of all specs is stale when any of them changed."""
    builders = opened(toy.root).rooms.builders.values()
    readers = [unit.name for unit in builders if "spec_values" in unit.parameters]
    return {("artifact", name): ("stale", "input spec_values changed") for name in readers}


GATE = ("gate", "gate_record")
OTHER = ("stale", "passed, but of something else than what lies there now")


def test_all_is_well_after_a_run(desk):
    found = {row.name: row.says for row in job.status(desk.root) if row.kind != "report"}
    assert not_ok(desk) == {}
    assert found["signals"] == "as of 2026-11-18T15:45:00+09:00"
    assert found["gate_record"] == "passed"
    assert found["bars SAMPLE"] == "30,512 bars of 62 names, 2024-10-30 to 2026-11-18"
    assert found["universe list"] == "61 names of 2026-11-18"
    assert found["account sample"] == "sample, seen 2026-11-18T15:40:00+09:00"


AS_OF = ("input", "as_of")


def test_an_instant_that_a_spec_fixes_is_told_and_a_changed_one_is_stale(desk, edit):
    (row,) = [row for row in job.status(desk.root) if row.name == "as_of"]
    assert (row.state, row.says) == ("ok", "2026-11-18T15:45:00+09:00, as spec/40_sample_market.yaml says")
    edit(desk, "spec/40_sample_market.yaml", "2026-11-18T15:45:00+09:00", "2026-11-18T16:45:00+09:00")
    state, says = not_ok(desk)[AS_OF]
    assert (state, "built for 2026-11-18T15:45:00+09:00; spec/40_sample_market.yaml says 2026-11-18T16" in says) == (
        "stale", True,
    )  # fmt: skip
    assert desk.run("run").code == 0
    assert AS_OF not in not_ok(desk)
    marker = desk.root / "spec/00_workspace.yaml"
    marker.write_text(marker.read_text() + 'as_of: "2026-11-18T17:45:00+09:00"\n')
    assert "spec/00_workspace.yaml says 2026-11-18T17:45:00+09:00" in not_ok(desk)[AS_OF][1]
    assert desk.run("run").code == 0
    assert AS_OF not in not_ok(desk)


def test_a_run_for_another_instant_is_told_to_be_one(desk):
    desk.run("run", "--as-of", "2026-11-18T18:00:00+09:00")
    assert "built for 2026-11-18T18:00:00+09:00" in not_ok(desk)[AS_OF][1]


def test_nothing_is_made_yet(new_desk):
    found = not_ok(new_desk)
    assert set(found.values()) == {("none", "never built"), ("none", "never judged"), ("none", "never rendered")}
    rooms = opened(new_desk.root).rooms
    kinds = ["artifact"] * len(rooms.builders) + ["gate"] + ["report"] * len(rooms.renderers)
    assert [kind for kind, _ in found] == kinds
    assert new_desk.run("status").code == 0


def test_a_changed_spec_is_named_and_only_what_stands_on_it_is_stale(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7 # as agreed")
    changed = ("stale", "input next_open changed")
    plan = {("artifact", name): changed for name in ("followed_signals", "next_open_plan")}
    assert not_ok(desk) == plan | readers_of_every_spec(desk) | {GATE: OTHER}
    assert desk.run("build").code == 0
    found = not_ok(desk)
    assert {kind for kind, _ in found} == {"gate", "report"}
    says = "input followed_signals changed; input next_open_plan changed"
    assert found["report", "next_open_plan"] == ("stale", says)
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
    page = {("report", "data_quality"): ("stale", "settings changed")}
    assert not_ok(desk) == page | readers_of_every_spec(desk) | {GATE: OTHER}
    edit(desk, "spec/90_reports.yaml", 'title: "Quality of the data"', 'title: "Data quality"')
    edit(desk, "spec/00_workspace.yaml", "own: false", "own: true")
    standard = Path(__file__).parents[2] / "renderers/data_quality.md.j2"
    desk.write("renderers/data_quality.md.j2", standard.read_text().replace("#}", "of mine #}", 1))
    page = {("report", "data_quality"): ("stale", "template changed")}
    assert not_ok(desk) == page | {GATE: OTHER}
