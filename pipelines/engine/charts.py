"""What Slipway tells the charts of a release, and what it asks of their rendering. Pure.

`charts/<application>` renders one slot, `charts/edge` what stands in front of both.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pipelines.model.environment import EnvironmentSettings, KubernetesSettings
from pipelines.model.errors import BadInput
from pipelines.model.release import Release
from pipelines.model.slots import Slot

EDGE = "edge"
ROLLING_UPDATE = "rollingUpdate"
LARGEST_BYTES = 5_000_000
"""Of one rendering; far below what a git host or an API server would take."""


class ChartRenderer(Protocol):
    """Helm, in process or as a program: both give the same text."""

    def render(
        self, chart: Path, values: Sequence[Mapping[str, Any]], *, name: str, namespace: str
    ) -> str:
        """Manifests of `helm template NAME CHART --namespace NAMESPACE`, hooks included, with
        `values` laid over the chart's own in order. Raises BadInput with what the chart's schema or
        a template refuses."""


def slot_path(slot: Slot) -> str:
    """Where the branch of an environment holds what a slot runs."""
    return f"slots/{slot}/manifests.yaml"


EDGE_PATH = f"{EDGE}/manifests.yaml"


def render_slot(
    renderer: ChartRenderer,
    source: Path,
    release: Release,
    settings: EnvironmentSettings,
    slot: Slot,
    *,
    active: bool,
    delivery: str = "",
) -> str:
    """What `slot` runs of a release. `source`: the folder with the release's own `charts/`.
    `active`: the slot shall become active, so that hooks belong to it; `delivery` is what
    they are told (`model.delivery`).

    Raises BadInput: no chart, or what the chart refuses.
    """
    values = chart_values(release, settings, slot, hooks=active, delivery=delivery)
    chart = release.application.name
    return _render(renderer, source, release, chart, str(slot), values, settings)


def render_edge(
    renderer: ChartRenderer,
    source: Path,
    release: Release,
    settings: EnvironmentSettings,
    slot: Slot,
) -> str:
    """What stands in front of both slots while `slot` is active. Errors as `render_slot`."""
    own, known = chart_values(release, settings, slot, hooks=False)
    told = {key: known[key] for key in ("environment", "application", "processes")}
    values = [own, {**told, "activeSlot": str(slot)}]
    return _render(renderer, source, release, EDGE, EDGE, values, settings)


def place_of(settings: EnvironmentSettings, application: str) -> KubernetesSettings:
    """Where an environment runs on a cluster; of one that does not (yet), where it would by custom."""
    return settings.kubernetes or KubernetesSettings(f"slipway-{settings.name}", application)


def chart_values(
    release: Release, settings: EnvironmentSettings, slot: Slot, *, hooks: bool, delivery: str = ""
) -> list[Mapping[str, Any]]:
    """The environment's own values, and over them what only Slipway knows."""
    own = release.values.get(settings.name, {})
    where = place_of(settings, release.application.name)
    asked = own.get("hooks")
    wanted = hooks and where.hooked
    if isinstance(asked, Mapping) and asked.get("enabled") is False:
        wanted = False
    known: dict[str, Any] = {
        "slot": str(slot),
        "environment": settings.name,
        "application": release.application.name,
        "module": release.application.module,
        "release": {
            "id": release.id,
            "version": release.version,
            "artifact": release.artifact,
            "commit": release.source_commit,
            "author": release.source_author,
            "migrations": migrations_digest(release),
        },
        "image": {"repository": where.image, "tag": release.id},
        "processes": {
            process.name: {"args": list(process.args), "live": "live" in process.sockets}
            for process in release.application.processes
        },
        "hooks": {
            "enabled": wanted,
            "soakSeconds": math.ceil(settings.soak_seconds),
        },
    }
    if wanted and delivery:  # a release that was built with older charts does not know these keys
        known["hooks"]["delivery"] = delivery
        # The slot's processes, then validate, reconcile and shadow one after another.
        known["hooks"]["verifySeconds"] = math.ceil(
            settings.ready_timeout_seconds + 3 * settings.verify_timeout_seconds
        )
    engine = {"repository": where.engine_image, "tag": where.engine_tag}
    if told := {key: value for key, value in engine.items() if value}:
        known["engineImage"] = told
    return [own, known]


def require_slots(release: Release, environment: str) -> None:
    """Raises BadInput for what Slipway cannot release: with `strategy: rollingUpdate` nothing has a
    slot, so no selector could be moved to it and no way back would stay warm."""
    strategy = release.values.get(environment, {}).get("strategy")
    if strategy == ROLLING_UPDATE:
        raise BadInput(
            f"the values of {environment} in release {release.id} say strategy: {strategy}, which"
            " Slipway cannot release: it has no slots to switch between",
            hint=f"take `strategy` out of environments/{{base,{environment}}}/values.yaml, or say"
            " blueGreen; rollingUpdate is for charts that people install with Helm themselves",
        )


def migrations_digest(release: Release) -> str:
    """The name under which a hook remembers that it migrated: equal sets, equal names."""
    return hashlib.sha256("\n".join(release.migrations).encode()).hexdigest()[:16]


def charts_of(application: str) -> tuple[str, str]:
    """Names of the folders in `charts/` that every release for Kubernetes needs."""
    return (application, EDGE)


def _render(
    renderer: ChartRenderer,
    source: Path,
    release: Release,
    chart: str,
    part: str,
    values: Sequence[Mapping[str, Any]],
    settings: EnvironmentSettings,
) -> str:
    application = release.application.name
    folder = source / "charts" / chart
    if not (folder / "Chart.yaml").is_file():
        raise BadInput(
            f"release {release.id} (version {release.version}) has no chart charts/{chart}",
            hint="`target: kubernetes` needs it: promote a release that was built with the charts",
        )
    namespace = place_of(settings, application).namespace
    text = renderer.render(folder, values, name=f"{application}-{part}", namespace=namespace)
    size = len(text.encode())
    if size > LARGEST_BYTES:
        raise BadInput(
            f"charts/{chart} of release {release.id} renders {size:,} bytes, at most"
            f" {LARGEST_BYTES:,} are committed",
            hint="is a loop in a template without an end, or a large file in a config map?",
        )
    return text if text.endswith("\n") or not text else text + "\n"
