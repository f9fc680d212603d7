"""The broker as a source of bars: asked only by a login that governance allows, and only at that login's server."""

from datetime import UTC, date, datetime, timedelta

import pytest

from quantassay.kis.connection import fingerprint

TUESDAY, MONDAY = date(2025, 6, 17), date(2025, 6, 16)
LOGIN = {"APP_KEY": "K" * 36, "APP_SECRET": "S" * 180, "ACCOUNT": "12345678-01"}


def allow(desk, environment):
    """Governance with both approvals of the broker and of this login."""
    sources = desk.root / "governance/data_sources.yaml"
    before, mark, after = sources.read_text(encoding="utf-8").partition('id: "kis"')
    after = after.replace('"refused"', '"allowed"', 1).replace('"kis_real"', f'"kis_{environment}"', 1)
    sources.write_text(before + mark + after, encoding="utf-8")
    logins = desk.root / "governance/credentials.yaml"
    before, mark, after = logins.read_text(encoding="utf-8").partition(f'id: "kis_{environment}"')
    logins.write_text(before + mark + after.replace('"refused"', '"allowed"', 1), encoding="utf-8")
    # What reads the login asks by the day of its reading, and the fetch by that of its own.
    today = datetime.now(UTC).date()
    form = (desk.root / "governance/approvals/A001_krx_openapi.yaml").read_text(encoding="utf-8")
    approved = [
        (3, "data_source", "kis"),
        (4, "credential", f"kis_{environment}"),
        (5, "credential", f"kis_{environment}"),
    ]
    for number, subject, name in approved:
        text = form.replace('"A001"', f'"A{number:03}"').replace('"krx_openapi"', f'"{name}"')
        text = text.replace('subject: "data_source"', f'subject: "{subject}"')
        if number == 5:
            text = text.replace("2025-06-01", f"{today}").replace("2025-07-01", f"{today + timedelta(days=30)}")
        desk.write(f"governance/approvals/A{number:03}_{name}.yaml", text)


@pytest.fixture
def login(monkeypatch, tmp_path):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "state"))
    for environment in ("VIRTUAL", "REAL"):
        for name, value in LOGIN.items():
            monkeypatch.setenv(f"KIS_{environment}_{name}", value)


def reasons(report):
    return [(one.why, one.says) for one in report.passed_over if one.source == "kis"]


@pytest.mark.usefixtures("login")
def test_it_is_refused_until_governance_says_otherwise(desk):
    ((why, says),) = reasons(desk.fetch(source="kis"))
    assert why == "not_allowed"
    assert "governance/data_sources.yaml refuses kis: The owner of the account has not decided" in says


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("environment", ["virtual", "real"])
def test_the_login_decides_which_server_is_asked(desk, environment):
    desk.fetch(first=MONDAY, last=MONDAY)
    allow(desk, environment)
    host = {"virtual": "openapivts", "real": "openapi"}[environment]
    with pytest.raises(RuntimeError, match=rf"a test tried to reach {host}\.koreainvestment\.com;"):
        desk.fetch(source="kis")
    shown = "".join(path.read_text(errors="replace") for path in desk.root.rglob("*") if path.is_file())
    assert LOGIN["APP_SECRET"] not in shown


@pytest.mark.usefixtures("login")
def test_names_come_from_the_answers_of_others(desk):
    allow(desk, "virtual")
    assert {why for why, _ in reasons(desk.fetch(source="kis"))} == {"no_names"}


@pytest.mark.usefixtures("login")
def test_another_key_than_the_one_written_down_is_not_used(desk):
    desk.fetch(first=MONDAY, last=MONDAY)
    allow(desk, "virtual")
    path = desk.root / "governance/credentials.yaml"
    before, mark, after = path.read_text(encoding="utf-8").partition('id: "kis_virtual"')
    path.write_text(f'{before}{mark}\n    key_fingerprint: "{"0" * 12}"{after}', encoding="utf-8")
    ((why, says),) = reasons(desk.fetch(source="kis"))
    assert why == "no_key"
    assert fingerprint(LOGIN["APP_KEY"]) in says


def test_a_login_without_its_values_is_told(desk, monkeypatch, tmp_path):
    monkeypatch.setenv("ASSAY_STATE", str(tmp_path / "state"))
    for name in LOGIN:
        monkeypatch.delenv(f"KIS_VIRTUAL_{name}", raising=False)
    allow(desk, "virtual")
    ((why, says),) = reasons(desk.fetch(source="kis"))
    assert why == "no_key"
    assert "KIS_VIRTUAL_APP_KEY" in says
