"""A notice never stops or delays its sender, is told once a key, and reaches the channels that governance allows."""

import json
import logging
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest

from quantassay.jobs import deliver_notices, heartbeat, notices
from quantassay.jobs.deliver_notices import Aim, NoSuchChannel
from quantassay.jobs.single_owner import Owned, taken
from quantassay.store.operations import FILE, Operations
from tests.fakes.messengers import DINGTALK_OK, TELEGRAM_OK, service
from tests.jobs.operations.conftest import at

NOW = datetime(2026, 11, 20, 0, 1, tzinfo=UTC)
# Written in parts, so that this file holds none of them.
TOKEN = "123456789" + ":" + "AAHfakefakefakefakefakefakefakefake"
SIGNING = "SEC" + "1a2b3c4d" * 8


def put(data, **more):
    told = {"at": NOW, "kind": notices.ALARM, "subject": "trading needs a look", "text": "1 unknown", **more}
    notices.put(data, **told)


def outbox(data):
    with Operations(data) as store:
        return list(reversed(store.notices()))


# Leaving a notice.


def test_a_notice_is_a_row_and_secrets_in_it_are_withheld(tmp_path):
    put(tmp_path, subject="a\nsubject", text=f"token: {TOKEN}; the account 50123456" + "-01 is short")
    (one,) = outbox(tmp_path)
    assert (one.at, one.kind, one.subject) == (NOW, "alarm", "a subject")
    assert one.text == "token: (not shown); the account (not shown) is short"


def test_without_a_key_the_words_are_the_key(tmp_path):
    put(tmp_path)
    put(tmp_path)
    put(tmp_path, text="2 unknown")
    assert [(one.text, one.repeats) for one in outbox(tmp_path)] == [("1 unknown", 1), ("2 unknown", 0)]


@pytest.mark.parametrize(
    "what",
    [
        {"at": datetime(2026, 11, 20, 9, 1)},  # noqa: DTZ001 - a sender's mistake
        {"kind": "something"},
        {"subject": None, "text": ["a", 1]},
        {"subject": "x" * 9_000, "text": "y" * 90_000},
        {"text": "\ud800 half a sign"},
        {"key": 7},
        {"at": "today"},
    ],
)
def test_whatever_a_sender_gets_wrong_it_goes_on(tmp_path, what):
    put(tmp_path, **what)
    with Operations(tmp_path) as store:
        notices.take_spilled(tmp_path, store)
        assert all(len(one.subject) <= 200 and len(one.text) <= 20_000 for one in store.notices())


