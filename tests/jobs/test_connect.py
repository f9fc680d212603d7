"""Which broker an account gets, and every reason for which none is reached, each before a connection is opened."""

import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quantassay.brokers.kis import KisBroker
from quantassay.brokers.paper import PaperBroker
from quantassay.domain.trading.book import Accepted, NewOrder
from quantassay.errors import AssayError
from quantassay.jobs import connect, desk, secrets
from quantassay.kis.connection import ModeMismatch, fingerprint
from tests.fakes.trading import FakeClock

ROOT = Path(__file__).parents[2]
SPECS = ("spec/27_trading.yaml", "spec/28_brokers.yaml")
SCHEMAS = ("workspace", "accounts", "approval", "approval_policy", "brokers", "credentials", "trading")
KEY, SECRET, NUMBER = "K" * 36, "s" * 180, "12345678-01"
KEY_MARK, NUMBER_MARK = fingerprint(KEY), fingerprint(NUMBER)
ACCOUNTS = """accounts:
  - {{id: money, environment: {environment}, currency: {currency}, as_of: "2026-11-18T15:40:00+09:00", cash: 1000,{pin}
     holdings: []}}
"""
APPROVAL = """id: "{id}"
subject: "{subject}"
name: "{name}"
workspace: "{workspace}"
proposer: "Lee Jun"
approver: "Kim Mina"
reason: "Looked at together with the owner of the account."
granted: "{granted}"
expires: "{expires}"
"""
# An audit hook cannot be taken away again, so it is told when to listen.
HEARD, LISTENING = [], []


def hear(event, arguments):
    if LISTENING and event.startswith("socket."):
        HEARD.append((event, str(arguments)))


sys.addaudithook(hear)


@contextmanager
def no_socket():
    """Within this nothing makes, looks up or opens a socket."""
    HEARD.clear()
    LISTENING.append(True)
    try:
        yield
    finally:
        LISTENING.clear()
    assert HEARD == []


class House:
    """A small desk with an account called money, what governance says of it, and the keys in the environment."""

    def __init__(self, toy, monkeypatch):
        self.toy, self.root, self.now, self._set = toy, toy.root, datetime.now(UTC), monkeypatch.setenv
        for file in ("governance/credentials.yaml", "governance/approval_policy.yaml", *SPECS):
            toy.write(file, (ROOT / file).read_bytes())
        for name in SCHEMAS:
            toy.write(f"spec/schemas/{name}.schema.json", (ROOT / f"spec/schemas/{name}.schema.json").read_bytes())

    def account(self, environment="real", currency="KRW", pin=NUMBER_MARK):
        told = f' number_fingerprint: "{pin}",' if pin else ""
        text = ACCOUNTS.format(environment=environment, currency=currency, pin=told)
        self.toy.write("spec/20_accounts.yaml", text)

    def allow(self, credential="kis_real", pin=KEY_MARK):
        file = self.root / "governance/credentials.yaml"
        before, own, after = file.read_text().partition(f'- id: "{credential}"')
        told = f'status: "allowed"\n    key_fingerprint: "{pin}"' if pin else 'status: "allowed"'
        file.write_text(before + own + after.replace('status: "refused"', told, 1))

    def approve(self, number, subject, name, days=(-2, 60)):
        granted, expires = ((self.now + timedelta(days=n)).date() for n in days)
        facts = {"subject": subject, "name": name, "workspace": "toy", "granted": granted, "expires": expires}
        return self.toy.write(f"governance/approvals/{number}.yaml", APPROVAL.format(id=number, **facts))

    def secrets(self, environment="REAL", key=KEY, secret=SECRET, number=NUMBER):
        for name, value in (("APP_KEY", key), ("APP_SECRET", secret), ("ACCOUNT", number)):
            self._set(f"KIS_{environment}_{name}", value)

    def whole(self):
        """All that real money needs."""
        self.account()
        self.allow()
        self.approve("A001", "credential", "kis_real")
        self.approve("A002", "account", "money")
        self.secrets()

    def broker(self, account="money", kind=None):
        with no_socket():
            return connect.broker(desk.opened(self.root), account, FakeClock(self.now), kind)

    def refused(self, error, *words):
        with pytest.raises(error) as caught:
            self.broker()
        said = str(caught.value)
        for word in words:
            assert word in said
        for hidden in (KEY, SECRET, NUMBER, NUMBER[:8]):
            assert hidden not in said
        return caught.value


