"""A step is built when what it stands on has changed, judged by content, and never otherwise."""

import itertools
import json

import pytest

from quantassay.harness.build import InputChanged, Request, run
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.workspace import find


@pytest.fixture
def chain(toy):
    """Limits -> first -> second -> third, and alone."""
    toy.write("spec/10_limits.yaml", "days: 4\nnote: x\n")
    toy.builder("first", "limits", "return {'n': limits['days']}")
    toy.builder("second", "first", "return {'twice': first['n'] * 2}")
    toy.builder("third", "second, as_of", "return {'sum': second['twice'] + 1, 'as_of': as_of}")
    toy.builder("alone", "", "return {'x': 1}")
    assert steps(toy) == {"alone": "built", "first": "built", "second": "built", "third": "built"}
    return toy


def steps(toy, *arguments):
    done = toy.run("build", "--format", "json", *arguments)
    assert done.code == 0, done.err
    return {step["artifact"]: step["status"] for step in json.loads(done.out)}


def why(toy, *arguments):
    done = toy.run("build", "--format", "json", *arguments)
    return {step["artifact"]: step["why"] for step in json.loads(done.out) if step["why"]}


KEPT = {"alone": "kept", "first": "kept", "second": "kept", "third": "kept"}


def test_a_second_run_does_nothing(chain):
    before = {path: path.stat().st_ino for path in chain.root.rglob("*") if path.name != "build.lock"}
    assert steps(chain) == KEPT
    assert {path: path.stat().st_ino for path in chain.root.rglob("*") if path.name != "build.lock"} == before


def test_an_artifact_says_where_it_comes_from(chain):
    made = chain.made("third")
    assert (made["artifact"], made["version"], made["as_of"]) == ("third", 1, "2026-01-05T10:00:00+09:00")
    assert made["data"] == {"sum": 9, "as_of": "2026-01-05T10:00:00+09:00"}
    assert made["provenance"]["builder"]["file"] == "builders/third.py"
    assert [(i["name"], i["kind"]) for i in made["provenance"]["inputs"]] == [
        ("as_of", "handed"),
        ("second", "artifact"),
    ]


def limits(text):
    return lambda toy: toy.write("spec/10_limits.yaml", text)


def builder(name, parameters, body):
    return lambda toy: toy.builder(name, parameters, body)


# What is changed, then which artifacts are built, each with its reasons; all others are kept.
CHANGES = [
    # A changed value goes as far as it makes a difference.
    (limits("days: 5\nnote: x\n"), "built first second third", ["input limits changed"]),
    (limits("days: 4\nnote: z\n"), "unchanged first", ["input limits changed"]),
    (builder("first", "limits", "# why\nreturn {'n': limits['days']}"), "unchanged first", ["builder changed"]),
    (builder("second", "first", "return {'twice': first['n'] * 3 - 4}"), "unchanged second", ["builder changed"]),
    (builder("second", "first", "return {'twice': first['n'] * 3}"), "built second third", ["builder changed"]),
    # A layout is no content, and neither is the time of a file.
    (limits("# why\nnote: 'x'\ndays:   4\n"), "", []),
    (lambda toy: (toy.root / "spec/10_limits.yaml").touch(), "", []),
    (
        lambda toy: (toy.root / "Temp/first_v1.json").unlink(),
        "unchanged first",
        ["Temp/first_v1.json is not there as it was built"],
    ),
    (
        builder("third", "second, limits", "return {'sum': second['twice']}"),
        "built third",
        ["builder changed", "input as_of is gone", "input limits is new"],
    ),
    (lambda toy: toy.write("spec/schemas/first_v1.schema.json", "{}"), "unchanged first", ["schema changed"]),
]


@pytest.mark.parametrize(("change", "touched", "reasons"), CHANGES)
def test_what_changed_is_built_and_says_why(chain, change, touched, reasons):
    change(chain)
    status, *names = touched.split() or [""]
    dry = {name: told for name, told in why(chain, "--dry-run").items() if "comes first" not in told[0]}
    assert dry == ({names[0]: reasons} if names else {})
    done = chain.run("build", "--format", "json")
    found = json.loads(done.out)
    assert {step["artifact"]: step["status"] for step in found} == KEPT | dict.fromkeys(names, status)
    told = {step["artifact"]: step["why"] for step in found if step["why"]}
    upstream = itertools.pairwise(names)
    assert told == dry | {name: [f"input {before} changed"] for before, name in upstream}
    assert steps(chain) == KEPT


def test_another_instant_builds_everything_and_says_so(chain):
    later = "2026-01-06T10:00:00+09:00"
    assert why(chain, "--as-of", later)["first"] == [f"as_of changed from 2026-01-05T10:00:00+09:00 to {later}"]
    assert chain.made("first")["as_of"] == later


def test_a_dry_run_tells_and_writes_nothing(chain):
    chain.write("spec/10_limits.yaml", "days: 5\n")
    (chain.root / "data" / "facts.cache").unlink()
    before = {path: path.stat().st_mtime_ns for path in chain.root.rglob("*")}
    assert steps(chain, "--dry-run") == {"alone": "kept", "first": "stale", "second": "waiting", "third": "waiting"}
    assert why(chain, "--dry-run")["third"] == ["second comes first"]
    assert {path: path.stat().st_mtime_ns for path in chain.root.rglob("*")} == before


