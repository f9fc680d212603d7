"""A number from a folder of governance is explained by the file and line that it stands on; an empty folder is said."""

import pytest

from quantassay.jobs import probe

ATTEMPT = {
    "id": "P0001",
    "gap": "S5",
    "date": "2026-11-20",
    "at": "2026-11-20T01:00:00+00:00",
    "by": "assay probe",
    "procedure": "posted to https://example.org/, without a login: short balance",
    "login": False,
    "outcome": "login_required",
    "status": 400,
    "says": "short balance: HTTP 400",
    "answers": [{"request": "short balance", "outcome": "login_required", "status": 400, "rows": None, "says": "x"}],
    "transcript": {"file": "P0001_S5_20261120T010000Z.json", "digest": f"sha256:{'a' * 64}", "bytes": 9},
    "previous": None,
}
BODY = 'return {"rows": [{"id": a["id"], "status": a["status"]} for a in gap_attempts], "count": len(gap_attempts)}'
ORIGINS = 'ORIGINS = {"/rows/*/status": ["gap_attempts:/{id}/status"], "/count": ["gap_attempts:"]}\n'


@pytest.fixture
def tried(toy):
    toy.builder("tries", "gap_attempts", BODY, ORIGINS)
    return toy


def test_the_file_and_the_line(tried):
    for name in ("P0001", "P0002"):
        tried.write(f"governance/data_gaps/attempts/{name}_S5.yaml", probe.yaml_text(ATTEMPT | {"id": name}))
    assert tried.run("build").code == 0
    said = tried.run("explain", "tries#/rows/1/status")
    assert (said.code, said.err) == (0, "")
    assert "governance/data_gaps/attempts/P0002_S5.yaml:9:9 gap_attempts:/P0002/status = 400" in said.out
    assert "governance/data_gaps/attempts/ holds 2 files" in tried.run("explain", "tries#/count").out


def test_an_empty_folder(tried):
    assert tried.run("build").code == 0
    said = tried.run("explain", "tries#/count")
    assert said.code == 0
    assert "governance/data_gaps/attempts/ holds 0 files" in said.out
