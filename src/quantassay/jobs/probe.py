"""Try the wall of a data gap again: ask once what was refused before, and put what came of it on record."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.domain.gaps import answers
from quantassay.domain.market.calendars import market_key
from quantassay.errors import AssayError
from quantassay.harness import canonical, files
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.jobs import approvals, desk, logs
from quantassay.jobs import build as building

SPEC, ATTEMPTS = "data_gaps_roadmap_spec", "gap_attempts"
PROBER = "assay probe"
LOGIN = "krx_login"
_SHORTEST_NAME, _LONGEST_NAME = 2, 60
# requests is loaded only where something is asked.
_LIMITS = Lazy("quantassay.feeds.krx_probe:Limits")
_ATTEMPT = Lazy("quantassay.feeds.krx_probe:attempt")


class NoRoadmap(AssayError):
    """A workspace that knows no gaps."""

    def __init__(self) -> None:
        super().__init__(
            "this workspace has no spec/16_data_gaps_roadmap.yaml; copy it from a new desk made with `assay init DIR`"
        )


class UnknownGap(AssayError):
    """A gap that the roadmap does not have."""

    def __init__(self, wanted: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no gap {wanted!r} in spec/16_data_gaps_roadmap.yaml; it has {', '.join(known)}")


class NothingToProbe(AssayError):
    """A gap of which there is no attempt to repeat."""

    def __init__(self, gap: str, why: str) -> None:
        super().__init__(f"{gap} has no probe: {why} When there is a call to make, add it to the gap as `probe`")


class BadName(AssayError):
    """A name that cannot stand in a record."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!a} is no name for a record; give {_SHORTEST_NAME} to {_LONGEST_NAME} letters on one line"
        )


class AttemptThere(AssayError):
    """A record in the place of the one to be written."""

    def __init__(self, file: str) -> None:
        super().__init__(f"{file} is there already and is left alone; move it away, or mend its id, and probe again")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a probe of a gap asks, in order, within which limits, and why nobody is logged in."""

    gap: str
    title: str
    probe: Mapping[str, Any]
    limits: Mapping[str, Any]
    login: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """An attempt on record: its value, the files of it and of its transcript, and what to do about it."""

    value: Mapping[str, Any]
    file: str
    transcript: str
    advice: str


@dataclass(frozen=True, slots=True)
class Known:
    """A gap in the list: whether it can be probed, its last attempt (empty for none), transcripts gone or altered."""

    gap: str
    title: str
    can_probe: bool
    last: str
    missing: tuple[str, ...]
    changed: tuple[str, ...]


def plan(folder: Path, wanted: str) -> Plan:
    """What `assay probe` would do. Raises NoRoadmap, UnknownGap, NothingToProbe, and what the files have to say."""
    return _plan(desk.opened(folder), wanted)


def _plan(inputs: Inputs, wanted: str) -> Plan:
    roadmap = _roadmap(inputs)
    gaps = {gap["id"]: gap for gap in roadmap["gaps"]}
    if wanted not in gaps:
        raise UnknownGap(wanted, list(gaps))
    gap = gaps[wanted]
    if gap["probe"] is None:
        raise NothingToProbe(wanted, gap["no_attempt"] or "the attempts on record were made by hand.")
    return Plan(wanted, gap["title"], gap["probe"], roadmap["probe_limits"], _login(inputs))


def _roadmap(inputs: Inputs) -> dict[str, Any]:
    if SPEC not in inputs.sources:
        raise NoRoadmap
    roadmap: dict[str, Any] = inputs.value(SPEC)
    return roadmap


def _login(inputs: Inputs) -> str:
    """Why a probe is made without a login, whatever governance says of logging in."""
    permission = approvals.credential_allowed(inputs, LOGIN)
    if not permission.allowed:
        return f"not allowed: {permission.reason}"
    return f"allowed ({permission.reason}), and not used: a second login would end the member's own session"


def probe(folder: Path, wanted: str, by: str = PROBER, wait_s: float = building.WAIT_S) -> Recorded:
    """Ask once and record the outcome, whatever it is; nothing is recorded where the site cannot be reached.

    Raises what `plan` raises, BadName, NoNetwork, CannotAsk, AttemptThere, Unwritable, lock.Busy.
    """
    logs.guard()
    if not (_SHORTEST_NAME <= len(by.strip()) <= _LONGEST_NAME and by.isprintable()):
        raise BadName(by)
    inputs = desk.opened(folder)
    planned = _plan(inputs, wanted)
    inputs.value(ATTEMPTS)
    limits = _LIMITS(*(planned.limits[name] for name in ("connect_s", "answer_s", "most_bytes")))
    at = datetime.now(UTC).replace(microsecond=0)
    tried = _ATTEMPT(planned.probe, limits)
    with building.workspace_held(inputs.workspace, wait_s):
        # What another probe recorded while this one waited for its answer.
        return _record(desk.opened(folder), planned, tried, at, by.strip())


def _record(inputs: Inputs, planned: Plan, tried: Any, at: datetime, by: str) -> Recorded:
    earlier = sorted(inputs.value(ATTEMPTS), key=lambda one: int(one["id"][1:]))
    name = f"P{int(earlier[-1]['id'][1:]) + 1 if earlier else 1:04}"
    told = [
        {"request": request, "outcome": one.outcome, "status": status, "rows": one.rows, "says": one.says}
        for request, one, status in tried.answers
    ]
    outcome = answers.together([one["outcome"] for one in told])
    statuses = {one["status"] for one in told}
    transcript = canonical.dumps(
        {"id": name, "gap": planned.gap, "at": at.isoformat(), "exchanges": [*tried.exchanges]}
    )
    kept = f"{name}_{planned.gap}_{at:%Y%m%dT%H%M%SZ}.json"
    value = {
        "id": name,
        "gap": planned.gap,
        "date": at.astimezone(_zone(inputs)).date().isoformat(),
        "at": at.isoformat(),
        "by": by,
        "procedure": procedure(planned),
        "login": False,
        "outcome": outcome,
        "status": statuses.pop() if len(statuses) == 1 else None,
        "says": "; ".join(f"{one['request']}: {one['says']}" for one in told),
        "answers": told,
        "transcript": {"file": kept, "digest": files.sha256(transcript), "bytes": len(transcript)},
        "previous": canonical.digest(earlier[-1]) if earlier else None,
    }
    path = inputs.workspace.governance / "data_gaps" / "attempts" / f"{name}_{planned.gap}.yaml"
    files.write(_probes(inputs) / kept, transcript)
    _put_new(path, yaml_text(value), inputs.workspace.relative(path))
    place = inputs.workspace.relative(_probes(inputs) / kept)
    return Recorded(value, inputs.workspace.relative(path), place, answers.ADVICE[outcome])


def _zone(inputs: Inputs) -> ZoneInfo:
    """The zone of the desk's market; UTC in a workspace that trades none."""
    if "desk" not in inputs.sources or "calendars" not in inputs.sources:
        return ZoneInfo("UTC")
    calendars = inputs.value("calendars")
    return ZoneInfo(calendars["markets"][market_key(calendars, inputs.value("desk")["market"])]["zone"])


