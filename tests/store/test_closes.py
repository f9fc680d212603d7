"""Closes by ticker and session, as a file of another day is told by them."""

from datetime import date

from quantassay.store import bars, closes


def bar(ticker, day, close):
    prices = {"open": None, "high": None, "low": None, "close": close}
    rest = {"volume": 1, "foreign_net_buy": None, "taken_at": None, "source": "a.csv", "row": 2}
    return {"ticker": ticker, "session": date(2026, 11, day), **prices, **rest}


def test_a_close_is_found_by_ticker_and_session(tmp_path):
    frame = bars.pl.DataFrame([bar("A", 2, 10.0), bar("A", 3, 11.0), bar("B", 3, None)], schema=bars.SCHEMA)
    bars.replace(tmp_path, "XKRX", frame, b"{}\n")
    found = closes.of_market(tmp_path, "XKRX")
    assert found["A", date(2026, 11, 3)] == 11.0
    assert found.get(("B", date(2026, 11, 3))) is None
    assert ("A", date(2026, 11, 4)) not in found
    assert dict(found) == {("A", date(2026, 11, 2)): 10.0, ("A", date(2026, 11, 3)): 11.0}
    assert len(found) == 2


def test_a_market_without_bars_has_no_closes(tmp_path):
    assert not closes.of_market(tmp_path, "XKRX")
