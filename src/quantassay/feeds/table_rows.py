"""Rows of text cells with their place in the file: what every kind of container is brought to."""

from dataclasses import dataclass

# A list of all companies has 3,000 rows of 20 cells.
LARGEST_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """One table: its sheet, or empty where there is only one; its rows; the line or row of each in the file."""

    name: str
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why there is no table: the code of an issue and its sentence."""

    code: str
    says: str
