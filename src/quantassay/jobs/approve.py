"""Record that a person approved a packet as it stands, or allowed an account, a data source or a credential."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from quantassay.domain.approvals import states
from quantassay.domain.approvals.states import PACKET, Copy, Ground
from quantassay.errors import AssayError
from quantassay.harness import build, canonical, files, rulebook
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.tampering import check_recorded
from quantassay.harness.workspace import find
from quantassay.jobs import approvals as behind
from quantassay.jobs import desk, gate, governed
from quantassay.jobs.build import workspace_held
from quantassay.jobs.package import UnreadableKey

SUBJECTS = (PACKET, *(subject for subject, _, _ in behind.PERMISSIONS))
# The one gate that cannot pass before the approval that it asks for is there.
ASKS = "required_approvals"
_SIGNED = Lazy("quantassay.jobs.signatures:signature")


class UnknownSubject(AssayError):
    """A thing to approve that is of no known kind."""

    def __init__(self, given: str) -> None:
        kinds = ", ".join(f"{subject}:ID" for subject in SUBJECTS[1:])
        super().__init__(f"{given!r} is nothing that can be approved; name an artifact, or one of {kinds}")


class ApprovalRefused(AssayError):
    """An approval that would not count."""

    exit_code = 1

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"the approval of {what} is refused: {why}; nothing was written")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for: what is approved (`next_open_plan`, `account:desk`), by whom, why, for how long.

    `days` None is as long as governance allows; `key` is a PEM file to sign with.
    """

    what: str
    approver: str
    reason: str
    proposer: str | None = None
    days: int | None = None
    key: Path | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Approved:
    """The approval as it was written, its files, what a packet holds in a few words, and the command to run next."""

    approval: Mapping[str, Any]
    files: tuple[str, ...]
    holds: str
    marks: tuple[str, ...]
    next: str


def approve(folder: Path, wish: Wish) -> Approved:
    """Write the approval, and beside it the copy of a packet; a dry run only says what would be written.

    Raises ApprovalRefused where it would not count, OutOfDate, Tampered, UnknownSubject, BadWords, BadKey.
    """
    subject, name = _subject(wish.what)
    workspace = find(folder)
    with contextlib.nullcontext() if wish.dry_run else workspace_held(workspace):
        inputs = desk.built(folder) if subject == PACKET else desk.prepared(desk.opened(folder), build.Request())[0]
        inputs.source(behind.POLICY, "assay approve")
        data = _packet(inputs, name, wish.what) if subject == PACKET else None
        approval = _signed(_approval(inputs, subject, name, wish, data), wish.key)
        _check(inputs, approval, wish.what)
        stem = f"{approval['id']}_{name}"
        made = {f"{stem}.yaml": governed.document(inputs, approval, "approval", f"governance/approvals/{stem}.yaml")}
        if data is not None:
            # The copy lies there first: an approval without one counts as forged.
            made = {behind.copy_file(approval): canonical.dumps(data), **made}
        for file, text in made.items() if not wish.dry_run else ():
            files.write(behind.folder_of(inputs) / file, text)
        marks = tuple(inputs.marks(name)) if subject == PACKET else ()
        named = tuple(f"governance/approvals/{file}" for file in made)
        return Approved(approval, named, _told(data) if data else "", marks, governed.next_run(inputs))


def _subject(what: str) -> tuple[str, str]:
    kind, colon, name = what.rpartition(":")
    kind = kind.replace("-", "_") if colon else PACKET
    if kind not in SUBJECTS or not name:
        raise UnknownSubject(what)
    return kind, name


