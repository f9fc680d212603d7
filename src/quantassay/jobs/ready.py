"""May I trade today? One page: every thing that it depends on, how it stands, and what to do where it is not well.

A thing that cannot be told is never well: its row is `no`, with the cause, and the rows beside it are told even so.
"""

from collections.abc import Callable
from pathlib import Path

from quantassay.brokers.port import Broker
from quantassay.domain.trading.clock import Clock
from quantassay.errors import AssayError
from quantassay.jobs import ready_account, ready_house, ready_market, ready_plan
from quantassay.jobs.ready_scene import Row, Scene, State, no
from quantassay.secrecy import withheld

# The page, in the order in which a person would ask.
ROWS: tuple[tuple[str, Callable[[Scene], Row]], ...] = (
    ("session", ready_market.session),
    ("market", ready_account.trading),
    ("bars", ready_market.bars),
    ("universe", ready_market.universe),
    ("build", ready_market.built),
    ("account", ready_account.account),
    ("gate", ready_plan.gate),
    ("plan", ready_plan.plan),
    ("approval", ready_plan.approval),
    ("limits", ready_plan.limits),
    ("mode", ready_account.mode),
    ("broker", ready_account.broker),
    ("orders", ready_account.unknown),
    ("breaks", ready_account.breaks),
    ("armed", ready_account.armed),
    ("halt", ready_account.halt),
    ("journal", ready_house.journal),
    ("notices", ready_house.notices),
    ("heartbeat", ready_house.sign_of_life),
    ("disk", ready_house.disk),
)


def ready(folder: Path, clock: Clock, *, offline: bool = False, broker: Broker | None = None) -> list[Row]:
    """Every row, in order. `offline`: the broker is not asked, and its rows say so. It raises nothing."""
    scene = Scene(folder, clock, offline=offline, broker=broker)
    try:
        return [_told(name, look, scene) for name, look in ROWS]
    finally:
        scene.close()


def all_is_well(rows: list[Row]) -> bool:
    """Whether every row is `ok`: a warning is not well, and neither is what was not asked."""
    return all(row.state is State.OK for row in rows)


def _told(name: str, look: Callable[[Scene], Row], scene: Scene) -> Row:
    try:
        return look(scene)
    except AssayError as error:
        return no(name, str(error).splitlines()[0], "put this right, then ask again")
    except OSError as error:
        return no(name, f"{error.filename or 'a file'} cannot be used: {error.strerror or error}", "see to the file")
    except Exception as error:  # noqa: BLE001 - a page that ends at a fault would hide the rows after it
        fault = f"this cannot be told, and that is our fault: {type(error).__name__}: {withheld(str(error))}"
        return no(name, fault, "report it; do not trade on this page")
