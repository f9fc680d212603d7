"""The cases of the older report's own test list, under its rule and under the session rule, in all three markets."""

import csv
import io
import itertools
import tarfile
from datetime import date, datetime, timedelta
from fractions import Fraction

import polars as pl
import pytest

from quantassay.domain.market import evaluation
from quantassay.domain.market.evaluation import Rule, Thin

THIN = Thin(5, 1_000, Fraction(1, 5))
GRACE = timedelta(minutes=10)
NORMAL, FEW = 10_000, 1_999
TODAY, BEFORE = date(2025, 11, 18), date(2025, 11, 17)
KIS, PYKRX = "kis/daily", "pykrx/market"


def decided(bars, calendar, at, policy, thin=THIN):
    """{ticker: (deciding session, reason)} at an instant in ISO text."""
    rows = evaluation.evaluate(bars, calendar, datetime.fromisoformat(at), Rule(policy, GRACE, thin))
    return {row["ticker"]: (row["session"], row["reason"]) for row in rows.iter_rows(named=True)}


@pytest.fixture
def series(frame):
    """A week of bars of one name up to a day, the last with a volume of its own."""

    def make(volume, source=KIS, days=("10", "11", "12", "13", "14", "17", "18")):
        bars = [("900010", f"2025-11-{day}", 100, NORMAL) for day in days[:-1]]
        last = [("900010", f"2025-11-{day}", 100, volume) for day in days[-1:]]
        return frame(*bars, *last).with_columns(source=pl.lit(source))

    return make


