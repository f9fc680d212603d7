"""What was imported, told without loading anything heavy: the import log, the universe, the sample market."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.feeds import sample_market
from quantassay.harness import canonical, lock
from quantassay.harness.lazy import Lazy
from quantassay.store.bars_index import SAMPLE, bars_folder, read_index, read_log, replace_file

WAIT_S = 10.0
_WRITE_SAMPLE = Lazy("quantassay.jobs.import_market:write_sample")


class UniverseDamaged(AssayError):
    """A stored universe list is no longer what the import wrote."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was changed after the import wrote it; delete it and run `assay import universe FILE` again"
        )


def import_log(data_dir: Path, market: str) -> tuple[dict[str, Any], str]:
    """The market's import log and its digest; an empty log where nothing was imported.

    The log is {"files": [{"file", "ticker" (None where the name is none), "rows", "loaded", "digest"}],
    "issues": [{"file", "row", "code", "says"}]}, both sorted. A ticker whose bars were loaded once and whose corrected
    file was then refused has two entries. Raises BarsDamaged.
    """
    index = read_index(data_dir, market)
    if index is None:
        empty: dict[str, Any] = {"files": [], "issues": []}
        return empty, canonical.digest(empty)
    data = read_log(data_dir, index)
    log: dict[str, Any] = canonical.loads(data)
    return log, canonical.sha256(data)


def universe_import(
    data_dir: Path, market: str, session: date | str | None = None
) -> tuple[dict[str, Any] | None, str]:
    """The imported universe list of a session (of the latest that has one) and its digest; None where there is none.

    The list is {"session", "file", "names": [{"ticker", "name", "close", "volume", "turnover", "row"}]} in the order of
    the file. Raises UniverseDamaged.
    """
    path = max(universe_folder(data_dir, market).glob(f"{session or '*'}.*.json"), default=None)
    if path is None:
        return None, canonical.digest(None)
    data = path.read_bytes()
    digest = canonical.sha256(data)
    if path.name.split(".")[1] != _short(digest):
        raise UniverseDamaged(path)
    listed: dict[str, Any] = canonical.loads(data)
    return listed, digest


def keep_universe(data_dir: Path, market: str, listed: Mapping[str, Any]) -> bool:
    """Store a universe list in place of an earlier one of its session; whether that changed anything."""
    data = canonical.dumps(dict(listed))
    folder = universe_folder(data_dir, market)
    path = folder / f"{listed['session']}.{_short(canonical.sha256(data))}.json"
    changed = not path.exists() or path.read_bytes() != data
    if changed:
        replace_file(path, data)
    for other in folder.glob(f"{listed['session']}.*.json"):
        if other != path:
            other.unlink(missing_ok=True)
    return changed


def universe_folder(data_dir: Path, market: str) -> Path:
    """Where the market's universe lists lie, one a session."""
    return data_dir / "imports" / "universe" / market


def ensure_sample(data_dir: Path, spec: Mapping[str, Any], sessions: Sequence[date], wait_s: float = WAIT_S) -> bool:
    """Have the sample market in the store under the key SAMPLE; whether it had to be made.

    `spec` is the value of spec/40_sample_market.yaml; `sessions` are the trading days up to the sample's last one, at
    least as many as the spec asks for. A command that only reads makes it too, the first time, and then waits its turn
    like any other that writes. Raises TooFewSessions, BadSampleNames, CannotStore, lock.Busy.
    """
    days = [day.isoformat() for day in sorted(sessions)[-spec["sessions"] :]]
    source = Path(sample_market.__file__).read_bytes()
    recipe = canonical.digest({"spec": dict(spec), "sessions": days, "source": canonical.sha256(source)})
    if _sample_is_there(data_dir, recipe):
        return False
    place = lock.place(data_dir)
    with contextlib.nullcontext() if lock.is_ours(place) else lock.held(place, wait_s):
        # Whoever held the lock may have made it.
        if not _sample_is_there(data_dir, recipe):
            _WRITE_SAMPLE(data_dir, spec, sessions, recipe)
    return True


def _sample_is_there(data_dir: Path, recipe: str) -> bool:
    index = read_index(data_dir, SAMPLE)
    if index is None or index.recipe != recipe:
        return False
    listed = universe_folder(data_dir, SAMPLE).glob(f"{index.last}.*.json")
    return (bars_folder(data_dir, SAMPLE) / index.parquet).exists() and any(listed)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:16]
