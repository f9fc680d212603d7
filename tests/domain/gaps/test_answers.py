"""An answer is told by what it says, whatever its status; nothing in it can break the line that tells of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.gaps import answers
from quantassay.domain.gaps.answers import ADVICE, Asked, Reply, together, told

WANTED = Asked("output", 400, "LOGOUT")


def reply(text, status=200, kind="application/json", location="", is_cut=False):
    return Reply(status, kind, location, text, is_cut)


def rows(*of):
    return json.dumps({"output": list(of)})


@pytest.mark.parametrize(
    ("given", "outcome", "count"),
    [
        (reply("LOGOUT", 400, "text/plain"), "login_required", None),
        (reply(" LOGOUT\n", 403), "login_required", None),
        (reply('{"error": "LOGOUT"}', 400), "login_required", None),
        (reply(rows({"nav": "41,970.16"}, {"nav": "-"})), "answered", 1),
        (reply(rows({"nav": "41,970.16"}), 400), "unexpected", None),
        (reply(rows({"nav": "-"}, "text")), "no_rows", 0),
        (reply('{"output": {"nav": 1}}'), "unexpected", None),
        (reply("<HTML>x", kind="application/json"), "html", None),
        (reply("x", kind="text/html"), "html", None),
        (reply("<p>회원전용</p>"), "login_page", None),
        (reply('<input type="password">'), "login_page", None),
        (reply("<p>점검</p>", 503), "maintenance", None),
        (reply("<p>x</p>", 503), "maintenance", None),
        (reply('{"m": "Scheduled maintenance"}'), "maintenance", None),
        (reply('{"m": "x"}', 503), "maintenance", None),
        (reply("", 302, location="/login.cmd"), "login_page", None),
        (reply("", 302, location="/elsewhere"), "unexpected", None),
        (reply(rows({"nav": "1"}), is_cut=True), "unexpected", None),
        (reply("NaN"), "unexpected", None),
    ],
)
def test_the_kind_of_an_answer(given, outcome, count):
    one = told(WANTED, given)
    assert (one.outcome, one.rows) == (outcome, count)


def test_the_refusal_is_the_whole_body():
    assert told(WANTED, reply("LOGOUT!", 400, "text/plain")).outcome == "unexpected"
    assert told(Asked("output", 400, "BYE"), reply("LOGOUT", 400)).outcome == "unexpected"


@given(st.text(max_size=300), st.integers(100, 999), st.sampled_from(["", "text/html", "application/json"]))
def test_any_answer_is_told_in_one_printable_line(text, status, kind):
    one = told(WANTED, reply(text, status, kind))
    assert one.says.isprintable()
    assert len(one.says) < 200
    assert one.outcome in ADVICE


def test_several_answers_are_one_outcome_only_where_they_agree():
    assert together(["login_required", "login_required"]) == "login_required"
    assert together(["login_required", "answered"]) == answers.MIXED
