"""A new workspace: made whole from the standard set, or not at all."""

from pathlib import Path

import pytest

from quantassay import cli
from quantassay.harness.workspace import standard_root
from quantassay.jobs import desk as opening
from quantassay.jobs import init as job


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_holds_the_specs_and_the_governance_of_the_standard_set(tmp_path):
    made = job.init(tmp_path / "desk")
    found = files(tmp_path / "desk")
    assert sorted(made) == sorted(found)
    standard = {
        f"{room}/{name}": data
        for room in ("spec", "governance")
        for name, data in files(standard_root() / room).items()
    }
    expected = {name: data for name, data in standard.items() if "schemas/" not in name}
    assert found.pop(".gitignore").decode().splitlines()[1:] == ["Temp/", "data/", "secrets.yaml"]
    assert found.keys() == expected.keys()
    assert {name for name in found if found[name] != expected[name]} == {"spec/00_workspace.yaml"}


NAMES = ["desk", "my desk", "한국 데스크", 'a "quoted" one', "back\\slash", "it's: #1", "line\nbreak", "\udcff", "no"]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_called_like_its_folder_whatever_that_is(tmp_path, name):
    job.init(tmp_path / name)
    called = opening.opened(tmp_path / name).settings["name"]
    assert called == name.replace("\n", "?").replace("\udcff", "?")


def test_it_says_what_comes_next(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["init", "desk"]) == 0
    first, second, _ = capsys.readouterr().out.splitlines()
    assert first == f"desk: {len(files(tmp_path / 'desk'))} files made"
    assert second == "next: cd desk, then `assay run` for the sample market,"
    assert cli.run(["-q", "init", "other"]) == 0
    assert capsys.readouterr().out == ""


def test_files_that_are_in_nobodys_way_stay(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".gitignore").write_text("mine")
    assert ".gitignore" not in job.init(tmp_path)
    assert {(tmp_path / name).read_text() for name in ("README.md", ".gitignore")} == {"mine"}


def workspace(folder):
    job.init(folder)


def spec(folder):
    (folder / "spec").mkdir(parents=True)
    (folder / "spec/17_next_open.yaml").write_text("mine")


def the_folder_is_a_file(folder):
    folder.write_text("mine")


def its_parent_is_a_file(folder):
    folder.parent.rmdir()
    folder.parent.write_text("mine")


def a_room_is_a_file(folder):
    folder.mkdir()
    (folder / "governance").write_text("mine")


def a_dangling_link(folder):
    (folder / "governance").mkdir(parents=True)
    (folder / "governance/gates.yaml").symlink_to(folder.parent / "elsewhere.yaml")


IN_THE_WAY = {
    workspace: "spec/00_workspace.yaml",
    spec: "spec/17_next_open.yaml",
    the_folder_is_a_file: "desk",
    its_parent_is_a_file: "here",
    a_room_is_a_file: "governance",
    a_dangling_link: "governance/gates.yaml",
}


@pytest.mark.parametrize("obstacle", IN_THE_WAY, ids=lambda obstacle: obstacle.__name__)
def test_what_is_in_the_way_is_left_alone_and_nothing_is_half_made(tmp_path, capsys, obstacle):
    folder = tmp_path / "here/desk"
    folder.parent.mkdir()
    obstacle(folder)
    before = files(tmp_path)
    assert cli.run(["init", str(folder)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    named = Path(said.err.removeprefix("assay: ").partition(" is there already and is left alone; ")[0])
    assert named.as_posix().endswith(f"/{IN_THE_WAY[obstacle]}")
    assert files(tmp_path) == before


def test_the_checkout_itself_is_a_workspace_already(tmp_path):
    with pytest.raises(job.AlreadyThere):
        job.init(standard_root())
    assert files(tmp_path) == {}
