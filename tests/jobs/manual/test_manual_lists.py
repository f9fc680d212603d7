"""Lists of listed companies: the one of the latest day counts, and every one that was imported is kept."""

from quantassay.jobs.imported_by_hand import listing_import, manual_log
from quantassay.store import manual_index

ALPHA, BETA, GAMMA = ("Alpha", "900010", "parts"), ("Beta", "9000A0", "shops"), ("Gamma", "900030", "games")
DAY, NEXT = "2026-11-16", "2026-11-17"


def says(report):
    return [issue.says for issue in report.issues if issue.code == "superseded"]


def codes(desk):
    return [one["ticker"] for one in listing_import(desk.data)["names"]]


def test_a_list_is_handed_in_as_it_was_read(desk):
    file = desk.companies(ALPHA, BETA)
    report = desk.imports("listing", file, date=DAY)
    (one,) = report.files
    assert (one.loaded, one.rows, one.facts, one.added, one.corrected) == (True, 2, 2, 2, 0)
    listed = listing_import(desk.data)
    assert listed == {
        "as_of": DAY,
        "file": "companies.xls",
        "digest": one.read.digest,
        "names": [
            {
                "ticker": "900010",
                "name": "Alpha",
                "market": None,
                "listed_on": "2019-05-02",
                "sector": "parts",
                "row": 2,
            },
            {
                "ticker": "9000A0",
                "name": "Beta",
                "market": None,
                "listed_on": "2019-05-02",
                "sector": "shops",
                "row": 3,
            },
        ],
    }
    assert manual_log(desk.data)["feeds"]["listing"][0]["last"] == DAY


def test_no_list_is_none(desk):
    assert listing_import(desk.data) is None


def test_the_list_of_the_latest_day_counts_whichever_came_last(desk):
    desk.imports("listing", desk.companies(ALPHA, BETA, GAMMA), date=NEXT)
    desk.imports("listing", desk.companies(ALPHA, name="older.xls"), date=DAY)
    assert codes(desk) == ["900010", "9000A0", "900030"]
    assert len(manual_index.read_index(desk.data).lists) == 2


def test_the_same_list_again_changes_no_byte(desk):
    file = desk.companies(ALPHA)
    desk.imports("listing", file, date=DAY)
    before = desk.state()
    assert not desk.imports("listing", file, date=DAY).changed
    assert desk.state() == before


def test_another_list_of_the_day_replaces_it_and_says_what_is_different(desk):
    desk.imports("listing", desk.companies(ALPHA, BETA), date=DAY)
    report = desk.imports("listing", desk.companies(("Alpha", "900010", "cars"), GAMMA, name="again.xls"), date=DAY)
    (said,) = says(report)
    assert said == (
        f"replaces companies.xls as the list of {DAY}: 1 differ (900010), 1 gone (9000A0), 1 new (900030); "
        "both are kept"
    )
    assert (report.files[0].facts, report.files[0].added, report.files[0].corrected) == (2, 1, 2)
    assert codes(desk) == ["900010", "900030"]
    assert len(list(desk.store.glob("list-*"))) == len(list((desk.store / "files").iterdir())) == 2
    back = desk.imports("listing", desk.companies(ALPHA, BETA), date=DAY)
    assert (back.changed, "--again" in says(back)[0]) == (False, True)
    assert desk.imports("listing", desk.companies(ALPHA, BETA), date=DAY, again=True).changed
    assert codes(desk) == ["900010", "9000A0"]


def test_one_file_is_the_list_of_one_day(desk):
    file = desk.companies(ALPHA)
    desk.imports("listing", file, date=NEXT)
    report = desk.imports("listing", file, date=DAY)
    assert says(report) == [f"was imported before as the list of {NEXT}; it is that of {DAY} now"]
    assert listing_import(desk.data)["as_of"] == DAY
    assert len(list(desk.store.glob("list-*"))) == 1


def test_a_refused_list_leaves_the_one_before(desk):
    desk.imports("listing", desk.companies(ALPHA), date=DAY)
    before = desk.state()
    assert not desk.imports("listing", desk.put("prose.xls", "prose\n"), date=NEXT).files[0].loaded
    assert desk.state() == before


def test_several_lists_of_a_folder_are_taken_in_order_of_their_names(desk):
    desk.companies(ALPHA, name="list_20261116.xls")
    desk.companies(ALPHA, BETA, name="list_20261117.xls")
    report = desk.imports("listing", desk.downloads)
    assert [file.loaded for file in report.files] == [True, True]
    assert (listing_import(desk.data)["as_of"], codes(desk)) == (NEXT, ["900010", "9000A0"])
    assert not desk.imports("listing", desk.downloads).changed


def test_lists_and_facts_do_not_touch_each_other(desk):
    desk.imports("short_balance", desk.shorts(t900010=5))
    facts = manual_index.read_index(desk.data).content
    desk.imports("listing", desk.companies(ALPHA), date=DAY)
    desk.imports("short_balance", desk.shorts(day="20261117", t900010=6))
    index = manual_index.read_index(desk.data)
    assert (len(index.lists), index.rows) == (1, 10)
    assert facts != index.content
    assert [len(entries) for entries in manual_log(desk.data)["feeds"].values()] == [2, 0, 1]
