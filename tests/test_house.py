"""The house checks itself: sizes, layers, names, docs, cases. Each check is shown a bad sample, so it can fail."""

import ast
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "quantassay"
CODE_ROOMS = ("builders", "validators", "tools")
ROOMS = (*CODE_ROOMS, "renderers")
MADE = {".git", ".venv", ".hypothesis", "Temp", "data", "dist"}  # folders on top that are not committed
MADE_BELOW = {".peers", "__pycache__"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "handler"}
MAY_IMPORT = {
    "builders": ("quantassay.domain",),
    "validators": ("quantassay.domain", "quantassay.findings"),
    "tools": ("quantassay.jobs",),
    "harness": (
        "quantassay.harness",
        "quantassay.findings",
        "quantassay.errors",
        "quantassay.secrecy",
        "quantassay.__version__",
    ),
}
# The parameters of a unit's entry are its wiring: the harness gives them by name, and nobody else calls it.
WIRED_LIMIT = 12
HEAVY = ("cryptography", "holidays", "jinja2", "jsonschema_rs", "numpy", "polars", "requests", "yaml")
WITHOUT_NETWORK = """
import importlib, importlib.util, pathlib, pkgutil, sys
def refuse(event, arguments):
    # urllib3 binds to ::1 when it is loaded, to learn whether this machine speaks IPv6; nothing leaves the machine.
    own = event in ("socket.gethostname", "socket.__new__") or (event, *arguments[1:]) == ("socket.bind", ("::1", 0))
    if event.startswith("socket.") and not own:
        raise SystemExit(f"importing {name} opens a socket: {event} {arguments}")
sys.addaudithook(refuse)
package = importlib.import_module(name := sys.argv[1])
for found in pkgutil.walk_packages(getattr(package, "__path__", ()), name + "."):
    if not found.name.endswith("__main__"):
        importlib.import_module(name := found.name)
for name in sys.argv[2:]:
    spec = importlib.util.spec_from_file_location("unit", name)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""
HEAVY_AFTER = f"print(*sorted({set(HEAVY)} & set(sys.modules)))"


# The checks: each takes text, a tree or names, and returns what is wrong.


def too_long(text, limit=400):
    lines = len(text.splitlines())
    return [f"{lines} lines, at most {limit}"] if lines > limit else []


def functions(tree):
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def long_functions(tree, limit=60):
    lengths = {f.name: f.end_lineno - f.lineno + 1 for f in functions(tree)}
    return [f"{name} has {lines} lines, at most {limit}" for name, lines in lengths.items() if lines > limit]


def parameters(function):
    """What a call gives by place or must name; an optional keyword burdens no call that leaves it out."""
    args = function.args
    needed = [a for a, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default is None]
    return [a.arg for a in [*args.posonlyargs, *args.args, *needed] if a.arg not in ("self", "cls")]


def many_parameters(tree, limit=6, wired=WIRED_LIMIT):
    most = {"build": wired, "check": wired}
    found = [(f.name, most.get(f.name, limit)) for f in functions(tree) if len(parameters(f)) > most.get(f.name, limit)]
    return [f"{name} has over {allowed} parameters" for name, allowed in found]


def hidden_imports(tree):
    inner = [n for f in functions(tree) for n in ast.walk(f) if isinstance(n, ast.Import | ast.ImportFrom)]
    return [f"line {n.lineno} imports inside a function" for n in inner]


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name, allowed):
    return any(name == top or name.startswith(top + ".") for top in allowed)


def rooms_by_name(tree):
    return [f"imports the room {name} by name" for name in imported(tree) if within(name, ROOMS)]


def beyond(tree, place):
    ours = [name for name in imported(tree) if name.startswith(("quantassay", "."))]
    # The harness asks the package itself for its version and its folder.
    allowed = [name for name in ours if within(name, MAY_IMPORT[place]) or (place, name) == ("harness", "quantassay")]
    return [f"{place} may not import {name}" for name in ours if name not in allowed]


def clock_reads(tree):
    calls = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    return [f"line {c.lineno} reads the clock: {c.attr}()" for c in calls if c.attr in ("now", "utcnow", "today")]


def empty_names(stems):
    return [stem for stem in stems if BANNED_NAMES & set(stem.lower().split("_"))]


def first_sentence(path, text):
    if path.suffix == ".j2":
        comment = re.match(r"\{#-?(.*?)-?#\}", text, re.DOTALL)
        opening = comment[1] if comment else ""
    else:
        opening = ast.get_docstring(ast.parse(text)) or ""
    return opening.strip().partition("\n")[0]


def twice(sentences):
    by_text = {}
    for where, sentence in sentences.items():
        by_text.setdefault(sentence.lower().rstrip("."), []).append(where)
    return [f"{where} say the same: {text!r}" for text, where in by_text.items() if len(where) > 1 or not text]


def unnamed(names, text, command=False):
    lead = "assay " if command else ""
    return [name for name in names if not re.search(rf"\b{lead}{re.escape(name)}\b", text)]


def without_schema(subjects, schema_stems):
    known = {re.sub(r"_v\d+$", "", stem) for stem in schema_stems}
    return [subject for subject in subjects if subject not in known]


def without_case(gate, files):
    kinds = ("pass", "fail")
    return [f"{gate} has no {kind}*.json" for kind in kinds if not any(re.match(rf"{kind}.*\.json$", f) for f in files)]


def machine_strings(text):
    # Written so that this file does not hold what it looks for.
    paths = r"(?<![\w.~-])/(?:hom[e]|roo[t]|User[s]|wor[k]|op[t]|mn[t])/\w+"
    hosts = r"\b[\w.-]*(?:pypi[.]|pythonhosted[.]|registry[.]npm|piwheels[.])[\w.]+"
    return [f"line {text.count(chr(10), 0, m.start()) + 1}: {m[0]}" for m in re.finditer(f"{paths}|{hosts}", text)]


def run_python(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )


# Bad samples: every check fires.


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (long_functions, "def f():\n" + "    x = 1\n" * 60),
        (many_parameters, "def f(a, b, c, /, d, e, *, f, g): ..."),
        (many_parameters, "def build(a, b, c, d, e, f, g, h, i, j, k, m, n): ..."),
        (hidden_imports, "class A:\n    def f(self):\n        if self:\n            import json"),
        (rooms_by_name, "from validators import schema"),
        (rooms_by_name, "import builders.universe"),
        (lambda tree: beyond(tree, "builders"), "from quantassay.harness import canonical"),
        (lambda tree: beyond(tree, "builders"), "from quantassay import findings"),
        (lambda tree: beyond(tree, "validators"), "from . import schema"),
        (lambda tree: beyond(tree, "harness"), "from quantassay.domain.table import Table"),
        (clock_reads, "import datetime\nx = datetime.datetime.now(tz=datetime.UTC)"),
    ],
)
def test_checks_of_code_can_fail(check, bad):
    assert check(ast.parse(bad))
    assert not check(ast.parse("from pathlib import Path\n\ndef f(self, a, b, c, d, e, *, f): ...\n"))


def test_checks_of_names_and_text_can_fail():
    assert too_long("x\n" * 401)
    assert not too_long("x\n" * 400)
    assert empty_names(["order_manager", "Utils", "base"]) == ["order_manager", "Utils", "base"]
    assert not empty_names(["database", "orders"])
    assert twice({"a.py": "One order a ticker.", "b.py": "One order a ticker"})
    assert twice({"a.py": ""})
    assert unnamed(["run", "plan"], "`assay running`, plan", command=True) == ["run", "plan"]
    assert unnamed(["universe"], "the universe_rules") == ["universe"]
    assert without_schema(["universe", "signals"], ["universe_v2"]) == ["signals"]
    assert without_case("schema", ["pass.json", "failing.txt"]) == ["schema has no fail*.json"]
    assert first_sentence(Path("x.md.j2"), "{#- Tomorrow's orders. -#}\nmore") == "Tomorrow's orders."


@pytest.mark.parametrize("bad", ["/ho" + "me/me/x", "open('/wo" + "rk/main')", "https://py" + "pi.org/simple"])
def test_machine_strings_can_be_found(bad):
    assert machine_strings(bad)
    assert not machine_strings("src/work/main and https://example.org/home/page ../shared")


def test_network_is_blocked_but_for_loopback():
    with pytest.raises(RuntimeError, match="only loopback is open"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(RuntimeError, match="only loopback is open"):
        socket.getaddrinfo("example.org", 80)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=5):
        pass


def test_imports_that_open_sockets_are_found(tmp_path):
    unit = tmp_path / "unit.py"
    unit.write_text("import socket\nsocket.create_server(('127.0.0.1', 0))\n")
    assert "opens a socket" in run_python(WITHOUT_NETWORK, "json", unit).stderr


def test_heavy_imports_are_found():
    assert run_python(f"import sys, yaml\n{HEAVY_AFTER}").stdout.split() == ["yaml"]


# The house as it stands.


def python_files(*folders):
    return [p for folder in folders for p in sorted((ROOT / folder).rglob("*.py")) if not MADE_BELOW & set(p.parts)]


def units(*rooms):
    return [p for room in rooms for p in sorted((ROOT / room).glob("*.md.j2" if room == "renderers" else "*.py"))]


def name_of(path):
    return path.name.partition(".")[0]


def faults(check, files):
    found = {p.relative_to(ROOT).as_posix(): check(ast.parse(p.read_text(encoding="utf-8"))) for p in files}
    return [f"{file}: {fault}" for file, list_ in found.items() for fault in list_]


def docs_text():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(p.read_text(encoding="utf-8") for p in pages)


def yaml_subjects():
    return [
        re.sub(r"^\d+_", "", p.stem) for room in ("spec", "governance") for p in sorted((ROOT / room).glob("*.yaml"))
    ]


def committed_texts():
    for path in sorted(ROOT.rglob("*")):
        name = path.relative_to(ROOT)
        made = name.parts[0] in MADE or MADE_BELOW & set(name.parts) or "_cache/" in name.as_posix()
        if path.is_file() and not made:
            try:
                yield name.as_posix(), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a bar file in CP949, an image


def test_modules_and_functions_are_short():
    files = python_files("src", *CODE_ROOMS, "tests", "benchmarks")
    assert [f"{p.name}: {fault}" for p in files for fault in too_long(p.read_text(encoding="utf-8"))] == []
    assert faults(long_functions, files) == []


def test_functions_take_few_parameters():
    # A command has one parameter an option.
    files = [p for p in python_files("src", *CODE_ROOMS, "benchmarks") if p.parent.name != "commands"]
    assert faults(many_parameters, files) == []


def test_imports_stand_on_top_of_the_file():
    files = [p for p in python_files("src", *CODE_ROOMS, "benchmarks") if p != PACKAGE / "cli.py"]
    assert faults(hidden_imports, files) == []


def test_nobody_imports_a_room_by_name():
    assert faults(rooms_by_name, python_files("src", *CODE_ROOMS, "tests", "benchmarks")) == []


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_a_place_imports_only_what_it_may(place):
    folder = place if place in CODE_ROOMS else f"src/quantassay/{place}"
    assert faults(lambda tree: beyond(tree, place), python_files(folder)) == []


def test_nothing_below_the_jobs_reads_a_clock():
    files = python_files("src/quantassay/domain", "src/quantassay/harness", "src/quantassay/store", *CODE_ROOMS)
    assert faults(clock_reads, files) == []


def test_file_names_say_something():
    assert empty_names([name_of(p) for p in [*python_files("src", *CODE_ROOMS), *units("renderers")]]) == []


def test_first_sentences_are_unique():
    files = [*python_files("src"), *units(*ROOMS)]
    texts = {p.relative_to(ROOT).as_posix(): first_sentence(p, p.read_text(encoding="utf-8")) for p in files}
    assert twice(texts) == []


def test_every_command_and_unit_is_in_the_docs():
    commands = [p.stem.strip("_").replace("_", "-") for p in (PACKAGE / "commands").glob("*.py") if p.stem[:2] != "__"]
    assert commands
    assert unnamed(sorted(commands), docs_text(), command=True) == []
    assert unnamed([name_of(p) for p in units(*ROOMS)], docs_text()) == []


def test_every_spec_and_artifact_has_a_schema():
    subjects = [*yaml_subjects(), *(name_of(p) for p in units("builders")), "gate_record"]
    assert without_schema(subjects, [name_of(p) for p in (ROOT / "spec/schemas").glob("*.schema.json")]) == []


def test_every_gate_has_cases_that_pass_and_that_fail():
    gates = [name_of(p) for p in units("validators")]
    assert gates
    cases = {gate: [p.name for p in (ROOT / "tests/validators" / gate).glob("*.json")] for gate in gates}
    assert [fault for gate, files in cases.items() for fault in without_case(gate, files)] == []


@pytest.mark.parametrize("start", ["import quantassay.cli", "from quantassay.cli import run\nrun(['--help'])"])
def test_the_command_starts_light(start):
    done = run_python(f"import sys\n{start}\nprint()\n{HEAVY_AFTER}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""


def test_no_import_opens_a_socket():
    done = run_python(WITHOUT_NETWORK, "quantassay", *units(*CODE_ROOMS))
    assert done.returncode == 0, done.stderr


def test_nothing_names_a_machine_or_a_registry():
    # uv.lock names the public registry in each entry; that is its format.
    found = {name: machine_strings(text) for name, text in committed_texts() if name != "uv.lock"}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_lock_names_one_public_registry():
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert len(set(re.findall(r'registry = "(.*?)"', lock))) == 1
    assert not re.search(r'(?:registry|url) = "(?!https://[a-z.]+/)', lock)


def test_real_data_is_named_only_where_it_may_be():
    found = [name for name, text in committed_texts() if re.search(r"\.\./shared", text)]
    assert [name for name in found if not name.startswith(("tests/", "docs/", "benchmarks/"))] == []


def test_workflow_and_ci_run_the_make_targets():
    steps = yaml.safe_load((ROOT / ".gitea/workflows/gate.yml").read_text())["jobs"]["gate"]["steps"]
    ran = "\n".join(step.get("run", "") for step in steps)
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert "make gate" in ran
    assert ".ci/run" in ran
    assert set(re.findall(r"\bmake ([a-z-]+)", ran + (ROOT / ".ci/run").read_text())) <= targets
