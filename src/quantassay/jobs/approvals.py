"""What lies behind approvals: the copies of what was approved, the signatures, and the ground that they stand on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from quantassay.domain.approvals import states
from quantassay.domain.approvals.states import PACKET, Copy, Ground, State
from quantassay.harness import canonical, code, files, rulebook
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy

POLICY = "approval_policy"
UNSIGNED = "unsigned"
# What may be allowed by name: the subject of an approval, the input that lists its names, the member that holds them.
PERMISSIONS = (
    ("account", "accounts", "accounts"),
    ("data_source", "data_sources", "data_sources"),
    ("credential", "credentials", "credentials"),
)
# cryptography is loaded only where an approval carries a signature.
_CHECKED = Lazy("quantassay.jobs.signatures:checked")
Approval = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether something may be used now, and why or why not in one sentence."""

    allowed: bool
    reason: str


def handed(inputs: Inputs, bars: str) -> Iterator[Handed]:
    """`approved_packets` and `approval_ground`, for a desk whose bars have this content digest.

    Nothing where governance has no approval_policy.yaml.
    """
    if POLICY not in inputs.sources:
        return
    approvals, policy, folder = inputs.value("approvals"), inputs.value(POLICY), folder_of(inputs)
    parts = (approvals, policy, folder)
    yield Handed(
        "approved_packets",
        packets_digest(*parts),
        Lazy("quantassay.jobs.approvals:packets", parts),
        explain=Lazy("quantassay.jobs.approvals:packet_line", (approvals, folder)),
        recheck=Lazy("quantassay.jobs.approvals:packets_digest", parts),
    )
    ground = ground_of(inputs, bars)
    words = f"the workspace {ground['workspace']}, its rules {ground['rules']}, its bars {bars}"
    explain = Lazy("quantassay.jobs.explain:as_said", (words,))
    yield Handed("approval_ground", canonical.digest(ground), Lazy("copy:deepcopy", (ground,)), explain=explain)


def folder_of(inputs: Inputs) -> Path:
    """Where the approvals of a workspace lie."""
    return inputs.workspace.governance / "approvals"


def copy_file(approval: Approval) -> str:
    """The name of the file that keeps what was approved, beside the approval."""
    return f"{approval['id']}_{approval['name']}.packet.json"


def packets_digest(approvals: Sequence[Approval], policy: Mapping[str, Any], folder: Path) -> str:
    """The digest of all that `packets` depends on: also whether signatures can be checked here."""
    kept = [files.digest(folder / copy_file(one)) for one in approvals if one["subject"] == PACKET]
    return canonical.digest([list(approvals), dict(policy), kept, code.version("cryptography")])


