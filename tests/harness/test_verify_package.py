"""The script that travels in a package: alone, on any form of it, and against every byte that may have changed."""

import io
import json
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import canonical, dsse, package, verify_package
from quantassay.harness.verify_package import SEAL

WAIVER = {
    "id": "W1",
    "rule": "R01",
    "artifact": "plan",
    "pointer": "/orders/*",
    "findings": 2,
    "state": "active",
    "expires": "2026-11-30",
    "approver": "Kim Mina",
    "reason": "merged\n <b> \x1b # all\tdone",
}


@pytest.fixture
def packed(tmp_path, signed_members):
    """A signed package as a file."""
    path = tmp_path / "sample.zip"
    path.write_bytes(package.archive(signed_members))
    return path


def relisted(members, **predicate):
    """The members with a manifest that lists them as they are now: what a forger without a key can do."""
    manifest = json.loads(members["manifest.json"])
    inside = {n: d for n, d in members.items() if not n.startswith("manifest.")}
    manifest["subject"] = [{"name": n, "digest": {"sha256": canonical.sha256(d)[7:]}} for n, d in inside.items()]
    manifest["predicate"] |= predicate
    return inside | {"manifest.json": canonical.dumps(manifest)}


def edited(name, old, new):
    def edit(members):
        assert old in members[name]
        return relisted(members | {name: members[name].replace(old, new)})

    return edit


def run(*arguments, cwd, code=()):
    # -I and -S: neither our package nor anything installed can be found.
    command = [sys.executable, "-I", "-S", *code, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_it_stands_alone_in_a_folder(packed, tmp_path):
    with zipfile.ZipFile(packed) as file:
        file.extractall(tmp_path / "out")
    done = run("verify.py", cwd=tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("0 problems, signature: NOT CHECKED, no --key was given\n")


def test_it_checks_the_zip_it_lies_in(packed, tmp_path):
    done = run(
        cwd=tmp_path,
        code=["-c", f"import sys; sys.path.insert(0, {str(packed)!r}); import verify; sys.exit(verify.main([]))"],
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 problems" in done.stdout


def test_a_changed_file_is_named_on_one_line(packed, tmp_path):
    with zipfile.ZipFile(packed) as file:
        file.extractall(tmp_path / "out")
    (tmp_path / "out/reports/next_open_plan_v1.md").write_text("# Plan\n\n**SAMPLE**\n\nBuy 11.\n")
    done = run("verify.py", cwd=tmp_path / "out")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "reports/next_open_plan_v1.md was changed after it was packaged"


@pytest.mark.parametrize("content", [None, b"PK but no zip"])
def test_what_cannot_be_read_is_exit_2(tmp_path, content):
    path = tmp_path / "none.zip"
    if content is not None:
        path.write_bytes(content)
    script = Path(verify_package.__file__)
    done = run(script, path, cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be read" in done.stdout


def test_a_key_that_cannot_be_used_here_is_said_plainly(packed, tmp_path, keys):
    (tmp_path / "public.pem").write_bytes(keys[1])
    done = run(Path(verify_package.__file__), packed, "--key", "public.pem", cwd=tmp_path)
    assert done.returncode == 2
    assert "NOT CHECKED, this Python has no `cryptography` package" in done.stdout


def test_the_signature_is_checked_where_it_can_be(packed, tmp_path, keys, capsys, desk, facts):
    key = tmp_path / "public.pem"
    key.write_bytes(keys[1])
    assert verify_package.main([str(packed), "--key", str(key)]) == 0
    assert "signature: holds for this key" in capsys.readouterr().out
    packed.write_bytes(package.build(desk(), facts, lambda statement: dsse.sign(statement, keys[0], "text/plain")))
    assert verify_package.main([str(packed), "--key", str(key)]) == 1
    packed.write_bytes(package.build(desk(), facts))
    assert verify_package.main([str(packed), "--key", str(key)]) == 1
    assert "none, and a key was given" in capsys.readouterr().out
    key.write_bytes(b"no key")
    assert verify_package.main([str(tmp_path), "--key", str(key)]) == 1


def test_a_forged_signature_does_not_hold(signed_members, keys):
    forged = json.loads(signed_members["manifest.dsse.json"])
    forged["signatures"][0]["sig"] = "AAAA"
    changed = signed_members | {"manifest.dsse.json": canonical.dumps(forged)}
    assert verify_package.signature(changed, keys[1])[0] == 1
    assert verify_package.signature(signed_members, keys[1]) == (0, "holds for this key")


@given(st.data())
def test_every_changed_byte_is_found(signed_members, data):
    name = data.draw(st.sampled_from(sorted(signed_members.keys() - {SEAL})))
    before = signed_members[name]
    at = data.draw(st.integers(0, len(before) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != before[at]))
    changed = before[:at] + bytes([other]) + before[at + 1 :]
    assert verify_package.problems({**signed_members, name: changed})


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda m: m | {"notes.txt": b""}, "notes.txt is not listed"),
        (lambda m: {n: d for n, d in m.items() if n != "spec/17_next_open.yaml"}, "is listed and missing"),
        (lambda m: {n: d for n, d in m.items() if n != "manifest.json"}, "KeyError: 'manifest.json'"),
        (lambda m: relisted(m, package="x") | {SEAL: m[SEAL]}, "is over another manifest.json"),
        (lambda m: relisted(m, as_of="2026-11-19T15:45:00+09:00"), "says as_of"),
        (lambda m: relisted(m, marks=[]), "says marks"),
        (lambda m: relisted(m, gate=None), "says gate"),
        (lambda m: relisted(m, waivers=[WAIVER]), "says waivers"),
        (lambda m: relisted(m, package="another"), "README.md does not open with the marks and the waivers"),
        (lambda m: relisted({n: d for n, d in m.items() if n != "README.md"}), "README.md does not open"),
        (edited("README.md", b"No finding is waived.", b"All is well."), "README.md does not open"),
        (edited("README.md", b"> **SAMPLE**", b"> A real plan"), "README.md does not open"),
        (lambda m: relisted(m, audit_only=True, problems=[]), "does not say that it is AUDIT-ONLY"),
        (edited("reports/next_open_plan_v1.md", b"SAMPLE", b"REAL"), "does not show the mark SAMPLE"),
        (edited("manifest.json", b"in-toto.io", b"example.org"), "no statement"),
    ],
)  # fmt: skip
def test_a_manifest_that_does_not_tell_the_truth_is_found(signed_members, edit, says):
    assert any(says in problem for problem in verify_package.problems(edit(signed_members)))


def test_waivers_in_force_are_told_first_and_no_text_breaks_out_of_its_line():
    predicate = {"package": "p", "marks": ["SAMPLE"], "waivers": [WAIVER, WAIVER | {"id": "W2", "state": "expired"}]}
    line = "WAIVED W1: 2 findings of R01 at plan/orders/*, until 2026-11-30, by Kim Mina: merged <b> ? # all done"
    assert verify_package.waived(predicate) == [line]
    assert verify_package.opening(predicate) == f"# p\n\n> **SAMPLE**\n>\n> {line.replace('<', '&lt;')}\n"
    assert "> No finding is waived.\n" in verify_package.opening(predicate | {"waivers": []})


def test_the_script_prints_the_waivers_before_anything_else(tmp_path, capsys, signed_members):
    path = tmp_path / "sample.zip"
    path.write_bytes(package.archive(relisted(signed_members, waivers=[WAIVER])))
    assert verify_package.main([str(path)]) == 1
    assert capsys.readouterr().out.startswith("WAIVED W1: 2 findings of R01")
    assert verify_package.front({"manifest.json": b"[]"}) == []


@pytest.fixture(scope="module")
def audit_members(desk, facts):
    with zipfile.ZipFile(io.BytesIO(package.build_audit_only(desk(quantity=11), facts))) as file:
        return {name: file.read(name) for name in file.namelist()}


PLAN, REPORT = "artifacts/next_open_plan_v1.audit.json", "reports/next_open_plan_v1.audit.md"


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda m: m, "its file name does not begin with it"),
        (lambda m: relisted(m, audit_only=False), "is AUDIT-ONLY"),
        (lambda m: relisted(m, problems=[]), "the gate record says failed"),
        (edited(PLAN, b'"audit_only":true', b'"audit_only":false'), f"{PLAN} does not say"),
        (edited(PLAN, b'"AUDIT-ONLY",', b""), f"{PLAN} does not say"),
        (edited(PLAN, b'"quantity":11', b'"quantity":10'), "not the one that the gate judged"),
        (lambda m: relisted(m | {REPORT: m[REPORT].partition(b"-->\n\n")[2]}), f"{REPORT} does not say"),
        (edited(REPORT, b"**AUDIT-ONLY", b"**"), f"{REPORT} does not say"),
    ],
)  # fmt: skip
def test_an_audit_only_package_that_hides_it_is_found(audit_members, edit, says):
    assert any(says in problem for problem in verify_package.problems(edit(audit_members), "sample.zip"))


