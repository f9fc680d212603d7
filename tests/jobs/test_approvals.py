"""What lies behind approvals is read from their files, and a login is allowed only where all of it holds."""

import json
from datetime import date
from pathlib import Path

import pytest

from quantassay.harness import canonical, rulebook, schemas
from quantassay.jobs import approvals, desk, signatures

POLICY = {"signatures": "unsigned_local", "signers": []}
PACKET = {"id": "A001", "subject": "packet", "name": "plan", "approver": "Kim Mina"}
LOGIN = {"id": "A002", "subject": "credential", "name": "krx_login", "approver": "Kim Mina"}
WRITTEN = """id: "A001"
subject: "credential"
name: "krx_login"
workspace: "toy"
proposer: "Lee Jun"
approver: "Kim Mina"
reason: "The owner has read the exchange's terms."
granted: "2026-11-18"
expires: "2026-12-18"
"""
DAY = date(2026, 11, 20)


def test_the_copy_beside_an_approval_is_read_in_any_layout(tmp_path):
    value = {"orders": [{"ticker": "990040", "quantity": 70}]}
    path = tmp_path / "A001_plan.packet.json"
    for text in (json.dumps(value, indent=4), canonical.dumps(value).decode(), json.dumps(value, sort_keys=True)):
        path.write_text(text)
        assert approvals.packets([PACKET, LOGIN], POLICY, tmp_path) == {
            "A001": {"name": "plan", "content": value, "signature": "unsigned"},
            "A002": {"name": None, "content": None, "signature": "unsigned"},
        }


