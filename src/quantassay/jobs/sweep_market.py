"""What n and the effect of a threshold would be at other values, on the bars of the last build."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from quantassay.domain.calibration import events, evidence, studies
from quantassay.errors import AssayError
from quantassay.harness import build, schemas
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.tampering import check_recorded
from quantassay.jobs import desk, sweep
from quantassay.jobs.build import workspace_held
from quantassay.jobs.executors import Place, processors, spread
from quantassay.jobs.gate import OutOfDate

STANDS_ON = ("trading_calendar", "evaluation_bars")
# So many bars are worth a process of their own; a piece of a cluster's work has no more.
PIECE = 100_000
LEAST_PIECES = 4
LARGEST = 10**12
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class UnknownStudy(AssayError):
    """A study that no spec has."""

    def __init__(self, wanted: str, known: Sequence[str]) -> None:
        close = Lazy("difflib:get_close_matches")(wanted, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
        super().__init__(f"spec/31_event_studies.yaml has no study {wanted!r}; {hint}")


class WhoseValues(AssayError):
    """Values without one study that they belong to."""

    def __init__(self, count: int) -> None:
        said = "no study is named" if not count else f"{count} studies are named"
        super().__init__(f"--values are those of one threshold, and {said}; name one study before them")


class BadValue(AssayError):
    """A value that the threshold cannot have."""

    def __init__(self, value: str, threshold: str, why: str) -> None:
        super().__init__(f"{value!r} is no value of {threshold}: {why}")


@dataclass(frozen=True, slots=True)
class Swept:
    """What was found, as JSON, and the values that were looked at for the first time."""

    result: dict[str, Any]
    new: tuple[str | int, ...]


def run(folder: Path, asked: Sequence[str], values: Sequence[str], place: Place | None) -> Swept:
    """The figures of the named studies (none: of all) at every value tried, and of one study at `values` too.

    New values are kept in data/sweeps/ before anything is shown: from then on they count as tried. `place` None does
    little work here and spreads much. Raises UnknownStudy, WhoseValues, BadValue, NotBuilt, OutOfDate, Tampered,
    lock.Busy, and what `spread` raises.
    """
    inputs = desk.built(folder)
    spec: dict[str, Any] = inputs.value("event_studies")
    known = [study["id"] for study in spec["studies"]]
    for name in asked:
        if name not in known:
            raise UnknownStudy(name, known)
    if values and len(set(asked)) != 1:
        raise WhoseValues(len(set(asked)))
    wanted = _read(inputs, spec["studies"][known.index(asked[0])], values) if values else []
    _check_current(inputs)
    new: list[str | int] = []
    tried = inputs.value(sweep.NAME)
    if undeclared := _undeclared(inputs, asked, wanted):
        with workspace_held(inputs.workspace):
            new = sweep.keep(inputs.workspace.data, asked[0], undeclared)
            tried = sweep.read(inputs.workspace.data)
    settled = studies.settled(spec, inputs.value("hsms"), inputs.value("calibration"), tried)
    return Swept(_result(inputs, settled, set(asked or known), place), tuple(new))


def _read(inputs: Inputs, study: Mapping[str, Any], values: Sequence[str]) -> list[str | int]:
    """The values as the spec would hold them, each once. Raises BadValue."""
    parameter = studies.parameter_of(study)
    schema = (inputs.schema("hsms") or {})["properties"][parameter]
    found: dict[Decimal, str | int] = {}
    for text in values:
        if not _NUMBER.fullmatch(text):
            raise BadValue(text, study["threshold"], "write a plain number, such as 20 or 1.25")
        number = Decimal(text)
        if abs(number) > LARGEST:
            raise BadValue(text, study["threshold"], f"at most {LARGEST} can be looked at")
        value: str | int = f"{number.normalize():f}"
        if schema["type"] == "integer":
            if number % 1:
                raise BadValue(text, study["threshold"], "only whole numbers can be")
            value = int(number)
        wrong = [problem.says for problem in schemas.validate(schema, value)]
        if wrong:
            raise BadValue(text, study["threshold"], f"{wrong[0]} ({studies.MEANING[parameter]})")
        found.setdefault(number, value)
    return list(found.values())


def _check_current(inputs: Inputs) -> None:
    """Raise Tampered, NotBuilt or OutOfDate where what the sweep stands on is not what a build would make now."""
    check_recorded(inputs)
    for name in STANDS_ON:
        inputs.digest(name)
        key = build.step_key(inputs, inputs.rooms.builders[name], inputs.state.as_of or "")
        if why := build.why_stale(inputs, name, key):
            raise OutOfDate({name: why})


def _undeclared(inputs: Inputs, asked: Sequence[str], wanted: Sequence[str | int]) -> list[str | int]:
    """The values that neither the strategy nor the study's own list has."""
    if not wanted:
        return []
    study = next(one for one in inputs.value("event_studies")["studies"] if one["id"] == asked[0])
    known = {Decimal(one) for one in (*study["tried"], inputs.value("hsms")[studies.parameter_of(study)])}
    return [value for value in wanted if Decimal(value) not in known]


def _result(inputs: Inputs, settled: dict[str, Any], shown: set[str], place: Place | None) -> dict[str, Any]:
    bars = inputs.value("bars")
    decided = {row["ticker"]: row["session"] for row in inputs.value("evaluation_bars")["names"]}
    calendar = inputs.value("trading_calendar")
    first, last = calendar["first"], inputs.value("evaluation_bars")["session"]
    trials = [trial for _, of in studies.trials(settled, first, last) for trial in of]
    told = evidence.measured(settled, _tallies(bars, decided, calendar["sessions"], trials, place), first, last)
    return {
        "as_of": inputs.state.as_of,
        "bars": inputs.digest("bars"),
        "marks": list(inputs.marks("bars")),
        "correction": settled["correction"],
        **settled["bootstrap"],
        "trials_total": settled["trials_total"],
        "studies": [study for study in told if study["id"] in shown],
    }


def _tallies(
    bars: pl.DataFrame,
    decided: Mapping[str, str | None],
    sessions: Sequence[str],
    trials: Sequence[studies.Trial],
    place: Place | None,
) -> list[events.Tally]:
    """The tally of each trial; a name's events hang on its own bars, so the cut into pieces changes no number."""
    at = place or Place(processors() if bars.height > PIECE else 1)
    count = -(-bars.height // PIECE)
    count = max(count, LEAST_PIECES) if at.scheduler or at.jobs > 1 else 1
    call = Lazy("quantassay.domain.calibration.events:tallies")
    pieces = [(part, decided, sessions, trials) for part in _cut(bars.select(events.COLUMNS), count)]
    answers = spread(call, pieces, at)
    return [events.together(of_trial) for of_trial in zip(*answers, strict=True)]


def _cut(bars: pl.DataFrame, count: int) -> list[pl.DataFrame]:
    """The bars in up to so many parts of about the same number of names, all bars of a name in one of them."""
    if count == 1:
        return [bars]
    names = bars["ticker"].unique().sort()
    size = max(-(-len(names) // count), 1)
    return [bars.filter(pl.col("ticker").is_in(names[at : at + size].to_list())) for at in range(0, len(names), size)]