def test_a_zip_with_a_name_twice_or_outside_is_not_read(tmp_path):
    path = tmp_path / "bad.zip"
    for names in (["a", "a"], ["../a"], ["/a"], ["b\\a"]):
        with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings(action="ignore"):
            for name in names:
                file.writestr(name, b"")
        with pytest.raises(verify_package.NoPackage, match=re.escape(names[-1])):
            verify_package.read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("large", bytes(10**6))
    with pytest.raises(verify_package.NoPackage, match="large"):
        verify_package.read(path)


def test_no_damage_to_the_zip_itself_breaks_the_script(packed, tmp_path):
    whole = bytearray(packed.read_bytes())
    damaged = tmp_path / "damaged.zip"
    directory = whole.find(b"PK\x01\x02")
    codes = set()
    for at in (*range(40), *range(directory, directory + 60), *range(len(whole) - 22, len(whole))):
        for bit in range(8):
            whole[at] ^= 1 << bit
            damaged.write_bytes(whole)
            codes.add(verify_package.main([str(damaged)]))
            whole[at] ^= 1 << bit
    assert {1, 2} <= codes <= {0, 1, 2}


def test_the_script_is_short_and_needs_nothing():
    source = Path(verify_package.__file__).read_text()
    imported = {n.split(".")[0] for n in re.findall(r"^(?:from|import) ([\w.]+)", source, re.MULTILINE)}
    assert imported <= sys.stdlib_module_names
