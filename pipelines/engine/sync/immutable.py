"""Fields that the API server refuses to change, as its validation of Kubernetes 1.34 has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pipelines.model.resource import Resource
from pipelines.model.sync import FieldChange

# (group, kind) -> pointers; what lies under one cannot change once the object is there.
_FIXED: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "PersistentVolume"): (
        *("/spec/volumeMode", "/spec/nodeAffinity"),
        # Every source there is, those of removed drivers too: a volume may still have one.
        *("/spec/awsElasticBlockStore", "/spec/azureDisk", "/spec/azureFile", "/spec/cephfs"),
        *("/spec/cinder", "/spec/csi", "/spec/fc", "/spec/flexVolume", "/spec/flocker"),
        *("/spec/gcePersistentDisk", "/spec/glusterfs", "/spec/hostPath", "/spec/iscsi"),
        *("/spec/local", "/spec/nfs", "/spec/photonPersistentDisk", "/spec/portworxVolume"),
        *("/spec/quobyte", "/spec/rbd", "/spec/scaleIO", "/spec/storageos"),
        "/spec/vsphereVolume",
    ),
    ("", "ResourceQuota"): ("/spec/scopes",),
    ("", "Secret"): ("/type",),
    ("", "Service"): ("/spec/clusterIP", "/spec/clusterIPs", "/spec/ipFamilies",
                      "/spec/healthCheckNodePort"),
    ("apps", "DaemonSet"): ("/spec/selector",),
    ("apps", "Deployment"): ("/spec/selector",),
    ("apps", "ReplicaSet"): ("/spec/selector",),
    ("apps", "ControllerRevision"): ("/data",),
    ("batch", "Job"): ("/spec/selector", "/spec/template", "/spec/completionMode",
                       "/spec/completions", "/spec/podFailurePolicy", "/spec/successPolicy",
                       "/spec/backoffLimitPerIndex", "/spec/managedBy", "/spec/manualSelector"),
    ("certificates.k8s.io", "ClusterTrustBundle"): ("/spec/signerName",),
    ("discovery.k8s.io", "EndpointSlice"): ("/addressType",),
    ("networking.k8s.io", "IngressClass"): ("/spec/controller",),
    ("networking.k8s.io", "IPAddress"): ("/spec/parentRef",),
    ("networking.k8s.io", "ServiceCIDR"): ("/spec/cidrs/0",),
    ("node.k8s.io", "RuntimeClass"): ("/handler",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("/roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("/roleRef",),
    ("resource.k8s.io", "ResourceClaim"): ("/spec",),
    ("resource.k8s.io", "ResourceClaimTemplate"): ("/spec",),
    ("scheduling.k8s.io", "PriorityClass"): ("/value", "/preemptionPolicy"),
    ("storage.k8s.io", "CSIDriver"): ("/spec/attachRequired", "/spec/volumeLifecycleModes"),
    ("storage.k8s.io", "CSIStorageCapacity"): ("/nodeTopology", "/storageClassName"),
    ("storage.k8s.io", "VolumeAttachment"): ("/spec",),
    ("storage.k8s.io", "VolumeAttributesClass"): ("/driverName", "/parameters"),
    ("storage.k8s.io", "StorageClass"): ("/provisioner", "/parameters", "/reclaimPolicy",
                                         "/volumeBindingMode"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ("/spec/group", "/spec/scope",
                                                           "/spec/names/kind",
                                                           "/spec/names/plural"),
}  # fmt: skip
# (group, kind) -> pointers; everything else under /spec is fixed.
_FREE: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "PersistentVolumeClaim"): ("/spec/resources/requests/storage",
                                    "/spec/volumeAttributesClassName"),
    ("", "Pod"): ("/spec/activeDeadlineSeconds", "/spec/tolerations", "/spec/schedulingGates"),
    ("apps", "StatefulSet"): ("/spec/replicas", "/spec/ordinals", "/spec/template",
                              "/spec/updateStrategy", "/spec/minReadySeconds",
                              "/spec/revisionHistoryLimit",
                              "/spec/persistentVolumeClaimRetentionPolicy"),
}  # fmt: skip
# (group, kind) -> pointers; what is fixed there, but may be given where there was nothing.
_ONCE: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "PersistentVolume"): ("/spec/nodeAffinity", "/spec/csi/controllerExpandSecretRef"),
    ("", "PersistentVolumeClaim"): ("/spec/storageClassName", "/spec/volumeName"),
}
_POD_IMAGE = re.compile(r"/spec/(initContainers|containers)/[^/]+/image")
_STORAGE = "/spec/resources/requests/storage"
_CLASS = "/spec/loadBalancerClass"
_SEALED = ("/data", "/binaryData", "/stringData", "/immutable")
"""Of a Secret or ConfigMap with `immutable: true`."""


def mark(changes: Iterable[FieldChange], live: Resource) -> tuple[FieldChange, ...]:
    """The same changes, those the API would refuse with `immutable=True`."""
    identity, found = (live.group, live.kind), tuple(changes)
    fixed, free = _FIXED.get(identity, ()), _FREE.get(identity)
    if identity in (("", "Secret"), ("", "ConfigMap")) and live.manifest.get("immutable") is True:
        fixed += _SEALED
    if not fixed and free is None:
        return found
    new = {change.path: change.new for change in found}
    return tuple(
        replace(change, immutable=True)
        if not change.immutable and _refused(change, live, new, fixed, free)
        else change
        for change in found
    )


def _refused(
    change: FieldChange,
    live: Resource,
    new: Mapping[str, Any],
    fixed: tuple[str, ...],
    free: tuple[str, ...] | None,
) -> bool:
    identity = (live.group, live.kind)
    if identity == ("", "Service"):
        return _of_service(change, live, new, fixed)
    if change.old is None and change.path in _ONCE.get(identity, ()):
        return False
    if identity == ("", "Pod") and _POD_IMAGE.fullmatch(change.path):
        return False
    if identity == ("", "PersistentVolumeClaim") and change.path == _STORAGE:
        return _shrinks(change.old, change.new) and not _grows(live, change.new)
    if identity == ("batch", "Job") and _elastic(change, live, new):
        return False
    if _under(change.path, fixed):
        return True
    return free is not None and _under(change.path, ("/spec",)) and not _under(change.path, free)


def _of_service(
    change: FieldChange, live: Resource, new: Mapping[str, Any], fixed: tuple[str, ...]
) -> bool:
    """A first address or family may be given, and a second one given or taken; "None" and an address
    never turn into each other. A load balancer keeps its class while it is one."""
    if change.path == _CLASS:
        return _spec(live).get("type") == "LoadBalancer" and "/spec/type" not in new
    if not _under(change.path, fixed):
        return False
    if isinstance(change.old, list) and isinstance(change.new, list):
        return any(old != new for old, new in zip(change.old, change.new, strict=False))
    return bool(change.old) and bool(change.new)


def _elastic(change: FieldChange, live: Resource, new: Mapping[str, Any]) -> bool:
    """Completions of an indexed Job change together with its parallelism."""
    indexed = _spec(live).get("completionMode") == "Indexed"
    return (
        indexed
        and change.path == "/spec/completions"
        and new.get("/spec/parallelism") == change.new is not None
    )


def _spec(live: Resource) -> Mapping[str, Any]:
    spec = live.manifest.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def _under(path: str, pointers: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in pointers)


def _shrinks(old: Any, new: Any) -> bool:
    """A claim may grow only. Compared where both are whole numbers of one unit."""
    before, after = _size(old), _size(new)
    return before is not None and after is not None and after < before


def _grows(claim: Resource, new: Any) -> bool:
    """A wish that could not be met may be taken back, to more than there is by now."""
    status = claim.manifest.get("status")
    there = status.get("capacity") if isinstance(status, Mapping) else None
    return isinstance(there, Mapping) and _shrinks(new, there.get("storage"))


_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15,
          "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}  # fmt: skip


def _size(value: Any) -> float | None:
    text = str(value)
    digits = text.rstrip("kKMGTPi")
    try:
        return float(digits) * _UNITS[text[len(digits) :]]
    except (ValueError, KeyError):
        return None
