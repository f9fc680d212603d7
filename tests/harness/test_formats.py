"""How values are written: every format by example, what it refuses, and that no text leaves its place on the page."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from quantassay.harness import formats
from quantassay.harness.formats import FormatError, apply

WRITTEN = [
    ("amount", 1234567, ("KRW",), "1,234,567 KRW"),
    ("amount", -5, ("KRW",), "-5 KRW"),
    ("amount", "1234.50", ("USD",), "1,234.50 USD"),
    ("amount", 15, ("basis points",), "15 basis points"),
    ("price", 12300, ("KRW",), "12,300 KRW"),
    ("int", 0, (), "0"),
    ("int", -1234567, (), "-1,234,567"),
    ("ratio", "0.0500", (), "0.0500"),
    ("ratio", "2.5", (0,), "2"),
    ("ratio", "3.5", (0,), "4"),
    ("ratio", 1e-7, (), "0.0000001"),
    ("ratio", 1e20, (), "100,000,000,000,000,000,000"),
    ("ratio", -0.001, (2,), "0.00"),
    ("percent", "0.0525", (1,), "5.2%"),
    ("percent", "0.0535", (1,), "5.4%"),
    ("percent", "0.12345", (), "12.345%"),
    ("percent", -0.3, (0,), "-30%"),
    ("percent", 1, (2,), "100.00%"),
    ("date", "2026-11-18", (), "2026-11-18"),
    ("time", "15:40", (), "15:40"),
    ("time", "15:40:05", (), "15:40:05"),
    ("instant", "2026-11-18T15:45:00+09:00", (), "2026-11-18 15:45 +09:00"),
    ("instant", "2026-11-18T06:45:01.5Z", (), "2026-11-18 06:45:01.5 UTC"),
    ("side", "buy", (), "BUY"),
    ("side", "sell", (), "SELL"),
    ("digest", "sha256:" + "ab" * 32, (), "`sha256:abababababab`"),
    ("fingerprint", {"b": 1, "a": 2}, (), "`sha256:81103aa69250`"),
    ("ticker", "000660", (), "000660"),
    ("count", 1, ("order", "orders"), "1 order"),
    ("count", 1200, ("order", "orders"), "1,200 orders"),
    ("count", [1, 2], ("order", "orders"), "2 orders"),
    ("count", {}, ("order", "orders"), "0 orders"),
    ("yes_no", True, (), "yes"),
    ("yes_no", False, (), "no"),
    ("list", ["a|b", 1000], (), "a\\|b, 1,000"),
    ("list", [], (), "none"),
    ("code", "9000A0", (), "`9000A0`"),
    ("code", "a|b", (), "<code>a\\|b</code>"),
    ("code", "`", (), "<code>\\`</code>"),
    ("code", "", (), '<code>""</code>'),
    ("text", "", (), '""'),
    ("text", " \n ", (), '""'),
    ("text", "a\nb\tc", (), "a b c"),
    ("text", "| x | <script>", (), "\\| x \\| &lt;script&gt;"),
    ("text", "next_open_plan _x_", (), "next_open_plan \\_x\\_"),
    ("text", "\x02forged\x03\u202e", (), "\ufffdforged\ufffd\ufffd"),
    ("text", "12. of May", (), "12\\. of May"),
    ("text", "- 5 %", (), "\\- 5 %"),
    ("text", "삼성전자", (), "삼성전자"),
]


@pytest.mark.parametrize(("name", "value", "arguments", "text"), WRITTEN)
def test_a_value_is_written_as_its_format_says(name, value, arguments, text):
    assert apply(name, value, arguments) == text


def test_every_format_has_an_example_and_a_dash_for_null():
    assert {name for name, *_ in WRITTEN} == set(formats.FORMATS)
    for name in formats.FORMATS:
        least, _ = formats.arity(name)
        assert apply(name, None, ("KRW", "KRW")[:least]) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("name", "value", "arguments", "says"),
    [
        ("int", "1", (), "a whole number"),
        ("int", True, (), "a whole number"),
        ("int", 1.0, (), "a whole number"),
        ("amount", 1, (), "1 argument"),
        ("amount", 1, ("12",), "a unit in letters"),
        ("amount", 1, ("",), "a unit in letters"),
        ("amount", 1, (5,), "a unit in letters"),
        ("amount", "1,000", ("KRW",), "a decimal string"),
        ("amount", "١٢", ("KRW",), "a decimal string"),
        ("amount", True, ("KRW",), "a decimal string"),
        ("price", float("nan"), ("KRW",), "a number"),
        ("ratio", "1", (99,), "0 to 12 digits"),
        ("ratio", "1", (True,), "0 to 12 digits"),
        ("percent", "0.1", ("1",), "0 to 12 digits"),
        ("percent", "5%", (), "a decimal string"),
        ("date", "2026-02-30", (), "a day of the calendar"),
        ("date", "20260228", (), "YYYY-MM-DD"),
        ("date", 20260228, (), "YYYY-MM-DD"),
        ("time", "24:00", (), "HH:MM"),
        ("time", 940, (), "HH:MM"),
        ("instant", "2026-11-18T15:45:00", (), "zone"),
        ("instant", "2026-13-18T15:45:00Z", (), "zone"),
        ("side", "hold", (), "sell"),
        ("digest", "sha256:12", (), "64 hex"),
        ("ticker", 660, (), "a string"),
        ("text", 5, (), "a string"),
        ("code", 5, (), "a string"),
        ("count", "three", ("order", "orders"), "a list"),
        ("count", 1, ("order 1", "orders"), "a unit in letters"),
        ("yes_no", 1, (), "true or false"),
        ("list", "ab", (), "a list"),
        ("list", [1.5], (), "a whole number"),
        ("nope", 1, (), "there is no such format"),
    ],
)
def test_a_format_refuses_what_it_cannot_write(name, value, arguments, says):
    with pytest.raises(FormatError, match=re.escape(says)):
        apply(name, value, arguments)


MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = st.text(
    st.sampled_from("ab1 |\\`*_~<>&[]()!#-+=.:/$\n\t\r\x00\x02\u2028\u202e한") | st.characters(), max_size=40
)


def seen(token):
    """What a reader sees of inline Markdown; fails on anything but plain text."""
    assert {child.type for child in token.children} <= {"text"}
    return "".join(child.content for child in token.children)


def squeezed(text):
    return " ".join(text.split())


@given(HOSTILE)
@example("| x | <script>alert(1)</script>")
@example("](javascript:x) ![a](b) [c]")
@example("a\\")
@example("&#35; &lt;")
@example("# head")
@example("12) item")
@example("---")
@example("~~~ 5")
def test_text_stays_one_cell_and_one_plain_paragraph(value):
    written = apply("text", value)
    wanted = squeezed(formats.clean(value)) or '""'
    table = MARKDOWN.parse(f"| a | b |\n|---|---|\n| {written} | z |\n")
    cells = [token for token in table if token.type == "inline"]
    assert [squeezed(seen(cell)) for cell in cells] == ["a", "b", wanted, "z"]
    page = MARKDOWN.parse(written)
    assert [token.type for token in page] == ["paragraph_open", "inline", "paragraph_close"]
    assert squeezed(seen(page[1])) == wanted


@given(HOSTILE)
@example("a|b`")
@example("</code><script>")
def test_code_stays_one_cell_without_foreign_html(value):
    written = apply("code", value)
    cells = [t for t in MARKDOWN.parse(f"| a | b |\n|---|---|\n| {written} | z |\n") if t.type == "inline"]
    assert len(cells) == 4
    kinds = [(child.type, child.content) for child in cells[2].children if child.type != "text"]
    assert [kind for kind, _ in kinds] == ["code_inline"] or kinds == [
        ("html_inline", "<code>"),
        ("html_inline", "</code>"),
    ]


@given(HOSTILE)
def test_no_format_lets_a_control_character_out(value):
    for name in ("text", "ticker", "code"):
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", apply(name, value))


@given(st.integers(-(2**53), 2**53))
def test_whole_numbers_read_back(number):
    assert int(apply("int", number).replace(",", "")) == number


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_a_percent_is_a_hundred_times_its_fraction(number):
    written = apply("percent", f"{number:f}")
    assert written.endswith("%")
    assert float(written[:-1].replace(",", "")) == pytest.approx(float(number) * 100)
