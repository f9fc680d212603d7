"""Secrets come from the environment or a private file that git does not have; whatever is wrong, none is shown."""

import logging
import os
import subprocess
import threading
from datetime import date, timedelta

import pytest
import requests

from quantassay import cli, secrecy
from quantassay.jobs import logs, secrets
from quantassay.jobs.secrets import BadSecrets, NoLogin, NoSecret, NotAllowed, SecretsExposed
from quantassay.kis import rehearsal
from tests.fakes.messengers import TELEGRAM_OK, service

# Written in parts, so that this file holds none of them.
KEY, PASSWORD = "Plain" + "Words" * 7, "word one/" + "two+three="
ACCOUNT = "50123456" + "-01"
NAMES = ("KIS_VIRTUAL_APP_KEY", "KIS_VIRTUAL_APP_SECRET", "KIS_VIRTUAL_ACCOUNT")
VALUES = dict(zip(NAMES, (KEY, PASSWORD, ACCOUNT), strict=True))
CREDENTIALS = """credentials:
  - id: "kis_virtual"
    holds: "The broker's practice server"
    variables: ["KIS_VIRTUAL_APP_KEY", "KIS_VIRTUAL_APP_SECRET", "KIS_VIRTUAL_ACCOUNT"]
    status: "allowed"
    why: "The owner wants the rehearsal."
    noted_on: "2026-11-20"
  - id: "kis_real"
    holds: "The broker's real server"
    variables: ["KIS_REAL_APP_KEY", "KIS_REAL_APP_SECRET", "KIS_REAL_ACCOUNT"]
    status: "refused"
    why: "The owner has not decided yet."
    noted_on: "2026-11-20"
"""
RULES = """title: Lots
rules:
  - id: "R01.1"
    statement: "Every order is for whole lots."
    why: "The exchange trades no parts of a lot."
    remedy: "Round the orders to whole lots."
    enforced_by: ["lots"]
    severity: "error"
    waivable: true
"""
POLICY = """signatures: "unsigned_local"
signers: []
four_eyes: {subjects: [], packets: []}
longest_days: {accounts: 92, credentials: 92, data_sources: 366, packets: 7}
packets: []
required: []
"""
APPROVAL = """id: "A001"
subject: "credential"
name: "kis_virtual"
workspace: "toy"
approver: "Kim Mina"
proposer: "Lee Jun"
reason: "The owner wants the rehearsal."
granted: "{granted}"
expires: "{expires}"
"""


@pytest.fixture
def place(toy, monkeypatch):
    """A workspace that may use the practice account, and no secret anywhere."""
    for name in (*NAMES, "ASSAY_SECRETS"):
        monkeypatch.delenv(name, raising=False)
    day = date.today() - timedelta(1)  # noqa: DTZ011 - approvals are read by the day of this machine
    toy.write("spec/00_workspace.yaml", "name: toy\nrooms: {standard: false, own: false}\n")
    toy.write("governance/credentials.yaml", CREDENTIALS)
    toy.write("governance/approval_policy.yaml", POLICY)
    toy.write("governance/rules/01.yaml", RULES)
    toy.write(
        "governance/severities.yaml", 'severities:\n  - {name: "error", fails: true, meaning: "The gate fails."}\n'
    )
    toy.write("governance/approvals/A001_kis_virtual.yaml", APPROVAL.format(granted=day, expires=day + timedelta(30)))
    return toy


def put(place, text=None, mode=0o600, file="secrets.yaml"):
    path = place.write(file, text or "".join(f'{name}: "{value}"\n' for name, value in VALUES.items()))
    path.chmod(mode)
    return path


def refused(place, kind):
    with pytest.raises(kind) as error:
        secrets.kis_secrets(place.root, "virtual")
    said = str(error.value)
    assert not [value for value in VALUES.values() if value in said + repr(error.value)]
    return said


def test_they_come_from_the_environment(place, monkeypatch):
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)
    put(place, mode=0o644)  # not looked at
    assert secrets.kis_secrets(place.root, "virtual") == (KEY, PASSWORD, ACCOUNT)


