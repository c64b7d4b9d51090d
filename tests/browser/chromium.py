"""A headless Chromium, driven over a pair of pipes. Standard library only.

No port is opened and nothing is downloaded. Chromium must be installed; `find` says where it is.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMIT_SECONDS = 30.0
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)


def find() -> str | None:
    """The browser's path, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class BrowserError(Exception):
    """The browser refused a command, or a script on the page failed."""


class Chromium:
    """One browser with one page; a context manager that leaves neither process nor profile."""

    def __init__(self, width: int = 1440, height: int = 900, *, light: bool = False) -> None:
        program = find()
        if program is None:
            raise BrowserError(f"no browser found; install one of {', '.join(NAMES)}")
        self._profile = tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True)
        self._answers: Queue[dict[str, Any]] = Queue()
        self.events: list[dict[str, Any]] = []
        self._number = 0
        read_fd, self._write_fd = os.pipe()
        self._read_fd, write_fd = os.pipe()
        # The browser reads commands from descriptor 3 and writes answers to descriptor 4.
        shell = f'exec "$@" 3<&{read_fd} 4>&{write_fd}'
        self._process = subprocess.Popen(
            [
                *("bash", "-c", shell, "chromium", program, *_QUIET),
                *("--remote-debugging-pipe", f"--user-data-dir={self._profile.name}"),
                "about:blank",
            ],
            pass_fds=(read_fd, write_fd),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_fd)
        os.close(write_fd)
        self._session = ""
        threading.Thread(target=self._listen, daemon=True).start()
        self._attach(width, height, light)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._session = ""
            self.command("Browser.close")
            self._process.wait(timeout=10)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._write_fd)
        self._profile.cleanup()

    def command(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send one command of the DevTools protocol and wait for its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write_fd, json.dumps(message).encode() + b"\0")
        while True:
            try:
                answer = self._answers.get(timeout=LIMIT_SECONDS)
            except Empty as error:
                raise BrowserError(f"{method}: no answer in {LIMIT_SECONDS} s") from error
            if answer.get("id") == self._number:
                break
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> None:
        """Go to an address and wait until the page is loaded."""
        self.command("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page; promises are awaited."""
        answer = self.command(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails'].get('text')}")
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 15.0) -> None:
        """Wait until a JavaScript condition holds, also across page loads."""
        threading_wait = threading.Event()
        for _ in range(int(seconds / 0.1)):
            try:
                if self.evaluate(condition):
                    return
            except BrowserError:
                pass  # the page is being replaced
            threading_wait.wait(0.1)
        raise BrowserError(f"after {seconds} s still not: {condition}")

    def picture(self, path: Path) -> None:
        """Write what the window shows as PNG."""
        answer = self.command("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    def problems(self) -> list[str]:
        """What went wrong on the page so far: exceptions, refused resources, console errors."""
        found = []
        for event in self.events:
            method, facts = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                details = facts["exceptionDetails"]
                found.append(details.get("exception", {}).get("description", details["text"]))
            elif method == "Log.entryAdded" and facts["entry"]["level"] == "error":
                found.append(f"{facts['entry']['text']} {facts['entry'].get('url', '')}")
        return found

    def _attach(self, width: int, height: int, light: bool) -> None:
        targets = self.command("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.command("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable")
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = "light" if light else "dark"
        self.command(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def _listen(self) -> None:
        buffer = b""
        with os.fdopen(self._read_fd, "rb", buffering=0) as pipe:
            while data := pipe.read(65536):
                *messages, buffer = (buffer + data).split(b"\0")
                for text in messages:
                    message = json.loads(text)
                    if "id" in message:
                        self._answers.put(message)
                    else:
                        self.events.append(message)
