"""Checks a QuantAssay package with nothing but Python: every file as listed, the gate passed, the digests linked.

    python verify.py [FOLDER or ZIP] [--key PUBLIC.pem]

Without a path it checks the package that it lies in. It prints one line for each problem.
Exit 0: in order; 1: problems; 2: could not be read, or a signature that could not be checked.
A signature needs the `cryptography` package; everything else needs only the standard library. Whoever can change
the package can change this script in it too: take the script from your own copy, and ask for `--key`.
"""

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    CAN_CHECK_SIGNATURES = True
except ImportError:  # then a signature is reported as not checked
    CAN_CHECK_SIGNATURES = False

STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "urn:quantassay:package:v1"
PAYLOAD = b"application/vnd.in-toto+json"
MANIFEST, SEAL, RECORD = "manifest.json", "manifest.dsse.json", "gate_record"
# A person who opens the package looks here first.
FRONT_PAGE = "README.md"
# What the engine writes about the artifacts: no gate judges it, and it names the gate record by its digest.
ABOUT = "definition_of_done"
AUDIT_ONLY = "AUDIT-ONLY"
TABLE = {"rows", "columns", "key", "digest"}
# In an audit-only package JSON stands behind this member and a report below this line, so that what was judged can be
# cut out again byte by byte.
HELD, BELOW = b',"would_have_been":', b"<!-- AUDIT-ONLY: what would have been the report stands below -->\n\n"
MARKED = b'"marks":["AUDIT-ONLY"'


class NoPackage(Exception):
    """A file that is no package."""


def read(path: Path) -> dict[str, bytes]:
    """Every file of a package by its name. Raises NoPackage, OSError."""
    if path.is_dir():
        return {p.relative_to(path).as_posix(): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}
    members: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                name = entry.filename
                outside = name.startswith("/") or "\\" in name or ".." in name.split("/")
                if name in members or outside or entry.compress_type != zipfile.ZIP_STORED:
                    raise NoPackage(name)
                members[name] = archive.read(entry)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise NoPackage(error) from error
    return members


def digest(data: bytes) -> str:
    """`sha256:` and the hex digest."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def content(envelope: bytes) -> str:
    """The digest by which artifacts name each other: of the data and marks as they stand in the canonical bytes."""
    text = envelope.decode()
    start = text.index(',"data":') + 1
    _, end = json.JSONDecoder().raw_decode(text, start + len('"data":'))
    _, end = json.JSONDecoder().raw_decode(text, text.index(',"marks":', end, end + 9) + 9)
    return digest(f"{{{text[start:end]}}}\n".encode())


def problems(members: Mapping[str, bytes], file_name: str = "") -> list[str]:
    """All that is wrong with a package, a sentence each; `file_name` is that of its zip."""
    try:
        manifest = json.loads(members[MANIFEST])
        predicate = manifest["predicate"]
        found = list(_listed(members, manifest))
        plain, owned = dict(members), []
        if predicate["audit_only"] is not False:
            plain, unmarked = unwrapped(members)
            owned = predicate["problems"]
            if file_name.endswith(".zip") and not file_name.startswith(AUDIT_ONLY):
                found.append(f"this package is {AUDIT_ONLY} and its file name does not begin with it")
            if unmarked:
                return found + unmarked
        found += [problem for problem in chain(plain) if problem not in owned]
        return found + list(_told(members, plain, predicate))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"{MANIFEST} or a file that it lists is not of the right form ({type(error).__name__}: {error})"]


def _listed(members: Mapping[str, bytes], manifest: dict[str, Any]) -> Iterator[str]:
    if (manifest["_type"], manifest["predicateType"]) != (STATEMENT, PREDICATE):
        yield f"{MANIFEST} is no statement about a package"
    listed = {subject["name"]: "sha256:" + subject["digest"]["sha256"] for subject in manifest["subject"]}
    for name in sorted(listed.keys() | members.keys() - {MANIFEST, SEAL}):
        if name not in members:
            yield f"{name} is listed and missing"
        elif name not in listed:
            yield f"{name} is not listed in {MANIFEST}"
        elif digest(members[name]) != listed[name]:
            yield f"{name} was changed after it was packaged"
    if SEAL in members and base64.b64decode(json.loads(members[SEAL])["payload"]) != members[MANIFEST]:
        yield f"{SEAL} is over another {MANIFEST}"


def _told(members: Mapping[str, bytes], plain: Mapping[str, bytes], predicate: dict[str, Any]) -> Iterator[str]:
    """What the manifest says against what the package holds, and the marks that every report must show."""
    held = artifacts(plain)
    marks = {mark for envelope, _ in held.values() for mark in envelope["marks"]}
    true: dict[str, Any] = {
        "marks": sorted(marks | ({AUDIT_ONLY} if predicate["audit_only"] is not False else set())),
        "gate": None,
        "waivers": [],
    }
    if RECORD in held:
        record = held[RECORD][0]
        told = {key: record["data"][key] for key in ("status", "rules_digest")}
        true |= {"gate": {**told, "record": digest(plain[record_name(record)])}, "as_of": record["as_of"]}
        true["waivers"] = record["data"]["waivers"]
    for key, value in true.items():
        if predicate[key] != value:
            yield f"{MANIFEST} says {key} {json.dumps(predicate[key])}, the package holds {json.dumps(value)}"
    if not members.get(FRONT_PAGE, b"").startswith(opening(predicate).encode()):
        yield f"{FRONT_PAGE} does not open with the marks and the waivers of the package"
    for name in sorted(name for name in members if name.startswith("reports/") and name.endswith(".md")):
        text = members[name].decode()
        yield from (f"{name} does not show the mark {mark}" for mark in true["marks"] if mark not in text)


def waived(predicate: Mapping[str, Any]) -> list[str]:
    """A line for each waiver in force: what was found and is not counted, until when, and who answers for it."""
    lines = []
    for waiver in predicate["waivers"]:
        if waiver["state"] == "active":
            found = f"{waiver['findings']} finding{'' if waiver['findings'] == 1 else 's'}"
            where = f"{found} of {waiver['rule']} at {waiver['artifact']}{waiver['pointer']}"
            who = f"until {waiver['expires']}, by {waiver['approver']}: {waiver['reason']}"
            words = f"WAIVED {waiver['id']}: {where}, {who}"
            lines.append("".join(c if c.isprintable() else "?" for c in " ".join(words.split())))
    return lines


def opening(predicate: Mapping[str, Any]) -> str:
    """How the front page must begin: the package's name, its marks, and everything that is waived."""
    told = [f"**{mark}**" for mark in predicate["marks"]] + (waived(predicate) or ["No finding is waived."])
    quoted = ">\n".join(f"> {line.replace('<', '&lt;')}\n" for line in told)
    return f"# {predicate['package']}\n\n{quoted}"


