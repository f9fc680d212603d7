"""Where a job's pieces are worked on: in this process, in a pool of processes here, or on a cluster that is named."""

import asyncio
import contextlib
import importlib
import logging
import os
import re
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import quantassay
from quantassay.errors import AssayError, InternalError
from quantassay.harness import files
from quantassay.harness.lazy import Lazy

ADDRESS = re.compile(r"(tcp|tls)://[^\s:/]+:([0-9]{1,5})")
MOST_PORT = 65535
ANSWER_S = 5


class NotAnAddress(AssayError):
    """A scheduler that is named in another way than by its address."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address!r} is no address of a scheduler; write it like tcp://192.0.2.10:8786")


class NoExtra(AssayError):
    """The library for clusters is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "a cluster needs the extra `cluster`: `pip install quantassay[cluster]`; without --scheduler the work is "
            "done on this machine"
        )


class NoCluster(AssayError):
    """A cluster that cannot be used."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"the cluster at {address} cannot be used: {why}; without --scheduler the work is done here")


class WorkLost(InternalError):
    """A worker that ended before its piece was done."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"a worker {where} ended before its piece was done ({why}); run again with `--jobs 1`")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the work is done: at a cluster's address, or else here in so many processes."""

    jobs: int = 1
    scheduler: str = ""


def processors() -> int:
    """How many processes can run side by side here."""
    return os.cpu_count() or 1


def sources() -> str:
    """The digest of the code that pieces of work are made of."""
    package = Path(quantassay.__file__).parent
    texts = [f"{path.name} {files.digest(path)}" for path in sorted((package / "domain").rglob("*.py"))]
    return files.sha256("\n".join([quantassay.__version__, *texts]).encode())


def spread(call: Lazy, pieces: Sequence[tuple[Any, ...]], place: Place) -> list[Any]:
    """The answer of the call to each piece, in the order of the pieces, wherever they are worked on.

    Raises NotAnAddress, NoExtra, NoCluster, WorkLost, and what the call raises.
    """
    if not place.scheduler and (place.jobs == 1 or len(pieces) == 1):
        return [call(*piece) for piece in pieces]
    where = f"of {place.scheduler}" if place.scheduler else "process"
    with _opened(place, len(pieces)) as executor:
        try:
            return [future.result() for future in [executor.submit(call, *piece) for piece in pieces]]
        except BrokenProcessPool as error:
            raise WorkLost(where, "it was ended from outside") from error
        except Exception as error:
            # The cluster's library is not loaded here, so its errors are known by their names.
            if type(error).__name__ in ("KilledWorker", "FutureCancelledError", "CommClosedError", "CancelledError"):
                raise WorkLost(where, type(error).__name__) from error
            raise


@contextlib.contextmanager
def _opened(place: Place, pieces: int) -> Iterator[Executor]:
    if place.scheduler:
        with _cluster(place.scheduler) as executor:
            yield executor
        return
    # A forked child would inherit threads of polars that no longer run. Ctrl-C is for the parent, which stops them.
    ignore = (signal.SIGINT, signal.SIG_IGN)
    executor = ProcessPoolExecutor(
        min(place.jobs, pieces), get_context("spawn"), initializer=signal.signal, initargs=ignore
    )
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    """The executor of a cluster that answers and whose workers have the same code.

    Raises NotAnAddress, NoExtra, NoCluster.
    """
    match = ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[2]) <= MOST_PORT:
        raise NotAnAddress(address)
    try:
        distributed = importlib.import_module("distributed")
    except ModuleNotFoundError:
        raise NoExtra from None
    # What goes wrong is said once, by us.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    _ask(distributed, address)
    with distributed.Client(address, timeout=ANSWER_S, set_as_default=False) as client:
        _check_code(client, address)
        yield client.get_executor()


def _ask(distributed: Any, address: str) -> None:
    """Raise NoCluster unless a scheduler with workers answers; a client would wait for ever for some others."""

    async def who() -> Any:
        async with asyncio.timeout(ANSWER_S), distributed.rpc(address) as there:
            return await there.identity()

    try:
        answer = asyncio.run(who())
    except (OSError, TimeoutError, ValueError) as error:
        raise NoCluster(address, f"no scheduler answers within {ANSWER_S} s") from error
    if answer.get("type") != "Scheduler":
        raise NoCluster(address, f"a {answer.get('type')} answers and no scheduler")
    if not answer.get("workers"):
        raise NoCluster(address, "it has no worker")


def _check_code(client: Any, address: str) -> None:
    """Workers with other code could give other numbers. Raises NoCluster."""
    try:
        found = client.run(sources)
    except ModuleNotFoundError:
        raise NoCluster(address, "its workers lack quantassay, so install it where they run") from None
    others = sorted(worker for worker, digest in found.items() if digest != sources())
    if others:
        raise NoCluster(address, f"its worker {others[0]} has another quantassay than is here, so install the same")