@pytest.mark.parametrize("text", [None, "", "{", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 99999999999999999999}'])
def test_a_copy_that_is_missing_or_has_no_digest_is_none(tmp_path, text):
    if text is not None:
        (tmp_path / "A001_plan.packet.json").write_text(text)
    assert approvals.packets([PACKET], POLICY, tmp_path)["A001"]["content"] is None


def test_a_signature_is_checked_against_the_keys_of_its_approver(tmp_path, key_pair):
    private, public = key_pair(1)
    policy = POLICY | {"signers": [{"name": "Kim Mina", "public_key": public}]}

    def signed(approval):
        return approval | {"signature": signatures.signature(approval, private)}

    good, edited = signed(PACKET), signed(PACKET) | {"name": "list"}
    stranger = signed(PACKET | {"approver": "Park Jisoo"})
    for one, worth in ((good, "valid"), (edited, "invalid"), (stranger, "unknown_key"), (PACKET, "unsigned")):
        assert approvals.packets([one], policy, tmp_path)["A001"]["signature"] == worth


def test_the_digest_changes_with_all_that_is_read(tmp_path):
    def now(one=PACKET, policy=POLICY):
        return approvals.packets_digest([one], policy, tmp_path)

    first = now()
    assert first == now()
    assert now(PACKET | {"name": "list"}) != first
    assert now(policy=POLICY | {"signatures": "ed25519"}) != first
    (tmp_path / "A001_plan.packet.json").write_text("{}")
    assert now() != first


DIGEST = f"sha256:{0:064}"
ALLOWED = {
    "id": "A001",
    "subject": "account",
    "name": "desk",
    "workspace": "desk",
    "approver": "Kim Mina",
    "reason": "Two months on paper, no difference.",
    "granted": "2026-11-18",
    "expires": "2026-11-20",
}
BOUND = {"content": DIGEST, "rules": DIGEST, "data_cut": {"as_of": "2026-11-18T15:45:00+09:00", "bars": DIGEST}}
SEEN = ALLOWED | BOUND | {"subject": "packet", "name": "next_open_plan", "proposer": "Lee Jun"}


@pytest.mark.parametrize(
    ("approval", "wrong"),
    [
        (ALLOWED, []),
        (ALLOWED | {"subject": "credential", "proposer": "Lee Jun"}, []),
        (SEEN, []),
        (ALLOWED | {"content": DIGEST}, ["/content"]),
        ({n: v for n, v in SEEN.items() if n != "rules"}, [""]),
        ({n: v for n, v in SEEN.items() if n != "proposer"}, [""]),
        ({n: v for n, v in ALLOWED.items() if n != "workspace"}, [""]),
        (SEEN | {"name": "../plan"}, ["/name"]),
        (SEEN | {"signature": {"keyid": "0" * 64, "sig": "no signature"}}, ["/signature/sig"]),
        (ALLOWED | {"approved": True}, [""]),
    ],
)
def test_the_form_of_an_approval_depends_on_its_subject(approval, wrong):
    schema = canonical.read(Path(__file__).parents[2] / "spec/schemas/approval.schema.json")
    assert list(schemas.lint(schema)) == []
    assert [problem.pointer for problem in schemas.validate(schema, approval)] == wrong


@pytest.mark.parametrize(
    "variable", ["KRX_ID", "KIS_REAL_APP_SECRET", "Xy12ab34", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "PSA_1234"]
)
def test_a_variable_is_a_name_and_never_a_value(variable):
    schema = canonical.read(Path(__file__).parents[2] / "spec/schemas/credentials.schema.json")
    entry = {"id": "x", "holds": "a login", "status": "refused", "why": "Nobody asked.", "noted_on": "2026-11-20"}
    found = schemas.validate(schema, {"credentials": [entry | {"variables": [variable]}]})
    assert bool(found) is not (variable in ("KRX_ID", "KIS_REAL_APP_SECRET"))


def test_what_is_handed_in_names_the_rules_as_the_gate_record_does(desk_inputs):
    ground = desk_inputs.value("approval_ground")
    assert ground["rules"] == desk_inputs.envelope("gate_record")["data"]["rules_digest"]
    assert ground["rules"] == rulebook.digest(rulebook.parse(desk_inputs.value("rules")))
    assert ground["bars"] == desk_inputs.digest("bars")
    assert ground["workspace"] == "desk"
    assert "krx_login" in ground["known"]["credential"]
    assert desk_inputs.value("approved_packets") == {}
    handed = desk_inputs.handed["approved_packets"]
    assert handed.recheck() == handed.digest
    assert handed.explain("/A001/content") == ["no packet was approved"]


@pytest.fixture
def desk_inputs(desk_folder):
    return desk.built(desk_folder)


@pytest.fixture
def desk_folder(sample):
    return sample


@pytest.fixture
def login(toy):
    """A desk whose governance allows the exchange's login, with an approval of it, as text to be edited."""
    toy.write("governance/credentials.yaml", credentials("allowed"))
    toy.write("governance/approval_policy.yaml", POLICY_TEXT)
    toy.write("governance/rules/01_a.yaml", RULES)

    def asked(text=WRITTEN, day=DAY, name="krx_login"):
        if text:
            toy.write("governance/approvals/A001_krx_login.yaml", text)
        return approvals.credential_allowed(desk.opened(toy.root), name, day)

    return asked


def credentials(status):
    return f"""credentials:
  - {{id: "krx_login", holds: "The member login", variables: ["KRX_ID", "KRX_PW"], status: "{status}",
     why: "The owner has decided so.", noted_on: "2026-11-20"}}
"""


RULES = """title: "x"
rules:
  - {id: "R01.1", statement: "Something holds here.", why: "Because of the harm.", remedy: "Put it right again.",
     enforced_by: ["some_gate"], severity: "error", waivable: false}
"""
POLICY_TEXT = """signatures: "unsigned_local"
signers: []
four_eyes: {subjects: ["credential"], packets: []}
longest_days: {accounts: 92, credentials: 92, data_sources: 366, packets: 7}
packets: []
required: []
"""


def test_a_login_that_governance_allows_and_a_person_approved_may_be_used(login):
    found = login()
    assert found == approvals.Permission(True, "A001 by Kim Mina: it holds through 2026-12-18")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('workspace: "toy"', 'workspace: "other"', "given in the workspace other"),
        ('proposer: "Lee Jun"', 'proposer: "kim mina"', "both proposed and approved"),
        ('proposer: "Lee Jun"\n', "", "names nobody who proposed it"),
        ('granted: "2026-11-18"', 'granted: "2026-11-21"', "begins on 2026-11-21"),
        ('expires: "2026-12-18"', 'expires: "2026-11-19"', "ended on 2026-11-19"),
        ('expires: "2026-12-18"', 'expires: "2027-12-18"', "governance allows 92"),
        ('name: "krx_login"', 'name: "dart_key"', "no approval of the credential krx_login is in force;"),
        ('subject: "credential"', 'subject: "account"', "no approval of the credential krx_login is in force;"),
    ],
)
def test_a_login_whose_approval_does_not_count_may_not_be_used(login, old, new, why):
    assert old in WRITTEN
    found = login(WRITTEN.replace(old, new))
    assert (found.allowed, why in found.reason) == (False, True), found


def test_a_login_that_is_refused_unlisted_or_unapproved_may_not_be_used(toy, login):
    assert "assay approve credential:krx_login" in login(text="").reason
    assert not login(name="kis_real").allowed
    assert "does not list the credential kis_real" in login(name="kis_real").reason
    toy.write("governance/credentials.yaml", credentials("refused"))
    found = login()
    assert (found.allowed, "governance/credentials.yaml refuses krx_login" in found.reason) == (False, True)
    (toy.root / "governance/credentials.yaml").unlink()
    assert not login().allowed


def test_a_login_is_asked_for_the_day_of_the_run_where_there_is_one(toy, login):
    login()
    inputs = desk.prepared(desk.opened(toy.root), desk.Request(as_of="2026-12-19T09:00:00+09:00"))[0]
    assert "ended on 2026-12-18" in approvals.credential_allowed(inputs, "krx_login").reason
    inputs = desk.prepared(desk.opened(toy.root), desk.Request(as_of="2026-12-18T09:00:00+09:00"))[0]
    assert approvals.credential_allowed(inputs, "krx_login").allowed


def test_without_a_policy_nothing_is_handed_in_and_no_login_allowed(toy, login):
    login()
    (toy.root / "governance/approval_policy.yaml").unlink()
    inputs = desk.opened(toy.root)
    assert list(approvals.handed(inputs, "none")) == []
    assert "no governance/approval_policy.yaml" in approvals.credential_allowed(inputs, "krx_login", DAY).reason
