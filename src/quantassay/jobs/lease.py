"""One process at a time for an account, in all workspaces of a user; the lock goes with the process that held it."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from quantassay.domain.trading.book import Certificate
from quantassay.domain.trading.clock import Clock
from quantassay.errors import AssayError
from quantassay.jobs.state_folder import state_folder
from quantassay.store.journal import Journal


class AccountHeld(AssayError):
    """Another process holds the account."""

    exit_code = 1

    def __init__(self, account: str, owner: str) -> None:
        super().__init__(f"{owner} holds the account {account}; nothing was sent, try again when it has ended")


@contextlib.contextmanager
def held(
    account: str, certificate: Certificate, journal: Journal, clock: Clock, command: str = "assay trade"
) -> Iterator[int]:
    """Hold an account while the block runs; the number of the lease, which every event of it must carry.

    `command` is what the next one is told. The lock is the account's by its fingerprint, whatever a workspace calls it.
    The kernel drops it with its process, so a crash leaves nothing behind. Raises AccountHeld, UnsafeStateFolder.
    """
    folder = state_folder() / "accounts"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / f"{certificate.account}.lock").open("a+", encoding="utf-8") as file:
        _take(file, account)
        owner = {"pid": os.getpid(), "command": command}
        file.truncate(0)
        file.write(json.dumps({**owner, "workspace": Path.cwd().name}))
        file.flush()
        try:
            yield journal.take(clock.now(), account, f"{owner['command']} (process {owner['pid']})")
        finally:
            file.truncate(0)


def _take(file: TextIO, account: str) -> None:
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AccountHeld(account, _owner(file)) from None


def _owner(file: TextIO) -> str:
    file.seek(0)
    try:
        said = json.loads(file.read())
        return f"`{said['command']}` (process {said['pid']}, in {said['workspace']})"
    except (ValueError, KeyError, TypeError):
        # It has taken the lock and not yet written its name.
        return "another process"
