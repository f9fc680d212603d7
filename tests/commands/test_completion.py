"""The completion command: a script for each shell, which completes what the program knows."""

import os

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(toy, shell):
    said = toy.run("completion", shell)
    assert said.code == 0
    assert f"_ASSAY_COMPLETE={shell}_complete" in said.out


def test_the_script_gets_commands_and_options(toy):
    words = {"COMP_WORDS": "assay ver", "COMP_CWORD": "1", "_ASSAY_COMPLETE": "bash_complete"}
    said = toy.process(environment={**os.environ, **words})
    assert (said.returncode, said.stdout) == (0, "plain,verify\n"), said.stderr
    words |= {"COMP_WORDS": "assay verify --f", "COMP_CWORD": "2"}
    assert toy.process(environment={**os.environ, **words}).stdout == "plain,--format\n"


def test_another_shell_is_wrong_use(toy):
    assert toy.run("completion", "tcsh").code == 2
