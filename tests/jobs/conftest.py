"""The sample desk and the desk with real bars, each made once; a test gets a copy to do with as it likes."""

import contextlib
import io
import json
import shutil

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quantassay import cli
from quantassay.harness import files


def assay(folder, *arguments):
    """Run a command that must pass, and keep what it says to itself."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli.run(["-C", str(folder), *map(str, arguments)])
    assert code == 0, said.getvalue()


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """`assay init`, and one run on the sample market. To be left as it is."""
    folder = tmp_path_factory.mktemp("sample")
    assay(folder, "init", "desk")
    assay(folder / "desk", "run")
    return folder / "desk"


@pytest.fixture(scope="session")
def kosdaq(tmp_path_factory, shared):
    """A desk with the real bars and the real list of 17 December 2025, not run yet. To be left as it is."""
    folder = tmp_path_factory.mktemp("kosdaq") / "desk"
    assay(folder.parent, "init", "desk")
    assay(folder, "import", "bars", shared / "data/kosdaq_daily", "--market", "XKRX")
    assay(folder, "import", "universe", shared / "data/universe/kosdaq_20251217.csv", "--market", "XKRX")
    return folder


def copied(toy, source):
    shutil.copytree(source, toy.root, dirs_exist_ok=True)
    return toy


@pytest.fixture
def desk(toy, sample):
    """The sample desk after its run, with the assay command to run on it."""
    return copied(toy, sample)


@pytest.fixture
def new_desk(toy):
    """A desk as `assay init` leaves it, with nothing made yet."""
    shutil.rmtree(toy.root)
    assay(toy.root.parent, "init", toy.root.name)
    return toy


@pytest.fixture
def real(toy, kosdaq):
    """The desk with the real bars."""
    return copied(toy, kosdaq)


@pytest.fixture
def edit():
    """Put NEW in place of OLD, which stands once in the file of a desk."""

    def put(toy, file, old, new):
        path = toy.root / file
        data = path.read_bytes()
        assert data.count(old.encode()) == 1, f"{file} holds {data.count(old.encode())} times {old!r}"
        path.write_bytes(data.replace(old.encode(), new.encode()))

    return put


@pytest.fixture
def forge():
    """Make the state say that these files of a desk were recorded as they lie there now."""

    def record(toy, *names):
        path = toy.root / "Temp/state.jsonl"
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        for line in lines:
            for file in set(names) & line.get("outputs", {}).keys():
                line["outputs"][file] = files.digest(toy.root / file)
        text = "".join(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n" for line in lines)
        path.write_bytes(text.encode())

    return record


@pytest.fixture
def own_gate():
    """Give a desk a gate file of its own, and allow its code."""

    def write(toy, name, body, reads="next_open_plan", rule="R03.7"):
        marker = toy.root / "spec/00_workspace.yaml"
        marker.write_text(marker.read_text().replace("own: false", "own: true"))
        title = f'"""Own: {name} judges in its own way."""\n\nfrom quantassay.findings import judged\n'
        return toy.write(f"validators/{name}.py", f'{title}\nRULES = ["{rule}"]\n\n\ndef check({reads}):\n    {body}\n')

    return write


@pytest.fixture(scope="session")
def key_pair():
    """An Ed25519 key by number: the private one as PEM, the public one as the line that governance lists."""

    def made(number):
        key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        pem, public = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return private, key.public_key().public_bytes(pem, public).decode().splitlines()[1]

    return made
