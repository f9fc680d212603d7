"""Looks for credentials in the very text of specs, governance and schemas: comments and file names too."""

from functools import partial
from typing import Any

from quantassay.harness import files
from quantassay.harness.inputs import Inputs
from quantassay.secrecy import kinds, kinds_in_name


def search(inputs: Inputs) -> list[dict[str, Any]]:
    """The fact `raw_texts`: each file that a package would hold, and the lines in it that seem to hold a credential.

    A match is {"line", "what"}; line 0 is the file's name. What was found is never repeated. A file that was looked at
    before is known by its digest.
    """
    found = []
    for path in inputs.workspace.texts():
        data = inputs.bytes(path)
        in_name = [{"line": 0, "what": what} for what in kinds_in_name(path.name)[:1]]
        matches = inputs.remember(f"credentials {files.sha256(data)}", partial(matched, data))
        found.append({"file": inputs.workspace.relative(path), "matches": [*in_name, *matches]})
    return found


def matched(data: bytes) -> list[dict[str, Any]]:
    """The lines of a text that seem to hold a credential, and what it seems to be."""
    lines = enumerate(data.decode(errors="replace").splitlines(), 1)
    return [{"line": number, "what": what} for number, line in lines for what in kinds(line)[:1]]
