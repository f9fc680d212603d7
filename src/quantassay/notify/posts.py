"""Posts a few words of JSON to a service once, and tells what its answer is worth before its body is believed."""

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from quantassay.notify.channels import LOOPBACK, Later, Refused, Waits

# An answer is a few words; whoever sends more is not listened to.
_MOST_BYTES = 100_000
_CHUNK = 4_096
_LONGEST_WAIT_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP: its status, its JSON object (empty where it is none), when to come again."""

    status: int
    body: dict[str, Any]
    after_s: float | None


def post(url: str, body: dict[str, object], waits: Waits) -> Reply | Later | Refused:
    """Post to this very address: no redirect is followed, for the key in the address would go along."""
    give_up = time.monotonic() + waits.connect_s + waits.answer_s
    try:
        with requests.Session() as session:
            # A proxy of the environment knows nothing of this machine's own loopback.
            session.trust_env = urlsplit(url).hostname not in LOOPBACK
            times = (waits.connect_s, waits.answer_s)
            options: dict[str, Any] = {"timeout": times, "allow_redirects": False, "stream": True, "auth": _no_login}
            with session.post(url, json=body, **options) as answer:
                data = _body(answer, give_up)
                return Reply(answer.status_code, _object(data), seconds(answer.headers.get("Retry-After")))
    except requests.exceptions.SSLError:
        return Refused("its certificate is not one that this machine trusts; nothing was sent to it")
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError):
        return Refused("its address is none; look at base_url in spec/29_operations.yaml and at the login")
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        # The address holds the key, and the text of the error holds the address.
        return Later(f"no whole answer ({type(error).__name__})")


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Left to itself the library would look for a password in ~/.netrc."""
    return request


def _body(answer: requests.Response, give_up: float) -> bytes:
    parts: list[bytes] = []
    # A service that sends a byte a second would keep a plain read waiting for ever.
    while part := answer.raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        if time.monotonic() > give_up or sum(map(len, parts)) > _MOST_BYTES:
            raise TimeoutError
    return b"".join(parts)


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def seconds(value: object) -> float | None:
    """A number of seconds in an answer, at most a day; None where it says none."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return min(found, _LONGEST_WAIT_S) if found > 0 else None


def unexpected(reply: Reply) -> Later | Refused | None:
    """What an HTTP status says by itself; None for a success, which the body may still take back."""
    if reply.status == requests.codes.too_many_requests:
        return Later("it has had enough for now (HTTP 429)", reply.after_s)
    if reply.status >= requests.codes.internal_server_error or reply.status == requests.codes.request_timeout:
        return Later(f"it is out of order (HTTP {reply.status})", reply.after_s)
    if reply.status != requests.codes.ok:
        return Refused(f"it answered HTTP {reply.status}")
    return None
