"""Bar files as people and sources write them: what loads, what is noted, what is refused and by which name."""

import random
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from quantassay.feeds.csv_bars import read_bars
from quantassay.feeds.csv_text import SHOWN
from quantassay.feeds.issues import HARMFUL, HARMLESS
from quantassay.feeds.markets import MARKETS
from quantassay.feeds.raw_files import list_source, read_files
from quantassay.store import bars

KRX, NYSE, SSE = MARKETS["XKRX"], MARKETS["XNYS"], MARKETS["XSHG"]
HEAD = "date,open,high,low,close,volume,foreign_net_buy\n"
ROW = "2026-11-02,100,110,90,105,1000,-5\n"
CASES = Path(__file__).parent / "csv_bars"
NEXT = "2026-11-03,105,115,95,110,2000,7\n"


def read(tmp_path, files, market=KRX, **options):
    """`files`: name to text or bytes."""
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_bars(read_files(list_source(folder)[0]), market, **options)


def one(tmp_path, content, name="005930.csv", market=KRX, **options):
    return read(tmp_path, {name: content}, market, **options)


def codes(result):
    return [issue.code for issue in result.issues]


def values(result, *columns):
    return result.frame.select(columns or ("open", "high", "low", "close", "volume", "foreign_net_buy")).rows()


def test_a_plain_file_loads_without_a_word(tmp_path):
    result = one(tmp_path, HEAD + ROW + NEXT)
    assert result.issues == ()
    assert result.frame.schema == bars.SCHEMA
    assert values(result) == [(100.0, 110.0, 90.0, 105.0, 1000, -5), (105.0, 115.0, 95.0, 110.0, 2000, 7)]
    assert values(result, "ticker", "session", "source", "row") == [
        ("005930", date(2026, 11, 2), "005930.csv", 2),
        ("005930", date(2026, 11, 3), "005930.csv", 3),
    ]
    (file,) = result.files
    assert (file.name, file.ticker, file.rows, file.loaded) == ("005930.csv", "005930", 2, True)


SAME_BAR = sorted((CASES / "same_bar").glob("*.csv"))


@pytest.mark.parametrize("path", SAME_BAR, ids=lambda path: path.stem)
def test_every_layout_gives_the_same_bar(tmp_path, path):
    result = one(tmp_path, path.read_bytes())
    assert codes(result) == []
    assert values(result, "session", "open", "high", "low", "close", "volume", "foreign_net_buy") == [
        (date(2026, 11, 2), 100.0, 110.0, 90.0, 105.0, 1000, -5)
    ]


def test_yahoo_layout_takes_the_close_that_was_paid(tmp_path):
    text = "Date,Open,High,Low,Close,Adj Close,Volume\n2026-11-02,1.5,2.5,1.25,2.0,1.9,1000\n"
    result = one(tmp_path, text, "BRK.B.csv", NYSE)
    assert codes(result) == []
    assert values(result) == [(1.5, 2.5, 1.25, 2.0, 1000, None)]


def test_lots_become_shares_exactly(tmp_path):
    text = "ts_code,trade_date,open,high,low,close,vol,amount\n510300.SH,20261102,1.0,1.1,0.9,1.05,8471226.17,1\n"
    result = one(tmp_path, text, "510300.SH.csv", SSE)
    assert codes(result) == ["volume_in_lots"]
    assert values(result, "volume") == [(847122617,)]


@pytest.mark.parametrize("text", ["", "-", "NaN", "null"])
def test_foreign_buying_may_be_unknown(tmp_path, text):
    result = one(tmp_path, HEAD + ROW.replace("-5", text))
    assert codes(result) == []
    assert values(result, "foreign_net_buy") == [(None,)]


# What does no harm: the file loads and the log tells.


def test_a_halt_written_as_zeros_stands_still_at_its_close(tmp_path):
    result = one(tmp_path, HEAD + ROW + "2026-11-03,0,0,0,105,0,0\n2026-11-04,0,0,0,105,0,0\n")
    (issue,) = result.issues
    assert (issue.code, issue.row) == ("halt_bar", 3)
    assert issue.says.endswith("2")
    assert values(result)[1] == (105.0, 105.0, 105.0, 105.0, 0, 0)


def test_an_equal_row_again_is_one_bar(tmp_path):
    result = one(tmp_path, HEAD + ROW + NEXT + ROW.replace("100,", "100.0,"))
    assert sorted(codes(result)) == ["duplicate_row", "unsorted"]
    assert values(result, "row") == [(2,), (3,)]


def test_dates_in_any_order_are_sorted(tmp_path):
    result = one(tmp_path, HEAD + NEXT + ROW)
    assert codes(result) == ["unsorted"]
    assert values(result, "session", "row") == [(date(2026, 11, 2), 3), (date(2026, 11, 3), 2)]


def test_a_gap_is_noted_and_a_long_holiday_is_not(tmp_path):
    far = HEAD + ROW + ROW.replace("11-02", "11-14") + ROW.replace("11-02", "11-25")
    (issue,) = one(tmp_path, far).issues
    assert (issue.code, issue.row) == ("gap", 3)
    assert "12 days" in issue.says


