"""A call named now and made later, here or in another process."""

import pickle

import pytest

from quantassay.harness.lazy import Lazy


def test_a_lazy_call_is_made_with_all_its_arguments():
    assert Lazy("builtins:divmod", (7,))(2) == (3, 1)
    assert pickle.loads(pickle.dumps(Lazy("builtins:str", ("x",))))() == "x"


def test_a_call_that_leads_nowhere_fails_when_it_is_made():
    lazy = Lazy("quantassay.harness.nowhere:f")
    with pytest.raises(ModuleNotFoundError):
        lazy()
