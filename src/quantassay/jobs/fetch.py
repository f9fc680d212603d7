"""Fetch daily bars that are missing, from the sources in their order, through the same checks as an import."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantassay.feeds.day_answers import BAD_ANSWER, NOT_ALLOWED, NOT_OUT, NoAnswer, Question
from quantassay.feeds.day_bars import Board, DayRead, read_day
from quantassay.feeds.issues import Issue
from quantassay.feeds.markets import market_of
from quantassay.feeds.raw_files import RawFile
from quantassay.harness import lock
from quantassay.jobs import approvals, fetched_answers, fetched_bars, logs, quarantine
from quantassay.jobs.build import workspace_held
from quantassay.jobs.fetch_sources import READERS, Way, timely, ways
from quantassay.jobs.fetch_wish import SPEC, Task, Wish, task
from quantassay.jobs.fetched_answers import Kept
from quantassay.jobs.fetched_bars import Stored
from quantassay.jobs.imported import import_log
from quantassay.store.bars_index import sha256

_NOTHING = Stored(0, 0, 0, (), changed=False)
Got = tuple[Kept, DayRead]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A source that gave nothing: for one board and session, or for all of a run where these are empty."""

    source: str
    why: str
    says: str
    board: str = ""
    session: date | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A board and session without bars; `waits` where its figures are not out yet, and nothing else is wrong."""

    board: str
    session: date
    waits: bool


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a fetch did, or would do.

    `asked` are the sessions and boards that were missing, with the source that gave each (that would be asked first, in
    a dry run; empty where none). `taken_up` counts answers that an earlier run had kept and not stored, `bars` the bars
    of all answers.
    """

    market: str
    sessions: tuple[date, ...]
    asked: tuple[tuple[date, str, str], ...]
    passed_over: tuple[PassedOver, ...]
    missing: tuple[Missing, ...]
    taken_up: int
    bars: int
    stored: Stored
    dry_run: bool

    @property
    def refused(self) -> tuple[Issue, ...]:
        """What kept rows out of the store."""
        return tuple(issue for issue in self.stored.issues if not issue.harmless)

    @property
    def differing(self) -> tuple[Issue, ...]:
        """Bars of the past that have other values now, and were left as they were."""
        return tuple(issue for issue in self.stored.issues if issue.code == fetched_bars.DIFFERS)


def fetch(folder: Path, wish: Wish) -> FetchReport:
    """Fetch what the store lacks of the days that are asked for.

    Each answer is kept as it came before anything else is done with it; what an earlier run kept and did not store is
    stored first. A source that is not allowed, has no key or fails gives way to the next one of the order.

    Raises:
        NoWorkspace, CannotFetch, OtherMarket, NobodyFetches, UnknownSource, NoSuchDays, SpecErrors: wrong use.
        lock.Busy, CannotStore, Unwritable, BarsDamaged, AnswerChanged, CountUnreadable: it cannot be kept or stored.
    """
    logs.guard()
    run = task(folder, wish)
    if wish.dry_run:
        return _planned(run)
    data = run.inputs.workspace.data
    passed_over: list[PassedOver] = []
    with lock.held(data / "locks" / "fetch.lock"):
        known = _known(data, run.market)
        loaded = list(_taken_up(run, known, passed_over))
        taken_up = len(loaded)
        have = _have(run, known, [kept for kept, _ in loaded])
        asked, missing = [], []
        order = ways(run.inputs, run.order, run.place)
        try:
            for session, board in _wanted(run, have):
                got, found = _one(run, order, session, board)
                passed_over += found
                asked.append((session, board, got[0].note["source"] if got else ""))
                if got:
                    loaded.append(got)
                else:
                    missing.append(Missing(board, session, _waits(found)))
        finally:
            # Whatever ended it: what has come is in the store, and need not be asked for again.
            stored = _stored(run, loaded)
    run.inputs.cache.save()
    return FetchReport(
        market=run.market,
        sessions=run.sessions,
        asked=tuple(asked),
        passed_over=_once(passed_over),
        missing=tuple(missing),
        taken_up=taken_up,
        bars=sum(read.frame.height for _, read in loaded),
        stored=stored,
        dry_run=False,
    )


def _known(data: Path, market: str) -> list[dict[str, Any]]:
    """What the import log says of the fetched answers whose bars are in the store."""
    return [entry for entry in import_log(data, market)[0]["files"] if "fetch" in entry and entry["loaded"]]


def _have(run: Task, known: Sequence[Mapping[str, Any]], kept: Sequence[Kept]) -> set[tuple[date, str]]:
    """The sessions and boards of which there is an answer with finished bars."""
    root = fetched_answers.folder(run.inputs.workspace.data)
    stored = [Kept(entry["file"], root / entry["file"], entry["fetch"]) for entry in known]
    return {(one.question.session, one.question.board) for one in [*stored, *kept] if run.settled.holds(one)}


def _wanted(run: Task, have: Collection[tuple[date, str]]) -> Iterator[tuple[date, str]]:
    for session in run.sessions:
        for board in sorted(run.rules["boards"]):
            if run.wish.again or (session, board) not in have:
                yield session, board


def _one(run: Task, order: Sequence[Way], session: date, board: str) -> tuple[Got | None, list[PassedOver]]:
    """The first answer that can be used, or none; and the sources that were passed over for it."""
    before: list[tuple[str, NoAnswer]] = []
    found: list[PassedOver] = []
    for way in order:
        try:
            return _asked(run, way, session, board, before), found
        except NoAnswer as error:
            before.append((way.name, error))
            found.append(_passed(way, error, session, board))
            if not way.gives_way(error):
                break
    return None, found


