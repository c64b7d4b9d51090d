"""The kinds Kubernetes itself serves: where they live, in which order they are made.

Names from Kubernetes 1.34's API; the order is Argo CD's, so that a sync does the same in both.
"""

from __future__ import annotations

import re

from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource

_ORDER = (
    *("Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy"),
    *("PodDisruptionBudget", "ServiceAccount", "Secret", "SecretList", "ConfigMap"),
    *("StorageClass", "PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition"),
    *("ClusterRole", "ClusterRoleList", "ClusterRoleBinding", "ClusterRoleBindingList"),
    *("Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod"),
    *("ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler"),
    *("StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService"),
)
RANK = {kind: number for number, kind in enumerate(_ORDER)}
LAST = len(_ORDER)
"""Rank of every kind that is not in the table."""

_NAMESPACED = {
    "": "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate "
    "ReplicationController ResourceQuota Secret Service ServiceAccount Binding",
    "apps": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "batch": "CronJob Job",
    "autoscaling": "HorizontalPodAutoscaler",
    "policy": "PodDisruptionBudget Eviction",
    "networking.k8s.io": "Ingress NetworkPolicy",
    "rbac.authorization.k8s.io": "Role RoleBinding",
    "coordination.k8s.io": "Lease LeaseCandidate",
    "discovery.k8s.io": "EndpointSlice",
    "events.k8s.io": "Event",
    "storage.k8s.io": "CSIStorageCapacity",
    "authorization.k8s.io": "LocalSubjectAccessReview",
    "resource.k8s.io": "ResourceClaim ResourceClaimTemplate",
}
_CLUSTER = {
    "": "ComponentStatus Namespace Node PersistentVolume",
    "networking.k8s.io": "IngressClass IPAddress ServiceCIDR",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    "scheduling.k8s.io": "PriorityClass",
    "node.k8s.io": "RuntimeClass",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "admissionregistration.k8s.io": "MutatingWebhookConfiguration ValidatingWebhookConfiguration "
    "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy "
    "MutatingAdmissionPolicyBinding",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
    "authentication.k8s.io": "TokenReview SelfSubjectReview",
    "authorization.k8s.io": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "resource.k8s.io": "DeviceClass ResourceSlice",
}
NAMESPACED: dict[tuple[str, str], bool] = {
    (group, kind): here
    for table, here in ((_NAMESPACED, True), (_CLUSTER, False))
    for group, kinds in table.items()
    for kind in kinds.split()
}
"""(group, kind) → does it live in a namespace."""

_DNS_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_PATH_NAME = re.compile(r"(?!\.{1,2}\Z)[^/%\x00-\x1f\x7f-\x9f]+")
_NAMESPACE = re.compile(r"(?=.{1,63}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_FREE_NAMES = ("rbac.authorization.k8s.io", "certificates.k8s.io")
"""Groups whose objects may have names like `system:node`; all others have names of DNS."""
_GROUPS = frozenset(group for group, _ in NAMESPACED)
_VERSIONS = {
    "": ("v1",),
    "apps": ("v1",),
    "batch": ("v1",),
    "autoscaling": ("v1", "v2"),
    "policy": ("v1",),
    "rbac.authorization.k8s.io": ("v1",),
    "apiextensions.k8s.io": ("v1",),
    "apiregistration.k8s.io": ("v1",),
    "scheduling.k8s.io": ("v1",),
    "discovery.k8s.io": ("v1",),
}
"""Where only these are served; other groups also have alpha and beta versions."""


def check(resource: Resource) -> None:
    """Refuse an unknown API of a group of Kubernetes' own, and a namespace where none can be."""
    group, kind = resource.group, resource.kind
    if group in _GROUPS:
        _check_api(resource)
    _check_name(resource)
    if NAMESPACED.get((group, kind)) is False:
        refuse_namespace(resource)
    if resource.namespace:
        check_namespace(resource.namespace, f"{resource.origin}: {kind}: metadata.namespace")


def check_namespace(name: str, where: str) -> None:
    """Raises BadInput for one that cannot exist."""
    if not _NAMESPACE.fullmatch(name):
        raise BadInput(
            f"{where}: {name!r:.80} is no name of a namespace",
            hint="write lower-case letters, digits and dashes, at most 63",
        )


def _check_name(resource: Resource) -> None:
    """The API server would refuse it in the middle of a sync."""
    name, free = resource.name, resource.group in _FREE_NAMES
    if not name or (_PATH_NAME if free else _DNS_NAME).fullmatch(name):
        return
    raise BadInput(
        f"{resource.origin}: {resource.kind}: metadata.name: {name!r:.80} is no name",
        hint="write no / and no %" if free
        else "write lower-case letters, digits, dashes and dots, at most 253",
    )  # fmt: skip


def refuse_namespace(resource: Resource) -> None:
    """Raises BadInput when an object of a cluster-wide kind names one."""
    if resource.namespace:
        raise BadInput(
            f"{resource.origin}: {resource.kind} {resource.name} lives in no namespace, "
            f"but has metadata.namespace {resource.namespace!r}",
            hint="remove metadata.namespace",
        )


def _check_api(resource: Resource) -> None:
    group, kind, version = resource.group, resource.kind, resource.api_version.rpartition("/")[2]
    if (group, kind) not in NAMESPACED:
        homes = sorted(other or "the core API" for other, one in NAMESPACED if one == kind)
        guess = f"{kind} is of {', '.join(homes)}" if homes else "correct apiVersion or kind"
        raise BadInput(
            f"{resource.origin}: unknown API: {resource.api_version} has no kind {kind!r}",
            hint=guess,
        )
    served = _VERSIONS.get(group)
    if served and version not in served:
        full = [f"{group}/{one}" if group else one for one in served]
        raise BadInput(
            f"{resource.origin}: unknown API: {resource.api_version} ({kind}) is not served",
            hint=f"write apiVersion: {' or '.join(full)}",
        )
