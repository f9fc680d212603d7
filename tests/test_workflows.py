"""The schedules call make targets that exist, at the hour that they say, and keep what a person has to read."""

import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SEOUL = ZoneInfo("Asia/Seoul")
BACKLOG = "ops-calibration-backlog"


@pytest.fixture(scope="module")
def workflow():
    return yaml.safe_load((ROOT / ".gitea/workflows/calibration_backlog.yml").read_text(encoding="utf-8"))


def steps(workflow):
    (job,) = workflow["jobs"].values()
    return job["steps"]


def next_time(cron, after):
    """The next minute that a cron line of plain numbers and stars names, in UTC."""
    minute, hour, day, month, weekday = cron.split()
    assert (day, month) == ("*", "*")
    found = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while (found.minute, found.hour, found.isoweekday() % 7) != (int(minute), int(hour), int(weekday)):
        found += timedelta(minutes=1)
    return found


def test_the_backlog_is_made_each_monday_before_the_korean_open(workflow):
    # YAML 1.1 reads the key `on` as true.
    (entry,) = workflow[True]["schedule"]
    due = next_time(entry["cron"], datetime(2026, 11, 18, tzinfo=UTC)).astimezone(SEOUL)
    assert (due.strftime("%A %H:%M")) == "Monday 07:30"
    assert due.hour < 9
    assert "workflow_dispatch" in workflow[True]


def test_it_calls_the_make_target_and_nothing_else(workflow):
    ran = [step["run"] for step in steps(workflow) if "run" in step]
    assert ran == [f"make {BACKLOG}"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{BACKLOG}: \$\(VENV\)/\.run ## ", makefile, re.MULTILINE)
    assert BACKLOG in re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()


def test_it_keeps_both_reports_and_their_data_also_when_red(workflow):
    (kept,) = [step for step in steps(workflow) if "upload-artifact" in step.get("uses", "")]
    assert kept["if"] == "always()"
    wanted = {
        "calibration_review_report_v1.md", "calibration_approval_list_v1.md", "calibration_backlog_v1.json",
        "calibration_approval_list_v1.json", "calibration_change_ledger_v4.json", "gate_record_v1.json",
    }  # fmt: skip
    assert wanted <= {Path(line).name for line in kept["with"]["path"].splitlines()}


@pytest.fixture
def house(tmp_path):
    """The Makefile over an assay command that says what it was asked, and ends with the code in `code`."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text(encoding="utf-8"), encoding="utf-8")
    for file in ("requirements/run.txt", "pyproject.toml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    command = tmp_path / ".venv/bin/assay"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\necho "assay $*"\nexit $(cat code)\n', encoding="utf-8")
    command.chmod(0o755)
    # The stamp is newer than what it is made from, so that nothing is installed.
    (tmp_path / ".venv/.run").touch()
    return tmp_path


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_target_runs_the_desk_says_where_the_review_lies_and_ends_like_the_gate(house, code):
    (house / "code").write_text(str(code), encoding="utf-8")
    page = house / "Temp/calibration_review_report_v1.md"
    page.parent.mkdir()
    page.touch()
    done = subprocess.run(
        ["make", "--no-print-directory", BACKLOG], cwd=house, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [
        "assay run",
        "to review: Temp/calibration_review_report_v1.md",
        "not written: Temp/calibration_approval_list_v1.md",
    ]
    # make ends with 2 whatever the command did, but says what that was.
    assert (done.returncode != 0) == (code != 0)
    assert code == 0 or f"Error {code}" in done.stderr


def test_help_lists_every_target_in_one_column(house):
    done = subprocess.run(["make", "help"], cwd=house, capture_output=True, text=True, check=True)
    rows = [line for line in done.stdout.splitlines() if line.startswith("  make ")]
    assert any(row.split()[1] == BACKLOG for row in rows)
    starts = {re.match(r"  make \S+\s+", row).end() for row in rows}
    assert len(starts) == 1
