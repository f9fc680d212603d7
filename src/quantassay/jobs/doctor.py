"""Look at the machine and the workspace: versions, paths, optional parts."""

import os
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

import quantassay
from quantassay.harness import code
from quantassay.harness.workspace import NoWorkspace, find, standard_root

NEEDED = (
    "click", "holidays", "jinja2", "jsonschema_rs", "lxml", "numpy", "orjson", "polars", "python_calamine", "pyyaml",
    "requests", "rfc8785", "tzdata",
)  # fmt: skip
OPTIONAL = {
    "cryptography": "signing packages (extra `sign`)",
    "pykrx": "fetching bars through it: pip install 'quantassay[krx]'",
}
# Keys are looked for and never shown.
KEYS = {"AUTH_KEY": "fetching bars from the exchange's Open API"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at: `ok`, `missing` (something will not work) or `off` (an optional part is not there)."""

    subject: str
    state: str
    says: str


def examine(folder: Path) -> list[Line]:
    """Every line, in order."""
    lines = [
        Line("quantassay", "ok", quantassay.__version__),
        Line("python", "ok" if sys.version_info >= (3, 11) else "missing", sys.version.split()[0]),
        Line("standard rooms", "ok" if (standard_root() / "builders").is_dir() else "missing", str(standard_root())),
        Line("sqlite", "ok" if sqlite3.sqlite_version_info >= (3, 37) else "missing", sqlite3.sqlite_version),
    ]
    for library in NEEDED:
        version = code.version(library)
        lines.append(Line(library, "ok" if version else "missing", version or "install it: it is needed"))
    for library, purpose in OPTIONAL.items():
        version = code.version(library)
        lines.append(Line(library, "ok" if version else "off", version or f"only for {purpose}"))
    for variable, purpose in KEYS.items():
        is_set = bool(os.environ.get(variable))
        says = "it is set" if is_set else f"it is not set; only for {purpose}"
        lines.append(Line(variable, "ok" if is_set else "off", says))
    try:
        lines.append(Line("workspace", "ok", str(find(folder).root)))
    except NoWorkspace as error:
        lines.append(Line("workspace", "off", str(error)))
    return lines
