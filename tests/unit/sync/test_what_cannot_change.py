"""Which changes the API server of Kubernetes 1.34 refuses, kind by kind."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engine.difference.compare import changes
from pipelines.engine.sync.immutable import mark
from pipelines.model.resource import Resource

VERSIONS = {
    "PersistentVolume": "v1", "PersistentVolumeClaim": "v1", "Service": "v1", "Pod": "v1",
    "ResourceQuota": "v1", "Secret": "v1", "ConfigMap": "v1", "Job": "batch/v1",
    "StatefulSet": "apps/v1", "Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1",
    "CSIDriver": "storage.k8s.io/v1", "StorageClass": "storage.k8s.io/v1",
    "CSIStorageCapacity": "storage.k8s.io/v1", "VolumeAttributesClass": "storage.k8s.io/v1",
    "VolumeAttachment": "storage.k8s.io/v1", "IngressClass": "networking.k8s.io/v1",
    "ServiceCIDR": "networking.k8s.io/v1", "IPAddress": "networking.k8s.io/v1",
    "ResourceClaimTemplate": "resource.k8s.io/v1", "RoleBinding": "rbac.authorization.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
}  # fmt: skip
IMAGE = {"name": "c", "image": "a"}


def _thing(kind: str, fields: dict[str, Any]) -> Resource:
    return Resource(
        {
            "apiVersion": VERSIONS[kind],
            "kind": kind,
            "metadata": {"name": "x.example.org"},
            **fields,
        }
    )


def _refused(kind: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    live = _thing(kind, old)
    found = mark(changes(_thing(kind, new).manifest, live.manifest, ()), live)
    assert found, "nothing differs"
    return [change.path for change in found if change.immutable]


def _spec(kind: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return _refused(kind, {"spec": old}, {"spec": new})


def _claim(storage: str, **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"storage": storage}}, **more}


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("Service", {"ipFamilies": ["IPv4"]}, {"ipFamilies": ["IPv6"]}),
        ("Service", {"ipFamilies": ["IPv4", "IPv6"]}, {"ipFamilies": ["IPv6", "IPv4"]}),
        ("Service", {"clusterIPs": ["10.0.0.1"]}, {"clusterIPs": ["10.0.0.2"]}),
        ("Service", {"clusterIP": "None"}, {"clusterIP": "10.0.0.2"}),
        ("Service", {"healthCheckNodePort": 30000}, {"healthCheckNodePort": 30001}),
        ("Service", {"type": "LoadBalancer"}, {"type": "LoadBalancer", "loadBalancerClass": "a"}),
        ("PersistentVolume", {"iscsi": {"iqn": "a"}}, {"iscsi": {"iqn": "b"}}),
        ("PersistentVolume", {"csi": {"driver": "a"}}, {"csi": {"driver": "b"}}),
        ("PersistentVolume", {"nfs": {"path": "/a"}}, {"nfs": {"path": "/b"}}),
        ("PersistentVolumeClaim", _claim("2Gi"), _claim("1Gi")),
        ("PersistentVolumeClaim", {"resources": {"limits": {"storage": "2Gi"}}},
         {"resources": {"limits": {"storage": "3Gi"}}}),
        ("PersistentVolumeClaim", _claim("1Gi", accessModes=["ReadWriteOnce"]),
         _claim("1Gi", accessModes=["ReadWriteMany"])),
        ("PersistentVolumeClaim", _claim("1Gi", volumeName="a"), _claim("1Gi", volumeName="b")),
        ("Pod", {"terminationGracePeriodSeconds": 30}, {"terminationGracePeriodSeconds": 60}),
        ("ResourceQuota", {"scopes": ["BestEffort"]}, {"scopes": ["NotBestEffort"]}),
        ("Job", {"completions": 1}, {"completions": 2}),
        ("Job", {"completionMode": "Indexed", "completions": 1, "parallelism": 1},
         {"completionMode": "Indexed", "completions": 2, "parallelism": 1}),
        ("Job", {"selector": {"matchLabels": {"a": "b"}}}, {"selector": {"matchLabels": {"a": "c"}}}),
        ("StatefulSet", {"podManagementPolicy": "Parallel"}, {"podManagementPolicy": "OrderedReady"}),
        ("StatefulSet", {"selector": {"matchLabels": {"a": "b"}}},
         {"selector": {"matchLabels": {"a": "c"}}}),
        ("CSIDriver", {"attachRequired": True}, {"attachRequired": False}),
        ("CSIDriver", {"volumeLifecycleModes": ["Ephemeral"]},
         {"volumeLifecycleModes": ["Persistent"]}),
        ("VolumeAttachment", {"nodeName": "a"}, {"nodeName": "b"}),
        ("IngressClass", {"controller": "a/b"}, {"controller": "a/c"}),
        ("ServiceCIDR", {"cidrs": ["10.0.0.0/24"]}, {"cidrs": ["10.1.0.0/24"]}),
        ("IPAddress", {"parentRef": {"name": "a"}}, {"parentRef": {"name": "b"}}),
        ("ResourceClaimTemplate", {"spec": {"devices": {"requests": [{"name": "a"}]}}},
         {"spec": {"devices": {"requests": [{"name": "b"}]}}}),
        ("CustomResourceDefinition", {"names": {"plural": "a"}}, {"names": {"plural": "b"}}),
    ],
)  # fmt: skip
def test_a_change_that_is_refused_is_marked(
    kind: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert _spec(kind, old, new)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("Service", {"ipFamilies": ["IPv4"]}, {"ipFamilies": ["IPv4", "IPv6"]}),
        ("Service", {"clusterIPs": ["10.0.0.1", "fd00::1"]}, {"clusterIPs": ["10.0.0.1"]}),
        ("Service", {"type": "ClusterIP"}, {"type": "LoadBalancer", "loadBalancerClass": "a"}),
        ("Service", {"type": "LoadBalancer", "loadBalancerClass": "a"}, {"type": "ClusterIP"}),
        ("PersistentVolume", {"capacity": {"storage": "1Gi"}}, {"capacity": {"storage": "2Gi"}}),
        ("PersistentVolume", {"volumeMode": "Block"},
         {"volumeMode": "Block", "nodeAffinity": {"required": {"nodeSelectorTerms": []}}}),
        ("PersistentVolume", {"csi": {"driver": "a"}},
         {"csi": {"driver": "a", "controllerExpandSecretRef": {"name": "b"}}}),
        ("PersistentVolumeClaim", _claim("1Gi"), _claim("2Gi")),
        ("PersistentVolumeClaim", _claim("1Gi"), _claim("1Gi", storageClassName="fast")),
        ("PersistentVolumeClaim", _claim("1Gi"), _claim("1Gi", volumeName="a")),
        ("PersistentVolumeClaim", _claim("1Gi"), _claim("1Gi", volumeAttributesClassName="gold")),
        ("Pod", {"initContainers": [IMAGE]}, {"initContainers": [{**IMAGE, "image": "b"}]}),
        ("Pod", {"activeDeadlineSeconds": 9}, {"activeDeadlineSeconds": 8}),
        ("ResourceQuota", {"hard": {"pods": "1"}}, {"hard": {"pods": "2"}}),
        ("Job", {"completionMode": "Indexed", "completions": 1, "parallelism": 1},
         {"completionMode": "Indexed", "completions": 2, "parallelism": 2}),
        ("Job", {"suspend": True}, {"suspend": False}),
        ("StatefulSet", {"revisionHistoryLimit": 1}, {"revisionHistoryLimit": 2}),
        ("CSIDriver", {"podInfoOnMount": True}, {"podInfoOnMount": False}),
        ("CSIDriver", {"fsGroupPolicy": "File"}, {"fsGroupPolicy": "None"}),
        ("IngressClass", {"parameters": {"name": "a"}}, {"parameters": {"name": "b"}}),
        ("ServiceCIDR", {"cidrs": ["10.0.0.0/24"]}, {"cidrs": ["10.0.0.0/24", "fd00::/120"]}),
        ("PodDisruptionBudget", {"selector": {"matchLabels": {"a": "b"}}},
         {"selector": {"matchLabels": {"a": "c"}}}),
    ],
)  # fmt: skip
def test_a_change_that_is_accepted_is_not_marked(
    kind: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert _spec(kind, old, new) == []


@pytest.mark.parametrize(
    ("kind", "field", "old", "new", "refused"),
    [
        ("StorageClass", "provisioner", "a", "b", True),
        ("StorageClass", "parameters", {"type": "a"}, {"type": "b"}, True),
        ("StorageClass", "reclaimPolicy", "Delete", "Retain", True),
        ("StorageClass", "volumeBindingMode", "Immediate", "WaitForFirstConsumer", True),
        ("StorageClass", "allowVolumeExpansion", True, False, False),
        ("VolumeAttributesClass", "parameters", {"iops": "1"}, {"iops": "2"}, True),
        ("CSIStorageCapacity", "storageClassName", "a", "b", True),
        ("CSIStorageCapacity", "capacity", "1Gi", "2Gi", False),
        ("RoleBinding", "roleRef", {"name": "a"}, {"name": "b"}, True),
        ("RoleBinding", "subjects", [{"name": "a"}], [{"name": "b"}], False),
    ],
)
def test_fields_beside_a_spec_are_known_as_well(
    kind: str, field: str, old: Any, new: Any, refused: bool
) -> None:
    assert bool(_refused(kind, {field: old}, {field: new})) is refused


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_what_is_sealed_stays_so(kind: str) -> None:
    sealed = {"immutable": True, "data": {"a": "Yg=="}}
    assert _refused(kind, sealed, {**sealed, "data": {"a": "Yw=="}})
    assert _refused(kind, sealed, {**sealed, "immutable": False})
    assert not _refused(kind, {"data": sealed["data"]}, sealed), "it may be sealed"


@pytest.mark.parametrize(("new", "refused"), [("2Gi", False), ("1Gi", True), ("512Mi", True)])
def test_a_claim_that_could_not_grow_may_ask_for_less_than_before_but_more_than_it_has(
    new: str, refused: bool
) -> None:
    old = {"spec": _claim("9Gi"), "status": {"capacity": {"storage": "1Gi"}}}
    assert bool(_refused("PersistentVolumeClaim", old, {"spec": _claim(new)})) is refused
