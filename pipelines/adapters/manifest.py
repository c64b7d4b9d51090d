"""A release as `manifest.json`, and the identity that its parts give it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pipelines.model.errors import NeedsPerson
from pipelines.model.release import Application, ProcessSpec, Release, ServiceSpec


def release_id(parts: Mapping[str, str]) -> str:
    text = json.dumps(dict(parts), sort_keys=True, separators=(",", ":"))
    return f"r-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def to_json(release: Release) -> str:
    return json.dumps(asdict(release), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def from_json(text: str, file: str) -> Release:
    """Raises NeedsPerson when it is not what `to_json` writes, or names other parts than its id."""
    try:
        values: dict[str, Any] = json.loads(text)
        release = Release(
            **{
                **values,
                "migrations": tuple(values["migrations"]),
                "application": _application(values["application"]),
            }
        )
        if release_id(release.parts) != release.id:
            raise ValueError(f"id {release.id} does not belong to its parts")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NeedsPerson(
            f"the manifest {file} is damaged: {error}",
            hint="move its folder away, check its source commit out and run `slipway build`",
        ) from error
    return release


def _application(values: dict[str, Any]) -> Application:
    return Application(
        name=values["name"],
        module=values["module"],
        processes=tuple(
            ProcessSpec(p["name"], tuple(p["args"]), tuple(p["sockets"]))
            for p in values["processes"]
        ),
        services=tuple(
            ServiceSpec(s["name"], tuple(s["args"]), s["socket"]) for s in values["services"]
        ),
        commands={name: tuple(args) for name, args in values["commands"].items()},
    )
