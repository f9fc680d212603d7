import pytest

from quantassay.harness import origins

DATA = {
    "session": "2026-11-18",
    "orders": [
        {"ticker": "900010", "side": "buy", "quantity": 10, "price": 5010.5, "ok": True, "note": None},
        {"ticker": "9000A0", "side": "sell", "quantity": 20, "price": 100, "ok": False, "note": "12 of 20"},
    ],
    "fee": "0.015",
}


def rows(data=DATA, patterns=None, inputs=("bars", "next_open")):
    return origins.coverage("plan", data, patterns or {}, inputs)


def bare(found):
    return {row["kind"]: row["bare"] for row in found}


@pytest.mark.parametrize(
    "leaf",
    [
        0,
        -3,
        1.5,
        "0.15",
        "12",
        "-7.0",
        "1234567",
        "12345",
        "2026-11-18",
        "2026-11-18T15:45:00+09:00",
        "15:30",
        "09:00:01",
    ],
)
def test_numbers_decimals_dates_and_times_need_an_origin(leaf):
    assert origins.is_number(leaf)


@pytest.mark.parametrize(
    "leaf", [True, False, None, "900010", "9000A0", "buy", "", "12 of 20", "sha256:00", "v1", "1e5", "٣"]
)
def test_words_tickers_and_flags_need_none(leaf):
    assert not origins.is_number(leaf)


def test_each_kind_of_number_is_one_row():
    assert [(row["kind"], row["pointer"], row["numbers"], row["bare"]) for row in rows()] == [
        ("/session", "/session", 1, 1),
        ("/orders/*/quantity", "/orders/0/quantity", 2, 2),
        ("/orders/*/price", "/orders/0/price", 2, 2),
        ("/fee", "/fee", 1, 1),
    ]
    assert {row["artifact"] for row in rows()} == {"plan"}


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ({"/**": ["bars:"]}, []),
        ({"/orders/**": ["bars:"]}, ["/session", "/fee"]),
        ({"/orders/*/*": ["bars:"]}, ["/session", "/fee"]),
        ({"/orders/*/quantity": ["bars:"]}, ["/session", "/orders/*/price", "/fee"]),
        ({"/orders/*": ["bars:"], "/fee": ["bars:"]}, ["/session", "/orders/*/quantity", "/orders/*/price"]),
        ({"/**": []}, ["/session", "/orders/*/quantity", "/orders/*/price", "/fee"]),
        ({"/orders/*/quantity/x": ["bars:"]}, ["/session", "/orders/*/quantity", "/orders/*/price", "/fee"]),
    ],
)
def test_a_pattern_covers_what_it_matches_and_names_an_input_for(patterns, left):
    assert [kind for kind, count in bare(rows(patterns=patterns)).items() if count] == left


def test_a_pattern_for_one_row_leaves_the_others_bare():
    found = rows(patterns={"/orders/0/quantity": ["bars:"]})[1]
    assert (found["bare"], found["numbers"], found["pointer"]) == (1, 2, "/orders/1/quantity")


def test_members_of_an_object_are_kinds_of_their_own():
    data = {"names": {"900010": {"close": 1}, "a/b": {"close": 2}}}
    assert list(bare(rows(data))) == ["/names/900010/close", "/names/a~1b/close"]
    assert bare(rows(data, {"/names/*/close": ["bars:"]})) == {"/names/900010/close": 0, "/names/a~1b/close": 0}


@pytest.mark.parametrize(
    ("reference", "known"),
    [
        ("bars:", True),
        ("bars:/{ticker}/{session}/close", True),
        ("next_open:/limits", True),
        ("barz:/close", False),
        ("bars", False),
        ("bars:close", False),
        (":/close", False),
        ("", False),
    ],
)
def test_an_origin_is_an_input_of_the_builder_and_a_pointer(reference, known):
    found = rows({"fee": 1}, {"/fee": ["bars:", reference]})[0]
    assert found["unknown"] == ([] if known else [reference])
    assert found["bare"] == 0


def test_unknown_origins_are_listed_once_and_in_order():
    found = rows({"fee": 1}, {"/fee": ["z:", "b:", "bars:", "z:"], "/**": ["a:"]})[0]
    assert found["unknown"] == ["a:", "b:", "z:"]


def test_an_artifact_without_a_number_has_no_rows():
    assert rows({"names": [], "side": "buy"}) == []


def test_the_columns_of_a_table_are_its_kinds_of_number():
    patterns = {"/*/close": ["bars:"], "/*/a~1b": ["barz:"]}
    found = origins.table_coverage("history", ["close", "volume", "a/b"], patterns, ["bars"])
    assert [(row["kind"], row["bare"], row["unknown"]) for row in found] == [
        ("/*/close", 0, []),
        ("/*/volume", 1, []),
        ("/*/a~1b", 0, ["barz:"]),
    ]
    assert bare(origins.table_coverage("history", ["close"], {"/**": ["bars:"]}, ["bars"])) == {"/*/close": 0}
