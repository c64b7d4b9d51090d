"""What the published types leave out: meaning of order, keys of lists that the API calls atomic.

The API replaces an atomic list as a whole, so its order is kept; whether order *means* anything is
said by the documentation of the field alone.
"""

from __future__ import annotations

from collections.abc import Collection

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

# An explicit empty value asks for the server's default; None: whatever the server chose. What a
# whole list's element has beside what desired says is no difference where it is such a default.
# Sources: `pkg/apis/*/v1/defaults.go` of Kubernetes, and allocation of addresses and ports.
DEFAULTS: dict[tuple[str, str], Collection[object] | None] = {
    ("Container", "imagePullPolicy"): frozenset({"Always", "IfNotPresent"}),
    ("Container", "terminationMessagePath"): frozenset({"/dev/termination-log"}),
    ("Container", "terminationMessagePolicy"): frozenset({"File"}),
    ("ContainerPort", "protocol"): frozenset({"TCP"}),
    ("CronJobSpec", "concurrencyPolicy"): frozenset({"Allow"}),
    ("DaemonSetUpdateStrategy", "type"): frozenset({"RollingUpdate"}),
    ("DeploymentStrategy", "type"): frozenset({"RollingUpdate"}),
    ("DeviceRequest", "allocationMode"): frozenset({"ExactCount"}),
    ("DeviceRequest", "count"): frozenset({1}),
    ("DeviceSubRequest", "allocationMode"): frozenset({"ExactCount"}),
    ("DeviceSubRequest", "count"): frozenset({1}),
    ("DeviceTaint", "timeAdded"): None,
    ("DeviceToleration", "operator"): frozenset({"Equal"}),
    ("EndpointPort", "name"): frozenset({""}),
    ("EndpointPort", "protocol"): frozenset({"TCP"}),
    ("ExactDeviceRequest", "allocationMode"): frozenset({"ExactCount"}),
    ("ExactDeviceRequest", "count"): frozenset({1}),
    ("HTTPGetAction", "path"): frozenset({"/"}),
    ("HTTPGetAction", "scheme"): frozenset({"HTTP"}),
    ("LimitRangeItem", "default"): None,
    ("LimitRangeItem", "defaultRequest"): None,
    ("NamedRuleWithOperations", "scope"): frozenset({"*"}),
    ("NetworkPolicyPort", "protocol"): frozenset({"TCP"}),
    ("ObjectFieldSelector", "apiVersion"): frozenset({"v1"}),
    ("PersistentVolumeClaim", "apiVersion"): None,
    ("PersistentVolumeClaim", "kind"): None,
    ("PersistentVolumeClaim", "status"): None,
    ("PersistentVolumeClaimSpec", "volumeMode"): frozenset({"Filesystem"}),
    ("PersistentVolumeClaimSpec", "volumeName"): None,
    ("PersistentVolumeSpec", "persistentVolumeReclaimPolicy"): frozenset({"Retain"}),
    ("PodCertificateProjection", "maxExpirationSeconds"): frozenset({86400}),
    ("PodFailurePolicyOnPodConditionsPattern", "status"): frozenset({"True"}),
    ("PodSpec", "dnsPolicy"): frozenset({"ClusterFirst"}),
    ("PodSpec", "nodeName"): None,
    ("PodSpec", "restartPolicy"): frozenset({"Always"}),
    ("PodSpec", "schedulerName"): frozenset({"default-scheduler"}),
    ("PodSpec", "serviceAccountName"): frozenset({"default"}),
    ("Probe", "failureThreshold"): frozenset({3}),
    ("Probe", "periodSeconds"): frozenset({10}),
    ("Probe", "successThreshold"): frozenset({1}),
    ("Probe", "timeoutSeconds"): frozenset({1}),
    ("ResourceFieldSelector", "divisor"): frozenset({"0", 0}),
    ("RuleWithOperations", "scope"): frozenset({"*"}),
    ("Secret", "type"): frozenset({"Opaque"}),
    ("ServiceAccountTokenProjection", "expirationSeconds"): frozenset({3600}),
    ("ServicePort", "nodePort"): None,
    ("ServicePort", "protocol"): frozenset({"TCP"}),
    ("ServicePort", "targetPort"): None,
    ("ServiceSpec", "clusterIP"): None,
    ("ServiceSpec", "externalTrafficPolicy"): frozenset({"Cluster"}),
    ("ServiceSpec", "sessionAffinity"): frozenset({"None"}),
    ("ServiceSpec", "type"): frozenset({"ClusterIP"}),
    ("StatefulSetSpec", "podManagementPolicy"): frozenset({"OrderedReady"}),
    ("StatefulSetUpdateStrategy", "type"): frozenset({"RollingUpdate"}),
    ("Subject", "apiGroup"): frozenset({"", "rbac.authorization.k8s.io"}),
    ("Taint", "timeAdded"): None,
}

# What definitions of well-known custom resources put into elements of lists, by the API's group
# and the field's name. Sources: `+kubebuilder:default` in Gateway API, External Secrets and the
# Prometheus operator. Of others a dry run tells.
_ANY_PATH = {"type": "PathPrefix", "value": "/"}
CUSTOM_DEFAULTS: dict[str, dict[str, Collection[object] | None]] = {
    "external-secrets.io": {
        "conversionStrategy": frozenset({"Default"}),
        "decodingStrategy": frozenset({"None"}),
        "metadataPolicy": frozenset({"None"}),
        "nullBytePolicy": frozenset({"Ignore"}),
        "target": frozenset({"Data"}),
        "templateAs": frozenset({"Values"}),
    },
    "gateway.networking.k8s.io": {
        "group": frozenset({"", "gateway.networking.k8s.io"}),
        "kind": frozenset({"Gateway", "Secret", "Service"}),
        "lifetimeType": frozenset({"Session"}),
        "matches": [[{"path": _ANY_PATH}]],
        "path": [_ANY_PATH],
        "statusCode": frozenset({302}),
        "type": frozenset({"Cookie", "Exact", "PathPrefix"}),
        "value": frozenset({"/"}),
        "weight": frozenset({1}),
    },
    "monitoring.coreos.com": {"action": frozenset({"replace"})},
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
# What people write with: a list of a custom resource that they changed was ours before.
BY_HAND = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
