"""A day of a desk with secrets planted in it: none is in anything that it wrote, said, logged or crashed with."""

import base64
import os
import shutil
import subprocess
import sys
from urllib.parse import quote, quote_plus

from tests.fakes.messengers import service
from tests.jobs.operations.conftest import Desk

# Written in parts, so that this file holds none of them.
KIS = {
    "KIS_VIRTUAL_APP_KEY": "PSplanted" + "Key" * 9,
    "KIS_VIRTUAL_APP_SECRET": "plain/words+" + "and so on" * 18 + "=end",
    "KIS_VIRTUAL_ACCOUNT": "50987654" + "-01",
}
LOGINS = {
    "TELEGRAM_BOT_TOKEN": "987654321" + ":" + "AAPlantedplantedplantedplantedplante",
    "TELEGRAM_CHAT_ID": "-100987654321",
    "DINGTALK_ACCESS_TOKEN": "planted-robot" + "-access",
    "DINGTALK_SIGNING_SECRET": "planted-signing" + "-words",
    "SMTP_USER": "planted" + "@example.org",
    "SMTP_PASSWORD": "planted pass" + "word",
    "SMTP_RECEIVERS": "someone" + "@example.org",
}
# Everything that a desk does in a day, in one process that has loaded every secret and logs all that libraries say.
DAY = """
import logging, os, sys
from pathlib import Path
logging.basicConfig(level=logging.DEBUG, filename=sys.argv[2])
from quantassay import cli
from quantassay.jobs import notices, secrets
from quantassay.jobs.clock import SystemClock
folder = Path(sys.argv[1])
def assay(*words):
    print("exit", cli.run(["-C", str(folder), *words]), *words)
assay("completion", "bash")
keys = secrets.kis_secrets(folder, "virtual")
logging.getLogger("a.client").debug("POST headers %s", {"appkey": keys[0], "appsecret": keys[1], "CANO": keys[2]})
notices.put(folder / "data", SystemClock().now(), "alarm", f"told {keys[1]}", f"the account {keys[2]}, {keys[0]}")
assay("run")
for words in ("status", "notices test", "notices list", "notices show 1", "ready --offline", "heartbeat --check"):
    assay(*words.split())
for words in ("schedule -n", "run-due -n", "doctor", "trade next-open", "fetch bars", "orders list", "package"):
    assay(*words.split())
(folder / "spec/00_workspace.yaml").write_text('name: "desk"\\nrooms: {standard: true, own: true}\\n')
(folder / "builders").mkdir()
(folder / "builders/universe.py").write_text(
    '"Leaks."\\nimport os\\ndef build(desk):\\n    raise RuntimeError("with " + os.environ["LEAKED"] + str(desk))\\n')
os.environ["LEAKED"] = " ".join(keys)
assay("build")
"""


def forms(value):
    data = value.encode()
    quoted = {quote(value), quote(value, safe=""), quote_plus(value)}
    return {data, base64.b64encode(data), *(one.encode() for one in quoted)}


def found_in(data, what):
    return [f"{what}: {name}" for name, value in (KIS | LOGINS).items() if any(form in data for form in forms(value))]


def found_below(folder, but=()):
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in but]
    assert paths
    return [one for path in paths for one in found_in(path.read_bytes(), path.relative_to(folder))]


def test_no_secret_is_in_anything_that_a_day_leaves_behind(toy, sample, tmp_path):
    shutil.copytree(sample, toy.root, dirs_exist_ok=True)
    toy.write("spec/00_workspace.yaml", (sample / "spec/00_workspace.yaml").read_text())
    desk, private, temporary = Desk(toy), toy.root / "secrets.yaml", tmp_path / "temporary"
    temporary.mkdir()
    desk.allow("kis_virtual", "telegram_bot", "dingtalk_robot", "smtp_mailbox")
    private.write_text("".join(f'{name}: "{value}"\n' for name, value in KIS.items()))
    private.chmod(0o600)
    echo = f"the token {LOGINS['TELEGRAM_BOT_TOKEN']} is wrong, so is {LOGINS['DINGTALK_SIGNING_SECRET']}"
    with (
        service((400, {"ok": False, "description": echo}, {})) as telegram,
        service((200, {"errcode": 310000, "errmsg": echo}, {})) as dingtalk,
    ):
        desk.use("telegram", telegram.url)
        desk.use("dingtalk", dingtalk.url)
        desk.change('host: "smtp.example.org", port: 465', 'host: "127.0.0.1", port: 9')
        desk.use("mail")
        environment = {**os.environ, **LOGINS, "TMPDIR": str(temporary), "ASSAY_STATE": str(tmp_path / "state")}
        done = subprocess.run(
            [sys.executable, "-c", DAY, str(toy.root), str(tmp_path / "debug.log")],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert telegram.seen
        assert dingtalk.seen
    said = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    # It was a day: it built, told, crashed, and wrote of each.
    assert "exit 1 notices test" in said
    assert "exit 3 build" in said
    log, (crash,) = (tmp_path / "debug.log").read_text(), temporary.glob("assay-*.log")
    assert "urllib3" in log
    assert "(not shown)" in log
    assert "RuntimeError: with (not shown)" in crash.read_text()
    # The search finds what there is: all of it stands in the file that its owner wrote.
    assert len(found_in(private.read_bytes(), "")) == len(KIS)
    leaks = found_below(toy.root, but=("secrets.yaml",)) + found_below(temporary)
    leaks += found_in(log.encode(), "the log") + found_in(done.stdout, "stdout") + found_in(done.stderr, "stderr")
    assert leaks == []
