"""Write a file of governance for a person: the next free id, its YAML, and its own check before it is put in place."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import specs
from quantassay.harness.build import Request
from quantassay.harness.inputs import Inputs
from quantassay.jobs import desk


class BadWords(AssayError):
    """What a person said cannot stand in a file of this form."""

    def __init__(self, file: str, problems: Iterable[str]) -> None:
        super().__init__(f"{file} cannot be written so: {'; '.join(problems)}; say it otherwise")


def next_id(letter: str, used: Iterable[str]) -> str:
    """The letter and the number after the highest: A001, A002."""
    return f"{letter}{max((int(one[1:]) for one in used), default=0) + 1:03}"


def document(inputs: Inputs, value: Mapping[str, Any], schema: str, file: str) -> bytes:
    """The YAML of this value, one member a line, read back and judged by its schema. Raises BadWords."""
    # A text in JSON is the same text in YAML, quotes and all.
    lines = [f"{name}: {json.dumps(member, ensure_ascii=False)}\n" for name, member in value.items()]
    data = "".join(lines).encode(errors="surrogatepass")
    spec, problems = specs.parse(data, inputs.schema(schema), file)
    if spec is None:
        raise BadWords(file, [problem.says for problem in problems])
    if spec.value != value:
        raise BadWords(file, ["a character in it means something else in YAML"])
    return data


def next_run(inputs: Inputs) -> str:
    """The command that takes up a new file of governance without making everything for another instant."""
    as_of = str(inputs.value("as_of"))
    own = desk.prepared(desk.opened(inputs.workspace.root), Request())[1].as_of
    return "assay run" if own == as_of else f"assay run --as-of {as_of}"
