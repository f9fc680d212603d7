"""Telegram, DingTalk and a mail server on loopback: each answers as it is told to, and keeps what it was sent."""

import base64
import contextlib
import json
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TELEGRAM_OK = (200, {"ok": True, "result": {"message_id": 7}}, {})
DINGTALK_OK = (200, {"errcode": 0, "errmsg": "ok"}, {})


class Service(ThreadingHTTPServer):
    """`answers` are (status, body, headers) in turn, the last one for all that follow; `seen` keeps what was posted.

    A body of bytes is sent as it is. The answer "hang" is none until the server is closed; "close" hangs up.
    """

    daemon_threads = True

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.seen, self.over, self.lock = list(answers), [], threading.Event(), threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self):
        with self.lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def handle_error(self, request, client_address):
        """A client that hung up is no news."""


class Handler(BaseHTTPRequestHandler):
    # Otherwise each answer waits 44 ms for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        """Say nothing."""

    def do_POST(self):
        parts = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.seen.append((parts.path, query, body))
        answer = self.server.answer()
        if answer == "hang":
            self.server.over.wait(20)
            return
        if answer == "close":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, said, headers = answer
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def service(*answers):
    server = Service(*answers)
    with running(server):
        yield server


@contextlib.contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail on a plain line, or one that is encrypted at once or after STARTTLS where it has a certificate.

    `codes` are answers by command in place of the usual ones: {"MAIL": 451}. `letters` keeps what was sent, `logins`
    each login as (user, password, whether the line was encrypted).
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, context=None, *, at_once=False, codes=()):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.context, self.at_once, self.codes = context, at_once, dict(codes)
        self.letters, self.logins, self.over = [], [], threading.Event()

    @property
    def port(self):
        return self.server_address[1]

    def handle_error(self, request, client_address):
        """A client that does not trust the certificate is no news."""


class Conversation(socketserver.BaseRequestHandler):
    def handle(self):
        self.encrypted = self.server.at_once
        self.line = self.request
        if self.server.at_once:
            self.line = self.server.context.wrap_socket(self.request, server_side=True)
        self.file = self.line.makefile("rb")
        self.say(220, "ready")
        with contextlib.suppress(OSError, ValueError):
            while words := self.file.readline().decode().split():
                if not self.answered(words[0].upper(), words):
                    return

    def finish(self):
        self.file.close()
        self.line.close()

    def say(self, code, text):
        self.line.sendall(f"{code} {text}\r\n".encode())

    def answered(self, command, words):
        if command in self.server.codes:
            self.say(self.server.codes[command], "as told")
        elif command == "EHLO":
            offers = ["AUTH PLAIN"] + ["STARTTLS"] * bool(self.server.context and not self.encrypted)
            lines = ["250-here", *(f"250-{one}" for one in offers), "250 8BITMIME"]
            self.line.sendall("".join(f"{one}\r\n" for one in lines).encode())
        elif command == "STARTTLS":
            self.say(220, "go on")
            self.line = self.server.context.wrap_socket(self.request, server_side=True)
            self.file, self.encrypted = self.line.makefile("rb"), True
        elif command == "AUTH":
            _, user, password = base64.b64decode(words[2]).decode().split("\0")
            self.server.logins.append((user, password, self.encrypted))
            self.say(235, "welcome")
        elif command == "DATA":
            self.say(354, "go on")
            lines = []
            while (line := self.file.readline()) not in (b".\r\n", b""):
                lines.append(line)
            self.server.letters.append(b"".join(lines).decode())
            self.say(250, "taken")
        else:
            self.say(221 if command == "QUIT" else 250, "fine")
            return command != "QUIT"
        return True


@contextlib.contextmanager
def mail_server(context=None, *, at_once=False, codes=()):
    with running(MailServer(context, at_once=at_once, codes=codes)) as server:
        yield server
