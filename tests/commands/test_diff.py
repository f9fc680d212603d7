"""The diff command: a line for each difference, named by its ticker; exit 1 when there is one."""

import json
import shutil


def test_no_difference_is_exit_0(done):
    said = done.run("diff", done.root, done.root)
    assert (said.code, said.out) == (0, "0 differences\n")
    assert done.run("-q", "diff", done.root, done.root).out == ""


def test_each_difference_is_a_line_with_its_ticker(done, tmp_path):
    shutil.copytree(done.root / "Temp", tmp_path / "before")
    done.write("spec/10_limits.yaml", "lot: 7\n")
    done.run("build")
    file = "plan_v1.json"
    said = done.run("diff", tmp_path / "before" / file, done.root / "Temp" / file)
    assert said.code == 1
    first, *_, last = said.out.splitlines()
    assert first == "plan_v1 900020 /orders/*/quantity: 30 -> 21"
    assert last == f"{len(said.out.splitlines()) - 1} differences"
    told = json.loads(done.run("diff", tmp_path / "before", done.root, "--format", "json").out)
    quantity = {"artifact": "plan_v1", "subject": "900020", "pointer": "/orders/*/quantity", "old": 30, "new": 21}
    assert quantity in told


def test_nothing_to_compare_is_wrong_use(house, tmp_path):
    said = house.run("diff", house.root, tmp_path)
    assert (said.code, said.out) == (2, "")
    assert "holds none; name two artifacts, or two workspaces that are built" in said.err
    assert house.run("diff", house.root / "nowhere", tmp_path).code == 2
