"""A journal with two orders and a halt in it: one order was acknowledged, the answer to the other was lost."""

from datetime import datetime, timedelta

from quantassay.domain.trading.orders import Intent, Key
from quantassay.store.journal import Journal

AT = datetime.fromisoformat("2026-11-19T09:01:00.123456+09:00")
LATER = AT + timedelta(seconds=30)
PLAN = "sha256:" + "ab" * 32
BY = {"by": "Kim Mina", "why": "a wrong price \u2013 \uc0bc\uc131"}


def intent(line=0, attempt=1, **changes):
    told = {"ticker": f"{line:06d}", "side": "buy", "quantity": 10, "limit_price": 1_000, "reference_price": 990}
    return Intent(Key("desk", PLAN, line, attempt), before={"held": 0}, certificate={"host": "paper"}, **told | changes)


def name(line=0, attempt=1):
    return Key("desk", PLAN, line, attempt).order


def day(path):
    """A journal with something of everything in it."""
    with Journal(path) as journal:
        fence = journal.take(AT, "desk", "somebody")
        for line, (kind, body) in enumerate(
            [
                ("ack", {"number": "7", "branch": "1", "day": "2026-11-19"}),
                ("unknown", {"why": "no answer"}),
            ]
        ):
            journal.intend(AT, intent(line), fence)
            journal.send(AT, name(line), fence, LATER)
            journal.append(LATER, kind, account="desk", order=name(line), body=body)
        journal.append(LATER, "halt", body={**BY, "level": "buys"})
    return path
