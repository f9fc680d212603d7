"""Lists of holidays as the older daily-bar report and the broker's holiday service write them, row by row."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from quantassay.domain.market.holiday_news import Statement
from quantassay.errors import AssayError

LONGEST_NOTE = 120
LARGEST_BYTES = 5_000_000
# The marks of a country in a row; a row without one is of the market that the file is imported for.
COUNTRIES = {
    "XKRX": frozenset({"KR", "KOR", "410"}),
    "XNYS": frozenset({"US", "USA", "840"}),
    "XSHG": frozenset({"CN", "CHN", "156"}),
}
_COUNTRY = ("natn_eng_abrv_cd", "tr_natn_cd", "country")
_DAY = ("trd_dt", "base_date", "base_dt", "trd_date", "date")
_NOTE = ("base_event", "evnt_nm", "note", "name")
_OPEN = ("is_open", "open_yn", "mket_opn_yn", "opng_yn")
_YES, _NO = (
    frozenset({"Y", "YES", "TRUE", "T", "1", "OPEN"}),
    frozenset({"N", "NO", "FALSE", "F", "0", "CLOSE", "CLOSED"}),
)


class BadHolidayFile(AssayError):
    """A file that is no list of holidays."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f'{name} {why}; give a file like {{"20250109": {{"note": "Day of mourning", "is_open": false}}}}, '
            "or the rows of the broker's holiday service"
        )


def read(data: bytes, name: str, market: str) -> list[Statement]:
    """The statements of a file, in its order.

    The file is an object by date, a list of rows, or an answer of the service with its rows in `output`. A value by
    date is an object with `note` and `is_open`, or a note alone, which is that of a closure. Raises BadHolidayFile.
    """
    value = _value(data, name)
    if isinstance(value, dict) and isinstance(value.get("output"), list | dict):
        rows = value["output"]
        value = rows if isinstance(rows, list) else [rows]
    if isinstance(value, dict):
        found = [_dated(key, entry, market) for key, entry in value.items()]
    elif isinstance(value, list):
        found = [_row(number, row, market) for number, row in enumerate(value, 1)]
    else:
        raise BadHolidayFile(name, "holds neither dates nor rows")
    if not found:
        raise BadHolidayFile(name, "is empty")
    if all(one.day is None for one in found):
        raise BadHolidayFile(name, "holds no date")
    return found


def _value(data: bytes, name: str) -> Any:
    if len(data) > LARGEST_BYTES:
        raise BadHolidayFile(name, f"has more than {LARGEST_BYTES:,} bytes")
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_pairs)
    except UnicodeDecodeError:
        raise BadHolidayFile(name, "is not UTF-8") from None
    except _TwiceError as error:
        raise BadHolidayFile(name, f"holds {error} twice") from None
    except (ValueError, RecursionError):
        raise BadHolidayFile(name, "is no JSON") from None


class _TwiceError(Exception):
    """A key that stands twice in one object."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError(next(key for key, _ in pairs if [one for one, _ in pairs].count(key) > 1))
    return found


def _dated(key: str, entry: Any, market: str) -> Statement:
    """A value of the older program's file, by its date."""
    day = _day(key)
    if entry is None or isinstance(entry, str):
        note = _clean(entry)
        return Statement(key, day, False if note else None, note)
    if not isinstance(entry, dict):
        return Statement(key, day, None, "", useless="holds neither a note nor an object")
    return _told(key, day, entry, market, fetched=False)


def _row(number: int, row: Any, market: str) -> Statement:
    """A row of the holiday service; one that has settlement days only is none of a trading day."""
    if not isinstance(row, dict):
        return Statement(f"row {number}", None, None, "", useless="is no object")
    plain = {str(key).lower(): value for key, value in row.items()}
    text = str(_first(plain, _DAY) or "")
    if not text:
        return Statement(f"row {number}", None, None, "", useless="has no trading day, only days of settlement")
    return _told(text, _day(text), plain, market, fetched=True)


def _told(key: str, day: date | None, row: Mapping[str, Any], market: str, *, fetched: bool) -> Statement:
    country = str(_first(row, _COUNTRY) or "").strip().upper()
    if country and country not in COUNTRIES[market]:
        return Statement(key, day, None, "", fetched, f"is of {country}, not of {market}")
    note = _clean(_first(row, _NOTE))
    flag = _first(row, _OPEN)
    if flag is None:
        # Without a flag only an event is a closure.
        return Statement(key, day, False if note else None, note, fetched)
    is_open = _flag(flag)
    if is_open is None:
        return Statement(key, day, None, note, fetched, f"{_clean(str(flag))!r} says neither open nor closed")
    return Statement(key, day, is_open, note, fetched)


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _flag(value: Any) -> bool | None:
    text = str(value).strip().upper()
    return True if text in _YES else False if text in _NO else None


def _day(text: str) -> date | None:
    plain = text.strip()
    compact = plain.replace("-", "")
    if len(compact) != len("20250109") or not compact.isascii() or not compact.isdigit():
        return None
    try:
        day = date.fromisoformat(compact)
    except ValueError:
        return None
    return day if plain in (compact, day.isoformat()) else None


def _clean(note: Any) -> str:
    """The note on one line, without signs that nobody sees."""
    words = " ".join(_seen(note) if isinstance(note, str) else ())
    return words if len(words) <= LONGEST_NOTE else words[: LONGEST_NOTE - 3] + "..."


def _seen(note: str) -> Iterator[str]:
    for word in note.split():
        if plain := "".join(sign for sign in word if sign.isprintable()):
            yield plain
