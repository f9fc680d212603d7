"""A large result of a builder: rows and columns instead of one JSON value."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Table:
    """A frame whose rows are unique and sorted by `key`, the names of its leading columns."""

    frame: pl.DataFrame
    key: tuple[str, ...]
