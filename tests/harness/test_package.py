"""Packages: what gets in, what is refused and why, and bytes that depend on nothing but the files."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import canonical, dsse, package, schemas, verify_package
from quantassay.harness.workspace import Workspace

DIGEST = f"sha256:{0:064}"
TRACE = "reports/next_open_plan_v1.trace.json"


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def statement_of(data):
    return json.loads(members_of(data)["manifest.json"])


def test_a_package_holds_the_files_the_statement_and_the_script(desk, facts):
    data = package.build(desk(), facts)
    members = members_of(data)
    assert {name: members[name] for name in desk()} == desk()
    assert members["verify.py"] == Path(verify_package.__file__).read_bytes()
    assert verify_package.problems(members, "sample.zip") == []


def test_the_statement_is_in_toto_and_says_what_is_to_be_known(desk, facts):
    data = package.build(desk(), facts)
    statement, members = statement_of(data), members_of(data)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {s["name"] for s in statement["subject"]} == members.keys() - {"manifest.json"}
    predicate = statement["predicate"]
    record = json.loads(members["artifacts/gate_record_v1.json"])["data"]
    assert predicate == {
        "package": "sample-20261118",
        "engine": "quantassay 0.1.0",
        "as_of": "2026-11-18T15:45:00+09:00",
        "marks": ["SAMPLE"],
        "gate": {
            "status": "passed",
            "rules_digest": record["rules_digest"],
            "record": canonical.sha256(members["artifacts/gate_record_v1.json"]),
        },
        "units": [{"room": "validators", "name": "whole_lots", "digest": DIGEST, "origin": "standard"}],
        "audit_only": False,
        "waivers": [],
    }


@pytest.mark.parametrize("build", [package.build, package.build_audit_only])
def test_the_statement_is_of_the_form_that_its_schema_gives(desk, facts, build):
    schema = canonical.read(Path(__file__).parents[2] / "spec/schemas/package_manifest.schema.json")
    assert list(schemas.lint(schema)) == []
    assert schemas.validate(schema, statement_of(build(desk(), facts))) == []
    assert schemas.validate(schema, statement_of(build(desk(), facts)) | {"predicateType": "x"}) != []


def test_a_failed_gate_lets_nothing_out_and_names_the_way(desk, facts):
    with pytest.raises(package.PackageRefused, match=r"the gate record says failed.*--audit-only") as refused:
        package.build(desk(quantity=11), facts)
    assert refused.value.exit_code == 1


def without(name):
    return lambda files: {k: v for k, v in files.items() if k != name}


def replaced(name, old, new):
    def edit(files):
        assert old in files[name]
        return files | {name: files[name].replace(old, new)}

    return edit


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (without("artifacts/gate_record_v1.json"), "no gate record"),
        (without("artifacts/signals_v1.json"), "signals was judged and is missing"),
        (replaced("artifacts/next_open_plan_v1.json", b'"quantity":10', b'"quantity":20'), "not the one that the gate"),
        (lambda f: f | {"artifacts/extra_v1.json": f["artifacts/signals_v1.json"]}, "ValueError: artifacts/extra_v1"),
        (replaced(TRACE, b'"gate_record":"sha256:', b'"gate_record":"sha256:0'), "from another gate_record"),
        (replaced(TRACE, b'"next_open_plan":"sha', b'"next_plan":"sha'), "from another next_plan"),
        (without(TRACE), "reports/next_open_plan_v1.md is not what a trace names"),
        (without("reports/next_open_plan_v1.md"), "reports/next_open_plan_v1.md is not what a trace names"),
        (replaced("reports/next_open_plan_v1.md", b"Buy 10", b"Buy 11"), "plan_v1.md is not what a trace names"),
        (replaced("reports/next_open_plan_v1.cash.svg", b"/>", b" />"), "cash.svg is not what a trace names"),
        (lambda f: f | {"reports/next_open_plan_v1.more.svg": b""}, "more.svg is not what a trace names"),
        (without("artifacts/history_v1.parquet"), "artifacts/history_v1.json is only half of a table"),
        (lambda f: f | {"artifacts/signals_v1.parquet": b""}, "artifacts/signals_v1.json is only half of a table"),
        (lambda f: f | {"manifest.json": b"{}"}, "a name that the package itself uses"),
        (lambda f: f | {"README.md": b"# mine"}, "README.md is a name that the package itself uses"),
        (lambda f: f | {"artifacts/gate_record_v1.json": b"[]"}, "not of the right form"),
    ],
)  # fmt: skip
def test_what_does_not_hang_together_is_refused(desk, facts, edit, why):
    with pytest.raises(package.PackageRefused, match=why):
        package.build(edit(desk()), facts)


@pytest.mark.parametrize("build", [package.build, package.build_audit_only])
def test_the_front_page_comes_first_and_says_what_the_package_is(desk, facts, build):
    members = members_of(build(desk(), facts))
    assert next(iter(members)) == "README.md"
    marks = ["AUDIT-ONLY", "SAMPLE"] if build is package.build_audit_only else ["SAMPLE"]
    lines = members["README.md"].decode().splitlines()
    assert lines[:1] == ["# sample-20261118"]
    assert [line for line in lines if line.startswith("> **")] == [f"> **{mark}**" for mark in marks]
    assert "Made by quantassay 0.1.0, as of 2026-11-18T15:45:00+09:00. The gate record says passed." in lines


def test_an_artifact_that_nobody_judged_is_refused(desk, facts):
    extra = json.loads(desk()["artifacts/signals_v1.json"]) | {"artifact": "extra"}
    with pytest.raises(package.PackageRefused, match="extra was not judged"):
        package.build(desk() | {"artifacts/extra_v1.json": canonical.dumps(extra)}, facts)


ABOUT = "artifacts/definition_of_done_v1.json"


def test_without_a_definition_of_done_that_names_the_gate_record_it_is_refused(desk, facts):
    files = desk()
    about = json.loads(files.pop(ABOUT))
    with pytest.raises(package.PackageRefused, match="there is no definition_of_done that names the gate record"):
        package.build(files, facts)
    (link,) = [one for one in about["provenance"]["inputs"] if one["name"] == "gate_record"]
    link["digest"] = f"sha256:{1:064}"
    with pytest.raises(package.PackageRefused, match="definition_of_done was made from another gate_record"):
        package.build(files | {ABOUT: canonical.dumps(about)}, facts)
    about["provenance"]["inputs"].remove(link)
    with pytest.raises(package.PackageRefused, match="there is no definition_of_done that names the gate record"):
        package.build(files | {ABOUT: canonical.dumps(about)}, facts)


@pytest.mark.parametrize(
    "name", ["spec/17_next_open.yaml", "governance/rules/01_orders.yaml", "spec/schemas/x.schema.json"]
)
def test_texts_with_a_credential_are_told_by_line_and_not_repeated(desk, name):
    key = "PS" + "fakeKey0123456789abcdefghijklmnopqr"
    files = desk() | {name: f"lot: 10\n# {key}\n".encode()}
    assert package.credentials(files) == [f"{name}:2 seems to hold a key"]
    assert package.credentials(desk()) == []
    named = package.credentials({f"governance/waivers/W{'50123456' + '01'}.yaml": b"a: 1\n"})
    assert named == ["governance/waivers/W(not shown).yaml holds an account number"]


def test_an_artifact_built_from_another_than_the_one_beside_it_is_refused(desk, facts):
    files = desk()
    plan = json.loads(files["artifacts/next_open_plan_v1.json"])
    plan["provenance"]["inputs"][0]["digest"] = "sha256:00"
    with pytest.raises(package.PackageRefused, match="next_open_plan was made from another signals"):
        package.build(files | {"artifacts/next_open_plan_v1.json": canonical.dumps(plan)}, facts)


def test_a_signed_package_carries_its_envelope(desk, facts, keys):
    private, public = keys
    members = members_of(package.build(desk(), facts, lambda statement: dsse.sign(statement, private)))
    assert dsse.payload(members["manifest.dsse.json"], public) == members["manifest.json"]
    assert verify_package.problems(members) == []


def test_audit_only_says_so_everywhere_and_lists_what_failed(desk, facts):
    data = package.build_audit_only(desk(quantity=11), facts)
    members, predicate = members_of(data), statement_of(data)["predicate"]
    assert predicate["audit_only"] is True
    assert predicate["marks"] == ["AUDIT-ONLY", "SAMPLE"]
    assert predicate["problems"] == ["the gate record says failed"]
    assert [f["says"] for f in predicate["findings"]] == ["is no whole lot"]
    plain = [n for n in members if n.startswith(("artifacts/", "reports/")) and ".audit." not in n]
    assert plain == ["reports/next_open_plan_v1.cash.svg"]
    report = members["reports/next_open_plan_v1.audit.md"].decode()
    assert report.startswith("> **AUDIT-ONLY")
    assert "R01, whole_lots: next_open_plan/orders/0/quantity is no whole lot" in report
    plan = json.loads(members["artifacts/next_open_plan_v1.audit.json"])
    assert plan.keys() == {"audit_only", "findings", "would_have_been"}
    assert plan["would_have_been"]["marks"] == ["AUDIT-ONLY", "SAMPLE"]
    assert plan["findings"] == predicate["findings"]
    assert package.file_name("x", audit_only=True) == "AUDIT-ONLY-x.zip"
    assert verify_package.problems(members, "AUDIT-ONLY-x.zip") == []


def test_audit_only_can_be_asked_for_behind_a_passed_gate(desk, facts):
    members = members_of(package.build_audit_only(desk(), facts))
    assert b"nothing: it was asked for" in members["reports/next_open_plan_v1.audit.md"]
    assert verify_package.problems(members, "AUDIT-ONLY-x.zip") == []


@pytest.mark.parametrize("edit", [without("artifacts/gate_record_v1.json"), without("artifacts/signals_v1.json")])
def test_audit_only_owns_up_to_what_is_missing(desk, facts, edit):
    data = package.build_audit_only(edit(desk()), facts)
    assert statement_of(data)["predicate"]["problems"]
    assert verify_package.problems(members_of(data), "AUDIT-ONLY-x.zip") == []


def test_a_crash_is_among_what_failed():
    gate = {"gate": "g", "rules": ["R01"], "status": "crashed", "error": "KeyError: 'x'", "findings": []}
    waived = {"gate": "h", "rules": ["R02"], "status": "passed", "error": None, "findings": [{"waiver": "W1"}]}
    assert package.failing({"gates": [gate, waived]}) == [
        {"rule": "R01", "gate": "g", "says": "crashed: KeyError: 'x'"}
    ]


@given(st.permutations(["a", "b/c", "b/d", "zz", "é"]))
def test_the_archive_does_not_depend_on_the_order_of_its_files(names):
    assert package.archive(dict.fromkeys(names, b"x")) == package.archive(dict.fromkeys(sorted(names), b"x"))


def test_the_bytes_depend_neither_on_zone_nor_hash_seed_nor_umask():
    script = (
        "import os, sys; os.umask(int(sys.argv[1], 8)); from quantassay.harness import package;"
        "sys.stdout.buffer.write(package.archive({k: k.encode() for k in {'a', 'b/c', 'long name'}}))"
    )

    def built(umask, zone, seed):
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"}
        return subprocess.run(
            [sys.executable, "-c", script, umask], env=environment, capture_output=True, check=True
        ).stdout

    assert built("077", "Asia/Seoul", "1") == built("000", "America/New_York", "2")


def test_each_member_is_stored_with_one_date_and_mode():
    with zipfile.ZipFile(io.BytesIO(package.archive({"b": b"x" * 500, "a": b""}))) as file:
        facts = {(i.filename, i.date_time, i.compress_type, i.create_system, i.external_attr) for i in file.infolist()}
        assert file.namelist() == ["a", "b"]
    assert facts == {(name, (1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED, 3, 0o644 << 16) for name in "ab"}


def test_collect_takes_what_belongs_and_nothing_else(tmp_path):
    taken = [
        *("Temp/plan_v1.json", "Temp/history_v1.parquet"),
        *("Temp/plan_v1.md", "Temp/plan_v1.trace.json", "Temp/plan_v1.drift.svg"),
        *("spec/00_workspace.yaml", "spec/schemas/plan_v1.schema.json"),
        *("governance/severities.yaml", "governance/rules/01_a.yaml"),
        "governance/approvals/A001_plan.packet.json",
    ]
    left = [
        "Temp/state.jsonl",
        "Temp/.kept/ab",
        "Temp/gate.sarif.json",
        "Temp/x.zip",
        "governance/notes.txt",
        "governance/approvals/notes.json",
        "builders/a.py",
    ]
    for name in (*taken, *left):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    members = package.collect(Workspace(tmp_path, tmp_path / "standard"))
    folders = {"plan_v1.json": "artifacts/", "history_v1.parquet": "artifacts/"}
    wanted = {n.replace("Temp/", folders.get(n.removeprefix("Temp/"), "reports/")): n.encode() for n in taken}
    assert members == wanted


def test_an_empty_desk_has_nothing_to_package(tmp_path):
    with pytest.raises(package.NothingToPackage, match="assay run"):
        package.collect(Workspace(tmp_path, tmp_path))
