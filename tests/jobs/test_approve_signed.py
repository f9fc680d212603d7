"""Where governance asks for signatures, an approval counts only with its approver's own key, and no edit survives."""

import shutil
import zipfile

import pytest

from quantassay import cli

WHO = ("--by", "Kim Mina", "--proposer", "Lee Jun", "--reason", "Compared with the signals, line by line.")
FILE = "governance/approvals/A001_next_open_plan.yaml"


@pytest.fixture(scope="module")
def keys(key_pair, tmp_path_factory):
    """Kim Mina's key and a stranger's, as files."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "kim.pem").write_bytes(key_pair(1)[0])
    (folder / "stranger.pem").write_bytes(key_pair(2)[0])
    (folder / "no.pem").write_text("no key")
    return folder


@pytest.fixture(scope="module")
def signing_folder(sample, key_pair, tmp_path_factory):
    """The sample desk where Kim Mina must sign, after a run. To be left as it is."""
    folder = tmp_path_factory.mktemp("signing") / "desk"
    shutil.copytree(sample, folder)
    policy = folder / "governance/approval_policy.yaml"
    text = policy.read_text().replace('signatures: "unsigned_local"', 'signatures: "ed25519"')
    signer = f'signers:\n  - {{name: "Kim Mina", public_key: "{key_pair(1)[1]}"}}\n'
    policy.write_text(text.replace("signers: []\n", signer))
    assert cli.run(["-q", "-C", str(folder), "run"]) == 0
    return folder


@pytest.fixture(scope="module")
def signed_folder(signing_folder, keys, tmp_path_factory):
    """The same with the plan signed, after a run. To be left as it is."""
    folder = tmp_path_factory.mktemp("signed") / "desk"
    shutil.copytree(signing_folder, folder)
    for words in (("approve", "next_open_plan", *WHO, "--key", str(keys / "kim.pem")), ("run",)):
        assert cli.run(["-q", "-C", str(folder), *words]) == 0
    return folder


@pytest.fixture
def signing(toy, signing_folder):
    shutil.copytree(signing_folder, toy.root, dirs_exist_ok=True)
    return toy


@pytest.fixture
def signed(toy, signed_folder):
    shutil.copytree(signed_folder, toy.root, dirs_exist_ok=True)
    return toy


def state(toy):
    row = toy.made("approval_states")["data"]["approvals"][0]
    return row["state"], row["signature"]


def test_a_signed_approval_is_in_force_in_any_layout(signed):
    assert state(signed) == ("in_force", "valid")
    lines = (signed.root / FILE).read_text().splitlines()
    (signed.root / FILE).write_text("# signed\n" + "\n".join(reversed(lines)) + "\n")
    assert signed.run("run").code == 0
    assert state(signed) == ("in_force", "valid")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("line by line.", "not at all, in fact.", "bad_signature"),
        ('expires: "2026-11-25"', 'expires: "2026-11-24"', "bad_signature"),
        ('proposer: "Lee Jun"', 'proposer: "Lee Joon"', "bad_signature"),
        ('id: "A001"', 'id: "A003"', "bad_signature"),
        ('approver: "Kim Mina"', 'approver: "Park Jisoo"', "bad_signature"),
    ],
)
def test_an_edited_file_is_refused(signed, old, new, expected):
    path = signed.root / FILE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    said = signed.run("run")
    assert (said.code, state(signed)[0]) == (1, expected)
    assert "R09.2" in said.out


def test_a_signature_that_was_taken_off_is_missed(signed):
    path = signed.root / FILE
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("signature")))
    assert signed.run("run").code == 1
    assert state(signed) == ("unsigned", "unsigned")


def test_a_replayed_signature_is_refused_under_both_ids(signed):
    for path in list((signed.root / "governance/approvals").glob("A001*")):
        text = path.read_text(encoding="utf-8").replace('id: "A001"', 'id: "A002"')
        path.with_name(path.name.replace("A001", "A002")).write_text(text, encoding="utf-8")
    assert signed.run("run").code == 1
    rows = signed.made("approval_states")["data"]["approvals"]
    assert [row["state"] for row in rows] == ["duplicate", "duplicate"]
    assert [row["signature"] for row in rows] == ["valid", "invalid"]


def test_the_command_asks_for_the_approvers_own_key(signing, keys):
    said = signing.run("approve", "next_open_plan", *WHO)
    assert (said.code, "asks for a signature" in said.err) == (1, True)
    said = signing.run("approve", "next_open_plan", *WHO, "--key", keys / "stranger.pem")
    assert (said.code, "a key that governance does not list for Kim Mina" in said.err) == (1, True)
    someone = ("--by", "Park Jisoo", *WHO[2:])
    said = signing.run("approve", "next_open_plan", *someone, "--key", keys / "kim.pem")
    assert (said.code, "does not list for Park Jisoo" in said.err) == (1, True)
    said = signing.run("approve", "next_open_plan", *WHO, "--key", keys / "no.pem")
    assert (said.code, "holds no unencrypted Ed25519 private key" in said.err) == (2, True)
    assert not list((signing.root / "governance/approvals").glob("A*"))
    said = signing.run("approve", "next_open_plan", *WHO, "--key", keys / "kim.pem", "--dry-run")
    assert (said.code, "signed   with the key " in said.out) == (0, True)


def test_a_listed_key_that_is_none_stops_the_run_and_says_where(signed):
    path = signed.root / "governance/approval_policy.yaml"
    path.write_text(path.read_text().replace("MCowBQYDK2VwAyEA", "AAAA"))
    said = signed.run("run")
    assert (said.code, "approval_policy.yaml:" in said.err, "/signers/0/public_key" in said.err) == (2, True, True)


def test_a_package_holds_the_signed_approval_and_what_was_approved(signed):
    assert signed.run("package").code == 0
    (path,) = (signed.root / "Temp/packages").iterdir()
    with zipfile.ZipFile(path) as file:
        assert {FILE, FILE.replace(".yaml", ".packet.json")} <= set(file.namelist())
    assert signed.run("verify", path).code == 0
