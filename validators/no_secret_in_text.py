"""No line of a spec, of governance or of a schema holds a credential: no comment, no title, no name of a file.

A comment is packaged and shared like the rest, and is where a key is most often left by accident.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R06.1"]
WAY_OUT = "take it out, change it where it is valid, and keep it outside of the workspace"


def check(raw_texts: list[dict[str, Any]]) -> Iterator[Judged]:
    """Judges each file, or each line of it that seems to hold a credential; line 0 is its name."""
    for text in raw_texts:
        file = text["file"].replace("~", "~0").replace("/", "~1")
        if not text["matches"]:
            yield judged(f"/{file}", ok=True, says="", artifact="raw_texts")
        for match in text["matches"]:
            # What was found is never repeated: findings are printed, packaged and mailed.
            where = f"line {match['line']}" if match["line"] else "the name of the file"
            says = f"{where} seems to hold {match['what']}; {WAY_OUT}"
            yield judged(f"/{file}/{match['line']}", ok=False, says=says, artifact="raw_texts")
