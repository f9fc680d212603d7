"""Signs of life of the desk's programs, and the alarm where one has fallen silent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from quantassay.domain.operations.silence import Silence, silent
from quantassay.domain.trading.clock import Clock
from quantassay.errors import AssayError
from quantassay.harness.workspace import find
from quantassay.jobs import deliver_notices, desk, notices, operations, single_owner
from quantassay.store.operations import FILE, Beat, Operations


@dataclass(frozen=True, slots=True)
class Heard:
    """Who was heard of when, who is silent, and whether somebody could be told of it."""

    at: datetime
    beats: tuple[Beat, ...]
    silent: tuple[Silence, ...]
    told: str = ""


def beat(data: Path, name: str, at: datetime) -> None:
    """Put down that a program is alive. Raises DatabaseFault."""
    with Operations(data) as store:
        store.beat(name, at, single_owner.me())


def heard(folder: Path, clock: Clock) -> Heard:
    """Who was heard of, and who is silent by spec/29_operations.yaml. Raises NoOperations, DatabaseFault."""
    inputs = desk.opened(folder)
    rules, data, now = operations.spec(inputs)["heartbeat"], inputs.workspace.data, clock.now()
    beats: tuple[Beat, ...] = ()
    if (data / FILE).exists():
        with Operations(data) as store:
            beats = tuple(store.beats().values())
    last = {one.name: one.at for one in beats}
    return Heard(now, beats, silent(rules["watched"], last, timedelta(minutes=rules["silent_after_m"]), now))


def check(folder: Path, clock: Clock) -> Heard:
    """The same, and an alarm for each silence, delivered now: whoever delivers otherwise may be what fell silent.

    Raises NoOperations, DatabaseFault.
    """
    found = heard(folder, clock)
    if not found.silent:
        return found
    data = find(folder).data
    # A new silence of the same program is news, whenever the last one was told.
    keys = {one: f"silence {one.name} {one.last.isoformat() if one.last else 'ever'}" for one in found.silent}
    for one, key in keys.items():
        text = f"{one.says(found.at)}. Look whether the machine is up and `assay schedule` or its timer runs."
        notices.put(data, found.at, notices.ALARM, f"{one.name} is silent", text, key)
    channels = operations.spec(desk.opened(folder))["heartbeat"]["tells"]
    try:
        # Under a lock of its own: a delivery that hangs may be why somebody is silent.
        aim = deliver_notices.Aim(channels, tuple(keys.values()), "heartbeat.lock")
        done = deliver_notices.send(folder, clock, aim)
    except AssayError as error:
        return Heard(found.at, found.beats, found.silent, f"nobody could be told: {error}")
    return Heard(found.at, found.beats, found.silent, _told(done))


def _told(done: deliver_notices.Round) -> str:
    failed = [f"{one.channel}: {one.says}" for one in done.told if one.state != "sent"]
    failed += [f"{name}: {why}" for name, why in done.unusable.items()]
    if failed:
        return f"not everybody could be told: {'; '.join(failed)}"
    if not done.channels:
        return "nobody could be told: no channel of spec/29_operations.yaml is used"
    return "it was told" if done.told else "it was told before"
