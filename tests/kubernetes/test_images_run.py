"""The images at work: database, venue, both slots and a trader as containers, and the row that decides."""

from __future__ import annotations

import http.client
import json
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.kubernetes import images
from tests.kubernetes.image_shelf import Built
from tests.kubernetes.images import docker

TOKEN = "0123456789abcdef0123456789abcdef"  # not-a-secret: of servers that tests start
PASSWORD = "words-of-a-test"  # not-a-secret: of a database that a test starts
VALUES = """
trading:
  strategies:
    sma-cross: {plugin: sma_cross, capital: 100000}
replicas: 2  # a chart's, not the application's
"""
# As a restricted pod: no root, nothing to write to but /tmp, no capabilities.
POD = ["--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
       "--security-opt", "no-new-privileges"]  # fmt: skip
MOST_SECONDS_TO_FOLLOW = 1.5


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60.0) -> float:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            if condition():
                return time.monotonic() - began
        except (OSError, http.client.HTTPException, AssertionError):
            pass
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds:g} s: {what}")


def mounted(folder: Path, group: int, **files: str) -> Path:
    """Files as a cluster mounts a secret: root's, for a group, through links that move at once."""
    folder.mkdir(parents=True)
    data = folder / "..2026"
    data.mkdir()
    (folder / "..data").symlink_to("..2026")
    for name, content in files.items():
        (data / name).write_text(content)
        (data / name).chmod(0o440)
        os.chown(data / name, 0, group)
        (folder / name).symlink_to(f"..data/{name}")
    for path in (folder, data):
        path.chmod(0o755)
    return folder


