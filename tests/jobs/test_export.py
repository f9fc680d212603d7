"""The export command: what the desk uses now as canonical JSON, on the terminal or in a file that is replaced whole."""

import json
from pathlib import Path

import yaml

from quantassay.harness import canonical, schemas

SCHEMAS = Path(__file__).parents[2] / "spec/schemas"


def schema(name):
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def spec(desk, file):
    return yaml.safe_load((desk.root / f"spec/{file}.yaml").read_text(encoding="utf-8"))


def test_the_account_fits_its_schema_and_is_the_one_that_the_desk_uses(new_desk):
    said = new_desk.run("export", "account-snapshot")
    assert (said.code, said.err) == (0, "")
    account = json.loads(said.out)
    assert said.out.encode() == canonical.dumps(account)
    assert schemas.validate(schema("accounts"), {"accounts": [account]}) == []
    assert account == spec(new_desk, "20_accounts")["accounts"][0]


def test_the_settings_fit_their_schemas_and_are_those_of_the_specs(new_desk):
    said = new_desk.run("export", "settings")
    assert (said.code, said.err) == (0, "")
    settings = json.loads(said.out)
    assert said.out.encode() == canonical.dumps(settings)
    assert {"desk", "hsms", "next_open", "costs"} <= set(settings)
    assert not {"accounts", "reports", "workspace"} & set(settings)
    files = {path.stem[3:]: path.stem for path in (new_desk.root / "spec").glob("*.yaml")}
    for name, value in settings.items():
        assert schemas.validate(schema(name), value) == []
        assert value == spec(new_desk, files[name])


def test_a_file_is_replaced_whole_and_only_when_something_changed(new_desk, edit):
    out = new_desk.root / "out/settings.json"
    first = new_desk.run("export", "settings", "--out", out)
    assert (first.code, first.out) == (0, f"{out}: written\n")
    assert out.read_bytes() == new_desk.run("export", "settings").out.encode()
    before = out.stat().st_mtime_ns
    assert new_desk.run("export", "settings", "-o", out).out == f"{out}: unchanged\n"
    assert out.stat().st_mtime_ns == before
    edit(new_desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    assert new_desk.run("-q", "export", "settings", "--out", out).out == ""
    assert json.loads(out.read_bytes())["next_open"]["limits"]["max_positions"] == 7
    assert [path.name for path in out.parent.iterdir()] == ["settings.json"]


def test_an_export_builds_nothing(new_desk):
    assert new_desk.run("export", "account-snapshot", "--format", "json").code == 0
    assert not (new_desk.root / "Temp/next_open_plan_v1.json").exists()


def test_the_digests_of_the_exports_are_those_of_the_packet(desk):
    packet = desk.made("snapshot_admin_approval_packet")["data"]
    for name, digest in (("account-snapshot", "account_digest"), ("settings", "settings_digest")):
        assert canonical.sha256(desk.run("export", name).out.encode()) == packet[digest]


def test_what_cannot_be_exported_is_one_sentence(new_desk, edit):
    for out in (new_desk.root / "spec/10_desk.yaml/x.json", new_desk.root / "spec"):
        said = new_desk.run("export", "settings", "--out", out)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("assay: ")
        assert said.err.count("\n") == 1
    edit(new_desk, "spec/10_desk.yaml", "account: auto", "account: nobody")
    said = new_desk.run("export", "account-snapshot")
    assert (said.code, said.out) == (2, "")
    assert "names the account 'nobody'; spec/20_accounts.yaml has sample, desk" in said.err
