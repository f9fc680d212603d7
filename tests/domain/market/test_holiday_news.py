"""What a list of holidays adds to a calendar: statement by statement, without a file or a desk."""

from datetime import date

from quantassay.domain.market.holiday_news import Statement, weigh

CALENDAR = {
    "first": "2026-11-16",
    "last": "2026-11-27",
    "sessions": ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"],
    "disputed": [{"date": "2026-11-18"}, {"date": "2026-11-19"}],
}
RULED = [{"date": "2026-11-18", "state": "open", "name": "no storm", "source": "a notice"}]


def said(day, is_open, note="Storm"):
    return Statement(f"2026-11-{day}", date(2026, 11, day), is_open, note)


def weighed(*statements, overrides=RULED):
    news = weigh(statements, CALENDAR, overrides)
    return [one.key[-2:] for one in news.new], news.known, len(news.ignored), len(news.refused)


def test_a_date_that_an_override_rules_is_known_though_its_hours_are_disputed():
    assert weighed(said(18, is_open=True)) == ([], 1, 0, 0)
    assert weighed(said(18, is_open=False)) == ([], 0, 0, 1)
    assert weighed(said(19, is_open=True)) == (["19"], 0, 0, 0)
    assert weighed(said(19, is_open=True, note="")) == ([], 0, 1, 0)


def test_the_same_thing_said_twice_is_new_once():
    assert weighed(said(17, is_open=False), said(17, is_open=False, note="Flood")) == (["17"], 1, 0, 0)


def test_a_weekend_and_a_day_off_are_closed_already():
    assert weighed(said(21, is_open=False, note=""), said(23, is_open=False)) == ([], 2, 0, 0)
    assert weighed(said(21, is_open=True, note="trial of the systems")) == (["21"], 0, 0, 0)


def test_what_is_ignored_contradicts_nothing():
    noise = said(17, is_open=True, note="AMEX")
    assert weighed(said(17, is_open=False), noise) == (["17"], 0, 1, 0)
    assert weighed() == ([], 0, 0, 0)


def test_new_rows_come_in_the_order_of_their_dates():
    assert weighed(said(20, is_open=False), said(16, is_open=False))[0] == ["16", "20"]
