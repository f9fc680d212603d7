"""Everything that a unit may read has one name, one digest and one value."""

import pytest

from quantassay.harness import files
from quantassay.harness.files import Unreadable
from quantassay.harness.inputs import AmbiguousName, BadSpecName, Handed, Inputs, NotBuilt, UnknownName
from quantassay.harness.problems import SpecErrors
from quantassay.harness.reading import UnreadableRaw
from quantassay.harness.workspace import WrongSuffix, find

FILES = "files:\n  prices: {path: data/raw/p.csv, format: csv}\n  notes: {path: data/raw/n.txt, format: text}\n"
UNIT = '"""T."""\ndef build(): ...\n'
SETTINGS = f'name: toy\nas_of: "2026-01-05T10:00:00+09:00"\nrooms: {{standard: false, own: true}}\n{FILES}'


def rules(*ids):
    return "rules:\n" + "".join(f'  - {{id: "{name}"}}\n' for name in ids)


@pytest.fixture
def opened(toy):
    toy.write("spec/00_workspace.yaml", SETTINGS)
    toy.write("spec/10_limits.yaml", "days: 4\nshares: {b: 0.5, a: 1.0}\n")
    toy.write("data/raw/p.csv", "a,b\n1,2\n")
    toy.write("data/raw/n.txt", "note\n")
    toy.write("governance/house.yaml", "error: fails\n")
    toy.write("spec/schemas/rules.schema.json", "{}")
    toy.write("governance/rules/02_b.yaml", rules("R02.1"))
    toy.write("governance/rules/01_a.yaml", rules("R10.1", "R01.1"))
    return lambda handed=None: Inputs(find(toy.root), handed)


def test_each_name_has_its_kind_and_value(opened, toy):
    toy.builder("first", "limits", "return {}")
    inputs = opened({"as_of": Handed("as_of", "sha256:x", lambda: "2026-01-05T10:00:00+09:00")})
    kinds = {
        name: inputs.kind(name) for name in ("limits", "house", "rules", "waivers", "prices", "notes", "as_of", "first")
    }
    assert kinds == {
        "limits": "spec", "house": "governance", "rules": "governance", "waivers": "governance", "prices": "file",
        "notes": "file", "as_of": "handed", "first": "artifact",
    }  # fmt: skip
    assert inputs.value("limits") == {"days": 4, "shares": {"a": 1, "b": 0.5}}
    assert [rule["id"] for rule in inputs.value("rules")] == ["R01.1", "R02.1", "R10.1"]
    assert inputs.value("waivers") == []
    assert (inputs.value("prices"), inputs.value("notes")) == ({"a": ["1"], "b": ["2"]}, "note\n")
    assert (inputs.value("as_of"), inputs.digest("as_of")) == ("2026-01-05T10:00:00+09:00", "sha256:x")
    with pytest.raises(NotBuilt, match="first is not built, or not as the last build left it; run `assay build`"):
        inputs.value("first")


def test_a_spec_is_the_same_value_when_it_comes_from_the_cache(opened):
    first = opened()
    value, digest = first.value("limits"), first.digest("limits")
    first.cache.save()
    second = opened()
    assert (repr(second.value("limits")), second.digest("limits")) == (repr(value), digest)
    assert not second.cache.grown


