"""Clearing an account: only by a person who types its number, through the same executor, under the same limits."""

import pytest

from quantassay.domain.trading.book import Certificate
from quantassay.jobs import sell_out, trade, trade_checks, trade_plan
from quantassay.jobs.sell_out import Clearing, NotConfirmed
from quantassay.kis.connection import fingerprint
from quantassay.kis.rehearsal import ACCOUNT
from quantassay.store.journal import Journal, journal_file

AT = "2026-11-19T10:01:00+09:00"


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "state"))


def kinds(desk):
    with Journal(journal_file(desk.root / "data")) as journal:
        return [event.kind for event in journal.events() if event.kind not in ("lease", "book")]


def clear(desk, typed):
    said, asked = [], []

    def ask(question):
        asked.append(question)
        return typed

    try:
        code = sell_out.sell_out(desk.root, Clearing(at=AT), ask, said.append)
    except Exception as error:  # noqa: BLE001 - a test wants to see both
        return error, said, asked
    return code, said, asked


def test_an_account_is_cleared_once_its_number_is_typed_and_the_days_plan_stays_apart(desk):
    refused, _, asked = clear(desk, "sample")
    assert isinstance(refused, trade_checks.NotArmed)
    assert asked == []
    trade.arm(desk.root, "sample", "to clear it", "Kim Mina")
    refused, said, asked = clear(desk, "desk")
    assert isinstance(refused, NotConfirmed)
    assert len(asked) == 1
    assert said[0] == "sample (sample) would sell:"
    assert kinds(desk) == ["armed"]
    code, said, _ = clear(desk, " sample ")
    assert code == 0
    assert sum(line.endswith("filled") for line in said) == 4
    assert kinds(desk)[1:3] == ["clearing", "run_started"]
    assert kinds(desk).count("sent") == 4
    code, said, asked = clear(desk, "sample")
    assert (code, said, asked) == (0, ["sample holds nothing that may be sold"], [])
    with Journal(journal_file(desk.root / "data")) as journal:
        assert trade_plan.planned(journal.desk(), "sample") == []


def test_a_desk_may_forbid_it(desk, edit):
    edit(desk, "spec/27_trading.yaml", 'by_hand: ["tools/sell_out.py"]', "by_hand: []")
    refused, said, asked = clear(desk, "sample")
    assert "does not list tools/sell_out.py under by_hand" in str(refused)
    assert (said, asked) == ([], [])


def test_it_is_refused_without_a_terminal(capsys):
    assert sell_out.main([]) == 2
    assert "an account is cleared by a person at a terminal, and never from a schedule" in capsys.readouterr().err


def test_the_number_of_a_brokers_account_is_held_against_its_fingerprint():
    number = ACCOUNT
    own = Certificate("rehearsal", "127.0.0.1:18080", "V", fingerprint(number), "k")

    class Desk:
        class broker:  # noqa: N801 - stands for the desk's own
            certificate = own

    work = trade.Work("main", "", "", {"orders": []})
    sell_out._confirm(Desk, work, lambda _: number, lambda _: None)
    for typed in ("main", number[:8], "", number[::-1]):
        with pytest.raises(NotConfirmed, match="that is not the number of this account; nothing was sent"):
            sell_out._confirm(Desk, work, lambda _, typed=typed: typed, lambda _: None)
