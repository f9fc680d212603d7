"""What a gate found, told again while it is about the very same things, in a process that judges more than once.

Kept in memory only: a verdict that was given elsewhere, or written to a file, is never taken for one of this run.
"""

from quantassay.harness import canonical, code, gate
from quantassay.harness.gate import GateResult, Terms
from quantassay.harness.inputs import Inputs
from quantassay.harness.rooms import Unit

# A desk has some seventy gates; what is older than several runs will hardly be asked for again.
MOST = 1000
_kept: dict[str, GateResult] = {}


def judged(inputs: Inputs, unit: Unit, terms: Terms) -> GateResult:
    """The gate's result: as kept where its code and all that it reads have the same digests, else by running it.

    A gate that reads a fact always runs, for facts have no digest; so does one that crashed.
    """
    if any(inputs.kind(name) == "fact" for name in unit.parameters):
        return gate.judge_one(inputs, unit, terms)
    key = _key(unit, inputs, terms)
    result = _kept.pop(key, None) or gate.judge_one(inputs, unit, terms)
    if result.error is None:
        _kept[key] = result
    while len(_kept) > MOST:
        del _kept[next(iter(_kept))]
    return result


def _key(unit: Unit, inputs: Inputs, terms: Terms) -> str:
    return canonical.digest(
        {
            "gate": [unit.name, unit.origin, unit.digest, code.engine(), *_stands_on(unit, inputs)],
            "reads": [[name, inputs.digest(name)] for name in unit.parameters],
            "severities": [terms.severities.get(rule, "") for rule in unit.rules],
            "zero": terms.zero_legal.get(unit.name, ""),
        }
    )


def _stands_on(unit: Unit, inputs: Inputs) -> list[str]:
    ours, libraries = code.foundation(unit, inputs.remember)
    return [ours, *(f"{name} {version}" for name, version in sorted(libraries.items()))]
