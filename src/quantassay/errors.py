"""The one root of everything that cannot be done, and the two exits that are not findings."""

from typing import Any

from quantassay.secrecy import withheld


class AssayError(Exception):
    """Something asked for cannot be done; its text is one sentence that says what to do next.

    Subclasses live beside their subject, take facts in their constructor and write the sentence.
    `exit_code` is 2 (wrong use or wrong spec) unless a subclass says otherwise. What looks like a credential is taken
    out of the sentence, whoever wrote it: errors are copied into tickets and logs.
    """

    exit_code = 2

    def __init__(self, *says: object) -> None:
        super().__init__(*(withheld(one) if isinstance(one, str) else one for one in says))

    def __reduce__(self) -> tuple[Any, ...]:
        # A constructor takes facts, not the sentence, so what a worker raised cannot be made again by calling it.
        return _revived, (type(self), self.args, dict(self.__dict__))


def _revived(kind: type[AssayError], arguments: tuple[Any, ...], facts: dict[str, Any]) -> AssayError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(facts)
    return error


class InternalError(AssayError):
    """Our own fault: the log is worth sending."""

    exit_code = 3
