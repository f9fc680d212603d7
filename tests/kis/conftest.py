"""A scripted KIS on loopback, a clock that goes when it is told to, and a client between them."""

import importlib.util
import sys
from datetime import datetime
from pathlib import Path

import pytest

from quantassay.kis.client import Client

FAKES = Path(__file__).parents[1] / "fakes"


def fake(name):
    """A file of tests/fakes, under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"fake_{name}", FAKES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


KIS = fake("kis_server")
NOW = datetime.fromisoformat("2026-11-20T09:00:05+09:00")


@pytest.fixture(scope="session")
def kis():
    """The words of the scripted server."""
    return KIS


@pytest.fixture
def server(kis):
    with kis.kis_server() as running:
        yield running


@pytest.fixture
def clock():
    return fake("trading").FakeClock(NOW)


@pytest.fixture
def client(server, clock, tmp_path):
    made = Client(server.connection(tmp_path), clock)
    yield made
    made.close()
