import json

import pytest

from quantassay.harness import canonical, ledger

AT = "2026-11-18T06:50:00+00:00"


def digest(letter):
    return "sha256:" + letter * 64


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "gate_ledger.jsonl"


@pytest.fixture
def three(path):
    for letter in "abc":
        ledger.append(path, digest(letter), "passed", AT)
    return path


def lines(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write(path, rows):
    path.write_bytes(b"".join(row if isinstance(row, bytes) else canonical.dumps(row) for row in rows))


def reseal(row):
    body = {key: value for key, value in row.items() if key != "line"}
    return {**body, "line": canonical.digest(body)}


def test_the_first_line_begins_the_chain(path):
    entry = ledger.append(path, digest("a"), "failed", AT)
    (line,) = lines(path)
    body = {"seq": 1, "at": AT, "record": digest("a"), "status": "failed", "previous": None}
    assert line == {**body, "line": canonical.digest(body)}
    assert entry == ledger.Entry(1, AT, digest("a"), "failed", None, line["line"])
    assert ledger.check(path) == []


def test_each_line_is_chained_to_the_one_before(three):
    found = lines(three)
    assert [line["seq"] for line in found] == [1, 2, 3]
    assert [line["previous"] for line in found] == [None, found[0]["line"], found[1]["line"]]
    assert ledger.check(three) == []
    assert ledger.last(three).record == digest("c")


def test_the_same_record_is_not_written_twice_in_a_row(three):
    before = three.read_bytes()
    assert ledger.append(three, digest("c"), "passed", "2026-11-19T00:00:00+00:00") is None
    assert three.read_bytes() == before
    assert ledger.append(three, digest("a"), "passed", AT).seq == 4


def test_no_part_of_a_file_is_left_behind(three):
    assert [one.name for one in three.parent.iterdir()] == ["gate_ledger.jsonl"]


def test_a_ledger_without_a_line_is_not_in_order(path):
    assert ledger.last(path) is None
    assert ledger.check(path) == ["gate_ledger.jsonl holds no line; the first `assay gate` writes one"]
    path.parent.mkdir()
    path.touch()
    assert len(ledger.check(path)) == 1


@pytest.mark.parametrize("member", ["seq", "at", "record", "status", "previous"])
def test_a_changed_member_is_found_at_its_line(three, member):
    rows = lines(three)
    rows[1][member] = 7 if member == "seq" else digest("f")
    write(three, rows)
    (problem,) = ledger.check(three)
    assert problem.startswith("gate_ledger.jsonl:2: has been changed")


def test_any_changed_byte_is_found(three):
    good = three.read_bytes()
    assert ledger.check(Memory(good)) == []
    for at, byte in enumerate(good):
        for other in {byte ^ 1, ord(" "), ord("\n"), ord("0"), 0xFF} - {byte}:
            bad = good[:at] + bytes([other]) + good[at + 1 :]
            assert ledger.check(Memory(bad)), (at, other)


def test_any_byte_put_in_is_found(three):
    good = three.read_bytes()
    for at in range(len(good) + 1):
        for byte in b" \n0":
            assert ledger.check(Memory(good[:at] + bytes([byte]) + good[at:])), (at, byte)


class Memory:
    """As much of a path as reading a ledger needs."""

    name = "gate_ledger.jsonl"

    def __init__(self, data):
        self.data = data

    def read_bytes(self):
        return self.data


def test_a_line_changed_and_sealed_anew_breaks_the_chain_at_the_next(three):
    rows = lines(three)
    rows[1] = reseal({**rows[1], "status": "failed"})
    write(three, rows)
    (problem,) = ledger.check(three)
    assert problem.startswith("gate_ledger.jsonl:3: does not follow from the line before it")


@pytest.mark.parametrize(
    ("keep", "where"),
    [((1, 2), 1), ((0, 2), 2), ((0, 0, 1), 2), ((1, 0), 1)],
    ids=["first gone", "middle gone", "doubled", "swapped"],
)
def test_lines_that_are_gone_doubled_or_swapped_are_found(three, keep, where):
    rows = lines(three)
    write(three, [rows[i] for i in keep])
    (problem,) = ledger.check(three)
    assert problem.startswith(f"gate_ledger.jsonl:{where}: ")


def test_a_renumbered_chain_without_its_beginning_is_found(three):
    rows = lines(three)
    write(three, [reseal({**rows[1], "seq": 1})])
    (problem,) = ledger.check(three)
    assert problem.startswith("gate_ledger.jsonl:1: does not follow")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (b"not json\n", "is not JSON"),
        (b"\n", "is not JSON"),
        (b"[]\n", "is no line of a gate ledger"),
        (b'{"seq":1}\n', "is no line of a gate ledger"),
        (b'{"seq":1,"seq":2}\n', "is not JSON"),
        (b'{"at":"","line":"","previous":null,"record":"","seq":9007199254740993,"status":""}\n', "is not canonical"),
        (reseal({"seq": 2, "at": AT, "record": "r", "status": "s", "previous": None, "note": 1}), "is no line"),
    ],
)
def test_what_is_no_line_is_found_and_nothing_is_chained_to_it(three, row, says):
    rows = lines(three)
    write(three, [rows[0], row])
    before = three.read_bytes()
    (problem,) = ledger.check(three)
    assert problem.startswith(f"gate_ledger.jsonl:2: {says}")
    assert ledger.last(three) is None
    with pytest.raises(ledger.LedgerBroken, match=r"line 2 .*move it aside"):
        ledger.append(three, digest("d"), "passed", AT)
    assert three.read_bytes() == before


