"""From which day on a value that is published late may be used, counted in sessions of the exchange."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date

from quantassay.errors import AssayError


class SessionsEnd(AssayError):
    """A day of publication that lies beyond the calendar."""

    def __init__(self, session: date, last: date) -> None:
        super().__init__(
            f"the trading calendar ends on {last}, so it cannot be told when values of {session} are published; "
            "set a later `last` in spec/11_calendars.yaml and import again"
        )


def available_from(session: date, lag: int, sessions: Sequence[date]) -> date:
    """The `lag`-th of the `sessions` (ascending) after this one; with a lag of 0 the session itself.

    A day that is not among them counts as the next one that is, so that nothing is ever available too early.
    Raises SessionsEnd.
    """
    place = bisect_left(sessions, session) + lag
    if place >= len(sessions):
        raise SessionsEnd(session, sessions[-1] if sessions else session)
    return sessions[place]
