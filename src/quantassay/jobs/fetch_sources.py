"""The sources of a market in their order, each with what lets it be asked, or the reason why it is not."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from quantassay.domain.trading.book import Environment
from quantassay.errors import AssayError
from quantassay.feeds import kis_daily, krx_openapi, pykrx_child
from quantassay.feeds.day_answers import (
    ABSENT,
    BY_HAND,
    LASTING,
    NO_KEY,
    NOT_ALLOWED,
    NOT_OUT,
    TOO_OLD,
    WRONG_KEY,
    Answer,
    Clock,
    NoAnswer,
    Question,
    Row,
)
from quantassay.harness.inputs import Inputs
from quantassay.jobs import approvals, call_budget, kis_connection, secrets
from quantassay.jobs.clock import SystemClock
from quantassay.kis.client import Client
from quantassay.store import bars

READERS: Mapping[str, Callable[[bytes, Question], list[Row]]] = {
    "http": krx_openapi.rows,
    "child": pykrx_child.rows,
    "names": kis_daily.rows,
}


@dataclass(frozen=True, slots=True)
class Place:
    """What every source is told of the desk: its data folder, the exchange's zone, the clock."""

    data: Path
    zone: ZoneInfo
    clock: Clock


@dataclass(frozen=True, slots=True)
class Way:
    """A source in the order: its name, its entry in the spec, how it is asked, what it refused for good so far.

    `refused` is by board, None standing for all of them.
    """

    name: str
    spec: Mapping[str, Any]
    ask: Callable[[Question], Answer]
    refused: dict[str | None, NoAnswer]

    def gives_way(self, error: NoAnswer) -> bool:
        """Whether the next source may be asked after this."""
        return error.kind in self.spec["falls_back_on"]

    def standing(self, board: str) -> NoAnswer | None:
        """What it has refused before, so that nobody need ask again."""
        return self.refused.get(None) or self.refused.get(board)

    def remember(self, board: str, error: NoAnswer) -> None:
        """Keep a refusal that the next question would meet as well."""
        if error.kind in LASTING:
            self.refused[None] = error
        elif error.kind == WRONG_KEY:
            self.refused[board] = error


def ways(inputs: Inputs, order: Sequence[str], place: Place) -> list[Way]:
    """The sources in this order. Nothing is asked here, and no key is read of a source that is not allowed."""
    sources = inputs.value("bar_feeds")["sources"]
    return [_way(inputs, name, sources[name], place) for name in order]


def _way(inputs: Inputs, name: str, spec: Mapping[str, Any], place: Place) -> Way:
    try:
        return Way(name, spec, _asked(inputs, name, spec, place), {})
    except NoAnswer as error:
        return Way(name, spec, _never, {None: error})


def _never(question: Question) -> Answer:
    raise NoAnswer(NOT_ALLOWED, f"{question.board} is not asked for")


def _asked(inputs: Inputs, name: str, spec: Mapping[str, Any], place: Place) -> Callable[[Question], Answer]:
    """How the source is asked. Raises NoAnswer where it is not."""
    kind = spec["kind"]
    if kind in ("absent", "import"):
        raise NoAnswer(ABSENT if kind == "absent" else BY_HAND, f"{name} is not asked: {spec['why']}")
    permission = approvals.source_allowed(inputs, spec["governed_as"], place.clock().astimezone(place.zone).date())
    if not permission.allowed:
        raise NoAnswer(NOT_ALLOWED, f"{name} is not asked: {permission.reason}")
    if spec["prices"] != "raw":
        says = "its prices are adjusted, and change backwards with every corporate action"
        raise NoAnswer(BY_HAND, f"{name} is not asked day by day: {says}; import whole series with --prices adjusted")
    if kind == "child":
        child = pykrx_child.Child(spec["limits"]["answer_s"])
        return lambda question: pykrx_child.ask(child, question, place.clock)
    if kind == "names":
        boards = _boards(inputs, name, spec, place)
        return lambda question: boards.ask(question, place.clock)
    service = _service(inputs, name, spec, place)
    return lambda question: krx_openapi.ask(service, question, place.clock)


