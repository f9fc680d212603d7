"""Exporting the daily pages: dated by their market session, whole, beside their charts, and never over another page."""

import re
import threading

import pytest

from quantassay.harness import files, lock
from quantassay.jobs import export_reports
from quantassay.jobs.export_reports import _Page, _put

DAYS = {"buy": "2026-11-18", "sell": "2026-11-18", "entry": "2026-11-19"}


def test_each_daily_page_is_called_by_its_market_session_and_shows_its_own_charts(desk):
    to = desk.root.parent / "pages"
    said = desk.run("export", "reports", "--to", to)
    assert said.code == 0, said.err
    names = {path.name for path in to.iterdir()} - {export_reports.LOCK}
    assert {f"{day}.{kind}.md" for kind, day in DAYS.items()} <= names
    assert sorted(said.out.splitlines()) == sorted(f"{to}/{day}.{kind}.md: written" for kind, day in DAYS.items())
    for kind, day in DAYS.items():
        page = (to / f"{day}.{kind}.md").read_text(encoding="utf-8")
        shown = set(re.findall(r"\]\(([^)]*\.svg)\)", page))
        assert shown == {name for name in names if name.startswith(f"{day}.{kind}.") and name.endswith(".svg")}
    original = (desk.root / "Temp/buy_signals_v1.md").read_text(encoding="utf-8")
    exported = (to / "2026-11-18.buy.md").read_text(encoding="utf-8")
    assert exported == original.replace("](buy_signals_v1.", "](2026-11-18.buy.")
    times = {path: path.stat().st_mtime_ns for path in to.iterdir() if path.name != export_reports.LOCK}
    again = desk.run("export", "reports", "--to", to)
    assert {line.rpartition(" ")[2] for line in again.out.splitlines()} == {"unchanged"}
    assert times == {path: path.stat().st_mtime_ns for path in to.iterdir() if path.name != export_reports.LOCK}
    assert desk.run("-q", "export", "reports", "--to", to).out == ""


def test_a_page_that_was_changed_or_is_missing_is_not_exported(desk):
    to = desk.root.parent / "pages"
    page = desk.root / "Temp/buy_signals_v1.md"
    before = page.read_bytes()
    page.write_bytes(before.replace(b"Sample", b"Simple", 1))
    said = desk.run("export", "reports", "--to", to)
    assert (said.code, said.out) == (1, "")
    assert "buy_signals_v1.md" in said.err
    page.unlink()
    said = desk.run("export", "reports", "--to", to)
    assert said.code == 1
    assert "nothing was exported, run `assay run` first" in said.err
    assert not to.exists()


def test_a_desk_that_is_not_built_or_has_no_daily_page_says_what_to_do(new_desk):
    to = new_desk.root.parent / "pages"
    assert new_desk.run("export", "reports", "--to", to).code == 1
    assert new_desk.run("export", "reports").code == 2
    settings = new_desk.root / "spec/90_reports.yaml"
    lines = settings.read_text(encoding="utf-8").splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if not line.startswith("    exported:")), encoding="utf-8")
    said = new_desk.run("export", "reports", "--to", to)
    assert (said.code, to.exists()) == (2, False)
    assert "no report of this desk is a daily one" in said.err


PAGE = _Page(
    "buy", "2026-11-18", "buy_signals_v1", "![Closes](buy_signals_v1.a.svg)\n", {"buy_signals_v1.a.svg": b"<a/>"}
)


def other(text="another\n", **charts):
    return _Page("buy", "2026-11-18", "buy_signals_v1", text, {f"buy_signals_v1.{k}.svg": v for k, v in charts.items()})


def there(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_different_page_of_the_same_session_gets_the_next_number(tmp_path):
    assert _put(tmp_path, PAGE).path.name == "2026-11-18.buy.md"
    assert _put(tmp_path, other()).path.name == "2026-11-18-1.buy.md"
    third = _put(tmp_path, other("![Closes](buy_signals_v1.a.svg)\n", a=b"<b/>"))
    assert third.path.name == "2026-11-18-2.buy.md"
    assert third.path.read_text() == "![Closes](2026-11-18-2.buy.a.svg)\n"
    before = there(tmp_path)
    assert [_put(tmp_path, page).written for page in (PAGE, other())] == [False, False]
    assert there(tmp_path) == before
    assert before["2026-11-18.buy.a.svg"] == b"<a/>"


def test_an_export_that_was_killed_before_its_page_is_done_again(tmp_path):
    """Charts come first, so a page that is there has its charts; without its page nothing is taken for exported."""
    (tmp_path / "2026-11-18.buy.a.svg").write_bytes(b"<half")
    assert _put(tmp_path, PAGE).written
    assert there(tmp_path)["2026-11-18.buy.a.svg"] == b"<a/>"


def test_a_chart_changed_by_hand_makes_the_page_another_one(tmp_path):
    _put(tmp_path, PAGE)
    (tmp_path / "2026-11-18.buy.a.svg").write_bytes(b"<c/>")
    assert _put(tmp_path, PAGE).path.name == "2026-11-18-1.buy.md"


def test_two_exports_at_once_write_one_page(tmp_path):
    def export():
        with lock.held(tmp_path / export_reports.LOCK, 10):
            _put(tmp_path, PAGE)

    both = [threading.Thread(target=export) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(there(tmp_path)) == [export_reports.LOCK, "2026-11-18.buy.a.svg", "2026-11-18.buy.md"]


def test_a_folder_that_somebody_else_writes_to_is_waited_for_and_then_refused(tmp_path):
    with lock.held(tmp_path / export_reports.LOCK), pytest.raises(lock.Busy), lock.held(tmp_path / export_reports.LOCK):
        pass


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(files.Unwritable):
        _put(tmp_path / "file", PAGE)


def test_a_folder_in_the_place_of_a_page_is_left_alone(tmp_path):
    (tmp_path / "2026-11-18.buy.md").mkdir()
    assert _put(tmp_path, PAGE).path.name == "2026-11-18-1.buy.md"
