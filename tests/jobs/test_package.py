"""A package leaves the house only behind a passed gate of what lies there; one for readers says so everywhere."""

import hashlib
import io
import json
import shutil
import zipfile

import polars as pl
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

TABLE = "artifacts/signal_history_v1.parquet"
RED = 'yield judged("/orders", ok=False, says="are not to my taste")'


def packages(toy):
    return sorted((toy.root / "Temp/packages").glob("*.zip"))


def packed(toy, *arguments):
    """The package that `assay package ARGUMENTS` makes."""
    done = toy.run("package", *arguments)
    assert done.code == 0, done.err
    (path,) = packages(toy)
    return path


def pages(toy):
    return len(list((toy.root / "Temp").glob("*_v*.md")))


def refused(toy):
    """Why `assay package` makes none."""
    done = toy.run("package")
    assert (done.code, done.out, packages(toy)) == (1, "", [])
    assert "`assay package --audit-only`" in done.err
    return done.err


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def altered(path, changes):
    """A package of the same name elsewhere; `changes` holds what is to become of the bytes of some of its files."""
    other = path.parent.parent / "altered" / path.name
    other.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(other, "w") as archive:
        for name, data in members(path).items():
            archive.writestr(name, changes.get(name, bytes)(data))
    return other


def test_a_package_of_a_passed_desk_is_in_order_and_the_same_each_time(desk):
    path = packed(desk)
    first = path.read_bytes()
    assert path.name == "SAMPLE-desk-20261118T1545.zip"
    assert desk.run("verify", path).out.endswith(
        f"files and {pages(desk)} pages checked, signature: none, 0 problems\n"
    )
    path.unlink()
    assert packed(desk).read_bytes() == first
    held = members(path)
    assert {
        "manifest.json",
        "verify.py",
        TABLE,
        "reports/next_open_plan_v1.md",
        "spec/17_next_open.yaml",
    } <= held.keys()
    assert desk.run("verify").code == 0, "a package beside the artifacts is no stranger"
    assert desk.run("run").out.startswith("nothing has changed")


# Refused.


def test_a_red_gate_lets_nothing_out(desk, own_gate):
    own_gate(desk, "quantities_integral", RED)
    desk.run("run")
    assert "the gate record says failed" in refused(desk)


def test_a_record_of_something_else_lets_nothing_out(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    assert "the gate record is not of what lies there now" in refused(desk)
    assert desk.run("build").code == 0
    assert "the gate record is not of what lies there now" in refused(desk)
    assert desk.run("gate").code == 0
    assert "next_open_plan is no longer the artifact that the page was rendered from" in refused(desk)
    assert desk.run("render").code == 0
    packed(desk)


def test_a_record_that_the_ledger_does_not_hold_lets_nothing_out(desk):
    (desk.root / "data/gate_ledger.jsonl").unlink()
    assert "the gate record is not of what lies there now" in refused(desk)


def test_a_page_that_is_gone_lets_nothing_out(desk):
    (desk.root / "Temp/gate_summary_v1.md").unlink()
    assert "gate_summary_v1.md is missing" in refused(desk)


@pytest.fixture
def unjudged(desk):
    """A desk where all is built and nothing was judged yet."""
    shutil.rmtree(desk.root / "Temp")
    assert desk.run("build").code == 0
    return desk


def test_what_was_never_judged_lets_nothing_out(unjudged):
    assert "nothing was judged" in refused(unjudged)


# For readers.


def test_a_package_of_a_red_desk_says_audit_only_everywhere(desk, own_gate):
    own_gate(desk, "quantities_integral", RED)
    desk.run("run")
    path = packed(desk, "--audit-only")
    assert path.name == "AUDIT-ONLY-SAMPLE-desk-20261118T1545.zip"
    assert desk.run("verify", path).code == 0
    held = members(path)
    for name, data in held.items():
        if name.startswith("reports/") and name.endswith(".md"):
            assert data.startswith(b"> **AUDIT-ONLY: for reading, not for trading.**"), name
            assert b"are not to my taste" in data
    predicate = json.loads(held["manifest.json"])["predicate"]
    assert (predicate["audit_only"], predicate["marks"]) == (True, ["AUDIT-ONLY", "SAMPLE"])
    assert [one["says"] for one in predicate["findings"]] == ["are not to my taste"]
    renamed = path.rename(path.with_name("SAMPLE-desk-20261118T1545.zip"))
    done = desk.run("verify", renamed)
    assert (done.code, "its file name does not begin with it" in done.out) == (1, True)


def test_a_package_for_readers_can_be_made_before_anything_was_judged(unjudged):
    path = packed(unjudged, "--audit-only")
    assert unjudged.run("verify", path).code == 0
    assert "there is no gate record" in json.loads(members(path)["manifest.json"])["predicate"]["problems"]


# Harm on the way.


def test_a_changed_file_of_a_package_is_named(desk):
    path = packed(desk)
    for name in (
        "artifacts/next_open_plan_v1.json",
        "reports/next_open_plan_v1.md",
        "spec/17_next_open.yaml",
        "verify.py",
    ):
        done = desk.run("verify", altered(path, {name: lambda data: data.replace(b"1", b"2", 1)}))
        assert (done.code, f"{name} was changed after it was packaged" in done.out) == (1, True), name


def flipped(parquet):
    """The table with another word in its fourth row."""
    frame = pl.read_parquet(io.BytesIO(parquet))
    word = pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("buy")).otherwise("hsms2")
    buffer = io.BytesIO()
    frame.with_columns(word.alias("hsms2")).write_parquet(buffer)
    return buffer.getvalue()


