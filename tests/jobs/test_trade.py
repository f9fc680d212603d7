"""`assay trade`: what it refuses, each with its own sentence, and that nothing leaves the house without --send."""

import json
import shutil
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from quantassay.jobs import trade
from quantassay.jobs.clock import RehearsedClock, ShiftedClock, SystemClock
from quantassay.store.journal import Journal, journal_file

AT = "2026-11-19T10:01:00+09:00"
NEXT_OPEN = ("trade", "next-open", "--at", AT)


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "state"))


@pytest.fixture
def armed(desk):
    """The sample desk after its run, its account armed."""
    write(desk, "armed", "sample", by="Kim Mina", why="to rehearse")
    return desk


def write(desk, kind, account="", **body):
    with Journal(journal_file(desk.root / "data")) as journal:
        journal.append(datetime.now(UTC), kind, account=account, body=body)


def kinds(desk):
    with Journal(journal_file(desk.root / "data")) as journal:
        return [event.kind for event in journal.events()]


def refused(desk, *arguments, code=1):
    done = desk.run(*NEXT_OPEN, "--send", *arguments)
    assert done.code == code, done
    assert not done.out
    assert "sent" not in kinds(desk)
    return done.err


def test_a_dry_run_is_what_one_gets_without_send_and_it_writes_nothing(armed):
    done = armed.run(*NEXT_OPEN)
    assert done.code == 0, done
    assert "dry run, nothing is sent" in done.out
    assert done.out.count("would send") == 6
    assert kinds(armed) == ["armed"]
    told = armed.run("-v", *NEXT_OPEN)
    assert "T14 ok: may cost" in told.out


def test_a_dry_run_tells_every_refusal_beside_what_would_be_sent(desk):
    write(desk, "halt", by="Kim Mina", why="a drill", level="all")
    done = desk.run("trade", "next-open", "--at", "2026-11-19T09:30:00+09:00")
    assert done.code == 1
    for why in ("nobody has said yet", "halted by Kim Mina: a drill", "is traded from 10:00 on"):
        assert f"would be refused: {why}" in done.out or why in done.out
    assert kinds(desk) == ["halt"]


def test_with_send_the_plan_is_carried_out_once_and_then_refused(armed):
    done = armed.run(*NEXT_OPEN, "--send", "--format", "json")
    assert done.code == 0, done
    told = json.loads(done.out)
    assert (told["sent"], told["done"], told["ok"], told["breaks"]) == (6, True, True, {})
    assert {row["state"] for row in told["lines"]} == {"filled"}
    before = kinds(armed)
    again = armed.run(*NEXT_OPEN, "--send")
    assert again.code == 1
    assert "was carried out already (complete); nothing was sent, and --continue" in again.err
    more = armed.run(*NEXT_OPEN, "--send", "--continue")
    assert (more.code, "0 orders sent" in more.out) == (0, True)
    assert kinds(armed).count("sent") == before.count("sent") == 6
    # The same plan under another name, and with everything in Temp/ made anew for another day, is no other plan.
    copy = shutil.copy(armed.root / "Temp/next_open_plan_v1.json", armed.root / "kept.json")
    assert armed.run(*NEXT_OPEN, "--send", "--plan", copy).code == 1
    assert kinds(armed).count("sent") == 6


def test_arming_and_disarming_are_written_down_with_who_and_why(desk):
    assert desk.run("trade", "arm", "sample", "--why", "to rehearse", "--by", "Kim Mina").code == 0
    assert desk.run("trade", "disarm", "sample", "--why", "enough").code == 0
    assert desk.run("trade", "disarm", "sample", "--why", "enough").code == 1
    assert kinds(desk) == ["armed", "disarmed"]
    assert "nobody has said yet" in refused(desk)
    wrong = desk.run("trade", "arm", "nobody", "--why", "to rehearse")
    assert (wrong.code, "spec/20_accounts.yaml has sample, desk" in wrong.err) == (2, True)


def test_an_edited_plan_is_refused(armed):
    path = armed.root / "Temp/next_open_plan_v1.json"
    path.write_bytes(path.read_bytes().replace(b'"quantity":800', b'"quantity":799'))
    assert "does not name these bytes of next_open_plan" in refused(armed)


def test_a_plan_for_audits_only_is_refused(armed, tmp_path):
    assert armed.run("package", "--audit-only", "-o", tmp_path / "audit").code == 0
    package = next((tmp_path / "audit").glob("*.zip"))
    assert "AUDIT_ONLY" in refused(armed, "--plan", package).replace("AUDIT-ONLY", "AUDIT_ONLY")


def test_a_plan_for_another_account_is_refused(armed):
    assert "the plan is for the account sample, and desk was asked for" in refused(armed, "--account", "desk")


def test_a_broker_that_is_not_the_accounts_is_refused(armed):
    done = armed.run(*NEXT_OPEN, "--send", "--broker", "kis")
    assert done.code != 0
    assert "sent" not in kinds(armed)


def test_a_run_goes_on_from_the_journal_whatever_has_become_of_its_gate(armed):
    assert "no plan was begun for sample on 2026-11-19" in refused(armed, "--continue")
    assert armed.run(*NEXT_OPEN, "--send", "--reduce-only").code == 0
    (armed.root / "Temp/gate_record_v1.json").write_bytes(b"{}")
    done = armed.run(*NEXT_OPEN, "--send", "--continue")
    assert (done.code, "4 orders sent" in done.out) == (0, True), done
    assert kinds(armed).count("sent") == 6


def test_cancel_all_lists_without_send_and_says_that_nothing_stands(armed):
    done = armed.run("trade", "cancel-all", "--at", AT)
    assert (done.code, done.out) == (0, "no order of ours stands\n")
    done = armed.run("trade", "cancel-all", "--at", AT, "--send")
    assert (done.code, kinds(armed)) == (0, ["armed", "lease"])


def test_a_time_of_ones_choice_is_for_rehearsals():
    with pytest.raises(trade.RealTime, match="of the environment virtual, where the time is what it is"):
        trade.clock_for(AT, "main", "virtual")
    with pytest.raises(trade.RealTime):
        trade.clock_for(AT, "main", "real")
    for text in ("tomorrow", "2026-11-19T10:01:00"):
        with pytest.raises((trade.BadTime, ValueError, Exception), match=text):
            trade.clock_for(text, "sample", "sample")
    assert isinstance(trade.clock_for("", "main", "real"), SystemClock)
    assert isinstance(trade.clock_for(AT, "rehearsal", "rehearsal"), ShiftedClock)
    assert isinstance(trade.clock_for(AT, "sample", "sample"), RehearsedClock)


def test_a_shifted_clock_runs_and_a_rehearsed_one_does_not_wait():
    start = datetime(2026, 11, 19, 9, 1, tzinfo=ZoneInfo("Asia/Seoul"))
    clock = RehearsedClock(start)
    clock.sleep(3600)
    clock.sleep(-5)
    assert clock.now().time() >= time(10, 1)
    assert clock.now().tzinfo is start.tzinfo
    shifted = ShiftedClock(start)
    shifted.sleep(0)
    shifted.sleep(-1)
    first = shifted.now()
    assert start <= first <= shifted.now()
    assert SystemClock().now().tzinfo is UTC
    SystemClock().sleep(0)
