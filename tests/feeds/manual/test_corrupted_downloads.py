"""Over a thousand damaged downloads: none raises, none loads by half, and no value that can be judged is wrong."""

import random
from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

VARIANTS = 10
# What a change cannot betray: nothing beside these numbers repeats them. A ticker or a date names its row, alone.
FREE = {
    "short_list": (),
    "short_series": (),
    "fund_list": ("nav", "aum", "index_close"),
    "premium": (),
    "tracking": ("nav", "index_close", "tracking_error_percent", "multiple"),
    "plain": ("nav", "close", "index_close"),
}
# NAV and premium bind each other to the digits that the file writes, not beyond.
ROUNDING = {"premium": 0.0003}


def flip(data, chance):
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
    return bytes(made)


def digit(data, chance):
    place = chance.choice([i for i, byte in enumerate(data) if 48 <= byte <= 57])
    return data[:place] + bytes([48 + (data[place] - 48 + chance.randint(1, 9)) % 10]) + data[place + 1 :]


def truncated(data, chance):
    return data[: chance.randrange(len(data))]


def torn(data, chance):
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randint(1, 40) :]


def null_byte(data, chance):
    place = chance.randrange(len(data))
    return data[:place] + b"\0" + data[place:]


def line_twice(data, chance):
    lines = data.split(b"\n")
    lines.insert(chance.randrange(1, len(lines) - 1), chance.choice(lines[1:-1]))
    return b"\n".join(lines)


def line_gone(data, chance):
    lines = data.split(b"\n")
    del lines[chance.randrange(1, len(lines) - 1)]
    return b"\n".join(lines)


