"""The token that KIS issues for an app key: kept on disk for all processes, asked for once a minute at the most.

It lives for a day by Korean wall-clock time. Whoever needs a new one asks alone, under a lock, and everybody else takes
what came. A server may revoke it before its time: then it is asked for once more, and not again.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quantassay import secrecy
from quantassay.domain.trading.clock import Clock
from quantassay.kis.codes import TOO_SOON
from quantassay.kis.connection import Connection, fingerprint
from quantassay.kis.pace import CannotShare, locked

KOREA = ZoneInfo("Asia/Seoul")
_LEAST_BETWEEN = timedelta(seconds=61)
# A token is not used up to its last moment, nor one from a time that has not come yet.
_MARGIN, _AHEAD = timedelta(minutes=10), timedelta(minutes=5)
_MOST_WAITS = 3
_TOKEN = re.compile(r"[!-~]{8,4000}")
_OTHERS = 0o077
_ONE_A_MINUTE = "a token was asked for less than a minute ago, and KIS issues one a minute"
_OVER = "KIS issued one until {} of Korea, which is over by the clock that is used here; set that clock right"
_WITHOUT = "KIS answered without a token"
_ENDLESS = "KIS answered with a token and did not say until when it holds"


class NoToken(Exception):
    """There is no token now: why, under which code, and after how many seconds asking again could help.

    `asked`: KIS was asked, or may have been, so that the minute between two tokens has begun.
    """

    def __init__(self, why: str, code: str = "", wait_s: float = 0, *, asked: bool = True) -> None:
        super().__init__(why)
        self.why = f"there is no token to ask with: {why}"
        self.code, self.wait_s, self.asked = code, wait_s, asked


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token with its times (aware)."""

    value: str
    issued_at: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Token(until {self.expires_at:%Y-%m-%d %H:%M})"

    def good(self, now: datetime) -> bool:
        """Whether it may be used now."""
        return self.issued_at - _AHEAD <= now < self.expires_at - _MARGIN


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the file says of one server: the token, if any, and when one was last asked for."""

    token: Token | None
    asked_at: datetime | None


class Tokens:
    """The token of one key at one server. `issue` asks KIS for one and may raise NoToken."""

    def __init__(self, connection: Connection, host: str, clock: Clock, issue: Callable[[], Token]) -> None:
        self._folder, self._host, self._clock, self._issue = connection.folder, host, clock, issue
        self._key = fingerprint(connection.app_key)

    def current(self, *, patient: bool) -> str:
        """A token that may be used; `patient` waits out the minute between two of them. Raises NoToken, CannotShare."""
        return self._other_than("", patient=patient)

    def renewed(self, stale: str, *, patient: bool) -> str:
        """Another token than this one, which KIS no longer takes. Raises NoToken, CannotShare."""
        return self._other_than(stale, patient=patient)

    def _other_than(self, stale: str, *, patient: bool) -> str:
        wait = 0.0
        for _ in range(_MOST_WAITS):
            # The lock is not held while waiting: others may have a use for the token that stands there.
            with locked(self._folder / "token.lock"):
                kept = self._read()
                if kept.token and kept.token.value != stale and kept.token.good(self._clock.now()):
                    return _in_use(kept.token)
                wait = self._to_wait(kept.asked_at)
                if wait <= 0:
                    return self._issued(kept)
            if not patient:
                break
            self._clock.sleep(wait)
        raise NoToken(_ONE_A_MINUTE, TOO_SOON, wait)

    def _to_wait(self, asked_at: datetime | None) -> float:
        if asked_at is None:
            return 0
        passed = self._clock.now() - asked_at
        # A clock that was set back tells nothing of when it was.
        return (_LEAST_BETWEEN - passed).total_seconds() if passed >= timedelta() else 0

    def _issued(self, before: _Kept) -> str:
        """A new token, its asking noted before it is asked for: a process that dies counts as having asked."""
        now = self._clock.now()
        self._write(_Kept(None, now))
        try:
            token = self._issue()
        except NoToken as error:
            if not error.asked:
                self._write(_Kept(None, before.asked_at))
            raise
        self._write(_Kept(token, now))
        return _in_use(token)

    @property
    def _path(self) -> Path:
        return self._folder / "token.json"

    def _read(self) -> _Kept:
        """What the file says; nothing where it is of another server or key, damaged, or was open to others."""
        nothing = _Kept(None, None)
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            with open(descriptor, encoding="utf-8") as file:  # noqa: PTH123  the mode is of what was opened
                mode, text = os.fstat(descriptor).st_mode, file.read()
            said = json.loads(text)
            if (said["host"], said["key"]) != (self._host, self._key):
                return nothing
            asked_at = datetime.fromisoformat(said["asked_at"]) if said["asked_at"] else None
            token = _token_of(said) if said["token"] and not mode & _OTHERS else None
        except (OSError, ValueError, KeyError, TypeError):
            return nothing
        return _Kept(token, asked_at)

    def _write(self, kept: _Kept) -> None:
        said: dict[str, Any] = {
            "host": self._host,
            "key": self._key,
            "asked_at": kept.asked_at.isoformat() if kept.asked_at else "",
            "token": kept.token.value if kept.token else "",
            "issued_at": kept.token.issued_at.isoformat() if kept.token else "",
            "expires_at": kept.token.expires_at.isoformat() if kept.token else "",
        }
        part = self._path.with_suffix(".part")
        try:
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  the mode is given when it is made
                json.dump(said, file)
            part.replace(self._path)
        except OSError as error:
            raise CannotShare(self._path, error) from error


def _in_use(token: Token) -> str:
    """The token itself, withheld from now on wherever this process writes."""
    secrecy.keep(token.value)
    return token.value


def _token_of(said: Mapping[str, Any]) -> Token:
    issued_at, expires_at = (datetime.fromisoformat(said[name]) for name in ("issued_at", "expires_at"))
    if issued_at.tzinfo is None or expires_at.tzinfo is None or not _TOKEN.fullmatch(said["token"]):
        raise ValueError
    return Token(said["token"], issued_at, expires_at)


def token_from(body: Mapping[str, Any], now: datetime) -> Token:
    """The token out of KIS's answer; its end is Korean wall-clock time without a zone. Raises NoToken."""
    value, ends = body.get("access_token"), body.get("access_token_token_expired")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise NoToken(_WITHOUT)
    try:
        expires_at = datetime.strptime(str(ends).strip(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=KOREA)
    except ValueError:
        seconds = body.get("expires_in")
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
            raise NoToken(_ENDLESS) from None
        expires_at = now + timedelta(seconds=seconds)
    token = Token(value, now, expires_at)
    if not token.good(now):
        ends = f"{expires_at.astimezone(KOREA):%Y-%m-%d %H:%M}"
        raise NoToken(_OVER.format(ends))
    return token
