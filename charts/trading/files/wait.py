"""Before a process starts: what it needs must accept a connection. One line for each thing.

Runs with the application's own Python and nothing else. Exit 1 after WAIT_SECONDS, or when the
database's address cannot be read; the pod is then tried again by its kubelet.
"""

import os
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

URL_FILE = Path(os.environ["SLIPWAY_DATABASE_URL_FILE"])
VENUE = os.environ.get("SLIPWAY_VENUE_URL", "")
LIMIT_SECONDS = float(os.environ.get("WAIT_SECONDS", "120"))
SAY_EVERY_SECONDS = 5


def main():
    until = time.monotonic() + LIMIT_SECONDS
    try:
        database = hosts(URL_FILE.read_text().strip())
    except (OSError, ValueError) as error:
        say(f"the database's address cannot be read: {error}")
        return 1
    needed = {"database": database}
    if VENUE:
        venue = urlsplit(VENUE)
        needed["venue"] = [(venue.hostname, venue.port or 80)]
    return 0 if all(answers(what, where, until) for what, where in needed.items()) else 1


def hosts(url):
    """A libpq URI may name several hosts; one that answers is enough."""
    named = urlsplit(url).netloc.rpartition("@")[2]
    if not named:
        raise ValueError("it names no host")
    return [host_and_port(host) for host in named.split(",")]


def host_and_port(text):
    name, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        name, port = text, "5432"
    return name.strip("[]"), int(port)


def answers(what, where, until):
    said = 0.0
    while True:
        for host, port in where:
            try:
                socket.create_connection((host, port), timeout=2).close()
            except OSError as error:
                why = f"{what} at {host}:{port} does not answer: {error}"
            else:
                say(f"{what} at {host}:{port} answers")
                return True
        now = time.monotonic()
        if now > until:
            say(f"{why}; gave up after {LIMIT_SECONDS:g} s")
            return False
        if now - said > SAY_EVERY_SECONDS:
            said = now
            say(f"{why}; waiting")
        time.sleep(0.5)


def say(words):
    print(time.strftime("%H:%M:%S"), words, flush=True)


sys.exit(main())
