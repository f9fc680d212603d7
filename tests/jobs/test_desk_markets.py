"""A desk of another market: what `assay init --market` makes, what can be built, and which account it stands on."""

import shutil

import pytest
import yaml

from quantassay.harness import canonical
from quantassay.harness.build import Request
from quantassay.jobs import desk as opening
from quantassay.jobs import init, market

BARS = "date,open,high,low,close,volume\n2026-11-16,10,11,9,10.5,1001\n2026-11-17,10,11,9,10.25,1001\n"
AMERICAN = """
  - id: dollars
    environment: paper
    currency: USD
    as_of: "2026-11-17T16:30:00-05:00"
    cash: 5000
    holdings: []
"""


@pytest.fixture
def abroad(toy):
    """A new desk of a market."""

    def make(key):
        shutil.rmtree(toy.root)
        init.init(toy.root, key)
        return toy

    return make


def handed(toy, name):
    return opening.prepared(opening.opened(toy.root), Request())[0].handed[name]


def test_every_market_of_the_calendars_can_be_asked_for(abroad):
    desk = abroad("XNYS")
    inputs = opening.opened(desk.root)
    assert set(init.MARKETS) == set(inputs.value("calendars")["markets"])
    assert inputs.value("desk") == {"market": "XNYS", "bars": "auto", "account": "auto"}
    usual, ours = ((folder / "spec/10_desk.yaml").read_text() for folder in (inputs.workspace.root, desk.root))
    assert usual == ours
    said = desk.run("init", "elsewhere", "--market", "XSHG")
    assert said.out.splitlines()[1] == (
        "next: cd elsewhere, then bring your bars: `assay import bars DIR --market XSHG`"
    )
    assert "market: XSHG\n" in (desk.root / "elsewhere/spec/10_desk.yaml").read_text()
    assert desk.run("init", "nowhere", "--market", "XTKS").code == 2
    assert not (desk.root / "nowhere").exists()


def test_without_bars_the_calendar_can_be_built_and_the_rest_says_what_is_missing(abroad):
    desk = abroad("XNYS")
    assert desk.run("build", "trading_calendar").code == 0
    built = canonical.read(desk.root / "Temp/trading_calendar_v1.json")["data"]
    assert (built["market"], built["zone"], built["currency"]) == ("XNYS", "America/New_York", "USD")
    said = desk.run("build", "evaluation_bars")
    assert said.code == 2
    assert "there are no bars of XNYS: none imported yet; run `assay import bars DIR --market XNYS`" in said.err


def test_the_bars_of_a_session_decide_in_its_own_zone(abroad):
    desk = abroad("XNYS")
    desk.write("in/TMO.csv", BARS)
    assert desk.run("import", "bars", desk.root / "in", "--market", "XNYS").code == 0
    for as_of, day in (("2026-11-18T06:00:00+09:00", "2026-11-16"), ("2026-11-18T06:10:00+09:00", "2026-11-17")):
        assert desk.run("build", "evaluation_bars", "--as-of", as_of).code == 0
        built = canonical.read(desk.root / "Temp/evaluation_bars_v1.json")["data"]
        assert (built["day"], built["session"], built["names"][0]["session"]) == ("2026-11-17", day, day)


def test_a_desk_without_an_account_in_its_currency_has_an_empty_one_and_says_so(abroad):
    desk = abroad("XNYS")
    account = handed(desk, "account_snapshot")
    assert account.load() == {
        "id": "no-account-in-usd",
        "environment": "paper",
        "currency": "USD",
        "as_of": "1970-01-01T00:00:00+00:00",
        "cash": 0,
        "holdings": [],
    }
    assert account.explain("") == ["none in USD: add one with currency: USD to spec/20_accounts.yaml"]
    inputs = opening.prepared(opening.opened(desk.root), Request())[0]
    schema = inputs.schema("accounts")["properties"]["accounts"]["items"]["properties"]
    assert set(schema) == {*account.load(), "number_fingerprint"}
    assert ("account", "none in USD: add one with currency: USD to spec/20_accounts.yaml") in list(market.ages(inputs))


def test_auto_takes_the_account_in_the_market_s_currency(abroad):
    desk = abroad("XNYS")
    path = desk.root / "spec/20_accounts.yaml"
    path.write_text(path.read_text().rstrip() + AMERICAN)
    assert handed(desk, "account_snapshot").load()["id"] == "dollars"
    named = [one["id"] for one in yaml.safe_load(path.read_text())["accounts"]]
    assert named == ["sample", "desk", "rehearsal", "dollars"]


def test_an_account_in_another_currency_is_refused(abroad, edit):
    desk = abroad("XNYS")
    edit(desk, "spec/10_desk.yaml", "account: auto", "account: desk")
    said = desk.run("build", "trading_calendar")
    assert said.code == 2
    assert "names the account 'desk', which is kept in KRW, and XNYS trades in USD; name an account in USD" in said.err


def test_the_sample_market_is_one_of_korea(abroad, edit):
    desk = abroad("XSHG")
    edit(desk, "spec/10_desk.yaml", "bars: auto", "bars: sample")
    said = desk.run("build", "trading_calendar")
    assert said.code == 2
    assert "the sample market is one of XKRX, and this desk trades XSHG; import bars with" in said.err
    edit(desk, "spec/10_desk.yaml", "bars: sample", "bars: imported")
    assert "there are no bars of XSHG: none imported yet" in desk.run("build", "trading_calendar").err


def test_an_unknown_market_is_refused_with_its_place(abroad, edit):
    desk = abroad("XKRX")
    edit(desk, "spec/10_desk.yaml", "\nmarket: XKRX\n", "\nmarket: XTKS\n")
    said = desk.run("build", "trading_calendar")
    assert said.code == 2
    assert "spec/10_desk.yaml:3:" in said.err
    assert "XTKS" in said.err
