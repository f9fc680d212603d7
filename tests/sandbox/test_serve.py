"""The wire itself: headers, ports, forks, speed."""

import http.client
import os
import socket
import time

import pytest
import requests

from quantassay.kis.rehearsal import ACCOUNT, APP_KEY, APP_SECRET
from quantassay.sandbox.faults import Fault
from quantassay.sandbox.gateway import NO_LIMITS
from quantassay.sandbox.serve import PortTaken, serve
from tests.fakes.practice import at, practice_exchange
from tests.fakes.trading import FakeClock
from tests.sandbox.conftest import PRICES, Caller


def test_standard_headers_are_in_title_case_and_the_brokers_own_in_lower_case(caller):
    connection = http.client.HTTPConnection("127.0.0.1", caller.server.port, timeout=5)
    connection.request("GET", "/uapi/x", headers=caller.headers("FHKST01010100"))
    answer = connection.getresponse()
    assert [name for name, _ in answer.getheaders()] == ["Content-Type", "Content-Length", "tr_id", "gt_uid", "tr_cont"]
    answer.read()
    connection.close()


def test_a_port_that_is_taken_is_said_so(clock):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"cannot listen on port {port}"), serve(exchange(clock), port):
            pass


def exchange(clock):
    return practice_exchange(clock, PRICES)


def test_it_ends_at_once_though_a_client_still_waits(clock):
    with serve(exchange(clock), limits=NO_LIMITS, faults=[Fault("price", "timeout_before")]) as server:
        caller = Caller(server)
        caller.log_in()
        with socket.create_connection(("127.0.0.1", server.port)) as waiting:
            headers = "".join(f"{name}: {value}\r\n" for name, value in caller.headers("FHKST01010100").items())
            waiting.sendall(f"GET /uapi/p?FID_INPUT_ISCD=990010 HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
            while not any(one.call == "price" for one in server.requests):
                caller.log_in()
            begun = time.monotonic()
    assert time.monotonic() - begun < 2
    with pytest.raises(requests.ConnectionError):
        caller.log_in()


def test_a_reset_reaches_the_client_though_another_child_was_forked_meanwhile(server, caller, clock):
    server.reset(exchange(clock), [Fault("price", "reset_before")])
    caller.log_in()  # the connection is open when the child is made
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    try:
        with pytest.raises(requests.ConnectionError, match=r"[Cc]onnection ?[Rr]eset"):
            caller.price("990010", timeout=2)
    finally:
        os.close(writing)
        os.close(reading)
        os.waitpid(child, 0)


def test_a_forked_child_can_be_a_client(server, caller):
    child = os.fork()
    if child == 0:
        own = Caller(server)
        own.token = caller.token
        os._exit(0 if own.order("buy", "990010", 2, 10_000).body["rt_cd"] == "0" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert server.exchange.positions(ACCOUNT)["990010"] == 2


def test_it_is_quick(server, caller):
    """No delays of the network's; a machine that is busy has room."""
    caller.price("990010")
    begun = time.perf_counter()
    for _ in range(50):
        caller.price("990010")
    assert (time.perf_counter() - begun) / 50 < 0.03
    begun = time.perf_counter()
    for _ in range(20):
        server.reset(exchange(server.exchange.clock))
    assert (time.perf_counter() - begun) / 20 < 0.01


def test_every_request_is_told_to_whoever_listens():
    heard = []
    with serve(exchange(FakeClock(at("09:01"))), heard=heard.append) as server:
        body = {"grant_type": "client_credentials", "appkey": APP_KEY, "appsecret": APP_SECRET}
        requests.post(server.url + "/oauth2/tokenP", json=body, timeout=5)
        assert heard == server.requests
        assert (heard[0].call, heard[0].outcome, heard[0].asked) == (
            "token",
            "200",
            {"grant_type": "client_credentials"},
        )
