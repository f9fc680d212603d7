"""The exchange's Open API on loopback: two boards, and every way in which a service can fail to answer."""

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

DATA = Path(__file__).parents[1] / "data"
BOARDS = {"/svc/apis/sto/stk_bydd_trd": "kospi", "/svc/apis/sto/ksq_bydd_trd": "kosdaq"}
JSON, HTML = "application/json; charset=utf-8", "text/html; charset=utf-8"
KEY = "0123456789ABCDEF0123456789ABCDEF01234567"


def recorded(board):
    return json.loads((DATA / f"krx_openapi_{board}.json").read_text(encoding="utf-8"))["OutBlock_1"]


class Api(ThreadingHTTPServer):
    """`modes` tells how each next question is answered, the last one all that follow; `seen` keeps the questions.

    `change(rows)` may alter the rows of a good answer.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.modes, self.seen, self.over = ["rows"], [], threading.Event()
        self.change, self.lock = list, threading.Lock()

    @property
    def root(self):
        return f"http://127.0.0.1:{self.server_port}"

    def mode(self):
        with self.lock:
            return self.modes.pop(0) if len(self.modes) > 1 else self.modes[0]

    def rows(self, board, day):
        return self.change([{**row, "BAS_DD": day} for row in recorded(board)])

    def handle_error(self, request, client_address):
        """A client that hung up is no news."""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        parts = urlsplit(self.path)
        day = parse_qs(parts.query).get("basDd", [""])[0]
        self.server.seen.append((parts.path, day, self.headers.get("AUTH_KEY"), dict(self.headers)))
        mode, board = self.server.mode(), BOARDS.get(parts.path, "")
        if board in mode:  # such as kosdaq:401
            name, _, rest = mode.partition(":")
            mode = rest if name == board else "rows"
        elif ":" in mode:
            mode = "rows"
        if self.headers.get("AUTH_KEY") != KEY and mode == "rows":
            mode = "401"
        self._answer_as(mode, board, day)

    def _answer_as(self, mode, board, day):
        rows = json.dumps({"OutBlock_1": self.server.rows(board, day)}, ensure_ascii=False)
        bodies = {
            "rows": (200, JSON, rows),
            "empty": (200, JSON, '{"OutBlock_1": []}'),
            "401": (401, JSON, '{"respMsg": "Unauthorized API Call", "respCode": "401"}'),
            "403": (403, HTML, "<html>Forbidden</html>"),
            "200_401": (200, JSON, '{"respMsg": "Unauthorized Key", "respCode": "401"}'),
            "200_500": (200, JSON, '{"respMsg": "Internal", "respCode": "99500"}'),
            "404": (404, "text/plain", "no such\nservice"),
            "429": (429, "text/plain", "slow down"),
            "500": (500, HTML, "<html>error</html>"),
            "503": (503, HTML, "<html>maintenance</html>"),
            "html": (200, HTML, "<!DOCTYPE html><html>점검</html>"),
            "cut_json": (200, JSON, rows[: len(rows) // 2]),
            "text": (200, "text/plain", "LOGOUT"),
            "array": (200, JSON, "[]"),
            "no_list": (200, JSON, '{"OutBlock_1": {"a": 1}}'),
            "no_object": (200, JSON, '{"OutBlock_1": [1]}'),
            "deep": (200, JSON, "[" * 100_000),
            "nan": (200, JSON, '{"OutBlock_1": [{"ISU_CD": NaN}]}'),
            "twice": (200, JSON, '{"OutBlock_1": [], "OutBlock_1": []}'),
            "many": (200, JSON, '{"OutBlock_1": [' + ",".join(["{}"] * 100_001) + "]}"),
            "echo": (500, "text/plain", f"bad key {self.headers.get('AUTH_KEY')}"),
            "echo_200": (200, JSON, json.dumps({"OutBlock_1": "key " + str(self.headers.get("AUTH_KEY"))})),
        }
        if mode in bodies:
            self._answer(*bodies[mode])
        elif mode == "429_wait":
            self._answer(429, "text/plain", "slow down", extra=("Retry-After", "7"))
        elif mode == "redirect":
            self._answer(302, HTML, "", extra=("Location", f"{self.server.root}/elsewhere"))
        elif mode == "slow":
            self.server.over.wait(30)
        elif mode == "close":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif mode == "cut":
            self._answer(200, JSON, rows, length=len(rows.encode()) + 500)
            self.connection.shutdown(socket.SHUT_RDWR)
        elif mode == "drip":
            self._drip()

    def _answer(self, status, kind, text, length=None, extra=None):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(data)))
        if extra:
            self.send_header(*extra)
        self.end_headers()
        self.wfile.write(data)

    def _drip(self):
        self.send_response(200)
        self.send_header("Content-Type", JSON)
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.server.over.wait(0.1):
                self.wfile.write(b" ")
                self.wfile.flush()


@contextlib.contextmanager
def opened():
    """A service that answers while the block runs."""
    with Api() as api:
        thread = threading.Thread(target=api.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield api
        finally:
            api.over.set()
            api.shutdown()
            thread.join()
