"""Each sender against a service on loopback: what counts as sent, what is tried again, what a person must mend."""

import base64
import hashlib
import hmac
import logging
import smtplib
import ssl
import sys
import types
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from quantassay.notify.channels import Later, Message, Refused, Sent, Waits, cut
from quantassay.notify.dingtalk import DingTalk, signature
from quantassay.notify.mail import Mail
from quantassay.notify.other import Other
from quantassay.notify.telegram import Telegram
from tests.fakes.messengers import DINGTALK_OK, TELEGRAM_OK, mail_server, service

WAITS = Waits(1, 0.3)
MESSAGE = Message("QuantAssay: execute of 2026-11-20 09:01: done", "2 filled, *1* open_line <b>")
NOW = datetime(2026, 11, 20, 0, 1, tzinfo=UTC)
# Written in parts, so that this file holds none of them.
TOKEN = "123456789" + ":" + "AAHfakefakefakefakefakefakefakefake"
ROBOT, SECRET = "robot" + "0f" * 12, "SEC" + "1a2b3c4d" * 8


def telegram(url):
    return Telegram(url, TOKEN, "-100777", WAITS)


def dingtalk(url):
    return DingTalk(url, ROBOT, SECRET, WAITS, lambda: NOW)


# Telegram.


def test_telegram_gets_plain_text_in_one_chat():
    with service(TELEGRAM_OK) as api:
        assert telegram(api.url).send(MESSAGE) == Sent()
        ((path, query, body),) = api.seen
    assert (path, query) == (f"/bot{TOKEN}/sendMessage", {})
    # Without a parse mode no sign of the text is layout, so none can be refused as such.
    assert body == {"chat_id": "-100777", "text": f"{MESSAGE.subject}\n\n{MESSAGE.text}"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # A success by HTTP is none where the body says otherwise.
        ((200, {"ok": False, "description": "chat not found"}, {}), Refused("HTTP 200: chat not found")),
        ((200, {"ok": "true"}, {}), Refused("HTTP 200: no reason given")),
        ((200, b"<html>gateway</html>", {}), Later("it answered HTTP 200 without a word of Telegram's")),
        ((200, [], {}), Later("it answered HTTP 200 without a word of Telegram's")),
        ((401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, {}), Refused("HTTP 401: Unauthorized")),
        (
            (429, {"ok": False, "error_code": 429, "description": "Too Many", "parameters": {"retry_after": 37}}, {}),
            Later("it has had enough for now: Too Many", 37.0),
        ),
        (
            (200, {"ok": False, "error_code": 429, "description": "Too Many", "parameters": {"retry_after": 5}}, {}),
            Later("it has had enough for now: Too Many", 5.0),
        ),
        ((429, b"", {"Retry-After": "12"}), Later("it has had enough for now (HTTP 429)", 12.0)),
        ((429, b"", {"Retry-After": "Fri, 20 Nov 2026"}), Later("it has had enough for now (HTTP 429)")),
        ((502, b"", {}), Later("it is out of order (HTTP 502)")),
        (
            (302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}),
            Later("it answered HTTP 302 without a word of Telegram's"),
        ),
        ("hang", Later("no whole answer (ReadTimeout)")),
        ("close", Later("no whole answer (ConnectionError)")),
    ],
)
def test_telegram_is_believed_by_its_body(answer, expected):
    with service(answer) as api:
        assert telegram(api.url).send(MESSAGE) == expected
        assert len(api.seen) == 1


def test_a_channel_that_is_not_there_is_tried_later():
    assert isinstance(telegram("http://127.0.0.1:9").send(MESSAGE), Later)
    assert isinstance(telegram("http://127.0.0.1:99999").send(MESSAGE), Refused)


