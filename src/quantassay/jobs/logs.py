"""Takes secrets out of every log record when it is made, whichever library logs it and wherever it is written.

A filter at the root logger would see only what is logged there; a record is made once, for all loggers and handlers.
"""

import logging
import sys
import threading
import traceback
from typing import Any

from quantassay.secrecy import withheld

_THREADS = threading.excepthook


class WithheldRecord(logging.LogRecord):
    """A log record whose words, those of its exception included, were cleaned when it was made."""

    def __init__(self, *parts: Any, **named: Any) -> None:
        super().__init__(*parts, **named)
        try:
            said = super().getMessage()
        except (TypeError, ValueError, KeyError):
            said = f"{self.msg} {self.args}"
        self.msg, self.args = withheld(said), None
        if self.exc_info and self.exc_info[0] is not None:
            # A handler prints the text that is there and does not ask the exception.
            self.exc_text = withheld("".join(traceback.format_exception(*self.exc_info)).rstrip())
        if self.stack_info:
            self.stack_info = withheld(self.stack_info)


def guard() -> None:
    """Have every log record of this process, and what a thread dies of, written without secrets."""
    logging.setLogRecordFactory(WithheldRecord)
    threading.excepthook = _thread_ended


def _thread_ended(died: threading.ExceptHookArgs) -> None:
    if died.exc_type is SystemExit:
        return
    name = died.thread.name if died.thread is not None else "a thread"
    told = "".join(traceback.format_exception(died.exc_type, died.exc_value, died.exc_traceback))
    sys.stderr.write(withheld(f"{name} ended: {told}"))
