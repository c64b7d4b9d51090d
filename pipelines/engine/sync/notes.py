"""The annotations under `argocd.argoproj.io/` and Helm's: names, and how their values are read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource

PREFIX = "argocd.argoproj.io/"
HOOK = PREFIX + "hook"
HOOK_DELETE_POLICY = PREFIX + "hook-delete-policy"
SYNC_WAVE = PREFIX + "sync-wave"
SYNC_OPTIONS = PREFIX + "sync-options"
COMPARE_OPTIONS = PREFIX + "compare-options"
TRACKING = PREFIX + "tracking-id"
IGNORE_HEALTH = PREFIX + "ignore-healthcheck"
IGNORE_RESTARTS = PREFIX + "ignore-restart-policy"
HOOK_FINALIZER = PREFIX + "hook-finalizer"

HELM_HOOK = "helm.sh/hook"
HELM_WEIGHT = "helm.sh/hook-weight"
HELM_DELETE_POLICY = "helm.sh/hook-delete-policy"
HELM_RESOURCE_POLICY = "helm.sh/resource-policy"

KNOWN = (
    *(HOOK, HOOK_DELETE_POLICY, SYNC_WAVE, SYNC_OPTIONS, COMPARE_OPTIONS, TRACKING),
    *(IGNORE_HEALTH, IGNORE_RESTARTS),
)

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")


def values(annotations: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A comma list: trimmed, without empty and repeated values, in the order written."""
    text = annotations.get(name)
    if not text:
        return ()
    return tuple(dict.fromkeys(part for raw in text.split(",") if (part := raw.strip())))


def wave(annotations: Mapping[str, str]) -> int:
    """The wave, leniently, as Argo CD reads it: what is no whole number counts as not written."""
    for name in (SYNC_WAVE, HELM_WEIGHT):
        text = annotations.get(name)
        if text is not None and _WHOLE.fullmatch(text):
            return int(text)
    return 0


def check(resource: Resource) -> None:
    """Refuse by name what Slipway does not implement, and waves that are none. Raises BadInput."""
    for name, value in resource.annotations.items():
        if name.startswith(PREFIX) and name not in KNOWN:
            close = difflib.get_close_matches(name, KNOWN, n=1)
            guess = f"did you mean {close[0]!r}? " if close else ""
            raise BadInput(
                f"{resource.origin}: annotation {name!r} is not supported (value {value!r:.60})",
                hint=f"{guess}supported: {', '.join(one[len(PREFIX) :] for one in KNOWN)}",
            )
    for name in (SYNC_WAVE, HELM_WEIGHT):
        text = resource.annotations.get(name)
        if text is not None and not _WHOLE.fullmatch(text):
            raise BadInput(
                f"{resource.origin}: annotation {name}: {text!r} is no whole number",
                hint='write a wave like "-1", "0" or "5"',
            )
    for option in values(resource.annotations, COMPARE_OPTIONS):
        if option != "IgnoreExtraneous":
            raise BadInput(
                f"{resource.origin}: compare option {option!r} is not supported",
                hint="supported: IgnoreExtraneous; fields are left out by spec.ignoreDifferences",
            )
