"""What docs/operations.md offers to be pasted: its units and cron lines parse, and name commands that there are."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from quantassay import cli
from quantassay.jobs import operations

PAGE = (Path(__file__).parents[3] / "docs/operations.md").read_text(encoding="utf-8")
UNITS = dict(re.findall(r"<!-- unit: (\S+) -->\n```ini\n(.*?)```", PAGE, re.DOTALL))
(CRON,) = re.findall(r"<!-- cron -->\n```text\n(.*?)```", PAGE, re.DOTALL)
PROGRAM = "/srv/quantassay/bin/assay"
# minute, hour, day of the month, month, day of the week: the last by names only.
NUMBERS = r"(?:\*|\d+(?:-\d+)?)(?:/\d+)?(?:,\d+(?:-\d+)?)*"
DAYS = r"(?:\*|(?:mon|tue|wed|thu|fri|sat|sun)(?:[-,](?:mon|tue|wed|thu|fri|sat|sun))*)"
LINE = re.compile(rf"({NUMBERS}) ({NUMBERS}) ({NUMBERS}) ({NUMBERS}) ({DAYS}) (.+)")
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12))


def parsed(words):
    """The command that a line names, with its options read as the program reads them."""
    assert words[0] == PROGRAM
    names = cli.command.list_commands(click.Context(cli.command))
    place = next((i for i, word in enumerate(words) if word in names), len(words))
    context = cli.command.make_context("assay", words[1 : place + 1])
    name, command, _ = cli.command.resolve_command(context, words[place:] or words[-1:])
    return name, command.make_context(name, words[place + 1 :], parent=context)


def unit(text):
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read_string(text)
    return parser


def test_the_units_start_commands_that_there_are(operated):
    started = {}
    for name, text in UNITS.items():
        if name.endswith(".service"):
            command, context = parsed(shlex.split(unit(text)["Service"]["ExecStart"]))
            started[name] = (command, context.params)
    assert {name: command for name, (command, _) in started.items()} == {
        "assay-schedule.service": "schedule",
        "assay-heartbeat.service": "heartbeat",
    }
    assert started["assay-heartbeat.service"][1]["check"] is True
    words = started["assay-schedule.service"][1]
    times = (*words["first"], *words["more"])
    assert {job.id for job in operations.schedule(operated, times).jobs} >= {"ready", "execute", "prepare"}
    assert {name.partition(".")[0] for name in UNITS} == {"assay-schedule", "assay-heartbeat"}


def test_the_units_are_understood_by_the_system(tmp_path):
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not here")
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text.replace(PROGRAM, shutil.which("true")))
    told = subprocess.run(
        [tool, "verify", *(tmp_path / name for name in UNITS)], capture_output=True, text=True, check=False
    )
    assert [line for line in told.stderr.splitlines() if "assay" in line and "desk" not in line] == []


def test_the_cron_lines_have_times_and_commands_that_there_are():
    names = []
    for line in CRON.splitlines():
        found = LINE.fullmatch(line)
        assert found, line
        for (low, high), field in zip(RANGES, found.groups()[:4], strict=True):
            numbers = [int(number) for number in re.findall(r"(?<!/)\b\d+", field)]
            assert all(low <= number <= high for number in numbers), line
        names.append(parsed(shlex.split(found[6]))[0])
    assert names == ["run-due", "heartbeat", "status"]
    assert not LINE.fullmatch(f"* * * * 1-5 {PROGRAM} run-due")
    with pytest.raises(click.UsageError):
        parsed([PROGRAM, "run-dew"])


def test_the_page_names_the_jobs_of_the_spec_and_their_times(operated):
    kept = operations.schedule(operated)
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE, re.MULTILINE))
    words = {job.id: re.fullmatch(r"(open|close)([+-])(\d+)m", str(job.at)).groups() for job in kept.jobs}
    side = {"+": "after", "-": "before"}
    told = {
        name: f"{minutes} minute{'s' if minutes != '1' else ''} {side[sign]} the {edge}"
        for name, (edge, sign, minutes) in words.items()
    }
    assert {name: rows[name].partition(" (")[0] for name in told} == told
