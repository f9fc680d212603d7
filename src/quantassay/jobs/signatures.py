"""Sign an approval, and check its signature against the keys that governance lists."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical, dsse

# What a signature says it is over, so that one made over anything else never fits an approval.
KIND = "application/vnd.quantassay.approval+json"
VALID, INVALID, UNKNOWN_KEY, NOT_CHECKED = "valid", "invalid", "unknown_key", "not_checked"
Approval = Mapping[str, Any]


class BadListedKey(AssayError):
    """A public key in governance that is none."""

    def __init__(self, person: str, why: str) -> None:
        super().__init__(f"governance/approval_policy.yaml: the key of {person} cannot be used: {why}")


def signature(approval: Approval, private_key: bytes) -> dict[str, str]:
    """`keyid` and `sig` of a signature by this PEM key. Raises SigningNotInstalled, BadKey."""
    envelope = canonical.loads(dsse.sign(_said(approval), private_key, KIND))
    return dict(envelope["signatures"][0])


def checked(approval: Approval, public_keys: Sequence[str]) -> str:
    """What the approval's signature is worth, given the keys of its approver as governance lists them.

    Raises BadListedKey.
    """
    if not dsse.INSTALLED:
        return NOT_CHECKED
    given, body = approval["signature"], _said(approval)
    for public_key in public_keys:
        pem = f"-----BEGIN PUBLIC KEY-----\n{public_key}\n-----END PUBLIC KEY-----\n".encode()
        try:
            if dsse.key_id(pem) != given["keyid"]:
                continue
            dsse.payload(_envelope(body, given), pem, KIND)
        except dsse.BadKey as error:
            raise BadListedKey(approval["approver"], str(error)) from error
        except (dsse.BadSignature, dsse.BadEnvelope):
            return INVALID
        return VALID
    return UNKNOWN_KEY


def _said(approval: Approval) -> bytes:
    """The bytes that are signed: all of the approval but its signature, whatever the layout of its file."""
    return canonical.dumps({name: value for name, value in approval.items() if name != "signature"})


def _envelope(body: bytes, given: Mapping[str, str]) -> bytes:
    return canonical.dumps(
        {"payload": base64.b64encode(body).decode(), "payloadType": KIND, "signatures": [dict(given)]}
    )
