"""What may never be repeated: credentials of every form are found and taken out, and ordinary text is left alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay import secrecy
from quantassay.errors import AssayError
from quantassay.feeds.issues import Issue
from quantassay.feeds.raw_files import printable
from quantassay.harness import schemas

# Written in parts, so that this file holds none of them.
APP_KEY = "PS" + "fakeKey0123456789abcdefghijklmnopqr"
APP_SECRET = "fake/Secret+" + "0123456789abcdefABCDEF" * 6 + "=="
TOKEN = ".".join(("eyJ" + "hbGciOiJIUzI1NiJ9", "eyJ" + "zdWIiOiIxMjM0In0", "c2lnbmF0dXJl_-"))
ACCOUNT = "50123456" + "-01"
BARE_ACCOUNT = "50123456" + "01"
PASSWORD = "hunter" + "2!x"
PRIVATE = "-----BEGIN " + "PRIVATE KEY-----"
HEX_KEY = "0a1b2c3d" * 5
UPPER_KEY = "0A1B2C3D" * 5

SECRETS = {
    APP_KEY: "a key",
    f"app_key: {APP_KEY}": "a login, password or key",
    f"# KIS_APP_SECRET={APP_SECRET}": "a login, password or key",
    f"appSecret: '{APP_SECRET}'": "a login, password or key",
    TOKEN: "a signed token",
    f"authorization: Bearer {TOKEN}": "a signed token",
    f"# account {ACCOUNT}, the second one": "an account number",
    f'id: "{BARE_ACCOUNT}"': "an account number",
    f"계좌 {BARE_ACCOUNT}": "an account number",
    f"CANO: {BARE_ACCOUNT[:8]}": "an account number",
    f"the password is password={PASSWORD}": "a login, password or key",
    f"KRX_PW: {PASSWORD}": "a login, password or key",
    f"비밀번호: {PASSWORD}": "a login, password or key",
    f"AUTH_KEY={UPPER_KEY}": "a login, password or key",
    PRIVATE: "a private key",
    f"dart {HEX_KEY}": "a key",
}
ORDINARY = [
    "minimum_turnover: 1000000000     # won a day",
    'cash: "1234567"',
    "as_of: 2026-11-18T15:45:00+09:00",
    "digest: sha256:" + "0a1b2c3d" * 8,
    "kosdaq_20251217-01.csv and 20251217_02",
    "https://data.krx.co.kr/contents/MDC/MDI/mdiLoader/index.cmd?menuId=MDC0201020101",
    "price_on_tick_and_inside_limit",
    'variables: ["KIS_VIRTUAL_APP_KEY", "KIS_VIRTUAL_APP_SECRET"]',
    "app_key: KIS_REAL_APP_KEY",
    "password: none",
    "token: <the token of the day>",
    "secret: $KIS_SECRET",
    "No login, key, password or account number stands in a spec.",
    "12345678-1234-1234-1234-123456789012",
    "public_key: MCowBQYDK2VwAyEA" + "aB3" * 14 + "=",
    "signature: " + "aB3+" * 22,
    "accounts: 3",
]


@pytest.mark.parametrize(("text", "what"), SECRETS.items(), ids=range(len(SECRETS)))
def test_a_credential_is_found_and_taken_out(text, what):
    assert secrecy.kinds(text)[0] == what
    shown = secrecy.withheld(text)
    assert secrecy.NOT_SHOWN in shown
    for secret in (APP_KEY, APP_SECRET, TOKEN, ACCOUNT, BARE_ACCOUNT[:8], PASSWORD, HEX_KEY, UPPER_KEY, PRIVATE):
        assert secret not in shown


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone(text):
    assert secrecy.kinds(text) == []
    assert secrecy.withheld(text) == text


def test_the_word_that_names_the_credential_stays():
    assert secrecy.withheld(f"app_key: {APP_KEY}, cash: 3") == "app_key: (not shown), cash: 3"


@given(
    st.text(alphabet="abcXYZ012 :=-'\"\n", max_size=20), st.sampled_from(list(SECRETS)), st.text("abc :\n", max_size=9)
)
def test_it_is_found_wherever_it_stands(before, text, after):
    line = f"{before} {text} {after}"
    assert secrecy.kinds(line)
    assert secrecy.kinds(secrecy.withheld(text)) == []


def test_long_digits_go_where_something_else_should_stand_and_amounts_stay():
    assert secrecy.withheld_digits("50123456 and 1000000000, 20251217") == "(not shown) and 1000000000, (not shown)"
    assert secrecy.withheld("50123456 and 1234567890") == "50123456 and 1234567890"


def test_a_file_name_is_searched_between_its_marks():
    assert secrecy.kinds_in_name(f"balance_{BARE_ACCOUNT}.csv") == ["an account number"]
    assert secrecy.withheld_name(f"balance_{BARE_ACCOUNT}.csv") == "balance_(not shown).csv"
    assert printable(f"{ACCOUNT}.csv") == "(not shown).csv"
    assert secrecy.kinds_in_name("kosdaq_20251217.csv") == []


def test_no_error_and_no_issue_repeats_one():
    assert APP_KEY not in str(AssayError(f"{APP_KEY} is no market"))
    assert ACCOUNT not in Issue("a.csv", 3, "bad_ticker", f"has the ticker '{ACCOUNT}'").says


TICKER = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"t": {"type": "string", "pattern": "^[0-9]{6}$"}},
}


@pytest.mark.parametrize(
    "value",
    [
        {"t": BARE_ACCOUNT},
        {"t": int(BARE_ACCOUNT)},
        {"t": APP_KEY},
        {"t": [BARE_ACCOUNT]},
        {"t": BARE_ACCOUNT[:8]},
        {BARE_ACCOUNT: 1},
        {APP_KEY: 1},
    ],
)
def test_a_breach_of_a_schema_names_the_place_and_not_the_value(value):
    (problem,) = schemas.validate(TICKER, value)
    assert secrecy.NOT_SHOWN in problem.says
    for secret in (BARE_ACCOUNT[:8], APP_KEY):
        assert secret not in problem.says


def test_a_breach_about_an_amount_shows_it():
    (problem,) = schemas.validate({"type": "integer", "maximum": 10}, 1234567890)
    assert json.dumps(1234567890) in problem.says
    (problem,) = schemas.validate(TICKER, {"t": "12345"})
    assert '"12345"' in problem.says
