"""Tells a Telegram chat through a bot; a success is only what the body calls one."""

from dataclasses import dataclass, field

from quantassay.notify.channels import Answer, Later, Message, Refused, Sent, Waits, cut
from quantassay.notify.posts import Reply, post, seconds, unexpected

MOST_UNITS = 4096


@dataclass(frozen=True, slots=True)
class Telegram:
    """A bot, by its token, in one chat."""

    base_url: str
    token: str = field(repr=False)
    chat: str = field(repr=False)
    waits: Waits

    def send(self, message: Message) -> Answer:
        """Say it as plain text, so that no sign in it is read as layout."""
        body: dict[str, object] = {"chat_id": self.chat, "text": cut(message.whole, MOST_UNITS, "utf-16-le")}
        reply = post(f"{self.base_url}/bot{self.token}/sendMessage", body, self.waits)
        return reply if isinstance(reply, Later | Refused) else _judged(reply)


def _judged(reply: Reply) -> Answer:
    if reply.status == 200 and reply.body.get("ok") is True:  # noqa: PLR2004 - HTTP's own number
        return Sent()
    said = str(reply.body.get("description", "no reason given"))[:200]
    parameters = reply.body.get("parameters")
    after = seconds(parameters.get("retry_after")) if isinstance(parameters, dict) else None
    if after is not None or reply.body.get("error_code") == 429:  # noqa: PLR2004 - the same
        return Later(f"it has had enough for now: {said}", after or reply.after_s)
    answer = unexpected(reply)
    if isinstance(answer, Later):
        return answer
    if not reply.body:
        # A page of some gateway in between is no word of Telegram's.
        return Later(f"it answered HTTP {reply.status} without a word of Telegram's")
    return Refused(f"HTTP {reply.status}: {said}")
