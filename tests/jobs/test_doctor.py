"""The machine and the workspace: what is there, what is only optional, and what is missing, which is exit 2."""

import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import quantassay
from quantassay.jobs import doctor as job

ROOT = Path(__file__).parents[2]
# A Python with all its libraries but these, as if nobody had installed them.
WITHOUT = """
import sys
from pathlib import Path
sys.path[1:1] = sys.argv[1:3]
from quantassay import cli
sys.exit(cli.run(["doctor"]))
"""


def states(folder):
    return {line.subject: line.state for line in job.examine(folder)}


def test_all_that_is_needed_is_there(tmp_path):
    found = states(tmp_path)
    assert set(found.values()) == {"ok", "off"}
    assert {subject for subject, state in found.items() if state == "off"} <= {"workspace", *job.OPTIONAL, *job.KEYS}


def test_what_it_looks_for_is_what_the_project_depends_on():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements):
        return {one.split(">")[0].split("~")[0].replace("-", "_") for one in requirements}

    assert set(job.NEEDED) == names(project["dependencies"])
    # pykrx is asked for in a process of its own, and in no environment of ours.
    assert set(job.OPTIONAL) == names(project["optional-dependencies"]["sign"]) | {"pykrx"}


def test_a_key_is_looked_for_and_never_shown(tmp_path, monkeypatch):
    monkeypatch.delenv("AUTH_KEY", raising=False)
    assert states(tmp_path)["AUTH_KEY"] == "off"
    monkeypatch.setenv("AUTH_KEY", "SECRET0SECRET0")
    line = next(line for line in job.examine(tmp_path) if line.subject == "AUTH_KEY")
    assert (line.state, line.says) == ("ok", "it is set")


def test_a_folder_that_is_no_workspace_is_said_and_no_fault(tmp_path, toy):
    line = job.examine(tmp_path)[-1]
    assert (line.subject, line.state) == ("workspace", "off")
    assert "make one with `assay init DIR`" in line.says
    assert job.examine(toy.root / "spec")[-1] == job.Line("workspace", "ok", str(toy.root))


def test_a_library_that_is_missing_is_exit_2_and_an_optional_one_is_not(tmp_path):
    site = Path(distribution("click").locate_file(""))
    for path in site.iterdir():
        if not path.name.lower().startswith(("jinja2-", "cryptography-")):
            (tmp_path / path.name).symlink_to(path)
    source = Path(quantassay.__file__).parents[1]
    command = [sys.executable, "-S", "-c", WITHOUT, source, tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
    lines = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines()}
    assert {name for name, state in lines.items() if state == "missing"} == {"jinja2"}
    assert (lines["cryptography"], lines["orjson"]) == ("off", "ok")
    (tmp_path / next(path.name for path in site.iterdir() if path.name.lower().startswith("jinja2-"))).symlink_to(
        next(path for path in site.iterdir() if path.name.lower().startswith("jinja2-"))
    )
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
