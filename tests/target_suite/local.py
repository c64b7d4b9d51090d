"""The local target over real processes and a real PostgreSQL, with the second application."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipelines.adapters.http import PlainHttp
from pipelines.adapters.postgres import LocalPostgres
from pipelines.adapters.process import LocalProcesses
from pipelines.adapters.rows import PostgresRows
from pipelines.adapters.supervisor import CircusSupervisor
from pipelines.model import application_yaml
from pipelines.model.release import ENVIRONMENTS, Release
from pipelines.targets.local.layout import Installation, Layout
from pipelines.targets.local.ports import LocalAdapters
from pipelines.targets.local.target import LocalTarget
from tests.target_suite.ports import free_base_port

SECOND_APP = Path(__file__).parents[1] / "second_app"


class EchoReleases:
    """Releases of the second application without building any: the same code under several ids."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, Release] = {}

    def make(self, number: int) -> Release:
        release = Release(
            id=f"r-{number:016x}",
            version=str(number),
            source_commit=f"{number:040x}",
            source_author="Somebody <somebody@example.org>",
            source_subject="Change something",
            built_at="2026-01-01T00:00:00+00:00",
            artifact="",
            wheel="",
            parts={},
            migrations=(),
            strategies={},
            application=application_yaml.parse((SECOND_APP / "slipway.yaml").read_text()),
            values={name: {"number": number} for name in ENVIRONMENTS},
        )
        return self.add(release)

    def add(self, release: Release) -> Release:
        self.known[release.id] = release
        return release

    def crashing(self, number: int) -> Release:
        """Its web process ends as soon as it starts."""
        release = self.make(number)
        specs = [replace(s, args=("nonsense",)) for s in release.application.processes]
        application = replace(release.application, processes=tuple(specs))
        return self.add(replace(release, application=application))

    def with_command(self, number: int, command: str, args: tuple[str, ...]) -> Release:
        release = self.make(number)
        commands = {**release.application.commands, command: args}
        return self.add(
            replace(release, application=replace(release.application, commands=commands))
        )

    def without(self, release: Release, *commands: str) -> Release:
        kept = {k: v for k, v in release.application.commands.items() if k not in commands}
        return self.add(replace(release, application=replace(release.application, commands=kept)))

    def get(self, release: str) -> Release:
        return self.known[release]

    def python(self, release: Release) -> Path:
        """An interpreter that finds the second application: stays one process all the way."""
        path = self.folder / "python"
        if not path.exists():
            path.write_text(f'#!/bin/sh\nPYTHONPATH="{SECOND_APP}" exec "{sys.executable}" "$@"\n')
            path.chmod(0o700)
        return path


def local_target(layout: Layout, releases: EchoReleases) -> LocalTarget:
    adapters = LocalAdapters(
        supervisor=CircusSupervisor(layout),
        processes=LocalProcesses(),
        database=LocalPostgres(layout),
        rows=PostgresRows(layout),
        http=PlainHttp(),
    )
    return LocalTarget(layout, releases, adapters)


@contextmanager
def running_target(folder: Path) -> Iterator[tuple[LocalTarget, EchoReleases]]:
    installation = Installation.create(folder / "state", folder, free_base_port())
    releases = EchoReleases(folder)
    target = local_target(installation.layout("staging"), releases)
    try:
        yield target, releases
    finally:
        target.stop_all()
        shutil.rmtree(installation.runtime, ignore_errors=True)
