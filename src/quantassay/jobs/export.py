"""Write down what the desk uses now, as canonical JSON for another program: its account, or its settings."""

from pathlib import Path
from typing import Any

from quantassay.domain.settings import settings
from quantassay.harness import canonical, files
from quantassay.harness.build import Request
from quantassay.harness.workspace import find
from quantassay.jobs import desk
from quantassay.jobs.build import WAIT_S, workspace_held

ACCOUNT, SETTINGS = "account-snapshot", "settings"


def account_snapshot(folder: Path, wait_s: float = WAIT_S) -> bytes:
    """The account that the desk plans for, in the form of an account of spec/20_accounts.yaml.

    Raises NoWorkspace, Busy, UnknownAccount, and what is wrong in the specs.
    """
    return canonical.dumps(*_values(folder, ("account_snapshot",), wait_s))


def desk_settings(folder: Path, wait_s: float = WAIT_S) -> bytes:
    """{name of a spec: its value} of the specs that are the desk's settings. Raises as `account_snapshot` does."""
    return canonical.dumps(settings(*_values(folder, ("spec_values", "calibration"), wait_s)))


def write(path: Path, data: bytes) -> bool:
    """Put the export in place whole; False where it lies there already. Raises Unwritable."""
    if files.digest(path) == files.sha256(data):
        return False
    files.write(path, data)
    return True


def _values(folder: Path, names: tuple[str, ...], wait_s: float) -> list[Any]:
    # The sample market is made where the desk stands on it and it is not there, so nobody else may write meanwhile.
    with workspace_held(find(folder), wait_s):
        inputs, _ = desk.prepared(desk.opened(folder), Request())
        for name in names:
            inputs.source(name, "assay export")
        return [inputs.value(name) for name in names]
