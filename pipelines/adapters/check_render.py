"""What a release of an exported tree would say, by the builder's own functions; no wheel is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.adapters import release_source
from pipelines.adapters.files import read_text
from pipelines.adapters.git_command import Git, GitFailed
from pipelines.adapters.git_files import committed_text
from pipelines.model import application_yaml, environment_yaml, release_yaml, yaml_strict
from pipelines.model.environment import LOCAL, EnvironmentSettings
from pipelines.model.errors import BadInput
from pipelines.model.release import ENVIRONMENTS, Application, Release
from pipelines.stages.protocol import Rendered

UNBUILT = "r-0000000000000000"
"""The release that nobody built yet."""
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
_LARGEST_LOCK_BYTES = 5_000_000


def read_tree(folder: Path) -> Rendered:
    """`stages.protocol.Renderer`. Raises BadInput naming the file."""
    application = application_yaml.parse(read_text(folder, application_yaml.FILE))
    lock = read_text(folder, release_source.LOCK, limit=_LARGEST_LOCK_BYTES)
    migrations = release_source.migrations(folder, application)
    values = release_source.environment_values(folder)
    return Rendered(
        processes={p.name: _plain(asdict(p)) for p in application.processes},
        services={s.name: _plain(asdict(s)) for s in application.services},
        commands={name: list(args) for name, args in application.commands.items()},
        migrations=migrations,
        values=values,
        settings={name: _settings(folder, name) for name in ENVIRONMENTS},
        dependencies=dict(sorted(_PINNED.findall(lock))),
        strategies_at=f"{application.name}.strategies",
        release=_release(application, migrations, values),
        decided={name: _decided(folder, name) for name in ENVIRONMENTS},
    )


def running(origin: Path) -> dict[str, str]:
    """Environment → `processes.yaml` of the slot that its branch says is active. What cannot be
    read is left out: a check does not depend on it."""
    git = Git(origin, isolated=True, bare=True)
    found = {}
    for environment in ENVIRONMENTS:
        ref = f"refs/heads/env/{environment}"
        try:
            text = committed_text(git, ref, "release.yaml")
            if text is not None:
                slot = release_yaml.parse(text, "release.yaml").active
                processes = committed_text(git, ref, f"slots/{slot}/processes.yaml")
                if processes is not None:  # an environment on a cluster has none
                    found[environment] = processes
        except (GitFailed, BadInput):
            continue
    return found


def _release(
    application: Application, migrations: tuple[str, ...], values: Mapping[str, Mapping[str, Any]]
) -> Release:
    """Id, version, people and digests are the same for every tree: no difference comes of them."""
    return Release(
        id=UNBUILT,
        version="0",
        source_commit="0" * 40,
        source_author="",
        source_subject="",
        built_at="",
        artifact=f"sha256:{'0' * 64}",
        wheel="",
        parts={},
        migrations=migrations,
        strategies={},
        application=application,
        values=values,
    )


def _decided(folder: Path, environment: str) -> EnvironmentSettings:
    """Of a tree without settings what a release for one machine would go by."""
    file = f"environments/{environment}/environment.yaml"
    if not (folder / file).is_file():
        return EnvironmentSettings(environment, LOCAL, 0.0, 0.0, False)
    return environment_yaml.parse(read_text(folder, file), environment, file)


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """As YAML would say it, without the name, which is the key."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items() if k != "name"}


def _settings(folder: Path, environment: str) -> dict[str, Any]:
    file = f"environments/{environment}/environment.yaml"
    if not (folder / file).is_file():
        return {}
    return yaml_strict.load_mapping(read_text(folder, file), file)
