"""The package command: where the package lies and how to check it."""

import pytest


def test_the_path_and_the_way_to_check_it(done, tmp_path):
    path = done.root / "Temp/packages/toy-20260105T1000.zip"
    said = done.run("package")
    assert (said.code, said.out.splitlines()) == (
        0,
        [str(path), f"check it with: assay verify {path}, or: python verify.py {path.name} (the script lies in it)"],
    )
    assert done.run("-q", "package", "-o", tmp_path / "out").out == ""
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("way", [[], ["--audit-only"]])
def test_nothing_made_is_nothing_to_package(house, way):
    said = house.run("package", *way)
    assert (said.code, said.out) == (2, "")
    assert "holds no artifact to package; run `assay run` first" in said.err


def test_a_key_that_cannot_be_read_is_one_sentence(done):
    for name in ("nowhere.pem", "spec"):
        said = done.run("package", "--key", done.root / name)
        assert (said.code, said.out) == (2, "")
        assert f"the key {done.root / name} cannot be read" in said.err
    said = done.run("package", "--key", done.write("key.pem", "no key"))
    assert (said.code, said.out, "Traceback" in said.err) == (2, "", False)
    assert not (done.root / "Temp/packages").exists()
