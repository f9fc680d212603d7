"""`assay reconcile` as a person runs it, on the sample desk with the paper broker."""

import json
from datetime import datetime

import pytest

from quantassay.store.journal import Journal, journal_file

AT = "2026-11-19T08:50:00+09:00"


@pytest.fixture
def reconcile(desk):
    return lambda *words: desk.run("reconcile", "--at", AT, *words)


def test_once_over_and_with_a_break_until_it_is_accepted(desk, reconcile):
    said = reconcile()
    assert (said.code, said.out.startswith("sample (sample), read 2026-11-19T08:5")) == (0, True)
    end = "1 page: read for the first time; 4 names and cash 20,000,000 won are what we begin with\n"
    assert said.out.endswith(end)
    external = {"ticker": "990040", "side": "buy", "quantity": 5, "amount": 5, "number": "77", "day": "2026-11-18"}
    with Journal(journal_file(desk.root / "data")) as journal:
        journal.append(datetime.fromisoformat(AT), "external", account="sample", body=external)
    said = reconcile()
    assert said.code == 1
    assert said.out.splitlines()[1:] == [
        "break           990040   we count 805, the broker 800, and no order that the broker shows explains it",
        "nothing is sent for 990040",
        "next: find out why; then `assay reconcile --accept 990040 --why TEXT`",
    ]
    value = json.loads(desk.run("-q", "reconcile", "--at", AT, "--format", "json", "--broker", "paper").out)
    assert (value["breaks"], value["new"], value["names"][0]["ours"]) == (["990040"], [], 805)
    done = reconcile("--accept", "990040", "--why", "a wrong entry", "--by", "kim")
    assert (done.code, done.out.endswith("4 of 4 names agree; cash 20,000,000 won\n")) == (0, True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--accept", "990040"), 2, "--accept needs --why"),
        (("--accept", "990040", "--why", "x", "--watch", "5"), 2, "cannot stand together"),
        (("--account", "nobody"), 2, "nobody"),
        (("--broker", "kis"), 2, "kis"),
        (("--at", "tomorrow"), 2, "'tomorrow' is no instant"),
    ],
)
def test_wrong_use_is_told_and_leaves_no_journal(desk, words, code, says):
    said = desk.run("reconcile", *words)
    assert (said.code, says in said.err) == (code, True), said.err
    assert not journal_file(desk.root / "data").exists()
