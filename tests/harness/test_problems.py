"""Problems as people read them: file, line, column, and the place in the line."""

import pytest

from quantassay.harness.problems import Problem, SpecErrors


@pytest.mark.parametrize(
    ("excerpt", "column", "shown"),
    [
        ("a: 000660", 4, "a: 000660\n       ^"),
        ("\ta: no", 5, "\ta: no\n    \t   ^"),
        ("이름: no", 5, "이름: no\n          ^"),
        ("x" * 500 + "no" + "y" * 500, 501, "x" * 60 + "no" + "y" * 58 + "\n    " + " " * 60 + "^"),
        ("x" * 500 + "no", 501, "x" * 118 + "no" + "\n    " + " " * 118 + "^"),
        ("no" + "y" * 500, 1, "no" + "y" * 118 + "\n    ^"),
    ],
)
def test_the_mark_stands_under_the_place(excerpt, column, shown):
    assert str(Problem("spec/x.yaml", 3, column, "wrong", excerpt)) == f"spec/x.yaml:3:{column}: wrong\n    {shown}"


def test_a_problem_without_its_line_is_the_place_and_the_sentence():
    assert str(Problem("spec/x.yaml", 3, 7, "wrong")) == "spec/x.yaml:3:7: wrong"


def test_all_problems_are_told_at_once_by_place():
    places = [("b", 1, 1), ("a", 10, 1), ("a", 2, 9), ("a", 2, 1)]
    error = SpecErrors([Problem(*place, "wrong") for place in places])
    assert str(error).splitlines() == ["a:2:1: wrong", "a:2:9: wrong", "a:10:1: wrong", "b:1:1: wrong"]
    assert error.exit_code == 2


@pytest.mark.parametrize(
    "line",
    [
        'app_key: "PSabcdef"',
        "    KIS_APP_SECRET: PSabcdef",
        "krx_pw = PSabcdef",
        "- {id: desk, token: PSabcdef, cash: 3}",
        "'password' : PSabcdef",
        "account_no: PSabcdef",
    ],
)
def test_what_stands_behind_a_key_for_a_credential_is_not_shown(line):
    text = str(Problem("spec/x.yaml", 1, 1, "the key is not known here", line))
    assert "PSabcdef" not in text
    assert "(not shown)" in text


def test_an_ordinary_line_is_shown_whole():
    assert "cash: 15:40" in str(Problem("spec/x.yaml", 1, 7, "must be quoted", "cash: 15:40"))
