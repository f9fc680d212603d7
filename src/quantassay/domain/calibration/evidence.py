"""What the studies found: counts, mean returns, intervals and corrected p-values at every value tried."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from quantassay.domain.calibration import bootstrap, studies
from quantassay.domain.calibration.events import REASONS, Market, Tally, by_day, frame, run

_NAMED = ("id", "threshold", "event", "strategy", "direction", "horizon_sessions")
_OF_TRIAL = ("value", "current", "n", "sessions", "mean_return", "low", "high", "p_value", "adjusted_p")
EVENTS = {
    "study": pl.String(),
    "ticker": pl.String(),
    "session": pl.Date(),
    "entry": pl.Date(),
    "exit": pl.Date(),
    "entry_price": pl.Int64(),
    "exit_price": pl.Int64(),
    "return_ppm": pl.Int64(),
}


def events(bars: Market, asked: Mapping[str, Any], first: str, last: str) -> pl.DataFrame:
    """The events of every study at the value in force, one row each with the columns of EVENTS.

    `asked` is the data of calibration_studies; `first` and `last` as for `studies.windows`.
    """
    trials = [(study["id"], of[studies.in_force(study)]) for study, of in studies.trials(asked, first, last)]
    found = dict(run(bars, [trial for _, trial in trials]))
    frames = [frame(bars, found[n]).select(pl.lit(name).alias("study"), pl.all()) for n, (name, _) in enumerate(trials)]
    return pl.concat(frames).cast(EVENTS)  # type: ignore[arg-type]


def measured(asked: Mapping[str, Any], found: Sequence[Tally], first: str, last: str) -> list[dict[str, Any]]:
    """Every study with its window and its trials, each with its counts and statistics, p-values corrected for all.

    `found` holds the tally of each trial in the order of `studies.trials`; the others as for `events`.
    """
    how = bootstrap.recipe(asked["bootstrap"])
    left = iter(found)
    p_values, told = [], []
    for study in asked["studies"]:
        trials = []
        for one in study["values"]:
            figures, p_value = _figures(next(left), how, study["direction"])
            p_values.append(p_value)
            trials.append({"value": one["value"], "current": one["source"] == studies.IN_FORCE, **figures})
        named = {name: study[name] for name in _NAMED}
        told.append({**named, **studies.windows(study, first, last), "trials": trials})
    corrected = iter(bootstrap.holm(p_values, asked["trials_total"]))
    for row in told:
        for trial in row["trials"]:
            trial["adjusted_p"] = bootstrap.decimal(next(corrected))
    return told


def _figures(one: Tally, how: bootstrap.Recipe, direction: str) -> tuple[dict[str, Any], Any]:
    drawn = bootstrap.drawn(one.sums, one.sizes, how, direction)
    figures = {
        "found": one.found,
        **{reason: one.left_out[reason] for reason in REASONS},
        "n": one.n,
        "sessions": len(one.days),
        "mean_return": bootstrap.millionths(bootstrap.mean(int(one.sums.sum()), one.n)),
        "low": bootstrap.millionths(drawn.low if drawn else None),
        "high": bootstrap.millionths(drawn.high if drawn else None),
        "p_value": bootstrap.decimal(drawn.p_value if drawn else None),
    }
    return figures, drawn.p_value if drawn else None


def evidence(
    asked: Mapping[str, Any], found: Sequence[Tally], kept: pl.DataFrame, first: str, last: str
) -> dict[str, Any]:
    """The data of calibration_evidence: at the value in force the statistics are those of the events `kept`.

    Arguments as for `measured`; `kept` has the columns of EVENTS.
    """
    own = {study["id"]: kept.filter(pl.col("study") == study["id"]) for study in asked["studies"]}
    places = iter(range(len(found)))
    tallies = list(found)
    for study in asked["studies"]:
        for one in study["values"]:
            at = next(places)
            if one["source"] == studies.IN_FORCE:
                tallies[at] = _of_events(tallies[at], own[study["id"]])
    rows = []
    for study in measured(asked, tallies, first, last):
        trials = study.pop("trials")
        current = next(trial for trial in trials if trial["current"])
        figures = {name: value for name, value in current.items() if name not in ("value", "current")}
        shown = [{name: trial[name] for name in _OF_TRIAL} for trial in trials]
        rows.append({**study, **figures, "digest": digest(own[study["id"]]), "trials": shown})
    return {
        "correction": asked["correction"],
        **asked["bootstrap"],
        "trials_total": asked["trials_total"],
        "studies": rows,
    }


def _of_events(counted: Tally, kept: pl.DataFrame) -> Tally:
    days = kept["session"].to_physical().to_numpy()
    return Tally(counted.found, counted.left_out, *by_day(days, kept["return_ppm"].to_numpy()))


def digest(kept: pl.DataFrame) -> str:
    """The digest of a study's events, as `digest.digest` of their rows gives it.

    The rows are in order of ticker and session: ticker, session, entry, exit, both prices, return.
    """
    rows = kept.drop("study").sort("ticker", "session")
    texts = rows.with_columns(pl.col("session", "entry", "exit").dt.to_string("iso"))
    # Of plain texts and small whole numbers json makes what RFC 8785 asks for, and is fast.
    line = json.dumps(texts.rows(), separators=(",", ":"), ensure_ascii=False) + "\n"
    return f"sha256:{hashlib.sha256(line.encode()).hexdigest()}"
