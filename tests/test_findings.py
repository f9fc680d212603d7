"""What a gate says of one thing, and the finding that is made of it."""

from dataclasses import FrozenInstanceError, replace
from decimal import Decimal

import pytest

from quantassay.findings import Finding, judged

FOUND = Finding("R03", "order_share", "error", "next_open_plan", "/orders/0", "takes too much", "0.01", "0.02")


def test_expected_and_actual_are_kept_as_text():
    one = judged("/orders/0/price", ok=False, says="is off", expected=Decimal("10.50"), actual=0)
    assert (one.expected, one.actual) == ("10.50", "0")
    assert judged("", ok=True, says="").expected is None


def test_a_judgement_cannot_be_changed_later():
    with pytest.raises(FrozenInstanceError):
        judged("/x", ok=False, says="is off").ok = True


def test_the_fingerprint_is_of_the_breach_and_its_place_not_of_its_words():
    assert FOUND.fingerprint == "8566335b95cd8f6a"
    assert (
        replace(FOUND, says="other words", severity="note", expected="1", actual=None).fingerprint == FOUND.fingerprint
    )
    for change in ({"rule": "R04"}, {"gate": "g"}, {"artifact": "a"}, {"pointer": "/orders/1"}):
        assert replace(FOUND, **change).fingerprint != FOUND.fingerprint
