"""The waive command: it writes a waiver that covers findings, and refuses one that would be a finding itself."""

import json
import zipfile

import pytest

WHO = ("--by", "Kim Mina", "--reason", "Odd lots of a merger, sold on 9 January.", "--days", "4")
FILE = "governance/waivers/W001_R01.1.yaml"


@pytest.fixture
def red(house):
    """Run, with two orders that are no whole lots."""
    house.write("spec/10_limits.yaml", "lot: 7\n")
    house.write("validators/lots.py", (house.root / "validators/lots.py").read_text().replace("% 10", "% 7"))
    house.builder("plan", "limits", 'return {"orders": [{"ticker": t, "quantity": 20} for t in ("900010", "900020")]}',
                  'ORIGINS = {"/orders/*/quantity": ["limits:/lot"]}\n')  # fmt: skip
    assert house.run("run").code == 1
    return house


def test_a_waiver_is_written_and_the_next_run_passes_with_it_on_top(red):
    said = red.run("waive", "R01.1", "plan", "/orders/*/quantity", *WHO)
    assert said.out.splitlines() == [
        "W001: 2 findings of R01.1 waived through 2026-01-09 by Kim Mina",
        "  plan /orders/0/quantity is no whole lot",
        "  plan /orders/1/quantity is no whole lot",
        f"written: {FILE}",
        "next: assay run",
    ]
    assert 'expires: "2026-01-09"' in (red.root / FILE).read_text()
    assert "gate:" not in (red.root / FILE).read_text()
    assert red.run("run").code == 0
    top = (red.root / "Temp/orders_v1.md").read_text().splitlines()[2]
    assert top.startswith("> **WAIVED** `W001`: rule `R01.1` in `plan`, until 2026-01-09, by Kim Mina:")


def test_whoever_opens_the_package_reads_the_waivers_first(red):
    red.run("waive", "R01.1", "plan", "/orders/*/quantity", *WHO)
    red.run("run")
    assert red.run("package").code == 0
    (path,) = (red.root / "Temp/packages").iterdir()
    line = "WAIVED W001: 2 findings of R01.1 at plan/orders/*/quantity, until 2026-01-09, by Kim Mina: Odd lots"
    with zipfile.ZipFile(path) as file:
        assert file.namelist()[0] == "README.md"
        assert file.read("README.md").decode().splitlines()[2].startswith(f"> {line}")
    said = red.run("verify", path)
    assert (said.code, said.out.startswith(line)) == (0, True)
    assert json.loads(red.run("verify", path, "--format", "json").out)["waivers"][0].startswith(line)


def test_one_place_and_one_gate_may_be_named_and_a_dry_run_writes_nothing(red):
    one = ("waive", "R01.1", "plan", "/orders/1/quantity", *WHO, "--gate", "lots")
    said = red.run(*one, "-n")
    assert said.out.splitlines()[0] == "W001: 1 finding of R01.1 waived through 2026-01-09 by Kim Mina"
    assert said.out.splitlines()[-1] == "nothing was written; waive without --dry-run"
    assert not (red.root / FILE).exists()
    assert red.run("-q", *one).out == ""
    assert 'gate: "lots"' in (red.root / FILE).read_text()
    assert red.run("run").code == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("R01.2", "plan", "/orders/0/quantity"), "governance/rules has no rule 'R01.2'; did you mean R01.1?"),
        (("R99", "plan", "/orders/0/quantity"), "no rule 'R99'"),
        (("R01.1", "plan", "/orders/7/quantity"), "its findings of R01.1 are plan /orders/0/quantity (lots),"),
        (("R01.1", "plans", "/orders/0/quantity"), "would cover no finding of the last gate record"),
        (("R01.1", "plan", "/orders/*/quantity", "--gate", "loads"), "would cover no finding"),
        (("R01.1", "plan", "orders"), "would cover no finding"),
    ],
)  # fmt: skip
def test_a_waiver_that_would_cover_nothing_is_refused(red, arguments, why):
    said = red.run("waive", *arguments, *WHO)
    assert (said.code in (1, 2), why in said.err) == (True, True), said.err
    assert not (red.root / "governance/waivers").exists()


def test_what_nobody_may_waive_is_refused(red):
    rules = red.root / "governance/rules/01_lots.yaml"
    rules.write_text(rules.read_text().replace("waivable: true", "waivable: false"))
    said = red.run("waive", "R01.1", "plan", "/orders/*/quantity", *WHO)
    assert (said.code, "nobody may waive it; round the orders to whole lots" in said.err) == (1, True)


def test_nothing_found_and_nothing_judged_leave_nothing_to_waive(house):
    said = house.run("waive", "R01.1", "plan", "/orders/*/quantity", *WHO)
    assert (said.code, "nothing was judged yet" in said.err) == (1, True)
    house.run("run")
    said = house.run("waive", "R01.1", "plan", "/orders/*/quantity", *WHO)
    assert (said.code, "no finding of R01.1 nor of any other rule" in said.err) == (1, True)


def test_a_gate_that_judged_nothing_cannot_be_waived(red):
    red.builder("plan", "limits", 'return {"orders": []}')
    assert red.run("run").code == 1
    said = red.run("waive", "R01.1", "plan", "", *WHO)
    assert (said.code, "lots judged nothing, and that cannot be waived" in said.err) == (1, True)


def test_the_same_findings_are_waived_once_until_a_later_day(red):
    assert red.run("waive", "R01.1", "plan", "/orders/**", *WHO).code == 0
    said = red.run("waive", "R01.1", "plan", "/orders/0/quantity", *WHO)
    assert (said.code, "W001 covers the same findings until 2026-01-09" in said.err) == (1, True)
    said = red.run("waive", "R01.1", "plan", "/orders/0/quantity", *WHO[:4], "--days", "5")
    assert said.out.startswith("W002: 1 finding of R01.1 waived through 2026-01-10")


def test_a_short_reason_and_an_edited_record_are_refused(red):
    said = red.run("waive", "R01.1", "plan", "/orders/*/quantity", "--by", "Kim Mina", "--reason", "ok", "--days", "4")
    assert (said.code, "shorter than 20" in said.err) == (2, True)
    record = red.root / "Temp/gate_record_v1.json"
    record.write_text(record.read_text().replace("R01.1", "R01.9"))
    said = red.run("waive", "R01.9", "plan", "/orders/*/quantity", *WHO)
    assert (said.code, "gate_record_v1.json is not as" in said.err) == (1, True)


def test_fewer_than_no_days_are_wrong_use(red):
    assert red.run("waive", "R01.1", "plan", "/orders/*/quantity", *WHO, "--days", "-1").code == 2
