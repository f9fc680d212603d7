"""Watches a builder while it runs: it may read only what it was given, and write nothing."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import quantassay

# What a builder may open: Python and its libraries, the time zones, and what the kernel tells of itself.
_PLACES = (sys.prefix, sys.base_prefix, Path(os.__file__).parent, Path(quantassay.__file__).parent)
_ZONES = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
_CACHES = (sys.pycache_prefix,) if sys.pycache_prefix else ()
_ROOTS = tuple(os.path.realpath(place) + os.sep for place in (*_PLACES, *_ZONES, *_CACHES))
_ROOTS += ("/proc/", "/sys/", "/dev/")

_READS = ("open", "os.listdir", "os.scandir")
_CHANGES = (
    "os.chdir", "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink",
    "os.truncate", "os.utime",
)  # fmt: skip
_OUTSIDE = (
    "os.exec", "os.fork", "os.kill", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "socket.",
    "sqlite3.connect", "subprocess.Popen", "webbrowser.open",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, slots=True)
class Watch:
    """One builder's own file, and the list that fills with what it reached for outside of what it was given."""

    own: str
    reached: list[str] = field(default_factory=list)


_watching: list[Watch] = []
_installed: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    watch = _watching[-1]
    if event in _READS:
        place = arguments[0]
        writes = event == "open" and _writes(*arguments[1:3])
        if isinstance(place, str | bytes | os.PathLike) and not _may(watch, os.fsdecode(place), writes):
            watch.reached.append(f"{'write' if writes else event} {os.path.realpath(os.fsdecode(place))}")
    elif event in _CHANGES:
        places = [os.fsdecode(place) for place in arguments[:2] if isinstance(place, str | bytes | os.PathLike)]
        if not all(_may(watch, place, writes=True) for place in places):
            watch.reached.append(f"{event} {' '.join(places)}")
    elif event.startswith(_OUTSIDE):
        watch.reached.append(event)


def _writes(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return isinstance(flags, int) and bool(flags & _WRITING)


def _may(watch: Watch, place: str, writes: bool) -> bool:  # noqa: FBT001 - which of two questions is asked
    path = os.path.realpath(place)
    if writes:
        # Python keeps the bytecode of a library that is imported late.
        return path == os.devnull or (path.startswith(_ROOTS) and "__pycache__" in path)
    # A warning quotes the line that it is about.
    return path == watch.own or (path + os.sep).startswith(_ROOTS)


@contextlib.contextmanager
def watched(own: Path) -> Iterator[list[str]]:
    """The list that fills, while the block runs, with what was reached for; the builder's `own` file may be read.

    Only what goes through Python is seen: a library that opens files by itself (polars does) is not.
    """
    if not _installed:
        # An audit hook cannot be taken off again; it does nothing while nobody watches.
        sys.addaudithook(_hook)
        _installed.append(True)
    watch = Watch(os.path.realpath(own))
    _watching.append(watch)
    try:
        yield watch.reached
    finally:
        _watching.pop()