NEW_YORK, SEOUL, SHANGHAI = "-05:00", "+09:00", "+08:00"
CASES = {
    # market, time, volume of the last bar, source: under the older rule, under the session rule
    "1 open": ("xnys", f"11:00:00{NEW_YORK}", FEW, KIS, (BEFORE, "intraday"), (BEFORE, "session_open")),
    "1 open, normal": ("xnys", f"11:00:00{NEW_YORK}", NORMAL, KIS, (BEFORE, "intraday"), (BEFORE, "session_open")),
    "1 first instant": ("xnys", f"09:30:00{NEW_YORK}", NORMAL, KIS, (BEFORE, "intraday"), (BEFORE, "session_open")),
    "2 after the close": ("xnys", f"17:00:00{NEW_YORK}", NORMAL, KIS, (TODAY, "last_bar"), (TODAY, "complete")),
    "2 in the grace": ("xnys", f"16:05:00{NEW_YORK}", NORMAL, KIS, (TODAY, "last_bar"), (BEFORE, "session_open")),
    "3 before, thin": ("xnys", f"08:00:00{NEW_YORK}", FEW, KIS, (BEFORE, "thin"), (BEFORE, "session_open")),
    "3 before, normal": ("xnys", f"08:00:00{NEW_YORK}", NORMAL, KIS, (TODAY, "last_bar"), (BEFORE, "session_open")),
    "3 after, thin": ("xnys", f"19:00:00{NEW_YORK}", FEW, KIS, (BEFORE, "thin"), (TODAY, "complete")),
    "4 A normal": ("xkrx", f"10:00:00{SEOUL}", NORMAL, KIS, (TODAY, "last_bar"), (BEFORE, "session_open")),
    "4 B thin": ("xkrx", f"10:00:00{SEOUL}", FEW, KIS, (BEFORE, "thin_intraday"), (BEFORE, "session_open")),
    "4 before, thin": ("xkrx", f"08:00:00{SEOUL}", FEW, KIS, (TODAY, "last_bar"), (BEFORE, "session_open")),
    "4 after, thin": ("xkrx", f"16:00:00{SEOUL}", FEW, KIS, (TODAY, "last_bar"), (TODAY, "complete")),
    "5 pykrx, open": ("xkrx", f"10:00:00{SEOUL}", FEW, PYKRX, (TODAY, "last_bar"), (BEFORE, "session_open")),
    "5 pykrx, after": ("xkrx", f"16:00:00{SEOUL}", FEW, PYKRX, (TODAY, "last_bar"), (TODAY, "complete")),
    "5 a file": ("xkrx", f"10:00:00{SEOUL}", FEW, "pykrx.csv", (BEFORE, "thin_intraday"), (BEFORE, "session_open")),
    # The older program knew two countries; what is no dollar was Korea to it, hours and all.
    "Shanghai, open": ("xshg", f"14:45:00{SHANGHAI}", FEW, KIS, (TODAY, "last_bar"), (BEFORE, "session_open")),
    "Shanghai, lunch": ("xshg", f"12:00:00{SHANGHAI}", NORMAL, KIS, (TODAY, "last_bar"), (BEFORE, "session_open")),
    "Shanghai, after": ("xshg", f"15:10:00{SHANGHAI}", FEW, KIS, (TODAY, "last_bar"), (TODAY, "complete")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_cases_of_the_older_report(request, series, case):
    market, at, volume, source, older, ours = case
    calendar, bars = request.getfixturevalue(market), series(volume, source)
    now = f"{TODAY}T{at}"
    assert decided(bars, calendar, now, "predecessor") == {"900010": older}
    assert decided(bars, calendar, now, "session") == {"900010": ours}


@pytest.mark.parametrize("policy", ["predecessor", "session"])
def test_case_6_no_bar_decides_nothing(frame, xnys, policy):
    assert decided(frame(), xnys, f"{TODAY}T11:00:00-05:00", policy) == {}


def test_case_6_a_single_bar_of_an_open_day_decides_only_under_the_older_rule(series, xnys):
    bars = series(FEW, days=("18",))
    assert decided(bars, xnys, f"{TODAY}T11:00:00-05:00", "predecessor") == {"900010": (TODAY, "last_bar")}
    assert decided(bars, xnys, f"{TODAY}T11:00:00-05:00", "session") == {"900010": (None, "session_open")}
    assert decided(bars, xnys, f"{TODAY}T17:00:00-05:00", "session") == {"900010": (TODAY, "complete")}


def test_case_7_on_a_holiday_the_last_bar_decides(frame, xnys):
    bars = frame(("900010", "2025-11-25", 100, NORMAL), ("900010", "2025-11-26", 100, NORMAL))
    thanksgiving = "2025-11-27T11:00:00-05:00"
    assert decided(bars, xnys, thanksgiving, "predecessor") == {"900010": (date(2025, 11, 26), "last_bar")}
    assert decided(bars, xnys, thanksgiving, "session") == {"900010": (date(2025, 11, 26), "complete")}


def test_case_7_a_bar_of_the_holiday_itself_is_none(frame, xnys):
    bars = frame(("900010", "2025-11-26", 100, NORMAL), ("900010", "2025-11-27", 100, FEW))
    thanksgiving = "2025-11-27T11:00:00-05:00"
    assert decided(bars, xnys, thanksgiving, "predecessor") == {"900010": (date(2025, 11, 27), "last_bar")}
    assert decided(bars, xnys, thanksgiving, "session") == {"900010": (date(2025, 11, 26), "no_session")}


def test_on_a_half_day_the_session_rule_knows_the_early_close(frame, xnys):
    bars = frame(("900010", "2025-11-26", 100, NORMAL), ("900010", "2025-11-28", 100, NORMAL))
    early = "2025-11-28T13:10:00-05:00"
    assert decided(bars, xnys, early, "predecessor") == {"900010": (date(2025, 11, 26), "intraday")}
    assert decided(bars, xnys, early, "session") == {"900010": (date(2025, 11, 28), "complete")}
    assert decided(bars, xnys, "2025-11-28T13:09:59-05:00", "session")["900010"][0] == date(2025, 11, 26)


@pytest.mark.parametrize(
    ("thin", "drops"),
    [
        (THIN, True),
        (Thin(5, 1_000, Fraction(1, 10)), False),
        (Thin(5, 15_000, Fraction(1, 5)), False),
        (Thin(1, 1_000, Fraction(1, 5)), False),
    ],
)
def test_floor_ratio_and_look_back_are_the_spec_s(frame, xkrx, thin, drops):
    volumes = [20_000, 20_000, 5_000, 1_999]
    bars = frame(*(("900010", f"2025-11-{14 + n}", 100, v) for n, v in zip((0, 1, 3, 4), volumes, strict=True)))
    end, _ = decided(bars, xkrx, f"{TODAY}T10:00:00+09:00", "predecessor", thin)["900010"]
    assert end == (BEFORE if drops else TODAY)


@pytest.mark.parametrize("policy", ["session", "predecessor"])
def test_a_fallback_keeps_the_meaning_of_its_own_source(frame, xkrx, policy):
    """Two names whose last bar came from elsewhere: each last bar is judged by where it came from."""
    bars = frame(
        *((t, f"2025-11-{d}", 100, FEW if d == 18 else NORMAL) for t in ("900010", "900020") for d in (14, 17, 18))
    )
    last = pl.col("session") == TODAY
    to_pykrx, to_kis = last & (pl.col("ticker") == "900010"), ~last & (pl.col("ticker") == "900020")
    bars = bars.with_columns(source=pl.when(to_pykrx | to_kis).then(pl.lit(PYKRX)).otherwise(pl.lit(KIS)))
    found = decided(bars, xkrx, f"{TODAY}T10:00:00+09:00", policy)
    older = {"900010": (TODAY, "last_bar"), "900020": (BEFORE, "thin_intraday")}
    assert found == (older if policy == "predecessor" else dict.fromkeys(found, (BEFORE, "session_open")))


# Real bars.


@pytest.fixture(scope="module")
def thermo_fisher(shared):
    """{vendor: bars} of one name from two vendors, of whose volumes one is a fraction of the other's."""
    found = {}
    for vendor in ("TMO", "TMO_second_vendor"):
        text = (shared / f"data/us_daily/{vendor}.csv").read_text(encoding="utf-8")
        raw = pl.read_csv(io.StringIO(text.lower()))
        found[vendor] = raw.select(
            pl.lit("TMO").alias("ticker"),
            pl.col("date").str.to_date().alias("session"),
            pl.col("volume").cast(pl.Int64),
            pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("taken_at"),
            pl.lit(f"{vendor}.csv").alias("source"),
        ).sort("session")
    return found


@pytest.mark.parametrize(
    ("day", "before", "open_at", "over_at"),
    [
        ("2014-12-31", "2014-12-30", "15:59:59-05:00", "16:10:00-05:00"),
        # The Fridays before the clocks change, and the Mondays after.
        ("2013-03-08", "2013-03-07", "15:59:59-05:00", "16:10:00-05:00"),
        ("2013-03-11", "2013-03-08", "15:59:59-04:00", "16:10:00-04:00"),
        ("2013-11-01", "2013-10-31", "20:09:59+00:00", "20:10:00+00:00"),
        ("2013-11-04", "2013-11-01", "21:09:59+00:00", "21:10:00+00:00"),
        # Half days.
        ("2012-07-03", "2012-07-02", "12:59:59-04:00", "13:10:00-04:00"),
        ("2012-11-23", "2012-11-21", "12:59:59-05:00", "13:10:00-05:00"),
        # The day after the storm that closed the exchange for two days.
        ("2012-10-31", "2012-10-26", "15:59:59-04:00", "16:10:00-04:00"),
    ],
)
def test_two_vendors_of_one_name_are_judged_alike(thermo_fisher, xnys, day, before, open_at, over_at):
    for instant, end, reason in ((open_at, before, "session_open"), (over_at, day, "complete")):
        for vendor, bars in thermo_fisher.items():
            known = bars.filter(pl.col("session") <= date.fromisoformat(day))
            assert known["session"].max() == date.fromisoformat(day)
            assert decided(known, xnys, f"{day}T{instant}", "session") == {"TMO": (date.fromisoformat(end), reason)}, (
                vendor
            )


def test_a_bar_of_the_other_vendor_looks_thin_to_the_older_rule_alone(thermo_fisher, xnys):
    """A fallback from one vendor to the other on a single day, after the close; the volumes are as they were."""
    day = date(2014, 12, 22)
    known = pl.col("session") < day
    first, second = thermo_fisher["TMO"].filter(known), thermo_fisher["TMO_second_vendor"]
    mixed = pl.concat([first, second.filter(pl.col("session") == day)])
    assert decided(mixed, xnys, f"{day}T17:00:00-05:00", "predecessor") == {"TMO": (date(2014, 12, 19), "thin")}
    assert decided(mixed, xnys, f"{day}T17:00:00-05:00", "session") == {"TMO": (day, "complete")}


def test_the_last_day_of_the_archive_never_decides_while_it_lasts(shared, xkrx):
    """The archive ends on bars taken in mid-session, whatever its name says of the end of the day."""
    rows = []
    with tarfile.open(shared / "data/krx_market/pykrx_all_2023-12_2025-06.tar.gz") as archive:
        files = (member for member in archive if member.name.endswith(".csv"))
        for member in itertools.islice(files, 12):
            text = archive.extractfile(member).read().decode("utf-8-sig")
            ticker = member.name.removeprefix("data/").removesuffix(".csv")
            rows += [(ticker, row["날짜"], int(row["거래량"])) for row in csv.DictReader(io.StringIO(text))]
    bars = pl.DataFrame(rows, schema=["ticker", "session", "volume"], orient="row").with_columns(
        pl.col("session").str.to_date(),
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("taken_at"),
        pl.lit("pykrx/archive").alias("source"),
    )
    last = date(2025, 6, 17)
    ends = bars.group_by("ticker").agg(pl.col("session").max())
    with_last = set(ends.filter(pl.col("session") == last)["ticker"])
    assert len(with_last) > 5
    for at in ("08:59:59", "09:00:00", "12:00:00", "15:29:59", "15:39:59"):
        found = decided(bars, xkrx, f"{last}T{at}+09:00", "session")
        assert not {ticker for ticker, (end, _) in found.items() if end == last}, at
    assert {
        t for t, (end, _) in decided(bars, xkrx, f"{last}T15:40:00+09:00", "session").items() if end == last
    } == with_last
    assert {
        t for t, (end, _) in decided(bars, xkrx, f"{last}T12:00:00+09:00", "predecessor").items() if end == last
    } == with_last
