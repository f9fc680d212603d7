"""A workspace is found from anywhere inside it, and a path in it is named as people name it."""

from pathlib import Path

import pytest

from quantassay.harness.workspace import MARKER, NoWorkspace, Workspace, find, standard_root

ROOT = Path(__file__).parents[2]


def test_a_workspace_is_found_from_inside(toy):
    for start in (toy.root, toy.root / "spec", toy.root / "spec" / "00_workspace.yaml", toy.root / "not" / "yet"):
        found = find(start)
        assert (found.root, found.is_standard) == (toy.root, False)
    assert (found.spec, found.governance) == (toy.root / "spec", toy.root / "governance")
    assert (found.temp, found.data) == (toy.root / "Temp", toy.root / "data")


def test_the_nearest_workspace_is_meant(toy):
    inner = toy.write("inner/spec/00_workspace.yaml", "name: inner\n").parents[1]
    assert find(inner / "spec").root == inner


def test_outside_of_every_workspace_is_one_sentence(tmp_path):
    with pytest.raises(NoWorkspace, match=rf"{tmp_path} lies in no workspace .*; make one with `assay init DIR`"):
        find(tmp_path)
    (tmp_path / MARKER).mkdir(parents=True)
    with pytest.raises(NoWorkspace):
        find(tmp_path)


def test_the_checkout_is_the_standard_workspace():
    assert standard_root() == ROOT
    assert find(ROOT / "src").is_standard


def test_a_path_is_named_from_the_workspace_or_the_standard_rooms(tmp_path):
    here = Workspace(tmp_path / "desk", tmp_path / "standard")
    assert here.relative(tmp_path / "desk" / "spec" / "x.yaml") == "spec/x.yaml"
    assert here.relative(tmp_path / "standard" / "builders" / "x.py") == "standard:builders/x.py"
    assert here.relative(Path("/elsewhere/x")) == "/elsewhere/x"


def test_the_workspace_own_schema_wins(tmp_path):
    for root, stems in (("standard", ["desk", "costs"]), ("desk", ["desk", "mine_v1"])):
        for stem in stems:
            path = tmp_path / root / "spec" / "schemas" / f"{stem}.schema.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}")
    found = Workspace(tmp_path / "desk", tmp_path / "standard").schemas
    assert {stem: path.relative_to(tmp_path).parts[0] for stem, path in found.items()} == {
        "costs": "standard",
        "desk": "desk",
        "mine_v1": "desk",
    }