def text_of(data):
    return data.decode("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "cp949")


def reencoded(data, chance):
    text = text_of(data)
    return chance.choice(
        [
            lambda: text.encode("utf-8"),
            lambda: text.encode("utf-8-sig"),
            lambda: text.encode("utf-16"),
            lambda: text.encode("utf-16-le"),
            lambda: text.encode("cp949"),
            lambda: text.encode("utf-8").decode("latin-1").encode("utf-8"),
            lambda: text.encode("cp949").decode("latin-1").encode("utf-8"),
            lambda: text.encode("utf-8").decode("cp949", "replace").encode("utf-8"),
            lambda: text.encode("cp949").decode("utf-8", "replace").encode("utf-8"),
            lambda: text.encode("ascii", "replace"),
            lambda: text.replace("\n", "\r\n").encode("cp949"),
        ]
    )()


def unquoted(data, _):
    return data.replace(b'"', b"")


def tabs(data, chance):
    return data.replace(b",", chance.choice([b"\t", b";", b"\t \t", b"|"]))


def written(manual, rows):
    return manual.as_csv(",".join(rows[0]), rows[1:])


def columns_moved(manual, data, chance):
    rows = manual.rows(data)
    one, other = chance.sample(range(len(rows[0])), 2)
    for row in rows:
        row[one], row[other] = row[other], row[one]
    return written(manual, rows)


def values_swapped(manual, data, chance):
    rows = manual.rows(data)
    one, other = chance.sample(range(len(rows[0])), 2)
    for row in rows[1:]:
        row[one], row[other] = row[other], row[one]
    return written(manual, rows)


def cells_swapped(manual, data, chance):
    rows = manual.rows(data)
    row = chance.choice(rows[1:])
    one, other = chance.sample(range(len(row)), 2)
    row[one], row[other] = row[other], row[one]
    return written(manual, rows)


def column_gone(manual, data, chance):
    rows = manual.rows(data)
    gone = chance.randrange(len(rows[0]))
    return written(manual, [row[:gone] + row[gone + 1 :] for row in rows])


def rows_shuffled(manual, data, chance):
    rows = manual.rows(data)
    body = rows[1:]
    chance.shuffle(body)
    return written(manual, [rows[0], *body])


BYTES = (flip, digit, truncated, torn, null_byte, line_twice, line_gone, reencoded, unquoted, tabs)
TABLE = (columns_moved, values_swapped, cells_swapped, column_gone, rows_shuffled)
# These change no value and no header: all that loads must be what was there.
SAFE = {"null_byte", "line_twice", "line_gone", "reencoded", "unquoted", "tabs", "columns_moved", "column_gone"} | {
    "rows_shuffled"
}


def variants(manual, data, seed, count=VARIANTS):
    chance = random.Random(seed)
    for damage in BYTES:
        for _ in range(count):
            yield damage.__name__, damage(data, chance)
    for damage in TABLE:
        for _ in range(count):
            yield damage.__name__, damage(manual, data, chance)


def facts_of(read):
    return {(fact.ticker, fact.session, fact.field): fact.value for fact in read.facts}


def wrong_values(read, before, kind, damage):
    """Facts that the undamaged file does not have, and that its other numbers, or the damage itself, can judge."""
    tickers, days = {key[0] for key in before}, {key[1] for key in before}
    for key, value in facts_of(read).items():
        if value is None or value == before.get(key):
            continue
        if damage not in SAFE and (key[0] not in tickers or key[1] not in days or key[2] in FREE[kind]):
            continue
        near = ROUNDING.get(kind, 0)
        if key in before and before[key] and near and abs(value / before[key] - 1) < near and damage not in SAFE:
            continue
        yield key, value


def hold(manual, data, kind, reader, name):
    """Every variant is refused with a reason, or loads what was there. Returns how many loaded and were refused."""
    before = facts_of(reader(data))
    assert before
    seen = Counter()
    for damage, variant in variants(manual, data, name):
        read = reader(variant)
        seen[read.loaded] += 1
        if not read.loaded:
            assert read.facts == ()
            assert [issue for issue in read.issues if not issue.harmless], (damage, read)
            assert all(issue.says and "\n" not in issue.says for issue in read.issues)
        elif not (kind in ("tracking", "plain") and damage in ("values_swapped", "cells_swapped")):
            assert list(wrong_values(read, before, kind, damage)) == [], damage
    return seen


def invented(manual):
    """One download of each layout, of some length: (kind, reader, name of the file, bytes)."""
    shorts = [(f"9{i:04}0", f"가나{i}", 1000 + 37 * i, 1_000_000 + 999 * i, 1000 + 35 * i) for i in range(30)]
    days = [day.isoformat() for day in manual.days if day <= date(2026, 11, 18)][-20:][::-1]
    funds = [
        manual.fund_row([f"9{i:04}0", f"다라 {i}"], (10000 + 15 * i, 9900), 10010.37 + i, (250.5 + i, 248.1 + i))
        for i in range(30)
    ]
    closes = [33000 + 15 * i for i in range(20)]
    navs = [close * 1.0012 + 0.37 for close in closes]
    premium = [
        [day, str(close), f"{nav:.2f}", f"{(close / round(nav, 2) - 1) * 100:.2f}"]
        for day, close, nav in zip(days, closes, navs, strict=True)
    ]
    plain = [
        [day, f"{nav:.2f}", str(c - 5), str(c + 20), str(c - 30), str(c), "1000", str(1000 * c), f"{c / 100:.2f}"]
        for day, c, nav in zip(days, closes, navs, strict=True)
    ]
    series = [
        [day, "6", "534000", str(1000 + i), str((1000 + i) * close)]
        for i, (day, close) in enumerate(zip(days, closes, strict=True))
    ]
    short_head = (
        "일자,공매도 수량_거래량_전체,공매도 금액_거래대금_전체,공매도 수량_순보유잔고수량,공매도 금액_순보유잔고금액"
    )
    return [
        ("short_list", manual.short, "s_20261118.csv", manual.shorts(shorts)),
        ("short_series", manual.short, "900110.csv", manual.as_csv(short_head, series)),
        ("fund_list", manual.nav, "f_20261120.csv", manual.funds(funds)),
        ("premium", manual.nav, "909500.csv", manual.as_csv("일자,종가,순자산가치(NAV),괴리율", premium)),
        (
            "plain",
            manual.nav,
            "909510.csv",
            manual.as_csv("날짜,NAV,시가,고가,저가,종가,거래량,거래대금,기초지수", plain, "utf-8-sig"),
        ),
    ]


@pytest.mark.parametrize("number", range(5))
def test_damaged_downloads_are_refused_or_load_what_was_there(manual, number):
    kind, reader, name, data = invented(manual)[number]
    seen = hold(manual, data, kind, lambda variant: reader(variant, name), name)
    assert sum(seen.values()) == VARIANTS * (len(BYTES) + len(TABLE))
    assert min(seen[True], seen[False]) > VARIANTS


def test_damaged_lists_of_companies_and_workbooks_are_refused_or_whole(manual):
    page = manual.as_page(manual.listed * 1)
    chance = random.Random(5)
    codes = {row[2] for row in manual.listed}
    for damage in (flip, truncated, torn, null_byte):
        for _ in range(40):
            read = manual.listing(damage(page, chance))
            assert read.loaded or (read.names == () and manual.codes(read, harmful=True))
            if damage in (truncated, null_byte) and read.loaded:
                assert {name.ticker for name in read.names} == codes
    book = manual.as_xlsx([manual.short_head.split(","), *(manual.short_row(*row) for row in manual.short_rows)])
    whole = facts_of(manual.short(book))
    for damage in (flip, truncated, torn):
        for _ in range(15):
            read = manual.short(damage(book, chance))
            assert facts_of(read) == (whole if read.loaded else {})


EXTREMES = st.sampled_from(["-", "0", "0.00", "-0", "1", "3", "9007199254740992", "0." + "0" * 36 + "1"])
NUMBERS = st.one_of(
    st.sampled_from(["", "5%", "(3)", "x"]),
    st.decimals(min_value=-(2**53), max_value=2**53, allow_nan=False, places=9).map("{:f}".format),
    st.integers(min_value=0, max_value=10**6).map(str),
)
TRACKING = "일자,순자산가치(NAV),순자산변동률,기초지수_지수,기초지수_변동률,추적배수,추적오차율"


@settings(max_examples=120)
@given(
    st.sampled_from([EXTREMES, NUMBERS]).flatmap(
        lambda cell: st.lists(st.lists(cell, min_size=17, max_size=17), max_size=3)
    )
)
def test_no_numbers_break_a_reader(manual, rows):
    for feed, head, width in ((manual.short, manual.short_head, 5), (manual.nav, manual.nav_head, 16)):
        cells = [[f"90011{i}", "가나", *row[:width]] for i, row in enumerate(rows)]
        read = feed(manual.as_csv(head, cells))
        assert read.loaded == bool(read.facts)
    days = [[f"2026/11/{18 - i}", *row[:6]] for i, row in enumerate(rows[:3])]
    manual.nav(manual.as_csv(TRACKING, days), "900110.csv")


REAL = (
    ("short_list", "krx_manual_csv/data_공매도순보유잔고_전종목_KOSPI_20210127.csv"),
    ("short_series", "krx_manual_csv/data_공매도종합정보_005930_20210104_20210108.csv"),
    ("fund_list", "krx_manual_csv/data_ETF전종목시세_20210325.csv"),
    ("fund_list", "krx_manual_csv/data_ETF개별종목시세추이_069500_20200101_20200531.csv"),
    ("premium", "krx_manual_csv/data_ETF괴리율추이_069500.csv"),
    ("tracking", "krx_manual_csv/data_ETF추적오차추이_102110.csv"),
    ("plain", "kr_etf_nav/0000J0.csv"),
)


@pytest.mark.parametrize(("kind", "file"), REAL, ids=[file.partition("/")[2] for _, file in REAL])
def test_real_downloads_that_were_damaged_are_refused_or_load_what_was_there(manual, shared, kind, file):
    path = shared / "data" / file
    read = manual.short if kind.startswith("short") else manual.nav
    rules = {"largest_age_days": None, "bans": [{"from": "2020-03-16", "to": "2021-05-02"}]}
    data = b"\n".join(path.read_bytes().split(b"\n")[:40]).rstrip() + b"\n"
    seen = hold(manual, data, kind, lambda variant: read(variant, path.name, rules=rules), path.name)
    assert min(seen[True], seen[False]) > 5
