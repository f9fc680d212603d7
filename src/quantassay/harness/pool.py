"""Builds steps side by side in worker processes; everything is decided and written by the one that has the lock."""

import signal
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from quantassay.errors import InternalError
from quantassay.harness import build, graph
from quantassay.harness.lazy import Lazy
from quantassay.harness.produce import Produced


class WorkerDied(InternalError):
    """A worker process that was ended from outside, or that ended itself."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(f"a worker process ended while it built {', '.join(sorted(names))}; run again with `--jobs 1`")


def run(job: build.Job, jobs: int) -> None:
    """Build the steps of the job, each as soon as what it reads is in place.

    Raises WorkerDied, and what `produce` raises.
    """
    sorter = graph.sorter(job.inputs, job.order)
    sorter.prepare()
    handed = {name: one for name, one in job.inputs.handed.items() if not one.for_gates}
    running: dict[Future[Produced], tuple[str, dict[str, Any]]] = {}
    # A forked child would inherit threads of polars that no longer run. Ctrl-C is for the parent, which stops them.
    executor = ProcessPoolExecutor(
        jobs, get_context("spawn"), initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
    )
    try:
        while sorter.is_active():
            for name in sorted(sorter.get_ready()):
                key = build.decide(job, name)
                if key is None:
                    sorter.done(name)
                    continue
                call = Lazy("quantassay.harness.produce:in_worker", (job.inputs.workspace, handed, name))
                running[executor.submit(call, job.request.as_of)] = (name, key)
            if running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    build.commit(job, *running[future], future.result())
                    sorter.done(running.pop(future)[0])
    except BrokenProcessPool:
        raise WorkerDied([name for name, _ in running.values()]) from None
    finally:
        executor.shutdown(cancel_futures=True)
