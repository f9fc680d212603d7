"""A packet is approved through the command, stands while nothing changes, and is refused in every other case."""

import json
import shutil

import pytest

from quantassay import cli

WHO = ("--by", "Kim Mina", "--proposer", "Lee Jun", "--reason", "Compared with the signals, line by line.")
SAME = ("--by", "Kim Mina", "--proposer", "kim  MINA", "--reason", "Compared with the signals, line by line.")
ALONE = ("--by", "Kim Mina", "--reason", "Compared with the signals, line by line.")
APPROVAL, COPY = "governance/approvals/A001_next_open_plan.yaml", "governance/approvals/A001_next_open_plan.packet.json"


@pytest.fixture(scope="module")
def approved_folder(sample, tmp_path_factory):
    """The sample desk with its plan approved, and a run after it. To be left as it is."""
    folder = tmp_path_factory.mktemp("approved") / "desk"
    shutil.copytree(sample, folder)
    for words in (("approve", "next_open_plan", *WHO), ("run",)):
        assert cli.run(["-q", "-C", str(folder), *words]) == 0
    return folder


@pytest.fixture
def approved(toy, approved_folder):
    """A copy of it."""
    shutil.copytree(approved_folder, toy.root, dirs_exist_ok=True)
    return toy


def state(toy, index=0):
    row = toy.made("approval_states")["data"]["approvals"][index]
    return row["state"], row["why"]


def page(toy):
    return (toy.root / "Temp/approvals_v1.md").read_text(encoding="utf-8")


def changed(toy, old, new, file=APPROVAL):
    path = toy.root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def cut(toy):
    """One hex digit more is no digest, so one is taken off at the end."""
    path = toy.root / APPROVAL
    lines = [line[:-2] + '"' if line.startswith("content") else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def copied(toy):
    for path in list((toy.root / "governance/approvals").glob("A001*")):
        text = path.read_text(encoding="utf-8").replace('"A001"', '"A002"')
        path.with_name(path.name.replace("A001", "A002")).write_text(text, encoding="utf-8")


def test_an_approval_binds_to_the_content_the_rules_and_the_bars(approved):
    (row,) = approved.made("approval_states")["data"]["approvals"]
    record = approved.made("gate_record")["data"]
    written = (approved.root / APPROVAL).read_text()
    assert (row["state"], row["days_left"], row["proposer"]) == ("in_force", 7, "Lee Jun")
    assert record["rules_digest"] in written
    assert json.loads((approved.root / COPY).read_bytes()) == approved.made("next_open_plan")["data"]
    assert "| A001 | packet | `next_open_plan` | in force | 7 |" in page(approved)


def test_what_was_approved_is_told_and_a_dry_run_writes_nothing(desk):
    said = desk.run("approve", "next_open_plan", *WHO, "--days", "2", "--dry-run")
    assert said.code == 0
    for line in ("A001: next_open_plan is approved by Kim Mina, proposed by Lee Jun", "through 2026-11-20", "6 orders",
                 "SAMPLE", "as of 2026-11-18T15:45:00+09:00", "nothing was written"):  # fmt: skip
        assert line in said.out
    assert not list((desk.root / "governance/approvals").glob("A*"))
    done = desk.run("approve", "next_open_plan", *WHO, "--days", "2")
    assert f"written: {APPROVAL}" in done.out
    assert "next: assay run\n" in done.out
    assert done.out.splitlines()[1:9] == said.out.splitlines()[1:9]


def test_another_layout_of_either_file_changes_nothing(approved):
    lines = (approved.root / APPROVAL).read_text().splitlines()
    (approved.root / APPROVAL).write_text("# approved in the meeting\n" + "\n\n".join(reversed(lines)) + "\n")
    (approved.root / COPY).write_text(json.dumps(json.loads((approved.root / COPY).read_bytes()), indent=3))
    assert approved.run("run").code == 0
    assert state(approved)[0] == "in_force"


def test_a_changed_number_makes_it_stale_and_the_page_shows_before_and_after(approved):
    changed(approved, "max_positions: 8", "max_positions: 5", "spec/17_next_open.yaml")
    said = approved.run("run")
    assert said.code == 0
    assert "R09.4" in said.out
    assert state(approved) == ("stale", "what it stands on has changed since it was given: the packet in 10 places")
    assert "| `/budget/max_positions` | 8 | 5 |" in page(approved)
    assert "10 places are different from what Kim Mina approved on 2026-11-18" in page(approved)


def test_another_rule_makes_it_stale(approved):
    changed(approved, "Import the missing bars, or leave", "Leave", "governance/rules/02_signals.yaml")
    approved.run("run")
    assert state(approved) == ("stale", "what it stands on has changed since it was given: the rules")


def test_other_bars_make_it_stale(approved):
    changed(approved, "seed: ", "seed: 1", "spec/40_sample_market.yaml")
    approved.run("run")
    assert state(approved)[1].endswith(", the bars")


def test_it_ends(approved):
    for instant, expected in (("2026-11-25T23:59:00+09:00", "stale"), ("2026-11-26T00:00:00+09:00", "expired")):
        approved.run("run", "--as-of", instant)
        assert state(approved)[0] == expected


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda d: changed(d, 'workspace: "toy"', 'workspace: "other"'), "wrong_scope"),
        (lambda d: changed(d, '"Lee Jun"', '"Kim-Mina"'), "self_approved"),
        (lambda d: changed(d, 'expires: "2026-11-25"', 'expires: "2026-12-25"'), "too_long"),
        (lambda d: changed(d, 'content: "sha256:', 'content: "sha256:0', APPROVAL) or cut(d), "forged"),
        (lambda d: (d.root / COPY).unlink(), "forged"),
        (lambda d: changed(d, '"quantity":', '"quantity":1', COPY), "forged"),
        (copied, "duplicate"),
    ],
)
def test_what_is_wrong_with_it_fails_the_gate(toy_approved, edit, expected):
    edit(toy_approved)
    said = toy_approved.run("run")
    assert (said.code, state(toy_approved)[0]) == (1, expected)
    assert "R09.2  Temp/approval_states_v1.json /approvals/0" in said.out
    assert state(toy_approved)[1] in said.out
    assert toy_approved.run("package").code == 1


