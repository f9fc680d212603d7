"""A desk of two artifacts, a table, a gate record and a report, small enough to see through, as a package's files."""

import io
import zipfile

import pytest

from quantassay.harness import canonical, done, dsse, gate, package, verify_package
from quantassay.harness.rulebook import EngineGate

AS_OF = "2026-11-18T15:45:00+09:00"
TABLE = {"rows": 0, "columns": {}, "key": ["ticker"], "digest": "sha256:00"}
RULES = [
    {"id": "R01", "statement": "s", "why": "w", "enforced_by": ["whole_lots"], "severity": "error", "waivable": True}
]


def envelope_of(name, data, inputs=(), marks=("SAMPLE",)):
    builder = {"file": f"builders/{name}.py", "digest": "sha256:00", "origin": "standard"}
    return {
        "artifact": name,
        "version": 1,
        "as_of": AS_OF,
        "marks": list(marks),
        "provenance": {"builder": builder, "engine": "quantassay 0.1.0", "inputs": list(inputs), "libraries": []},
        "origins": {"/**": ["next_open:"]},
        "data": data,
    }


def desk_files(quantity=10, marks=("SAMPLE",)):
    """The files of a package whose one gate wants whole lots of ten."""
    signals = canonical.dumps(envelope_of("signals", {"names": [{"ticker": "900010", "close": 5010.5}]}, (), marks))
    source = {"name": "signals", "kind": "artifact", "digest": verify_package.content(signals)}
    orders = [{"ticker": "900010", "side": "buy", "quantity": quantity, "data": '","data":', "origins": {"marks": []}}]
    plan = canonical.dumps(envelope_of("next_open_plan", {"orders": orders}, [source], marks))
    history = canonical.dumps(envelope_of("history", TABLE, (), marks))
    made = {"next_open_plan": plan, "signals": signals, "history": history}
    judged = {name: canonical.sha256(data) for name, data in made.items()}
    verdict = gate.conclude([lots_judged(quantity)], RULES, (), AS_OF)
    verdict_record = gate.record(verdict, judged, AS_OF, marks, "quantassay 0.1.0")
    record = canonical.dumps(verdict_record)
    about = done.envelope(done.Seen([], [], {}, {}, verdict_record, {}))
    page = f"# Plan\n\n> **{' '.join(marks)}**\n\nBuy {quantity}.\n".encode()
    trace = {
        "report": "next_open_plan",
        "digest": canonical.sha256(page),
        "sources": {"next_open_plan": judged["next_open_plan"], "gate_record": canonical.sha256(record)},
        "images": [{"file": "next_open_plan_v1.cash.svg", "digest": canonical.sha256(b"<svg/>")}],
    }
    return {
        **{f"artifacts/{name}_v1.json": data for name, data in made.items()},
        "artifacts/gate_record_v1.json": record,
        "artifacts/definition_of_done_v1.json": canonical.dumps(about),
        "artifacts/history_v1.parquet": b"PAR1",
        "reports/next_open_plan_v1.md": page,
        "reports/next_open_plan_v1.cash.svg": b"<svg/>",
        "reports/next_open_plan_v1.trace.json": canonical.dumps(trace),
        "spec/17_next_open.yaml": b"lot: 10\n",
        "governance/rules/01_orders.yaml": b"title: Orders\n",
    }


def lots_judged(quantity):
    unit = EngineGate("whole_lots", "Orders are whole lots", ("R01",))
    found = [gate.Judged("/orders/0/quantity", quantity % 10 == 0, "is no whole lot")]
    return gate.tally(unit, found, "next_open_plan", gate.Terms({"R01": "error"}, {}))


@pytest.fixture(scope="session")
def desk():
    return desk_files


@pytest.fixture(scope="session")
def facts():
    unit = {"room": "validators", "name": "whole_lots", "digest": f"sha256:{0:064}", "origin": "standard"}
    return package.Facts("sample-20261118", "quantassay 0.1.0", (unit,))


@pytest.fixture(scope="session")
def keys():
    """A private and a public key as PEM."""
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain), public


@pytest.fixture(scope="session")
def signed_members(facts, keys):
    """The files of a signed package, its own included."""
    data = package.build(desk_files(), facts, lambda statement: dsse.sign(statement, keys[0]))
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}