def locked(data):
    other = sqlite3.connect(data / FILE, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    return other


def test_a_locked_outbox_stops_nobody_and_loses_nothing(tmp_path, caplog):
    put(tmp_path, key="first")
    other = locked(tmp_path)
    begun = datetime.now(UTC)
    put(tmp_path, key="second", text="the second")
    assert datetime.now(UTC) - begun < timedelta(seconds=5)
    assert "the notice 'trading needs a look' waits in a file" in caplog.text
    other.close()
    with Operations(tmp_path) as store:
        assert notices.take_spilled(tmp_path, store) == 1
        assert notices.take_spilled(tmp_path, store) == 0
    assert [one.key for one in outbox(tmp_path)] == ["first", "second"]


@pytest.mark.parametrize("state", ["damaged", "folder", "newer"])
def test_a_broken_outbox_stops_nobody_and_loses_nothing(tmp_path, caplog, state):
    if state == "damaged":
        (tmp_path / FILE).write_bytes(b"no database" * 1000)
    elif state == "folder":
        (tmp_path / FILE).mkdir()
    else:
        put(tmp_path)
        raw = sqlite3.connect(tmp_path / FILE)
        raw.execute("PRAGMA user_version = 99")
        raw.close()
    put(tmp_path, key="kept")
    (spilled,) = (tmp_path / "notices").glob("*.json")
    assert json.loads(spilled.read_bytes())["key"] == "kept"
    assert "waits in a file" in caplog.text


def test_where_nothing_can_be_written_the_log_says_so(tmp_path, caplog):
    (tmp_path / "data").write_text("a file where the folder should be")
    put(tmp_path / "data")
    assert "the notice 'trading needs a look' is lost" in caplog.text
    assert caplog.records[-1].levelno == logging.WARNING


def test_what_waits_in_files_comes_in_its_order_and_what_is_none_stays(tmp_path):
    folder = tmp_path / "notices"
    folder.mkdir()
    rows = {f"{n}.json": {"at": f"2026-11-20T00:0{n}:00+00:00", "key": str(n)} for n in (3, 1, 2)}
    for name, row in rows.items():
        (folder / name).write_text(json.dumps({"kind": "alarm", "subject": "s", "text": "t", **row}))
    (folder / "half.json").write_text('{"at": "20')
    (folder / "unfinished.part").write_text("{")
    with Operations(tmp_path) as store:
        assert notices.take_spilled(tmp_path, store) == 3
    assert [one.key for one in outbox(tmp_path)] == ["1", "2", "3"]
    assert sorted(path.name for path in folder.iterdir()) == ["half.json", "unfinished.part"]


# Delivering.


@pytest.fixture
def allowed(desk, monkeypatch):
    """The desk with both messengers allowed by governance and their logins in the environment."""
    desk.allow("telegram_bot", "dingtalk_robot")
    logins = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": "-100777"}
    logins |= {"DINGTALK_ACCESS_TOKEN": "robot" + "0f" * 12, "DINGTALK_SIGNING_SECRET": SIGNING}
    for name, value in logins.items():
        monkeypatch.setenv(name, value)
    return desk


def send(desk, *channels, **more):
    done = deliver_notices.send(desk.root, desk.clock, Aim(channels), **more)
    return [(one.channel, one.state) for one in done.told], dict(done.unusable)


def test_notices_reach_the_channels_that_are_used_and_allowed(allowed):
    with service(TELEGRAM_OK) as telegram, service((200, {"errcode": 310000, "errmsg": "bad sign"}, {})) as dingtalk:
        allowed.use("telegram", telegram.url)
        allowed.use("dingtalk", dingtalk.url)
        allowed.put()
        assert send(allowed) == ([("dingtalk", "refused"), ("telegram", "sent")], {})
        listed = allowed.assay("notices", "list")
        assert listed.code == 1
        assert "trading needs a look  [dingtalk refused, telegram sent]" in listed.out
        assert "dingtalk: refused after 1 attempts: errcode 310000: bad sign" in allowed.assay("notices", "show", 1).out
        dingtalk.answers = [DINGTALK_OK]
        assert send(allowed, again=True) == ([("dingtalk", "sent")], {})
        assert len(telegram.seen) == 1
        assert telegram.seen[0][2]["text"].startswith("QuantAssay: trading needs a look")
    assert allowed.assay("notices", "list").code == 0


def test_a_channel_that_governance_refuses_is_not_asked_and_keeps_no_other(desk, monkeypatch):
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("TELEGRAM_CHAT_ID", "-100777")
    with service(TELEGRAM_OK) as telegram:
        desk.use("telegram", telegram.url)
        desk.put()
        told, unusable = send(desk)
        assert told == [("telegram", "waiting")]
        assert "governance/credentials.yaml refuses telegram_bot" in unusable["telegram"]
        assert telegram.seen == []
        assert desk.assay("notices", "send").code == 1
        desk.allow("telegram_bot")
        # Whoever mends it need not wait for the next attempt.
        assert send(desk, again=True) == ([("telegram", "sent")], {})


def test_a_login_that_is_not_there_is_named_by_its_variables(desk):
    desk.allow("telegram_bot")
    desk.use("telegram", "http://127.0.0.1:9")
    desk.put()
    _, unusable = send(desk)
    assert "telegram_bot lacks TELEGRAM_BOT_TOKEN, TELEGRAM_CHAT_ID in the environment and in" in unusable["telegram"]


def test_a_trial_goes_to_the_named_channel_only(allowed):
    with service(TELEGRAM_OK) as telegram, service(DINGTALK_OK) as dingtalk:
        allowed.use("telegram", telegram.url)
        allowed.use("dingtalk", dingtalk.url)
        allowed.put()
        done = deliver_notices.trial(allowed.root, allowed.clock, ("telegram",))
        assert [(one.channel, one.state) for one in done.told] == [("telegram", "sent"), ("telegram", "sent")]
        assert dingtalk.seen == []
        # What else takes it has it with the next round; the other notice was not taken from it.
        assert send(allowed) == ([("dingtalk", "sent"), ("dingtalk", "sent")], {})
    with pytest.raises(NoSuchChannel, match="there are telegram, dingtalk, mail, other"):
        send(allowed, "telegraph")


def test_without_a_channel_a_trial_says_what_to_do(desk):
    said = desk.assay("notices", "test")
    assert (said.code, said.out) == (1, "nothing to deliver now\n")
    assert "no channel is used; set `used: true`" in said.err
    assert desk.assay("notices", "send").code == 0
    assert desk.assay("notices", "show", 99).err.startswith("assay: there is no notice 99")


def test_one_process_delivers_at_a_time_and_a_notice_can_be_left_meanwhile(desk):
    with taken(desk.data / "locks/notices.lock", "the delivery of notices", desk.clock.now()):
        desk.put()
        with pytest.raises(Owned, match=r"kept by process \d+ of boot \S+, since 2026-11-16T"):
            send(desk)
    assert send(desk) == ([], {})


def test_a_channel_that_hangs_keeps_nobody_from_leaving_a_notice(allowed):
    with service("hang") as telegram:
        allowed.change("answer_s: 10", "answer_s: 1")
        allowed.use("telegram", telegram.url)
        allowed.put()
        round_of = threading.Thread(target=send, args=(allowed,))
        round_of.start()
        while not telegram.seen:
            round_of.join(0.01)
        begun = datetime.now(UTC)
        allowed.put(key="while it hangs")
        assert datetime.now(UTC) - begun < timedelta(seconds=1)
        telegram.over.set()
        round_of.join()
    assert [one.key for one in outbox(allowed.data)][1:] == ["while it hangs"]


# Signs of life.


def test_silence_is_told_at_once_by_its_own_channels_and_once(allowed):
    with service(TELEGRAM_OK) as telegram, service(DINGTALK_OK) as dingtalk:
        allowed.use("telegram", telegram.url)
        path = allowed.root / "spec/29_operations.yaml"
        path.write_text(path.read_text().replace("https://oapi.dingtalk.com", dingtalk.url))
        allowed.change("tells: []", 'tells: ["dingtalk"]')
        allowed.to(at(17, 9, 1)).run_due("09:01")
        assert allowed.assay("heartbeat").code == 1  # by the clock of this machine
        allowed.clock.advance(300)
        assert not heartbeat.check(allowed.root, allowed.clock).silent
        allowed.clock.advance(1)
        # The usual round hangs: the alarm does not wait for it.
        with taken(allowed.data / "locks/notices.lock", "the delivery of notices", allowed.clock.now()):
            found = heartbeat.check(allowed.root, allowed.clock)
        assert [one.name for one in found.silent] == ["schedule"]
        assert found.told == "it was told"
        assert "schedule has been silent for 5 minutes" in dingtalk.seen[0][2]["text"]["content"]
        assert telegram.seen == []
        assert heartbeat.check(allowed.root, allowed.clock).told == "it was told before"
        # It comes back, and falls silent again: that is news.
        allowed.run_due()
        allowed.clock.advance(600)
        assert heartbeat.check(allowed.root, allowed.clock).told == "it was told"
        assert len(dingtalk.seen) == 2


def test_a_silence_that_nobody_can_be_told_of_says_so(desk):
    found = heartbeat.check(desk.root, desk.clock)
    assert found.told == "nobody could be told: no channel of spec/29_operations.yaml is used"
    said = desk.assay("heartbeat", "--check")
    assert said.code == 1
    assert "schedule has never given a sign of life" in said.err
    heartbeat.beat(desk.data, "schedule", desk.clock.now())
    assert not heartbeat.heard(desk.root, desk.clock).silent
