"""The specs command: all that is wrong in the workspace, or in a folder against a schema; exit 2 where anything is."""

import json

SCHEMA = '{"type": "object", "required": ["lot"], "additionalProperties": false, "properties": {"lot": {"minimum": 1}}}'


def test_a_folder_against_a_schema(done, tmp_path):
    schema = done.write("lots.schema.json", SCHEMA)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/b.yaml").write_text("lot: 0\n")
    (tmp_path / "in/a.yaml").write_text("lots: 1\n")
    said = done.run("specs", "check", tmp_path / "in", "--schema", schema)
    assert said.code == 2
    assert [line.partition(": ")[0] for line in said.out.splitlines() if ".yaml:" in line] == [
        f"{tmp_path}/in/a.yaml:1:1",
        f"{tmp_path}/in/a.yaml:1:1",
        f"{tmp_path}/in/b.yaml:1:6",
    ]
    assert said.out.endswith("2 files checked, 3 problems\n")
    (tmp_path / "in/a.yaml").write_text("lot: 1\n")
    alone = done.run("specs", "check", tmp_path / "in/a.yaml", "--schema", schema)
    assert (alone.code, alone.out) == (0, "1 files checked, 0 problems\n")


def test_json_rows(done, tmp_path):
    schema = done.write("lots.schema.json", SCHEMA)
    (tmp_path / "a.yaml").write_text("lot: 0\n")
    told = json.loads(done.run("specs", "check", tmp_path / "a.yaml", "--schema", schema, "--format", "json").out)
    assert told["files"] == 1
    assert [(row["line"], row["column"]) for row in told["problems"]] == [(1, 6)]


def test_wrong_use(done, tmp_path):
    schema = done.write("lots.schema.json", SCHEMA)
    for arguments in ([tmp_path], ["--schema", schema], [tmp_path, "--schema", schema]):
        said = done.run("specs", "check", *arguments)
        assert (said.code, said.out) == (2, "")
    wrong = done.write("wrong.schema.json", '{"minimun": 1}')
    (tmp_path / "a.yaml").write_text("lot: 0\n")
    said = done.run("specs", "check", tmp_path, "--schema", wrong)
    assert (said.code, "minimun" in said.err, "Traceback" in said.err) == (2, True, False)
