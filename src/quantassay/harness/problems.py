"""A problem in a file that a person wrote: where it is, what is wrong, what to do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from quantassay.errors import AssayError
from quantassay.harness.lazy import Lazy

WIDEST_EXCERPT = 120
# What stands behind such a key is never shown: errors are copied into tickets and logs.
_SECRET = re.compile(
    r"((?:krx_?(?:id|pw)|app_?key|app_?secret|api_?key|secret|token|passw(?:or)?d|account_?n(?:o|umber))\w*"
    r"[\"']?\s*[:=]\s*).+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file; line and column count from 1, `excerpt` is the line itself."""

    file: str
    line: int
    column: int
    says: str
    excerpt: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: {self.says}"
        if not self.excerpt:
            return place
        line = _SECRET.sub(r"\1(not shown)", self.excerpt)
        start = max(0, min(self.column - 1 - WIDEST_EXCERPT // 2, len(line) - WIDEST_EXCERPT))
        shown, before = line[start : start + WIDEST_EXCERPT], self.excerpt[start : self.column - 1]
        # The mark stands under its character: a tab stays a tab, and Korean letters take two columns.
        width = Lazy("unicodedata:east_asian_width")
        lead = "".join("\t" if c == "\t" else "  " if width(c) in "WF" else " " for c in before)
        return f"{place}\n    {shown}\n    {lead}^"


class SpecErrors(AssayError):
    """One or more specs are wrong; all problems are given at once, sorted by place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class BadSchema(AssayError):
    """A schema that cannot be used to judge anything."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__(f"the schema {name} is wrong: {'; '.join(problems)}; correct it, then judge by it")


@dataclass(frozen=True, slots=True, order=True)
class SchemaProblem:
    """One breach of a schema; `key` names the member of the object at `pointer` where the key itself is wrong."""

    pointer: str
    keyword: str
    says: str
    key: str | None = None