@pytest.fixture
def toy_approved(approved):
    """The same, in a workspace whose name the approval holds."""
    changed(approved, 'workspace: "desk"', 'workspace: "toy"')
    changed(approved, 'name: "desk"', 'name: "toy"', "spec/00_workspace.yaml")
    return approved


def refused(toy, *arguments):
    before = sorted((toy.root / "governance/approvals").glob("*"))
    said = toy.run("approve", *arguments)
    assert said.code in (1, 2)
    assert sorted((toy.root / "governance/approvals").glob("*")) == before
    return said.err


def test_the_command_refuses_what_would_not_count(desk, tmp_path):
    assert "Kim Mina both proposed and approved it" in refused(desk, "next_open_plan", *SAME)
    assert "name the person with --proposer" in refused(desk, "next_open_plan", *ALONE)
    assert "governance allows 7" in refused(desk, "next_open_plan", *WHO, "--days", "8")
    assert "that may be next_open_plan, calibration_approval_list" in refused(desk, "signals", *WHO)
    assert "'thing:x' is nothing that can be approved" in refused(desk, "thing:x", *WHO)
    assert "there is no account gone here; there are sample, desk" in refused(desk, "account:gone", *WHO)
    assert "cannot be read" in refused(desk, "next_open_plan", *WHO, "--key", str(tmp_path / "none.pem"))
    assert "shorter than 20" in refused(desk, "next_open_plan", *WHO[:4], "--reason", "fine")


def test_the_command_refuses_what_is_not_built_or_out_of_date(desk):
    changed(desk, "max_positions: 8", "max_positions: 5", "spec/17_next_open.yaml")
    assert "is out of date: input" in refused(desk, "next_open_plan", *WHO)
    assert desk.run("build").code == 0
    assert "the gate record is not of what lies there now; run `assay run`" in refused(desk, "next_open_plan", *WHO)