def test_a_date_without_any_value_is_no_bar(tmp_path):
    result = one(tmp_path, HEAD + ROW + "2026-11-03,null,null,null,null,null,null\n")
    assert codes(result) == ["empty_bar"]
    assert result.frame.height == 1


def test_blank_lines_and_unknown_columns_are_named(tmp_path):
    result = one(
        tmp_path, HEAD.replace("\n", ",mood\n") + ROW.replace("\n", ",good\n") + "\n ,\n" + NEXT.replace("\n", ",bad\n")
    )
    assert sorted(codes(result)) == ["blank_line", "column_ignored"]
    assert "mood" in result.issues[0].says


def test_an_edge_one_won_out_is_rounding_of_adjusted_prices(tmp_path):
    result = one(tmp_path, HEAD + "2026-11-02,100,110,90,111,1000,\n2026-11-03,89,110,90,100,1000,\n")
    assert codes(result) == ["edge_rounding"]
    assert values(result, "close") == [(111.0,), (100.0,)]


def test_an_open_of_zero_is_unknown_where_sources_write_so(tmp_path):
    text = HEAD + "2026-11-02,0,110,90,105,0,\n"
    american = one(tmp_path, text, "TMO.csv", NYSE)
    assert codes(american) == ["open_unknown"]
    assert values(american, "open", "high") == [(None, 110.0)]
    (tmp_path / "in" / "TMO.csv").unlink()
    assert codes(one(tmp_path, text)) == ["zero_price"]


def test_a_month_of_zeros_in_foreign_buying_is_noted(tmp_path):
    rows = "".join(f"2026-10-{day:02},100,110,90,105,1000,0\n" for day in range(1, 21))
    after = "2026-10-21,100,110,90,105,1000,4\n"
    (issue,) = one(tmp_path, HEAD + rows + after).issues
    assert (issue.code, issue.row) == ("foreign_zero_run", 2)
    assert "first 20" in issue.says
    assert codes(one(tmp_path, HEAD + rows[: rows.index("2026-10-20")] + after)) == []


# What does harm: the whole file stays out.

REFUSED = sorted((CASES / "refused").glob("*.csv"))


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_a_faulty_file_is_refused_by_name_and_the_good_one_beside_it_loads(tmp_path, path):
    files = {"005930.csv": path.read_bytes(), "000660.csv": HEAD + ROW}
    result = read(tmp_path, files, latest=date(2026, 11, 21))
    harmful = {issue.code for issue in result.issues if not issue.harmless}
    assert harmful == {path.name.split(".")[0]}
    assert {issue.file for issue in result.issues} == {"005930.csv"}
    assert all(issue.says and "\n" not in issue.says for issue in result.issues)
    assert {file.name: file.loaded for file in result.files} == {"000660.csv": True, "005930.csv": False}
    assert result.frame["ticker"].to_list() == ["000660"]


def test_every_harmful_code_has_a_case():
    shown_elsewhere = {"bad_ticker", "comma_ambiguous", "credential", "no_session", "ticker_twice", "unreadable"}
    shown_elsewhere |= {"adjusted_missing", "adjusted_unreadable"}  # in test_adjusted_prices
    # Those of the lists that are downloaded by hand, and of quotes.
    others = [*CASES.parents[1].glob("*/manual/test_*.py"), CASES.parent / "test_quotes_csv.py"]
    tests = "".join(path.read_text(encoding="utf-8") for path in others)
    shown_elsewhere |= {code for code in HARMFUL if f'"{code}"' in tests}
    assert {path.name.split(".")[0] for path in REFUSED} | shown_elsewhere == set(HARMFUL)
    assert not set(HARMFUL) & set(HARMLESS)


def test_one_wrong_row_keeps_the_whole_file_out_and_is_named_by_line(tmp_path):
    result = one(tmp_path, HEAD + ROW + NEXT.replace("115", "1"))
    (issue,) = result.issues
    assert (issue.file, issue.row, issue.code) == ("005930.csv", 3, "high_below_low")
    assert result.frame.is_empty()
    (file,) = result.files
    assert (file.rows, file.loaded) == (2, False)
    assert file.refused.data == (HEAD + ROW + NEXT.replace("115", "1")).encode()


def test_many_wrong_rows_are_told_once_and_counted(tmp_path):
    rows = "".join(f"2026-{month:02}-{day:02},x,110,90,105,1000,0\n" for month in (1, 3) for day in range(1, 32))
    result = one(tmp_path, HEAD + rows)
    assert len(result.issues) == SHOWN + 1
    assert {issue.says for issue in result.issues if issue.row is None} == {f"and {62 - SHOWN} more rows like it"}


def test_rows_after_quoted_lines_keep_their_line_numbers(tmp_path):
    head = 'date,open,high,low,close,volume,"foreign\nnet buy"\n'
    (issue,) = one(tmp_path, head + ROW + NEXT.replace("115", "1")).issues
    assert issue.row == 4