def _packet(inputs: Inputs, name: str, what: str) -> dict[str, Any]:
    """The data of a packet that may be put before a person: built from what lies there, and passed by the gates."""
    if name not in _contents(inputs):
        can = ", ".join(_contents(inputs)) or "nothing"
        raise ApprovalRefused(what, f"it is no packet that governance lets anybody approve; that may be {can}")
    check_recorded(inputs)
    gate.check_current(inputs)
    if inputs.state.steps.get("gate") is None or not gate.is_current(inputs):
        raise ApprovalRefused(what, "the gate record is not of what lies there now; run `assay run`")
    failing = rulebook.failing(inputs.value("severities"))
    for one in inputs.envelope(gate.RECORD)["data"]["gates"]:
        # A person cannot be asked to answer for what the gates refuse: the signature would still be there once
        # the finding is gone. Only the finding that the approval itself is missing must not stand in its way.
        if one["error"] is not None:
            raise ApprovalRefused(what, f"the gate {one['gate']} crashed; put it right and run `assay run`")
        against = [row for row in one["findings"] if row["waiver"] is None and row["severity"] in failing]
        if against and one["gate"] != ASKS:
            first = f"{against[0]['artifact']}{against[0]['pointer']} {against[0]['says']}"
            raise ApprovalRefused(
                what, f"the gate {one['gate']} is not passed ({first}); put it right and run `assay run`"
            )
    return dict(inputs.value(name))


def _contents(inputs: Inputs) -> dict[str, str]:
    """The digest of each packet that governance lets anybody approve. Raises NotBuilt."""
    there = {row["name"]: row["content"] for row in inputs.value("approvable_packets")["packets"]}
    return {name: there[name] for name in inputs.value(behind.POLICY)["packets"] if name in there}


def _approval(inputs: Inputs, subject: str, name: str, wish: Wish, data: Mapping[str, Any] | None) -> dict[str, Any]:
    policy, day = inputs.value(behind.POLICY), behind.today(inputs)
    days = policy["longest_days"][f"{subject}s"] if wish.days is None else wish.days
    bars = inputs.handed["bars"].digest if "bars" in inputs.handed else ""
    ground = behind.ground_of(inputs, bars)
    bound = {
        "content": canonical.digest(data),
        "rules": ground["rules"],
        "data_cut": {"as_of": inputs.value("as_of"), "bars": bars},
    }
    return {
        "id": governed.next_id("A", [one["id"] for one in inputs.value("approvals")]),
        "subject": subject,
        "name": name,
        "workspace": ground["workspace"],
        **(bound if data is not None else {}),
        **({"proposer": wish.proposer} if wish.proposer is not None else {}),
        "approver": wish.approver,
        "reason": wish.reason,
        "granted": day.isoformat(),
        "expires": _last(day, days).isoformat(),
    }


def _last(day: date, days: int) -> date:
    # Longer than any policy allows; the policy then says so.
    return day + timedelta(days=min(days, 36_600))


def _signed(approval: dict[str, Any], key: Path | None) -> dict[str, Any]:
    if key is None:
        return approval
    try:
        pem = key.read_bytes()
    except OSError as error:
        raise UnreadableKey(key, error.strerror or str(error)) from error
    return {**approval, "signature": _SIGNED(approval, pem)}


def _check(inputs: Inputs, approval: Mapping[str, Any], what: str) -> None:
    """Raise ApprovalRefused unless the approval, laid beside the others, would be in force at once."""
    policy, every = inputs.value(behind.POLICY), [*inputs.value("approvals"), approval]
    copies = {one["id"]: Copy(None, behind.signature_of(one, policy)) for one in every}
    contents: dict[str, str] = {}
    ground = behind.ground_of(inputs, "")
    if approval["subject"] == PACKET:
        if approval.get("proposer") is None:
            raise ApprovalRefused(what, "a packet needs somebody who proposed it; name the person with --proposer")
        contents = _contents(inputs)
        ground = behind.ground_of(inputs, approval["data_cut"]["bars"])
        copies[approval["id"]] = Copy(approval["content"], behind.signature_of(approval, policy))
    known = {**ground["known"], PACKET: contents}
    now = Ground(behind.today(inputs), ground["workspace"], ground["rules"], ground["bars"], known, contents)
    found = states.states(every, policy, now, copies)[-1]
    if found.state == "wrong_scope" and approval["subject"] != PACKET:
        raise ApprovalRefused(what, f"{found.why}; there are {', '.join(known[approval['subject']])}")
    if found.state != states.IN_FORCE:
        raise ApprovalRefused(what, found.why)


def _told(data: Mapping[str, Any]) -> str:
    """What is in a packet: each plain member with its value, each list with its length."""
    plain = [f"{name} {value}" for name, value in data.items() if isinstance(value, str | int)]
    lists = [f"{len(value)} {name.replace('_', ' ')}" for name, value in data.items() if isinstance(value, list)]
    return ", ".join([*plain, *lists])
