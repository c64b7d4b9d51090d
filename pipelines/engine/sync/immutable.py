"""Fields that the API server refuses to change, as its validation of Kubernetes 1.34 has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pipelines.model.resource import Resource
from pipelines.model.sync import FieldChange

# (group, kind) -> pointers; what lies under one cannot change once the object is there.
_FIXED: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "PersistentVolume"): ("/spec/volumeMode", "/spec/csi", "/spec/hostPath", "/spec/local",
                               "/spec/nfs", "/spec/nodeAffinity"),
    ("", "Secret"): ("/type",),
    ("", "Service"): ("/spec/clusterIP", "/spec/clusterIPs/0"),
    ("apps", "DaemonSet"): ("/spec/selector",),
    ("apps", "Deployment"): ("/spec/selector",),
    ("apps", "ReplicaSet"): ("/spec/selector",),
    ("apps", "ControllerRevision"): ("/data",),
    ("batch", "Job"): ("/spec/selector", "/spec/template", "/spec/completionMode",
                       "/spec/completions", "/spec/podFailurePolicy", "/spec/successPolicy",
                       "/spec/backoffLimitPerIndex", "/spec/managedBy", "/spec/manualSelector"),
    ("discovery.k8s.io", "EndpointSlice"): ("/addressType",),
    ("networking.k8s.io", "IngressClass"): ("/spec/controller",),
    ("node.k8s.io", "RuntimeClass"): ("/handler",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("/roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("/roleRef",),
    ("scheduling.k8s.io", "PriorityClass"): ("/value", "/preemptionPolicy"),
    ("storage.k8s.io", "StorageClass"): ("/provisioner", "/parameters", "/reclaimPolicy",
                                         "/volumeBindingMode"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ("/spec/group", "/spec/scope",
                                                           "/spec/names/kind"),
}  # fmt: skip
# (group, kind) -> pointers; everything else under /spec is fixed.
_FREE: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "PersistentVolumeClaim"): ("/spec/resources", "/spec/volumeAttributesClassName"),
    ("", "Pod"): ("/spec/activeDeadlineSeconds", "/spec/terminationGracePeriodSeconds",
                  "/spec/tolerations", "/spec/schedulingGates"),
    ("apps", "StatefulSet"): ("/spec/replicas", "/spec/ordinals", "/spec/template",
                              "/spec/updateStrategy", "/spec/minReadySeconds",
                              "/spec/revisionHistoryLimit",
                              "/spec/persistentVolumeClaimRetentionPolicy"),
}  # fmt: skip
_SEALED = ("/data", "/binaryData", "/stringData", "/immutable")
"""Of a Secret or ConfigMap with `immutable: true`."""


def mark(changes: Iterable[FieldChange], live: Resource) -> tuple[FieldChange, ...]:
    """The same changes, those the API would refuse with `immutable=True`."""
    identity = (live.group, live.kind)
    fixed, free = _FIXED.get(identity, ()), _FREE.get(identity)
    if identity in (("", "Secret"), ("", "ConfigMap")) and live.manifest.get("immutable") is True:
        fixed += _SEALED
    if not fixed and free is None:
        return tuple(changes)
    return tuple(
        replace(change, immutable=True)
        if not change.immutable and _refused(change, identity, fixed, free)
        else change
        for change in changes
    )


def _refused(
    change: FieldChange,
    identity: tuple[str, str],
    fixed: tuple[str, ...],
    free: tuple[str, ...] | None,
) -> bool:
    if identity == ("", "Service"):
        # A first address may be given; "None" and an address never turn into each other.
        return _under(change.path, fixed) and bool(change.old) and bool(change.new)
    if identity == ("", "Pod") and change.path.endswith("/image"):
        return False
    if change.path.startswith("/spec/resources/requests") and _shrinks(change.old, change.new):
        return True
    if _under(change.path, fixed):
        return True
    return free is not None and _under(change.path, ("/spec",)) and not _under(change.path, free)


def _under(path: str, pointers: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in pointers)


def _shrinks(old: Any, new: Any) -> bool:
    """A claim may grow only. Compared where both are whole numbers of one unit."""
    before, after = _size(old), _size(new)
    return before is not None and after is not None and after < before


_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15,
          "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}  # fmt: skip


def _size(value: Any) -> float | None:
    text = str(value)
    digits = text.rstrip("kKMGTPi")
    try:
        return float(digits) * _UNITS[text[len(digits) :]]
    except (ValueError, KeyError):
        return None
