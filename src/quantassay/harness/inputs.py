"""Everything a unit may read, by name, with its digest; a value is loaded when it is asked for."""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import code, files
from quantassay.harness.cache import Cache
from quantassay.harness.lazy import Lazy
from quantassay.harness.problems import Problem, SpecErrors
from quantassay.harness.rooms import Rooms, Unit, discover
from quantassay.harness.state import State
from quantassay.harness.workspace import MARKER, Workspace, yaml_files
from quantassay.secrecy import kinds_in_name

STATE = "state.jsonl"
_SPEC = re.compile(r"\d\d_([a-z][a-z0-9_]*)\.yaml")
FACTS = {
    "artifact_data": Lazy("quantassay.harness.facts:artifact_data"),
    "artifact_schema_errors": Lazy("quantassay.harness.facts:artifact_schema_errors"),
    "documents": Lazy("quantassay.harness.facts:documents"),
    "loose_ends": Lazy("quantassay.harness.facts:loose_ends_seen"),
    "gate_units": Lazy("quantassay.harness.facts:gate_units"),
    "origin_coverage": Lazy("quantassay.harness.facts:origin_coverage"),
    "raw_texts": Lazy("quantassay.harness.raw_texts:search"),
    "report_places": Lazy("quantassay.harness.facts:report_places"),
    "work_items": Lazy("quantassay.harness.facts:work_items"),
}
# What a spec is called where an artifact has its name: 16_data_gaps_roadmap.yaml is read as data_gaps_roadmap_spec.
TWIN = "_spec"
# What the engine itself writes at the end of a gate run; the step that makes both is called `gate`.
ENGINE_ARTIFACTS = ("gate_record", "definition_of_done")
GATE_STEP = "gate"
# Folders below governance/ that hold a file for each thing: the folder, and the schema of one file.
FOLDERS = {
    "approvals": ("approvals", "approval"),
    "calibration_changes": ("calibration/changes", "calibration_change"),
    "gap_attempts": ("data_gaps/attempts", "gap_attempt"),
    "rules": ("rules", "rules"),
    "waivers": ("waivers", "waiver"),
}


