"""The verify command: its words and JSON for a workspace and for a package, and the exit codes 0, 1 and 2."""

import json

import pytest


@pytest.fixture
def package(done):
    assert done.run("package").code == 0
    (path,) = (done.root / "Temp/packages").iterdir()
    return path


def test_a_workspace_in_order(done):
    said = done.run("verify")
    assert (said.code, said.out) == (0, "7 files and 1 pages checked, 0 problems\n")
    assert done.run("-q", "verify").out == ""
    assert json.loads(done.run("verify", "--format", "json").out) == {
        "files": 7,
        "pages": 1,
        "problems": [],
        "signature": "",
        "waivers": [],
    }


def test_an_edit_is_told_field_by_field_also_when_quiet(done):
    path = done.root / "Temp/plan_v1.json"
    path.write_text(path.read_text().replace('"quantity":30', '"quantity":31'))
    said = done.run("-q", "verify")
    assert said.code == 1
    assert said.out.splitlines()[:2] == [
        "Temp/plan_v1.json is not as it was recorded",
        "    900020 /orders/*/quantity: 30 -> 31",
    ]
    told = json.loads(done.run("verify", "--format", "json").out)
    assert (told["pages"], "30 -> 31" in told["problems"][0]) == (0, True)


def test_a_workspace_where_nothing_was_made_is_not_in_order(house):
    said = house.run("verify")
    assert said.code == 1
    assert "nothing was judged: there is no gate record; run `assay run`" in said.out
    assert "there is nothing to verify; run `assay run`" in said.out


def test_a_package_in_order(done, package):
    said = done.run("verify", package)
    assert said.code == 0
    assert said.out.endswith(" files and 1 pages checked, signature: none, 0 problems\n")
    told = json.loads(done.run("verify", package, "--format", "json").out)
    assert (told["problems"], told["signature"]) == ([], "none")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"prose"])
def test_what_is_no_package_is_wrong_use(done, content):
    said = done.run("verify", done.write("x.zip", content))
    assert (said.code, said.out) == (2, "")
    assert "x.zip cannot be checked" in said.err


def test_a_package_or_key_that_is_not_there_is_wrong_use(done, package):
    assert done.run("verify", done.root / "nowhere.zip").code == 2
    assert done.run("verify", package, "--key", done.root / "nowhere.pem").code == 2
