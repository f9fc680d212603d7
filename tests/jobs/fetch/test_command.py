"""`assay fetch bars` says who was asked, what came, and what is still missing."""

import json
from datetime import UTC, date, datetime, timedelta

MONDAY, TUESDAY, WEDNESDAY = (date(2025, 6, day) for day in (16, 17, 18))
NEXT_MORNING = datetime(2025, 6, 18, 0, 30, tzinfo=UTC)  # 09:30 on Wednesday in Seoul


def test_a_dry_run_asks_nobody_and_writes_nothing(desk, api):
    report = desk.fetch(first=MONDAY, dry_run=True)
    assert [source for _, _, source in report.asked] == ["krx_openapi"] * 4
    assert (api.seen, desk.answers(), desk.stored().height) == ([], [], 0)


def test_the_command_says_what_came_of_it(desk, api):
    desk.approve(datetime.now(UTC).date() - timedelta(days=2))
    said = desk.run("fetch", "bars", "--session", "2025-06-17")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "XKRX: 1 sessions, 2025-06-17 to 2025-06-17",
        "  krx_openapi gave 2 of 2 boards that were missing",
        "9 bars read: 9 new, 0 in place of unfinished ones, 0 replaced",
        "next: assay run",
    ]
    said = desk.run("fetch", "bars", "--session", "2025-06-17")
    assert (said.code, said.out.splitlines()[-1]) == (0, "nothing changed in the store")
    assert "nothing is missing: the store has every board of every session" in said.out
    api.change = lambda rows: [{**rows[0], "ACC_TRDVOL": rows[0]["ACC_TRDVOL"].replace("2", "3")}, *rows[1:]]
    said = desk.run("fetch", "bars", "--session", "2025-06-17", "--again")
    assert said.code == 1
    assert "the past differs: 2" in said.out
    said = desk.run("fetch", "bars", "--session", "2025-06-17", "--again", "--format", "json")
    assert json.loads(said.out)["bars"] == 9
    api.modes = ["html"]
    said = desk.run("fetch", "bars", "--from", "2025-06-12", "--to", "2025-06-16")
    assert said.code == 1
    assert "why a source was passed over: 6" in said.out
    assert "  and 1 more; `assay -v fetch` shows them" in said.out
    assert said.out.splitlines()[-1] == "next: fetch again later, or `assay import bars DIR --market XKRX`"
    assert desk.run("fetch", "bars", "--session", "2025-06-17", "--from", "2025-06-16").code == 2
    said = desk.run("fetch", "bars", "--session", "2025-06-15")
    assert (said.code, said.err) == (
        2, "assay: 2025-06-15 is no session of XKRX; the one before is 2025-06-13; nothing was asked\n",
    )  # fmt: skip
    said = desk.run("fetch", "bars", "--session", "2025-06-13", "--dry-run")
    assert said.out.splitlines()[-1] == "nobody was asked and nothing was written; fetch without --dry-run"