def test_they_come_from_the_file_of_the_workspace_or_a_named_one(place, monkeypatch):
    put(place)
    assert secrets.kis_secrets(place.root / "spec", "virtual") == (KEY, PASSWORD, ACCOUNT)
    path = put(
        place,
        file="elsewhere/mine.yaml",
        text="KIS_VIRTUAL_APP_KEY: 012345\nKIS_VIRTUAL_APP_SECRET: 'no: yes'\n"
        "KIS_VIRTUAL_ACCOUNT: 50123456-01  # a comment\n",
    )
    monkeypatch.setenv("ASSAY_SECRETS", str(path))
    # Digits stay as they are written.
    assert secrets.kis_secrets(place.root, "virtual") == ("012345", "no: yes", ACCOUNT)
    monkeypatch.setenv("ASSAY_SECRETS", str(path) + ".gone")
    assert "is not there, and ASSAY_SECRETS names it" in refused(place, BadSecrets)


def test_a_key_of_one_place_never_meets_the_secret_of_another(place, monkeypatch):
    put(place)
    monkeypatch.setenv("KIS_VIRTUAL_APP_KEY", "another key")
    assert "lacks KIS_VIRTUAL_APP_SECRET, KIS_VIRTUAL_ACCOUNT in the environment" in refused(place, NoSecret)


def test_what_is_missing_is_named(place):
    assert f"lacks {', '.join(NAMES)} in the environment and in" in refused(place, NoSecret)
    put(place, f'KIS_VIRTUAL_APP_KEY: "{KEY}"\nKIS_VIRTUAL_ACCOUNT: ""\n')
    assert "lacks KIS_VIRTUAL_APP_SECRET, KIS_VIRTUAL_ACCOUNT in" in refused(place, NoSecret)


def test_nothing_is_read_where_governance_does_not_allow_the_login(place, monkeypatch):
    put(place, mode=0o644)
    monkeypatch.setenv("KIS_REAL_APP_KEY", KEY)
    with pytest.raises(NotAllowed, match="refuses kis_real: The owner has not decided yet"):
        secrets.kis_secrets(place.root, "real")
    (place.root / "governance/approvals/A001_kis_virtual.yaml").unlink()
    assert "no approval of the credential kis_virtual is in force" in refused(place, NotAllowed)
    (place.root / "governance/credentials.yaml").unlink()
    assert "does not list the credential kis_virtual" in refused(place, NotAllowed)


def test_the_practice_server_has_its_public_ones_and_paper_none(place):
    assert secrets.kis_secrets(place.root, "rehearsal") == (rehearsal.APP_KEY, rehearsal.APP_SECRET, rehearsal.ACCOUNT)
    with pytest.raises(NoLogin, match="'paper' asks for no login"):
        secrets.kis_secrets(place.root, "paper")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o644, 0o610])
def test_a_file_that_others_can_use_is_refused(place, mode):
    put(place, mode=mode)
    said = refused(place, SecretsExposed)
    assert f"others may use it (mode {mode:04o}); run `chmod 600 secrets.yaml`" in said


def test_a_link_is_judged_by_what_it_leads_to_and_a_pipe_is_not_waited_for(place, tmp_path):
    put(place, mode=0o644, file="open.yaml")
    link = place.root / "secrets.yaml"
    link.symlink_to(place.root / "open.yaml")
    assert "others may use it" in refused(place, SecretsExposed)
    link.unlink()
    os.mkfifo(link, 0o600)
    assert "it is no regular file" in refused(place, SecretsExposed)
    link.unlink()
    link.mkdir(mode=0o700)
    assert "it is no regular file" in refused(place, SecretsExposed)
    assert tmp_path.is_dir()


def git(folder, *words):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *who, "-C", folder, *words], check=True, capture_output=True)


def test_a_file_that_git_tracks_is_refused(place, monkeypatch):
    put(place)
    git(place.root, "init")
    assert secrets.kis_secrets(place.root, "virtual")[0] == KEY
    git(place.root, "add", "-f", "secrets.yaml")
    assert "git tracks it; run `git rm --cached secrets.yaml`" in refused(place, SecretsExposed)
    # Also from a folder that is a link into the checkout, and whatever git is told by the environment.
    monkeypatch.setenv("GIT_DIR", str(place.root / "nowhere"))
    assert "git tracks it" in refused(place, SecretsExposed)
    monkeypatch.delenv("GIT_DIR")
    git(place.root, "rm", "-q", "--cached", "secrets.yaml")
    assert secrets.kis_secrets(place.root, "virtual")[0] == KEY
    monkeypatch.setenv("PATH", "")
    assert "git is not installed, so nobody can tell" in refused(place, SecretsExposed)