def test_a_cell_of_a_table_is_found_even_when_the_list_is_forged(desk):
    path = packed(desk)
    old = members(path)[TABLE]
    digests = [hashlib.sha256(data).hexdigest().encode() for data in (old, flipped(old))]
    forged = altered(path, {TABLE: flipped, "manifest.json": lambda data: data.replace(*digests)})
    done = desk.run("verify", forged)
    assert (done.code, done.out.splitlines()[0]) == (1, f"{TABLE}: the content of hsms2 is not what its sidecar says")


# Signatures.


@pytest.fixture
def keys(tmp_path):
    """(private, public, somebody else's public) PEM files."""

    def pem(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    own, other = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    plain = serialization.NoEncryption()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    private = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return (
        pem("private.pem", private),
        *(
            pem(f"{n}.pem", k.public_key().public_bytes(serialization.Encoding.PEM, form))
            for n, k in enumerate((own, other))
        ),
    )


def test_a_signature_holds_for_its_key_and_no_other(desk, keys):
    private, public, other = keys
    path = packed(desk, "--key", private)
    assert "signature: holds for this key, 0 problems" in desk.run("verify", path, "--key", public).out
    done = desk.run("verify", path, "--key", other)
    assert (done.code, "signature: does not hold for this key" in done.out) == (1, True)
    assert "signature: NOT CHECKED, no --key was given, 0 problems" in desk.run("verify", path).out
    done = desk.run(
        "verify", altered(path, {"manifest.json": lambda data: data.replace(b"desk", b"disk", 1)}), "--key", public
    )
    assert done.code == 1
    told = json.loads(desk.run("verify", path, "--key", public, "--format", "json").out)
    assert (told["problems"], told["signature"], told["pages"]) == ([], "holds for this key", pages(desk))


def test_an_unsigned_package_does_not_pass_for_a_signed_one(desk, keys):
    done = desk.run("verify", packed(desk), "--key", keys[1])
    assert (done.code, "signature: none, and a key was given" in done.out) == (1, True)


def test_a_signature_that_cannot_be_checked_is_neither_good_nor_bad(desk, keys, tmp_path):
    path = packed(desk, "--key", keys[0])
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "ec.pem").write_bytes(curve.public_bytes(serialization.Encoding.PEM, form))
    done = desk.run("verify", path, "--key", tmp_path / "ec.pem")
    assert (done.code, done.out) == (2, "")
    assert "NOT CHECKED, the key is no Ed25519 public key" in done.err


def test_a_key_of_another_kind_signs_nothing(desk, keys):
    done = desk.run("package", "--key", keys[1])
    assert (done.code, done.out, packages(desk)) == (2, "", [])
    assert "Ed25519 private key" in done.err
