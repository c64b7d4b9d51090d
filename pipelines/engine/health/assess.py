"""The state of one object, by its group and kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelines.engine.health import custom, jobs, network, platform, pods, scaling, workloads
from pipelines.engine.health.look import Unreadable, mapping, progressing, unknown
from pipelines.engine.sync.hooks import has_finalizer
from pipelines.model.resource import Manifest
from pipelines.model.sync import ResourceHealth

Check = Callable[[Manifest], ResourceHealth]

CHECKS: Mapping[tuple[str, str], Check] = {
    ("", "PersistentVolumeClaim"): platform.volume_claim,
    ("", "Pod"): pods.pod,
    ("", "Service"): network.service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): platform.definition,
    ("apiregistration.k8s.io", "APIService"): platform.api_service,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): scaling.autoscaler,
    ("batch", "CronJob"): jobs.cron_job,
    ("batch", "Job"): jobs.job,
    ("extensions", "Ingress"): network.ingress,
    ("gateway.networking.k8s.io", "GRPCRoute"): network.route("GRPCRoute", by_generation=False),
    ("gateway.networking.k8s.io", "Gateway"): network.gateway,
    ("gateway.networking.k8s.io", "HTTPRoute"): network.route("HTTPRoute", by_generation=True),
    ("networking.k8s.io", "Ingress"): network.ingress,
    ("policy", "PodDisruptionBudget"): scaling.disruption_budget,
    **custom.CHECKS,
}
# Versions Argo CD reads of the kinds that it converts to a type; another one is Unknown there too.
VERSIONS: Mapping[tuple[str, str], frozenset[str]] = {
    ("", "PersistentVolumeClaim"): frozenset({"v1"}),
    ("", "Pod"): frozenset({"v1"}),
    ("", "Service"): frozenset({"v1"}),
    ("apiregistration.k8s.io", "APIService"): frozenset({"v1", "v1beta1"}),
    ("apps", "DaemonSet"): frozenset({"v1"}),
    ("apps", "Deployment"): frozenset({"v1"}),
    ("apps", "ReplicaSet"): frozenset({"v1"}),
    ("apps", "StatefulSet"): frozenset({"v1"}),
    ("autoscaling", "HorizontalPodAutoscaler"): frozenset({"v1", "v2beta1", "v2beta2", "v2"}),
    ("batch", "Job"): frozenset({"v1"}),
}
SHORT = {"HorizontalPodAutoscaler": "HPA"}


def assess(manifest: Manifest) -> ResourceHealth | None:
    """Argo CD's state and message; None for a kind that Argo CD has no check for.

    An object that is being deleted is Progressing, whatever else it says; a hook is not, since
    Slipway and Argo CD keep it with a finalizer until it is judged. Raises nothing: an object that
    cannot be understood is Unknown, with the reason.
    """
    try:
        metadata = mapping(manifest, "metadata")
        if metadata.get("deletionTimestamp") and not has_finalizer(metadata):
            return progressing("Pending deletion")
        version, kind = manifest.get("apiVersion"), manifest.get("kind")
        if not isinstance(version, str) or not isinstance(kind, str):
            return None
        group, _, version = version.rpartition("/")
        check = CHECKS.get((group, kind))
        if check is None:
            return None
        if version not in VERSIONS.get((group, kind), (version,)):
            return unknown(
                f"unsupported {SHORT.get(kind, kind)} GVK: {group}/{version}, Kind={kind}"
            )
        return check(manifest)
    except Unreadable as error:
        return unknown(str(error))
