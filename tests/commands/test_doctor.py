"""The doctor command: a line or a JSON row for each part, and exit 2 when a needed one is missing."""

import json


def test_every_part_is_a_line(done):
    said = done.run("doctor")
    assert said.code == 0
    assert all(line.startswith(("ok ", "off ")) for line in said.out.splitlines())
    assert said.out.splitlines()[-1].split() == ["ok", "workspace", str(done.root)]


def test_json_rows(done):
    rows = json.loads(done.run("doctor", "--format", "json").out)
    assert {"subject": "workspace", "state": "ok", "says": str(done.root)} in rows
