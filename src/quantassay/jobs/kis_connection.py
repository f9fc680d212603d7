"""How this desk reaches a server of KIS: address, pace and waits from spec/28_brokers.yaml; the login as given."""

from collections.abc import Mapping, Sequence

from quantassay.domain.trading.book import Environment
from quantassay.harness.inputs import Inputs
from quantassay.jobs.state_folder import state_folder
from quantassay.kis.connection import REAL_URL, VIRTUAL_URL, Connection

# The credential without which nobody speaks to a server; the practice server asks for none.
CREDENTIALS: Mapping[Environment, str] = {"virtual": "kis_virtual", "real": "kis_real"}
_URLS: Mapping[Environment, str] = {"virtual": VIRTUAL_URL, "real": REAL_URL}


def connection(inputs: Inputs, environment: Environment, login: Sequence[str], pinned_key: str = "") -> Connection:
    """The connection of an environment; `login` is app key, app secret and account number. Nothing is opened.

    Raises UnsafeStateFolder.
    """
    server = inputs.value("brokers")["kis"][environment]
    key, secret, number = login
    return Connection(
        environment=environment,
        base_url=_URLS.get(environment) or f"http://127.0.0.1:{server['port']}",
        app_key=key,
        app_secret=secret,
        account_number=number,
        state=state_folder(),
        pace_s=float(server["pace_s"]),
        connect_timeout_s=float(server["connect_s"]),
        read_timeout_s=float(server["answer_s"]),
        legacy_ids=server["legacy_ids"],
        pinned_key=pinned_key,
    )


def pinned_key(inputs: Inputs, credential: str) -> str:
    """The fingerprint that the key of a credential must have, empty where governance writes none down."""
    listed = inputs.value("credentials")["credentials"]
    return str(next(one.get("key_fingerprint", "") for one in listed if one["id"] == credential))
