"""Journals of tests/data/journals: their events as builders and gates are handed them, and put into a real journal.

clean            a sell, then two buys, all filled
part_filled      a rest that was cancelled and tried again, a buy that was throttled once, an order that was refused
unknown_resolved two buys without an answer: a person says that one was placed and that the other was not
left_open        a buy without an answer and a break, in the middle of a run
cleared          a person sells all that the account holds, without a plan of the gate
break            a name that is locked, cleared by a person, and bought when the run goes on
manual_trade     somebody sells by hand while the run goes on
halt             buys are halted between the sells and the buys, and go on after the halt was taken back
two_sessions     the clean one, and the session after it with an amount that was inferred from the holdings
"""

import json
from datetime import datetime
from pathlib import Path

from quantassay.domain.trading.orders import Event, Intent, Key
from quantassay.store.journal import Journal
from quantassay.store.journal_lines import GENESIS, Line, canonical, digest_of

FOLDER = Path(__file__).parents[1] / "data" / "journals"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def rows(name):
    """The events of a journal of tests/data/journals, without digests; none for the name `empty`."""
    return [] if name == "empty" else json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def handed(events, problems=()):
    """What a builder is handed of a journal of these events: each with its number and its digest."""
    told, previous = [], GENESIS
    for seq, row in enumerate(events, 1):
        event = Event(seq, datetime.fromisoformat(row["at"]), row["kind"], row["account"], row["order"], row["body"])
        previous = digest_of(Line(event, row["at"], canonical(row["body"]), ""), previous)
        told.append({**row, "seq": seq, "digest": previous})
    head = {"seq": len(told), "digest": previous or None}
    return {"events": told, "head": head, "problems": list(problems)}


def journal(name):
    """What a builder is handed of a journal of tests/data/journals."""
    return handed(rows(name))


def write(path, events):
    """Put these events into a real journal, each by the method that its kind has, so that it may refuse them."""
    with Journal(path) as real:
        for row in events:
            at, kind, body = datetime.fromisoformat(row["at"]), row["kind"], row["body"]
            fence = real.desk().fence(row["account"]) if row["account"] else None
            if kind == "lease":
                real.take(at, row["account"], body["owner"])
            elif kind == "intent":
                real.intend(at, _intent(row), fence)
            elif kind == "sent":
                real.send(at, row["order"], fence, datetime.fromisoformat(body["deadline"]))
            else:
                real.append(at, kind, account=row["account"], order=row["order"], body=body)


def _intent(row):
    body = row["body"]
    key = Key(row["account"], body["plan"], body["line"], body["attempt"])
    rest = ("ticker", "side", "quantity", "limit_price", "reference_price", "before", "certificate")
    return Intent(key, *(body[name] for name in rest))
