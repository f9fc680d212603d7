"""Takes what is in the outbox to the channels: each message once to each, later where one is not to be had."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from quantassay.notify.channels import Answer, Channel, Later, Message, Refused, Sent
from quantassay.secrecy import withheld
from quantassay.store.operations import GIVEN_UP, REFUSED, SENT, WAITING, Delivery, Notice, Operations


@dataclass(frozen=True, slots=True)
class Rules:
    """How patient delivery is: the first and the longest wait between attempts, and when it gives up.

    `longest` is how long one round may take: what is left then waits for the next.
    """

    first_wait: timedelta
    longest_wait: timedelta
    give_up: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Outbox:
    """The open file of operations, what every subject begins with, and the channels whose turn it is not."""

    store: Operations
    title: str = ""
    left_alone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Told:
    """One attempt: which notice, on which channel, and what has become of it."""

    notice: Notice
    channel: str
    state: str
    says: str


def deliver(
    outbox: Outbox, channels: Mapping[str, Channel | str], rules: Rules, now: Callable[[], datetime]
) -> Iterator[Told]:
    """Try everything that is due, and put each answer down before the next attempt. Raises DatabaseFault.

    A channel is a sentence where it cannot be used, and says so in what waits for it. After a channel was not to be
    had, nothing more is tried on it in this round: a dead channel costs one wait, and the others are not kept.
    """
    started, store = now(), outbox.store
    tired: dict[str, Later] = {}
    for notice, delivery in store.due(started):
        if now() - started >= rules.longest:
            return
        if delivery.channel in outbox.left_alone:
            continue
        channel = channels.get(delivery.channel, "spec/29_operations.yaml has no such channel any more, or it is off")
        asked = True
        if isinstance(channel, str):
            answer: Answer = Later(channel)
        elif delivery.channel in tired:
            answer, asked = tired[delivery.channel], False
        else:
            answer = channel.send(_message(notice, store.told_before(notice), outbox.title))
            if isinstance(answer, Later):
                tired[delivery.channel] = answer
        done = after(delivery, answer, rules, now(), asked=asked)
        store.record(done)
        yield Told(notice, delivery.channel, done.state, done.says)


def after(delivery: Delivery, answer: Answer, rules: Rules, now: datetime, *, asked: bool = True) -> Delivery:
    """What an answer makes of a delivery; one that was not asked for itself waits without counting an attempt."""
    attempts = delivery.attempts + asked
    tried = replace(delivery, attempts=attempts)
    if isinstance(answer, Sent):
        return replace(tried, state=SENT, says="", next_at=now)
    says = withheld(answer.why)
    if isinstance(answer, Refused):
        return replace(tried, state=REFUSED, says=says, next_at=now)
    if now - delivery.since >= rules.give_up:
        return replace(tried, state=GIVEN_UP, says=says, next_at=now)
    # It doubles; the number of doublings is held down, for a large power is no timedelta.
    wait = min(rules.first_wait * 2 ** min(max(attempts - 1, 0), 20), rules.longest_wait)
    if answer.after_s is not None:
        # What the channel asks for is honoured, however long our own waits are.
        wait = max(wait, timedelta(seconds=answer.after_s))
    return replace(tried, state=WAITING, says=says, next_at=now + wait)


def _message(notice: Notice, before: Notice | None, title: str) -> Message:
    subject = f"{title}: {notice.subject}" if title else notice.subject
    text = notice.text
    if notice.repeats:
        text += f"\n(left {notice.repeats + 1} times before it was sent)"
    if before is not None and before.repeats:
        text += f"\n(it came {before.repeats} times more after it was told on {before.at:%Y-%m-%d %H:%M} UTC)"
    return Message(withheld(subject), withheld(text).strip())
