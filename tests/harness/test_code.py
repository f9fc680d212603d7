"""What code a unit stands on: every module of ours that it imports, however far, and the libraries' versions."""

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import quantassay
from quantassay.harness import code

PACKAGE = Path(quantassay.__file__).parent


def remember(_key, work):
    return work()


def unit(*imports):
    return SimpleNamespace(imports=imports)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("quantassay", ["__init__.py"]),
        ("quantassay.findings", ["__init__.py", "findings.py"]),
        ("quantassay.findings.judged", ["__init__.py", "findings.py"]),
        ("quantassay.domain", ["__init__.py", "domain/__init__.py"]),
        ("quantassay.domain.table.Table", ["__init__.py", "domain/__init__.py", "domain/table.py"]),
        ("polars", []),
        ("quantassays.x", []),
    ],
)
def test_an_import_runs_its_packages_and_its_module(name, files):
    assert [path.relative_to(PACKAGE).as_posix() for path in code.module_paths(name)] == files
    assert code.module_path(name) == (PACKAGE / files[-1] if files else None)


def test_libraries_are_known_by_their_versions_and_python_itself_is_none():
    digest, libraries = code.foundation(unit("polars", "numpy.random", "json", "pathlib.Path"), remember)
    assert libraries == {name: importlib.metadata.version(name) for name in ("numpy", "polars")}
    assert digest == code.foundation(unit(), remember)[0]


def test_a_library_of_a_module_of_ours_counts():
    assert list(code.foundation(unit("quantassay.domain.table.Table"), remember)[1]) == ["polars"]


@pytest.fixture
def package(tmp_path):
    """A copy of the package in which one module can be changed, and what a process says of a unit's foundation."""
    copy = tmp_path / "src" / "quantassay"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "_standard"))

    def ask(expression):
        script = f"""
import sys
sys.path.insert(0, {str(copy.parent)!r})
from types import SimpleNamespace
from quantassay.harness import code
assert code.__file__.startswith({str(copy)!r})
def of(*imports):
    return code.foundation(SimpleNamespace(imports=imports), lambda key, work: work())[0]
print({expression})
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    ask.folder = copy
    return ask


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        ("domain/table.py", True),
        ("domain/__init__.py", True),
        ("__init__.py", True),
        ("findings.py", False),
        ("harness/build.py", False),
    ],
)
def test_a_change_of_a_module_matters_to_those_that_stand_on_it(package, changed, matters):
    of_table = "of('quantassay.domain.table.Table')"
    before = package(of_table)
    path = package.folder / changed
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert (package(of_table) != before) is matters


def test_a_module_that_a_module_imports_counts(package):
    before = package("of('quantassay.harness.problems.Problem')")
    path = package.folder / "errors.py"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert package("of('quantassay.harness.problems.Problem')") != before


@pytest.mark.parametrize("changed", ["harness/canonical.py", "__init__.py"])
def test_the_engine_is_another_when_the_harness_or_the_version_is(package, changed):
    before = package("code.engine()")
    path = package.folder / changed
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert package("code.engine()") != before


def test_a_version_is_not_taken_from_where_one_happens_to_stand(tmp_path, monkeypatch):
    (tmp_path / "madeup-9.9.dist-info").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert code.version("madeup") is None
