"""The rooms command: every unit with where it comes from, what it is for and what it reads."""

import json


def test_each_unit_is_a_line_below_its_room(done):
    lines = done.run("rooms").out.splitlines()
    units = "builders/ history plan validators/ lots renderers/ orders"
    assert [line.split()[0] for line in lines] == units.split()
    assert lines[4].split()[1] == "workspace"
    assert lines[4].endswith("Every order is for whole lots.")


def test_verbose_says_what_a_unit_reads(done):
    assert "reads plan, limits" in done.run("-v", "rooms").out


def test_json_rows(done):
    rows = {row["name"]: row for row in json.loads(done.run("rooms", "--format", "json").out)}
    lots = rows["lots"]
    assert (lots["room"], lots["origin"], lots["reads"], lots["rules"]) == (
        "validators", "workspace", ["plan", "limits"], ["R01.1"],
    )  # fmt: skip
    assert rows["orders"]["reads"] == ["plan"]
