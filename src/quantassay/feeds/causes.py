"""The errors behind an error: what a library for requests wraps, in the ways that it does."""

from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what lies behind it, in the ways that the two libraries wrap one another."""
    waiting: list[object] = [error]
    seen: list[object] = []
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and not any(one is other for other in seen):
            seen.append(one)
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
