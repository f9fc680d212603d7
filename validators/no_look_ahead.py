"""No decision knew the future: with later bars deleted, shuffled or poisoned, the desk decides the same to the byte.

A rule that saw tomorrow's bar earns money on paper only.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R15.1"]


def check(look_ahead_trials: dict[str, Any], look_ahead: dict[str, Any]) -> Iterator[Judged]:
    """Judges every trial, and that each artifact of the spec was tried at every cut in every future."""
    tried = {(row["artifact"], row["session"], row["future"]) for row in look_ahead_trials["trials"]}
    for cut in look_ahead_trials["cuts"]:
        for artifact in look_ahead["artifacts"]:
            missing = [one for one in look_ahead["futures"] if (artifact, cut["session"], one) not in tried]
            says = (
                f"{artifact} was not tried at the end of {cut['session']} with a future that was {' or '.join(missing)}"
            )
            yield judged("/trials", ok=not missing, says=says)
    for index, row in enumerate(look_ahead_trials["trials"]):
        place = row["differs"] or "/"
        says = (
            f"{row['artifact']} as of the end of {row['session']} comes out otherwise when the bars after it are "
            f"{row['future']}, first at {place}"
        )
        same = row["expected"] == row["actual"]
        yield judged(f"/trials/{index}/actual", ok=same, says=says, expected=row["expected"], actual=row["actual"])
