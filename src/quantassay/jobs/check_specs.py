"""Check every YAML file of a workspace at once, so that all that is wrong is seen in one go."""

from collections.abc import Iterator
from pathlib import Path

from quantassay.harness import canonical, specs
from quantassay.harness.inputs import FOLDERS
from quantassay.harness.problems import BadSchema, Problem
from quantassay.harness.workspace import Workspace, WrongSuffix, find
from quantassay.secrecy import withheld_name


def workspace(folder: Path) -> tuple[list[Path], list[Problem]]:
    """The files that were read, and what is wrong in them. Raises NoWorkspace."""
    here = find(folder)
    named = [(path, path.stem.partition("_")[2]) for path in _yaml(here.spec)]
    named += [(path, path.stem) for path in _yaml(here.governance)]
    named += [(path, stem) for folder, stem in FOLDERS.values() for path in _yaml(here.governance / folder)]
    problems = {problem for path, stem in named for problem in _problems(here, path, stem)}
    return [path for path, _ in named], sorted(problems)


def _problems(here: Workspace, path: Path, stem: str) -> Iterator[Problem]:
    file, schema = here.relative(path), here.schemas.get(stem)
    if path.suffix != ".yaml":
        yield Problem(file, 1, 1, str(WrongSuffix(path.relative_to(here.root))))
    if schema is None:
        yield Problem(file, 1, 1, f"nothing checks this file: there is no schema {withheld_name(stem)}.schema.json")
    try:
        yield from specs.read(path, canonical.read(schema) if schema else None, file)[1]
    except (BadSchema, canonical.UnreadableJson) as error:
        yield Problem(here.relative(schema) if schema else file, 1, 1, str(error))


def _yaml(folder: Path) -> list[Path]:
    """The YAML files, also those whose ending nothing reads; what editors leave there begins with a dot."""
    return sorted(path for path in folder.glob("*.y*ml") if not path.name.startswith("."))
