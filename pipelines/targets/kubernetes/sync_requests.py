"""One request of a sync, carried out: what the machine asks (`engine.sync.moves.Do`), answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.engine.sync.moves import Do, Method, Verb
from pipelines.engine.sync.notes import HOOK_FINALIZER
from pipelines.engine.sync.options import value
from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.resource import Manifest, Resource, ResourceKey
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster
from pipelines.targets.kubernetes.dry_run import beside_itself

DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")
ESTABLISHED_SECONDS = 3.0
GONE_SECONDS = 60.0
LOOK_SECONDS = 0.05
OWNERS = frozenset(
    {
        "CronJob",
        "DaemonSet",
        "Deployment",
        "Job",
        "ReplicaSet",
        "ReplicationController",
        "StatefulSet",
    }
)
"""Kinds that others belong to: deleted in the foreground, so that gone means all of it is gone."""
PERMANENT = frozenset(
    {"BadRequest", "Invalid", "MethodNotAllowed", "NoKind", "UnsupportedMediaType"}
)
"""Reasons that no second try changes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`live` is the object as the API server had it afterwards. `permanent`: trying again is vain;
    `away`: the API server did not answer at all."""

    do: Do
    ok: bool
    message: str
    live: Resource | None = None
    permanent: bool = False
    away: bool = False


class Requests:
    """`defined` is called after a CustomResourceDefinition was established. Thread-safe."""

    def __init__(
        self, cluster: Cluster, options: frozenset[str], defined: Callable[[], None]
    ) -> None:
        self._cluster, self._options, self._defined = cluster, options, defined

    def carry_out(self, do: Do) -> Answer:
        """Never raises what the API server says; that is an answer as well."""
        acts: dict[Verb, Callable[[Do], Answer]] = {
            Verb.DRY_RUN: self._dry_run,
            Verb.APPLY: self._apply,
            Verb.DELETE: self._delete,
            Verb.RELEASE: self._release,
            Verb.LOOK: self._look,
        }
        try:
            return acts[do.verb](do)
        except ApiRefused as refused:
            if do.verb is Verb.DRY_RUN and do.tolerate_missing and _is_missing(refused):
                return Answer(do, True, "the API server does not know this kind yet")
            return Answer(do, False, str(refused), permanent=refused.reason in PERMANENT)
        except SlipwayError as error:
            return Answer(do, False, str(error), away=isinstance(error, Unavailable))

    def _dry_run(self, do: Do) -> Answer:
        return Answer(do, True, "", self._send(do, dry_run=True))

    def _apply(self, do: Do) -> Answer:
        live = self._send(do, dry_run=False)
        if (live.group, live.kind) == DEFINITION:
            live = self._established(live)
            self._cluster.kinds(refresh=True)
            self._defined()
        return Answer(do, True, WORDS[do.method], live)

    def _send(self, do: Do, *, dry_run: bool) -> Resource:
        manifest = _needed(do)
        if do.method is Method.APPLY:
            return self._cluster.apply(manifest, dry_run=dry_run)
        if do.method is Method.CREATE:
            return self._cluster.create(manifest, dry_run=dry_run)
        if do.method is Method.UPDATE:
            return self._update(manifest, dry_run)
        if dry_run:
            return self._cluster.create(beside_itself(manifest), dry_run=True)
        self._cluster.delete(do.task.key, propagation=self._propagation(do))
        self._wait_gone(do.task.key)
        return self._cluster.create(manifest)

    def _update(self, manifest: Manifest, dry_run: bool) -> Resource:
        live = self._cluster.get(Resource(manifest).key)
        if live is None:
            return self._cluster.create(manifest, dry_run=dry_run)
        version = live.metadata.get("resourceVersion")
        metadata = {**(manifest.get("metadata") or {}), "resourceVersion": version}
        return self._cluster.replace({**manifest, "metadata": metadata}, dry_run=dry_run)

    def _delete(self, do: Do) -> Answer:
        there = self._cluster.delete(do.task.key, propagation=self._propagation(do))
        return Answer(do, True, "pruned" if there else "it was gone already")

    def _release(self, do: Do) -> Answer:
        live = self._cluster.get(do.task.key)
        if live is None:
            return Answer(do, True, "it was gone already")
        finalizers = list(live.metadata.get("finalizers") or [])
        if HOOK_FINALIZER not in finalizers:
            return Answer(do, True, "", live)
        left = [name for name in finalizers if name != HOOK_FINALIZER]
        version = live.metadata.get("resourceVersion")
        patch = {"metadata": {"finalizers": left, "resourceVersion": version}}
        try:
            return Answer(do, True, "", self._cluster.patch(do.task.key, patch, kind="merge"))
        except ApiRefused as refused:
            if refused.reason == "NotFound":
                return Answer(do, True, "it was gone already")
            if refused.reason == "Conflict":
                return self._release(do)
            raise

    def _look(self, do: Do) -> Answer:
        return Answer(do, True, "", self._cluster.get(do.task.key))

    def _established(self, live: Resource) -> Resource:
        """Its kind is served a moment after it was written; Argo CD waits as long."""
        until = time.monotonic() + ESTABLISHED_SECONDS
        while not _is_established(live) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            live = self._cluster.get(live.key) or live
        return live

    def _wait_gone(self, key: ResourceKey) -> None:
        until = time.monotonic() + GONE_SECONDS
        while (live := self._cluster.get(key)) is not None:
            if time.monotonic() > until:
                held = ", ".join(live.metadata.get("finalizers") or []) or "nothing we can see"
                raise ApiRefused(
                    f"{key} was deleted and is still there after {GONE_SECONDS:.0f} s, "
                    f"held by {held}",
                    reason="Timeout",
                    status=504,
                )
            time.sleep(LOOK_SECONDS)

    def _propagation(self, do: Do) -> str:
        known = do.step.desired or do.step.live
        wish = value(known, "PrunePropagationPolicy", self._options) if known else ""
        if wish:
            return wish.capitalize()
        return "Foreground" if do.task.key.kind in OWNERS else "Background"


WORDS = {
    Method.APPLY: "serverside-applied",
    Method.CREATE: "created",
    Method.UPDATE: "replaced",
    Method.RECREATE: "replaced (deleted and created)",
}


def _needed(do: Do) -> Manifest:
    if do.manifest is None:
        raise ValueError(f"{do.verb} of {do.task.key} has nothing to send")
    return do.manifest


def _is_missing(refused: ApiRefused) -> bool:
    """A kind or a namespace that is not there yet."""
    return refused.reason in ("NoKind", "NotFound")


def _is_established(definition: Resource) -> bool:
    conditions = (definition.manifest.get("status") or {}).get("conditions") or []
    return any(c.get("type") == "Established" and c.get("status") == "True" for c in conditions)