def _boards(inputs: Inputs, name: str, spec: Mapping[str, Any], place: Place) -> kis_daily.Boards:
    """The broker, by the login that governance names for it. Raises NoAnswer."""
    credential = _credential(inputs, spec["governed_as"])
    found: list[Environment] = [one for one, login in kis_connection.CREDENTIALS.items() if login == credential]
    if not found or "brokers" not in inputs.sources:
        raise NoAnswer(ABSENT, f"{name} is not asked: {credential} opens no server of spec/28_brokers.yaml")
    try:
        login = secrets.kis_secrets(inputs.workspace.root, found[0])
        pinned = kis_connection.pinned_key(inputs, credential)
        client = Client(kis_connection.connection(inputs, found[0], login, pinned), SystemClock())
    except AssayError as error:
        raise NoAnswer(NO_KEY, f"{name} is not asked: {error}") from error
    market = str(inputs.value("desk")["market"])
    return kis_daily.Boards(client, lambda board, day: _names(place.data, (market, board), day, name))


def _names(data: Path, board: tuple[str, str], day: date, asking: str) -> list[str]:
    """The names of a market's board as of the last session, not after `day`, that another source than this gave."""
    source = pl.col("source")
    of = source.str.contains(f"/{'_'.join(board)}_", literal=True) & ~source.str.starts_with(f"{asking}/")
    known = bars.read_or_empty(data, board[0]).filter(of, pl.col("session") <= day)
    return sorted(known.filter(pl.col("session") == pl.col("session").max())["ticker"].unique())


def _credential(inputs: Inputs, source: str) -> str:
    """The login of a source, as governance names it."""
    entry = next(one for one in inputs.value("data_sources")["data_sources"] if one["id"] == source)
    return str(entry.get("credential", ""))


def _service(inputs: Inputs, name: str, spec: Mapping[str, Any], place: Place) -> krx_openapi.Service:
    key = os.environ.get(variable := key_variable(inputs, spec["governed_as"]), "")
    if not key:
        says = f"{variable} is not set; put the key into this environment variable, and nowhere else"
        raise NoAnswer(NO_KEY, f"{name} is not asked: {says}")

    def count() -> None:
        day = place.clock().astimezone(place.zone).date()
        call_budget.take(place.data, name, key, day, spec["calls_per_day"])

    return krx_openapi.Service(spec["base_url"], key, krx_openapi.Limits(**spec["limits"]), count)


def key_variable(inputs: Inputs, source: str) -> str:
    """The environment variable that holds the key of a source, as governance names it."""
    credential = _credential(inputs, source)
    login = next(one for one in inputs.value("credentials")["credentials"] if one["id"] == credential)
    return str(login["variables"][0])


def timely(way: Way, session: date, now: datetime, zone: ZoneInfo) -> None:
    """Raise NoAnswer where the source cannot have the session: its figures are not out yet, or it is too long ago."""
    out_at = out(way, session, zone)
    if now < out_at:
        raise NoAnswer(NOT_OUT, f"{way.name} has the figures of {session} from {out_at:%Y-%m-%d %H:%M} on")
    today = now.astimezone(zone).date()
    first = date.fromisoformat(way.spec["first_day"]) if "first_day" in way.spec else None
    if first is None:
        first = today - timedelta(days=way.spec["most_days_back"])
    if session < first:
        raise NoAnswer(TOO_OLD, f"{way.name} is not asked for days before {first}")


def out(way: Way, session: date, zone: ZoneInfo) -> datetime:
    """When the figures of a session are out."""
    rule = way.spec["out"]
    return datetime.combine(session + timedelta(days=rule["days_after"]), time.fromisoformat(rule["at"]), zone)
