"""Change notes: each is known by what it says, and only those of the run's day or before count."""

import copy

from quantassay.domain.calibration import notes
from quantassay.domain.calibration.digest import digest

FIRST = {
    "id": "C0001",
    "date": "2026-11-18",
    "author": "Kim Mina",
    "previous": None,
    "reason": "The values with which the desk begins.",
    "changes": [
        {"threshold": "hsms.volume_multiple", "from": None, "to": "EXPERT_PRIOR", "value": "1.10"},
        {"threshold": "hsms.volume_window", "from": None, "to": "EXPERT_PRIOR", "value": 20},
    ],
}
SECOND = {
    "id": "C0002",
    "date": "2026-11-20",
    "author": "Kim Mina",
    "previous": digest(FIRST),
    "reason": "A sample of forty events was read one by one.",
    "changes": [
        {
            "threshold": "hsms.volume_multiple",
            "from": "EXPERT_PRIOR",
            "to": "PROVISIONAL",
            "value": "1.1",
            "sample_note": "Forty events of 2026.",
            "sample_n": 40,
            "mean_return": "0.004",
            "evidence": "sha256:" + "0" * 64,
        }
    ],
}


def test_each_note_has_the_digest_that_the_next_one_names():
    one, two = notes.chain([FIRST, SECOND], "2026-11-20")
    assert two.previous == one.digest == digest(FIRST)
    assert notes.head([one, two]) == digest(SECOND)
    assert notes.head([]) is None


def test_another_word_makes_another_digest():
    edited = copy.deepcopy(FIRST)
    edited["changes"][1]["value"] = 21
    one, two = notes.chain([edited, SECOND], "2026-11-20")
    assert two.previous != one.digest


def test_a_note_of_a_later_day_does_not_count():
    assert [one.counts for one in notes.chain([FIRST, SECOND], "2026-11-20")] == [True, True]
    assert [one.counts for one in notes.chain([FIRST, SECOND], "2026-11-19")] == [True, False]


def test_a_change_is_read_whole():
    told = notes.told_of("hsms.volume_multiple", notes.chain([FIRST, SECOND], "2026-11-20"))
    assert [(one.note, one.before, one.status, one.value) for one in told] == [
        ("C0001", None, "EXPERT_PRIOR", "1.10"),
        ("C0002", "EXPERT_PRIOR", "PROVISIONAL", "1.1"),
    ]
    assert (told[0].sample_note, told[0].sample_n, told[0].evidence) == (None, None, None)
    last = told[1]
    assert (last.date, last.sample_note, last.sample_n, last.mean_return) == (
        "2026-11-20",
        "Forty events of 2026.",
        40,
        "0.004",
    )
    assert last.backtest_note is None
    assert notes.told_of("hsms.sell_band", notes.chain([FIRST], "2026-11-20")) == []


def test_ids_follow_one_another():
    assert notes.next_id([]) == "C0001"
    assert notes.next_id(notes.chain([FIRST, SECOND], "2026-11-20")) == "C0003"
