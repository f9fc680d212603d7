"""Signed envelopes: the bytes of the standard, another library's opinion, and each way to be refused."""

import base64
import json

import pytest

from quantassay.harness import dsse

PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}\n'


def test_pae_is_that_of_the_standard():
    # The example of the DSSE specification, protocol.md.
    assert dsse.pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_the_payload_comes_back_and_the_same_input_gives_the_same_bytes(keys):
    private, public = keys
    envelope = dsse.sign(PAYLOAD, private)
    assert dsse.payload(envelope, public) == PAYLOAD
    assert dsse.sign(PAYLOAD, private) == envelope
    assert json.loads(envelope)["signatures"][0]["keyid"] == dsse.key_id(public)


def test_another_library_holds_the_signature_to_be_good(keys):
    spec = pytest.importorskip("securesystemslib.dsse")
    signer = pytest.importorskip("securesystemslib.signer")
    private, public = keys
    del private
    parsed = spec.Envelope.from_dict(json.loads(dsse.sign(PAYLOAD, keys[0])))
    raw = dsse._public(public).public_bytes_raw().hex()
    key = signer.SSlibKey(dsse.key_id(public), "ed25519", "ed25519", {"public": raw})
    assert list(parsed.verify([key], 1)) == [dsse.key_id(public)]


@pytest.mark.parametrize(
    "edit",
    [
        lambda e: e | {"payload": base64.b64encode(PAYLOAD + b" ").decode()},
        lambda e: e | {"signatures": []},
        lambda e: e | {"signatures": [{"keyid": "x", "sig": base64.b64encode(bytes(64)).decode()}]},
    ],
)
def test_a_signature_over_other_bytes_does_not_hold(keys, edit):
    private, public = keys
    envelope = json.dumps(edit(json.loads(dsse.sign(PAYLOAD, private)))).encode()
    with pytest.raises(dsse.BadSignature, match="does not hold"):
        dsse.payload(envelope, public)


@pytest.mark.parametrize("envelope", [b"", b"[]", b"{}", b'{"payload":"?","payloadType":"x","signatures":[]}'])
def test_what_is_no_envelope_is_called_so(keys, envelope):
    with pytest.raises(dsse.BadEnvelope):
        dsse.payload(envelope, keys[1])


def test_a_payload_of_another_type_is_refused(keys):
    with pytest.raises(dsse.BadEnvelope, match="text/plain"):
        dsse.payload(dsse.sign(PAYLOAD, keys[0], "text/plain"), keys[1])


def test_a_key_that_is_none_is_told_how_to_be_made(keys):
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    other = rsa.generate_private_key(rsa.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for pem in (b"no key", other, keys[1]):
        with pytest.raises(dsse.BadKey, match=r"private key.*openssl genpkey"):
            dsse.sign(PAYLOAD, pem)
    for pem in (b"no key", keys[0]):
        with pytest.raises(dsse.BadKey, match="public key"):
            dsse.payload(dsse.sign(PAYLOAD, keys[0]), pem)


def test_without_the_library_the_way_to_it_is_named(keys, monkeypatch):
    monkeypatch.setattr(dsse, "INSTALLED", False)
    with pytest.raises(dsse.SigningNotInstalled, match=r"quantassay\[sign\]"):
        dsse.sign(PAYLOAD, keys[0])
    with pytest.raises(dsse.SigningNotInstalled):
        dsse.key_id(keys[1])
