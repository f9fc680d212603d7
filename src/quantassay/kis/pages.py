"""Every page of an answer, or a refusal: an account of which a page is missing is never taken for a smaller one."""

import json
from collections.abc import Mapping, Sequence

from quantassay.kis.client import Client, Reply
from quantassay.kis.endpoints import Call, page_rows
from quantassay.kis.unreadable import KisUnreadable

MOST_PAGES = 100
_ROWS = "output1"
_CONTINUES = "KIOK0500"


def pages(client: Client, call: Call, query: Mapping[str, str]) -> Sequence[Reply]:
    """All pages in order. Raises KisUnreadable where one fails, comes twice, or is due and cannot be asked for."""
    found: list[Reply] = []
    seen: set[str] = set()
    names = (f"CTX_AREA_FK{call.context}", f"CTX_AREA_NK{call.context}")
    keys, cont = ("", ""), ""
    while len(found) < MOST_PAGES:
        reply = client.get(call, {**query, **dict(zip(names, keys, strict=True))}, cont)
        found.append(reply)
        rows = reply.body.get(_ROWS)
        content = json.dumps(rows, sort_keys=True, default=str)
        if rows and content in seen:
            raise KisUnreadable(call.name, f"page {len(found)} repeats a page before it")
        seen.add(content)
        if not reply.more:
            _check_end(client, call, reply, len(found))
            return found
        before, keys, cont = keys, _keys(reply, call), "N"
        if not keys[1].strip() or keys == before:
            raise KisUnreadable(call.name, f"page {len(found)} says that more is due and not where it goes on")
    raise KisUnreadable(call.name, f"there are more than {MOST_PAGES} pages")


def _keys(reply: Reply, call: Call) -> tuple[str, str]:
    first, following = (reply.body.get(f"ctx_area_{part}{call.context}") for part in ("fk", "nk"))
    if not isinstance(first, str) or not isinstance(following, str):
        return "", ""
    # Blanks fill the keys up; they may be sent back or left out.
    return first.rstrip(), following.rstrip()


def _check_end(client: Client, call: Call, reply: Reply, number: int) -> None:
    """That the last page can be the last. Raises KisUnreadable."""
    if reply.code == _CONTINUES:
        raise KisUnreadable(call.name, f"page {number} is marked as the last and says that it goes on")
    if reply.marked:
        return
    rows = reply.body.get(_ROWS)
    full = page_rows(call, client.connection)
    if _keys(reply, call)[1].strip() or (full and isinstance(rows, list) and len(rows) >= full):
        raise KisUnreadable(call.name, f"page {number} does not say whether more is due, and looks as if it were")
