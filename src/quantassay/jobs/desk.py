"""Opens a workspace for a job, settles the instant, and hands in what its builders and gates are to be told."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from quantassay.errors import AssayError
from quantassay.harness import files
from quantassay.harness.build import Request
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.workspace import MARKER, find

# Only a workspace with spec/10_desk.yaml trades a market.
_MARKET = Lazy("quantassay.jobs.market:handed")
_SAMPLE_INSTANT = Lazy("quantassay.jobs.market:sample_instant")


class BadInstant(AssayError):
    """An instant that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no instant with a zone; write it like 2026-11-18T15:45:00+09:00")


def opened(folder: Path) -> Inputs:
    """The inputs of the workspace that this folder lies in. Raises NoWorkspace and what its files have to say."""
    return Inputs(find(folder))


def built(folder: Path) -> Inputs:
    """The inputs of a workspace as it was last built: the same instant. Raises NoWorkspace."""
    inputs = opened(folder)
    return prepared(inputs, Request(as_of=inputs.state.as_of or ""))[0]


def fixed_instant(inputs: Inputs) -> tuple[str, str] | None:
    """The spec that fixes the instant of this desk, and the instant; None where a run takes the time of its clock.

    `inputs` are prepared. Raises BadInstant.
    """
    if own := inputs.settings.get("as_of"):
        return MARKER.as_posix(), instant(own)
    sample = _SAMPLE_INSTANT(inputs) if "desk" in inputs.sources else ""
    return (inputs.workspace.relative(inputs.source("sample_market").paths[0]), instant(sample)) if sample else None


def instant(text: str) -> str:
    """The instant in canonical text: seconds, zone offset. Raises BadInstant."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadInstant(text) from None
    if read.tzinfo is None:
        raise BadInstant(text)
    return read.replace(microsecond=0).isoformat()


def prepared(inputs: Inputs, request: Request) -> tuple[Inputs, Request]:
    """Hand in what this desk needs and settle the instant; the sample market is made if it is wanted and not there."""
    inputs.check_yaml()
    market, own_instant = _MARKET(inputs) if "desk" in inputs.sources else ((), "")
    as_of = request.as_of or inputs.settings.get("as_of") or own_instant or datetime.now(UTC).isoformat()
    as_of = instant(as_of)
    said = Lazy("quantassay.jobs.explain:as_said", (as_of,))
    given = Handed("as_of", files.sha256(as_of.encode()), Lazy("builtins:str", (as_of,)), explain=said)
    inputs.hand([given, *market])
    return inputs, replace(request, as_of=as_of)
