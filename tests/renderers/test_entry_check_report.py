"""The entry check's page: every decision with its price, gap and band, and words for every code."""

import json
from pathlib import Path

import pytest
import yaml

from quantassay.harness import formats, render, trace

ROOT = Path(__file__).parents[2]
FILE = "renderers/entry_check.md.j2"
CASES = ROOT / "tests/validators/entry_check_rederived"
SCHEMA = json.loads((ROOT / "spec/schemas/entry_check_v1.schema.json").read_text(encoding="utf-8"))
CODES = SCHEMA["properties"]["rows"]["items"]["properties"]["code"]["enum"]
SKIPS = ("gap_beyond_guard", "below_trigger", "max_active_holdings", "max_new_entries")


def case(name):
    return json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))["parameters"]["entry_check"]


def page(data, **changes):
    """The page of a case, with members replaced; it must trace and leave out no row."""
    envelope = {
        "artifact": "entry_check",
        "version": 1,
        "as_of": data["at"],
        "marks": ["SAMPLE"],
        "data": data | changes,
    }
    settings = yaml.safe_load((ROOT / "spec/90_reports.yaml").read_text(encoding="utf-8"))
    report = trace.report_of("entry_check", settings)
    made = render.render(report, FILE, (ROOT / FILE).read_text(encoding="utf-8"), {"entry_check": envelope})
    assert trace.check(made.markdown, made.trace, {"entry_check": envelope}, report, made.images) == []
    return made.markdown


def test_every_candidate_stands_in_the_table_with_its_price_its_gap_and_its_band():
    text = page(case("pass_before_the_open"))
    row = "| ENTER | 990010 | Sample 990010 | `hybrid` | 10,000 | 10,050 | quote before the open"
    assert f"{row} | 2026-11-19 09:31 +09:00 | 0.50% | 4.00% | 9,900.00 | 9,900.00 | 10,400.00 |" in text
    assert "| REVIEW | 990050 | Sample 990050 | `hybrid` | 10,000 | 10,000 | last close |" in text
    assert text.count("| `hybrid` |") + text.count("| `ema_cross` |") == 2 * 13 + 2
    assert "13 candidates: 3 may be entered, 3 are skipped, 7 need a person to look at them." in text
    assert "the newest seen at 2026-11-19 10:01 +09:00: 8 quotes, of which 6 are of a candidate" in text
    assert "1 candidate of 2026-11-17" in text
    assert "12 candidates of 2026-11-18" in text


def test_in_session_a_name_without_a_quote_has_no_price():
    text = page(case("pass_in_session"))
    assert "while the session was open" in text
    assert (
        f"| REVIEW | 9900A0 | Sample 9900A0 | `hybrid` | 10,000 | {formats.NOTHING} | none | {formats.NOTHING} |"
        in text
    )


def test_caps_are_told_with_their_numbers():
    text = page(case("pass_evening"))
    assert "others before it take the 2 new entries of one open" in text
    assert "1 name is held. At most 4 may be, new entries included, and at most 2 of them new at one open." in text
    assert "2 names are held, and 1 may be with the new entries" in page(case("pass_other_limits"))


def test_an_empty_check_says_so():
    text = page(case("pass_no_candidates"))
    assert text.count("Nothing.") == 3
    assert "No quotes were imported: `assay import quotes FILE`" in text


BOTH = [("REVIEW", "gap_beyond_guard"), *(("SKIP" if code in SKIPS else "REVIEW", code) for code in CODES[1:])]


@pytest.mark.parametrize(("decision", "code"), BOTH)
def test_every_code_has_its_words(decision, code):
    data = case("pass_before_the_open")
    text = page(data, rows=[data["rows"][0] | {"decision": decision, "code": code}])
    (line,) = [line for line in text.splitlines() if line.startswith("- 990010 Sample 990010 by `hybrid`:")]
    assert len(line.partition("`hybrid`:")[2].strip(" .")) > 10
