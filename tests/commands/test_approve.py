"""The approve command: wrong use, and a workspace whose governance knows no approvals."""

import pytest

WHO = ("--by", "Kim Mina", "--proposer", "Lee Jun", "--reason", "Compared with the signals, line by line.")


@pytest.mark.parametrize("missing", ["--by", "--reason"])
def test_who_and_why_must_be_said(done, missing):
    at = WHO.index(missing)
    said = done.run("approve", "plan", *WHO[:at], *WHO[at + 2 :])
    assert (said.code, missing in said.err) == (2, True)


@pytest.mark.parametrize("what", ["plan", "account:desk"])
def test_without_a_policy_nothing_can_be_approved(done, what):
    said = done.run("approve", what, *WHO)
    assert (said.code, "assay approve reads 'approval_policy', and there is no such input" in said.err) == (2, True)


@pytest.mark.parametrize("what", ["loan:desk", "account:", ":desk"])
def test_what_is_of_no_known_kind_is_wrong_use(done, what):
    said = done.run("approve", what, *WHO)
    assert (said.code, f"{what!r} is nothing that can be approved" in said.err) == (2, True)


def test_fewer_than_no_days_are_wrong_use(done):
    assert done.run("approve", "plan", *WHO, "--days", "-1").code == 2
