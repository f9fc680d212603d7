"""A function named by its module and called later, so that a run that has nothing to do loads nothing heavy.

The reference is `package.module:function`, as in an entry point; it can be sent to a worker process.
"""

import importlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Lazy:
    """A call that is made when it is needed."""

    reference: str
    arguments: tuple[Any, ...] = ()

    def __call__(self, *more: Any) -> Any:
        """Load the module and call the function, with these arguments after the ones it was given before."""
        module, _, name = self.reference.partition(":")
        return getattr(importlib.import_module(module), name)(*self.arguments, *more)