def packets(approvals: Sequence[Approval], policy: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """By approval id: the artifact that it approves, the data as approved, and what its signature is worth.

    `name` and `content` are null for a permission; `content` also where the copy is missing or cannot be read.
    Raises BadListedKey.
    """
    return {
        one["id"]: {
            "name": one["name"] if one["subject"] == PACKET else None,
            "content": _kept(folder / copy_file(one)) if one["subject"] == PACKET else None,
            "signature": signature_of(one, policy),
        }
        for one in approvals
    }


def signature_of(approval: Approval, policy: Mapping[str, Any]) -> str:
    """`valid`, `invalid`, `unknown_key`, `not_checked` or `unsigned`. Raises BadListedKey."""
    if "signature" not in approval:
        return UNSIGNED
    return str(_CHECKED(approval, states.public_keys(policy, approval["approver"])))


def _kept(path: Path) -> Any:
    """The approved data, in whatever layout the file has them; None where there are none that have a digest."""
    try:
        value = canonical.read(path)
        canonical.digest(value)
    except (canonical.UnreadableJson, canonical.NotCanonical):
        return None
    return value


def packet_line(approvals: Sequence[Approval], folder: Path, pointer: str) -> list[str]:
    """Which file holds what was approved."""
    wanted = pointer.split("/")[1:2]
    named = [one for one in approvals if one["subject"] == PACKET and one["id"] in (wanted or [one["id"]])]
    return [f"governance/{folder.name}/{copy_file(one)}{pointer}" for one in named] or ["no packet was approved"]


def ground_of(inputs: Inputs, bars: str) -> dict[str, Any]:
    """What approvals are held against: the workspace, its rules and bars by digest, the names that can be allowed."""
    known = {
        subject: [one["id"] for one in inputs.value(name)[member]] if name in inputs.sources else []
        for subject, name, member in PERMISSIONS
    }
    rules = rulebook.digest(rulebook.parse(inputs.value("rules")))
    return {"workspace": str(inputs.settings["name"]), "rules": rules, "bars": bars, "known": known}


def permission_states(inputs: Inputs, approvals: Sequence[Approval], day: date) -> list[State]:
    """The state on a day of each of these approvals, of which the packets' are not asked."""
    policy, ground = inputs.value(POLICY), ground_of(inputs, "")
    copies = {one["id"]: Copy(None, signature_of(one, policy)) for one in approvals}
    now = Ground(day, ground["workspace"], ground["rules"], "", {**ground["known"], PACKET: ()}, {})
    return states.states(approvals, policy, now, copies)


def credential_allowed(inputs: Inputs, name: str, day: date | None = None) -> Permission:
    """Whether governance lets the desk log in with this credential: it is listed as allowed, and an approval holds.

    To be asked before every login. `day` is that of the run where there is one, and else today.
    """
    listed = inputs.value("credentials")["credentials"] if "credentials" in inputs.sources else []
    entry = next((one for one in listed if one["id"] == name), None)
    if entry is None:
        return Permission(allowed=False, reason=f"governance/credentials.yaml does not list the credential {name}")
    if entry["status"] != "allowed":
        return Permission(allowed=False, reason=f"governance/credentials.yaml refuses {name}: {entry['why']}")
    return _approved(inputs, "credential", name, day or today(inputs))


def account_approved(inputs: Inputs, name: str, day: date | None = None) -> Permission:
    """Whether an approval of this account is in force, as one of real money must have.

    `day` is that of the run where there is one, and else today.
    """
    return _approved(inputs, "account", name, day or today(inputs))


def source_allowed(inputs: Inputs, name: str, day: date | None = None) -> Permission:
    """Whether governance lets the desk take data from this source; one with a login needs two approvals in force.

    To be asked before a source is: the source is listed as allowed, and where it asks for a login, an approval of the
    source and the login itself hold. `day` is that of the run where there is one, and else today.
    """
    listed = inputs.value("data_sources")["data_sources"] if "data_sources" in inputs.sources else []
    entry = next((one for one in listed if one["id"] == name), None)
    if entry is None:
        return Permission(allowed=False, reason=f"governance/data_sources.yaml does not list the source {name}")
    if entry["status"] != "allowed":
        return Permission(allowed=False, reason=f"governance/data_sources.yaml refuses {name}: {entry['why']}")
    if not entry["login"]:
        return Permission(allowed=True, reason=entry["why"])
    if "credential" not in entry:
        return Permission(allowed=False, reason=f"governance/data_sources.yaml names no login for {name}")
    own = _approved(inputs, "data_source", name, day or today(inputs))
    return credential_allowed(inputs, entry["credential"], day) if own.allowed else own


def _approved(inputs: Inputs, subject: str, name: str, day: date) -> Permission:
    """Whether an approval of this name is in force."""
    if POLICY not in inputs.sources:
        return Permission(allowed=False, reason="there is no governance/approval_policy.yaml")
    approvals = inputs.value("approvals")
    found = permission_states(inputs, approvals, day)
    mine = [
        (one, state)
        for one, state in zip(approvals, found, strict=True)
        if (one["subject"], one["name"]) == (subject, name)
    ]
    for one, state in mine:
        if state.state == states.IN_FORCE:
            return Permission(allowed=True, reason=f"{one['id']} by {one['approver']}: {state.why}")
    told = "; ".join(f"{one['id']}: {state.why}" for one, state in mine)
    missing = f"no approval of the {subject.replace('_', ' ')} {name} is in force{f' ({told})' if told else ''}"
    return Permission(allowed=False, reason=f"{missing}; `assay approve {subject}:{name}` records one")


def today(inputs: Inputs) -> date:
    """The day of the run, by the instant that it was handed; else that of the clock."""
    if "as_of" in inputs.handed:
        return datetime.fromisoformat(inputs.value("as_of")).date()
    return datetime.now(UTC).date()
