"""An approval is signed with a real key, and any other byte in it, or another key, shows."""

import base64
import json
import subprocess
import sys

import pytest

from quantassay.harness import dsse
from quantassay.jobs import signatures

APPROVAL = {
    "id": "A001",
    "subject": "account",
    "name": "desk",
    "workspace": "desk",
    "approver": "Kim Mina",
    "reason": "Two months on paper without a difference.",
    "granted": "2026-11-18",
    "expires": "2026-12-18",
}


@pytest.fixture
def private(key_pair):
    return key_pair(1)[0]


@pytest.fixture
def public(key_pair):
    return key_pair(1)[1]


@pytest.fixture
def other(key_pair):
    return key_pair(2)[1]


@pytest.fixture
def signed(private):
    return APPROVAL | {"signature": signatures.signature(APPROVAL, private)}


def test_a_signature_is_valid_for_its_key_among_several(signed, public, other):
    assert signatures.checked(signed, [public]) == "valid"
    assert signatures.checked(signed, [other, public]) == "valid"


def test_a_signature_by_a_key_that_is_not_listed_is_unknown(signed, other):
    assert signatures.checked(signed, [other]) == "unknown_key"
    assert signatures.checked(signed, []) == "unknown_key"


@pytest.mark.parametrize("member", sorted(APPROVAL))
def test_an_edit_of_any_member_shows(signed, public, member):
    assert signatures.checked(signed | {member: signed[member] + "x"}, [public]) == "invalid"


def test_a_member_that_was_added_or_taken_out_shows(signed, public):
    assert signatures.checked(signed | {"proposer": "Lee Jun"}, [public]) == "invalid"
    assert signatures.checked({n: v for n, v in signed.items() if n != "reason"}, [public]) == "invalid"


def test_the_order_of_the_members_does_not_matter(signed, public):
    assert signatures.checked(dict(reversed(signed.items())), [public]) == "valid"


def test_a_signature_over_something_else_does_not_fit(signed, public, private):
    body = signatures._said(APPROVAL)
    envelope = signatures.canonical.loads(dsse.sign(body, private))
    package = APPROVAL | {"signature": envelope["signatures"][0]}
    assert signatures.checked(package, [public]) == "invalid"
    zeros = base64.b64encode(bytes(64)).decode()
    assert signatures.checked(APPROVAL | {"signature": signed["signature"] | {"sig": zeros}}, [public]) == "invalid"


def test_a_key_in_governance_that_is_none_is_named(signed):
    with pytest.raises(signatures.BadListedKey, match=r"approval_policy\.yaml: the key of Kim Mina cannot be used"):
        signatures.checked(signed, ["MCowBQYDK2VwAyEAAAAA"])


def test_without_the_library_nothing_is_taken_for_checked(signed, public):
    code = (
        "import json, sys; sys.modules['cryptography'] = None; from quantassay.jobs import signatures;"
        "print(signatures.checked(*json.loads(sys.argv[1]))); signatures.signature({}, b'')"
    )
    command = [sys.executable, "-c", code, json.dumps([signed, [public]])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "not_checked\n"
    assert "pip install 'quantassay[sign]'" in done.stderr


def test_a_private_key_that_is_none_is_refused(public):
    with pytest.raises(dsse.BadKey):
        signatures.signature(APPROVAL, public.encode())