@pytest.mark.parametrize(
    ("market", "good", "bad"),
    [
        (KRX, ["005930", "0015S0", "00088K"], ["5930", "005930.KS", "0015s0", "0059301", "삼성전자"]),
        (NYSE, ["T", "BRK.B", "GOOGL", "510300.SH"], ["brk", "BRK-B", ".A", "ABCDEFGHIJKLM", "A B"]),
    ],
)
def test_the_name_of_a_file_must_be_a_ticker(tmp_path, market, good, bad):
    result = read(tmp_path, {f"{name}.csv": HEAD + ROW for name in (*good, *bad)}, market)
    assert sorted(file.ticker for file in result.files if file.loaded) == sorted(good)
    assert {issue.code for issue in result.issues} == {"bad_ticker"}
    assert all(file.ticker is None for file in result.files if not file.loaded)


def test_two_files_of_one_ticker_rule_each_other_out(tmp_path):
    result = read(tmp_path, {"005930.csv": HEAD + ROW, "005930.CSV": HEAD + NEXT, "000660.csv": HEAD + ROW})
    assert codes(result) == ["ticker_twice", "ticker_twice"]
    assert result.frame["ticker"].to_list() == ["000660"]


def test_commas_among_semicolons_are_refused_where_they_may_be_decimals(tmp_path):
    text = "date;open;high;low;close;volume\n2026-11-02;1,234;1,300;1,200;1,250;9\n"
    assert codes(one(tmp_path, text, "TMO.csv", NYSE)) == ["comma_ambiguous"]
    (tmp_path / "in" / "TMO.csv").unlink()
    assert values(one(tmp_path, text), "close") == [(1250.0,)]


def test_the_time_of_taking_marks_its_own_date_in_the_markets_zone(tmp_path):
    taken_at = datetime(2026, 11, 2, 23, 0, tzinfo=UTC)  # 08:00 on the 3rd in Seoul
    result = one(tmp_path, HEAD + ROW + NEXT, taken_at=taken_at)
    assert values(result, "taken_at") == [(None,), (taken_at,)]
    result = one(tmp_path, HEAD + ROW + NEXT, "T.csv", NYSE, taken_at=taken_at)
    assert values(result.__class__(result.frame.filter(pl.col("ticker") == "T"), (), ()), "taken_at") == [
        (taken_at,),
        (None,),
    ]


# Random damage.


def damaged(text, chance):
    """One random fault in a file's bytes."""
    data = bytearray(text.encode())
    place = chance.randrange(len(data))
    kind = chance.randrange(7)
    if kind == 0:
        data[place] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del data[place : place + chance.randrange(1, 40)]
    elif kind == 2:
        data[place:place] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 9)))
    elif kind == 3:
        del data[place:]
    elif kind == 4:
        lines = data.split(b"\n")
        lines.insert(chance.randrange(len(lines)), chance.choice(lines))
        data = bytearray(b"\n".join(lines))
    elif kind == 5:
        token = chance.choice(
            [b"nan", b"inf", b"-", b"", b'"', b",", b";", b"\r", b"\n\n", b"1e9", b"9" * 30, "날짜".encode()]
        )
        data[place : place + chance.randrange(6)] = token
    else:
        lines = data.split(b"\n")
        chance.shuffle(lines)
        data = bytearray(b"\n".join(lines))
    return bytes(data)


def whole_bars(frame):
    prices = frame.select("open", "high", "low", "close")
    return (
        prices.null_count().row(0) == (0, 0, 0, 0)
        and frame.filter(
            (pl.col("low") <= 0)
            | (pl.col("high") < pl.col("low"))
            | (pl.col("close") > pl.col("high") + 1)
            | (pl.col("close") < pl.col("low") - 1)
            | (pl.col("volume") < 0)
        ).is_empty()
        and not frame.select("ticker", "session").is_duplicated().any()
        and frame.equals(frame.sort("ticker", "session"))
    )


def test_no_damage_raises_or_lets_half_a_file_in(tmp_path):
    chance = random.Random(20261118)
    rows = "".join(
        f"2026-10-{day:02},{100 + day},{110 + day},{90 + day},{105 + day},{1000 * day},{day}\n" for day in range(1, 31)
    )
    files = {f"{number:06}.csv": damaged(HEAD + rows, chance) for number in range(800)}
    result = read(tmp_path, {**files, "GOOD00.csv": HEAD + rows})
    assert whole_bars(result.frame)
    loaded_rows = dict(result.frame.group_by("ticker").len().iter_rows())
    assert loaded_rows["GOOD00"] == 30
    harmed = {issue.file for issue in result.issues if issue.code not in HARMLESS}
    for file in result.files:
        assert file.loaded == (file.name not in harmed)
        assert loaded_rows.get(file.ticker, 0) == (file.rows if file.loaded else 0)
        if not file.loaded:
            assert file.refused.data == files[file.name]
    assert len(result.files) == 801
    assert 40 < sum(file.loaded for file in result.files) < 400
