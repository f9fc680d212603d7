"""The rooms: builders, validators, renderers and tools, plain files found in folders and loaded by path."""

import ast
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import files
from quantassay.harness.workspace import Workspace

ENTRY = {"builders": "build", "validators": "check", "tools": "main"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_COMMENT = re.compile(r"\{#-?(.*?)-?#\}", re.DOTALL)
_VARIABLE = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)
# What the guard cannot see while a builder runs: polars opens files by itself, and the clock is no file.
_UNSEEN = re.compile(r"(pl|polars)\.(read|scan)_\w+|(\w+\.)*(datetime|date)\.(now|utcnow|today)|time\.time(_ns)?")


class BadUnit(AssayError):
    """A room file that is no unit."""

    def __init__(self, file: str, line: int, why: str) -> None:
        super().__init__(f"{file}:{line}:1: {why}")


@dataclass(frozen=True, slots=True)
class Unit:
    """One file of a room: what it is called, where it lies, what it reads (parameters), which rules it enforces."""

    name: str
    room: str
    path: Path
    file: str
    origin: str
    digest: str
    title: str
    parameters: tuple[str, ...]
    rules: tuple[str, ...]
    imports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rooms:
    """Every unit by name, room by room."""

    builders: dict[str, Unit]
    validators: dict[str, Unit]
    renderers: dict[str, Unit]
    tools: dict[str, Unit]

    def all(self) -> Iterator[Unit]:
        """Every unit, room after room."""
        for room in (self.builders, self.validators, self.renderers, self.tools):
            yield from room.values()


Remember = Callable[[str, Callable[[], Any]], Any]


def _work_out(_key: str, work: Callable[[], Any]) -> Any:
    return work()


def discover(
    workspace: Workspace, *, standard: bool = True, own: bool = False, remember: Remember = _work_out
) -> Rooms:
    """The units of the standard rooms, and those of the workspace, which win, where `own` allows its code.

    `remember(key, work)` may keep the facts of a file under its digest. Raises BadUnit.
    """
    found: dict[str, dict[str, Unit]] = {}
    sources = [(workspace.standard, "standard")] * standard
    if own and not workspace.is_standard:
        sources.append((workspace.root, "workspace"))
    for room, pattern in (("builders", "*.py"), ("validators", "*.py"), ("renderers", "*.md.j2"), ("tools", "*.py")):
        units: dict[str, Unit] = {}
        for root, origin in sources:
            for path in sorted((root / room).glob(pattern)):
                # Editors and archivers leave files whose name begins with a dot.
                if not path.name.startswith("."):
                    unit = _unit(workspace, room, path, origin, remember)
                    units[unit.name] = unit
        found[room] = dict(sorted(units.items()))
    return Rooms(**found)


def _unit(workspace: Workspace, room: str, path: Path, origin: str, remember: Remember) -> Unit:
    name, file = path.name.removesuffix(".md.j2").removesuffix(".py"), workspace.relative(path)
    if not _NAME.fullmatch(name):
        raise BadUnit(file, 1, f"{name!r} is no name for a unit; use small letters, digits and underscores")
    source = files.read(path)
    digest = files.sha256(source)
    read = _template_facts if room == "renderers" else _python_facts
    facts = remember(f"unit {room} {digest}", lambda: read(_text(source, file), file, room))
    return Unit(
        name, room, path, file, origin, digest,
        facts["title"], tuple(facts["parameters"]), tuple(facts["rules"]), tuple(facts["imports"]),
    )  # fmt: skip


def _text(source: bytes, file: str) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise BadUnit(file, line, f"this is not UTF-8 ({error.reason}); save it as UTF-8") from None


def _python_facts(source: str, file: str, room: str) -> dict[str, Any]:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise BadUnit(file, error.lineno or 1, f"this is not Python: {error.msg}") from None
    except ValueError as error:
        raise BadUnit(file, 1, f"this is not Python: {error}") from None
    title = (ast.get_docstring(tree) or "").partition("\n")[0]
    if not title:
        raise BadUnit(file, 1, "a unit opens with one sentence that says what it is for; add a docstring")
    entry = ENTRY[room]
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == entry]
    if len(functions) != 1:
        says = f"a file in {room}/ holds one function `{entry}`; it is {'there twice' if functions else 'not there'}"
        raise BadUnit(file, functions[1].lineno if functions else 1, says)
    function, arguments = functions[0], functions[0].args
    odd = arguments.posonlyargs or arguments.vararg or arguments.kwarg or arguments.defaults or arguments.kw_defaults
    if room != "tools" and odd:
        raise BadUnit(file, function.lineno, f"`{entry}` names what it reads: no /, no *, no ** and no defaults")
    named = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    for line, said in _unseen(tree) if room != "tools" else ():
        raise BadUnit(
            file, line, f"`{said}` reaches outside of what `{entry}` was given; name it as a parameter instead"
        )
    rules = _rules(tree, file) if room == "validators" else []
    return {"title": title, "parameters": named, "rules": rules, "imports": imported(tree)}


def _unseen(tree: ast.Module) -> list[tuple[int, str]]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    said = [(call.lineno, ast.unparse(call.func)) for call in calls]
    return sorted((line, text) for line, text in said if _UNSEEN.fullmatch(text))


def _rules(tree: ast.Module, file: str) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "RULES" for t in node.targets):
            try:
                rules = ast.literal_eval(node.value)
            except ValueError:
                break
            if rules and isinstance(rules, list) and all(isinstance(rule, str) for rule in rules):
                return rules
            break
    raise BadUnit(
        file, 1, 'a gate names the rules it enforces: write RULES = ["R01.1"] with the ids of governance/rules'
    )


def _template_facts(source: str, file: str, _room: str) -> dict[str, Any]:
    comment = _COMMENT.match(source)
    title = comment.group(1).strip().partition("\n")[0] if comment else ""
    if not title:
        raise BadUnit(file, 1, "a report opens with {# one sentence that says what it is for #}; add it")
    # The names a template reads are found by Jinja itself when it renders; this is what it could read.
    words = {word for part in _VARIABLE.findall(source) for word in re.findall(r"(?<![.\w\"'|])[a-z_]\w*", part)}
    return {"title": title, "parameters": sorted(words), "rules": [], "imports": []}


def imported(tree: ast.AST) -> list[str]:
    """The modules that this code imports, in full."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return sorted(names)


def load(unit: Unit) -> ModuleType:
    """The unit's module, made of the very bytes that its digest names. Raises BadUnit when it cannot be loaded."""
    identity = hashlib.sha256(os.fsencode(unit.path) + unit.digest.encode()).hexdigest()
    name = f"_assay_{unit.room}_{unit.name}_{identity[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    # Not through Python's importer: its bytecode cache goes by time and size, and would run what a file used to say.
    source = files.read(unit.path)
    if files.sha256(source) != unit.digest:
        raise BadUnit(unit.file, 1, "this was edited while the run went on; run again")
    module = ModuleType(name)
    module.__file__ = str(unit.path)
    # A dataclass in the file looks its own module up by name while it is being made.
    sys.modules[name] = module
    try:
        exec(compile(source, unit.path, "exec"), module.__dict__)  # noqa: S102 - the rooms are code, loaded by path
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        says = f"loading it failed: {type(error).__name__}: {error}"
        raise BadUnit(unit.file, line_of(error, unit.path), says) from error
    return module


def line_of(error: BaseException, path: Path) -> int:
    """The innermost line of this file that the error passed through, 1 if none."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
