"""Quotes are kept whole, the newest in use, and every build is told which row a price comes from."""

from datetime import UTC, datetime

import pytest

from quantassay.cli import run
from quantassay.harness import canonical
from quantassay.jobs.import_quotes import import_quotes
from quantassay.jobs.imported_quotes import QuotesDamaged, age, quote_line, quotes_import

NOW = datetime(2026, 11, 19, 1, 0, tzinfo=UTC)
HEAD = "ticker,price,taken_at,currency,source\n"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def put(tmp_path, name, *rows):
    path = tmp_path / name
    path.write_text(HEAD + "".join(row + "\n" for row in rows))
    return path


def early(tmp_path):
    return put(tmp_path, "early.csv", "000660,100,2026-11-19T08:50:00+09:00,KRW,desk")


def late(tmp_path):
    return put(
        tmp_path, "late.csv", "000660,101,2026-11-19T09:05:00+09:00,KRW,", "005930,7,2026-11-19T09:04:00+09:00,KRW,"
    )


def test_the_file_with_the_latest_quote_is_the_one_in_use(tmp_path, data):
    for path in (early(tmp_path), late(tmp_path)):
        assert import_quotes(data, path, "XKRX", NOW).changed
    kept, digest = quotes_import(data, "XKRX")
    assert (kept["file"], kept["last"], kept["currency"]) == ("late.csv", "2026-11-19T09:05:00+09:00", "KRW")
    assert digest == canonical.digest(kept)
    assert [(row["ticker"], row["price"], row["row"]) for row in kept["quotes"]] == [
        ("000660", 101, 2),
        ("005930", 7, 3),
    ]
    again = import_quotes(data, early(tmp_path), "XKRX", NOW)
    assert (again.changed, [issue.code for issue in again.issues]) == (False, ["older_quotes"])
    assert quotes_import(data, "XKRX")[0] == kept
    assert quotes_import(data, "XNYS") == (None, canonical.digest(None))


def test_the_same_file_again_changes_nothing_and_a_corrected_one_replaces_it(tmp_path, data):
    path = early(tmp_path)
    assert import_quotes(data, path, "XKRX", NOW, dry_run=True).changed
    assert not data.exists()
    import_quotes(data, path, "XKRX", NOW)
    assert not import_quotes(data, path, "XKRX", NOW).changed
    path.write_text(path.read_text().replace(",100,", ",102,"))
    assert import_quotes(data, path, "XKRX", NOW).changed
    assert quotes_import(data, "XKRX")[0]["quotes"][0]["price"] == 102
    assert len(list((data / "imports" / "quotes" / "XKRX").iterdir())) == 1


def test_a_file_with_one_bad_row_is_put_aside_and_the_old_quotes_stay(tmp_path, data):
    import_quotes(data, early(tmp_path), "XKRX", NOW)
    bad = put(tmp_path, "bad.csv", "000660,1,2026-11-19T09:30:00+09:00,KRW,", "005930,1,2026-11-19T09:30:00,KRW,")
    report = import_quotes(data, bad, "XKRX", NOW)
    assert (report.quarantined, report.rows, report.changed) == (("bad.csv",), 0, False)
    assert quotes_import(data, "XKRX")[0]["file"] == "early.csv"
    assert [path.name.partition("-")[2] for path in sorted((data / "imports" / "quarantine").iterdir())] == [
        "bad.csv",
        "bad.csv.reason.json",
    ]


def test_quotes_edited_by_hand_are_an_error(tmp_path, data):
    import_quotes(data, early(tmp_path), "XKRX", NOW)
    (kept,) = (data / "imports" / "quotes" / "XKRX").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"100", b"900"))
    with pytest.raises(QuotesDamaged, match="assay import quotes FILE"):
        quotes_import(data, "XKRX")


def test_a_quote_is_explained_by_file_and_row(tmp_path, data):
    import_quotes(data, early(tmp_path), "XKRX", NOW)
    kept, _ = quotes_import(data, "XKRX")
    said = "early.csv line 2: 000660 at 100 KRW, seen at 2026-11-19T08:50:00+09:00, by desk"
    assert quote_line(kept, "/quotes/000660/price") == [said]
    assert quote_line(kept, "/quotes/005930/price") == ["early.csv: 005930 is not in it"]
    assert quote_line(kept, "") == ["early.csv: 1 quotes, the newest of 2026-11-19T08:50:00+09:00"]
    assert quote_line(None, "/quotes/000660") == ["no quotes were imported"]
    assert age(data, "XKRX") == ("quotes", "1 names, the newest of 2026-11-19T08:50:00+09:00")
    assert age(data, "XNYS") is None


def test_the_command_takes_the_desks_own_market(tmp_path, monkeypatch, capsys):
    root = tmp_path / "desk"
    (root / "spec").mkdir(parents=True)
    (root / "spec" / "00_workspace.yaml").write_text("name: Test desk\nrooms: {standard: true, own: false}\n")
    monkeypatch.chdir(root)
    path = str(early(tmp_path))
    assert run(["import", "quotes", path]) == 2
    assert "say it with --market" in capsys.readouterr().err
    (root / "spec" / "10_desk.yaml").write_text("market: XKRX\nbars: auto\naccount: auto\n")
    assert run(["import", "quotes", path]) == 0
    assert "1 files read: 1 loaded with 1 quotes, 0 quarantined" in capsys.readouterr().out
    assert run(["import", "quotes", path, "--market", "XNYS"]) == 1
    assert "early.csv:2: currency_other: quotes 000660 in 'KRW'" in capsys.readouterr().out
    assert quotes_import(root / "data", "XKRX")[0]["file"] == "early.csv"
    assert run(["import", "quotes", "nowhere.csv"]) == 2
