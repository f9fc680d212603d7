"""Packages: one zip with the artifacts, the gate record, the reports and all they stand on, or one marked AUDIT-ONLY.

A package is a statement (in-toto Statement v1) over the digest of each file in it. Same files, same bytes.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical, raw_texts, verify_package
from quantassay.harness.files import sha256
from quantassay.harness.verify_package import AUDIT_ONLY, BELOW, FRONT_PAGE, MANIFEST, RECORD, SEAL
from quantassay.harness.workspace import Workspace
from quantassay.secrecy import kinds_in_name, withheld_name

Members = dict[str, bytes]
Seal = Callable[[bytes], bytes]

_ARTIFACT = re.compile(r"[a-z][a-z0-9_]*_v\d+\.(json|parquet)")
_REPORT = re.compile(r"[a-z][a-z0-9_]*_v\d+(\.md|\.trace\.json|\.[a-z0-9_-]+\.svg)")
_SCRIPT = "verify.py"


class PackageRefused(AssayError):
    """What cannot leave the house as a package."""

    exit_code = 1

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = tuple(reasons)
        more = f" (and {len(reasons) - 1} more: {'; '.join(reasons[1:])})" if reasons[1:] else ""
        super().__init__(
            f"the package is refused: {reasons[0]}{more}; put it right and run `assay run`, "
            "or make a package that cannot be traded with `assay package --audit-only`"
        )


class NothingToPackage(AssayError):
    """Not even an audit-only package has content."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds no artifact to package; run `assay run` first")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a package says of itself beyond its files.

    `units` are {"room", "name", "digest", "origin"} of every builder, validator, renderer and tool.
    """

    name: str
    engine: str
    units: tuple[Mapping[str, str], ...]


def file_name(name: str, *, audit_only: bool) -> str:
    """The name of a package's file."""
    return f"{AUDIT_ONLY}-{name}.zip" if audit_only else f"{name}.zip"


def collect(workspace: Workspace) -> Members:
    """The files of a workspace that belong in a package, by their names in it. Raises NothingToPackage."""
    members: Members = {}
    for path in sorted(workspace.temp.glob("*")):
        folder = "artifacts" if _ARTIFACT.fullmatch(path.name) else "reports" if _REPORT.fullmatch(path.name) else None
        if folder is not None:
            members[f"{folder}/{path.name}"] = path.read_bytes()
    if not any(name.startswith("artifacts/") for name in members):
        raise NothingToPackage(workspace.temp)
    members |= {path.relative_to(workspace.root).as_posix(): path.read_bytes() for path in workspace.texts()}
    packets = workspace.governance.glob("approvals/*.packet.json")
    members |= {path.relative_to(workspace.root).as_posix(): path.read_bytes() for path in packets}
    schemas = {f"spec/schemas/{path.name}": path.read_bytes() for path in workspace.schemas.values()}
    return dict(sorted((members | schemas).items()))


def credentials(files: Mapping[str, bytes]) -> list[str]:
    """The texts among the files that seem to hold a credential, in words that repeat nothing of it."""
    found = []
    for name, data in sorted(files.items()):
        # A packet is what the program made of specs that were searched; its amounts stand in quotes.
        if name.startswith(("spec/", "governance/")) and not name.endswith(".packet.json"):
            lines = [(0, what) for what in kinds_in_name(name)]
            lines += [(one["line"], one["what"]) for one in raw_texts.matched(data)]
            shown = withheld_name(name)
            found += [
                f"{shown}:{line} seems to hold {what}" if line else f"{shown} holds {what}" for line, what in lines
            ]
    return found


def build(files: Mapping[str, bytes], facts: Facts, seal: Seal | None = None) -> bytes:
    """The bytes of a package; `seal` makes the signed envelope of its statement. Raises PackageRefused.

    The gate record must say passed, each artifact be the one it judged, each report be made from these artifacts.
    """
    reasons = _reasons(files)
    if reasons:
        raise PackageRefused(reasons)
    return _sealed(dict(files), facts, {"audit_only": False, "waivers": _record(files)["waivers"]}, seal)


def build_audit_only(files: Mapping[str, bytes], facts: Facts, seal: Seal | None = None) -> bytes:
    """The bytes of a package for readers only: everything in it says AUDIT-ONLY and what is wrong.

    Each JSON file is held under `would_have_been`, each artifact in there carries the mark AUDIT-ONLY, and each report
    opens with a banner, so that nothing in it can be taken for a plan that passed.
    """
    reasons, record = _reasons(files), _record(files)
    findings = failing(record)
    members: Members = {}
    for name, data in files.items():
        own = name.startswith(("artifacts/", "reports/")) and not name.endswith(".svg")
        members[_audit_name(name) if own else name] = _marked(name, data, findings, reasons) if own else data
    more = {"audit_only": True, "findings": findings, "problems": reasons, "waivers": record.get("waivers", [])}
    return _sealed(members, facts, more, seal)