def test_a_line_cut_off_at_any_byte_is_reported_and_kept(three):
    whole = three.read_bytes()
    first_two = b"".join(line + b"\n" for line in whole.splitlines()[:2])
    third = whole[len(first_two) :]
    for cut in range(1, len(third) - 1):
        three.write_bytes(first_two + third[:cut])
        (problem,) = ledger.check(three)
        assert problem == "gate_ledger.jsonl:3: cut off by a crash; the next `assay gate` keeps what is left"
        assert ledger.last(three).record == digest("b")
        entry = ledger.append(three, digest("c"), "passed", AT)
        assert (entry.seq, entry.cut) == (3, third[:cut].decode())
        assert three.read_bytes().startswith(first_two)
        assert ledger.check(three) == []


def test_a_cut_line_is_kept_even_when_the_record_is_not_new(three):
    three.write_bytes(three.read_bytes() + b'{"at":"\xff')
    entry = ledger.append(three, digest("c"), "passed", AT)
    assert (entry.seq, entry.cut) == (4, '{"at":"\\xff')
    assert ledger.check(three) == []


def test_a_last_line_that_lacks_only_its_newline_is_whole(three):
    whole = three.read_bytes()
    three.write_bytes(whole[:-1])
    assert ledger.check(three) == []
    assert ledger.append(three, digest("c"), "passed", AT) is None
    assert ledger.append(three, digest("d"), "passed", AT).seq == 4
    assert three.read_bytes().startswith(whole)
    assert ledger.check(three) == []


def test_a_ledger_that_is_nothing_but_a_cut_line_begins_anew_with_it(path):
    path.parent.mkdir()
    path.write_bytes(b'{"at":')
    assert len(ledger.check(path)) == 1
    entry = ledger.append(path, digest("a"), "passed", AT)
    assert (entry.seq, entry.previous, entry.cut) == (1, None, '{"at":')
    assert ledger.check(path) == []


def test_lines_missing_at_the_end_show_when_the_record_at_hand_is_asked_for(three):
    write(three, lines(three)[:2])
    assert ledger.check(three) == []
    assert ledger.last(three).record != digest("c")


def test_nothing_is_chained_to_a_ledger_that_was_changed_further_up(three):
    rows = lines(three)
    rows[0]["status"] = "failed"
    write(three, rows)
    before = three.read_bytes()
    with pytest.raises(ledger.LedgerBroken, match="line 1 has been changed") as raised:
        ledger.append(three, digest("d"), "passed", AT)
    assert raised.value.exit_code == 1
    assert three.read_bytes() == before