@pytest.fixture
def house(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "state"))
    return House(toy, monkeypatch)


def test_the_hook_hears_a_socket():
    import socket  # noqa: PLC0415 - only here is one wanted

    with pytest.raises(AssertionError), no_socket():
        socket.socket().close()


def test_real_money_is_reached_only_with_everything_in_place_and_then_nothing_is_opened_yet(house):
    house.whole()
    broker = house.broker()
    assert isinstance(broker, KisBroker)
    certificate = broker.certificate
    assert (certificate.environment, certificate.host, certificate.transactions) == (
        "real",
        "openapi.koreainvestment.com:9443",
        "T",
    )
    assert (certificate.account, certificate.key) == (fingerprint(NUMBER), fingerprint(KEY))
    assert SECRET not in repr(broker)


def test_a_credential_that_governance_refuses_opens_nothing(house):
    house.account()
    house.secrets()
    house.approve("A001", "credential", "kis_real")
    house.approve("A002", "account", "money")
    assert house.refused(connect.NotAllowed, "money", "governance/credentials.yaml refuses kis_real").exit_code == 1


@pytest.mark.parametrize("days", [None, (-60, -1), (2, 60)])
def test_a_credential_without_an_approval_in_force_opens_nothing(house, days):
    house.whole()
    (house.root / "governance/approvals/A001.yaml").unlink()
    if days:
        house.approve("A001", "credential", "kis_real", days)
    assert house.refused(connect.NotAllowed, "no approval of the credential kis_real is in force")


@pytest.mark.parametrize("days", [None, (-60, -1), (2, 60)])
def test_a_real_account_without_an_approval_in_force_opens_nothing(house, days):
    house.whole()
    (house.root / "governance/approvals/A002.yaml").unlink()
    if days:
        house.approve("A002", "account", "money", days)
    assert house.refused(connect.NotAllowed, "no approval of the account money is in force")


def test_an_approval_of_another_account_or_of_one_person_alone_opens_nothing(house):
    house.whole()
    house.approve("A002", "account", "desk")
    assert house.refused(connect.NotAllowed, "no approval of the account money")
    own = house.approve("A002", "account", "money")
    own.write_text(own.read_text().replace("Lee Jun", "kim mina"))
    assert house.refused(connect.NotAllowed, "governance wants two people")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"key": "K" * 35}, "36 signs"),
        ({"secret": "s" * 179}, "180"),
        ({"key": "L" * 36}, "is the one that was approved"),
        ({"number": "87654321-01"}, "the account number has the fingerprint"),
        ({"number": "1234567-801"}, "the account number has the fingerprint"),
    ],
)
def test_keys_and_accounts_that_do_not_belong_together_open_nothing(house, given, words):
    house.whole()
    house.secrets(**given)
    assert house.refused(ModeMismatch, words)


def test_the_key_of_the_practice_account_does_not_open_the_real_one(house):
    house.whole()
    house.secrets("VIRTUAL", key="V" * 36)
    house.secrets("REAL", key="V" * 36)
    assert house.refused(ModeMismatch, fingerprint("V" * 36), fingerprint(KEY))


def test_real_money_needs_both_fingerprints_written_down(house):
    house.whole()
    house.account(pin="")
    assert house.refused(ModeMismatch, "spec/20_accounts.yaml has no number_fingerprint", fingerprint(NUMBER))
    house.account()
    file = house.root / "governance/credentials.yaml"
    file.write_text(file.read_text().replace(f'    key_fingerprint: "{fingerprint(KEY)}"\n', ""))
    assert house.refused(ModeMismatch, "governance/credentials.yaml has no key_fingerprint", fingerprint(KEY))


