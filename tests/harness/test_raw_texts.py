"""The text of specs and governance is searched line by line, comments and file names too, and nothing is repeated."""

import json

import pytest

from quantassay.harness import raw_texts
from quantassay.harness.inputs import Inputs
from quantassay.harness.workspace import find

KEY = "PS" + "fakeKey0123456789abcdefghijklmnopqr"
ACCOUNT = "50123456" + "-01"


def search(toy):
    found = raw_texts.search(Inputs(find(toy.root)))
    assert KEY not in json.dumps(found)
    assert ACCOUNT not in json.dumps(found)
    return {one["file"]: one["matches"] for one in found}


def test_every_file_that_a_package_holds_is_looked_at(toy):
    toy.write("spec/10_limits.yaml", "lot: 10\n")
    toy.write("governance/waivers/W001.yaml", "id: W001\n")
    toy.write("spec/schemas/limits.schema.json", '{"type": "object"}\n')
    assert search(toy) == {
        "governance/waivers/W001.yaml": [],
        "spec/00_workspace.yaml": [],
        "spec/10_limits.yaml": [],
        "spec/schemas/limits.schema.json": [],
    }


@pytest.mark.parametrize("file", ["spec/10_limits.yaml", "governance/waivers/W001.yaml"])
def test_a_comment_is_searched_and_its_line_is_told(toy, file):
    toy.write(file, f"# ours\n# app key {KEY}\nlot: 10 # account {ACCOUNT}\n")
    assert search(toy)[file] == [{"line": 2, "what": "a key"}, {"line": 3, "what": "an account number"}]


def test_a_description_in_a_schema_is_searched(toy):
    toy.write("spec/schemas/limits.schema.json", json.dumps({"description": f"token={KEY}"}))
    assert search(toy)["spec/schemas/limits.schema.json"] == [{"line": 1, "what": "a login, password or key"}]


def test_the_name_of_a_file_is_line_0_and_is_not_repeated(toy):
    toy.write(f"governance/waivers/W{ACCOUNT}.yaml", "id: W001\n")
    assert search(toy)["governance/waivers/W(not shown).yaml"] == [{"line": 0, "what": "an account number"}]


def test_a_file_is_searched_anew_when_it_changes(toy):
    file = toy.write("spec/10_limits.yaml", "lot: 10\n")
    inputs = Inputs(find(toy.root))
    raw_texts.search(inputs)
    inputs.cache.save()
    file.write_text(f"lot: 10 # {KEY}\n")
    assert search(toy)["spec/10_limits.yaml"] == [{"line": 1, "what": "a key"}]
