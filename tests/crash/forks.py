"""Children that are forked from a process without threads, do one piece of work each, and may be killed in it.

A process that runs a server cannot fork safely, and a fresh interpreter for each of many hundred runs takes too long.
So a nursery is forked first, while there is one thread; it forks a child for every job, and tells how each one ended.
"""

import json
import os
import signal
import socket
import traceback

KILLED = -signal.SIGKILL


class Nursery:
    """Forks on construction: make it before anything begins a thread. `work(job)` is what a child does, then it ends.

    A job is JSON. `run(*jobs)` starts a child for each at once, and returns how each ended: its exit code (what `work`
    returned, 0 for None), or KILLED.
    """

    def __init__(self, work):
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _serve(theirs, work)
        theirs.close()
        self._socket = ours
        self._reader = ours.makefile("rb")

    def run(self, *jobs):
        self._socket.sendall(json.dumps(jobs).encode() + b"\n")
        return json.loads(self._reader.readline())

    def close(self):
        self._reader.close()
        self._socket.close()
        os.waitpid(self.pid, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _serve(theirs, work):
    """Fork a child a job until the other end is closed; never comes back."""
    try:
        with theirs.makefile("rb") as jobs:
            for line in jobs:
                children = [_child(job, work) for job in json.loads(line)]
                ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
                theirs.sendall(json.dumps(ended).encode() + b"\n")
    except BaseException:  # noqa: BLE001 - a child must end here, whatever happened in it
        traceback.print_exc()
    finally:
        os._exit(0)


def _child(job, work):
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = work(job) or 0
    except BaseException:  # noqa: BLE001 - a child must end here, whatever happened in it
        traceback.print_exc()
    finally:
        os._exit(code)
