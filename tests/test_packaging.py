"""The wheel carries the package and the standard rooms, and nothing else; an editable install copies neither."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import quantassay

ROOT = Path(__file__).parents[1]
ROOMS = ("builders", "governance", "renderers", "spec", "tests/validators", "tools", "validators")
# Asks the backend for an editable wheel, as pip does.
BUILD_EDITABLE = "import sys, hatchling.build; print(hatchling.build.build_editable(sys.argv[1]))"


def run(*arguments):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def room_files():
    return {
        f"quantassay/_standard/{path.relative_to(ROOT).as_posix()}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not (room.startswith("tests") and path.suffix == ".py")
    }


def test_the_wheel_carries_the_package_and_each_file_of_the_standard_rooms(wheel):
    modules = {p.relative_to(ROOT / "src").as_posix() for p in (ROOT / "src").rglob("*.py")}
    assert modules | room_files() <= set(wheel.namelist())
    assert "quantassay/cli.py" in modules
    assert any("_standard/builders/" in name for name in room_files())


def test_the_wheel_carries_nothing_else(wheel):
    info = f"quantassay-{quantassay.__version__}.dist-info/"
    others = [name for name in wheel.namelist() if not name.startswith(("quantassay/", info))]
    assert others == []
    standard = {name for name in wheel.namelist() if name.startswith("quantassay/_standard/")}
    assert standard == room_files()
    assert not [name for name in wheel.namelist() if "test_" in name or name.endswith(".pyc")]


def test_the_wheel_installs_the_command_and_the_licence(wheel):
    info = f"quantassay-{quantassay.__version__}.dist-info/"
    assert "assay = quantassay.cli:main" in wheel.read(info + "entry_points.txt").decode()
    assert "MIT License" in wheel.read(info + "licenses/LICENSE").decode()


def test_the_same_checkout_gives_the_same_wheel(wheel, tmp_path):
    run("-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    (again,) = tmp_path.glob("*.whl")
    assert again.read_bytes() == Path(wheel.filename).read_bytes()


def test_an_editable_install_copies_no_room(tmp_path):
    name = run("-c", BUILD_EDITABLE, tmp_path).split()[-1]
    with zipfile.ZipFile(tmp_path / name) as archive:
        assert [member for member in archive.namelist() if ".dist-info/" not in member] == ["_quantassay.pth"]


@pytest.mark.parametrize(("file", "wanted"), [("run", {"hatchling", "cryptography"}), ("dev", {"hatchling", "pytest"})])
def test_the_exported_requirements_agree_with_the_lock(file, wanted):
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    hashes = {part["hash"] for p in locked for part in [*p.get("wheels", []), p.get("sdist")] if part}
    core = {d["name"] for p in locked if p["name"] == "quantassay" for d in p["dependencies"]}
    text = (ROOT / "requirements" / f"{file}.txt").read_text(encoding="utf-8")
    pinned = dict(line.split()[0].split("==") for line in text.splitlines() if "==" in line)
    assert core | wanted <= set(pinned)
    assert set(pinned.items()) <= {(p["name"], p.get("version")) for p in locked}
    assert set(re.findall(r"--hash=(\S+)", text)) <= hashes
    assert "://" not in text


def test_every_direct_dependency_has_its_reason_in_the_docs():
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    ours = next(p for p in packages if p["name"] == "quantassay")
    extras = [dependency for extra in ours["optional-dependencies"].values() for dependency in extra]
    direct = [*ours["dependencies"], *extras, *ours["dev-dependencies"]["dev"]]
    wanted = {(d["name"], p["version"]) for d in direct for p in packages if p["name"] == d["name"]}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    stated = set(re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \|", page, re.MULTILINE))
    assert {name for name, _ in stated} == {name for name, _ in wanted}
    assert stated <= wanted
