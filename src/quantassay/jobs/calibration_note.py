"""Write the next change note of calibration: which thresholds get which status, by whom and why."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from quantassay.domain.calibration import notes as change_notes
from quantassay.domain.calibration import promotion, registry
from quantassay.domain.calibration.notes import Change, Note
from quantassay.domain.calibration.registry import CALIBRATED, EXPERT_PRIOR, Threshold
from quantassay.errors import AssayError
from quantassay.harness import build, files, graph, specs
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.tampering import check_recorded
from quantassay.harness.workspace import find
from quantassay.jobs import desk, governed, spec_edit
from quantassay.jobs.build import workspace_held
from quantassay.jobs.gate import OutOfDate

EVIDENCE = "calibration_evidence"
FOLDER = "governance/calibration/changes"


class UnknownThreshold(AssayError):
    """A threshold that is not registered."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        close = Lazy("difflib:get_close_matches")(name, known, 1)
        hint = f"did you mean {close[0]}?" if close else "`assay calibration show` lists them"
        super().__init__(f"spec/30_calibration.yaml has no threshold {name!r}; {hint}")


class NoteRefused(AssayError):
    """A note that the rules would refuse."""

    exit_code = 1

    def __init__(self, why: Sequence[str]) -> None:
        super().__init__(f"no note is written: {'; '.join(why)}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for; `day` is None for the day of the run that the evidence is of."""

    thresholds: tuple[str, ...]
    status: str
    author: str
    reason: str
    sample_note: str | None = None
    backtest_note: str | None = None
    day: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """The note as it was written, its file, where the registry was changed to fit, and the command to run next."""

    note: Mapping[str, Any]
    file: str
    text: str
    edits: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a note is judged by: the registry, the values, the notes so far, the studies, and what governance asks."""

    inputs: Inputs
    thresholds: Mapping[str, Threshold]
    values: Mapping[str, Any]
    notes: Sequence[Note]
    studies: Mapping[str, Mapping[str, Any]]
    asked: promotion.Terms


def write(folder: Path, wish: Wish) -> Written:
    """Write the note, and the status into the registry; a dry run only says what would be written.

    Raises UnknownThreshold, NoteRefused, BadWords, CannotEdit, in a dry run OutOfDate on evidence that is not of now.
    """
    workspace = find(folder)
    with contextlib.nullcontext() if wish.dry_run else workspace_held(workspace):
        known = _known(desk.built(folder), wish)
        changes = [_change(known, wish, name) for name in dict.fromkeys(wish.thresholds)]
        note = {
            "id": change_notes.next_id(known.notes),
            "date": _day(known, wish),
            "author": wish.author.strip(),
            "previous": change_notes.head(known.notes),
            "reason": wish.reason.strip(),
            "changes": changes,
        }
        _refuse(_wrong(known, note))
        file = f"{FOLDER}/{note['id']}.yaml"
        text = _text(known.inputs, note, file)
        place, data, edits = _registry(known, wish)
        if not wish.dry_run:
            if (workspace.root / file).exists():
                _refuse([f"{file} is there already, under an id that is not in order; rename it"])
            files.write(workspace.root / file, text.encode())
            files.write(place, data)
        return Written(note, file, text, tuple(edits), governed.next_run(known.inputs))


def _known(inputs: Inputs, wish: Wish) -> _Desk:
    day = str(inputs.value("as_of"))[:10]
    thresholds = {one.id: one for one in registry.thresholds(inputs.value("calibration"))}
    for name in wish.thresholds:
        if name not in thresholds:
            raise UnknownThreshold(name, list(thresholds))
    studies: dict[str, Mapping[str, Any]] = {}
    # A value that somebody believes needs no evidence, so it can be noted before anything is built.
    if wish.status != EXPERT_PRIOR:
        _have_evidence(inputs, dry_run=wish.dry_run)
        studies = {study["id"]: study for study in inputs.value(EVIDENCE)["studies"]}
    notes = change_notes.chain(inputs.value("calibration_changes"), day)
    terms = promotion.terms(inputs.value("calibration_policy"), day)
    return _Desk(inputs, thresholds, inputs.value("spec_values"), notes, studies, terms)


def _have_evidence(inputs: Inputs, *, dry_run: bool) -> None:
    """Build the evidence anew where it is not of what lies there; a dry run, which writes nothing, raises OutOfDate."""
    as_of = str(inputs.value("as_of"))
    if not dry_run:
        build.run(inputs, build.Request(select=(EVIDENCE,), as_of=as_of))
        inputs.forget()
        return
    check_recorded(inputs)
    for name in graph.order(inputs, [EVIDENCE]):
        key = build.step_key(inputs, inputs.rooms.builders[name], as_of)
        if why := build.why_stale(inputs, name, key):
            raise OutOfDate({name: why})


def _change(known: _Desk, wish: Wish, name: str) -> dict[str, Any]:
    """One row of the note: the value as its spec has it, the claim, and the digest of the events behind it."""
    threshold = known.thresholds[name]
    told = change_notes.told_of(name, known.notes)
    value = _raw(known, threshold)
    if value is None:
        _refuse([f"{threshold.pointer} leads to no number; correct the pointer of {name}"])
    change: dict[str, Any] = {
        "threshold": name,
        "from": told[-1].status if told else None,
        "to": wish.status,
        "value": value,
    }
    spoken = {"sample_note": wish.sample_note, "backtest_note": wish.backtest_note}
    change |= {key: text.strip() for key, text in spoken.items() if text is not None}
    study = known.studies.get(threshold.study or "")
    if wish.status != EXPERT_PRIOR and threshold.claim is not None and study is not None:
        change["sample_n"] = threshold.claim.sample_n
        change["mean_return"] = threshold.claim.mean_return
        change["evidence"] = study["digest"]
    return change


def _raw(known: _Desk, threshold: Threshold) -> Any:
    """The number as its spec has it, whole or as text."""
    return dict(registry.numbers(known.values.get(threshold.spec))).get(threshold.place)


def _day(known: _Desk, wish: Wish) -> str:
    """The day of the note: that of the run it stands on, or one between the last note and it."""
    run = known.asked.day
    if wish.day is None:
        return run.isoformat()
    try:
        day = date.fromisoformat(wish.day)
    except ValueError:
        _refuse([f"{wish.day!r} is no day; write it like {run.isoformat()}"])
        raise
    if day > run:
        _refuse([f"{wish.day} is after the run of {run.isoformat()}, in which it would not count; run again first"])
    return day.isoformat()


def _wrong(known: _Desk, note: Mapping[str, Any]) -> list[str]:
    """Why the rules would refuse the note."""
    why = []
    previous = None
    for one in known.notes:
        if one.previous != previous:
            why.append(f"the chain is broken at {one.id}: the note before it was edited, or is missing")
        previous = one.digest
    if known.notes and note["date"] < known.notes[-1].date:
        why.append(f"{note['date']} is before the last note, {known.notes[-1].id} of {known.notes[-1].date}")
    for change in note["changes"]:
        why += _wrong_with(known, note, change)
    if any(change["to"] == CALIBRATED for change in note["changes"]):
        named = [
            one.id
            for one in known.thresholds.values()
            if promotion.verdict(one.claim, known.studies.get(one.study or "")) == promotion.OVERCLAIMED
        ]
        if named:
            why.append(f"overclaimed_count is {len(named)} ({', '.join(named)}), and CALIBRATED asks for 0")
    return why


def _wrong_with(known: _Desk, note: Mapping[str, Any], change: Mapping[str, Any]) -> list[str]:
    threshold, status = known.thresholds[change["threshold"]], change["to"]
    told = change_notes.told_of(threshold.id, known.notes)
    new = change_notes.chain([note], note["date"])[0].changes
    mine = next(one for one in new if one.threshold == threshold.id)
    if status == EXPERT_PRIOR and (mine.sample_note or mine.backtest_note):
        return [f"{threshold.id}: a sample note or a backtest note is for a promotion, not for EXPERT_PRIOR"]
    last = told[-1] if told else None
    if last is not None and not (mine.sample_note or mine.backtest_note) and _same(last, mine):
        return [f"{threshold.id} has this value, this status and these figures already by {last.note}"]
    study = known.studies.get(threshold.study or "")
    value = registry.value_of(threshold, known.values)
    worth = promotion.standing(replace(threshold, status=status), value, [*told, mine], study, known.asked)
    if worth.status == status:
        return []
    return [f"{threshold.id} does not become {status}: {promotion.WHY[reason]}" for reason in worth.why]


def _same(last: Change, mine: Change) -> bool:
    told = [(one.status, one.value, one.sample_n, one.mean_return, one.evidence) for one in (last, mine)]
    return told[0] == told[1]


def _refuse(why: Sequence[str]) -> None:
    if why:
        raise NoteRefused(why)


def _text(inputs: Inputs, note: Mapping[str, Any], file: str) -> str:
    """The note as YAML, a line a change, read back and judged by its schema. Raises BadWords."""
    # A text in JSON is the same text in YAML, quotes and all.
    head = [f"{name}: {json.dumps(note[name], ensure_ascii=False)}" for name in note if name != "changes"]
    rows = [_row(change) for change in note["changes"]]
    text = "\n".join([*head, "changes:", *rows]) + "\n"
    spec, problems = specs.parse(text.encode(errors="surrogatepass"), inputs.schema("calibration_change"), file)
    if spec is None:
        raise governed.BadWords(file, [problem.says for problem in problems])
    if spec.value != note:
        raise governed.BadWords(file, ["a character in it means something else in YAML"])
    return text


def _row(change: Mapping[str, Any]) -> str:
    members = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in change.items()]
    if len(members) > len(("threshold", "from", "to", "value")):
        return "  - " + "\n    ".join(members)
    return f"  - {{{', '.join(members)}}}"


def _registry(known: _Desk, wish: Wish) -> tuple[Path, bytes, list[str]]:
    """The registry with the new status at each threshold, and where that was changed. Raises CannotEdit."""
    path = known.inputs.source("calibration").paths[0]
    file, data = known.inputs.workspace.relative(path), files.read(path)
    edits = []
    for index, threshold in enumerate(registry.thresholds(known.inputs.value("calibration"))):
        if threshold.id in wish.thresholds and threshold.status != wish.status:
            place = f"/thresholds/{index}/status"
            data, line, column = spec_edit.scalar(data, file, place, wish.status)
            edits.append(f"{file}:{line}:{column} {threshold.id}: {threshold.status} -> {wish.status}")
    return path, data, edits
