"""KIS on loopback, one scripted answer after the other: what a test wants said, and every way to fail to say it.

server.say(good(output={"stck_prpr": "71300"}))      # the next answer; the last one is given again and again
server.say(failed("EGW00201", 500), good(output={})) # one, then the other
server.say(HANG | RESET | SHUT | CUT)                # takes the request and never answers, resets, closes, breaks off
"""

import contextlib
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from quantassay.kis import rehearsal
from quantassay.kis.connection import Connection

HANG, RESET, SHUT, CUT = "hang", "reset", "shut", "cut"
TOKEN_PATH = "/oauth2/tokenP"
ENDS = "2026-11-20 23:00:00"
FAULT = 500


@dataclass
class Said:
    """An answer: status, body, and the custom headers in small letters as KIS writes them."""

    status: int
    body: object
    headers: dict[str, str]


@dataclass
class Seen:
    """A request as it came: names of headers in small letters, the time at which it was there."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, str]
    at: float
    connection: int


def good(tr_cont="", **parts):
    """What went well: parts of the body, and the mark of paging."""
    body = {"rt_cd": "0", "msg_cd": "20310000", "msg1": "조회가 완료되었습니다." + " " * 40, **parts}
    return Said(200, body, {"tr_cont": tr_cont})


def failed(code, status=200, text="안 됩니다.", rt_cd="1"):
    return Said(status, {"rt_cd": rt_cd, "msg_cd": code, "msg1": text + " " * 30}, {})


def token(number=1, ends=ENDS, **more):
    return Said(200, {"access_token": f"token-number-{number}", "access_token_token_expired": ends, **more}, {})


def token_refused(code, status=403):
    return Said(status, {"error_description": "잠시 후 다시 시도하세요", "error_code": code}, {})


class KisServer(ThreadingHTTPServer):
    """Gives what it was told to, keeps what it was asked; tokens are numbered as they are issued."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.token_answers, self.seen = [good(output={})], [], []
        self.lock, self.over, self.gone, self.tick = (
            threading.Lock(),
            threading.Event(),
            threading.Event(),
            time.monotonic,
        )

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, *answers):
        self.answers = list(answers)

    def next(self, path):
        with self.lock:
            if path == TOKEN_PATH:
                issued = sum(one.path == TOKEN_PATH for one in self.seen)
                return self.token_answers.pop(0) if self.token_answers else token(issued)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def calls(self):
        """The requests but for those of tokens."""
        return [one for one in self.seen if one.path != TOKEN_PATH]

    @property
    def tokens(self):
        return [one for one in self.seen if one.path == TOKEN_PATH]

    def shutdown_request(self, request):
        super().shutdown_request(request)
        self.gone.set()

    def handle_error(self, request, client_address):
        """A client that hung up is no news."""

    def connection(self, state, **changes):
        """A connection to here with nothing to wait for."""
        given = {
            "environment": "rehearsal",
            "base_url": self.url,
            "app_key": rehearsal.APP_KEY,
            "app_secret": rehearsal.APP_SECRET,
            "account_number": rehearsal.ACCOUNT,
            "state": state,
            "pace_s": 0,
            "connect_timeout_s": 2,
            "read_timeout_s": 5,
        }
        return Connection(**{**given, **changes})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize, disable_nagle_algorithm = -1, True

    def log_message(self, *_):
        """Tests print nothing."""

    def do_GET(self):
        self.served({})

    def do_POST(self):
        self.served(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def served(self, body):
        server, parts = self.server, urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        seen = Seen(self.command, parts.path, query, headers, body, server.tick(), self.client_address[1])
        with server.lock:
            server.seen.append(seen)
        answer = server.next(parts.path)
        if answer == HANG:
            server.over.wait(10)
        if answer == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if answer in (HANG, RESET, SHUT):
            # The two files over the socket would keep it open.
            self.close_connection = True
            self.rfile.close()
            self.connection.close()
            return
        self.told(answer)

    def told(self, answer):
        cut = answer == CUT
        if cut:
            answer = good(output={"odno": "1"})
        data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body, ensure_ascii=False).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        self.wfile.flush()
        # As a server does that lets a connection go which lies idle: without a word of it.
        self.close_connection = cut or "x-then" in answer.headers


@contextlib.contextmanager
def kis_server():
    with KisServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
