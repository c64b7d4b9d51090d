"""Which version of every part is built. One table; `go/<folder>/go.mod` pins the modules below them."""

from __future__ import annotations

from dataclasses import dataclass

KUBERNETES = "1.34.2"
ARGO_CD = "3.2.1"
ARGO_CD_SUM = "h1:rvrkW/JdH4V+xJgNDZI9wa/Ygd+fWoGbd1rAhvno22c="
"""Of the module's zip: Argo CD is built inside a copy of itself, not from a go.mod of ours."""
HELM = "3.19.0"
"""The first with the Kubernetes libraries of 1.34; later ones ask for newer libraries than Argo CD."""
BASE_SUITE = "bookworm"


@dataclass(frozen=True, slots=True)
class Part:
    """Programs that are built together.

    `folder` is a folder of `tests/cluster/go` (empty: the module's own); `packages` maps a program's
    name to the Go package it comes from; `stamps` are the variables the linker sets, by name.
    """

    name: str
    version: str
    folder: str
    packages: dict[str, str]
    stamps: dict[str, str]

    @property
    def key(self) -> str:
        return f"{self.name}-{self.version}"


_K = "k8s.io/kubernetes/cmd"
_VERSION = "k8s.io/component-base/version"

PARTS = (
    Part(
        "kubernetes",
        KUBERNETES,
        "cluster",
        {
            name: f"{_K}/{name}"
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kube-proxy",
                "kubectl",
            )
        },
        {
            f"{_VERSION}.gitVersion": f"v{KUBERNETES}",
            f"{_VERSION}.gitMajor": KUBERNETES.split(".")[0],
            f"{_VERSION}.gitMinor": KUBERNETES.split(".")[1],
        },
    ),
    Part("etcd", "3.6.5", "cluster", {"etcd": "go.etcd.io/etcd/server/v3"}, {}),
    Part("coredns", "1.12.4", "cluster", {"coredns": "./coredns"}, {}),
    Part("metrics-server", "0.9.0", "metrics-server", {"metrics-server": "."}, {}),
    Part("pause", "1", "pause", {"pause": "."}, {}),
    Part("helm", HELM, "cluster", {"helm": "helm.sh/helm/v3/cmd/helm"}, {}),
    Part(
        "registry",
        "0.20.6",
        "registry",
        {"registry": "github.com/google/go-containerregistry/cmd/registry"},
        {},
    ),
    Part(
        "argocd",
        ARGO_CD,
        "",
        {"argocd": "./cmd"},
        {"github.com/argoproj/argo-cd/v3/common.version": f"v{ARGO_CD}"},
    ),
)
BY_NAME = {part.name: part for part in PARTS}


@dataclass(frozen=True, slots=True)
class Definition:
    """Of a kind that charts may render and no API server knows by itself. `path` in the module."""

    module: str
    sum: str
    path: str


BY_KIND = {
    "HTTPRoute": Definition(
        "sigs.k8s.io/gateway-api@v1.4.0",
        "h1:ZwlNM6zOHq0h3WUX2gfByPs2yAEsy/EenYJB78jpQfQ=",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
    "Cluster": Definition(
        "github.com/cloudnative-pg/cloudnative-pg@v1.27.1",
        "h1:w+bbtXyEPoaa7sZGXxbb8qJ+/bUGWQ3M48kbNUEpKlk=",
        "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
    ),
}

CLUSTER = ("kubernetes", "etcd", "coredns", "metrics-server", "pause", "helm")
"""What `up` needs. Argo CD is built by the first `argocd up`."""

DEBIAN = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ipset": "ipset",
    "socat": "socat",
    "ebtables": "ebtables",
    "ip": "iproute2",
    "debootstrap": "debootstrap",
}
"""A program `up` needs (a name on PATH, or a file) and the Debian package that has it."""
