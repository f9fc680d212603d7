"""What a file changes in the facts that are known: new ones, those with another value, those that it takes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# A fact is of one feed; within it, of one name, session and field.
Key = tuple[str, date, str]
BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a file says of one fact: its value (None, and a note why) and the day from which it may be used."""

    value: Decimal | None
    note: str
    available_from: date


@dataclass(frozen=True, slots=True)
class Version:
    """The latest version of a fact, and the file and row that gave it."""

    stated: Stated
    number: int
    file: str
    digest: str
    row: int


@dataclass(frozen=True, slots=True)
class Change:
    """A version to add: number 1 where nothing was known, else one more than the version that it replaces."""

    key: Key
    stated: Stated
    before: Version | None

    @property
    def number(self) -> int:
        """The number of the new version."""
        return 1 if self.before is None else self.before.number + 1

    @property
    def corrects(self) -> bool:
        """Whether something that was said before is no longer so; a blank that is filled corrects nothing."""
        return self.before is not None and self.before.stated.note != BLANK


def changes(known: Mapping[Key, Version], said: Mapping[Key, Stated]) -> list[Change]:
    """The versions that these statements add to what is known, sorted by key.

    One that says the same again adds none, and a blank takes nothing away: it says nothing.
    """
    found = [Change(key, stated, known.get(key)) for key, stated in said.items()]
    new = [one for one in found if one.before is None or (one.before.stated != one.stated and one.stated.note != BLANK)]
    return sorted(new, key=lambda change: change.key)


def taken_back(known: Mapping[Key, Version], said: Mapping[Key, Stated], digest: str) -> list[Change]:
    """What a file says no more now that it is read otherwise, such as for another day: the same facts made blank.

    Only facts whose latest version is this very file's are taken back; what another file said stands.
    """
    gone = [(key, held) for key, held in known.items() if held.digest == digest and key not in said]
    made = [Change(key, Stated(None, BLANK, held.stated.available_from), held) for key, held in gone]
    return sorted((one for one in made if one.corrects), key=lambda change: change.key)