def _passed(way: Way, error: NoAnswer, session: date, board: str) -> PassedOver:
    way.remember(board, error)
    if way.standing("") is error:
        return PassedOver(way.name, error.kind, error.says)
    return PassedOver(way.name, error.kind, error.says, board, session)


def _waits(found: Sequence[PassedOver]) -> bool:
    kinds = {one.why for one in found}
    return NOT_OUT in kinds and BAD_ANSWER not in kinds


def _asked(run: Task, way: Way, session: date, board: str, before: Sequence[tuple[str, NoAnswer]]) -> Got:
    """The answer of one source, kept and read. Raises NoAnswer."""
    if standing := way.standing(board):
        raise standing
    place, data = run.place, run.inputs.workspace.data
    timely(way, session, place.clock(), place.zone)
    question = Question(run.market, board, way.spec["boards"][board], session)
    try:
        answer = way.ask(question)
    except NoAnswer as error:
        fetched_answers.keep_chatter(data, way.name, place.clock(), error.chatter)
        _set_aside(run, f"{way.name}/{run.market}_{board}_{question.compact_day}.txt", error, error.data)
        raise
    fetched_answers.keep_chatter(data, way.name, answer.taken_at, answer.chatter)
    source = {"id": way.name, "kind": way.spec["kind"], "prices": way.spec["prices"]}
    kept = fetched_answers.keep(data, source, question, answer, before)
    return kept, _read(run, kept)


def _read(run: Task, kept: Kept) -> DayRead:
    """The bars of a kept answer; one that cannot be used goes to quarantine. Raises NoAnswer, AnswerChanged."""
    question, data = kept.question, kept.data
    least = run.rules["boards"].get(question.board, {"least_names": 1})["least_names"]
    share = Decimal(run.rules["largest_refused_share"])
    board = Board(market_of(run.market), question.session, kept.file, kept.taken_at, least, share)
    try:
        return read_day(READERS[kept.note["kind"]](data, question), board)
    except NoAnswer as error:
        _set_aside(run, kept.file, error, data)
        fetched_answers.discard(kept)
        raise


def _set_aside(run: Task, name: str, error: NoAnswer, data: bytes) -> None:
    """Keep what was sent in place of an answer where a person should look at it."""
    if error.kind == BAD_ANSWER and data:
        file = RawFile(name, name, data, sha256(data))
        issue = Issue(name, None, "site_answer", error.says)
        quarantine.put(run.inputs.workspace.data, run.market, file, [issue])


def _taken_up(run: Task, known: Sequence[Mapping[str, Any]], passed_over: list[PassedOver]) -> Iterator[Got]:
    """What an earlier run kept and did not store, as far as its source is still allowed."""
    sources = run.inputs.value(SPEC)["sources"]
    today = run.place.clock().astimezone(run.place.zone).date()
    files = {entry["file"] for entry in known}
    for kept in fetched_answers.waiting(run.inputs.workspace.data, run.market, files):
        name, question = kept.note["source"], kept.question
        permission = approvals.source_allowed(
            run.inputs, sources.get(name, {"governed_as": name})["governed_as"], today
        )
        if not permission.allowed:
            says = f"answers of {name} that were kept are not stored: {permission.reason}"
            passed_over.append(PassedOver(name, NOT_ALLOWED, says))
            continue
        try:
            yield kept, _read(run, kept)
        except NoAnswer as error:
            passed_over.append(PassedOver(name, error.kind, error.says, question.board, question.session))


def _stored(run: Task, loaded: Sequence[Got]) -> Stored:
    if not loaded:
        return _NOTHING
    workspace = run.inputs.workspace
    with workspace_held(workspace):
        return fetched_bars.store(workspace.data, run.market, loaded, run.settled, replace=run.wish.replace)


def _planned(run: Task) -> FetchReport:
    """What a fetch would ask of whom, as far as it can be told without asking."""
    data = run.inputs.workspace.data
    known = _known(data, run.market)
    kept = list(fetched_answers.waiting(data, run.market, {entry["file"] for entry in known}))
    order = ways(run.inputs, run.order, run.place)
    asked, missing, passed_over = [], [], []
    for session, board in _wanted(run, _have(run, known, kept)):
        first, found = _first_willing(run, order, session, board)
        passed_over += found
        asked.append((session, board, first))
        if not first:
            missing.append(Missing(board, session, _waits(found)))
    return FetchReport(
        market=run.market,
        sessions=run.sessions,
        asked=tuple(asked),
        passed_over=_once(passed_over),
        missing=tuple(missing),
        taken_up=len(kept),
        bars=0,
        stored=_NOTHING,
        dry_run=True,
    )


def _first_willing(run: Task, order: Sequence[Way], session: date, board: str) -> tuple[str, list[PassedOver]]:
    found: list[PassedOver] = []
    for way in order:
        try:
            if standing := way.standing(board):
                raise standing
            timely(way, session, run.place.clock(), run.place.zone)
        except NoAnswer as error:
            found.append(_passed(way, error, session, board))
            if not way.gives_way(error):
                break
        else:
            return way.name, found
    return "", found


def _once(passed_over: Sequence[PassedOver]) -> tuple[PassedOver, ...]:
    """Each refusal once, those that hold for the whole run first; in the order in which they were met."""
    return tuple(sorted(dict.fromkeys(passed_over), key=lambda one: one.session is not None))
