"""What the desk tells its people: a notice is a row that is written now and delivered by another process."""

import json
import logging
import os
import tempfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from quantassay.secrecy import withheld
from quantassay.store.operations import Operations

REPORT, ALARM = "report", "alarm"
KINDS = (REPORT, ALARM)
SPILLED = "notices"
LONGEST_SUBJECT, LONGEST_TEXT = 200, 20_000
# Whoever trades waits no longer than this for a file that somebody else keeps.
PATIENCE_S = 0.25
_LOG = logging.getLogger("quantassay.notices")


def put(data: Path, at: datetime, kind: str, subject: str, text: str, key: str = "") -> None:
    """Leave a notice for delivery; it never raises and never waits for a channel.

    `data` is the workspace's data folder, `kind` REPORT or ALARM. The same key within the window of
    spec/29_operations.yaml is told once; without a key the notice's own words are its key. Where the outbox cannot be
    written, the notice waits in a file of its own, and the log says so.
    """
    try:
        row = _row(at, kind, subject, text, key)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a notice, its sender goes on
        _LOG.warning("a notice could not be worded: %s", type(error).__name__)
        return
    try:
        with Operations(data, busy_s=PATIENCE_S) as store:
            store.put(datetime.fromisoformat(row["at"]), row["kind"], row["subject"], row["text"], row["key"])
    except Exception as error:  # noqa: BLE001 - the same
        _spill(data, row, f"{type(error).__name__}: {error}")


def _row(at: datetime, kind: str, subject: str, text: str, key: str) -> dict[str, str]:
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    kind, subject, text, key = (_clean(one) for one in (kind, subject, text, key))
    words = f"{kind}\n{subject}\n{text}"
    return {
        "at": aware.astimezone(UTC).isoformat(),
        "kind": kind,
        "subject": " ".join(subject.split())[:LONGEST_SUBJECT],
        "text": text[:LONGEST_TEXT],
        "key": key or f"words:{sha256(words.encode()).hexdigest()[:24]}",
    }


def _clean(text: object) -> str:
    # Half a sign, as in a file name of another encoding, can be kept by no database.
    return withheld(str(text)).encode(errors="replace").decode().strip()


def _spill(data: Path, row: dict[str, str], why: str) -> None:
    """Put the notice into a file of its own, to be taken over by the next delivery."""
    try:
        folder = data / SPILLED
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=folder, suffix=".part")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(row, file)
        # Whoever takes files over sees a whole one or none.
        Path(part).replace(part.removesuffix(".part") + ".json")
    except Exception as error:  # noqa: BLE001 - the last door: the log is all that is left
        _LOG.warning("the notice %r is lost: neither outbox nor file can be written: %s", row["subject"], error)
    else:
        _LOG.warning("the outbox cannot be written (%s); the notice %r waits in a file", why, row["subject"])


def take_spilled(data: Path, store: Operations) -> int:
    """Take over the notices that could not be put into the outbox; their number. Raises DatabaseFault, OSError.

    One that is taken twice, because of a crash in between, has the same key and is told once.
    """
    rows = []
    for path in sorted((data / SPILLED).glob("*.json")):
        row = _read(path)
        if row is not None:
            rows.append((row["at"], row, path))
    for at, row, path in sorted(rows, key=lambda one: one[0]):
        store.put(datetime.fromisoformat(at), row["kind"], row["subject"], row["text"], row["key"])
        path.unlink()
    return len(rows)


def _read(path: Path) -> dict[str, str] | None:
    try:
        row = json.loads(path.read_bytes())
        datetime.fromisoformat(row["at"])
        return {name: str(row[name]) for name in ("at", "kind", "subject", "text", "key")}
    except (ValueError, TypeError, KeyError):
        _LOG.warning("%s is no notice and is left where it is", path)
        return None
