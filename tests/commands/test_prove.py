"""The prove command: what each gate caught, what survived, and whether the floor is reached."""

import json


def test_the_words_end_with_the_share_and_the_floor(done):
    said = done.run("prove", "--per-pattern", "1", "--survivors", "2")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].split() == ["5", "caught", "of", "18", "shown", "lots"]
    assert [line for line in lines if line.startswith("survived: ")] == lines[1:3]
    assert lines[3].endswith(" more; see them with --format json")
    assert "unread fields: history#/*/day, plan#/orders/*/ticker" in lines
    assert lines[-1].endswith("; the floor 0.1 is reached")
    assert done.run("-q", "prove", "--per-pattern", "1").out == ""


def test_json_holds_every_survivor(done):
    told = json.loads(done.run("prove", "plan", "--per-pattern", "1", "--format", "json").out)
    assert told["mutants"] == told["killed"] + len(told["survivors"]) > 0
    assert told["per_gate"]["lots"]["killed"] == told["killed"]


def test_a_floor_that_is_not_reached_is_exit_1_also_when_quiet(done):
    done.write("governance/gates.yaml", 'zero_legal: []\nleast_share_caught: "0.9"\n')
    said = done.run("-q", "prove", "--per-pattern", "1")
    assert (said.code, said.out.splitlines()[-1].endswith("; the floor 0.9 is NOT reached")) == (1, True)


def test_a_gate_that_was_red_before_is_named(done):
    done.write("spec/10_limits.yaml", "lot: 7\n")
    done.run("build")
    said = done.run("prove", "--per-pattern", "1")
    assert (said.code, "red before: lots" in said.out) == (1, True)


def test_an_artifact_that_nobody_makes_is_wrong_use(done):
    said = done.run("prove", "plam")
    assert (said.code, "did you mean 'plan'?" in said.err) == (2, True)
