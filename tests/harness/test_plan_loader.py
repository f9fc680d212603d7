"""The door that only a plan behind a passed gate gets through, and everything that has been tried against it."""

import io
import json
import zipfile

import pytest

from quantassay.harness import canonical, dsse, package, plan_loader
from quantassay.harness.plan_loader import PlanRefused, Trust

PLAN = "next_open_plan"


def put(folder, files):
    """The artifacts of a package as they lie in Temp/, and the trust of the workspace that made them."""
    for name, data in files.items():
        if name.startswith("artifacts/"):
            (folder / name.removeprefix("artifacts/")).write_bytes(data)
    return folder / f"{PLAN}_v1.json", Trust(canonical.sha256(files["artifacts/gate_record_v1.json"]))


def load(path, trust, marks=("SAMPLE",), **more):
    return plan_loader.load(path, PLAN, trust, marks, **more)


def test_a_plan_behind_a_passed_gate_is_loaded(tmp_path, desk):
    path, trust = put(tmp_path, desk())
    plan = load(path, trust)
    assert plan.data["orders"][0]["quantity"] == 10
    assert plan.digest == canonical.sha256(path.read_bytes())
    assert plan.record == trust.newest_record


def test_the_gate_record_may_lie_elsewhere(tmp_path, desk):
    path, trust = put(tmp_path, desk())
    moved = (tmp_path / "gate_record_v1.json").rename(tmp_path / "record.json")
    assert load(path, trust, record=moved).record == trust.newest_record
    with pytest.raises(PlanRefused, match=r"gate_record_v1.json cannot be read"):
        load(path, trust)


def test_a_failed_gate_lets_no_plan_through(tmp_path, desk):
    path, trust = put(tmp_path, desk(quantity=11))
    with pytest.raises(PlanRefused, match="gate record says 'failed'"):
        load(path, trust)


def test_a_mark_must_be_allowed(tmp_path, desk):
    path, trust = put(tmp_path, desk())
    with pytest.raises(PlanRefused, match="it is marked SAMPLE"):
        load(path, trust, marks=())


def edited(path, edit, *, canonically=True):
    value = json.loads(path.read_bytes())
    edit(value)
    path.write_bytes(canonical.dumps(value) if canonically else json.dumps(value).encode())


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda p: p["data"]["orders"][0].update(quantity=20), "does not name these bytes"),
        (lambda p: p.update(marks=[]), "does not name these bytes"),
        (lambda p: p.update(as_of="2026-11-19T15:45:00+09:00"), "does not name these bytes"),
        (lambda p: p.update(artifact="signals"), "holds the artifact 'signals' where next_open_plan must be"),
        (lambda p: p.update(audit_only=False), "is AUDIT-ONLY"),
        (lambda p: p.pop("marks"), "not in the form of an artifact"),
    ],
)
def test_an_edited_plan_is_refused(tmp_path, desk, edit, why):
    path, trust = put(tmp_path, desk())
    edited(path, edit)
    with pytest.raises(PlanRefused, match=why):
        load(path, trust)


def test_other_bytes_of_the_same_plan_are_refused(tmp_path, desk):
    path, trust = put(tmp_path, desk())
    edited(path, lambda p: p, canonically=False)
    with pytest.raises(PlanRefused, match="not as the build writes them"):
        load(path, trust)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"a":1,"a":1}\n', b'{"data":NaN}\n', b"\xff"])
def test_what_is_no_artifact_is_refused(tmp_path, desk, data):
    path, trust = put(tmp_path, desk())
    path.write_bytes(data)
    with pytest.raises(PlanRefused, match=r"no JSON|not in the form"):
        load(path, trust)


def test_a_gate_record_that_is_edited_or_older_or_of_elsewhere_is_refused(tmp_path, desk):
    path, trust = put(tmp_path, desk(quantity=11))
    record = tmp_path / "gate_record_v1.json"
    edited(record, lambda r: r["data"].update(status="passed"))
    with pytest.raises(PlanRefused, match="not the newest one in this workspace's ledger"):
        load(path, trust)
    other = tmp_path / "other"
    other.mkdir()
    put(other, desk(quantity=20))
    with pytest.raises(PlanRefused, match="not the newest one"):
        load(path, trust, record=other / "gate_record_v1.json")
    with pytest.raises(PlanRefused, match="ledger holds no gate record"):
        load(path, Trust(None))


def test_a_passed_record_of_another_plan_is_refused(tmp_path, desk):
    bad, _ = put(tmp_path, desk(quantity=11))
    good = tmp_path / "good"
    good.mkdir()
    _, trust = put(good, desk())
    with pytest.raises(PlanRefused, match="does not name these bytes"):
        load(bad, trust, record=good / "gate_record_v1.json")


def packed(tmp_path, files, facts, seal=None, name="plan.zip"):
    path = tmp_path / name
    path.write_bytes(package.build(files, facts, seal))
    return path


def test_a_package_of_this_workspace_is_loaded(tmp_path, desk, facts):
    _, trust = put(tmp_path, desk())
    assert load(packed(tmp_path, desk(), facts), trust).data["orders"][0]["quantity"] == 10


