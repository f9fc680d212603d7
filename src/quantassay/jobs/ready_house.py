"""Rows of `assay ready` on the house itself: the journal, the notices, the sign of life, the disk."""

import shutil
from datetime import timedelta

from quantassay.jobs import heartbeat
from quantassay.jobs.ready_scene import Row, Scene, no, ok, warn
from quantassay.store.operations import FILE, GIVEN_UP, REFUSED, WAITING, Operations

_MB = 1_000_000


def journal(scene: Scene) -> Row:
    """Whether the journal is whole: every line follows from the one before."""
    if scene.journal is None:
        return ok("journal", "there is none yet: nothing was ever sent or read")
    problems = scene.journal.check()
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return no("journal", f"{problems[0]}{more}", "see `assay orders check`; nothing is traded on it")
    seq, digest = scene.journal.head()
    return ok("journal", f"{seq} events, whole, up to {digest.removeprefix('sha256:')[:12]}")


def notices(scene: Scene) -> Row:
    """Whether what the desk has to tell reaches its people."""
    data = scene.data
    if not (data / FILE).exists():
        return ok("notices", "none waits")
    longest = timedelta(seconds=scene.limits["longest_wait_for_notice_s"])
    with Operations(data) as store:
        rows = store.deliveries()
    lost = [row for row in rows if row.state in (REFUSED, GIVEN_UP)]
    stuck = [row for row in rows if row.state == WAITING and scene.now - row.since > longest]
    if lost or stuck:
        row = (lost or stuck)[0]
        answer = f"by {row.channel}: {row.says or 'no answer'}"
        told = f"{len(lost)} could not be delivered, {len(stuck)} wait too long; {answer}"
        return warn("notices", told, "`assay notices list`, then `assay notices send`")
    return ok("notices", "each was delivered or is on its way")


def sign_of_life(scene: Scene) -> Row:
    """Whether what runs by itself gave a sign of life lately."""
    found = heartbeat.heard(scene.data.parent, scene.clock)
    silent = [one for one in found.silent if one.last is not None]
    if silent:
        do = "see whether the machine is up and `assay schedule` runs"
        return warn("heartbeat", "; ".join(one.says(scene.now) for one in silent), do)
    heard = ", ".join(f"{one.name} at {one.at.isoformat(timespec='seconds')}" for one in found.beats)
    return ok("heartbeat", f"heard of {heard}" if heard else "nothing runs by itself here: every step is a person's")


def disk(scene: Scene) -> Row:
    """Whether the disk has room for the journal."""
    free = shutil.disk_usage(scene.data).free // _MB
    least = scene.limits["least_free_mb"]
    if free < least:
        return no("disk", f"{free:,} MB are free where data/ lies, at least {least:,} must be", "make room")
    return ok("disk", f"{free:,} MB are free where data/ lies")
