"""`assay ready`: a page on which all is well, each of its rows broken once, and no fault that hides another row."""

import json
import shutil
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from quantassay import cli
from quantassay.brokers.port import Unreadable
from quantassay.domain.trading.book import Certificate
from quantassay.domain.trading.orders import Intent, Key
from quantassay.harness import files
from quantassay.jobs import ready as job
from quantassay.jobs import ready_plan, ready_scene
from quantassay.store.journal import Journal, journal_file
from quantassay.store.operations import Operations
from tests.fakes.trading import FakeClock, MemoryBroker

BEFORE_OPEN = datetime.fromisoformat("2026-11-19T08:50:00+09:00")
OPEN = datetime.fromisoformat("2026-11-19T11:00:00+09:00")
HELD = {"990040": 800, "990190": 150, "990210": 30, "990380": 70}


@pytest.fixture(scope="module")
def well(sample, tmp_path_factory):
    """The sample desk on the morning after its run: read, reconciled and armed. To be left as it is."""
    folder = tmp_path_factory.mktemp("ready") / "desk"
    shutil.copytree(sample, folder)
    for words in (("reconcile", "--at", BEFORE_OPEN.isoformat()), ("trade", "arm", "sample", "--why", "to rehearse")):
        assert cli.run(["-q", "-C", str(folder), *words]) == 0
    return folder


@pytest.fixture
def morning(well, tmp_path):
    """A copy of it that a test may break, with its clock and its broker."""
    root = tmp_path / "desk"
    shutil.copytree(well, root)
    clock = FakeClock(BEFORE_OPEN)
    with Journal(journal_file(root / "data")) as journal:
        certificate = Certificate(**journal.desk().books["sample"].body["certificate"])
    prices = dict.fromkeys(HELD, 1000)
    broker = MemoryBroker(clock, cash=20_000_000, prices=prices, held=HELD, certificate=certificate)
    one = SimpleNamespace(root=root, data=root / "data", clock=clock, broker=broker)
    one.rows = lambda **how: {row.name: row for row in job.ready(root, one.clock, **{"broker": one.broker, **how})}

    def written(kind, account="sample", **body):
        with Journal(journal_file(one.data)) as journal:
            return journal.append(one.clock.now(), kind, account=account, body=body)

    one.written = written
    return one


