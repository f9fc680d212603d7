"""Take the notices of the outbox to the channels that the spec uses and governance allows; tell how they stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from quantassay.domain.trading.clock import Clock
from quantassay.errors import AssayError
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.workspace import find
from quantassay.jobs import desk, notices, operations, secrets, single_owner
from quantassay.notify.channels import Channel, Waits
from quantassay.notify.delivery import Outbox, Rules, Told, deliver
from quantassay.store.operations import FILE, GIVEN_UP, REFUSED, Delivery, Notice, Operations

# Each loads its library only where it is used.
_TELEGRAM = Lazy("quantassay.notify.telegram:Telegram")
_DINGTALK = Lazy("quantassay.notify.dingtalk:DingTalk")
_MAIL = Lazy("quantassay.notify.mail:Mail")
_OTHER = Lazy("quantassay.notify.other:Other")


class NoSuchChannel(AssayError):
    """A channel that the spec does not have."""

    def __init__(self, wanted: str, known: Sequence[str]) -> None:
        there = ", ".join(known) or "none"
        super().__init__(f"there is no channel {wanted!r} in {operations.FILE}; there are {there}")


class NoSuchNotice(AssayError):
    """A number of which there is no notice."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no notice {number}; `assay notices list` shows those that there are")


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of deliveries did, and why channels could not be used."""

    told: tuple[Told, ...]
    waiting: int
    channels: int
    unusable: Mapping[str, str]

    @property
    def is_well(self) -> bool:
        """Whether every attempt arrived."""
        return all(one.state == "sent" for one in self.told) and not self.unusable


@dataclass(frozen=True, slots=True)
class Aim:
    """What a round of deliveries is for: these channels only, used or not, which are to have these notices by key.

    A round of its own lock does not wait for another that hangs.
    """

    channels: Sequence[str] = ()
    keys: Sequence[str] = ()
    lock: str = "notices.lock"


@dataclass(frozen=True, slots=True)
class Listed:
    """A notice and how far it has come on each channel."""

    notice: Notice
    deliveries: tuple[Delivery, ...]

    @property
    def is_lost(self) -> bool:
        """Whether a channel will not have it unless somebody acts."""
        return any(one.state in (REFUSED, GIVEN_UP) for one in self.deliveries)


def send(folder: Path, clock: Clock, aim: Aim = Aim(), *, again: bool = False) -> Round:
    """Deliver what waits; `again` also what was refused or given up.

    Raises NoOperations, NoSuchChannel, Owned where another process delivers now, DatabaseFault.
    """
    inputs = desk.opened(folder)
    rules = operations.spec(inputs)["notices"]
    data, entries = inputs.workspace.data, {entry["id"]: entry for entry in rules["channels"]}
    used = [entry for entry in entries.values() if entry["used"]]
    for name in aim.channels:
        if name not in entries:
            raise NoSuchChannel(name, list(entries))
    round_of = [entries[name] for name in dict.fromkeys(aim.channels)] or used
    with single_owner.taken(data / "locks" / aim.lock, "the delivery of notices", clock.now()):
        channels = {entry["id"]: _channel(inputs, entry, rules, clock) for entry in round_of}
        with Operations(data) as store:
            now = clock.now()
            notices.take_spilled(data, store)
            if again:
                store.again(now)
            kinds = [(entry["id"], frozenset(entry["takes"])) for entry in used]
            give_up = timedelta(hours=rules["give_up_h"])
            store.take(kinds, timedelta(hours=rules["same_key_h"]), now - give_up, now)
            for key in aim.keys:
                store.route(key, aim.channels, now)
            others = frozenset(entries) - frozenset(channels) if aim.channels else frozenset()
            outbox = Outbox(store, rules["title"], others)
            told = tuple(deliver(outbox, channels, patience(rules), clock.now))
            store.forget(now - timedelta(days=rules["keep_days"]))
            waiting = sum(one.state == "waiting" for one in store.deliveries())
    return Round(told, waiting, len(channels), {name: why for name, why in channels.items() if isinstance(why, str)})


def patience(rules: Mapping[str, Any]) -> Rules:
    """How patient delivery is, by the spec."""
    seconds = (rules["first_wait_s"], rules["longest_wait_s"], rules["give_up_h"] * 3600, rules["longest_s"])
    return Rules(*(timedelta(seconds=one) for one in seconds))


def _channel(inputs: Inputs, entry: Mapping[str, Any], rules: Mapping[str, Any], clock: Clock) -> Channel | str:
    """The channel, or why it cannot be used: one that is refused keeps no other from being told."""
    try:
        values = list(secrets.read(inputs, entry["login"]).values())
    except AssayError as error:
        return str(error)
    waits = Waits(rules["connect_s"], rules["answer_s"])
    channel: Channel
    match entry["kind"], values:
        case "telegram", [token, chat]:
            channel = _TELEGRAM(entry["base_url"], token, chat, waits)
        case "dingtalk", [token, secret]:
            channel = _DINGTALK(entry["base_url"], token, secret, waits, clock.now)
        case "mail", [user, password, receivers]:
            to = tuple(receivers.replace(",", " ").split())
            channel = _MAIL(entry["host"], entry["port"], entry["security"], user, password, to, waits)
        case "other", [urls]:
            channel = _OTHER(tuple(urls.split()), waits)
        case _:
            return f"the login {entry['login']} is not one of a {entry['kind']} channel"
    return channel


def trial(folder: Path, clock: Clock, only: Sequence[str] = ()) -> Round:
    """Leave a notice that says it is a trial, and deliver it now. Raises what `send` raises."""
    data, now = find(folder).data, clock.now()
    text, key = "This is a trial of the desk's notices. Nothing has happened.", f"trial {now.isoformat()}"
    notices.put(data, now, notices.ALARM, "trial of notices", text, key)
    return send(folder, clock, Aim(only, (key,), "notices.lock"))


def listed(folder: Path, last: int = 20) -> list[Listed]:
    """The latest notices, newest first; nothing is made where there is no outbox."""
    data = find(folder).data
    if not (data / FILE).exists():
        return []
    with Operations(data) as store:
        return [Listed(one, tuple(store.deliveries(one.id))) for one in store.notices(last)]


def shown(folder: Path, number: int) -> Listed:
    """One notice with its whole text. Raises NoSuchNotice."""
    data = find(folder).data
    if (data / FILE).exists():
        with Operations(data) as store:
            notice = store.notice(number)
            if notice is not None:
                return Listed(notice, tuple(store.deliveries(number)))
    raise NoSuchNotice(number)