def test_a_dry_run_of_a_new_workspace_makes_no_folder(toy):
    toy.builder("first", "", "return {}")
    assert steps(toy, "--dry-run") == {"first": "stale"}
    assert sorted(path.name for path in toy.root.iterdir()) == ["builders", "spec"]


def test_only_what_is_selected_and_what_it_needs_is_built(chain):
    chain.write("spec/10_limits.yaml", "days: 5\n")
    chain.builder("alone", "", "return {'x': 2}")
    assert steps(chain, "second") == {"first": "built", "second": "built"}
    assert steps(chain) == {"alone": "built", "first": "kept", "second": "kept", "third": "built"}


def test_a_builder_that_is_gone_takes_its_artifact_along(chain):
    (chain.root / "builders/third.py").unlink()
    assert steps(chain) == {"alone": "kept", "first": "kept", "second": "kept"}
    assert not [file for file in chain.temp() if "third" in file]
    assert b"third" not in chain.temp()["Temp/state.jsonl"]
    assert len([file for file in chain.temp() if ".kept" in file]) == 3


def test_another_version_replaces_the_file(chain):
    chain.write("spec/schemas/alone_v2.schema.json", "{}")
    assert steps(chain)["alone"] == "unchanged"
    assert [file for file in chain.temp() if "alone" in file] == ["Temp/alone_v2.json"]


def test_what_is_deleted_comes_back_byte_for_byte(chain):
    before = chain.temp()
    for path in sorted((chain.root / "Temp").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert set(steps(chain).values()) == {"built"}
    assert chain.temp() == before


def test_marks_go_wherever_the_marked_value_goes(chain):
    inputs = Inputs(find(chain.root))
    inputs.hand([Handed("as_of", "sha256:x", lambda: "2026-01-05T10:00:00+09:00", ("SAMPLE",))])
    run(inputs, Request(as_of="2026-01-05T10:00:00+09:00"))
    assert (chain.made("third")["marks"], chain.made("second")["marks"]) == (["SAMPLE"], [])


def test_progress_counts_what_is_at_work(chain):
    chain.write("spec/10_limits.yaml", "days: 5\n")
    inputs, told = Inputs(find(chain.root)), []
    inputs.hand([Handed("as_of", inputs.state.steps["build:third"]["key"]["input as_of"], lambda: "x")])
    run(inputs, Request(as_of="2026-01-05T10:00:00+09:00"), progress=lambda *at: told.append(at))
    assert told == [(1, 4, "first"), (2, 4, "second"), (3, 4, "third")]


# What is edited while a builder runs.

EDITS = {
    "input limits": ("spec/10_limits.yaml", "days: 99\n"),
    "input prices": ("data/raw/p.csv", "a\n99\n"),
    "schema": ("spec/schemas/first_v1.schema.json", '{"title": "x"}'),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_input_that_changes_meanwhile_is_reported_and_nothing_is_written(toy, what):
    settings = (toy.root / "spec/00_workspace.yaml").read_text()
    toy.write("spec/00_workspace.yaml", settings + "files: {prices: {path: data/raw/p.csv, format: csv}}\n")
    toy.write("spec/10_limits.yaml", "days: 4\n")
    toy.write("data/raw/p.csv", "a\n1\n")
    toy.write("spec/schemas/first_v1.schema.json", "{}")
    toy.builder("first", "limits, prices", "return {'n': limits['days'], 'rows': len(prices['a'])}")
    inputs, (file, text) = Inputs(find(toy.root)), EDITS[what]
    fresh = inputs.fresh

    def edited(name):
        value = fresh(name)
        toy.write(file, text)
        return value

    inputs.fresh = edited
    with pytest.raises(
        InputChanged, match=f"^{what} changed while first was being built from it; nothing was written, run again"
    ) as raised:
        run(inputs, Request())
    assert raised.value.exit_code == 1
    assert not (toy.root / "Temp").exists()
    assert steps(toy) == {"first": "built"}


def test_a_handed_value_that_changes_meanwhile_is_reported(toy):
    toy.builder("first", "bars", "return {'n': bars}")
    inputs = Inputs(find(toy.root))
    inputs.hand([Handed("bars", "sha256:old", lambda: 1, recheck=lambda: "sha256:new")])
    with pytest.raises(InputChanged, match=r"^bars changed while first was being built from it"):
        run(inputs, Request())


def test_a_builder_that_changes_its_inputs_changes_nobody_elses(toy):
    toy.write("spec/10_limits.yaml", "days: [1, 2]\n")
    toy.builder("a", "limits", "limits['days'].append(3)\nreturn {'n': limits['days']}")
    toy.builder("b", "a, limits", "a['n'].clear()\nreturn {'n': limits['days']}")
    toy.builder("c", "a, limits", "return {'a': a['n'], 'n': limits['days']}")
    assert set(steps(toy).values()) == {"built"}
    assert [toy.made(name)["data"] for name in "abc"] == [
        {"n": [1, 2, 3]},
        {"n": [1, 2]},
        {"a": [1, 2, 3], "n": [1, 2]},
    ]
