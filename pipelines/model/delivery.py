"""What hooks in a cluster are told about a release: `delivery.json` in their config map.

A hook has no state folder, no git and no release store: the branch that it came from must say
everything. Written when the branch is rendered, read by `slipway hook`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipelines.model import release_yaml
from pipelines.model.branch import BranchState
from pipelines.model.environment import AnalysisSettings, EnvironmentSettings, KubernetesSettings
from pipelines.model.errors import BadInput
from pipelines.model.release import Application, ProcessSpec, Release, ServiceSpec

FILE = "delivery.json"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`state`: the `release.yaml` of the same commit. `releases`: of every slot it fills, by id;
    of their values there is what hooks decide by."""

    state: BranchState
    settings: EnvironmentSettings
    releases: Mapping[str, Release]

    @property
    def release(self) -> Release:
        """The one that shall become active. Raises BadInput."""
        content = self.state.active_content
        if content is None or content.release not in self.releases:
            raise BadInput(f"{FILE}: slot {self.state.active} names no release")
        return self.releases[content.release]

    def get(self, release: str) -> Release:
        """One that is not named here was put there by somebody else; what is known of it is its id,
        and that it is the same application."""
        known = self.releases.get(release)
        return known or replace(self.release, id=release, version=release, artifact="", parts={})


def render(delivery: Delivery) -> str:
    environment = delivery.state.environment
    document = {
        "state": release_yaml.render(delivery.state),
        "settings": asdict(delivery.settings),
        "releases": {
            name: asdict(replace(release, values=_kept(release, environment), strategies={}))
            for name, release in sorted(delivery.releases.items())
        },
    }
    return json.dumps(document, sort_keys=True, ensure_ascii=False)


def _kept(release: Release, environment: str) -> dict[str, dict[str, Any]]:
    """Values that a hook decides by; settings of the application are mounted anyway."""
    own = release.values.get(environment, {})
    return {environment: {key: own[key] for key in ("autoscaling",) if key in own}}


def parse(text: str, file: str = FILE) -> Delivery:
    """Raises BadInput for what `render` did not write."""
    try:
        document = json.loads(text)
        return Delivery(
            state=release_yaml.parse(document["state"], f"{file}: state"),
            settings=_settings(document["settings"]),
            releases={name: _release(one) for name, one in document["releases"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(
            f"{file} says nothing that this engine understands: {type(error).__name__}: {error}",
            hint="hooks run the engine that rendered the branch: look at kubernetes.engine_tag",
        ) from None


def _settings(values: Mapping[str, Any]) -> EnvironmentSettings:
    where = values["kubernetes"]
    return EnvironmentSettings(
        **{
            **values,
            "analysis": AnalysisSettings(**values["analysis"]),
            "kubernetes": KubernetesSettings(**where) if where else None,
        }
    )


def _release(values: Mapping[str, Any]) -> Release:
    application = values["application"]
    return Release(
        **{
            **values,
            "migrations": tuple(values["migrations"]),
            "application": Application(
                name=application["name"],
                module=application["module"],
                processes=tuple(
                    ProcessSpec(p["name"], tuple(p["args"]), tuple(p["sockets"]))
                    for p in application["processes"]
                ),
                services=tuple(
                    ServiceSpec(s["name"], tuple(s["args"]), s["socket"])
                    for s in application["services"]
                ),
                commands={name: tuple(args) for name, args in application["commands"].items()},
            ),
        }
    )