@dataclass
class Town:
    """Everything of one environment; `ports` by name of the container."""

    image: str
    folder: Path
    database_port: int
    ports: dict[str, int] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)
    epoch: int = 0

    def options(self, slot: str) -> list[str]:
        given = {
            "SLIPWAY_ENVIRONMENT": "dev",
            "SLIPWAY_SLOT": slot,
            "SLIPWAY_RELEASE": self.image.rpartition(":")[2],
            "SLIPWAY_DATABASE_URL_FILE": "/etc/slipway/secrets/url",
            "SLIPWAY_TOKEN_FILE": "/etc/slipway/secrets/token",
            "SLIPWAY_VALUES": "/etc/slipway/settings/values.yaml",
            "SLIPWAY_VENUE_URL": f"http://127.0.0.1:{self.ports['venue']}",
        }
        secrets = f"{self.folder / 'secrets'}:/etc/slipway/secrets:ro"
        settings = f"{self.folder / 'settings'}:/etc/slipway/settings:ro"
        variables = [f"--env={name}={value}" for name, value in given.items()]
        return [*POD, "-v", secrets, "-v", settings, *variables]

    def start(self, name: str, role: str, slot: str = "blue", *more: str) -> None:
        port = self.ports.setdefault(name, free_port())
        listen = f"--env=SLIPWAY_LISTEN=127.0.0.1:{port}"
        options = [*self.options(slot), listen, *more]
        self.running.append(docker("run", "--detach", *options, self.image, "serve", role))

    def command(self, *words: str) -> str:
        return docker("run", "--rm", *self.options("blue"), self.image, *words, "--output", "json")

    def ask(self, name: str, path: str) -> tuple[int, str | None, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.getheader("connection"), answer.read()
        finally:
            connection.close()

    def traffic(self, name: str) -> str:
        return str(json.loads(self.ask(name, "/version")[2])["traffic"])

    def switch(self, to: str) -> None:
        self.command(
            *("handover", "switch", "--to", to, "--release", "r", "--operation", f"o{self.epoch}"),
            *("--commit", "c", "--token", "1", "--expect-epoch", str(self.epoch)),
            *("--state", "confirmed"),
        )
        self.epoch += 1


@pytest.fixture(scope="module")
def town(
    built_application: Built, engine_base: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    made = Town(built_application[0].name, tmp_path_factory.mktemp("town"), free_port())
    try:
        prepare(made, images.make_database_image(engine_base))
        yield made
    finally:
        for container in made.running:
            # Shown with a test that failed.
            print(docker("logs", "--tail", "20", container, check=False))
            docker("rm", "--force", "--volumes", container, check=False)


def prepare(town: Town, database: str) -> None:
    """Database with its schema, venue, traders and both slots, started and not yet active."""
    for path in (town.folder, *town.folder.parents[:2]):
        # pytest's folders are for root alone; mounts pass through them
        path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o055)
    url = f"postgresql://trading:{PASSWORD}@127.0.0.1:{town.database_port}/trading"
    mounted(town.folder / "secrets", 10001, token=TOKEN, url=url)
    mounted(town.folder / "database", 999, password=PASSWORD)
    mounted(town.folder / "settings", 10001, **{"values.yaml": VALUES})
    variables = ["POSTGRES_USER=trading", "POSTGRES_DB=trading", f"PGPORT={town.database_port}",
                 # not-a-secret: the path of a file
                 "POSTGRES_PASSWORD_FILE=/etc/database/password"]  # fmt: skip
    given = [f"--env={variable}" for variable in variables]
    volume = "/var/lib/postgresql/data:uid=999,gid=999"
    options = [*POD, "--tmpfs", volume, "-v", f"{town.folder / 'database'}:/etc/database:ro"]
    town.running.append(docker("run", "--detach", *options, *given, database))
    wait_for(lambda: socket.create_connection(("127.0.0.1", town.database_port), 1), "PostgreSQL")
    town.start("venue", "venue", "blue", "--env=SLIPWAY_DATA_DIR=/tmp")
    town.command("migrate", "up", "--kind", "expand")
    assert json.loads(town.command("migrate", "status"))["pending"] == []
    for slot in ("blue", "green"):
        town.start(f"api-{slot}", "api", slot, "--env=SLIPWAY_TRAFFIC=row")
    town.start("trader", "trader", "blue", "--env=SLIPWAY_TRAFFIC=row")
    for name in ("api-blue", "api-green", "trader"):
        wait_for(lambda name=name: town.ask(name, "/health/ready")[0] == 200, f"{name} is ready")  # type: ignore[misc]


def test_nobody_is_live_before_the_first_switch_and_all_are_ready(town: Town) -> None:
    assert town.epoch == 0
    for name in ("api-blue", "api-green", "trader"):
        assert town.traffic(name) == "idle"
        assert town.ask(name, "/health/ready")[:2] == (200, "close")


def test_the_row_decides_within_a_second_who_is_live(town: Town) -> None:
    for to, other in (("blue", "green"), ("green", "blue"), ("blue", "green")):
        town.switch(to)
        took = wait_for(lambda to=to: town.traffic(f"api-{to}") == "live", f"{to} is live")  # type: ignore[misc]
        took += wait_for(lambda: town.traffic(f"api-{other}") != "live", f"{other} is not")  # noqa: B023
        assert took < MOST_SECONDS_TO_FOLLOW
        assert town.ask(f"api-{to}", "/health/live")[:2] == (200, None)
        assert town.ask(f"api-{other}", "/health/live")[:2] == (200, "close")
    # The trader lost its lease once on the way and must have outlived that.
    wait_for(lambda: town.traffic("trader") == "live", "the trader follows too", 5)


def test_each_container_becomes_healthy_by_its_own_check(town: Town) -> None:
    def health(container: str) -> str:
        return docker("inspect", "--format", "{{.State.Health.Status}}", container)

    for container in town.running:
        wait_for(lambda c=container: health(c) == "healthy", f"{container} is healthy")  # type: ignore[misc]


def test_nobody_is_root_and_nobody_can_write(town: Town) -> None:
    for container in town.running[1:]:
        status = docker("exec", container, "cat", "/proc/1/status")
        (uids,) = [line for line in status.splitlines() if line.startswith("Uid:")]
        assert uids.split()[1:] == ["10001"] * 4
        refused = docker("exec", container, "sh", "-c", "touch /opt/app/x 2>&1", check=False)
        assert "Read-only file system" in refused


def test_checks_find_nothing_wrong(town: Town) -> None:
    for check in ("validate", "reconcile"):
        assert json.loads(town.command(check))["ok"], check


def test_sigterm_ends_a_container_within_its_grace(town: Town) -> None:
    container = town.running[-1]
    began = time.monotonic()
    docker("stop", "--time", "10", container)
    assert time.monotonic() - began < 6
    assert docker("inspect", "--format", "{{.State.ExitCode}}", container) == "0"
