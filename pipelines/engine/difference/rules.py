"""What the published types leave out: meaning of order, keys of lists that the API calls atomic.

The API replaces an atomic list as a whole, so its order is kept; whether order *means* anything is
said by the documentation of the field alone.
"""

from __future__ import annotations

# Sets by meaning: RBAC, network policies and capabilities are all "any of".
UNORDERED = frozenset({
    ("Capabilities", "add"),
    ("Capabilities", "drop"),
    ("ClusterRole", "rules"),
    ("ClusterRoleBinding", "subjects"),
    ("CustomResourceDefinitionNames", "categories"),
    ("CustomResourceDefinitionNames", "shortNames"),
    ("HorizontalPodAutoscalerSpec", "metrics"),
    ("IngressSpec", "tls"),
    ("IngressTLS", "hosts"),
    ("NetworkPolicyEgressRule", "ports"),
    ("NetworkPolicyEgressRule", "to"),
    ("NetworkPolicyIngressRule", "from"),
    ("NetworkPolicyIngressRule", "ports"),
    ("NetworkPolicySpec", "egress"),
    ("NetworkPolicySpec", "ingress"),
    ("NetworkPolicySpec", "policyTypes"),
    ("PersistentVolumeClaimSpec", "accessModes"),
    ("PersistentVolumeSpec", "accessModes"),
    ("PodSpec", "tolerations"),
    ("PolicyRule", "apiGroups"),
    ("PolicyRule", "nonResourceURLs"),
    ("PolicyRule", "resourceNames"),
    ("PolicyRule", "resources"),
    ("PolicyRule", "verbs"),
    ("ResourceQuotaSpec", "scopes"),
    ("Role", "rules"),
    ("RoleBinding", "subjects"),
    ("RuleWithOperations", "apiGroups"),
    ("RuleWithOperations", "apiVersions"),
    ("RuleWithOperations", "operations"),
    ("RuleWithOperations", "resources"),
    ("ServiceSpec", "externalIPs"),
    ("ServiceSpec", "loadBalancerSourceRanges"),
})  # fmt: skip
# Atomic lists whose elements have a name all the same.
KEYS = {
    ("CustomResourceDefinitionSpec", "versions"): ("name",),
    ("HTTPIngressRuleValue", "paths"): ("path", "pathType"),
    ("IngressSpec", "rules"): ("host",),
    ("LimitRangeSpec", "limits"): ("type",),
    ("StatefulSetSpec", "volumeClaimTemplates"): ("metadata/name",),
}
# Fields that `shapes.json` has no entry for, since the types say nothing special of them.
EXTRA = frozenset(UNORDERED | {("LabelSelector", "matchLabels")} | set(KEYS))
# Selectors have no defaults: what desired does not say must not be there.
WHOLE = frozenset({"LabelSelector", "NodeSelector", "NodeSelectorTerm", "NetworkPolicyPeer"})
WHOLE_MAPS = frozenset({("LabelSelector", "matchLabels")})
# The server fills in a key that desired leaves out; source: defaults in the OpenAPI document.
KEY_DEFAULTS = {"protocol": "TCP"}

# An explicit empty value asks for the server's default; None: whatever the server chose. Sources:
# `pkg/apis/*/v1/defaults.go` of Kubernetes, and allocation of addresses and ports.
DEFAULTS: dict[tuple[str, str], frozenset[object] | None] = {
    ("Container", "imagePullPolicy"): frozenset({"Always", "IfNotPresent"}),
    ("Container", "terminationMessagePath"): frozenset({"/dev/termination-log"}),
    ("Container", "terminationMessagePolicy"): frozenset({"File"}),
    ("ContainerPort", "protocol"): frozenset({"TCP"}),
    ("CronJobSpec", "concurrencyPolicy"): frozenset({"Allow"}),
    ("DaemonSetUpdateStrategy", "type"): frozenset({"RollingUpdate"}),
    ("DeploymentStrategy", "type"): frozenset({"RollingUpdate"}),
    ("HTTPGetAction", "path"): frozenset({"/"}),
    ("HTTPGetAction", "scheme"): frozenset({"HTTP"}),
    ("PersistentVolumeClaimSpec", "volumeName"): None,
    ("PersistentVolumeSpec", "persistentVolumeReclaimPolicy"): frozenset({"Retain"}),
    ("PodSpec", "dnsPolicy"): frozenset({"ClusterFirst"}),
    ("PodSpec", "nodeName"): None,
    ("PodSpec", "restartPolicy"): frozenset({"Always"}),
    ("PodSpec", "schedulerName"): frozenset({"default-scheduler"}),
    ("PodSpec", "serviceAccountName"): frozenset({"default"}),
    ("Probe", "failureThreshold"): frozenset({3}),
    ("Probe", "periodSeconds"): frozenset({10}),
    ("Probe", "successThreshold"): frozenset({1}),
    ("Probe", "timeoutSeconds"): frozenset({1}),
    ("Secret", "type"): frozenset({"Opaque"}),
    ("ServicePort", "nodePort"): None,
    ("ServicePort", "protocol"): frozenset({"TCP"}),
    ("ServicePort", "targetPort"): None,
    ("ServiceSpec", "clusterIP"): None,
    ("ServiceSpec", "externalTrafficPolicy"): frozenset({"Cluster"}),
    ("ServiceSpec", "sessionAffinity"): frozenset({"None"}),
    ("ServiceSpec", "type"): frozenset({"ClusterIP"}),
    ("StatefulSetSpec", "podManagementPolicy"): frozenset({"OrderedReady"}),
    ("StatefulSetUpdateStrategy", "type"): frozenset({"RollingUpdate"}),
}

# Custom resources that embed Kubernetes' types, or conditions.
KEYS_BY_NAME: dict[str, tuple[str, ...]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
QUANTITIES_BY_NAME = frozenset({"capacity", "hard", "limits", "requests"})

# Written by the server, never by a manifest.
SERVER_METADATA = frozenset({
    "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generateName",
    "generation", "managedFields", "name", "namespace", "resourceVersion", "selfLink", "uid",
})  # fmt: skip
SERVER_ANNOTATIONS = frozenset({
    "deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.daemonset.template.generation", "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics", "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
})  # fmt: skip
# Who writes on behalf of whoever wrote the manifest.
OUR_MANAGERS = frozenset({"slipway", "argocd-controller"})
# Managers of client-side apply: what they own beside us goes away with our removal.
CLIENT_SIDE = frozenset({"kubectl-client-side-apply", "kubectl-last-applied", "before-first-apply"})
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
