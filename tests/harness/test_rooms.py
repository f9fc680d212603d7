"""Units are found in folders, known by their text, and loaded as the very bytes that were found."""

import os
from pathlib import Path

import pytest

from quantassay.harness import files, rooms
from quantassay.harness.rooms import BadUnit, discover
from quantassay.harness.workspace import Workspace

GOOD = {
    "builders": '"""Makes {name}."""\n\ndef build(bars, as_of):\n    return {{}}\n',
    "validators": '"""Judges {name}."""\nRULES = ["R01", "R02.1"]\n\ndef check(first):\n    yield first\n',
    "renderers": "{{# Says {name}. #}}\n# {{{{ first.title|text }}}}\n",
    "tools": '"""Brings {name}."""\n\ndef main(folder, *rest, dry=False):\n    return 0\n',
}
SUFFIX = {"builders": ".py", "validators": ".py", "renderers": ".md.j2", "tools": ".py"}


@pytest.fixture
def desk(tmp_path):
    """A function that writes a unit into the workspace's own rooms, or the standard ones."""

    def write(room, name, text=None, root="desk", suffix=None):
        path = tmp_path / root / room / f"{name}{SUFFIX[room] if suffix is None else suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        source = GOOD[room].format(name=name) if text is None else text
        path.write_bytes(source.encode() if isinstance(source, str) else source)
        return path

    write.workspace = Workspace(tmp_path / "desk", tmp_path / "standard")
    return write


def found(desk, own=True, standard=True):
    return discover(desk.workspace, standard=standard, own=own)


def test_units_are_known_by_their_text(desk):
    for room in GOOD:
        desk(room, "first")
    built = found(desk).builders["first"]
    assert (built.title, built.parameters, built.file, built.origin) == (
        "Makes first.", ("bars", "as_of"), "builders/first.py", "workspace",
    )  # fmt: skip
    assert built.digest == files.sha256(built.path.read_bytes())
    gate = found(desk).validators["first"]
    assert (gate.title, gate.rules, gate.parameters) == ("Judges first.", ("R01", "R02.1"), ("first",))
    report = found(desk).renderers["first"]
    assert (report.name, report.title) == ("first", "Says first.")
    assert "first" in report.parameters
    assert [unit.room for unit in found(desk).all()] == ["builders", "validators", "renderers", "tools"]


def test_own_files_win_over_standard_ones_and_load_only_where_allowed(desk):
    desk("builders", "first", root="standard")
    desk("builders", "second", root="standard")
    desk("builders", "first", GOOD["builders"].format(name="my own first"))
    desk("builders", "third")
    both = found(desk).builders
    assert {name: unit.origin for name, unit in both.items()} == {
        "first": "workspace", "second": "standard", "third": "workspace",
    }  # fmt: skip
    assert both["first"].title == "Makes my own first."
    assert {n: u.origin for n, u in found(desk, own=False).builders.items()} == {
        "first": "standard",
        "second": "standard",
    }
    assert list(found(desk, standard=False).builders) == ["first", "third"]


def test_code_that_is_not_allowed_is_not_even_read(desk):
    desk("builders", "broken", "this is not Python")
    assert found(desk, own=False).builders == {}


def test_files_that_editors_leave_are_passed_over(desk):
    desk("builders", "first")
    (desk.workspace.root / "builders" / ".#first.py").symlink_to("me@host.123")
    desk("builders", "._first", b"\x00\x05")
    desk("builders", "first", "x", suffix=".py~")
    assert list(found(desk).builders) == ["first"]


NAMES = ["First", "1st", "first.v2", "__init__", "first-two"]
T = '"""T."""\n'
PYTHON = [
    ("def build(:\n", "1:1: this is not Python: invalid syntax"),
    (T + "\ndef build(a):\n  return (\n", "4:1: this is not Python: '(' was never closed"),
    (T + "x = '\x00'\n", "1:1: this is not Python: source code string cannot contain null"),
    (T.encode() + b"# \xb0\xa1\n", "2:1: this is not UTF-8 (invalid start byte); save it as UTF-8"),
    ("", "1:1: a unit opens with one sentence that says what it is for; add a docstring"),
    ("def build(a):\n    return {}\n", "1:1: a unit opens with one sentence"),
    ('"""  """\n\ndef build(a): ...\n', "1:1: a unit opens with one sentence"),
    (T, "1:1: a file in builders/ holds one function `build`; it is not there"),
    (T + "def check(a): ...\n", "1:1: a file in builders/ holds one function `build`; it is not there"),
    (T + "async def build(a): ...\n", "1:1: a file in builders/ holds one function `build`; it is not there"),
    (
        T + "def build(a): ...\ndef build(b): ...\n",
        "3:1: a file in builders/ holds one function `build`; it is there twice",
    ),
    (T + "def build(a=1): ...\n", "2:1: `build` names what it reads: no /, no *, no ** and no defaults"),
    (T + "def build(*a): ...\n", "2:1: `build` names what it reads"),
    (T + "def build(**a): ...\n", "2:1: `build` names what it reads"),
    (T + "def build(a, /): ...\n", "2:1: `build` names what it reads"),
    (T + "def build(*, a=1): ...\n", "2:1: `build` names what it reads"),
    (T + "def build(a):\n    return pl.read_csv(a)\n", "3:1: `pl.read_csv` reaches outside of what `build` was given"),
    (T + "def build(a):\n    return datetime.datetime.now()\n", "3:1: `datetime.datetime.now` reaches outside"),
    (T + "def build(a):\n    return {'t': date.today()}\n", "3:1: `date.today` reaches outside"),
    (T + "def build(a):\n    return time.time()\n", "3:1: `time.time` reaches outside"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_no_parameter_is_no_unit(desk, name):
    desk("builders", name)
    with pytest.raises(BadUnit) as raised:
        found(desk)
    says = f"builders/{name}.py:1:1: {name!r} is no name for a unit; use small letters, digits and underscores"
    assert str(raised.value) == says


@pytest.mark.parametrize(("text", "says"), PYTHON, ids=[says[:60] for _, says in PYTHON])
def test_a_file_that_is_no_unit_is_named_with_its_line(desk, text, says):
    desk("builders", "bad", text)
    with pytest.raises(BadUnit) as raised:
        found(desk)
    assert str(raised.value).startswith(f"builders/bad.py:{says}")


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "RULES = []",
        "RULES = ['R01', 2]",
        "RULES = 'R01'",
        "RULES = [rule for rule in ()]",
        "RULES = ('R01',)",
        "rules = ['R01']",
    ],
)
def test_a_gate_without_rules_is_no_gate(desk, rules):
    desk("validators", "bad", f'"""Judges."""\n{rules}\ndef check(a): ...\n')
    with pytest.raises(BadUnit, match=r"validators/bad.py:1:1: a gate names the rules it enforces: write RULES"):
        found(desk)


