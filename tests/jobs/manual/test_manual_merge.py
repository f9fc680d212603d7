"""Files that come together or after one another say each fact once, in versions that count up."""

from decimal import Decimal

import pytest

from quantassay.jobs.manual_merge import plain
from quantassay.store import manual_facts

TRACKING = '일자,순자산가치(NAV),추적오차율\n"2026/11/18","{}","0.65"\n'


def versions(desk, field):
    found = manual_facts.read(desk.data).filter(field=field).sort(manual_facts.KEY)
    return [(one["version"], one["value"], one["note"]) for one in found.to_dicts()]


def test_two_layouts_of_one_folder_say_what_they_share_once(desk):
    desk.navs(d20261118="10010.00")
    desk.put("추적오차추이_900190.csv", TRACKING.format("10010.0"))
    desk.imports("etf_nav", desk.downloads)
    assert versions(desk, "nav") == [(1, "10010.00", "")]
    assert manual_facts.read(desk.data).n_unique(manual_facts.KEY) == 4


def test_a_blank_is_filled_by_a_later_file_and_takes_nothing_away(desk):
    blank = desk.put("a_900190.csv", '일자,종가,순자산가치(NAV)\n"2026/11/18","-","10010.00"\n')
    filled = desk.put("b_900190.csv", '일자,종가,순자산가치(NAV)\n"2026/11/18","10000","10010.00"\n')
    for source in (blank, filled):
        assert desk.imports("etf_nav", source).files[0].corrected == 0
    assert versions(desk, "close") == [(1, None, "blank"), (2, "10000", "")]
    again = desk.put("c_900190.csv", '일자,종가,순자산가치(NAV)\n"2026/11/18"," - ","10010.00"\n')
    assert (desk.imports("etf_nav", again).files[0].added, len(versions(desk, "close"))) == (0, 2)


def test_a_blank_and_its_value_in_one_folder_do_not_disagree(desk):
    desk.put("a_900190.csv", '일자,종가,순자산가치(NAV)\n"2026/11/18","-","10010.00"\n')
    desk.put("b_900190.csv", '일자,종가,순자산가치(NAV)\n"2026/11/18","10000","10010.00"\n')
    assert all(file.loaded for file in desk.imports("etf_nav", desk.downloads).files)
    assert versions(desk, "close") == [(1, None, "blank"), (2, "10000", "")]


def test_three_corrections_are_three_more_versions(desk):
    for n in range(4):
        desk.imports("short_balance", desk.shorts(name=f"v{n}_{{}}.csv", t900010=100 + n))
    assert versions(desk, "balance_shares") == [(n + 1, str(100 + n), "") for n in range(4)]
    assert versions(desk, "listed_shares") == [(1, "1000000", "")]


@pytest.mark.parametrize(
    ("value", "text"),
    [("-0.00", "0.00"), ("0", "0"), ("1E+3", "1000"), ("0.0000001", "0.0000001"), ("-0.15", "-0.15"), ("1.50", "1.50")],
)
def test_a_number_is_written_plainly_with_its_digits(value, text):
    assert plain(Decimal(value)) == text
