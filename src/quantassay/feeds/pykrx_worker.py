"""Asks the exchange's public pages for one board on one day through pykrx; started as a process of its own, and alone.

`python -m quantassay.feeds.pykrx_worker ANSWER BOARD YYYYMMDD` writes the file ANSWER: {"pykrx": version, "board",
"day", "rows": [[ticker, open, high, low, close, volume, value], ...]}, each value an integer as text or null; or
{"refused": kind, "says": text}. Importing pykrx changes settings of other libraries, prints, may log in, and hangs
without a time limit, so nothing else imports it, and this module imports it only when it runs.
"""

import contextlib
import importlib
import importlib.metadata
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows has no such limits; there only the wall clock ends a process.
    resource = None  # type: ignore[assignment]

LIBRARY = "pykrx"
# What a login would be made with. The parent gives none; here it is taken away once more before the import.
LOGIN = ("KRX_ID", "KRX_PW")
COLUMNS = ("시가", "고가", "저가", "종가", "거래량", "거래대금")
NOT_INSTALLED, CRASHED, BAD_ANSWER, NO_ROWS = "not_installed", "crashed", "bad_answer", "no_rows"
MOST_BYTES = 64 * 2**20


def main(arguments: Sequence[str]) -> int:
    """Write the answer, whatever it is; exit code 0 says that one was written."""
    answer, board, day = arguments
    if resource is not None:
        # Chatter that never ends must not fill the disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in LOGIN:
        os.environ.pop(name, None)
    _write(Path(answer), _answer(board, day))
    return 0


def _answer(board: str, day: str) -> dict[str, Any]:
    try:
        stock = importlib.import_module(f"{LIBRARY}.stock")
    except ModuleNotFoundError as error:
        own = (error.name or "").partition(".")[0] == LIBRARY
        says = "it is not installed" if own else f"its dependency {error.name} is not installed"
        return {"refused": NOT_INSTALLED, "says": says}
    except Exception as error:  # noqa: BLE001 - whatever a library raises on import, the parent is told
        return {"refused": CRASHED, "says": f"it cannot be imported: {_named(error)}"}
    try:
        frame = stock.get_market_ohlcv_by_ticker(day, market=board)
    except OverflowError as error:
        return {"refused": BAD_ANSWER, "says": f"a volume of the day does not fit its 32 bits ({_named(error)})"}
    except KeyError:
        # What pykrx 1.2.9 makes of HTTP 400 LOGOUT: an empty table, in which it then looks for its columns.
        return {"refused": CRASHED, "says": "it found no prices in what the site sent, as when the site refuses"}
    except Exception as error:  # noqa: BLE001 - the same for whatever it raises when asked
        return {"refused": CRASHED, "says": f"it raised {_named(error)}"}
    try:
        rows = list(_rows(frame))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return {"refused": BAD_ANSWER, "says": f"its table is of another form ({_named(error)})"}
    if not rows:
        return {"refused": NO_ROWS, "says": "it gave an empty table, as it does when the site refuses as well"}
    return {"pykrx": _version(), "board": board, "day": day, "rows": rows}


def _rows(frame: Any) -> Iterator[list[str | None]]:
    columns = [frame[name] for name in COLUMNS if name != COLUMNS[-1] or name in frame.columns]
    for place, ticker in enumerate(frame.index):
        if not isinstance(ticker, str):
            # A table indexed by numbers has lost the zeros at the front of its codes.
            raise TypeError(f"a code is no text: {ticker!r}")  # noqa: TRY003 - becomes a sentence for the parent
        values = [_whole(column.iloc[place]) for column in columns]
        yield [ticker, *values, *([None] if len(values) < len(COLUMNS) else [])]


def _whole(value: Any) -> str | None:
    """An integer as text; None for what is unknown. Raises ValueError for any other value."""
    if value is None or isinstance(value, str | bool):
        raise ValueError(f"{value!r} is no number")  # noqa: TRY003 - the same
    number = float(value)
    if math.isnan(number):
        return None
    if math.isinf(number) or number != int(value):
        raise ValueError(f"{value!r} is no whole number")  # noqa: TRY003 - the same
    return str(int(value))


def _named(error: BaseException) -> str:
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _version() -> str:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(LIBRARY)
    return "unknown"


def _write(path: Path, value: dict[str, Any]) -> None:
    """The whole answer or none: the parent reads it only after a rename."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
