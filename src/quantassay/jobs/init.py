"""Make a folder a workspace of its own."""

import json
import os
import shutil
from pathlib import Path

from quantassay.errors import AssayError
from quantassay.harness.workspace import MARKER, standard_root

MARKETS = ("XKRX", "XNYS", "XSHG")
# What the standard desk trades.
_USUAL = "XKRX"
_DESK = Path("spec/10_desk.yaml")
_IGNORED = """# Made by the program, the desk's own state, its owner's logins: none belongs in version control.
Temp/
data/
secrets.yaml
"""


class AlreadyThere(AssayError):
    """A folder that is no empty place for a workspace."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already and is left alone; choose another folder, or work in that one")


def init(folder: Path, market: str = _USUAL) -> list[str]:
    """Copy spec/ and governance/ of the standard set into `folder`, for a desk that trades this market.

    The files made, from the folder. Raises AlreadyThere.
    """
    source = standard_root()
    wanted = [path for room in ("spec", "governance") for path in sorted((source / room).rglob("*"))]
    wanted = [path for path in wanted if path.is_file() and path.parent.name != "schemas"]
    for path in (folder / MARKER, *(folder / path.relative_to(source) for path in wanted)):
        _check_free(path)
    made = []
    for path in wanted:
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        made.append(target.relative_to(folder).as_posix())
    if market != _USUAL:
        desk = folder / _DESK
        old, new = (f"\nmarket: {one}\n".encode() for one in (_USUAL, market))
        desk.write_bytes(desk.read_bytes().replace(old, new, 1))
    marker = folder / MARKER
    name = "".join(c if c.isprintable() else "?" for c in folder.resolve().name) or "desk"
    # A text in JSON is the same text in YAML, quotes and all.
    quoted = json.dumps(name, ensure_ascii=False)
    text = marker.read_text(encoding="utf-8").replace("name: Sample desk", f"name: {quoted}")
    marker.write_text(text, encoding="utf-8")
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text(_IGNORED, encoding="utf-8")
        made.append(".gitignore")
    return made


def _check_free(path: Path) -> None:
    """Raise AlreadyThere where this file, or something else than a folder on the way to it, is there."""
    if os.path.lexists(path):
        raise AlreadyThere(path)
    for folder in path.parents:
        if os.path.lexists(folder) and not folder.is_dir():
            raise AlreadyThere(folder)
