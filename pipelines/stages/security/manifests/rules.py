"""The rules: what Kubernetes calls `restricted` (Pod Security Standards, 1.34), and what we ask beside.

A rule is given a pod and answers in words what is wrong, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.stages.security.manifests.pods import at, containers, items, texts

_VOLUMES = (
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"),
    *("projected", "secret"),
)
_SYSCTLS = (
    *(
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
    ),
    *("net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"),
    *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"),
    *("net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
)
_SELINUX = (None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")

Pod = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """`hint` is what to write instead."""

    name: str
    find: Callable[[Pod], Iterator[str]]
    hint: str


def _host(pod: Pod) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield f"{key} shares the node's own"
    for one in containers(pod):
        if any(port.get("hostPort") for port in items(one.get("ports"))):
            yield f"container {one.get('name')} takes a port of the node (hostPort)"


def _volumes(pod: Pod) -> Iterator[str]:
    for volume in items(pod.get("volumes")):
        kinds = [key for key in volume if key != "name"]
        if strange := [kind for kind in kinds if kind not in _VOLUMES]:
            yield f"volume {volume.get('name')} is a {strange[0]}"


def _privileged(pod: Pod) -> Iterator[str]:
    for one in containers(pod):
        own = at(one, "securityContext")
        if own.get("privileged"):
            yield f"container {one.get('name')} is privileged"
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"container {one.get('name')} may gain privileges (allowPrivilegeEscalation)"
        if own.get("procMount", "Default") != "Default":
            yield f"container {one.get('name')} sees all of /proc (procMount)"


def _capabilities(pod: Pod) -> Iterator[str]:
    for one in containers(pod):
        own = at(one, "securityContext", "capabilities")
        if "ALL" not in texts(own.get("drop")):
            yield f"container {one.get('name')} does not drop ALL capabilities"
        if added := [name for name in texts(own.get("add")) if name != "NET_BIND_SERVICE"]:
            yield f"container {one.get('name')} adds the capability {added[0]}"


def _root(pod: Pod) -> Iterator[str]:
    whole = at(pod, "securityContext")
    for one in containers(pod):
        own = at(one, "securityContext")
        if own.get("runAsNonRoot", whole.get("runAsNonRoot")) is not True:
            yield f"container {one.get('name')} may run as root (runAsNonRoot)"
        if own.get("runAsUser", whole.get("runAsUser")) == 0:
            yield f"container {one.get('name')} runs as root (runAsUser: 0)"


def _seccomp(pod: Pod) -> Iterator[str]:
    whole = at(pod, "securityContext", "seccompProfile").get("type")
    for one in containers(pod):
        kind = at(one, "securityContext", "seccompProfile").get("type", whole)
        if kind not in ("RuntimeDefault", "Localhost"):
            yield f"container {one.get('name')} may make any system call (seccompProfile)"


def _kernel(pod: Pod) -> Iterator[str]:
    for sysctl in items(at(pod, "securityContext").get("sysctls")):
        if sysctl.get("name") not in _SYSCTLS:
            yield f"sysctl {sysctl.get('name')} reaches beyond the pod"
    for place in (pod, *containers(pod)):
        options = at(place, "securityContext", "seLinuxOptions")
        if options.get("type") not in _SELINUX or options.get("user") or options.get("role"):
            yield "seLinuxOptions other than a container's"
        if at(place, "securityContext", "appArmorProfile").get("type") == "Unconfined":
            yield "AppArmor is switched off (appArmorProfile)"


def _writable(pod: Pod) -> Iterator[str]:
    for one in containers(pod):
        if at(one, "securityContext").get("readOnlyRootFilesystem") is not True:
            yield f"container {one.get('name')} can change its own image's files"


def _limits(pod: Pod) -> Iterator[str]:
    for one in containers(pod):
        for part in ("requests", "limits"):
            for what in ("cpu", "memory"):
                if not at(one, "resources", part).get(what):
                    yield f"container {one.get('name')} has no {part}.{what}"


def _image(pod: Pod) -> Iterator[str]:
    for one in containers(pod):
        image = str(one.get("image") or "")
        name, _, digest = image.partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        if not digest and tag in ("", "latest"):
            yield f"container {one.get('name')}: image {image or '(none)'} is another one tomorrow"


RULES = (
    Rule("manifest/host", _host, "pods have a network and processes of their own"),
    Rule("manifest/volume", _volumes, f"one of: {', '.join(_VOLUMES)}"),
    Rule("manifest/privilege", _privileged,
         "securityContext: {privileged: false, allowPrivilegeEscalation: false}"),
    Rule("manifest/capabilities", _capabilities, "capabilities: {drop: [ALL]}"),
    Rule("manifest/root", _root, "securityContext: {runAsNonRoot: true, runAsUser: 10001}"),
    Rule("manifest/seccomp", _seccomp, "seccompProfile: {type: RuntimeDefault}"),
    Rule("manifest/kernel", _kernel, "leave it out"),
    Rule("manifest/writable", _writable,
         "readOnlyRootFilesystem: true, and an emptyDir where it must write"),
    Rule("manifest/limits", _limits, "resources: requests and limits of cpu and memory"),
    Rule("manifest/image", _image, "a tag that is never moved (the release's id), or a digest"),
)  # fmt: skip
"""About pods; those about tokens and rights look at several objects (`rights`)."""
