"""The status command: a line or a JSON row for each thing; exit 1 only for what is red."""

import json


def test_a_line_for_each_thing(done):
    said = done.run("status")
    assert (said.code, said.out.splitlines()) == (
        0,
        [
            "ok     artifact  history            as of 2026-01-05T10:00:00+09:00",
            "ok     artifact  plan               as of 2026-01-05T10:00:00+09:00",
            "ok     gate      gate_record        passed",
            "ok     report    orders             Temp/orders_v1.md, Temp/orders_v1.trace.json",
            "ok     input     as_of              2026-01-05T10:00:00+09:00, as spec/00_workspace.yaml says",
        ],
    )


def test_json_rows(done):
    rows = json.loads(done.run("status", "--format", "json").out)
    assert [(row["kind"], row["name"], row["state"]) for row in rows] == [
        ("artifact", "history", "ok"),
        ("artifact", "plan", "ok"),
        ("gate", "gate_record", "ok"),
        ("report", "orders", "ok"),
        ("input", "as_of", "ok"),
    ]


def test_stale_is_exit_0_and_red_is_exit_1(done):
    done.write("spec/10_limits.yaml", "lot: 7\n")
    assert done.run("status").code == 0
    done.run("run")
    assert done.run("status").code == 1
