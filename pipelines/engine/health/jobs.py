"""Job and CronJob. Rules and messages are those of Argo CD (`pkg/health`, `batch/CronJob`)."""

from __future__ import annotations

from pipelines.engine.health.look import (
    conditions,
    degraded,
    field,
    healthy,
    length,
    progressing,
    suspended,
    text,
)
from pipelines.model.resource import Manifest
from pipelines.model.sync import ResourceHealth


def job(manifest: Manifest) -> ResourceHealth:
    """A condition counts by its presence; Failed beats Suspended beats Complete."""
    seen = {text(condition, "type"): condition for condition in conditions(manifest)}
    ended = [kind for kind in seen if kind in ("Failed", "Complete", "Suspended")]
    if not ended:
        return progressing()
    if "Failed" in seen:
        return degraded(text(seen["Failed"], "message"))
    # Of several the last one listed speaks: a job that was suspended once keeps that condition.
    message = text(seen[ended[-1]], "message")
    if seen.get("Suspended", {}).get("status") == "True":
        return suspended(message)
    return healthy(message)


def cron_job(manifest: Manifest) -> ResourceHealth:
    """Suspended is healthy: whoever waits for the application must not wait for a schedule."""
    if field(manifest, "spec", "suspend") is True:
        return healthy("CronJob is Suspended")
    if field(manifest, "status") is None:
        return progressing("Waiting for CronJob")
    scheduled = text(manifest, "status", "lastScheduleTime")
    succeeded = text(manifest, "status", "lastSuccessfulTime")
    if not scheduled:
        return healthy("CronJob has not been scheduled yet")
    if not succeeded:
        return healthy("The CronJob never completed successfully. It may not be healthy")
    if length(manifest, "status", "active"):
        return healthy("The job is running. Its last execution may not have been successful")
    # Kubernetes writes both times in UTC and in one form, so their texts compare as times do.
    if succeeded < scheduled:
        return degraded("CronJob has not completed its last execution successfully")
    return healthy("CronJob has completed its last execution successfully")
