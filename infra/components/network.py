"""Who talks to whom inside an environment."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

from infra.settings import Dns

BOTH_WAYS = ["Ingress", "Egress"]
_NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Kubernetes labels each namespace with its name, and nobody can label another one so."""


class Network(pulumi.ComponentResource):
    """Nothing in, nothing out; then names may be asked for, and pods of the environment talk.

    Deliberately not created: ways out to a venue or a market-data source, ways in from an ingress.
    A cluster whose network plug-in ignores network policies is not noticed here.
    """

    def __init__(
        self,
        name: str,
        namespace: pulumi.Input[str],
        dns: Dns,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("slipway:infra:Network", name, None, opts)
        every_pod = LabelSelectorArgs()
        among_us = NetworkPolicyPeerArgs(pod_selector=every_pod)
        specs = {
            "deny-all": NetworkPolicySpecArgs(pod_selector=every_pod, policy_types=BOTH_WAYS),
            "same-namespace": NetworkPolicySpecArgs(
                pod_selector=every_pod,
                policy_types=BOTH_WAYS,
                ingress=[NetworkPolicyIngressRuleArgs(from_=[among_us])],
                egress=[NetworkPolicyEgressRuleArgs(to=[among_us])],
            ),
            "name-service": NetworkPolicySpecArgs(
                pod_selector=every_pod, policy_types=["Egress"], egress=[ask(dns)]
            ),
        }
        for word, spec in specs.items():
            NetworkPolicy(
                f"{name}-{word}",
                metadata=ObjectMetaArgs(name=word, namespace=namespace),
                spec=spec,
                opts=pulumi.ResourceOptions(parent=self, protect=opts.protect),
            )
        self.register_outputs({})


def ask(dns: Dns) -> NetworkPolicyEgressRuleArgs:
    """Port 53 of the name service's own pods, and of no others in its namespace."""
    pods = NetworkPolicyPeerArgs(
        namespace_selector=LabelSelectorArgs(match_labels={_NAMESPACE_NAME: dns.namespace}),
        pod_selector=LabelSelectorArgs(match_labels={"k8s-app": dns.app}),
    )
    ports = [NetworkPolicyPortArgs(protocol=protocol, port=53) for protocol in ("UDP", "TCP")]
    return NetworkPolicyEgressRuleArgs(to=[pods], ports=ports)
