"""`assay calibration show` tells what the backlog says: all thresholds in one table, or everything of one."""

import json

import pytest

NAME = "hsms.sell_band"
REGISTRY = "spec/30_calibration.yaml"


def show(desk, *more):
    return desk.run("calibration", "show", *more)


def backlog(desk):
    return desk.made("calibration_backlog")["data"]


def test_the_table_has_a_line_for_every_threshold_and_the_counts_below(desk):
    done = show(desk)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    rows = backlog(desk)["thresholds"]
    assert lines[0].split() == ["THRESHOLD", "VALUE", "UNIT", "STATUS", "EVENTS", "CLAIM", "REVIEW", "BY"]
    assert [line.split()[0] for line in lines[1 : len(rows) + 1]] == [row["id"] for row in rows]
    assert f"{NAME} " in done.out
    assert lines[-2].startswith("overclaimed_count 0, underclaimed_count 0, unverifiable_count 0, demoted_count 0")
    assert not any(line != line.rstrip() for line in lines)


def test_one_threshold_is_told_whole_with_the_claim_that_the_bars_would_bear(desk):
    done = show(desk, NAME)
    assert (done.code, done.err) == (0, "")
    row = next(row for row in backlog(desk)["thresholds"] if row["id"] == NAME)
    found = row["recomputed"]
    assert done.out.splitlines()[:4] == [
        NAME,
        "  value           0.99 ratio (signal), at hsms:/sell_band",
        "  status          EXPERT_PRIOR",
        "  answers for it  Trading desk",
    ]
    assert f"{found['n']} events up to {found['until']}, mean {found['mean_return']} (" in done.out
    assert f"  next            {row['next']}" in done.out
    claim = f'claim: {{made_on: "2026-11-18", sample_n: {found["n"]}, mean_return: "{found["mean_return"]}"}}'
    assert done.out.splitlines()[-1] == f"    {claim}"


def test_the_line_to_claim_is_one_that_the_registry_takes(desk, edit):
    claim = show(desk, NAME).out.splitlines()[-1]
    study = '    study: "hsms_sell_band"\n'
    edit(desk, REGISTRY, study, f"{study}{claim}\n")
    assert desk.run("run").code == 0
    row = next(row for row in backlog(desk)["thresholds"] if row["id"] == NAME)
    assert row["verdict"] == "supported"
    told = show(desk, NAME).out
    assert (
        f"claimed         {row['claim']['sample_n']} events, mean {row['claim']['mean_return']}, on 2026-11-18" in told
    )
    assert "to claim what" not in told


def test_what_fell_says_why_and_names_its_plans(desk, edit):
    text = (desk.root / REGISTRY).read_text()
    at = text.index(f'id: "{NAME}"')
    (desk.root / REGISTRY).write_text(text[:at] + text[at:].replace("EXPERT_PRIOR", "PROVISIONAL", 1))
    edit(desk, REGISTRY, 'review_on: "2027-05-20"\n  # evaluation_bar', 'review_on: "2026-11-17"\n  # evaluation_bar')
    assert desk.run("run").code == 1
    told = show(desk, NAME).out
    assert "  status          EXPERT_PRIOR (claimed PROVISIONAL)" in told
    assert "  because         no change note gives it this status" in told
    assert f"  plans on it     {desk.made('next_open_plan')['data']['plan_id']}" in told
    assert "2026-11-17 (overdue)" in show(desk).out
    assert "2026-11-17, overdue" in show(desk, "calendars.quorum").out


def test_the_same_for_a_machine(desk):
    value = json.loads(show(desk, NAME, "--format", "json").out)
    assert (value["as_of"], value["stale"]) == ("2026-11-18T15:45:00+09:00", [])
    assert value["thresholds"] == [row for row in backlog(desk)["thresholds"] if row["id"] == NAME]
    assert len(json.loads(show(desk, "--format", "json").out)["thresholds"]) == len(backlog(desk)["thresholds"])


def test_a_backlog_that_is_not_of_now_says_so(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8 ", "max_positions: 7 ")
    done = show(desk)
    assert done.code == 0
    assert done.out.splitlines()[-1] == "not of now: input next_open changed; run `assay build`"


@pytest.mark.parametrize("name", ["hsms.sell_bandit", "x"])
def test_a_threshold_that_nobody_registered_is_wrong_use(desk, name):
    done = show(desk, name)
    assert (done.code, done.out) == (2, "")
    assert f"no threshold {name!r}" in done.err


def test_before_anything_is_built_it_says_what_to_do(new_desk):
    done = show(new_desk)
    assert (done.code, done.out) == (1, "")
    assert "calibration_backlog is not built" in done.err
