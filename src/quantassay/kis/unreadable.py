"""What is raised where KIS could not be read whole, so that no half of an answer is ever taken for all of it."""

from quantassay.errors import AssayError


class KisUnreadable(AssayError):
    """Something that KIS should have said could not be read whole.

    `code` is KIS's own (empty where there is none), `why` the reason alone, without what was asked.
    """

    exit_code = 1

    def __init__(self, what: str, why: str, code: str = "") -> None:
        self.what, self.why, self.code = what, why, code
        told = f" ({code})" if code and code not in why else ""
        super().__init__(f"KIS: {what} could not be read: {why}{told}; nothing is concluded from it")


class NoSuchName(KisUnreadable):
    """A name that KIS does not know, for which it sends zeros in place of an error."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "KIS has no such name, or no price of it")