def test_a_message_that_is_too_long_is_cut_as_telegram_counts():
    with service(TELEGRAM_OK) as api:
        # A sign beyond the first plane counts twice.
        telegram(api.url).send(Message("long", "📈" * 3000))
        text = api.seen[0][2]["text"]
    assert len(text.encode("utf-16-le")) // 2 <= 4096
    assert text.endswith("\n... cut: 3,006 characters in all; `assay notices show` has the rest")
    assert "\ufffd" not in text
    assert cut("x" * 4096, 4096, "utf-16-le") == "x" * 4096
    assert len(cut("가" * 10_000, 18_000, "utf-8").encode()) <= 18_000


def test_no_error_and_no_repr_quotes_a_token(caplog):
    caplog.set_level(logging.DEBUG)
    for channel in (telegram("http://127.0.0.1:9"), dingtalk("http://127.0.0.1:9")):
        shown = repr(channel) + repr(channel.send(MESSAGE))
        assert not [secret for secret in (TOKEN, ROBOT, SECRET, "-100777") if secret in shown]


# DingTalk.


def test_dingtalk_is_signed_as_its_documentation_says():
    with service(DINGTALK_OK) as api:
        assert dingtalk(api.url).send(MESSAGE) == Sent()
        ((path, query, body),) = api.seen
    at_ms = int(NOW.timestamp() * 1000)
    mac = hmac.new(SECRET.encode(), f"{at_ms}\n{SECRET}".encode(), digestmod=hashlib.sha256).digest()
    assert path == "/robot/send"
    assert query == {"access_token": ROBOT, "timestamp": str(at_ms), "sign": base64.b64encode(mac).decode()}
    assert body == {"msgtype": "text", "text": {"content": MESSAGE.whole}}


def test_a_signature_stays_one_in_an_address():
    # A plus in an address is a blank: it must be written otherwise.
    at_ms = next(ms for ms in range(1000) if "+" in signature(ms, SECRET))
    robot = DingTalk("", ROBOT, SECRET, WAITS, lambda: datetime.fromtimestamp(at_ms / 1000, UTC))
    with service(DINGTALK_OK) as api:
        DingTalk(api.url, ROBOT, SECRET, WAITS, robot.now).send(MESSAGE)
        assert api.seen[0][1]["sign"] == signature(at_ms, SECRET)
    assert "+" not in quote(signature(at_ms, SECRET), safe="")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, {"errcode": 310000, "errmsg": "sign not match"}, {}), Refused("errcode 310000: sign not match")),
        ((200, {"errcode": 130101, "errmsg": "send too fast"}, {}), Later("errcode 130101: send too fast", 60.0)),
        ((200, {"errcode": -1, "errmsg": "busy"}, {}), Later("errcode -1: busy", 60.0)),
        ((200, {"errcode": "0"}, {}), Refused("errcode 0: no reason given")),
        ((200, {"errcode": False}, {}), Refused("errcode False: no reason given")),
        ((200, {"errmsg": "ok"}, {}), Later("it answered HTTP 200 without an errcode")),
        ((200, b"", {}), Later("it answered HTTP 200 without an errcode")),
        ((503, {"errcode": 0}, {}), Later("it is out of order (HTTP 503)")),
        ((404, b"", {}), Refused("it answered HTTP 404")),
    ],
)
def test_dingtalk_is_believed_by_its_errcode(answer, expected):
    with service(answer) as api:
        assert dingtalk(api.url).send(MESSAGE) == expected


# Mail.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of this machine's own: the server's context, and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begins = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), begins, begins + timedelta(days=2)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "own.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


def mail(server, security, trusted=None, **more):
    given = {"host": "localhost", "port": server.port, "to": ("kim@example.org", "lee@example.org"), **more}
    return Mail(
        security=security, user="desk@example.org", password="pass" + "word-7", waits=WAITS, trusted=trusted, **given
    )


@pytest.mark.parametrize(("security", "at_once"), [("ssl", True), ("starttls", False)])
def test_mail_goes_over_an_encrypted_line(certificate, security, at_once):
    ours, trusted = certificate
    with mail_server(ours, at_once=at_once) as server:
        assert mail(server, security, trusted).send(MESSAGE) == Sent()
        assert server.logins == [("desk@example.org", "pass" + "word-7", True)]
        (letter,) = server.letters
    assert f"Subject: {MESSAGE.subject}\r\n" in letter
    assert "To: kim@example.org, lee@example.org\r\n" in letter
    assert MESSAGE.text in letter