@pytest.mark.parametrize("text", ["# Title\n", "{##}\n# Title\n", " {# late #}"])
def test_a_template_without_its_sentence_is_no_report(desk, text):
    desk("renderers", "bad", text)
    with pytest.raises(BadUnit, match=r"renderers/bad.md.j2:1:1: a report opens with"):
        found(desk)


@pytest.mark.parametrize("room", GOOD)
def test_a_folder_or_a_dangling_link_in_a_room_is_one_sentence(desk, room):
    path = desk(room, "first")
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(files.Unreadable, match="No such file or directory"):
        found(desk)
    path.unlink()
    path.mkdir()
    with pytest.raises(files.Unreadable, match="Is a directory"):
        found(desk)


def test_a_tool_may_take_what_it_likes(desk):
    desk("tools", "fetch")
    assert found(desk).tools["fetch"].parameters == ("folder", "dry")


def test_the_facts_of_a_file_are_worked_out_once_a_content(desk):
    asked = []

    def remember(key, _work):
        asked.append(key)
        return {"title": "kept", "parameters": ["x"], "rules": [], "imports": []}

    path = desk("builders", "first")
    unit = discover(desk.workspace, own=True, remember=remember).builders["first"]
    assert (unit.title, asked) == ("kept", [f"unit builders {files.sha256(path.read_bytes())}"])


# Loading.


def test_what_runs_is_what_was_found_whatever_the_clock_of_the_file_says(desk):
    path = desk("builders", "first", '"""T."""\ndef build():\n    return 1\n')
    stamp = path.stat()
    assert rooms.load(found(desk).builders["first"]).build() == 1
    path.write_text(path.read_text().replace("1", "2"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert path.stat().st_size == stamp.st_size
    assert rooms.load(found(desk).builders["first"]).build() == 2
    assert not list(desk.workspace.root.rglob("__pycache__"))


def test_a_file_that_was_edited_after_it_was_found_is_not_run(desk):
    path = desk("builders", "first")
    unit = found(desk).builders["first"]
    path.write_text(path.read_text() + "# more\n")
    with pytest.raises(BadUnit, match=r"builders/first\.py:1:1: this was edited while the run went on; run again"):
        rooms.load(unit)


def test_two_workspaces_with_the_same_file_have_a_module_each(desk, tmp_path):
    desk("builders", "first")
    desk("builders", "first", root="other")
    other = discover(Workspace(tmp_path / "other", tmp_path / "standard"), own=True)
    modules = [rooms.load(units.builders["first"]) for units in (found(desk), other)]
    assert [Path(module.__file__).parents[1].name for module in modules] == ["desk", "other"]
    assert rooms.load(other.builders["first"]) is modules[1]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import nowhere_at_all", "loading it failed: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = 1 / 0", "loading it failed: ZeroDivisionError"),
        ("raise SystemExit(0)", "loading it failed: SystemExit: 0"),
        ("def f(): return g()\ndef g(): raise KeyError('x')\nf()", "loading it failed: KeyError: 'x'"),
    ],
)
def test_a_unit_that_cannot_be_loaded_is_named_with_its_line(desk, line, says):
    desk("builders", "first", f'"""T."""\n{line}\ndef build(): ...\n')
    for _ in range(2):
        with pytest.raises(BadUnit) as raised:
            rooms.load(found(desk).builders["first"])
        place = 3 if "KeyError" in says else 2
        assert str(raised.value).startswith(f"builders/first.py:{place}:1: {says}")


def test_a_dataclass_in_a_unit_finds_its_module(desk):
    top = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    made = "@dataclass(slots=True)\nclass A:\n    x: int\n\ndef build():\n    return A(1).x\n"
    desk("builders", "first", T + top + made)
    assert rooms.load(found(desk).builders["first"]).build() == 1