def test_the_digest_is_of_the_content_not_of_the_layout(opened, toy):
    before = {name: opened().digest(name) for name in ("limits", "rules", "prices")}
    toy.write("spec/10_limits.yaml", "# why\nshares:\n  a: 1\n  b: 0.50\n\ndays: 4\n")
    assert opened().digest("limits") == before["limits"]
    toy.write("spec/10_limits.yaml", "days: 5\nshares: {b: 0.5, a: 1.0}\n")
    toy.write("governance/rules/03_c.yaml", rules("R03.1"))
    toy.write("data/raw/p.csv", "a,b\n1,3\n")
    after = {name: opened().digest(name) for name in before}
    assert {name for name in before if before[name] != after[name]} == set(before)


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        (
            "governance/limits.yaml",
            "a: 1\n",
            "'limits' stands for spec spec/10_limits.yaml and for governance governance/limits.yaml;",
        ),
        ("spec/11_prices.yaml", "a: 1\n", "'prices' stands for spec spec/11_prices.yaml and for file data/raw/p.csv;"),
        (
            "spec/11_limits.yaml",
            "a: 1\n",
            "'limits' stands for spec spec/10_limits.yaml and for spec spec/11_limits.yaml;",
        ),
        (
            "builders/gate_units.py",
            UNIT,
            "'gate_units' stands for artifact Temp/gate_units_v1.json and for a fact of the harness;",
        ),
        ("spec/11_as_of.yaml", "a: 1\n", "'as_of' stands for spec and for a value handed in by the job;"),
    ],
)
def test_a_name_of_two_inputs_names_both(opened, toy, file, text, says):
    toy.write(file, text)
    with pytest.raises(AmbiguousName) as raised:
        opened().hand([Handed("as_of", "sha256:x", str)])
    assert str(raised.value) == f"the name {says} rename one of them"


@pytest.mark.parametrize("name", ["limits.yaml", "1_x.yaml", "10-x.yaml", "10_Limits.yaml", "10_.yaml"])
def test_a_spec_whose_name_says_no_place_is_refused(opened, toy, name):
    toy.write(f"spec/{name}", "a: 1\n")
    with pytest.raises(BadSpecName) as raised:
        opened()
    assert (
        str(raised.value)
        == f"spec/{name} is no name for a spec; call it NN_subject.yaml, for instance 17_next_open.yaml"
    )


@pytest.mark.parametrize("file", ["spec/11_x.yml", "governance/gates.yml", "governance/waivers/w.yml"])
def test_a_file_that_nothing_would_read_is_refused(opened, toy, file):
    toy.write(file, "a: 1\n")
    with pytest.raises(WrongSuffix, match=rf"/{file} would be read by nothing; call it \w+\.yaml"):
        opened()


def test_a_value_that_is_handed_in_is_loaded_once_a_run(opened):
    loads = []
    inputs = opened({"bars": Handed("bars", "sha256:x", lambda: loads.append(1) or len(loads))})
    assert inputs.value("bars") == 1
    inputs.forget()
    assert inputs.value("bars") == 1


def test_files_that_editors_leave_are_passed_over(opened, toy):
    (toy.root / "spec" / ".#10_limits.yaml").symlink_to("me@host.123")
    toy.write("governance/._rules.yaml", b"\x00\x05")
    before = opened().digest("rules")
    toy.write("governance/rules/.01_a.yaml.swp.yaml", b"\x00")
    assert opened().digest("rules") == before
    assert not [name for name in opened().names() if "_rules" in name]


def test_an_unknown_name_is_told_with_what_there_is(opened):
    with pytest.raises(UnknownName) as raised:
        opened().source("limit", "validators/x.py: check")
    assert str(raised.value).startswith(
        "validators/x.py: check reads 'limit', and there is no such input; did you mean 'limits'?"
    )


def test_a_spec_is_checked_against_its_schema(opened, toy):
    toy.write(
        "spec/schemas/limits.schema.json",
        '{"properties": {"days": {"type": "integer"}}, "additionalProperties": false}',
    )
    with pytest.raises(SpecErrors, match=r"spec/10_limits\.yaml:2:1: the key 'shares' is not known here"):
        opened().digest("limits")


