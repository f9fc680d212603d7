"""Tells a DingTalk group through its robot, signed; HTTP 200 is no success, errcode 0 is."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from quantassay.notify.channels import Answer, Later, Message, Refused, Sent, Waits, cut
from quantassay.notify.posts import Reply, post, unexpected

MOST_BYTES = 18_000
# Sent too often, system busy, and the robot's own limit of twenty a minute.
_BUSY = (-1, 130101, 410100)
_BUSY_S = 60.0


@dataclass(frozen=True, slots=True)
class DingTalk:
    """A robot, by the token of its address and the secret that signs; `now` because a signature is good for an hour."""

    base_url: str
    token: str = field(repr=False)
    secret: str = field(repr=False)
    waits: Waits
    now: Callable[[], datetime]

    def send(self, message: Message) -> Answer:
        """Say it as text under its subject."""
        at_ms = int(self.now().timestamp() * 1000)
        query = urlencode({"access_token": self.token, "timestamp": at_ms, "sign": signature(at_ms, self.secret)})
        content = cut(message.whole, MOST_BYTES, "utf-8")
        body: dict[str, object] = {"msgtype": "text", "text": {"content": content}}
        reply = post(f"{self.base_url}/robot/send?{query}", body, self.waits)
        return reply if isinstance(reply, Later | Refused) else _judged(reply)


def signature(at_ms: int, secret: str) -> str:
    """The signature of an instant: HMAC-SHA256 of the milliseconds, a line end and the secret, in base 64."""
    text = f"{at_ms}\n{secret}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _judged(reply: Reply) -> Answer:
    answer = unexpected(reply)
    if answer is not None:
        return answer
    code = reply.body.get("errcode")
    if type(code) is int and code == 0:
        return Sent()
    if code is None:
        return Later("it answered HTTP 200 without an errcode")
    said = f"errcode {code}: {str(reply.body.get('errmsg', 'no reason given'))[:200]}"
    return Later(said, _BUSY_S) if code in _BUSY else Refused(said)