@pytest.mark.parametrize(("security", "at_once"), [("ssl", True), ("starttls", False)])
def test_mail_tells_no_login_to_a_server_that_is_not_trusted(certificate, security, at_once):
    with mail_server(certificate[0], at_once=at_once) as server:
        answer = mail(server, security).send(MESSAGE)
        assert server.logins == []
    assert answer == Refused("its certificate is not one that this machine trusts; the login was not sent")


def test_mail_tells_no_login_where_the_line_cannot_be_encrypted():
    with mail_server() as server:
        assert isinstance(mail(server, "starttls").send(MESSAGE), Refused)
        assert server.logins == []
        elsewhere = mail(server, "plain", host="mail.example.org")
        assert elsewhere.send(MESSAGE) == Refused(
            "a mail server elsewhere is used only over an encrypted line: security is ssl or starttls"
        )


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ({}, Sent()),
        ({"MAIL": 451}, Later("it does not take the mail (SMTP 451)")),
        ({"MAIL": 550}, Refused("it does not take the mail (SMTP 550)")),
        ({"RCPT": 550}, Refused("it takes no mail for a receiver (SMTP 550)")),
        ({"RCPT": 450}, Later("it takes no mail for a receiver (SMTP 450)")),
        ({"DATA": 421}, Later("it does not take the mail (SMTP 421)")),
    ],
)
def test_mail_is_sent_when_the_server_took_it(codes, expected):
    with mail_server(codes=codes) as server:
        assert mail(server, "plain").send(MESSAGE) == expected
        assert server.logins == []


def test_a_login_that_is_not_taken_is_refused(certificate):
    ours, trusted = certificate
    with mail_server(ours, at_once=True, codes={"AUTH": 535}) as server:
        assert mail(server, "ssl", trusted).send(MESSAGE) == Refused("it does not take the login (SMTP 535)")


def test_a_mail_server_that_is_not_there_is_tried_later():
    with mail_server() as server:
        gone = mail(server, "plain")
    assert isinstance(gone.send(MESSAGE), Later)
    assert smtplib.SMTP_PORT == 25


# Other channels.


@pytest.fixture
def apprise(monkeypatch):
    """A library of apprise 2.2's shape: it knows addresses that begin with json, and says what `says` holds."""
    library = types.ModuleType("apprise")

    class Result:
        """What the library answers: an object that is true or false."""

        def __init__(self, failed):
            self.failed_count = failed

        def __bool__(self):
            return not self.failed_count

    class Apprise:
        said, says = [], [Result(0)]

        def add(self, url):
            self.said.append(url)
            return url.startswith("json")

        def notify(self, title, body):
            self.said.append((title, body))
            answer = self.says[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

    library.Apprise = Apprise
    monkeypatch.setitem(sys.modules, "apprise", library)
    return Apprise


def test_other_channels_are_told_through_apprise(apprise):
    assert Other(("json://one", "json://two?a=b"), WAITS).send(MESSAGE) == Sent()
    assert apprise.said == ["json://one?cto=1&rto=0.3", "json://two?a=b&cto=1&rto=0.3", (MESSAGE.subject, MESSAGE.text)]
    apprise.says[0] = type(apprise.says[0])(1)
    assert Other(("json://one",), WAITS).send(MESSAGE) == Later("apprise says that not all of its channels have it")
    apprise.says[0] = OSError("json://pass" + "word@here")
    assert Other(("json://one",), WAITS).send(MESSAGE) == Later("apprise failed (OSError)")
    assert Other(("json://one", "mailto"), WAITS).send(MESSAGE) == Refused("address 2 of 2 is none that apprise knows")


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert Other(("json://one",), WAITS).send(MESSAGE) == Refused(
        'it needs the apprise library: pip install "quantassay[notify]"'
    )
