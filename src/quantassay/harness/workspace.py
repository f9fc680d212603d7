"""A workspace: the folder that holds a desk's spec, governance, rooms, data and Temp."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import quantassay
from quantassay.errors import AssayError
from quantassay.secrecy import withheld_name

MARKER = Path("spec") / "00_workspace.yaml"
_VERSIONED = re.compile(r"(.+)_v([0-9]+)")


class NoWorkspace(AssayError):
    """No workspace here or above."""

    def __init__(self, start: Path) -> None:
        super().__init__(f"{start} lies in no workspace (no {MARKER} here or above); make one with `assay init DIR`")


class WrongSuffix(AssayError):
    """A YAML file that nothing would read."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} would be read by nothing; call it {path.stem}.yaml")


def yaml_files(folder: Path) -> list[Path]:
    """The YAML files of a folder, by name; what editors leave there begins with a dot. Raises WrongSuffix."""
    found = sorted(path for path in folder.glob("*.y*ml") if not path.name.startswith("."))
    for path in found:
        if path.suffix != ".yaml":
            raise WrongSuffix(path)
    return found


def standard_root() -> Path:
    """Where the standard rooms lie: inside the installed package, or in the checkout that it runs from."""
    package = Path(quantassay.__file__).parent
    inside = package / "_standard"
    return inside if inside.is_dir() else package.parent.parent


@dataclass(frozen=True)
class Workspace:
    """The folders of one workspace; `standard` is the root of the rooms that come with the product."""

    root: Path
    standard: Path

    @property
    def spec(self) -> Path:
        """What the desk wants."""
        return self.root / "spec"

    @property
    def governance(self) -> Path:
        """What is allowed."""
        return self.root / "governance"

    @property
    def temp(self) -> Path:
        """Everything that is made; may be deleted at any time."""
        return self.root / "Temp"

    @property
    def data(self) -> Path:
        """The desk's own state."""
        return self.root / "data"

    @property
    def is_standard(self) -> bool:
        """Whether this workspace is the checkout that the standard rooms are read from."""
        return self.root == self.standard

    @cached_property
    def schemas(self) -> dict[str, Path]:
        """Schema files by stem; the workspace's own wins over the standard one."""
        folders = (self.standard / "spec" / "schemas", self.spec / "schemas")
        return {
            p.name.removesuffix(".schema.json"): p for folder in folders for p in sorted(folder.glob("*.schema.json"))
        }

    @cached_property
    def versions(self) -> dict[str, int]:
        """The highest version that has a schema, by artifact."""
        found: dict[str, int] = {}
        for match in filter(None, map(_VERSIONED.fullmatch, self.schemas)):
            found[match[1]] = max(int(match[2]), found.get(match[1], 1))
        return found

    def texts(self) -> list[Path]:
        """The workspace's own files that people write and packages hold: specs, governance, schemas."""
        written = [*self.spec.glob("*.yaml"), *self.governance.rglob("*.yaml")]
        return [*sorted(written), *sorted((self.spec / "schemas").glob("*.schema.json"))]

    def relative(self, path: Path) -> str:
        """The path as people name it, from the workspace or from the standard rooms, without a credential in it."""
        for root, prefix in ((self.root, ""), (self.standard, "standard:")):
            if path.is_relative_to(root):
                return prefix + withheld_name(path.relative_to(root).as_posix())
        return withheld_name(path.as_posix())


def find(start: Path) -> Workspace:
    """The workspace that `start` is, or lies in. Raises NoWorkspace."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / MARKER).is_file():
            return Workspace(folder, standard_root().resolve())
    raise NoWorkspace(start)