def test_a_package_of_elsewhere_needs_a_trusted_signature(tmp_path, desk, facts, keys):
    private, public = keys
    signed = packed(tmp_path, desk(), facts, lambda statement: dsse.sign(statement, private))
    assert load(signed, Trust(None, (public,))).data["orders"]
    for trust, path in (
        (Trust(None), signed),
        (Trust("sha256:00", (public,)), packed(tmp_path, desk(), facts, None, "b.zip")),
    ):
        with pytest.raises(PlanRefused, match="ledger"):
            load(path, trust)


def test_a_package_that_was_changed_is_refused(tmp_path, signed_members, keys):
    name = "artifacts/next_open_plan_v1.json"
    changed = {**signed_members, name: signed_members[name].replace(b'"quantity":10', b'"quantity":90')}
    path = tmp_path / "plan.zip"
    path.write_bytes(package.archive(changed))
    with pytest.raises(PlanRefused, match=r"was changed after it was packaged|not the one that the gate judged"):
        load(path, Trust(None, (keys[1],)))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PlanRefused):
        load(path, Trust(None, (keys[1],)))


@pytest.fixture(params=[10, 11], ids=["behind a passed gate", "behind a failed gate"])
def audit(request, tmp_path, desk, facts, keys):
    """An audit-only package, signed by a trusted key, in a workspace whose ledger holds its gate record."""
    files = desk(quantity=request.param)
    _, trust = put(tmp_path, files)
    path = tmp_path / "AUDIT-ONLY-plan.zip"
    path.write_bytes(package.build_audit_only(files, facts, lambda statement: dsse.sign(statement, keys[0])))
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    return path, members, Trust(trust.newest_record, (keys[1],))


def test_an_audit_only_package_is_refused_under_any_name(audit):
    path, _, trust = audit
    with pytest.raises(PlanRefused, match="AUDIT-ONLY"):
        load(path, trust)
    with pytest.raises(PlanRefused, match="AUDIT-ONLY"):
        load(path.rename(path.with_name("plan.zip")), trust)


def test_an_audit_only_plan_is_refused_taken_out_stripped_and_edited(audit, tmp_path):
    _, members, trust = audit
    path = tmp_path / "next_open_plan_v1.json"
    wrapped = members["artifacts/next_open_plan_v1.audit.json"]
    path.write_bytes(wrapped)
    with pytest.raises(PlanRefused, match="is AUDIT-ONLY"):
        load(path, trust)
    edited(path, lambda p: p.update(audit_only=False))
    with pytest.raises(PlanRefused, match="is AUDIT-ONLY"):
        load(path, trust)
    path.write_bytes(canonical.dumps(json.loads(wrapped)["would_have_been"]))
    with pytest.raises(PlanRefused, match="is AUDIT-ONLY"):
        load(path, trust, marks=("SAMPLE", "AUDIT-ONLY"))


def test_an_audit_only_package_with_its_flag_edited_is_refused(audit, tmp_path):
    _, members, trust = audit
    manifest = json.loads(members["manifest.json"])
    manifest["predicate"]["audit_only"] = False
    path = tmp_path / "plan.zip"
    path.write_bytes(package.archive(members | {"manifest.json": canonical.dumps(manifest)}))
    with pytest.raises(PlanRefused, match=r"is over another manifest|AUDIT-ONLY"):
        load(path, trust)
    unsigned = {n: d for n, d in members.items() if n != "manifest.dsse.json"}
    path.write_bytes(package.archive(unsigned | {"manifest.json": canonical.dumps(manifest)}))
    with pytest.raises(PlanRefused, match=r"AUDIT-ONLY|no gate record"):
        load(path, trust)


def test_with_the_last_mark_cut_out_the_gate_record_still_decides(audit, tmp_path):
    _, members, trust = audit
    plan = json.loads(members["artifacts/next_open_plan_v1.audit.json"])["would_have_been"]
    plan["marks"].remove("AUDIT-ONLY")
    quantity = plan["data"]["orders"][0]["quantity"]
    path = tmp_path / "next_open_plan_v1.json"
    path.write_bytes(canonical.dumps(plan))
    if quantity == 10:
        # Every trace of the packaging is gone: these are the bytes that the gate of this very workspace passed.
        assert load(path, trust).data == plan["data"]
        with pytest.raises(PlanRefused, match="not the newest"):
            load(path, Trust("sha256:00", trust.public_keys))
    else:
        with pytest.raises(PlanRefused, match="gate record says 'failed'"):
            load(path, trust)


def test_a_file_that_is_not_there_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(PlanRefused, match="cannot be read") as refused:
        load(tmp_path / "none.json", Trust(None))
    assert refused.value.exit_code == 1
    assert "\n" not in str(refused.value)
    with pytest.raises(PlanRefused, match="cannot be read"):
        load(tmp_path, Trust(None))


def test_a_zip_that_holds_no_plan_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a", b"")
    path = tmp_path / "a.zip"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(PlanRefused, match=r"manifest.json"):
        load(path, Trust(None))