def chain(members: Mapping[str, bytes]) -> list[str]:
    """Artifact, gate record and the reports' traces must name each other's digests, and the gate must have passed."""
    held = artifacts(members)
    marked = [name for name, (envelope, _) in held.items() if AUDIT_ONLY in envelope["marks"]]
    marked += [name for name in members if ".audit." in name]
    if marked or RECORD not in held:
        return [f"{name} is {AUDIT_ONLY}" for name in sorted(marked)] or ["there is no gate record"]
    if ABOUT not in held or RECORD not in _sources(held[ABOUT][0]):
        return [f"there is no {ABOUT} that names the gate record"]
    data, judged = held[RECORD][0]["data"], held[RECORD][0]["data"]["judged"]
    found = [] if data["status"] == "passed" else [f"the gate record says {data['status']}"]
    for name in sorted(judged.keys() | held.keys() - {RECORD, ABOUT}):
        if name not in held:
            found.append(f"the artifact {name} was judged and is missing")
        elif name not in judged:
            found.append(f"the artifact {name} was not judged by the gate")
        elif judged[name] not in held[name][1]:
            found.append(f"the artifact {name} is not the one that the gate judged")
    links = [(f"the artifact {name}", _sources(envelope)) for name, (envelope, _) in sorted(held.items())]
    pages = {
        n: json.loads(d) for n, d in sorted(members.items()) if n.startswith("reports/") and n.endswith(".trace.json")
    }
    links += [(name, trace["sources"]) for name, trace in pages.items()]
    for who, sources in links:
        other = [source for source in sorted(sources) if source not in held or sources[source] not in held[source][1]]
        found += [f"{who} was made from another {source}" for source in other]
    return found + list(_parts(members, held, pages))


def _parts(members: Mapping[str, bytes], held: Mapping[str, Any], traces: Mapping[str, Any]) -> Iterator[str]:
    """Every page and picture must be the one that a trace names; a table is its sidecar and its Parquet file."""
    named: dict[str, str] = {}
    for name, trace in traces.items():
        named[name.replace(".trace.json", ".md")] = trace["digest"]
        named |= {f"reports/{image['file']}": image["digest"] for image in trace["images"]}
    there = {name for name in members if name.startswith("reports/") and name.endswith((".md", ".svg"))}
    for name in sorted(named.keys() | there):
        if name not in named or name not in there or digest(members[name]) != named[name]:
            yield f"{name} is not what a trace names"
    tables = {record_name(envelope) for envelope, _ in held.values() if envelope["data"].keys() == TABLE}
    halves = {name.replace(".parquet", ".json") for name in members if name.endswith(".parquet")}
    yield from (f"{name} is only half of a table" for name in sorted(tables ^ halves))