def test_missing_secrets_open_nothing(house, monkeypatch):
    house.whole()
    monkeypatch.delenv("KIS_REAL_APP_SECRET")
    assert house.refused(secrets.NoSecret, "KIS_REAL_APP_SECRET")


def test_the_practice_account_of_the_broker_needs_its_credential_and_no_approval_of_the_account(house):
    house.account("virtual", pin="")
    house.secrets("VIRTUAL")
    assert house.refused(connect.NotAllowed, "refuses kis_virtual")
    house.allow("kis_virtual", pin="")
    assert house.refused(connect.NotAllowed, "assay approve credential:kis_virtual")
    house.approve("A001", "credential", "kis_virtual")
    assert house.broker().certificate.host == "openapivts.koreainvestment.com:29443"
    assert house.broker().certificate.transactions == "V"


def test_a_rehearsal_needs_no_credential_and_stays_on_this_machine(house):
    house.account("rehearsal", pin="")
    certificate = house.broker().certificate
    assert (certificate.environment, certificate.host, certificate.transactions) == (
        "rehearsal",
        "127.0.0.1:18080",
        "V",
    )


@pytest.mark.parametrize(
    ("environment", "kind"),
    [("sample", "kis"), ("paper", "kis"), ("rehearsal", "paper"), ("virtual", "paper"), ("real", "paper")],
)
def test_a_broker_that_does_not_serve_the_account_is_refused(house, environment, kind):
    house.account(environment)
    with pytest.raises(connect.WrongBroker, match=f"environment {environment}"):
        house.broker(kind=kind)


def test_accounts_in_other_money_unknown_ones_and_twins_are_refused(house):
    house.account(currency="USD")
    assert house.refused(connect.WrongMoney, "USD", "KRW")
    house.account("paper")
    with pytest.raises(connect.NoSuchAccount, match="has money"):
        house.broker("other")
    file = house.root / "spec/20_accounts.yaml"
    file.write_text(file.read_text() + file.read_text().partition("\n")[2])
    assert house.refused(connect.NoSuchAccount, "two accounts")


def test_waits_that_contradict_each_other_are_refused(house):
    house.account("rehearsal", pin="")
    file = house.root / "spec/28_brokers.yaml"
    file.write_text(file.read_text().replace('answer_s: "12"', 'answer_s: "30"'))
    assert house.refused(connect.AnswersTooLate, "spec/27_trading.yaml", "93 s")


def test_every_environment_has_a_broker(house):
    schema = desk.opened(house.root).schema("accounts")
    environments = schema["properties"]["accounts"]["items"]["properties"]["environment"]["enum"]
    assert set(connect.KINDS) == set(environments)


def test_every_refusal_is_one_sentence_with_an_exit_code(house):
    house.account("rehearsal")
    house.secrets()
    error = house.refused(ModeMismatch, "fingerprint")
    assert isinstance(error, AssayError)
    assert error.exit_code == 2


def test_the_sample_desk_trades_its_plan_on_paper_and_finds_it_again(request):
    toy = request.getfixturevalue("desk")
    clock = FakeClock(datetime.fromisoformat("2026-11-19T10:00:00+09:00"))
    plan, before = toy.made("next_open_plan")["data"], toy.temp()
    broker = connect.broker(desk.built(toy.root), "sample", clock, "paper")
    assert isinstance(broker, PaperBroker)
    for order in plan["orders"]:
        # The plan's reference is the last close, and the session opens near to it.
        assert abs(broker.quote(order["ticker"]).open / order["reference_close"] - 1) < 0.05
        new = NewOrder(order["ticker"], order["side"], order["quantity"], order["limit_price"])
        assert isinstance(broker.submit(new), Accepted)
    day = clock.now().date()
    rows = broker.day_orders(day).rows
    assert [(row.ticker, row.filled) for row in rows] == [(one["ticker"], one["quantity"]) for one in plan["orders"]]
    again = connect.broker(desk.built(toy.root), "sample", clock)
    assert (again.book(), again.day_orders(day).rows) == (broker.book(), rows)
    assert toy.temp() == before
    assert (toy.root / "data/paper.sqlite3").stat().st_mode & 0o077 == 0
