"""What the manual's heuristics of requests claim, run: on stub adapters, and on servers of this machine."""

from __future__ import annotations

import builtins
import contextlib
import email.message
import io
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.util import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.endswith("CA_BUNDLE"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", "/does/not/exist")


class Stub(BaseAdapter):
    """Answers with one body, without a socket."""

    def __init__(
        self, body: bytes = b"", status: int = 200, kind: str = "text/plain"
    ) -> None:
        super().__init__()
        self._body, self._status, self._kind = body, status, kind
        self.sent: dict[str, Any] = {}

    def send(
        self, request: requests.PreparedRequest, *_args: object, **options: object
    ) -> requests.Response:
        self.sent = options
        made = requests.Response()
        made.status_code = self._status
        made.reason = "Not Found" if self._status == 404 else "OK"
        made.url = str(request.url)
        made.request = request
        made.headers = CaseInsensitiveDict({"Content-Type": self._kind})
        made.encoding = get_encoding_from_headers(made.headers)
        made.raw = io.BytesIO(self._body)
        headers = email.message.Message()
        made.raw._original_response = type("Raw", (), {"msg": headers})  # noqa: SLF001 - as urllib3 names it
        return made

    def close(self) -> None:
        pass


def stubbed(**answer: Any) -> requests.Session:  # noqa: ANN401 - what Stub takes
    session = requests.Session()
    session.mount("http://", Stub(**answer))
    return session


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Start servers that do what a function does with each connection."""
    sockets = []

    def start(talk: Callable[[socket.socket], None]) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        sockets.append(server)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _address = server.accept()
                    sockets.append(peer)
                    threading.Thread(target=talk, args=(peer,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/"

    yield start
    for one in sockets:
        # who waits for it is woken
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


Listen = Any


def test_set_a_timeout(listen: Listen) -> None:
    url = listen(lambda peer: peer.recv(65536))  # and never an answer

    def wait() -> None:
        with contextlib.suppress(requests.RequestException):
            requests.get(url)  # noqa: S113 - the mistake

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(0.6)
    assert waiting.is_alive()
    with pytest.raises(requests.ReadTimeout):
        requests.get(url, timeout=0.2)

    # it is no limit for the whole: each wait counts anew
    def slow(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        for _time in range(4):
            time.sleep(0.25)
            peer.sendall(b"x")

    start = time.monotonic()
    assert requests.get(listen(slow), timeout=0.9).text == "xxxx"
    assert time.monotonic() - start > 0.9


def test_check_the_status() -> None:
    session = stubbed(body=b"<h1>no such user</h1>", status=404)
    response = session.get("http://host/user")
    assert response.text == "<h1>no such user</h1>"
    assert not response
    assert not response.ok
    said = "404 Client Error: Not Found for url: http://host/user"
    with pytest.raises(requests.HTTPError, match=said):
        response.raise_for_status()
    assert stubbed(status=204).get("http://host/")


def test_post_to_the_final_address() -> None:
    seen = []

    class Moved(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            seen.append((self.command, self.path, self.rfile.read(length)))
            status = self.path.strip("/")
            self.send_response(int(status) if status.isdigit() else 200)
            if status.isdigit():
                self.send_header("Location", "/new")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Moved)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"

    def last(method: str, status: int, **options: Any) -> tuple[str, str, bytes]:  # noqa: ANN401 - options of requests
        response = requests.request(
            method, f"{url}{status}", data=b"order", timeout=5, **options
        )
        assert response.ok
        response.raise_for_status()
        return seen[-1]

    try:
        for status in (301, 302, 303):
            assert last("POST", status) == ("GET", "/new", b"")
        for status in (307, 308):
            assert last("POST", status) == ("POST", "/new", b"order")
        assert last("PUT", 301) == ("PUT", "/new", b"")
        sent = last("POST", 301, allow_redirects=False)
        assert sent == ("POST", "/301", b"order")
    finally:
        server.shutdown()
        server.server_close()


def test_catch_the_errors_of_requests(listen: Listen) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as raised:
        requests.get(f"http://127.0.0.1:{port}/", timeout=1)
    said = str(raised.value)
    assert said.startswith("HTTPConnectionPool(host='127.0.0.1', port=")
    assert "Max retries exceeded with url" in said
    assert HTTPAdapter().max_retries.total == 0
    assert not isinstance(raised.value, builtins.ConnectionError)
    for mine in (requests.Timeout, requests.ConnectTimeout, requests.ReadTimeout):
        assert not issubclass(mine, builtins.TimeoutError)
        assert issubclass(mine, requests.RequestException)

    # while the body is read, it is a ConnectionError
    def stops(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nx")

    with pytest.raises(requests.ConnectionError) as raised:
        requests.get(listen(stops), timeout=0.3)
    assert not isinstance(raised.value, requests.Timeout)
    assert "Read timed out" in str(raised.value)


def test_set_the_encoding() -> None:
    body = "Zoë".encode()
    response = stubbed(body=body, kind="text/html").get("http://host/")
    assert response.text == "ZoÃ«"
    response.encoding = "utf-8"
    assert response.text == "Zoë"
    json = b'"' + body + b'"'
    named = stubbed(body=json, kind="application/json").get("http://host/")
    assert named.json() == "Zoë"
    wrong = stubbed(body=json, kind="text/plain").get("http://host/")
    assert wrong.json() == "ZoÃ«"
    assert wrong.content == json


def test_verify_in_a_new_session() -> None:
    """It was so until 2.31: the connections of both are apart now, and the quote is gone (releases.json)."""
    adapter = HTTPAdapter()
    request = requests.Request("GET", "https://host/").prepare()
    pools = [
        adapter.get_connection_with_tls_context(request, verify=verify)
        for verify in (False, True, False)
    ]
    assert pools[0] is pools[2]
    assert pools[0] is not pools[1]


def test_mind_the_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    session, stub = requests.Session(), Stub()
    session.mount("https://", stub)
    session.verify = "/mine.pem"

    def verified(**options: Any) -> object:  # noqa: ANN401 - options of requests
        session.get("https://host/", timeout=1, **options)
        return stub.sent["verify"]

    assert verified() == "/mine.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/company.pem")
    assert verified() == "/company.pem"
    assert verified(verify="/other.pem") == "/other.pem"
    session.send(requests.Request("GET", "https://host/").prepare())
    assert stub.sent["verify"] == "/mine.pem"
    session.trust_env = False
    assert verified() == "/mine.pem"


def test_hook_the_prepared_request() -> None:
    called = []
    session = stubbed()
    session.hooks["response"].append(lambda *_args, **_options: called.append("log"))

    def check(*_args: object, **_options: object) -> None:
        called.append("check")

    session.get("http://host/", hooks={"response": check})
    assert called == ["check"]
    called.clear()
    request = requests.Request("GET", "http://host/")
    request.register_hook("response", check)
    session.send(session.prepare_request(request))
    assert called == ["check"]
    called.clear()
    prepared = session.prepare_request(requests.Request("GET", "http://host/"))
    prepared.register_hook("response", check)
    session.send(prepared)
    assert called == ["log", "check"]
    with pytest.raises(ValueError, match="Unsupported event specified"):
        prepared.register_hook("request", check)


def test_the_guide_to_retry(listen: Listen) -> None:
    count = []

    def busy(peer: socket.socket) -> None:
        peer.recv(65536)
        count.append(peer)
        peer.sendall(
            b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )

    url = listen(busy)
    for retries, wanted in ((3, 1), (Retry(total=3, status_forcelist=[503]), 4)):
        count.clear()
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=retries))
        with contextlib.suppress(requests.exceptions.RetryError):
            session.get(url, timeout=5)
        assert len(count) == wanted
