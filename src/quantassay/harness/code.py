"""What code a unit stands on: the modules of ours that it imports, and the versions of the libraries."""

import ast
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import quantassay
from quantassay.harness import files
from quantassay.harness.rooms import Remember, Unit, imported

_PACKAGE = Path(quantassay.__file__).parent


@lru_cache(maxsize=1024)
def module_paths(name: str) -> tuple[Path, ...]:
    """The files that importing this name runs: its packages, and the module that is or holds it; none if not ours."""
    first, *steps = name.split(".")
    if first != "quantassay":
        return ()
    found = [_PACKAGE / "__init__.py"]
    for length in range(1, len(steps) + 1):
        stem = _PACKAGE.joinpath(*steps[:length])
        found += [path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()]
    return tuple(found)


def module_path(name: str) -> Path | None:
    """The file of a module of ours, or of the module that holds the name; None for any other."""
    return next(reversed(module_paths(name)), None)


def foundation(unit: Unit, remember: Remember) -> tuple[str, dict[str, str]]:
    """The digest of every module of ours that the unit imports, however far, and its libraries' versions."""
    digests: dict[str, str] = {}
    libraries: set[str] = set()
    pending = list(unit.imports)
    while pending:
        name = pending.pop()
        paths = module_paths(name)
        if not paths:
            libraries.add(name.split(".")[0])
        for path in paths:
            key = path.relative_to(_PACKAGE).as_posix()
            if key not in digests:
                digests[key], names = _module(path, remember)
                pending.extend(names)
    joined = "\n".join(f"{key} {digests[key]}" for key in sorted(digests))
    return files.sha256(joined.encode()), _versions(libraries)


@lru_cache(maxsize=1024)
def _source(path: Path) -> tuple[bytes, str]:
    source = path.read_bytes()
    return source, files.sha256(source)


def _module(path: Path, remember: Remember) -> tuple[str, list[str]]:
    source, digest = _source(path)
    return digest, remember(f"module {digest}", lambda: imported(ast.parse(source)))


def _versions(libraries: Iterable[str]) -> dict[str, str]:
    found = {library: version(library) for library in sorted(libraries) if library not in sys.stdlib_module_names}
    return {library: text for library, text in found.items() if text}


@lru_cache(maxsize=256)
def version(library: str) -> str | None:
    """The installed version, read from the name of its dist-info folder; None where there is none."""
    # importlib.metadata costs more to import than a whole run that has nothing to do.
    for place in filter(None, sys.path):
        for folder in sorted(Path(place).glob(f"{library}-*.dist-info")):
            return folder.name.removesuffix(".dist-info").partition("-")[2]
    return None


@lru_cache(maxsize=1)
def modules() -> tuple[Path, ...]:
    """Every module of the package."""
    return tuple(sorted(_PACKAGE.rglob("*.py")))


def text(path: Path) -> str:
    """What a module of ours says."""
    return _source(path)[0].decode()


@lru_cache(maxsize=1)
def house() -> str:
    """The digest of the whole package: what it reads and names tells which specs and fields are of use."""
    lines = [f"{path.relative_to(_PACKAGE).as_posix()} {_source(path)[1]}" for path in modules()]
    return files.sha256("\n".join(lines).encode())


@lru_cache(maxsize=1)
def engine() -> str:
    """The digest of the harness itself and the version of Python: what is made may differ when they do."""
    sources = [_PACKAGE / "__init__.py", *sorted((_PACKAGE / "harness").glob("*.py"))]
    lines = [f"{path.name} {_source(path)[1]}" for path in sources]
    return files.sha256("\n".join(["{}.{}".format(*sys.version_info), *lines]).encode())
