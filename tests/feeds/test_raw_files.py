"""Files as the disk gives them: unreadable ones are issues, a missing source is wrong use."""

import os
from pathlib import Path

import pytest

from quantassay.feeds.csv_bars import read_bars
from quantassay.feeds.markets import MARKETS, UnknownMarket, market_of
from quantassay.feeds.raw_files import LARGEST_BYTES, SourceMissing, list_source, printable, read_files

KRX = MARKETS["XKRX"]
HEAD = "date,open,high,low,close,volume,foreign_net_buy\n"
ROW = "2026-11-02,100,110,90,105,1000,-5\n"


def codes(result):
    return [issue.code for issue in result.issues]


def test_what_is_no_readable_file_is_an_issue(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "000660.csv").write_text(HEAD + ROW)
    (folder / "000001.csv").mkdir()
    (folder / "000002.csv").symlink_to(folder / "gone")
    os.mkfifo(folder / "000003.csv")
    with (folder / "000004.csv").open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    result = read_bars(read_files(list_source(folder)[0]), KRX)
    assert codes(result) == ["unreadable"] * 4
    assert result.frame["ticker"].to_list() == ["000660"]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that every user is refused to read")
def test_a_file_that_the_system_refuses_to_read_is_an_issue(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "005930.csv").symlink_to("/proc/self/mem")
    (issue,) = read_bars(read_files(list_source(folder)[0]), KRX).issues
    assert (issue.code, issue.says) == (
        "unreadable",
        "cannot be read (Input/output error); check its rights and import it again",
    )


def test_a_name_that_is_no_text_is_printable():
    assert printable(os.fsdecode(b"bad\xff\n.csv")) == "bad\\xff\\x0a.csv"
    assert printable("가.csv") == "가.csv"


def test_a_source_without_files_is_wrong_use(tmp_path):
    with pytest.raises(SourceMissing, match="does not exist"):
        list_source(tmp_path / "none")
    (tmp_path / ".hidden.csv").touch()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SourceMissing, match=r"holds no \.csv file"):
        list_source(tmp_path)


def test_a_folder_names_what_it_does_not_read(tmp_path):
    for name in ("b.CSV", "a.csv", "notes.txt", ".hidden.csv"):
        (tmp_path / name).touch()
    assert list_source(tmp_path) == ([tmp_path / "a.csv", tmp_path / "b.CSV"], ["notes.txt"])


def test_an_unknown_market_lists_the_known_ones():
    with pytest.raises(UnknownMarket, match="known are XKRX"):
        market_of("KRX")
