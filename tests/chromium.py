"""A browser that does what a reader does: it opens pages, presses keys and clicks.

It is spoken to over two pipes, as Chromium's --remote-debugging-pipe offers: each message
is JSON and ends with a zero byte.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    # a theme that scrolls smoothly takes seconds to arrive
    "--disable-smooth-scrolling",
    "--remote-debugging-pipe",
)

#: After so many seconds without a word from the browser, a test fails.
_PATIENCE = 60

#: What a key sends beside its name: its number, and the text that it writes.
_KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, "")}


def _above(descriptor: int) -> int:
    """Return a copy of a file descriptor that is none of the two which the browser uses."""
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return copy


def installed() -> str | None:
    """Return the path of the browser, if one is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Tab:
    """One tab of a browser of its own."""

    def __init__(self, browser: str, profile: Path) -> None:
        """Start the browser."""
        theirs, self._to = map(_above, os.pipe())
        self._from, answers = map(_above, os.pipe())
        self._buffer = b""
        self._count = 0
        self._events: list[str] = []
        #: Errors of the page's scripts.
        self.errors: list[str] = []
        quiet = os.open(os.devnull, os.O_WRONLY)
        actions = [
            (os.POSIX_SPAWN_DUP2, theirs, 3),
            (os.POSIX_SPAWN_DUP2, answers, 4),
            (os.POSIX_SPAWN_DUP2, quiet, 1),
            (os.POSIX_SPAWN_DUP2, quiet, 2),
        ]
        command = [browser, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        self._pid = os.posix_spawn(
            browser, command, os.environ, file_actions=actions, setpgroup=0
        )
        for descriptor in (theirs, answers, quiet):
            os.close(descriptor)
        self._session = ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime"):
            self._call(f"{domain}.enable")
        self.resize(1280)

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._to)
        os.close(self._from)

    # -- what a reader does -----------------------------------------------------------

    def open(self, address: str) -> None:
        """Open a page as by the address bar, also if only what is behind the hash is new."""
        for each in ("about:blank", address):
            self._events.clear()
            self._call("Page.navigate", url=each)
            self._wait_for("Page.loadEventFired")

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key and let it go."""
        number, text = _KEYS[key]
        told = {"key": key, "code": key, "windowsVirtualKeyCode": number}
        told["modifiers"] = 8 if shift else 0
        self._call("Input.dispatchKeyEvent", type="keyDown", text=text, **told)
        self._call("Input.dispatchKeyEvent", type="keyUp", **told)

    def write(self, text: str) -> None:
        """Write, or paste, a text where the focus is."""
        self._call("Input.insertText", text=text)

    def click(self, selector: str, *, is_away: bool = False) -> None:
        """Click on an element; it may lead to another page."""
        place = self.run(
            f"""
            const found = document.querySelector({json.dumps(selector)});
            found.scrollIntoView({{ block: "center", behavior: "instant" }});
            const {{ left, top, width, height }} = found.getClientRects()[0];
            return {{ x: left + width / 2, y: top + height / 2 }};
            """
        )
        self._events.clear()
        for kind in ("mousePressed", "mouseReleased"):
            told = {"type": kind, "button": "left", "clickCount": 1, **place}
            self._call("Input.dispatchMouseEvent", **told)
        if is_away:
            self._wait_for("Page.loadEventFired")

    def run(self, script: str) -> Any:  # noqa: ANN401 - JSON
        """Return what the body of an asynchronous function returns on the page."""
        told = self._call(
            "Runtime.evaluate",
            expression=f"(async () => {{ {script} }})()",
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        assert self.errors == []
        return told["result"].get("value")

    # -- what it is seen on -----------------------------------------------------------

    def resize(self, width: int, height: int = 900) -> None:
        """Let the window have a size."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def prefer(self, mode: str) -> None:
        """Let the reader prefer light or dark pages."""
        features = [{"name": "prefers-color-scheme", "value": mode}]
        self._call("Emulation.setEmulatedMedia", features=features)

    def allow_scripts(self, *, are_allowed: bool) -> None:
        """Let pages have scripts or not, from the next page on."""
        self._call("Emulation.setScriptExecutionDisabled", value=not are_allowed)

    def picture(self) -> bytes:
        """Return what is in the window as PNG."""
        told = self._call("Page.captureScreenshot", format="png")
        return base64.b64decode(told["data"])

    # -- pipes ------------------------------------------------------------------------

    def _call(self, method: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method}
        message["params"] = params
        if self._session:
            message["sessionId"] = self._session
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self._to, rest) :]
        while True:
            told = self._receive()
            if told.get("id") == self._count:
                assert "error" not in told, (method, told["error"])
                result: dict[str, Any] = told["result"]
                return result

    def _wait_for(self, event: str) -> None:
        while event not in self._events:
            self._receive()

    def _receive(self) -> dict[str, Any]:
        """Return the next message, and remember it if it is an event."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], _PATIENCE)
            assert ready, "the browser says nothing"
            read = os.read(self._from, 1 << 16)
            assert read, "the browser has ended"
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        if "method" in told:
            self._events.append(told["method"])
        if told.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(told["params"]["exceptionDetails"]))
        return told


class _Handler(SimpleHTTPRequestHandler):
    """Serves files, and notes which."""

    def __init__(self, asked: list[str], *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as they come
        self._asked = asked
        super().__init__(*arguments, **options)

    def log_message(self, *_: object) -> None:
        """Note which file was asked for."""
        self._asked.append(self.path)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder; give its address, and the paths that are asked for."""
    asked: list[str] = []
    handler = partial(_Handler, asked, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    # so often it looks whether it shall end
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
