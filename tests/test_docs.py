r"""The docs tell the truth: their commands run, what they show is what comes out, and their lists are whole.

Every ```sh block of README.md, docs/runbook.md and docs/commands.md is run, line by line: lines that begin with
`assay `, `cd ` or `cp -r `; others, such as make, are left to the reader. HTML comments right above a block say how:

    <!-- run: sample -->   in a desk that was run on the sample market; this is meant where nothing is said
    <!-- run: new -->      in an empty folder
    <!-- run: shared -->   in a folder beside the real data; skipped where they are absent
    <!-- expect: 1 -->     the exit code of every line of the block, 0 where nothing is said
    <!-- edit: FILE | OLD | NEW -->   what the reader did by hand before: NEW, \n for a line end, in place of OLD
    <!-- lock -->          while another run holds the workspace
    <!-- file: FILE -->    the block is the text of FILE, which the reader has put there

Blocks of one page with the same word after `run:` share a folder, from top to bottom. A ```text block right below a
block is all that it printed; `...` stands for any text, and on a line of its own for any lines. A ```markdown block
below <!-- excerpt: FILE --> holds lines of a file of the sample desk, with `...` for those left out.
"""

import contextlib
import io
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from quantassay import cli
from quantassay.harness import charts, formats, lock, yaml_text

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "quantassay"
TRIED = ("README.md", "docs/runbook.md", "docs/commands.md")
PAGES = ("README.md", "CHANGELOG.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
WORLDS = ("sample", "new", "shared")
WORDS = {"run", "expect", "edit", "excerpt", "file", "lock"}
LISTED = "What is in it"
# What these pages list, other tests look at.
_OTHERS = ("README", "commands", "dependencies", "deviations", "operations", "runbook", "temp", "tools")
UNLISTED = {f"{name}.md" for name in _OTHERS}
_FENCE = re.compile(r"(?P<above>(?:^<!--[^\n]*-->\n)*)^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (\w+)(?:: (.*))? -->")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: its line, kind and text, what is said above it, whether it follows the block before at once."""

    line: int
    kind: str
    body: str
    said: tuple[tuple[str, str], ...]
    follows: bool

    def told(self, word):
        return [value for key, value in self.said if key == word]

    @property
    def world(self):
        return (self.told("run") or ["sample"])[0]

    def lines(self):
        starts = ("assay ", "cd ", "cp -r ")
        return [line for line in self.body.splitlines() if line.startswith(starts)] if self.kind == "sh" else []


def blocks(text):
    found, end = [], 0
    for match in _FENCE.finditer(text):
        said = tuple((m[1], m[2] or "") for m in _COMMENT.finditer(match["above"]))
        follows = not text[end : match.start()].strip()
        found.append(Block(text.count("\n", 0, match.start("body")), match["kind"], match["body"], said, follows))
        end = match.end()
    return found


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def page_blocks(page):
    return blocks(text_of(page))


def line_pattern(line):
    return r"(?:.*\n)*?" if line.strip() == "..." else ".*".join(map(re.escape, line.rstrip().split("..."))) + r"\n"


def is_shown(shown, text):
    tidy = "".join(line.rstrip() + "\n" for line in text.splitlines())
    return re.fullmatch("".join(map(line_pattern, shown.splitlines())), tidy) is not None


def is_excerpt(shown, text):
    return is_shown(f"...\n{shown}...\n", text)


# A desk to try the commands in.


def run(line, folder):
    """Exit code and all output of one line, and the folder that the next line runs in."""
    words = shlex.split(line)
    if words[0] == "cd":
        return 0, "", (folder / words[1]).resolve(strict=True)
    if words[0] == "cp":
        shutil.copytree(folder / words[2], folder / words[3], symlinks=True)
        return 0, "", folder
    said = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli.run(words[1:])
    return code, said.getvalue(), folder


def edit(folder, instruction):
    file, old, new = (part.strip().replace("\\n", "\n") for part in instruction.split(" | "))
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} holds {text.count(old)} times {old!r}"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


def put(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def try_block(block, folder):
    """What the block printed, and where the next one runs. Fails where an exit code is another than it says."""
    for instruction in block.told("edit"):
        edit(folder, instruction)
    expected = int((block.told("expect") or ["0"])[0])
    printed = []
    with lock.held(folder / "data/locks/build.lock") if block.told("lock") else contextlib.nullcontext():
        for line in block.lines():
            code, said, folder = run(line, folder)
            assert code == expected, f"line {block.line}: `{line}` ended with {code}, not {expected}\n{said}"
            printed.append(said)
    return "".join(printed), folder


def try_page(found, world, folder):
    """Run the blocks of one world, and compare what they print with what the page shows; how many were run."""
    count, printed = 0, None
    for block in found:
        if block.kind == "text" and block.follows and printed is not None:
            assert is_shown(block.body, printed), f"line {block.line} does not show what was printed:\n{printed}"
        printed = None
        if block.told("file") and block.world == world:
            put(folder / block.told("file")[0], block.body)
        elif block.lines() and block.world == world:
            printed, folder = try_block(block, folder)
            count += 1
    return count


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample desk, built, judged and reported once."""
    folder = tmp_path_factory.mktemp("docs")
    for line in ("assay init desk", "assay -C desk run"):
        code, said, _ = run(line, folder)
        assert code == 0, said
    return folder / "desk"


@pytest.fixture
def place(request, tmp_path):
    """The folder that each world begins in."""

    def made(world):
        here = tmp_path / world / "desk"
        if world == "sample":
            shutil.copytree(request.getfixturevalue("sample"), here)
        else:
            here.mkdir(parents=True)
        if world == "shared":
            (here.parent / "shared").symlink_to(request.getfixturevalue("shared"))
        return here

    return made


# Bad samples: every check fires.


def test_a_block_and_what_stands_above_it_are_read():
    text = "x\n<!-- run: new -->\n<!-- expect: 2 -->\n```sh\nassay rum\nmake gate\n```\n\n```text\n...\n```\n"
    command, output = blocks(text)
    assert (command.line, command.lines(), command.told("expect")) == (4, ["assay rum"], ["2"])
    assert (output.kind, output.follows, output.lines()) == ("text", True, [])


def test_what_is_shown_is_compared_to_the_end():
    assert is_shown("a ... c\n...\nz\n", "a b c\n1\n2\nz\n")
    assert not is_shown("a\n", "a\nb\n")
    assert not is_shown("a ... c\n", "a b d\n")
    assert is_excerpt("b\n...\nd\n", "a\nb\nc\nd\ne\n")
    assert not is_excerpt("b\nd\n", "a\nb\nc\nd\n")


def test_a_wrong_exit_code_an_edit_that_finds_nothing_and_another_output_fail(tmp_path):
    wrong = blocks("```sh\nassay rum\n```\n")
    with pytest.raises(AssertionError, match="`assay rum` ended with 2, not 0"):
        try_page(wrong, "sample", tmp_path)
    with pytest.raises(AssertionError, match="does not show what was printed"):
        try_page(blocks("```sh\nassay --version\n```\n\n```text\nassay, version 0\n```\n"), "sample", tmp_path)
    (tmp_path / "a.yaml").write_text("a: 1\n")
    with pytest.raises(AssertionError, match="holds 0 times"):
        try_page(blocks("<!-- edit: a.yaml | b | c -->\n```sh\nassay --version\n```\n"), "sample", tmp_path)


def test_a_dead_link_a_lost_option_and_a_lost_unit_are_found(tmp_path):
    page = tmp_path / "a.md"
    page.write_text("# One two\n[x](b.md) [y](#one-two) [z](#three) [w](https://example.org)\n")
    assert dead_links(page) == ["b.md", "#three"]
    command = click.Command("x", params=[click.Option(["-n", "--dry-run"]), click.Argument(["file"])])
    assert undocumented("| `-n`, `--dry-run` | x |\n`FILE`", command) == []
    assert undocumented("| `--dry` | x |", command) == ["--dry-run", "-n", "FILE", "--dry (no such option)"]
    assert listed("## What is in it\n\n| `a` | x |\n| `b`, `c` | y |\n\n## Traps\n| `d` | z |\n") == {"a", "b", "c"}


# The docs as they stand.


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("page", TRIED)
def test_the_commands_run_as_shown(page, world, place):
    found = page_blocks(page)
    wanted = [block for block in found if block.lines() and block.world == world]
    if wanted:
        assert try_page(found, world, place(world)) == len(wanted)


def test_every_page_has_commands_and_what_is_said_above_them_is_understood():
    for page in TRIED:
        found = page_blocks(page)
        worlds = {block.world for block in found if block.lines()}
        assert worlds, page
        assert worlds <= set(WORLDS), page
        assert {key for block in found for key, _ in block.said} <= WORDS, page


def test_the_excerpts_are_lines_of_the_sample_desk(sample):
    found = [(block, file) for page in TRIED for block in page_blocks(page) for file in block.told("excerpt")]
    assert any(file == "Temp/next_open_plan_v1.md" for _, file in found)
    for block, file in found:
        assert is_excerpt(block.body, (sample / file).read_text(encoding="utf-8")), f"line {block.line}: {file}"


def test_the_published_plan_comes_out_of_the_real_bars(place):
    """What the runbook says of the comparison: signals of both policies at both times."""
    folder = place("shared")
    imports = ("bars ../shared/data/kosdaq_daily", "universe ../shared/data/universe/kosdaq_20251217.csv")
    for line in ("assay init .", *(f"assay import {what} --market XKRX" for what in imports)):
        assert run(line, folder)[0] == 0, line
    row = r"^\| `(\w+)` \| (\d\d:\d\d) \| (\d+) \| (\d+) \| (\w+)"
    told = re.findall(row, text_of("docs/runbook.md"), re.MULTILINE)
    assert len(told) >= 4
    policy = "session"
    for wanted, at, buys, sells, gate in told:
        if wanted != policy:
            edit(folder, f'spec/12_evaluation_bar.yaml | policy: "{policy}" | policy: "{wanted}"')
            policy = wanted
        code, said, _ = run(f"assay run --as-of 2025-12-17T{at}:00+09:00", folder)
        page = (folder / "Temp/next_open_plan_v1.md").read_text(encoding="utf-8")
        found = re.search(r"^(\d+) buy signals? and (\d+) sell signals?", page, re.MULTILINE)
        assert (found[1], found[2], {0: "passed", 1: "refused"}[code]) == (buys, sells, gate), said


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def dead_links(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    dead = []
    for link in _LINK.findall(text):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if ":" in file:
            continue
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(link)
    return dead


def _anchors(page):
    return {slug(heading) for _, heading in _HEADING.findall(page.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    assert dead_links(ROOT / page) == []


def test_every_page_is_checked_and_can_be_reached_from_the_index():
    pages, linked = {path.name for path in (ROOT / "docs").glob("*.md")}, _LINK.findall(text_of("docs/README.md"))
    assert pages == set(there()) | UNLISTED
    assert pages - {"README.md"} <= set(linked)
    assert "docs/README.md" in _LINK.findall(text_of("README.md"))


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), re.MULTILINE))
    for page in PAGES:
        named = re.findall(r"(?:`|^)make ([a-z-]+)", text_of(page), re.MULTILINE)
        assert set(named) <= targets, page


def commands(group, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def section(text, heading):
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def undocumented(text, command):
    """Options and arguments that the text does not name, and rows of options that there are not."""
    options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts]
    arguments = [p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)]
    names = [*options, *(re.sub(r"[\[\].]|\{.*\}", "", name) or "SHELL" for name in arguments)]
    lost = sorted(name for name in names if not re.search(rf"`{re.escape(name)}[` ]", text))
    rows = re.findall(r"^\| (`-.*?) \|", text, re.MULTILINE)
    told = {option for row in rows for option in re.findall(r"`(-[\w-]+)", row)}
    return lost + [f"{option} (no such option)" for option in sorted(told - set(options))]