@pytest.mark.parametrize(
    ("ask", "file"),
    [("limits", "spec/10_limits.yaml"), ("rules", "governance/rules/01_a.yaml"), ("prices", "data/raw/p.csv")],
)
def test_what_cannot_be_read_is_one_sentence(opened, toy, ask, file):
    (toy.root / file).unlink()
    (toy.root / file).symlink_to("nowhere")
    with pytest.raises(Unreadable, match=f"{file} cannot be read: No such file or directory"):
        opened().digest(ask)
    (toy.root / file).unlink()
    (toy.root / file).mkdir()
    with pytest.raises(Unreadable, match=f"{file} cannot be read: Is a directory"):
        opened().digest(ask)


def test_a_raw_file_of_another_format_is_one_sentence(opened, toy):
    toy.write("data/raw/p.csv", "a,b\n1\n")
    with pytest.raises(
        UnreadableRaw, match=r"data/raw/p\.csv cannot be read as csv: line 2 has 1 cells and the header has 2"
    ):
        opened().value("prices")


def test_a_copy_is_the_readers_own(opened):
    inputs = opened()
    inputs.fresh("limits")["shares"]["a"] = 99
    inputs.fresh("prices")["a"].append("x")
    assert inputs.value("limits")["shares"]["a"] == 1
    assert inputs.value("prices")["a"] == ["1"]
    inputs.value("limits")["days"] = 99
    inputs.cache.save()
    assert opened().value("limits")["days"] == 4


def test_the_value_is_of_the_bytes_that_the_digest_names(opened, toy):
    """A file that is edited between the two is read as it was first seen, until the run asks anew."""
    inputs = opened()
    digest = inputs.digest("limits"), inputs.digest("prices")
    toy.write("spec/10_limits.yaml", "days: 5\n")
    toy.write("data/raw/p.csv", "a,b\n9,9\n")
    assert (inputs.value("limits")["days"], inputs.value("prices")["a"]) == (4, ["1"])
    inputs.forget()
    assert (inputs.digest("limits"), inputs.digest("prices")) != digest
    assert (inputs.value("limits"), inputs.value("prices")["a"]) == ({"days": 5}, ["9"])


def test_the_version_of_an_artifact_is_the_highest_that_has_a_schema(opened, toy):
    toy.builder("first", "", "return {}")
    toy.builder("first_v2", "", "return {}")
    for stem in ("first_v2", "first_v10", "first_v3x", "xfirst_v20", "first_v2_v4"):
        toy.write(f"spec/schemas/{stem}.schema.json", "{}")
    inputs = opened()
    assert (inputs.version("first"), inputs.version("first_v2"), inputs.version("none")) == (10, 4, 1)
    assert inputs.artifact_path("first").name == "first_v10.json"


def test_a_replaced_artifact_changes_no_one_elses(opened, toy):
    toy.builder("first", "limits", "return {'n': limits['days']}")
    assert toy.run("build").code == 0
    inputs = opened()
    other = inputs.with_artifact("first", {"n": 9})
    assert (inputs.value("first"), other.value("first")) == ({"n": 4}, {"n": 9})
    assert inputs.artifacts() == ["first"]


def test_an_artifact_is_read_only_as_it_was_built(opened, toy):
    toy.builder("first", "limits", "return {'n': limits['days']}")
    assert toy.run("build").code == 0
    inputs = opened()
    assert inputs.envelope("first")["data"] == {"n": 4}
    assert inputs.file_digest("first") == files.digest(toy.root / "Temp/first_v1.json")
    path = toy.root / "Temp/first_v1.json"
    path.write_bytes(path.read_bytes().replace(b'"n":4', b'"n":5'))
    with pytest.raises(NotBuilt):
        opened().value("first")


def test_a_spec_with_the_name_of_an_artifact_is_read_by_a_name_of_its_own(toy):
    toy.write("spec/10_gaps.yaml", "days: 3\n")
    toy.builder("gaps", "gaps_spec", 'return {"days": gaps_spec["days"]}')
    inputs = Inputs(find(toy.root))
    assert inputs.kind("gaps_spec") == "spec"
    assert inputs.value("gaps_spec") == {"days": 3}
    assert inputs.kind("gaps") == "artifact"