def _sources(envelope: dict[str, Any]) -> dict[str, str]:
    inputs = envelope.get("provenance", {}).get("inputs", ())
    return {source["name"]: source["digest"] for source in inputs if source["kind"] in ("artifact", "table")}


def artifacts(members: Mapping[str, bytes]) -> dict[str, tuple[dict[str, Any], set[str]]]:
    """Each artifact by its own name: its envelope, and the digests of its content and of its bytes."""
    held = {}
    for name, data in members.items():
        if name.startswith("artifacts/") and name.endswith(".json") and ".audit." not in name:
            envelope = json.loads(data)
            if name != record_name(envelope):
                raise ValueError(name)
            held[envelope["artifact"]] = (envelope, {content(data), digest(data)})
    return held


def record_name(envelope: dict[str, Any]) -> str:
    """The name of the file that an artifact must lie in."""
    return f"artifacts/{envelope['artifact']}_v{envelope['version']}.json"


def unwrapped(members: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """The files as they were before they were made audit-only, and those that do not say that they are."""
    plain, found = dict(members), []
    for name in sorted(n for n in members if n.startswith(("artifacts/", "reports/")) and not n.endswith(".svg")):
        data = plain.pop(name)
        if name.endswith(".parquet"):
            says, rest = True, data
        elif name.endswith(".md"):
            head, _, rest = data.partition(BELOW)
            says = AUDIT_ONLY.encode() in head.partition(b"\n")[0] and bool(rest)
        else:
            _, held, rest = data.partition(HELD)
            says = held != b"" and json.loads(data)["audit_only"] is True
            front, mark, back = rest[:-2].rpartition(MARKED)
            says = says and (mark != b"" or name.startswith("reports/"))
            rest = (front + b'"marks":[' + back.removeprefix(b",") if mark else back) + b"\n"
        if not says or ".audit." not in name:
            found.append(f"{name} does not say that it is {AUDIT_ONLY}")
        plain[name.replace(".audit.", ".")] = rest
    return plain, found


def front(members: Mapping[str, bytes]) -> list[str]:
    """What somebody answers for in this package, to be read before anything else; nothing where that cannot be read."""
    try:
        return waived(json.loads(members[MANIFEST])["predicate"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def signature(members: Mapping[str, bytes], key: bytes | None) -> tuple[int, str]:
    """What the signature adds to the exit code, and what to say of it."""
    if key is None:
        return 0, "NOT CHECKED, no --key was given" if SEAL in members else "none"
    if SEAL not in members:
        return 1, "none, and a key was given"
    if not CAN_CHECK_SIGNATURES:
        return 2, "NOT CHECKED, this Python has no `cryptography` package"
    try:
        seal = json.loads(members[SEAL])
        body = base64.b64decode(seal["payload"])
        public = load_pem_public_key(key)
        if not isinstance(public, Ed25519PublicKey):
            return 2, "NOT CHECKED, the key is no Ed25519 public key"
        signed = b"DSSEv1 %d %b %d %b" % (len(PAYLOAD), PAYLOAD, len(body), body)
        public.verify(base64.b64decode(seal["signatures"][0]["sig"]), signed)
    except (InvalidSignature, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        return 1, f"does not hold for this key ({type(error).__name__})"
    return 0, "holds for this key"


def main(arguments: list[str]) -> int:
    """Check one package and print what was found."""
    parser = argparse.ArgumentParser(description="Check a QuantAssay package.")
    parser.add_argument("path", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", type=Path, help="PEM file with the Ed25519 public key of the sender")
    options = parser.parse_args(arguments)
    try:
        members = read(options.path)
        key = options.key.read_bytes() if options.key else None
    except (NoPackage, OSError) as error:
        sys.stdout.write(f"{options.path} cannot be read as a package: {error}\n")
        return 2
    found = problems(members, options.path.name)
    signed, says = signature(members, key)
    sys.stdout.write("".join(f"{line}\n" for line in front(members)))
    sys.stdout.write("".join(f"{problem}\n" for problem in found))
    sys.stdout.write(f"{len(members)} files, {len(found)} problems, signature: {says}\n")
    return 1 if found else signed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
