"""What the whole suite shares: no network but loopback, the same examples each run, the real data where it lies."""

import ipaddress
import json
import subprocess
import sys
from pathlib import Path
from textwrap import indent
from types import SimpleNamespace

import hypothesis
import pytest

from quantassay import cli, secrecy

hypothesis.settings.register_profile("house", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("house")

SHARED = Path(__file__).parents[2] / "shared"
ASSAY = (sys.executable, "-c", "from quantassay.cli import main; main()")
WORKSPACE = """name: toy
as_of: "2026-01-05T10:00:00+09:00"
rooms: {standard: false, own: true}
"""


class NetworkBlockedError(RuntimeError):
    """Not an OSError, so that code which rightly expects network faults does not swallow it."""

    def __init__(self, host):
        super().__init__(f"a test tried to reach {host}; only loopback is open to tests")


def is_loopback(host):
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


def refuse_network(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.bind"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path is a Unix socket: local
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not is_loopback(host):
        raise NetworkBlockedError(host)


# An audit hook sees what libraries written in C or patched elsewhere do too.
sys.addaudithook(refuse_network)


@pytest.fixture(scope="session")
def shared():
    """The folder of real bars and oracles that lies beside the checkout; too large and not ours to commit."""
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared, which is not beside this checkout")
    return SHARED


@pytest.fixture(autouse=True)
def _forgotten_secrets(monkeypatch):
    """What one test loads as a secret is no secret of the next."""
    monkeypatch.setattr(secrecy, "_kept", ())


class Toy:
    """A workspace of its own in a few lines: specs, builders, and the assay command to run on them."""

    def __init__(self, root, capsys):
        self.root, self.capsys = root, capsys
        self.write("spec/00_workspace.yaml", WORKSPACE)

    def write(self, file, text):
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def builder(self, name, parameters, body, top=""):
        code = f'"""Makes {name}."""\n{top}\n\ndef build({parameters}):\n{indent(body, "    ")}\n'
        return self.write(f"builders/{name}.py", code)

    def made(self, name):
        return json.loads((self.root / f"Temp/{name}_v1.json").read_bytes())

    def temp(self):
        """Every file under Temp/ with its bytes."""
        files = [path for path in sorted((self.root / "Temp").rglob("*")) if path.is_file()]
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in files}

    def run(self, *arguments):
        """What `assay -C here ARGUMENTS` says, and its exit code."""
        self.capsys.readouterr()
        code = cli.run(["-C", str(self.root), *map(str, arguments)])
        return SimpleNamespace(code=code, **self.capsys.readouterr()._asdict())

    def process(self, *arguments, environment=None, **options):
        """The same in a process of its own."""
        options = {"capture_output": True, "text": True, "env": environment, **options}
        return subprocess.run([*ASSAY, "-C", self.root, *map(str, arguments)], check=False, **options)

    def start(self, *arguments):
        """The same, begun and not waited for."""
        pipe = subprocess.PIPE
        return subprocess.Popen([*ASSAY, "-C", self.root, *map(str, arguments)], stdout=pipe, stderr=pipe, text=True)


@pytest.fixture
def toy(tmp_path, capsys):
    return Toy(tmp_path / "toy", capsys)
