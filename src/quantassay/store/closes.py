"""The closes of a market by ticker and session, looked up without making a dictionary of every bar."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import polars as pl

from quantassay.store import bars


class Closes(Mapping[tuple[str, date], float]):
    """Closes as (ticker, session) -> price; a session's closes are gathered when the first of them is asked for."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame.select("ticker", "session", "close").drop_nulls()
        self._days: dict[date, dict[str, float]] = {}

    def __getitem__(self, key: tuple[str, date]) -> float:
        ticker, session = key
        if session not in self._days:
            found = self._frame.filter(pl.col("session") == session)
            self._days[session] = dict(zip(found["ticker"], found["close"], strict=True))
        return self._days[session][ticker]

    def __iter__(self) -> Iterator[tuple[str, date]]:
        return ((ticker, session) for ticker, session, _ in self._frame.iter_rows())

    def __len__(self) -> int:
        return self._frame.height


def of_market(data_dir: Path, market: str) -> Closes:
    """The closes of a market's stored bars; none where there are no bars. Raises BarsDamaged."""
    return Closes(bars.read_or_empty(data_dir, market))
