"""The restricted Pod Security standard (Kubernetes 1.34), judged on a pod's spec.

Source: Kubernetes' documentation, "Pod Security Standards", policies Baseline and Restricted; the
checks that need a running kubelet or Windows are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("persistentVolumeClaim", "projected", "secret"),
}
_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
_SECCOMP = ("RuntimeDefault", "Localhost")


def violations(spec: Mapping[str, Any]) -> list[str]:
    """What the API server would refuse in a namespace that enforces `restricted`."""
    pod = spec.get("securityContext") or {}
    found = [f"{name} is on" for name in _NAMESPACES if spec.get(name)]
    found += [
        f"volume {volume.get('name')} is of another kind than the standard allows"
        for volume in spec.get("volumes") or []
        if not set(volume) - {"name"} <= VOLUMES
    ]
    for container in containers(spec):
        words = [*_privileges(container), *_user(container, pod), *_seccomp(container, pod)]
        found += [f"container {container['name']}: {word}" for word in words]
    return found


def containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Init containers and ephemeral ones too."""
    return [
        container
        for key in ("initContainers", "containers", "ephemeralContainers")
        for container in spec.get(key) or []
    ]


def _privileges(container: Mapping[str, Any]) -> Iterator[str]:
    own = container.get("securityContext") or {}
    capabilities = own.get("capabilities") or {}
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if "ALL" not in (capabilities.get("drop") or []):
        yield "does not drop ALL capabilities"
    if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield f"adds capabilities {capabilities['add']}"
    if own.get("procMount") not in (None, "Default"):
        yield "procMount is not Default"
    if any(port.get("hostPort") for port in container.get("ports") or []):
        yield "takes a port of the host"


def _user(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[str]:
    own = container.get("securityContext") or {}
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot is not true"
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "runs as root"


def _seccomp(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[str]:
    own = container.get("securityContext") or {}
    profile = own.get("seccompProfile") or pod.get("seccompProfile") or {}
    if profile.get("type") not in _SECCOMP:
        yield "no seccomp profile"