def test_every_option_of_every_command_is_in_the_docs():
    text = text_of("docs/commands.md")
    every = [*commands(cli.command), ("Options before the command", cli.command)]
    lost = {name: undocumented(section(text, name), command) for name, command in every}
    assert {name: names for name, names in lost.items() if names} == {}
    assert [name for name, _ in commands(cli.command) if "```sh" not in section(text, name)] == []


def listed(text):
    """The names in the first column of the tables of `What is in it`."""
    cells = re.findall(r"^\| (`.*?) \|", section(text, LISTED), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def modules(folder):
    names = [p.relative_to(PACKAGE / folder).as_posix() for p in (PACKAGE / folder).rglob("*.py")]
    return {name for name in names if not name.endswith("__init__.py")}


def there():
    """Page by page, what its listing must name: no more and no less."""
    room = {room: {p.stem for p in (ROOT / room).glob("*.py")} for room in ("builders", "validators")}
    governed = [p.relative_to(ROOT / "governance").as_posix() for p in (ROOT / "governance").rglob("*.yaml")]
    engine = {"waivers_in_force", "report_trace"}
    packages = ("brokers", "domain", "store", "feeds", "harness", "jobs", "kis", "notify", "sandbox")
    return {
        **{f"{package}.md": modules(package) for package in packages},
        "builders.md": room["builders"],
        "validators.md": room["validators"] | engine,
        "renderers.md": {p.name.partition(".")[0] for p in (ROOT / "renderers").glob("*.md.j2")},
        "spec.md": {p.name for p in (ROOT / "spec").glob("*.yaml")},
        "governance.md": {name for name in governed if "waivers/" not in name and "approvals/" not in name},
    }


@pytest.mark.parametrize("page", sorted(there()))
def test_a_page_lists_its_room(page):
    assert listed(text_of(f"docs/{page}")) == there()[page]


def test_the_pages_name_formats_charts_and_rules():
    renderers = text_of("docs/renderers.md")
    assert [name for name in (*formats.FORMATS, *charts.CHARTS) if f"| `{name}" not in renderers] == []
    governance = text_of("docs/governance.md")
    rules = re.findall(r'id: "(R[\d.]+)"', "".join(p.read_text() for p in (ROOT / "governance/rules").glob("*.yaml")))
    assert [rule for rule in rules if f"| {rule} |" not in governance] == []


def test_what_the_docs_call_refused_is_refused():
    table = section(text_of("docs/spec.md"), "What must be quoted")
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \|", table, re.MULTILINE)
    assert len(rows) > 10
    for scalar, taken_for in [(one, taken_for) for cell, taken_for in rows for one in cell.split("`, `")]:
        problems = [says for _, says in yaml_text.read(f"a: {scalar}\n").problems]
        assert any(taken_for in says for says in problems), (scalar, problems)
        assert yaml_text.read(f'a: "{scalar}"\n').problems == []