def put(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1, old
    path.write_text(text.replace(old, new))


def order(morning, *, days=0, state="sent", quantity=10):
    """An order of ours in the journal, as sent."""
    at = morning.clock.now() - timedelta(days=days)
    with Journal(journal_file(morning.data)) as journal:
        fence = journal.take(at, "sample", "test")
        key = Key("sample", "sha256:" + "c" * 64, 1, 1)
        journal.intend(at, Intent(key, "990040", "sell", quantity, 1000, 1000, {}, {}), fence)
        journal.send(at, key.order, fence, at + timedelta(seconds=30))
        if state != "sent":
            body = {"number": "1", "branch": "b", "day": "2026-11-19", "why": "no answer"}
            journal.append(at, state, account="sample", order=key.order, body=body)


def run_started(morning, plan, *, done="", session="2026-11-19"):
    body = {"plan": plan, "plan_id": "p", "session": session, "data": {}, "continued": False}
    morning.written("run_started", **body)
    if done:
        morning.written("run_done", plan=plan, outcome=done)


def test_a_morning_on_which_all_is_well(morning):
    rows = list(morning.rows().values())
    assert [(row.name, row.says) for row in rows if row.state is not ready_scene.State.OK] == []
    assert job.all_is_well(rows)
    assert [row.name for row in rows] == [name for name, _ in job.ROWS]


def contents(folder):
    return {path: files.digest(path) for path in folder.rglob("*") if path.is_file()}


def test_looking_changes_nothing(morning):
    before = contents(morning.root)
    morning.rows()
    after = contents(morning.root)
    changed = {path.name for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed <= {"facts.cache", "journal.sqlite3-wal", "journal.sqlite3-shm"}


def later(instant):
    def do(morning):
        morning.clock.instant = datetime.fromisoformat(instant)

    return do


def disputed(morning):
    _rewritten(morning, "trading_calendar", lambda data: data["disputed"].append(
        {"date": "2026-11-19", "closed_by": ["national"], "open_by": ["exchange", "recorded"]}
    ))  # fmt: skip


def _rewritten(morning, name, change):
    """Change a built artifact, and make the state say that it was recorded so."""
    path = morning.root / f"Temp/{name}_v1.json"
    value = json.loads(path.read_bytes())
    change(value["data"])
    path.write_bytes(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    state = morning.root / "Temp/state.jsonl"
    lines = [json.loads(line) for line in state.read_bytes().splitlines()]
    for line in lines:
        if f"Temp/{name}_v1.json" in line.get("outputs", {}):
            line["outputs"][f"Temp/{name}_v1.json"] = files.digest(path)
    state.write_bytes("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())


def broken_gate(morning):
    (morning.root / "Temp/gate_record_v1.json").write_text("{}")


def stuck(morning):
    with Operations(morning.data) as store:
        at = morning.clock.now() - timedelta(hours=1)
        store.put(at, "alarm", "subject", "text", "key")
        store.take([("mail", frozenset({"alarm"}))], timedelta(0), at, at)


def silent(morning):
    with Operations(morning.data) as store:
        store.beat("schedule", morning.clock.now() - timedelta(hours=1), "test")


def halted(level):
    return lambda morning: morning.written("halt", account="", by="kim", why="news", level=level)


def full(morning):
    put(morning.root / "spec/38_readiness.yaml", "_mb: 500", "_mb: 900000000000")


def spent(morning):
    put(morning.root / "spec/27_trading.yaml", "most_day_orders: 60", "most_day_orders: 1")


def plan_digest(morning):
    return files.digest(morning.root / "Temp/next_open_plan_v1.json")


# Each row, what breaks it, its state then, and words of what it says.
BROKEN = [
    ("session", later("2026-11-21T08:50:00+09:00"), "no", "2026-11-21 is no session of XKRX; the next opens on 2026"),
    ("session", later("2026-11-19T18:00:00+09:00"), "no", "the session of 2026-11-19 ended at 16:30; the next opens"),
    ("session", later("2031-01-02T08:50:00+09:00"), "no", "the calendar reaches from 1999-01-04 to 2027-12-31"),
    ("session", disputed, "no", "the calendars disagree on 2026-11-19: closed by national, open by exchange, recorded"),
    ("bars", later("2026-11-20T08:50:00+09:00"), "no", "up to 2026-11-18: 1 session behind 2026-11-19"),
    ("bars", later("2026-11-18T15:00:00+09:00"), "warn", "the last session that is over is 2026-11-17"),
    ("universe", later("2027-01-04T08:50:00+09:00"), "warn", "sessions old, more than 20 sessions"),
    ("build", later("2026-11-20T08:50:00+09:00"), "no", "before the session of 2026-11-19 was over"),
    ("build", later("2026-11-18T15:40:00+09:00"), "no", "which is still to come"),
    ("gate", broken_gate, "no", "Temp/gate_record_v1.json is not as the gate wrote it"),
    ("gate", lambda m: (m.data / "gate_ledger.jsonl").unlink(), "no", "is not the newest of the ledger"),
    ("gate", spent, "no", "changed since it was judged: input"),
    ("plan", broken_gate, "no", "is refused as a plan"),
    ("plan", later("2026-11-20T08:50:00+09:00"), "no", "is for the session of 2026-11-19, and today is 2026-11-20"),
    ("plan", lambda m: run_started(m, plan_digest(m)), "no", "and is not finished"),
    ("plan", lambda m: run_started(m, plan_digest(m), done="complete"), "no", "was carried out already (complete)"),
    ("plan", lambda m: run_started(m, "sha256:other", done="complete"), "no", "another plan was begun for the session"),
    ("limits", spent, "no", "1 of 1 orders"),
    ("orders", order, "no", "nobody knows whether cccccccccccc-001-1 reached the broker"),
    ("orders", lambda m: order(m, state="ack"), "warn", "cccccccccccc-001-1 stands at the broker"),
    ("breaks", lambda m: m.written("break", ticker="990040", ours=800, theirs=1, why="w"), "no", "we count 800, the"),
    ("armed", lambda m: m.written("disarmed", by="kim", why="over"), "no", "nobody has said that orders may be sent"),
    ("halt", halted("all"), "no", "nothing is sent: halted by"),
    ("halt", halted("buys"), "no", "no buy is sent: halted"),
    ("notices", stuck, "warn", "0 could not be delivered, 1 wait too long"),
    ("heartbeat", silent, "warn", "schedule has been silent for 60 minutes"),
    ("disk", full, "no", "at least 900,000"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "breaks", "state", "says"), BROKEN, ids=[f"{one[0]}-{i}" for i, one in enumerate(BROKEN)]
)
def test_each_row_can_be_red(morning, name, breaks, state, says):
    breaks(morning)
    rows = morning.rows()
    assert (rows[name].state.value, rows[name].says) == (state, rows[name].says)
    assert says in rows[name].says
    assert rows[name].do
    assert not job.all_is_well(list(rows.values()))


def test_the_broker_is_held_against_our_count_and_nothing_is_written(morning):
    morning.broker.held["990040"] = 1
    row = morning.rows()["broker"]
    assert (row.state.value, "990040: we count 800, the broker 1" in row.says) == ("no", True)
    assert morning.rows()["breaks"].state.value == "ok", "a look locks nothing"
    morning.broker.held["990040"] = 800
    morning.broker.external("990190", "buy", 5, 1000)
    assert "somebody else traded 990190" in morning.rows()["broker"].says
    morning.broker.fail("book")
    assert "could not be read from the broker" in morning.rows()["broker"].says


def test_the_broker_s_market_must_do_what_the_calendar_says(morning):
    morning.clock.instant = OPEN
    assert morning.rows()["market"].state.value == "ok"
    for told, state in ((False, "no"), (None, "warn")):
        morning.broker.open = told
        assert morning.rows()["market"].state.value == state


def test_the_mode_is_that_of_the_account_and_of_the_account_that_the_journal_knows(morning):
    morning.broker.certificate = Certificate("real", "host", "T", "aaaaaaaaaaaa", "k")
    assert "the desk's account is sample" in morning.rows()["mode"].says
    morning.broker.certificate = Certificate("sample", "", "", "bbbbbbbbbbbb", "")
    rows = morning.rows()
    assert (rows["mode"].state.value, "the journal knows it as account" in rows["mode"].says) == (
        "no",
        True,
    )
    assert rows["broker"].state.value == "no"


def test_offline_the_broker_is_not_asked_and_that_is_not_well(morning):
    rows = morning.rows(offline=True)
    assert {name for name, row in rows.items() if row.state.value != "ok"} == {"market", "broker"}
    assert {rows[name].state.value for name in ("market", "broker")} == {"warn"}
    assert morning.broker.calls == []
    assert not job.all_is_well(list(rows.values()))


@pytest.mark.parametrize(
    "fault", [Unreadable("the account", "HTTP 500"), OSError(5, "the disk failed", "x"), KeyError("k")]
)
def test_a_broken_part_is_a_red_row_with_its_cause_and_hides_nothing(morning, fault):
    morning.broker.say("book", fault)
    rows = morning.rows()
    assert [name for name, row in rows.items() if row.state.value != "ok"] == ["broker"]
    assert any(words in rows["broker"].says for words in ("HTTP 500", "the disk failed", "our fault: KeyError"))


def test_a_damaged_journal_is_told_and_the_rest_of_the_page_too(morning):
    journal_file(morning.data).write_bytes(b"no database")
    for name in ("-wal", "-shm"):
        journal_file(morning.data).with_name(f"journal.sqlite3{name}").unlink(missing_ok=True)
    rows = morning.rows()
    assert rows["journal"].state.value == rows["halt"].state.value == rows["orders"].state.value == "no"
    assert "it is no SQLite file, or it is damaged" in rows["journal"].says
    assert rows["session"].state.value == rows["disk"].state.value == "ok"


def test_without_a_workspace_or_anything_built_every_row_is_still_told(morning, tmp_path):
    assert {row.state.value for row in job.ready(tmp_path, FakeClock(BEFORE_OPEN))} == {"no"}
    shutil.rmtree(morning.root / "Temp")
    rows = morning.rows(offline=True)
    assert "trading_calendar is not built" in rows["session"].says
    assert (rows["gate"].says, rows["build"].says) == ("nothing was judged", "nothing was built")
    assert rows["armed"].state.value == "ok"


def test_the_command_says_the_page_as_text_and_as_json(toy, well):
    shutil.copytree(well, toy.root, dirs_exist_ok=True)
    at = ("--at", BEFORE_OPEN.isoformat())
    said = toy.run("ready", "--offline", *at)
    assert (said.code, said.out.splitlines()[-1]) == (1, "not yet: market, broker")
    assert "\n                 -> leave --offline out to ask it" in said.out
    quiet = toy.run("-q", "ready", "--offline", *at)
    assert [line.split()[:2] for line in quiet.out.splitlines()][::2][:2] == [["warn", "market"], ["warn", "broker"]]
    value = json.loads(toy.run("ready", "--offline", "--format", "json", *at).out)
    assert (value["ready"], value["rows"][0]["name"], value["rows"][0]["state"]) == (False, "session", "ok")
    assert toy.run("ready", "--at", "tomorrow").code == 2


def test_a_paper_account_that_was_never_read_is_a_warning_and_an_old_reading_forbids(morning):
    put(morning.root / "spec/10_desk.yaml", "account: auto", "account: desk")
    assert "its broker was never asked" in (row := morning.rows(offline=True)["account"]).says
    assert row.state.value == "warn"
    certificate = {"environment": "paper", "account": "dddddddddddd", "host": "", "transactions": "", "key": ""}
    body = {"cash": 5, "deposit": 5, "equity": 5, "pages": 1, "positions": [], "certificate": certificate}
    for at, state in (("2026-11-18T10:00:00+09:00", "no"), ("2026-11-18T15:42:00+09:00", "ok")):
        morning.written("book", account="desk", at=at, **body)
        row = morning.rows(offline=True)["account"]
        assert (row.state.value, f"seen {at} by its broker" in row.says) == (state, True)


def test_what_governance_wants_approved_must_be_and_still_be_today(morning):
    policy = morning.root / "governance/approval_policy.yaml"
    put(
        policy,
        'packet: "next_open_plan", environments: ["virtual"',
        'packet: "next_open_plan", environments: ["sample"',
    )
    row = morning.rows(offline=True)["approval"]
    assert (row.state.value, row.says) == ("no", "no approval of next_open_plan is in force today")
    assert "`assay approve next_open_plan --by NAME --reason TEXT`" in row.do
    mine = {"id": "A001", "subject": "packet", "name": "next_open_plan", "state": "in_force", "approver": "kim"}
    for expires, state in (("2026-11-18", "no"), ("2026-11-19", "ok")):
        _rewritten(morning, "approval_states", lambda data, to=expires: data.update(approvals=[mine | {"expires": to}]))
        assert morning.rows(offline=True)["approval"].state.value == state


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            "2026-11-18T15:42:00+09:00",
            "the holding of 990040, 990190 has changed and cash has changed by -500 won since",
        ),
        ("2026-11-19T08:40:00+09:00", ""),
        ("2026-11-18T15:40:00+09:00", "the account was read for the first time since it was made"),
    ],
)
def test_a_plan_is_held_against_what_the_broker_has_said_since(tmp_path, made, says):
    journal = Journal(tmp_path / "journal.sqlite3")
    for at, cash, held in (
        ("2026-11-18T15:42:00+09:00", 900, {"990040": 5}),
        ("2026-11-19T08:40:00+09:00", 400, {"990190": 5}),
    ):
        positions = [{"ticker": ticker, "quantity": quantity} for ticker, quantity in held.items()]
        body = {"at": at, "cash": cash, "positions": positions, "certificate": {"environment": "paper"}}
        journal.append(datetime.fromisoformat(at), "book", account="desk", body=body)
    account = {"id": "desk", "environment": "paper", "as_of": made}
    data = {"plan_id": "p", "account": account, "execution_session": "2026-11-19", "orders": []}
    scene = SimpleNamespace(
        plan=SimpleNamespace(data=data, digest="sha256:p"),
        account=account | {"as_of": "2026-11-19T08:40:00+09:00"},
        account_id="desk",
        day=BEFORE_OPEN.date(),
        desk=journal.desk(),
        journal=journal,
    )
    row = ready_plan.plan(scene)
    assert (row.state.value, says in row.says) == ("warn" if says else "ok", True)
    journal.close()
