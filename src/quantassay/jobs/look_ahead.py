"""Whether any decision knew the future: the desk's own builders run again on markets whose future is another one."""

import copy
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from quantassay.domain.agreement import agree
from quantassay.domain.market import evaluation, sessions
from quantassay.domain.market.other_futures import other_futures, some_names
from quantassay.harness import canonical, code, files, graph, rooms
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy

# The bars that a desk is handed; each of them is given another future.
BARS = ("bars", "adjusted_bars")
_MINUTE = timedelta(minutes=1)


def trials(inputs: Inputs) -> dict[str, Any]:
    """What comes of the trials, see `tried`; kept as long as nothing that they hang on has changed."""
    order = graph.order(inputs, inputs.value("look_ahead")["artifacts"])
    units = [inputs.rooms.builders[name] for name in order]
    read = {name for unit in units for name in unit.parameters if name not in inputs.rooms.builders}
    parts = [f"{unit.name} {unit.digest} {code.foundation(unit, inputs.remember)[0]}" for unit in units]
    parts += [f"{name} {inputs.digest(name)}" for name in sorted({*read, "look_ahead"})]
    key = files.sha256("\n".join([code.house(), *parts]).encode())
    return dict(inputs.remember(f"look-ahead trials {key}", Lazy("quantassay.jobs.look_ahead:tried", (inputs,))))


def tried(inputs: Inputs) -> dict[str, Any]:
    """What came of running the builders of spec/34_look_ahead.yaml with other futures, at several cuts.

    {"cuts": [{"session", "as_of"}], "names": how many names took part, "trials": [{"artifact", "session", "future",
    "expected", "actual" (digests), "differs" (the first place that does, or None)}]}. A cut is the end of a session, or
    now: the bars of later days are changed, and the builders are asked at that instant.
    """
    spec = inputs.value("look_ahead")
    cal = sessions.calendar(inputs.value("trading_calendar"))
    held = {row["ticker"] for row in inputs.value("account_snapshot")["holdings"]}
    bars = inputs.value(BARS[0])
    names = some_names(bars["ticker"].unique().sort().to_list(), spec["names"], held)
    given = {name: inputs.value(name) for name in BARS if name in inputs.handed}
    given = {name: frame.filter(frame["ticker"].is_in(names)) for name, frame in given.items()}
    cuts = list(_cuts(cal, spec["sessions_back"], evaluation.rule(inputs.value("evaluation_bar")), inputs))
    rows = [row for session, at in cuts for row in _cut(inputs, spec["artifacts"], given, session, at)]
    told = [{"session": session.isoformat(), "as_of": at} for session, at in cuts]
    return {"cuts": told, "names": len(names), "trials": rows}


def _cuts(cal: sessions.Calendar, back: list[int], rule: evaluation.Rule, inputs: Inputs) -> Iterator[tuple[date, str]]:
    """The days whose bars are known, so many sessions back from the one that decides now, and an instant of each."""
    now = str(inputs.state.as_of)
    last = date.fromisoformat(evaluation.last_session(cal, sessions.instant(now), rule))
    known = sessions.sessions_between(cal, max(cal.first, inputs.value(BARS[0])["session"].min() or last), last)
    for number in back:
        if number == 0:
            # What has come in of an unfinished day is known, though it decides nothing.
            yield max(last, sessions.local_day(cal, sessions.instant(now))), now
        elif number < len(known):
            session = known[-1 - number]
            over: datetime = sessions.hours(cal, session).close + rule.grace + _MINUTE
            yield session, over.isoformat()


def _cut(
    inputs: Inputs, artifacts: list[str], given: Mapping[str, Any], session: date, at: str
) -> Iterator[dict[str, Any]]:
    """The trials of one cut, artifact by artifact in each future."""
    real = made(inputs, artifacts, {**given, "as_of": at})
    futures = {name: dict(other_futures(frame, session)) for name, frame in given.items()}
    for future in futures[BARS[0]]:
        changed = {name: futures[name][future] for name in given}
        # Where nothing follows the cut there is one future only.
        same = all(given[name].equals(changed[name]) for name in given)
        other = real if same else made(inputs, artifacts, {**changed, "as_of": at})
        for name in artifacts:
            expected, actual = canonical.digest(real[name]), canonical.digest(other[name])
            yield {
                "artifact": name,
                "session": session.isoformat(),
                "future": future,
                "expected": expected,
                "actual": actual,
                "differs": None if expected == actual else _first_place(other[name], real[name]),
            }


def made(inputs: Inputs, artifacts: list[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """The data of these artifacts, made anew by the builders of the desk from the `given` values; of a table its rows.

    What depends on none of the given values is taken as it was built.
    """
    values: dict[str, Any] = dict(given)
    for name in graph.order(inputs, artifacts):
        unit = inputs.rooms.builders[name]
        if values.keys() & set(unit.parameters):
            read = {one: copy.deepcopy(values[one]) if one in values else inputs.fresh(one) for one in unit.parameters}
            built = rooms.load(unit).build(**read)
            values[name] = built.frame if hasattr(built, "frame") else built
    return {name: _rows(values[name] if name in values else inputs.value(name)) for name in artifacts}


def _rows(built: Any) -> Any:
    """A table as its rows, in text; any other artifact as it is."""
    return built if isinstance(built, dict) else {"rows": built.write_ndjson().splitlines()}


def _first_place(actual: Any, expected: Any) -> str:
    return next((one.pointer for one in agree(actual, expected, "differs") if not one.ok), "")