def failing(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The findings, in a gate record's data, of the gates that did not pass; a crash is one too."""
    found: list[dict[str, Any]] = []
    for gate in record.get("gates", ()):
        if gate["status"] != "passed":
            found += [finding for finding in gate["findings"] if finding["waiver"] is None]
            if gate["error"] is not None:
                found.append(
                    {"rule": ", ".join(gate["rules"]), "gate": gate["gate"], "says": f"crashed: {gate['error']}"}
                )
    return found


def _reasons(files: Mapping[str, bytes]) -> list[str]:
    taken = sorted(files.keys() & {MANIFEST, SEAL, FRONT_PAGE, _SCRIPT})
    try:
        return [f"{name} is a name that the package itself uses" for name in taken] + verify_package.chain(files)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"a file is not of the right form ({type(error).__name__}: {error})"]


def _record(files: Mapping[str, bytes]) -> dict[str, Any]:
    held = verify_package.artifacts(files)
    return dict(held[RECORD][0]["data"]) if RECORD in held else {}


def _audit_name(name: str) -> str:
    folder, _, file = name.rpartition("/")
    stem, _, ending = file.partition(".")
    return f"{folder}/{stem}.audit.{ending}"


def _marked(name: str, data: bytes, findings: list[dict[str, Any]], reasons: list[str]) -> bytes:
    if name.endswith(".parquet"):
        return data
    if name.endswith(".md"):
        return _banner(findings, reasons).encode() + BELOW + data
    value = canonical.loads(data)
    if name.startswith("artifacts/"):
        value["marks"] = [AUDIT_ONLY, *value["marks"]]
    return canonical.dumps({"audit_only": True, "findings": findings, "would_have_been": value})


def _banner(findings: Iterable[Mapping[str, Any]], reasons: Iterable[str]) -> str:
    failed = [*reasons]
    failed += [f"{f['rule']}, {f['gate']}: {f.get('artifact', '')}{f.get('pointer', '')} {f['says']}" for f in findings]
    lines = [f"> - {line}" for line in failed or ["nothing: it was asked for as audit-only"]]
    head = f"> **{AUDIT_ONLY}: for reading, not for trading.** What had failed when this was packaged:"
    return "\n".join([head, ">", *lines]) + "\n\n"


def _sealed(members: Members, facts: Facts, more: Mapping[str, Any], seal: Seal | None) -> bytes:
    """The front page, the statement over the members, its signature, and the zip of them all."""
    members[_SCRIPT] = Path(verify_package.__file__).read_bytes()
    predicate = _predicate(members, facts, more)
    members[FRONT_PAGE] = _front_page(predicate).encode()
    statement = canonical.dumps(_statement(members, predicate))
    members[MANIFEST] = statement
    if seal is not None:
        members[SEAL] = seal(statement)
    return archive(members)


def _front_page(predicate: Mapping[str, Any]) -> str:
    gate = predicate["gate"]
    passed = "There is no gate record." if gate is None else f"The gate record says {gate['status']}."
    return (
        f"{verify_package.opening(predicate)}\n"
        f"Made by {predicate['engine']}, as of {predicate['as_of'] or 'no instant'}. {passed}\n\n"
        "- `reports/`: the pages to read, each with the trace of its numbers\n"
        "- `artifacts/`: what the pages are made from, and the gate record\n"
        "- `spec/`, `governance/`: what was wanted and what was allowed, approvals and waivers among it\n\n"
        "Check it with `python verify.py` in this folder, or better with `assay verify` and a script of your own.\n"
    )


def _statement(members: Mapping[str, bytes], predicate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "_type": verify_package.STATEMENT,
        "predicateType": verify_package.PREDICATE,
        "subject": [
            {"name": name, "digest": {"sha256": sha256(data).removeprefix("sha256:")}}
            for name, data in sorted(members.items())
        ],
        "predicate": dict(predicate),
    }


def _predicate(members: Mapping[str, bytes], facts: Facts, more: Mapping[str, Any]) -> dict[str, Any]:
    plain = verify_package.unwrapped(members)[0] if more["audit_only"] else members
    held = verify_package.artifacts(plain)
    marks = {mark for envelope, _ in held.values() for mark in envelope["marks"]}
    gate, as_of = None, None
    if RECORD in held:
        envelope = held[RECORD][0]
        as_of = envelope["as_of"]
        digest = sha256(plain[verify_package.record_name(envelope)])
        gate = {key: envelope["data"][key] for key in ("status", "rules_digest")} | {"record": digest}
    return {
        "package": facts.name,
        "engine": facts.engine,
        "as_of": as_of,
        "marks": sorted(marks | ({AUDIT_ONLY} if more["audit_only"] else set())),
        "gate": gate,
        "units": [dict(unit) for unit in facts.units],
        **more,
    }


def archive(members: Mapping[str, bytes]) -> bytes:
    """A zip whose bytes depend on nothing but the members: stored, sorted, one date, one mode, one system."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            file.writestr(entry, members[name])
    return buffer.getvalue()
