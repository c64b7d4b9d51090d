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
    ("apps", ["deployments", "statefulsets"], CHANGE),
    ("batch", ["jobs"], CHANGE),
    ("policy", ["poddisruptionbudgets"], CHANGE),
    ("", ["configmaps", "services", "serviceaccounts"], CHANGE),
    ("apps", ["replicasets"], LOOK),
    ("", ["pods", "pods/log", "events"], LOOK),
)


class Access(pulumi.ComponentResource):
    """The role `deployer` in one namespace, and who has it.

    It changes what a chart installs and looks at what came of it. It reads no secret, opens no
    shell in a pod, and touches neither roles nor quotas nor network policies: its own borders.
    Whoever may start pods can still have one mount a secret of this namespace; only an admission
    rule or a namespace without that secret prevents it.

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
