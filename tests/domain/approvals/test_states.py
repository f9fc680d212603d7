"""An approval counts only where nothing at all is against it, and what is against it is said."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.approvals import states
from quantassay.domain.approvals.changes import Change
from quantassay.domain.approvals.states import Copy, Ground

POLICY = {
    "signatures": "unsigned_local",
    "signers": [{"name": "Kim Mina", "public_key": "PEM 1"}, {"name": "KIM MINA", "public_key": "PEM 2"}],
    "four_eyes": {"subjects": ["account"], "packets": ["plan"]},
    "longest_days": {"accounts": 92, "credentials": 92, "data_sources": 366, "packets": 7},
}
SIGNED = {**POLICY, "signatures": "ed25519"}
GROUND = Ground(
    day=date(2026, 11, 18),
    workspace="desk",
    rules="rules 1",
    bars="bars 1",
    known={"packet": ["plan", "list"], "account": ["main"], "credential": ["krx_login"], "data_source": []},
    contents={"plan": "content 1", "list": "content 9"},
)
PACKET = {
    "id": "A001",
    "subject": "packet",
    "name": "plan",
    "workspace": "desk",
    "content": "content 1",
    "rules": "rules 1",
    "data_cut": {"as_of": "2026-11-18T15:45:00+09:00", "bars": "bars 1"},
    "proposer": "Lee Jun",
    "approver": "Kim Mina",
    "reason": "Compared with the signals.",
    "granted": "2026-11-18",
    "expires": "2026-11-20",
}
ACCOUNT = {name: PACKET[name] for name in PACKET if name not in ("content", "rules", "data_cut")}
ACCOUNT |= {"subject": "account", "name": "main"}


def judged(*approvals, policy=POLICY, ground=GROUND, copies=None):
    kept = {one["id"]: Copy(one.get("content"), "unsigned") for one in approvals} | (copies or {})
    return states.states(approvals, policy, ground, kept)


def state(approval, **more):
    return judged(approval, **more)[-1]


@pytest.mark.parametrize("approval", [PACKET, ACCOUNT])
def test_what_nothing_is_against_is_in_force_through_its_last_day(approval):
    assert state(approval) == states.State("in_force", "it holds through 2026-11-20")
    for day, expected in ((17, "not_yet"), (18, "in_force"), (20, "in_force"), (21, "expired")):
        now = Ground(date(2026, 11, day), "desk", "rules 1", "bars 1", GROUND.known, GROUND.contents)
        assert state(approval, ground=now).state == expected


@pytest.mark.parametrize(
    ("approval", "expected", "why"),
    [
        (PACKET | {"workspace": "other"}, "wrong_scope", "given in the workspace other, and this is desk"),
        (PACKET | {"name": "signals"}, "wrong_scope", "signals is no packet that governance"),
        (ACCOUNT | {"name": "other"}, "wrong_scope", "there is no account other here"),
        (ACCOUNT | {"subject": "data_source"}, "wrong_scope", "there is no data source main here"),
        (ACCOUNT | {"workspace": "other"}, "wrong_scope", "in the workspace other"),
        (PACKET | {"proposer": "Kim Mina"}, "self_approved", "Kim Mina both proposed and approved"),
        (PACKET | {"proposer": " kim-MINA "}, "self_approved", "both proposed and approved"),
        (ACCOUNT | {"proposer": "\uff2bIM Mina"}, "self_approved", "both proposed and approved"),
        ({n: v for n, v in ACCOUNT.items() if n != "proposer"}, "self_approved", "names nobody who proposed"),
        (PACKET | {"expires": "2026-11-26"}, "too_long", "runs for 8 days, and governance allows 7"),
        (ACCOUNT | {"expires": "2027-02-19"}, "too_long", "runs for 93 days, and governance allows 92"),
        (PACKET | {"granted": "2026-11-10", "expires": "2026-11-17"}, "expired", "ended on 2026-11-17"),
        (PACKET | {"granted": "2026-11-19"}, "not_yet", "begins on 2026-11-19"),
        (PACKET | {"granted": "2027-01-01"}, "not_yet", "begins on 2027-01-01"),
    ],
)
def test_what_is_against_an_approval_is_said(approval, expected, why):
    found = state(approval)
    assert (found.state, why in found.why) == (expected, True), found


def test_two_people_are_asked_for_only_where_governance_asks():
    alone = PACKET | {"name": "list", "content": "content 9", "proposer": "Kim Mina"}
    assert state(alone).state == "in_force"
    login = {n: v for n, v in ACCOUNT.items() if n != "proposer"} | {"subject": "credential", "name": "krx_login"}
    assert state(login).state == "in_force"


@pytest.mark.parametrize(
    ("changed", "why", "places"),
    [
        ({"content": "content 0"}, "the packet in 3 places", ["/a"]),
        ({"rules": "rules 0"}, "the rules", ["rules"]),
        ({"data_cut": {"as_of": "2026-11-18T15:45:00+09:00", "bars": "bars 0"}}, "the bars", ["bars"]),
        (
            {"content": "content 0", "rules": "rules 0", "data_cut": {"as_of": "x", "bars": "bars 0"}},
            "the packet in 3 places, the bars, the rules",
            ["bars", "rules", "/a"],
        ),
    ],
)
def test_a_packet_is_stale_once_anything_under_it_has_changed(changed, why, places):
    approval = PACKET | changed
    copies = {"A001": Copy(approval["content"], "unsigned", (Change("/a", "1", "2"),), 3)}
    found = state(approval, copies=copies)
    assert (found.state, found.why.partition(": ")[2]) == ("stale", why)
    assert [one.place for one in found.changes] == places
    assert found.changed == len(places) + (2 if "/a" in places else 0)


def test_the_moment_that_a_packet_was_made_for_does_not_make_it_stale():
    assert state(PACKET | {"data_cut": {"as_of": "2026-11-18T16:00:00+09:00", "bars": "bars 1"}}).state == "in_force"


@pytest.mark.parametrize(("kept", "why"), [(None, "missing"), ("content 2", "not those that its digest names")])
def test_a_copy_that_is_not_what_was_approved_is_forged(kept, why):
    found = state(PACKET, copies={"A001": Copy(kept, "unsigned")})
    assert (found.state, why in found.why) == ("forged", True)


@pytest.mark.parametrize("policy", [POLICY, SIGNED])
@pytest.mark.parametrize("approval", [PACKET, ACCOUNT])
def test_a_signature_that_does_not_hold_is_worse_than_none(policy, approval):
    for worth, why in (
        ("invalid", "edited after Kim Mina"),
        ("unknown_key", "does not list"),
        ("not_checked", "install"),
    ):
        found = state(approval, policy=policy, copies={"A001": Copy(approval.get("content"), worth)})
        assert (found.state, why in found.why) == ("bad_signature", True)


@pytest.mark.parametrize("approval", [PACKET, ACCOUNT])
def test_none_is_enough_only_where_governance_asks_for_none(approval):
    assert state(approval, policy=SIGNED).state == "unsigned"
    valid = {"A001": Copy(approval.get("content"), "valid")}
    assert state(approval, policy=SIGNED, copies=valid).state == "in_force"


def test_a_copy_under_another_id_takes_both_out_of_force():
    for twins in ((PACKET, PACKET | {"id": "A002"}), (ACCOUNT, ACCOUNT | {"id": "A002"})):
        found = judged(*twins)
        assert [one.state for one in found] == ["duplicate", "duplicate"]
        assert "it says the same as A002" in found[0].why


def test_a_signature_under_two_ids_is_a_copy_even_where_the_words_differ():
    one = PACKET | {"signature": {"keyid": "k", "sig": "v"}}
    other = one | {"id": "A002", "reason": "Something else altogether."}
    assert [found.state for found in judged(one, other)] == ["duplicate", "duplicate"]


def test_one_id_for_two_approvals_takes_both_out_of_force():
    found = judged(PACKET, PACKET | {"reason": "Something else altogether."})
    assert [one.state for one in found] == ["duplicate", "duplicate"]


def test_two_people_may_approve_the_same():
    found = judged(PACKET, PACKET | {"id": "A002", "approver": "Park Jisoo"})
    assert [one.state for one in found] == ["in_force", "in_force"]


def test_the_keys_of_a_person_are_found_whatever_the_capitals():
    assert states.public_keys(POLICY, "kim mina") == ["PEM 1", "PEM 2"]
    assert states.public_keys(POLICY, "Kim Minah") == []


FIELDS = st.sampled_from(["id", "name", "workspace", "content", "rules", "proposer", "approver", "granted", "expires"])


@given(FIELDS, st.sampled_from(["2026-11-01", "2026-12-31", "2027-12-31"]))
def test_no_change_of_one_member_makes_a_stale_or_strange_approval_good(member, value):
    found = state(PACKET | {member: value}, copies={value: Copy("content 1", "unsigned")})
    assert found.state in (states.IN_FORCE, *states.REFUSED, *states.LAPSED)
    if member in ("name", "workspace", "content", "rules"):
        assert found.state != states.IN_FORCE
