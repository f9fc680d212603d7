"""Which of its known weak points a daily rule corrects: all of them, none (then it is the older program), or some."""

from collections.abc import Iterable, Mapping

from quantassay.errors import AssayError


class UnknownCorrection(AssayError):
    """A correction that the rule does not have."""

    def __init__(self, asked: Iterable[str], known: Iterable[str]) -> None:
        super().__init__(
            f"{', '.join(sorted(asked))}: no such correction; write all, none, or some of {', '.join(sorted(known))}"
        )


def chosen(asked: str | Iterable[str], known: Mapping[str, str]) -> frozenset[str]:
    """The corrections that a spec asks for: "all", "none" or a list of ids. Raises UnknownCorrection."""
    if asked == "all":
        return frozenset(known)
    ids = frozenset([asked] if isinstance(asked, str) else asked) - {"none"}
    if ids - known.keys():
        raise UnknownCorrection(ids - known.keys(), known)
    return ids
