"""No login or account number stands in spec or governance, and a real account or a login needs an approval in force.

They are decisions of the account's owner, and none of them may be made by accident.
"""

import re
from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R06.1", "R06.2", "R06.3"]
# Compared with a key's letters and digits only, so that appKey, app_key and KIS_APP_KEY are one.
SECRET_KEY = re.compile(
    r"(krxid|krxpw|appkey|appsecret|apikey|secret|token|password|passwd|^cano|accountno|accountnumber)s?$"
)
SECRET_TEXT = re.compile(
    r"(krx_?(id|pw)|app_?(key|secret)|api_?key|secret|token|password|passwd)\s*[=:]\s*\S{4}|\beyJ[\w-]{8,}\.[\w-]+\.",
    re.IGNORECASE,
)


def check(
    documents: dict[str, Any],
    account_snapshot: dict[str, Any],
    credentials: dict[str, list[dict[str, Any]]],
    approval_states: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each key and each text of every spec and governance file, each account's environment, each credential."""
    told, approved = _approvals(approval_states, "account")
    for name, document in {**documents, "account_snapshot": account_snapshot}.items():
        for pointer, key, value, owner in _members(document, ""):
            if name != "account_snapshot":
                yield _no_secret(name, pointer, key, value)
            if key == "environment":
                account = str(owner.get("id", "without an id"))
                refused = value == "real" and account not in approved
                says = f"the account {account} is real, and no approval in force names it{told.get(account, '')}"
                yield judged(pointer, ok=not refused, says=says, artifact=name, rule="R06.2")
    told, approved = _approvals(approval_states, "credential")
    for index, one in enumerate(credentials["credentials"]):
        login, pointer = one["id"], f"/credentials/{index}/status"
        ok = one["status"] == "refused" or login in approved
        says = f"the credential {login} is allowed, and no approval in force names it{told.get(login, '')}"
        yield judged(pointer, ok=ok, says=says, artifact="credentials", rule="R06.3")


def _approvals(approval_states: dict[str, Any], subject: str) -> tuple[dict[str, str], set[str]]:
    """What is said of each name's approvals that do not count, and the names that have one that does."""
    mine = [one for one in approval_states["approvals"] if one["subject"] == subject]
    told: dict[str, str] = {}
    for one in mine:
        told[one["name"]] = f"{told.get(one['name'], '')} ({one['id']}: {one['why']})"
    return told, {one["name"] for one in mine if one["state"] == "in_force"}


def _no_secret(name: str, pointer: str, key: str, value: Any) -> Judged:
    # What was found is never repeated: findings are printed, packaged and mailed.
    letters = re.sub(r"[^a-z0-9]", "", key.lower())
    if SECRET_KEY.search(letters):
        return judged(pointer, ok=False, says=f"the key {key!r} is for a credential", artifact=name, rule="R06.1")
    found = isinstance(value, str) and SECRET_TEXT.search(value) is not None
    return judged(pointer, ok=not found, says="the text holds a credential", artifact=name, rule="R06.1")


def _members(value: Any, pointer: str) -> Iterator[tuple[str, str, Any, dict[str, Any]]]:
    """(pointer, key, value, owner) of each member of each object, and of each text in a list, which has no key."""
    if isinstance(value, dict):
        for key, member in value.items():
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            yield place, key, member, value
            yield from _members(member, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, str):
                yield f"{pointer}/{index}", "", item, {}
            yield from _members(item, f"{pointer}/{index}")
