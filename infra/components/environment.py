"""The component that everything of an environment lives in."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes.core.v1 import (
    LimitRange,
    LimitRangeItemArgs,
    LimitRangeSpecArgs,
    Namespace,
    ResourceQuota,
    ResourceQuotaSpecArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.components.access import Access
from infra.components.network import Network
from infra.settings import EnvironmentSettings, Quota

SECURITY = ("enforce", "audit", "warn")


class Environment(pulumi.ComponentResource):
    """An environment's namespace and its borders: what may run, how much, who talks, who deploys.

    Pods run under Pod Security's `restricted`. All of them together stay within the quota, and a
    container that says nothing gets the default limits, without which the quota would refuse it.

    Deliberately not created:
    - what a release replaces (workloads, services, config maps): the charts own that;
    - database, cache, buckets, secrets, monitoring: components of their own;
    - ways out to market data or a venue: until one is said, nothing leaves the namespace but
      questions to the name service;
    - cluster-wide objects (roles, resource definitions, admission rules): more than one environment
      lives on a cluster, and none may change what the others stand on;
    - service accounts: the deployer's lies outside, the pods' come with the charts.

    Outputs: `namespace` and `deployer_role`, names.
    """

    namespace: pulumi.Output[str]
    deployer_role: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: EnvironmentSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:infra:Environment", name, None, opts)
        self._space = self._make_namespace(name, settings)
        self.namespace = self._space.metadata.name
        within = pulumi.ResourceOptions(parent=self._space, protect=settings.protect)
        self._make_limits(name, settings, within)
        Network(name, self.namespace, settings.dns, within)
        self.deployer_role = Access(name, self.namespace, settings.deployers, within).role
        self.register_outputs({"namespace": self.namespace, "deployer_role": self.deployer_role})

    def _make_namespace(self, name: str, settings: EnvironmentSettings) -> Namespace:
        security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in SECURITY}
        labels = {**security, "slipway.dev/environment": settings.name}
        return Namespace(
            name,
            metadata=ObjectMetaArgs(name=settings.namespace, labels=labels),
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )

    def _make_limits(
        self, name: str, settings: EnvironmentSettings, within: pulumi.ResourceOptions
    ) -> None:
        ResourceQuota(
            name,
            metadata=ObjectMetaArgs(name="environment", namespace=self.namespace),
            spec=ResourceQuotaSpecArgs(hard=hard(settings.quota)),
            opts=within,
        )
        container = settings.container
        item = LimitRangeItemArgs(
            type="Container",
            default_request=amounts(container.request_cpu_millicores, container.request_memory_mib),
            default=amounts(container.limit_cpu_millicores, container.limit_memory_mib),
            max=amounts(container.max_cpu_millicores, container.max_memory_mib),
        )
        LimitRange(
            name,
            metadata=ObjectMetaArgs(name="container", namespace=self.namespace),
            spec=LimitRangeSpecArgs(limits=[item]),
            opts=within,
        )


def hard(quota: Quota) -> dict[str, str]:
    """What a quota counts. Ways in from outside the cluster are nobody's to open with a release."""
    cpu, memory = f"{quota.cpu_millicores}m", f"{quota.memory_mib}Mi"
    return {
        "requests.cpu": cpu,
        "limits.cpu": cpu,
        "requests.memory": memory,
        "limits.memory": memory,
        "pods": str(quota.pods),
        "persistentvolumeclaims": str(quota.volumes),
        "requests.storage": f"{quota.storage_gib}Gi",
        "services.nodeports": "0",
        "services.loadbalancers": "0",
    }


def amounts(cpu_millicores: int, memory_mib: int) -> dict[str, str]:
    """As Kubernetes writes them."""
    return {"cpu": f"{cpu_millicores}m", "memory": f"{memory_mib}Mi"}