def _probes(inputs: Inputs) -> Path:
    return inputs.workspace.data / "probes"


def procedure(planned: Plan) -> str:
    """What is asked, in a sentence that is enough to ask it again with the spec beside it."""
    requests = planned.probe["requests"]
    page = "" if planned.probe["session_page"] is None else f"opened {planned.probe['session_page']}, then "
    reports = ", ".join(f"{one['id']} ({one['form'].get('bld', 'a form')})" for one in requests)
    return f"{page}posted to {', '.join(dict.fromkeys(one['url'] for one in requests))}, without a login: {reports}"


def _put_new(path: Path, text: str, name: str) -> None:
    """Write a file that is not there yet. Raises AttemptThere, Unwritable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise AttemptThere(name) from None
    except OSError as error:
        raise files.Unwritable(path, error) from error


def yaml_text(value: Mapping[str, Any]) -> str:
    """The value as YAML: one member a line, the members of the answers and of the transcript below them."""
    return "".join(f"{name}:{_block(member)}" for name, member in value.items())


def _block(member: Any) -> str:
    if isinstance(member, list):
        return "\n" + "".join(f"  - {'    '.join(_lines(one))}" for one in member)
    if isinstance(member, dict):
        return "\n" + "".join(f"  {line}" for line in _lines(member))
    # A scalar in JSON is the same scalar in YAML.
    return f" {json.dumps(member, ensure_ascii=False)}\n"


def _lines(members: Mapping[str, Any]) -> list[str]:
    return [f"{name}: {json.dumps(one, ensure_ascii=False)}\n" for name, one in members.items()]


def known(folder: Path) -> list[Known]:
    """Every gap with its last attempt, and which of its transcripts are not here or not as they were recorded."""
    inputs = desk.opened(folder)
    recorded = inputs.value(ATTEMPTS)
    return [
        _known(inputs, gap, [one for one in recorded if one["gap"] == gap["id"]]) for gap in _roadmap(inputs)["gaps"]
    ]


def _known(inputs: Inputs, gap: Mapping[str, Any], recorded: Sequence[Mapping[str, Any]]) -> Known:
    made = sorted([*gap["attempts"], *recorded], key=lambda one: str(one["date"]))
    last = f"{made[-1]['date']} {made[-1]['outcome']}" if made else ""
    found = {one["id"]: files.digest(_probes(inputs) / one["transcript"]["file"]) for one in recorded}
    missing = tuple(name for name, digest in found.items() if digest is None)
    changed = tuple(one["id"] for one in recorded if found[one["id"]] not in (None, one["transcript"]["digest"]))
    return Known(gap["id"], gap["title"], gap["probe"] is not None, last, missing, changed)