class UnknownName(AssayError):
    """A parameter that names nothing."""

    def __init__(self, name: str, wanted_by: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = Lazy("difflib:get_close_matches")(name, names, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        super().__init__(f"{wanted_by} reads {name!r}, and there is no such input{hint}; there are {', '.join(names)}")


class AmbiguousName(AssayError):
    """One name for two inputs."""

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(f"the name {name!r} stands for {first} and for {second}; rename one of them")


class TakenName(AssayError):
    """A builder with the name of something that the engine makes."""

    def __init__(self, file: str, name: str) -> None:
        super().__init__(f"{file}: {name} is what the engine itself makes; give the builder another name")


class TellingName(AssayError):
    """A file whose name may be a credential: the name would stand in every record."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file}: the name of this file holds {what}; give it another, and change the credential")


class BadSpecName(AssayError):
    """A file in spec/ whose name says no place in the order."""

    def __init__(self, file: str) -> None:
        super().__init__(f"{file} is no name for a spec; call it NN_subject.yaml, for instance 17_next_open.yaml")


class NotBuilt(AssayError):
    """An artifact that is needed and not there."""

    exit_code = 1

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not built, or not as the last build left it; run `assay build`")


@dataclass(frozen=True, slots=True)
class Handed:
    """A value that a job hands in: its digest, and how to load it.

    `explain(pointer)` gives the raw rows behind a number; `recheck()` the digest as it is now. What is `for_gates` is
    a fact about the desk, worked out with its builders, so no builder may read it.
    """

    name: str
    digest: str
    load: Callable[[], Any]
    marks: tuple[str, ...] = ()
    explain: Callable[[str], list[str]] | None = None
    recheck: Callable[[], str] | None = None
    for_gates: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input comes from: its kind and its file or files."""

    kind: str
    paths: tuple[Path, ...] = ()
    format: str = ""


class Inputs:
    """The names of one workspace and what stands behind them."""

    def __init__(self, workspace: Workspace, handed: Mapping[str, Handed] | None = None) -> None:
        self.workspace = workspace
        self.state = State.load(workspace.temp / STATE)
        self.cache = Cache(workspace.data / "facts.cache", code.engine())
        self.handed: dict[str, Handed] = dict(handed or {})
        self.replaced: dict[str, Any] = {}
        self._values: dict[str, Any] = {}
        self._files: dict[Path, bytes] = {}
        self.settings: dict[str, Any] = self.yaml(workspace.root / MARKER, "workspace")["value"]
        allowed = self.settings["rooms"]
        self.rooms: Rooms = discover(
            workspace, standard=allowed["standard"], own=allowed["own"], remember=self.remember
        )
        for name in (GATE_STEP, *ENGINE_ARTIFACTS):
            if name in self.rooms.builders:
                raise TakenName(self.rooms.builders[name].file, name)
        self.sources = self._sources()

    def hand(self, handed: Iterable[Handed]) -> None:
        """Add values that a job hands in."""
        for one in handed:
            if one.name in self.sources and one.name not in self.handed:
                raise AmbiguousName(one.name, self.sources[one.name].kind, "a value handed in by the job")
            self.handed[one.name] = one
            self.sources[one.name] = Source("fact" if one.for_gates else "handed")

    def remember(self, key: str, work: Callable[[], Any]) -> Any:
        """The fact under this digest key, worked out once."""
        return self.cache.fact(key, work)

    def _sources(self) -> dict[str, Source]:
        found: dict[str, Source] = {}
        for name, source in self._named():
            if name in found:
                raise AmbiguousName(name, _words(found[name], self.workspace), _words(source, self.workspace))
            found[name] = source
        return found

    def _named(self) -> Iterator[tuple[str, Source]]:
        for path in (*yaml_files(self.workspace.spec), *yaml_files(self.workspace.governance)):
            for what in kinds_in_name(path.name):
                raise TellingName(self.workspace.relative(path), what)
        for path in yaml_files(self.workspace.spec):
            match = _SPEC.fullmatch(path.name)
            if match is None:
                raise BadSpecName(self.workspace.relative(path))
            name = match.group(1)
            twin = name in self.rooms.builders or name in ENGINE_ARTIFACTS
            yield name + TWIN if twin else name, Source("spec", (path,))
        for path in yaml_files(self.workspace.governance):
            yield path.stem, Source("governance", (path,))
        for name, (folder, _) in FOLDERS.items():
            yield name, Source("governance", tuple(yaml_files(self.workspace.governance / folder)), "folder")
        for name, file in self.settings.get("files", {}).items():
            yield name, Source("file", (self.workspace.root / file["path"],), file["format"])
        for name in self.rooms.builders:
            yield name, Source("artifact", (self.artifact_path(name),))
        yield from ((name, Source("fact")) for name in FACTS)
        yield from ((name, Source("fact" if one.for_gates else "handed")) for name, one in self.handed.items())

    # ---- what stands behind a name

    def names(self) -> list[str]:
        """Every name that a unit may read by."""
        return sorted(self.sources)

    def source(self, name: str, wanted_by: str = "somebody") -> Source:
        """Where the name comes from. Raises UnknownName."""
        if name not in self.sources:
            raise UnknownName(name, wanted_by, self.sources)
        return self.sources[name]

    def kind(self, name: str) -> str:
        """What stands behind the name: spec, governance, file, artifact, table, handed or fact. Raises UnknownName."""
        kind = self.source(name).kind
        return "table" if kind == "artifact" and self.record(name).get("table") else kind

    def version(self, name: str) -> int:
        """An artifact's version: the highest that has a schema."""
        return self.workspace.versions.get(name, 1)

    def artifact_path(self, name: str) -> Path:
        """Where an artifact's JSON file lies."""
        return self.workspace.temp / f"{name}_v{self.version(name)}.json"

    def schema(self, stem: str) -> dict[str, Any] | None:
        """The JSON Schema of this stem (`next_open`, `next_open_plan_v1`); None where there is none."""
        path = self.workspace.schemas.get(stem)
        if path is None:
            return None
        data, file = self.bytes(path), self.workspace.relative(path)
        read = Lazy("quantassay.harness.reading:schema_file", (data, file))
        return dict(self.remember(f"schema {files.sha256(data)}", read))

    def record(self, name: str) -> dict[str, Any]:
        """What the build recorded of this artifact; empty where it was never built."""
        return self.state.steps.get(GATE_STEP if name in ENGINE_ARTIFACTS else f"build:{name}", {})

    def file_digest(self, name: str) -> str:
        """The recorded digest of an artifact's JSON file. Raises NotBuilt."""
        file = self.artifact_path(name).relative_to(self.workspace.root).as_posix()
        recorded = self.record(name).get("outputs", {}).get(file)
        if recorded is None:
            raise NotBuilt(name)
        return str(recorded)

    def bytes(self, path: Path) -> bytes:
        """The file as it lay there when this run first asked. Raises Unreadable."""
        if path not in self._files:
            self._files[path] = files.read(path)
        return self._files[path]

    def forget(self) -> None:
        """Read every file anew from here on; what the job handed in stays what it was."""
        self._files.clear()
        self._values = {name: value for name, value in self._values.items() if name in self.handed}

    def yaml(self, path: Path, schema_stem: str) -> dict[str, Any]:
        """{"value", "digest"} of a YAML file, checked against its schema; kept under the digests of both."""
        schema_path = self.workspace.schemas.get(schema_stem)
        data, schema_digest = self.bytes(path), files.sha256(self.bytes(schema_path)) if schema_path else "none"
        key = f"yaml {files.sha256(data)} {schema_digest}"

        def read() -> Any:
            schema = self.schema(schema_stem)
            return Lazy("quantassay.harness.specs:yaml_file", (data, schema, self.workspace.relative(path)))()

        return dict(self.remember(key, read))

    def check_yaml(self) -> None:
        """Read every spec and governance file. Raises SpecErrors with what is wrong in all of them."""
        problems: list[Problem] = []
        for name, source in self.sources.items():
            for path in source.paths if source.kind in ("spec", "governance") else ():
                try:
                    self.yaml(path, schema_stem(name))
                except SpecErrors as error:
                    problems += error.problems
        if problems:
            raise SpecErrors(problems)

    def digest(self, name: str) -> str:
        """The digest of the input's content. Raises NotBuilt for an artifact that is not there."""
        source = self.source(name)
        if source.kind == "handed":
            return self.handed[name].digest
        if source.kind == "artifact":
            content = self.record(name).get("content")
            if content is None:
                raise NotBuilt(name)
            return str(content)
        if source.kind == "file":
            return files.sha256(self.bytes(source.paths[0]))
        if source.kind == "fact":
            return ""
        stem = schema_stem(name)
        parts = [f"{path.name} {self.yaml(path, stem)['digest']}" for path in source.paths]
        return files.sha256("\n".join(parts).encode()) if source.format == "folder" else parts[0].split(" ")[1]

    def marks(self, name: str) -> tuple[str, ...]:
        """The marks (SAMPLE, ...) that everything made from this input carries."""
        if name in self.handed:
            return self.handed[name].marks
        return tuple(self.record(name).get("marks", ())) if self.source(name).kind == "artifact" else ()

    def marks_of(self, unit: Unit) -> list[str]:
        """The marks of everything that the unit reads."""
        return sorted({mark for name in unit.parameters if name in self.sources for mark in self.marks(name)})

    def value(self, name: str) -> Any:
        """The value, shared: for readers that do not change it."""
        if name in self.replaced:
            return self.replaced[name]
        if name not in self._values:
            self._values[name] = self._load(name)
        return self._values[name]

    def fresh(self, name: str) -> Any:
        """The value as a copy of the reader's own."""
        value = self.value(name)
        return copy.deepcopy(value) if isinstance(value, dict | list) else value

    def _load(self, name: str) -> Any:
        source = self.source(name)
        if name in self.handed:
            return self.handed[name].load()
        if source.kind == "fact":
            return FACTS[name](self)
        if source.kind == "file":
            return Lazy(
                "quantassay.harness.reading:raw_file", (self.bytes(source.paths[0]), source.format, source.paths[0])
            )()
        if source.kind == "artifact":
            envelope = self.envelope(name)
            if self.record(name).get("table"):
                return Lazy("quantassay.harness.tables:read", (self.artifact_path(name).with_suffix(".parquet"),))()
            return envelope["data"]
        values = [self.yaml(path, schema_stem(name))["value"] for path in source.paths]
        return _flat(name, values) if source.format == "folder" else values[0]

    def envelope(self, name: str) -> dict[str, Any]:
        """The artifact as it lies in Temp/, envelope and all. Raises NotBuilt when it is not as it was built."""
        key = f"{name} (envelope)"
        if key not in self._values:
            path = self.artifact_path(name)
            if self.file_digest(name) != files.digest(path):
                raise NotBuilt(name)
            self._values[key] = Lazy("quantassay.harness.canonical:read", (path,))()
        return dict(self._values[key])

    def with_artifact(self, name: str, data: Any) -> "Inputs":
        """The same inputs, with this artifact's data replaced; facts are worked out anew."""
        other = copy.copy(self)
        other.replaced = {**self.replaced, name: data}
        other._values = {key: value for key, value in self._values.items() if key not in FACTS}  # noqa: SLF001 - a copy of our own
        return other

    def artifacts(self) -> list[str]:
        """The artifacts that are built, by name."""
        return [name for name in self.rooms.builders if "content" in self.record(name)]

    def engine_artifacts(self) -> list[str]:
        """The engine's own artifacts that are made, by name."""
        made = self.record(ENGINE_ARTIFACTS[0]).get("outputs", {})
        paths = {
            name: self.artifact_path(name).relative_to(self.workspace.root).as_posix() for name in ENGINE_ARTIFACTS
        }
        return [name for name, file in paths.items() if file in made]


def schema_stem(name: str) -> str:
    """The schema of the files behind a name: a folder of waivers holds one waiver a file."""
    return FOLDERS[name][1] if name in FOLDERS else name.removesuffix(TWIN)


def _flat(name: str, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if name == "rules":
        return sorted((rule for value in values for rule in value["rules"]), key=lambda rule: str(rule["id"]))
    return values


def _words(source: Source, workspace: Workspace) -> str:
    if not source.paths:
        return "a fact of the harness" if source.kind == "fact" else "a value handed in by the job"
    return f"{source.kind} {workspace.relative(source.paths[0])}"
