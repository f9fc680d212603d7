"""Which server is spoken to, for which account and with which key, and the certificate that these belong together.

The host, the letter that account transactions begin with, the account and the key must all be of one environment:
otherwise nothing is sent and no connection is opened. There is no way to speak to another host than these.
"""

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from quantassay.domain.trading.book import Certificate, Environment
from quantassay.errors import AssayError
from quantassay.kis import rehearsal

REAL_URL = "https://openapi.koreainvestment.com:9443"
VIRTUAL_URL = "https://openapivts.koreainvestment.com:29443"
# The first letter of a transaction that concerns an account; those of quotations (F, H) are the same everywhere.
LETTERS = {"real": "T", "virtual": "V", "rehearsal": "V"}
_OFFICIAL = {"real": REAL_URL, "virtual": VIRTUAL_URL}
_KEY_SIGNS, _SECRET_SIGNS = 36, 180
_ACCOUNT = re.compile(r"[0-9]{8}-[0-9]{2}")
_FINGERPRINT_SIGNS = 12
_PRINTED = re.compile(r"[!-~]+")


class ModeMismatch(AssayError):
    """Host, transactions, account and key do not all belong to one environment."""

    def __init__(self, environment: str, why: str, remedy: str) -> None:
        super().__init__(f"nothing is sent to KIS for the environment {environment}: {why}; {remedy}")


@dataclass(frozen=True, slots=True, repr=False)
class Connection:
    """All that speaking to KIS needs. `account_number` is like 50099999-01; `state` is the user's state folder.

    `pace_s` is the least time between two requests of all processes with this key (0: none). `read_timeout_s` is for a
    whole answer. `legacy_ids` sends the transaction ids from before the second exchange. `pinned_key`, where it is
    given, is the fingerprint that the key must have. `attempts` of a question count the first one; each wait before the
    next is twice the one before, from `first_wait_s`.
    """

    environment: Environment
    base_url: str
    app_key: str
    app_secret: str
    account_number: str
    state: Path
    pace_s: float
    connect_timeout_s: float
    read_timeout_s: float
    legacy_ids: bool = False
    pinned_key: str = ""
    attempts: int = 4
    first_wait_s: float = 1.0

    def __repr__(self) -> str:
        return f"Connection({self.environment!r}, {self.base_url!r}, key {fingerprint(self.app_key)})"

    @property
    def cano(self) -> str:
        """The first eight digits of the account."""
        return self.account_number[:8]

    @property
    def product(self) -> str:
        """The last two digits of the account: 01 is securities."""
        return self.account_number[-2:]

    @property
    def longest_post_s(self) -> float:
        """Seconds after which no answer to an order can come any more: its turn, a connection, and the answer."""
        return self.turn_limit_s + self.connect_timeout_s + 2 * self.read_timeout_s

    @property
    def turn_limit_s(self) -> float:
        """Seconds for which an order may wait for its turn and its token; later it is not sent."""
        return self.read_timeout_s

    @property
    def folder(self) -> Path:
        """Where what the processes with this key share is kept."""
        return self.state / "kis" / fingerprint(self.app_key)


def fingerprint(secret: str) -> str:
    """Twelve signs that tell one key or account from another and lead to neither."""
    return hashlib.sha256(secret.encode()).hexdigest()[:_FINGERPRINT_SIGNS]


def certificate(connection: Connection) -> Certificate:
    """That this connection is of one piece. Opens nothing. Raises ModeMismatch."""
    environment = connection.environment
    parts = _parts(connection)
    _check_host(connection, parts)
    _check_key(connection)
    if not _ACCOUNT.fullmatch(connection.account_number):
        _refuse(environment, "the account number is not eight digits, a hyphen and two digits", "write it like that")
    key = fingerprint(connection.app_key)
    if connection.pinned_key and connection.pinned_key != key:
        _refuse(
            environment,
            f"the app key has the fingerprint {key}, and {connection.pinned_key} is the one that was approved",
            "give the key of this environment, or have the new one approved",
        )
    return Certificate(environment, parts.netloc, LETTERS[environment], fingerprint(connection.account_number), key)


def _parts(connection: Connection) -> SplitResult:
    environment, url = connection.environment, connection.base_url
    if environment not in LETTERS:
        _refuse(environment, "it is no environment of KIS", "use the paper broker, or rehearsal, virtual or real")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        _refuse(environment, "the address of the server is none", "write it like https://host:port")
    if not (parts.scheme in ("http", "https") and parts.hostname and port) or url != f"{parts.scheme}://{parts.netloc}":
        _refuse(environment, "the address of the server is not only scheme, host and port", "write https://host:port")
    if "@" in parts.netloc:
        _refuse(environment, "the address of the server holds a login", "leave it out")
    return parts


def _check_host(connection: Connection, parts: SplitResult) -> None:
    environment, official = connection.environment, _OFFICIAL.get(connection.environment)
    if official:
        if connection.base_url != official:
            _refuse(environment, f"{parts.netloc} is not its server", f"its one server is {official}")
        return
    if not is_loopback(parts.hostname or ""):
        _refuse(
            environment, f"{parts.netloc} is another machine", "a rehearsal is held on this one, see `assay sandbox`"
        )


def is_loopback(host: str) -> bool:
    """Whether this is an address of this machine itself; a name is looked up nowhere, so only `localhost` is one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_key(connection: Connection) -> None:
    environment, key, secret = connection.environment, connection.app_key, connection.app_secret
    if not (_PRINTED.fullmatch(key) and _PRINTED.fullmatch(secret)):
        _refuse(environment, "the app key or the app secret is missing or holds a blank", "copy both again")
    if environment == "rehearsal":
        return
    if rehearsal.APP_KEY in (key, secret) or rehearsal.APP_SECRET in (key, secret):
        _refuse(environment, "the key is that of the practice server", "give the key of this environment")
    if (len(key), len(secret)) != (_KEY_SIGNS, _SECRET_SIGNS):
        _refuse(
            environment,
            f"an app key has {_KEY_SIGNS} signs and a secret {_SECRET_SIGNS}, these have {len(key)} and {len(secret)}",
            "copy both again from the KIS developers' page",
        )


def _refuse(environment: str, why: str, remedy: str) -> NoReturn:
    raise ModeMismatch(environment, why, remedy)
