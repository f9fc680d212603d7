"""Facts that were imported by hand: what is stored is read, every version of it, and nothing else is."""

import dataclasses
from datetime import UTC, date, datetime

import polars as pl
import pytest

from quantassay.store import manual_facts, manual_index
from quantassay.store.manual_index import ManualDamaged, ManualIndex

AT = datetime(2026, 11, 20, 0, 5, tzinfo=UTC)


def fact(ticker="005930", field="balance_shares", value="5", version=1, **other):
    plain = {"feed": "short_balance", "session": date(2026, 11, 16), "note": "", "file": "a.csv", "digest": "sha256:a"}
    known = {"row": 2, "available_from": date(2026, 11, 18), "imported_at": AT}
    return {"ticker": ticker, "field": field, "value": value, "version": version, **plain, **known, **other}


def store(data, *rows):
    says, parts = manual_facts.stored(manual_facts.added(manual_facts.empty(), rows))
    manual_index.replace(data, ManualIndex(**says), parts)


THREE = (fact(version=2, value="6"), fact("000660", value=None, note="blank"), fact())


def test_nothing_imported_is_an_empty_frame_with_the_same_columns(tmp_path):
    assert manual_facts.read(tmp_path).equals(manual_facts.empty())
    assert manual_facts.stored(manual_facts.empty()) == (
        {"rows": 0, "content": "", "parquet": "", "parquet_sha256": ""},
        {},
    )


def test_every_version_is_read_sorted_by_its_key_with_its_types(tmp_path):
    store(tmp_path, *THREE)
    frame = manual_facts.read(tmp_path)
    assert frame.schema == manual_facts.SCHEMA
    assert frame.select("ticker", "version", "value").rows() == [
        ("000660", 1, None),
        ("005930", 1, "5"),
        ("005930", 2, "6"),
    ]
    assert frame.row(1, named=True) == fact()


def test_the_latest_version_of_each_fact_of_a_feed():
    later = fact(session=date(2026, 11, 17), digest="sha256:b")
    frame = manual_facts.added(manual_facts.empty(), [*THREE, later, fact(feed="etf_nav", version=9)])

    def latest(*asked):
        found = manual_facts.latest(frame, "short_balance", *asked)
        return [(one["ticker"], one["session"].day, one["version"]) for one in found.to_dicts()]

    assert latest({date(2026, 11, 16)}, ()) == [("000660", 16, 1), ("005930", 16, 2)]
    assert latest((), {"sha256:b"}) == [("005930", 17, 1)]
    assert latest((), {"sha256:c"}) == []


@pytest.mark.parametrize("column", list(manual_facts.SCHEMA))
def test_the_content_digest_sees_every_column(column):
    plain = pl.DataFrame([fact()], schema=manual_facts.SCHEMA)
    value = plain[column][0]
    other = (
        f"{value}x" if isinstance(value, str) else value.replace(year=2025) if isinstance(value, date) else value + 1
    )
    changed = pl.DataFrame([{**fact(), column: other}], schema=manual_facts.SCHEMA)
    assert manual_facts.content_digest(changed) != manual_facts.content_digest(plain)


def test_the_content_digest_tells_no_value_from_an_empty_one():
    none, empty = (pl.DataFrame([fact(value=value)], schema=manual_facts.SCHEMA) for value in (None, ""))
    assert manual_facts.content_digest(none) != manual_facts.content_digest(empty)


def test_the_content_digest_tells_where_texts_end_and_to_which_row_they_belong():
    def of(*pairs):
        rows = [fact(file=file, digest=digest) for file, digest in pairs]
        return manual_facts.content_digest(pl.DataFrame(rows, schema=manual_facts.SCHEMA))

    one = of(("b", "x"), ("cd", "x"))
    assert len({one, of(("bc", "x"), ("d", "x")), of(("cd", "x"), ("b", "x")), of(("b", "x"), ("b", "x"))}) == 4


def test_the_content_digest_is_the_same_everywhere():
    frame = manual_facts.added(manual_facts.empty(), THREE)
    digest = "sha256:c2938e5f97288709eaeb3aa4dcd06a7e97da6b42c9517e3ffc6102c117e46c0b"
    assert manual_facts.content_digest(frame) == digest


def test_a_parquet_that_is_not_what_the_index_says_is_an_error(tmp_path):
    store(tmp_path, *THREE)
    index = manual_index.read_index(tmp_path)
    path = manual_index.manual_folder(tmp_path) / index.parquet
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(
        ManualDamaged, match=r"facts\..* was changed after the import wrote it; put .* back from a backup"
    ):
        manual_facts.read(tmp_path)
    path.unlink()
    with pytest.raises(ManualDamaged, match="cannot be read"):
        manual_facts.read(tmp_path)


def test_a_parquet_with_other_rows_than_the_index_says_is_an_error(tmp_path):
    store(tmp_path, *THREE)
    index = manual_index.read_index(tmp_path)
    manual_index.replace(tmp_path, dataclasses.replace(index, rows=2), {})
    with pytest.raises(ManualDamaged, match="does not hold what its index says"):
        manual_facts.read(tmp_path)