def test_where_git_cannot_tell_the_file_is_refused(place):
    put(place)
    (place.root / ".git").mkdir()
    assert "git cannot tell whether it is tracked" in refused(place, SecretsExposed)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"KIS_VIRTUAL_APP_KEY: [{KEY}\n", "cannot be read as YAML in line"),
        (f"- {KEY}\n", "holds no names with values"),
        (KEY, "holds no names with values"),
        (f"{KEY}: x\n", "line 1, names no variable of governance"),
        (
            f"KIS_VIRTUAL_APP_KEY: {KEY}\nKIS_VIRTUAL_APP_KEY: {KEY}\n",
            "line 2, gives KIS_VIRTUAL_APP_KEY a second time",
        ),
        (f"KIS_VIRTUAL_APP_KEY: {{a: {KEY}}}\n", "gives KIS_VIRTUAL_APP_KEY no text"),
        (f'KIS_VIRTUAL_APP_KEY: "{KEY}"\nKIS_VIRTUAL_APP_SECRET: "a b "\nKIS_VIRTUAL_ACCOUNT: "{ACCOUNT}"\n', "blanks"),
        (f'KIS_VIRTUAL_APP_KEY: "abc"\nKIS_VIRTUAL_APP_SECRET: "{KEY}"\nKIS_VIRTUAL_ACCOUNT: "{ACCOUNT}"\n', "shorter"),
        ("x" * 70_000, "is too large"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_file_of_another_form_is_refused_and_nothing_of_it_shown(place, text, says):
    put(place, text)
    assert says in refused(place, BadSecrets)


# Withheld everywhere.


@pytest.fixture
def loaded(place):
    put(place)
    secrets.kis_secrets(place.root, "virtual")
    return place


FORMS = (
    *(KEY, PASSWORD, ACCOUNT, "50123456" + "01", "50123456", "d29yZCBvbmUvdHdvK3RocmVlPQ=="),
    *("word%20one/two%2Bthree%3D", "word%20one/two+three=", "word%20one%2Ftwo%2Bthree%3D", "word+one%2Ftwo%2Bthree%3D"),
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("loaded")
def test_what_was_loaded_is_withheld_in_every_form_that_libraries_write(form):
    line = f"GET /x?y={form} HTTP/1.1"
    assert form not in secrecy.withheld(line)
    assert secrecy.kinds(line) == ["a secret that is in use"]
    assert form not in str(NoLogin(form))


@pytest.fixture
def written(tmp_path):
    """A log of everything, as a library's own handler would write it, guarded as a run of the command guards it."""
    path, before = tmp_path / "debug.log", logging.getLogRecordFactory()
    hooks = threading.excepthook
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logs.guard()
    yield path
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()
    logging.setLogRecordFactory(before)
    threading.excepthook = hooks


@pytest.mark.usefixtures("loaded")
def test_no_log_of_any_library_holds_a_secret(written, capsys):
    log = logging.getLogger("somebody.else")
    log.addHandler(own := logging.StreamHandler())
    log.warning("headers %s", {"appsecret": PASSWORD, "authorization": "Bearer " + "abcd" * 10})
    log.warning("broken %d", KEY)
    try:
        raise ValueError(KEY)
    except ValueError:
        log.exception("with %(name)s", {"name": ACCOUNT}, stack_info=True)
    log.removeHandler(own)
    with service(TELEGRAM_OK) as api:
        requests.post(f"{api.url}/bot/{KEY}?p={PASSWORD}", json={}, timeout=5)
    text = written.read_text() + capsys.readouterr().err
    assert "urllib3" in text
    assert text.count("(not shown)") >= 8
    assert [form for form in (KEY, PASSWORD, "word%20one", ACCOUNT, "abcd" * 10) if form in text] == []


@pytest.mark.usefixtures("loaded", "written")
def test_a_thread_that_dies_tells_no_secret(capsys):
    def die():
        raise ValueError(KEY)

    thread = threading.Thread(target=die, name="the server")
    thread.start()
    thread.join()
    said = capsys.readouterr().err
    assert said.startswith("the server ended: Traceback")
    assert "(not shown)" in said
    assert KEY not in said


@pytest.mark.parametrize("asked", [("fetch", "bars"), ("probe", "S5")])
def test_a_command_that_reaches_out_guards_its_logs_before_anything_else(tmp_path, asked):
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    assert cli.run(["-C", str(tmp_path), *asked]) == 2
    assert logging.getLogRecordFactory() is logs.WithheldRecord
    logging.setLogRecordFactory(before)
