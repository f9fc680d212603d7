"""The command: whatever a person does, one clear sentence, the right exit code, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from quantassay import cli
from quantassay.errors import AssayError, InternalError

COMMANDS = sorted(p.stem for p in (Path(cli.__file__).parent / "commands").glob("*.py") if p.stem != "__init__")


@pytest.fixture
def built(toy):
    toy.write(
        "spec/00_workspace.yaml",
        (toy.root / "spec/00_workspace.yaml").read_text() + "files: {prices: {path: data/raw/p.csv, format: csv}}\n",
    )
    toy.write("spec/10_limits.yaml", "days: 4\n")
    toy.write("governance/gates.yaml", "zero_legal: []\nleast_share_caught: '0.95'\n")
    toy.write("data/raw/p.csv", "a\n1\n")
    toy.builder("first", "limits, prices", "return {'n': limits['days'], 'rows': len(prices['a'])}")
    toy.builder("second", "first", "return {'n': first['n']}")
    assert toy.run("build").code == 0
    return toy


def gone(path):
    path.unlink()


def folder(path):
    path.unlink()
    path.mkdir()


def dangling(path):
    path.unlink()
    path.symlink_to("nowhere")


def looping(path):
    path.unlink()
    path.symlink_to(path.name)


def binary(path):
    path.write_bytes(b"\x00\xff\xfe" * 100)


def empty(path):
    path.write_bytes(b"")


def a_file_instead_of(path):
    for inner in sorted(path.rglob("*"), reverse=True):
        inner.rmdir() if inner.is_dir() and not inner.is_symlink() else inner.unlink()
    path.rmdir()
    path.write_text("x")


# What a person may do to a workspace, and the exit code: 2 wrong use, 1 findings.
HARM = {
    "spec/10_limits.yaml": (2, folder, dangling, looping, binary, empty, gone),
    "spec/00_workspace.yaml": (2, folder, binary, empty, gone),
    "spec": (2, a_file_instead_of),
    "governance/gates.yaml": (2, dangling, binary),
    "data/raw/p.csv": (2, folder, dangling, binary, empty, gone),
    "data/locks/build.lock": (2, folder),
    "data/locks": (2, a_file_instead_of),
    "data/facts.cache": (2, folder),
    "builders/first.py": (2, folder, dangling, binary, empty, gone),
    "Temp/first_v1.json": (1, binary, empty),
    "Temp/second_v1.json": (2, folder, looping),
    "Temp/state.jsonl": (2, folder, binary),
    "Temp": (2, a_file_instead_of),
}
DEEDS = [(harm, file, code) for file, (code, *harms) in HARM.items() for harm in harms]


@pytest.mark.parametrize(("harm", "file", "code"), DEEDS, ids=[f"{harm.__name__} {file}" for harm, file, _ in DEEDS])
def test_harm_to_a_workspace_is_one_clear_sentence(built, harm, file, code):
    harm(built.root / file)
    done = built.run("build")
    assert (done.code, done.out) == (code, ""), done.err
    assert done.err.startswith("assay: ")
    assert "Traceback" not in done.err
    assert "our fault" not in done.err
    # It names the file, the folder, or the input that is missing because of it.
    named = (Path(file).name, "spec/00_workspace.yaml", "reads 'limits'", "reads 'first'")
    assert any(name in done.err for name in named)


@pytest.mark.parametrize(
    ("harm", "file"),
    [
        (gone, "Temp/first_v1.json"),
        (dangling, "Temp/first_v1.json"),
        (gone, "Temp/state.jsonl"),
        (empty, "Temp/state.jsonl"),
        (binary, "data/facts.cache"),
        (gone, "data/facts.cache"),
        (binary, "data/locks/build.lock"),
        (gone, "data/locks/build.lock"),
    ],
)
def test_what_can_be_made_again_is_made_again(built, harm, file):
    before = built.temp()
    harm(built.root / file)
    done = built.run("build")
    assert (done.code, done.err) == (0, "")
    assert built.temp() == before


USE = [
    (["bild"], "there is no command 'bild'; did you mean 'build'?"),
    (["zzz"], "there is no command 'zzz'; `assay --help` lists them"),
    (["build", "--jbs", "2"], "No such option '--jbs'. Did you mean '--jobs'?"),
    (["build", "--jobs", "0"], "Invalid value for '-j' / '--jobs'"),
    (["build", "--format", "xml"], "Invalid value for '--format'"),
    (["build", "--as-of", "yesterday"], "'yesterday' is no instant with a zone"),
    (["build", "--as-of", "2026-01-05T10:00:00"], "'2026-01-05T10:00:00' is no instant with a zone"),
    (["build", "frist"], "no builder makes 'frist'; did you mean 'first'?"),
    (["build", "--accept-rebuild", "frist"], "--accept-rebuild names frist"),
    (["-C"], "Option '-C' requires an argument"),
]


@pytest.mark.parametrize(("arguments", "says"), USE, ids=[" ".join(arguments) for arguments, _ in USE])
def test_wrong_use_is_told_with_the_way_out(built, arguments, says):
    done = built.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("place", ["", "nowhere", "nowhere/at/all"])
def test_a_place_that_is_no_workspace_is_one_sentence(tmp_path, capsys, place):
    assert cli.run(["-C", str(tmp_path / place), "build"]) == 2
    assert "lies in no workspace" in capsys.readouterr().err


def test_the_workspace_may_be_named_by_option_or_by_environment(built, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_WORKSPACE", str(built.root))
    assert (cli.run(["build"]), capsys.readouterr().out) == (0, "2 kept\n")
    monkeypatch.setenv("ASSAY_WORKSPACE", str(tmp_path / "nowhere"))
    assert (cli.run(["-C", str(built.root / "spec"), "build"]), capsys.readouterr().out) == (0, "2 kept\n")


def test_help_lists_every_command_without_loading_it():
    loaded = "sorted(name for name in sys.modules if 'quantassay.' in name)"
    code = f"import sys\nfrom quantassay import cli\ncli.run(['--help'])\nprint({loaded})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 : -1] if line[2:3].strip()]
    assert listed == sorted(name.rstrip("_").replace("_", "-") for name in COMMANDS)
    assert lines[-1] == "['quantassay.cli', 'quantassay.errors', 'quantassay.secrecy', 'quantassay.terminal']"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_short_help_and_opens(name, capsys):
    spoken = name.rstrip("_").replace("_", "-")
    assert cli.short_help(spoken)
    assert cli.run([spoken, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: assay {spoken} ")


def test_no_arguments_show_the_help(capsys):
    assert cli.run([]) == 2
    assert "Commands:" in "".join(capsys.readouterr())


def test_quiet_says_nothing_and_verbose_says_why(built):
    assert built.run("-q", "build").out == ""
    assert built.run("-v", "build").out == "kept      first\nkept      second\n2 kept\n"


# Exit codes, from inside a command.


@pytest.fixture
def command(monkeypatch):
    """A function that makes `assay build` do this."""

    def doing(what):
        @click.command("build")
        def build():
            return what()

        monkeypatch.setattr(cli.Commands, "get_command", lambda *_: build)
        return cli.run(["build"])

    return doing


class Findings(AssayError):
    exit_code = 1


def raising(error):
    def do():
        raise error

    return do


@pytest.mark.parametrize(
    ("what", "code", "says"),
    [
        (lambda: None, 0, ""),
        (lambda: 1, 1, ""),
        (raising(Findings("the gate is not passed")), 1, "assay: the gate is not passed\n"),
        (raising(AssayError("the spec is wrong")), 2, "assay: the spec is wrong\n"),
        (raising(click.UsageError("not so")), 2, "Error: not so\n"),
        (
            raising(OSError(28, "No space left on device", "Temp/x")),
            2,
            "assay: Temp/x cannot be used: No space left on device\n",
        ),
        (raising(KeyboardInterrupt()), 130, "assay: stopped\n"),
    ],
)
def test_exit_codes(command, capsys, what, code, says):
    assert command(what) == code
    assert capsys.readouterr().err.endswith(says)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), InternalError("a builder broke"), RecursionError("deep"), MemoryError()]
)
def test_our_own_fault_is_exit_3_and_a_log(command, capsys, error):
    assert command(raising(error)) == 3
    said = capsys.readouterr().err
    assert "Traceback" not in said
    log = Path(said.split("the details are in ")[1].partition("; send them with what you did")[0])
    text = log.read_text(encoding="utf-8")
    log.unlink()
    assert "Traceback" in text
    assert f"quantassay {cli.__version__}, Python 3." in text.splitlines()[0]


def test_without_a_place_for_the_log_it_is_printed(command, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert command(raising(ZeroDivisionError("x"))) == 3
    assert "no log could be written; send this with what you did\nquantassay" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--why"]])
def test_a_reader_that_had_enough_is_no_traceback(built, arguments):
    process = built.start(*arguments)
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), error) == (141, "")


def test_a_full_disk_under_the_output_is_one_sentence(built):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = built.process("build", "--why", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, "assay: a file cannot be used: No space left on device\n")


def test_a_terminal_that_lacks_letters_still_gets_the_sentence(built):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = built.process("build", "한글", environment=environment)
    assert done.returncode == 2
    assert "no builder makes" in done.stderr
    done = built.process("-C", "/nowhere/\udcff", "build")
    assert done.returncode == 2
    assert "lies in no workspace" in done.stderr
