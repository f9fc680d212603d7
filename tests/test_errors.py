"""Errors are sentences made of facts; they come whole out of a worker process."""

import pickle

import pytest

from quantassay.errors import AssayError, InternalError


class Short(AssayError):
    exit_code = 1

    def __init__(self, ticker, held, wanted):
        self.missing = wanted - held
        super().__init__(f"{ticker} is short of {self.missing}; sell less")


class Broken(InternalError):
    def __init__(self, unit, *, line):
        super().__init__(f"{unit}:{line} broke")
        self.log = "Traceback"


@pytest.mark.parametrize(
    "error", [Short("000660", 3, 10), Broken("x.py", line=7), AssayError("plain"), InternalError()]
)
def test_an_error_comes_back_as_it_was(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.args, again.__dict__) == (
        type(error),
        str(error),
        error.args,
        error.__dict__,
    )
    assert again.exit_code == error.exit_code


def test_the_exit_codes_are_two_and_three():
    assert (AssayError.exit_code, InternalError.exit_code) == (2, 3)
