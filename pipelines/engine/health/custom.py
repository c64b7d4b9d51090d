"""Custom resources that a release is likely to meet, by the rules that Argo CD ships for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pipelines.engine.health.look import (
    annotation,
    degraded,
    field,
    healthy,
    of_type,
    progressing,
    suspended,
    text,
    unknown,
)
from pipelines.engine.health.rollout import rollout
from pipelines.model.resource import Manifest
from pipelines.model.sync import ResourceHealth

Check = Callable[[Manifest], ResourceHealth]
State = Callable[[str], ResourceHealth]
WORKFLOW: Mapping[str, State] = {
    **dict.fromkeys(("", "Pending", "Running"), progressing),
    "Succeeded": healthy,
    **dict.fromkeys(("Failed", "Error"), degraded),
}
ANALYSIS: Mapping[str, tuple[State, str]] = {
    "Pending": (progressing, "Analysis run is running"),
    "Running": (progressing, "Analysis run is running"),
    "Successful": (healthy, "Analysis run completed successfully"),
    "Failed": (degraded, "Analysis run failed"),
    "Error": (degraded, "Analysis run had an error"),
    "Inconclusive": (unknown, "Analysis run was inconclusive"),
}
# Phases of CloudNativePG; what the operator does by itself and ends well is Progressing.
POSTGRES: Mapping[str, State] = {
    "Cluster in healthy state": healthy,
    **dict.fromkeys((
        "Setting up primary", "Creating a new replica", "Upgrading cluster",
        "Waiting for the instances to become active", "Promoting to primary cluster",
    ), progressing),
    **dict.fromkeys((
        "Switchover in progress", "Failing over", "Upgrading Postgres major version",
        "Cluster upgrade delayed", "Waiting for user action",
        "Primary instance is being restarted in-place",
        "Primary instance is being restarted without a switchover",
        "Cluster cannot execute instance online upgrade due to missing architecture binary",
        "Online upgrade in progress", "Applying configuration",
    ), degraded),
    **dict.fromkeys((
        "Unable to create required cluster objects",
        "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
        "Cluster has incomplete or invalid image catalog",
        "Cluster is unrecoverable and needs manual intervention",
    ), suspended),
}  # fmt: skip
SETS: tuple[tuple[str, str, State], ...] = (
    ("ErrorOccurred", "True", degraded),
    ("ResourcesUpToDate", "False", degraded),
    ("RolloutProgressing", "True", progressing),
    ("ResourcesUpToDate", "True", healthy),
)


def workflow(manifest: Manifest) -> ResourceHealth:
    state = WORKFLOW.get(text(manifest, "status", "phase"), unknown)
    return state(text(manifest, "status", "message"))


def analysis_run(manifest: Manifest) -> ResourceHealth:
    if field(manifest, "status") is None:
        return progressing("Waiting for analysis run to finish: status has not been reconciled.")
    phase = text(manifest, "status", "phase")
    if phase not in ANALYSIS:
        return unknown("Lua returned an invalid health status")
    state, words = ANALYSIS[phase]
    said = text(manifest, "status", "message") if state is not progressing else ""
    return state(said or words)


def application_set(manifest: Manifest) -> ResourceHealth:
    for kind, status, state in SETS:
        for condition in of_type(manifest, kind):
            if condition.get("status") == status:
                return state(text(condition, "message"))
    return progressing("Waiting for the status to be reported")


def ready(waiting: str) -> Check:
    """Kinds that say all in one condition, Ready."""

    def check(manifest: Manifest) -> ResourceHealth:
        for condition in of_type(manifest, "Ready"):
            if condition.get("status") in ("True", "False"):
                state = healthy if condition["status"] == "True" else degraded
                return state(text(condition, "message"))
        return progressing(waiting)

    return check


def certificate(manifest: Manifest) -> ResourceHealth:
    """One that is being issued is not degraded yet, whatever Ready says."""
    for condition in of_type(manifest, "Issuing"):
        if condition.get("status") == "True":
            return progressing(text(condition, "message"))
    return ready("Waiting for certificate")(manifest)


def postgres_cluster(manifest: Manifest) -> ResourceHealth:
    if annotation(manifest, "cnpg.io/reconciliationLoop") == "disabled":
        return suspended("Cluster reconciliation is suspended")
    reason = text(manifest, "status", "phaseReason")
    if field(manifest, "status", "conditions") is None:
        return progressing(reason)
    hibernation = next(of_type(manifest, "cnpg.io/hibernation"), None)
    if hibernation is not None:
        state: State = suspended if hibernation.get("status") == "True" else degraded
        return state(text(hibernation, "message"))
    return POSTGRES.get(text(manifest, "status", "phase"), unknown)(reason)


def _of(group: str, checks: Iterable[tuple[str, Check]]) -> dict[tuple[str, str], Check]:
    return {(group, kind): check for kind, check in checks}


CHECKS: Mapping[tuple[str, str], Check] = {
    **_of("argoproj.io", [
        ("AnalysisRun", analysis_run), ("ApplicationSet", application_set),
        ("Rollout", rollout), ("Workflow", workflow),
    ]),
    **_of("cert-manager.io", [
        ("Certificate", certificate), ("ClusterIssuer", ready("Initializing ClusterIssuer")),
        ("Issuer", ready("Initializing issuer")),
    ]),
    **_of("external-secrets.io", [("ExternalSecret", ready("Waiting for ExternalSecret"))]),
    **_of("postgresql.cnpg.io", [("Cluster", postgres_cluster)]),
}  # fmt: skip