def test_the_command_refuses_what_was_never_built(new_desk):
    assert "approvable_packets is not built" in refused(new_desk, "next_open_plan", *WHO)


def test_the_command_refuses_an_artifact_that_was_edited(desk):
    changed(desk, '"quantity":', '"quantity":1', "Temp/next_open_plan_v1.json")
    assert "next_open_plan_v1.json is not as" in refused(desk, "next_open_plan", *WHO)


def test_nobody_is_asked_to_sign_what_a_gate_refuses(desk):
    changed(desk, '"sells_within_holdings"', '"sells_within_hopes"', "governance/gates.yaml")
    assert desk.run("run").code == 1
    said = refused(desk, "next_open_plan", *WHO)
    assert "the gate rule_coverage is not passed" in said
    assert "there is no gate sells_within_hopes" in said


def test_the_same_thing_is_not_approved_twice(approved):
    assert "it says the same as A001" in refused(approved, "next_open_plan", *WHO)
    again = approved.run("approve", "next_open_plan", *WHO[:4], "--reason", "Looked at once more, by the risk desk.")
    assert again.out.startswith("A002:")
    assert approved.run("run").code == 0


def test_what_governance_wants_approved_keeps_the_gate_red_until_it_is(desk):
    changed(desk, '["virtual", "real"]', '["sample", "real"]', "governance/approval_policy.yaml")
    changed(desk, 'list", environments: ["real"]', 'list", environments: ["sample"]', "governance/approval_policy.yaml")
    said = desk.run("run")
    assert said.code == 1
    assert "no approval of next_open_plan is in force (nobody has approved it)" in said.out
    assert "**2 packets are not approved.**" in page(desk)
    assert desk.run("package").code == 1
    # Only the approvals that are missing keep the gate red, so they may be given.
    assert desk.run("approve", "next_open_plan", *WHO).code == 0
    assert desk.run("run").code == 1
    assert desk.run("approve", "calibration_approval_list", *WHO).code == 0
    assert desk.run("run").code == 0
    assert "| `next_open_plan` | sample, real | approved | A001 |" in page(desk)
    changed(desk, "max_positions: 8", "max_positions: 5", "spec/17_next_open.yaml")
    said = desk.run("run")
    assert (said.code, "no approval of next_open_plan is in force (A001: what it stands on has" in said.out) == (
        1,
        True,
    )


def test_a_real_account_needs_an_approval_of_its_own(desk):
    changed(desk, "account: auto", "account: desk", "spec/10_desk.yaml")
    changed(desk, "environment: paper", "environment: real", "spec/20_accounts.yaml")
    said = desk.run("run")
    assert (said.code, "the account desk is real, and no approval in force names it" in said.out) == (1, True)
    assert "the gate credentials_policy is not passed" in refused(desk, "next_open_plan", *WHO)
    assert desk.run("approve", "account:desk", *WHO).code == 0
    assert "the account desk is real" not in desk.run("run").out
    file = "governance/approvals/A001_desk.yaml"
    changed(desk, 'name: "desk"', 'name: "sample"', file)
    assert "the account desk is real, and no approval in force names it" in desk.run("run").out
    changed(desk, 'name: "sample"', 'name: "desk"', file)
    changed(desk, 'workspace: "desk"', 'workspace: "another"', file)
    assert "(A001: it was given in the workspace another, and this is desk)" in desk.run("run").out


def test_a_login_needs_an_approval_of_its_own(desk):
    changed(
        desk,
        'status: "refused"\n    why: "A member',
        'status: "allowed"\n    why: "A member',
        "governance/credentials.yaml",
    )
    said = desk.run("run")
    assert (said.code, "the credential krx_login is allowed, and no approval in force" in said.out) == (1, True)
    done = desk.run("approve", "credential:krx_login", *WHO, "--days", "30")
    assert "through 2026-12-18" in done.out
    assert desk.run("run").code == 0
    changed(desk, '"Lee Jun"', '"Kim Mina"', "governance/approvals/A001_krx_login.yaml")
    assert "Kim Mina both proposed and approved it" in desk.run("run").out
