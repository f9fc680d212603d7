"""A gate is run again when anything that it hangs on has changed, and only then; facts and crashes always run."""

import pytest

from quantassay.harness import verdicts
from quantassay.harness.gate import Terms
from quantassay.jobs import desk

GATE = '''"""Orders are not too large."""

from quantassay.findings import judged

RULES = ["R01.1"]
{top}

def check({reads}):
    with open({log!r}, "a") as log:
        log.write("ran\\n")
    {body}
'''


@pytest.fixture
def judged(toy, tmp_path):
    """Judge the toy's one gate; how often its code has run by now, and the result."""
    log = tmp_path / "log"
    log.touch()
    toy.write("spec/10_limits.yaml", "largest: 5\n")

    def once(body='yield judged("", ok=limits["largest"] == 5, says="is not 5")', reads="limits", severity="error"):
        toy.write("validators/size.py", GATE.format(top="", reads=reads, log=str(log), body=body))
        inputs = desk.built(toy.root)
        terms = Terms({"R01.1": severity}, {})
        result = verdicts.judged(inputs, inputs.rooms.validators["size"], terms)
        return len(log.read_text().splitlines()), result

    return once


def test_the_same_things_are_judged_once(judged):
    first = judged()
    assert judged() == first == (1, first[1])
    assert first[1].status == "passed"


def test_anything_that_it_hangs_on_makes_it_run_again(toy, judged):
    judged()
    toy.write("spec/10_limits.yaml", "largest: 6\n")
    ran, result = judged()
    assert (ran, result.status) == (2, "failed")
    ran, result = judged(severity="warning")
    assert (ran, [one.severity for one in result.findings]) == (3, ["warning"])
    ran, result = judged(body='yield judged("", ok=True, says="")')
    assert (ran, result.status) == (4, "passed")


def test_a_crash_and_a_gate_that_reads_a_fact_always_run(judged):
    assert [judged(body="raise ValueError(limits)\n    yield")[0] for _ in range(2)] == [1, 2]
    body = 'yield judged("", ok=bool(documents), says="none")'
    assert [judged(body=body, reads="documents")[0] for _ in range(2)] == [3, 4]
