"""Before a process starts: secrets as files of its own, and everything it needs answers.

Kubernetes mounts secrets as links that a group may read; applications (and libpq) refuse those. They
are copied to memory, readable by this user alone. Then each address must accept a connection.
"""

import os
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

SECRETS = Path(os.environ.get("SECRETS", "/etc/slipway/secrets"))
OWN = Path(os.environ.get("OWN", "/run/slipway"))


def say(words):
    print(time.strftime("%H:%M:%S"), words, flush=True)


def copy():
    for secret in sorted(path for path in SECRETS.iterdir() if not path.name.startswith(".")):
        descriptor = os.open(OWN / secret.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret.read_bytes())


def addresses():
    """Hosts of the database (a URI may name several; one that answers is enough) and the venue."""
    hosts = urlsplit((OWN / "database-url").read_text().strip()).netloc.rpartition("@")[2]
    yield "database", [split(host, 5432) for host in hosts.split(",")]
    venue = urlsplit(os.environ.get("SLIPWAY_VENUE_URL", ""))
    if venue.hostname:
        yield "venue", [(venue.hostname, venue.port or 80)]


def split(host, default):
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port:
        name, port = host, str(default)
    return name.strip("[]"), int(port)


def wait(what, hosts, until):
    began = time.monotonic()
    while True:
        for host, port in hosts:
            try:
                socket.create_connection((host, port), timeout=2).close()
            except OSError as error:
                last = f"{what} at {host}:{port} does not answer: {error}"
            else:
                return say(f"{what} at {host}:{port} answers")
        if time.monotonic() > until:
            say(f"{last}; gave up")
            sys.exit(1)
        if int(time.monotonic() - began) % 5 == 0:
            say(f"{last}; trying again")
        time.sleep(1)


copy()
limit = time.monotonic() + float(os.environ.get("WAIT_SECONDS", "120"))
for what, hosts in addresses():
    wait(what, hosts, limit)
