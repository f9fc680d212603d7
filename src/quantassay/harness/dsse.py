"""Signatures over a statement: the DSSE envelope (secure-systems-lab/dsse v1) with Ed25519 keys from PEM files.

The only module that needs `cryptography` (the `sign` extra). Keys are local files; nothing asks a network for trust.
"""

import base64
import hashlib
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    INSTALLED = True
except ImportError:  # the `sign` extra is not installed; signing and checking then say so
    INSTALLED = False

STATEMENT = "application/vnd.in-toto+json"


class SigningNotInstalled(AssayError):
    """Nothing can be signed or checked here."""

    def __init__(self) -> None:
        super().__init__("signatures need the `cryptography` package; install it with `pip install 'quantassay[sign]'`")


class BadKey(AssayError):
    """A PEM file that holds no usable Ed25519 key."""

    def __init__(self, kind: str) -> None:
        made = "openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout -out key.pub.pem"
        super().__init__(f"this PEM file holds no unencrypted Ed25519 {kind} key; make a pair with `{made}`")


class BadSignature(AssayError):
    """Signatures of which none is by the key."""

    exit_code = 1

    def __init__(self, key: str, signatures: int) -> None:
        super().__init__(
            f"the signature does not hold: none of {signatures} is by the key {key[:16]} over these bytes; "
            "ask the sender for the package again"
        )


class BadEnvelope(AssayError):
    """Bytes that are no signed envelope."""

    exit_code = 1

    def __init__(self, what: object) -> None:
        super().__init__(f"this is no signed envelope ({what}); ask the sender for the package again")


def pae(payload: bytes, payload_type: str = STATEMENT) -> bytes:
    """The pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, private_key: bytes, payload_type: str = STATEMENT) -> bytes:
    """The canonical bytes of the envelope that holds the payload and its signature by this PEM key.

    Raises SigningNotInstalled, BadKey.
    """
    key = _private(private_key)
    signature = {"keyid": _key_id(key.public_key()), "sig": _text(key.sign(pae(payload, payload_type)))}
    return canonical.dumps({"payload": _text(payload), "payloadType": payload_type, "signatures": [signature]})


def payload(envelope: bytes, public_key: bytes, payload_type: str = STATEMENT) -> bytes:
    """The payload of an envelope that the holder of this PEM key has signed.

    Raises SigningNotInstalled, BadKey, BadEnvelope, BadSignature.
    """
    key = _public(public_key)
    body, signatures = _read(envelope, payload_type)
    for signature in signatures:
        try:
            key.verify(signature, pae(body, payload_type))
        except InvalidSignature:
            continue
        return body
    raise BadSignature(_key_id(key), len(signatures))


def key_id(public_key: bytes) -> str:
    """The name of a PEM public key: SHA-256 of its 32 raw bytes, in hex. Raises SigningNotInstalled, BadKey."""
    return _key_id(_public(public_key))


def _read(envelope: bytes, payload_type: str) -> tuple[bytes, list[bytes]]:
    try:
        parts: dict[str, Any] = canonical.loads(envelope)
        kind, body = parts["payloadType"], _bytes(parts["payload"])
        signatures = [_bytes(signature["sig"]) for signature in parts["signatures"]]
    except (KeyError, TypeError, ValueError) as error:
        raise BadEnvelope(error) from error
    if kind != payload_type:
        raise BadEnvelope(kind)
    return body, signatures


def _private(pem: bytes) -> "Ed25519PrivateKey":
    if not INSTALLED:
        raise SigningNotInstalled
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey("private") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey("private")
    return key


def _public(pem: bytes) -> "Ed25519PublicKey":
    if not INSTALLED:
        raise SigningNotInstalled
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("public") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadKey("public")
    return key


def _key_id(key: "Ed25519PublicKey") -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
