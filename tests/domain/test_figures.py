"""Numbers as artifacts hold them."""

from decimal import Decimal

import pytest

from quantassay.domain.figures import amount, exact, text


@pytest.mark.parametrize(
    ("price", "kept"), [(61_700.0, 61_700), (0.1, "0.1"), (1_301.5, "1301.5"), (-5.5, "-5.5"), (1e-05, "0.00001")]
)
def test_prices_are_kept_exactly(price, kept):
    assert exact(price) == kept
    assert type(exact(price)) is type(kept)


@pytest.mark.parametrize(
    ("value", "kept"), [("2581258.10", "2581258.1"), ("1000.00", 1_000), ("0.3", "0.3"), ("1E+9", 10**9)]
)
def test_amounts_are_kept_exactly(value, kept):
    assert amount(Decimal(value)) == kept


def test_a_number_that_is_not_known_is_none_and_zero_has_no_sign():
    assert (text(float("nan")), text(float("inf")), text(-1e-9), text(2.5, 0)) == (None, None, "0.000000", "2")
