"""The exchange's data site on loopback: a page that opens a session, and a form that answers in every known way."""

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROWS = {"OutBlock_1": [{"RPT_DUTY_OCCR_DD": "2026/06/19", "BAL_QTY": "5,489,240"}]}
DASHES = {"OutBlock_1": [{"RPT_DUTY_OCCR_DD": "-", "BAL_QTY": "-"}]}
JSON, HTML, TEXT = "application/json; charset=utf-8", "text/html; charset=EUC-KR", "text/plain"
# How the form answers: status, media type, body.
ANSWERS = {
    "logout": (400, TEXT, "LOGOUT"),
    "logout_200": (200, TEXT, "\r\nLOGOUT\n"),
    "logout_json": (200, JSON, '{"result": "LOGOUT"}'),
    "rows": (200, JSON, json.dumps(ROWS)),
    "rows_500": (500, JSON, json.dumps(ROWS)),
    "dashes": (200, JSON, json.dumps(DASHES)),
    "no_rows": (200, JSON, '{"OutBlock_1": []}'),
    "other_json": (200, JSON, '{"block1": [{"a": 1}]}'),
    "array": (200, JSON, "[1, 2]"),
    "deep": (200, JSON, "[" * 100_000),
    "maintenance": (200, JSON, '{"message": "시스템 점검 중입니다"}'),
    "unavailable": (503, TEXT, "try later"),
    "html": (200, HTML, "<html><body>공지 사항</body></html>"),
    "login_page": (200, HTML, '<html><form action="/contents/MDC/COMS/client/MDCCOMS001.cmd">로그인</form></html>'),
    "maintenance_page": (200, HTML, "<html>서비스 점검</html>"),
    "empty": (200, TEXT, ""),
    "secrets": (418, TEXT, "jsessionid=ABC123 token: xyz789 from 203.0.113.7"),
    "large": (200, JSON, '{"OutBlock_1": [' + '{"a": "1"},' * 4_000 + '{"a": "1"}]}'),
}


class Site(ThreadingHTTPServer):
    """`mode` tells how the form answers, a name of ANSWERS or of a fault; `seen` keeps what it was asked.

    `meanwhile` is called once before the next form is answered.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.mode, self.seen, self.over = "logout", [], threading.Event()
        self.meanwhile = None

    @property
    def root(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """A client that hung up is no news."""

    def probe(self, **changes):
        """A probe of this site, as spec/16_data_gaps_roadmap.yaml holds one."""
        request = {
            "id": "short balance",
            "url": f"{self.root}/comm/bldAttendant/getJsonData.cmd",
            "headers": {"User-Agent": "Mozilla/5.0"},
            "form": {"bld": "dbms/MDC/STAT/srt/MDCSTAT30502", "isuCd": "KR7005930003"},
            "rows": "OutBlock_1",
            "refusal": {"status": 400, "body": "LOGOUT"},
        }
        return {"session_page": f"{self.root}/contents/index.cmd", "requests": [request], **changes}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        self.server.seen.append(("GET", self.path, dict(self.headers), ""))
        body = "<html>시작</html>".encode("cp949")
        self.send_response(200)
        self.send_header("Set-Cookie", "JSESSIONID=opened; Path=/")
        self.send_header("Content-Type", HTML)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.seen.append(("POST", self.path, dict(self.headers), form))
        meanwhile, self.server.meanwhile = self.server.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        mode = self.server.mode
        if mode in ANSWERS:
            self._answer(*ANSWERS[mode])
        elif mode == "slow":
            self.server.over.wait(30)
        elif mode == "drip":
            self._drip()
        elif mode == "close":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif mode == "cut":
            self._answer(200, JSON, '{"OutBlock_1": [', length=5_000)
            self.connection.shutdown(socket.SHUT_RDWR)
        elif mode == "redirect":
            self.send_response(302)
            self.send_header("Location", "/contents/MDC/COMS/client/login.jsp?jsessionid=ABC123")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _answer(self, status, kind, text, length=None):
        data = text.encode("cp949" if "EUC-KR" in kind else "utf-8")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(data)))
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
    """A site that answers while the block runs."""
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            site.over.set()
            site.shutdown()
            thread.join()
