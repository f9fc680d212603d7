"""Build the artifacts of a workspace, one run at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from quantassay.harness import build, lock
from quantassay.harness.inputs import Inputs
from quantassay.harness.workspace import Workspace, find
from quantassay.jobs import desk

WAIT_S = 10.0


@contextlib.contextmanager
def workspace_held(workspace: Workspace, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the workspace's lock. Raises lock.Busy."""
    with lock.held(lock.place(workspace.data), wait_s):
        yield


def artifacts(
    folder: Path, request: build.Request, jobs: int = 1, wait_s: float = WAIT_S, progress: build.Progress | None = None
) -> tuple[Inputs, list[build.Step]]:
    """Build what is asked for in the workspace of `folder`; an empty `request.as_of` takes the desk's own."""
    workspace = find(folder)
    # A dry run writes nothing, so it need not wait. What another run is at work on is read after it has ended.
    with contextlib.nullcontext() if request.dry_run else workspace_held(workspace, wait_s):
        inputs, request = desk.prepared(desk.opened(folder), request)
        return inputs, build.run(inputs, request, jobs, progress)
