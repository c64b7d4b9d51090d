"""Who may deploy to an environment, and what that includes."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import (
    PolicyRuleArgs,
    Role,
    RoleBinding,
    RoleRefArgs,
    SubjectArgs,
)

from infra.settings import Subject

API_GROUP = "rbac.authorization.k8s.io"
LOOK = ["get", "list", "watch"]
CHANGE = [*LOOK, "create", "update", "patch", "delete"]
RULES = (  # group of resources, resources, verbs
    ("", ["configmaps", "services", "serviceaccounts"], CHANGE),
    ("apps", ["deployments"], CHANGE),
    ("autoscaling", ["horizontalpodautoscalers"], CHANGE),
    ("gateway.networking.k8s.io", ["httproutes"], CHANGE),
    ("networking.k8s.io", ["ingresses", "networkpolicies"], CHANGE),
    ("policy", ["poddisruptionbudgets"], CHANGE),
    ("batch", ["jobs"], [*LOOK, "create", "delete"]),
    ("", ["pods"], [*LOOK, "delete"]),
    ("", ["pods/exec"], ["get", "create"]),
    ("", ["pods/log", "pods/proxy"], ["get"]),
    ("apps", ["replicasets"], ["list", "patch"]),
    ("apps", ["statefulsets"], ["list"]),
    ("discovery.k8s.io", ["endpointslices"], ["list"]),
)


class Access(pulumi.ComponentResource):
    """The role `deployer` in one namespace, and who has it.

    Exactly what Slipway's controller needs, as `scripts/kubernetes-rights` prints it: it changes
    what the charts of a release bring, and runs the application's commands in its pods. It reads no
    secret and touches neither roles nor quotas, but the charts have network policies of their own,
    so it may write those. Whoever may start pods, or run something in one, can still reach what they
    mount; only an admission rule or a namespace without that secret prevents it. Databases and
    venues are installed by people with more rights.

    Deliberately not created: accounts, and roles for people who only look (`view` comes with
    Kubernetes). Output: `role`, its name.
    """

    role: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        namespace: pulumi.Input[str],
        deployers: tuple[Subject, ...],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("slipway:infra:Access", name, None, opts)
        within = pulumi.ResourceOptions(parent=self, protect=opts.protect)
        metadata = ObjectMetaArgs(name="deployer", namespace=namespace)
        rules = [
            PolicyRuleArgs(api_groups=[group], resources=resources, verbs=verbs)
            for group, resources, verbs in RULES
        ]
        role = Role(f"{name}-deployer", metadata=metadata, rules=rules, opts=within)
        self.role = role.metadata.name
        RoleBinding(
            f"{name}-deployer",
            metadata=metadata,
            role_ref=RoleRefArgs(api_group=API_GROUP, kind="Role", name=self.role),
            subjects=[subject_of(subject) for subject in deployers],
            opts=within,
        )
        self.register_outputs({"role": self.role})


def subject_of(subject: Subject) -> SubjectArgs:
    if subject.kind == "ServiceAccount":
        return SubjectArgs(kind=subject.kind, name=subject.name, namespace=subject.namespace)
    return SubjectArgs(kind=subject.kind, name=subject.name, api_group=API_GROUP)
