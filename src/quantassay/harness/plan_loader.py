"""The only way in for a plan that is to be carried out: it must be the very one that a passed gate has judged.

Nothing is believed because a file says so: neither its name, nor a flag, nor the gate record that lies beside it. The
gate record must be the newest one in this workspace's ledger, or lie in a package signed with a trusted key.
"""

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical, dsse, files, verify_package
from quantassay.harness.verify_package import AUDIT_ONLY, MANIFEST, RECORD, SEAL

_ENVELOPE = {"artifact", "version", "as_of", "marks", "provenance", "origins", "data"}


class PlanRefused(AssayError):
    """A file that may not be carried out as a plan."""

    exit_code = 1

    def __init__(self, path: Path, why: str, way_out: str = "run `assay run` and take the plan from Temp/") -> None:
        super().__init__(f"{path} is refused as a plan: {why}; {way_out}")


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose word counts: the digest of the newest gate record in the ledger (None: none yet), and PEM public keys."""

    newest_record: str | None
    public_keys: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A plan that may be carried out: its envelope, the digest of its file, and that of the gate record's."""

    envelope: Mapping[str, Any]
    digest: str
    record: str

    @property
    def data(self) -> Any:
        """The plan itself."""
        return self.envelope["data"]


def load(path: Path, name: str, trust: Trust, marks: Iterable[str] = (), record: Path | None = None) -> LoadedPlan:
    """The plan `name` (an artifact's name) in an artifact's file or a package; `marks` are those that may be traded on.

    For an artifact's file the gate record is taken from `record`, or from beside it. Raises PlanRefused.
    """
    try:
        if zipfile.is_zipfile(path):
            plan, gate, trusted = _from_package(path, name, trust)
        else:
            plan = path.read_bytes()
            gate = (record or path.with_name(f"{RECORD}_v1.json")).read_bytes()
            trusted = False
    except OSError as error:
        raise PlanRefused(path, f"{error.filename or path} cannot be read ({error.strerror})") from error
    envelope = _envelope(path, plan, name)
    gate_envelope = _envelope(path, gate, RECORD)
    _check_marks(path, envelope, set(marks))
    digest, own = files.sha256(plan), files.sha256(gate)
    if not trusted:
        _check_trust(path, own, trust)
    data = gate_envelope["data"]
    if data["status"] != "passed":
        raise PlanRefused(path, f"its gate record says {data['status']!r}", "see `assay gate` for what is wrong")
    if data["judged"].get(name) != digest:
        raise PlanRefused(path, f"its gate record does not name these bytes of {name}")
    return LoadedPlan(envelope, digest, own)


def _envelope(path: Path, data: bytes, name: str) -> dict[str, Any]:
    """The envelope of the artifact `name` in these bytes, which must be canonical to the last one."""
    try:
        value = canonical.loads(data)
        is_canonical = canonical.dumps(value) == data
    except (ValueError, canonical.NotCanonical) as error:
        raise PlanRefused(path, f"{name} is no JSON that the build could have written ({error})") from error
    if isinstance(value, dict) and ("audit_only" in value or AUDIT_ONLY in value.get("marks", ())):
        raise PlanRefused(path, f"{name} is {AUDIT_ONLY}")
    if not isinstance(value, dict) or set(value) != _ENVELOPE or not isinstance(value["data"], dict):
        raise PlanRefused(path, f"{name} is not in the form of an artifact")
    if value["artifact"] != name:
        raise PlanRefused(path, f"it holds the artifact {value['artifact']!r} where {name} must be")
    if not is_canonical:
        raise PlanRefused(path, f"the bytes of {name} are not as the build writes them")
    return value


def _check_marks(path: Path, envelope: Mapping[str, Any], allowed: set[str]) -> None:
    others = sorted(set(envelope["marks"]) - allowed)
    if others:
        raise PlanRefused(path, f"it is marked {', '.join(others)}", "build the plan from inputs without that mark")


def _check_trust(path: Path, record: str, trust: Trust) -> None:
    if trust.newest_record is None:
        raise PlanRefused(path, "this workspace's ledger holds no gate record", "run `assay gate` here")
    if record != trust.newest_record:
        raise PlanRefused(path, "its gate record is not the newest one in this workspace's ledger")


def _from_package(path: Path, name: str, trust: Trust) -> tuple[bytes, bytes, bool]:
    """The bytes of the plan and of the gate record in a package, and whether a trusted key has signed for them."""
    try:
        members = verify_package.read(path)
        wrong = verify_package.problems(members, path.name)
    except verify_package.NoPackage as error:
        raise PlanRefused(path, f"the package cannot be read ({error})") from error
    if wrong:
        raise PlanRefused(path, wrong[0], "see `assay verify` for all that is wrong with the package")
    if canonical.loads(members[MANIFEST])["predicate"]["audit_only"] is not False:
        raise PlanRefused(path, f"the package is {AUDIT_ONLY}")
    held = verify_package.artifacts(members)
    if name not in held:
        raise PlanRefused(path, f"the package holds no {name}")
    plan, gate = (members[verify_package.record_name(held[one][0])] for one in (name, RECORD))
    return plan, gate, SEAL in members and _is_signed(members[SEAL], trust.public_keys)


def _is_signed(envelope: bytes, public_keys: Iterable[bytes]) -> bool:
    for key in public_keys:
        try:
            dsse.payload(envelope, key)
        except (dsse.BadEnvelope, dsse.BadSignature):
            continue
        return True
    return False
