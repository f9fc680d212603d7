"""The trading days that a job has before anything is built: the same as the calendar that is built."""

from datetime import date

from quantassay.harness import canonical
from quantassay.jobs import desk as desks
from quantassay.jobs.trading_days import trading_days


def test_the_days_are_those_of_the_calendar_that_is_built(new_desk):
    assert new_desk.run("build", "trading_calendar").code == 0
    days = trading_days(desks.opened(new_desk.root))
    built = canonical.read(new_desk.root / "Temp/trading_calendar_v1.json")["data"]
    assert [day.isoformat() for day in days.sessions] == built["sessions"]
    disputed = {row["date"] for row in built["disputed"]}
    assert {day.isoformat() for day in set(days.sessions) - set(days.sure)} == disputed & set(built["sessions"])
    assert disputed
    assert str(days.zone) == built["zone"]


def test_a_ruling_counts_at_once_though_nothing_is_built_and_the_days_were_kept(new_desk, edit):
    inputs = desks.opened(new_desk.root)
    assert date(2026, 11, 18) in trading_days(inputs).sessions
    inputs.cache.save()
    edit(
        new_desk,
        "governance/calendar_overrides.yaml",
        "overrides:\n",
        'overrides:\n  - market: "XKRX"\n    date: "2026-11-18"\n    state: "closed"\n    name: "Storm"\n'
        '    source: "the exchange"\n    noted_on: "2026-11-17"\n',
    )
    assert date(2026, 11, 18) not in trading_days(desks.opened(new_desk.root)).sessions
    assert not (new_desk.root / "Temp").exists()


def test_kept_days_are_read_without_the_holiday_tables(new_desk):
    inputs = desks.opened(new_desk.root)
    made = trading_days(inputs)
    inputs.cache.save()
    again = desks.opened(new_desk.root)
    assert trading_days(again) == made
    assert "holiday_sources" not in again._values
