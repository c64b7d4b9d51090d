"""Who gets new connections: the slot in the selectors of the two Services, a projection of the row.

Only `slipway-switch` writes it. A sync applies the Services without it, so that no sync, heal or
retry can undo a switch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster
from pipelines.targets.kubernetes.layout import (
    COMPONENT_LABEL,
    NOBODY,
    SLOT_LABEL,
    SWITCH_MANAGER,
    Place,
)
from pipelines.targets.local.ports import Http

POLL_SECONDS = 0.02
ANSWER_SECONDS = 0.5
SELECTOR = ("spec", "selector", SLOT_LABEL)
POINTER = "/spec/selector/" + SLOT_LABEL.replace("/", "~1")
PORT_LABEL = "kubernetes.io/service-name"


class Traffic:
    def __init__(self, place: Place, cluster: Cluster, http: Http) -> None:
        self.place, self.cluster, self.http = place, cluster, http

    def slot(self) -> Slot | None:
        """Whom the active Service selects. None: nobody, or there is no Service."""
        service = self.cluster.get(self.place.active)
        word = selected(service) if service else ""
        return Slot(word) if word in list(Slot) else None

    def give(self, slot: Slot) -> None:
        """One patch of each Service; doing it again changes nothing. Raises Unavailable."""
        self._write(self.place.active, str(slot))
        self._write(self.place.preview, str(slot.other), needed=False)

    def preview(self, slot: Slot) -> None:
        self._write(self.place.preview, str(slot), needed=False)

    def take(self, slot: Slot) -> None:
        """Nobody is selected any more, if it was this slot."""
        patch = [
            {"op": "test", "path": POINTER, "value": str(slot)},
            {"op": "replace", "path": POINTER, "value": NOBODY},
        ]
        try:
            self.cluster.patch(self.place.active, patch, kind="json", manager=SWITCH_MANAGER)
        except ApiRefused as refused:
            # A failed `test` is Invalid: another slot is selected, and stays so.
            if refused.reason not in ("Invalid", "NotFound"):
                raise

    def _write(self, key: ResourceKey, word: str, *, needed: bool = True) -> None:
        patch = {"spec": {"selector": {SLOT_LABEL: word}}}
        try:
            self.cluster.patch(key, patch, kind="merge", manager=SWITCH_MANAGER)
        except ApiRefused as refused:
            if refused.reason != "NotFound":
                raise
            if needed:
                raise Unavailable(
                    f"{key} is missing", hint=f"type: slipway sync {self.place.environment}"
                ) from None

    # --- seen from outside ---------------------------------------------------------------------------
    def arrives(self, slot: Slot, seconds: float) -> bool:
        """Whether new connections reach this slot and no other within the time."""
        deadline = time.monotonic() + seconds
        while True:
            if self._endpoints_are(slot) and self._answers(slot) is not False:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)

    def leads_to(self, slot: Slot) -> bool:
        """Whether a new connection reaches this slot now: by the Service's own address where this
        machine can ask it, else by its endpoints."""
        answers = self._answers(slot)
        return self._endpoints_are(slot) if answers is None else answers

    def _endpoints_are(self, slot: Slot) -> bool:
        """All ready endpoints of the active Service are pods of the slot, and there is one."""
        slices, _ = self.cluster.list(
            "discovery.k8s.io",
            "EndpointSlice",
            namespace=self.place.namespace,
            labels={PORT_LABEL: self.place.active.name},
        )
        names = {name for one in slices for name in ready_pods(one)}
        if not names:
            return False
        pods, _ = self.cluster.list(
            "", "Pod", namespace=self.place.namespace, labels=self.place.slot_labels(slot)
        )
        return names <= {pod.name for pod in pods}

    def _answers(self, slot: Slot) -> bool | None:
        """Whether the Service's own address leads there; None where this machine cannot reach it."""
        address = self.address(self.place.active)
        if not address:
            return None
        try:
            status, body = self.http.get(f"tcp:{address}", "/version", ANSWER_SECONDS)
        except Unavailable:
            return None if not self.reachable() else False
        try:
            return status == 200 and json.loads(body).get("slot") == str(slot)
        except (ValueError, AttributeError):
            return False

    def reachable(self) -> bool:
        """Does this machine reach addresses of Services at all? The API server's own is one."""
        service = ResourceKey("", "Service", "default", "kubernetes")
        try:
            found = self.cluster.get(service)
        except ApiRefused:
            return False
        address = service_address(found) if found else ""
        try:
            return bool(address) and bool(self.http.get(f"tcp:{address}", "/", ANSWER_SECONDS))
        except Unavailable as error:
            # A TLS port that was asked in plain text answered something, or nothing at all.
            return "no answer in time" not in error.message and "oute" not in error.message

    def address(self, key: ResourceKey) -> str:
        """`IP:port` of a Service inside the cluster; empty when there is none."""
        service = self.cluster.get(key)
        return service_address(service) if service else ""

    def url(self, key: ResourceKey) -> str:
        """Its name where the cluster cannot be asked for the address."""
        try:
            address = self.address(key).removesuffix(":80")
        except SlipwayError:
            address = ""
        return f"http://{address or f'{key.name}.{key.namespace}.svc'}"

    def without_slot(self, desired: Resource) -> Resource:
        """One of our two Services as a sync may apply it.

        The selector is one field to the API server: it stays out once `slipway-switch` has it. Else
        a Service that is made selects nobody, and one that is there goes on selecting whom it does.
        """
        live = self.cluster.get(desired.key)
        if live is not None and is_switched(live):
            spec = {k: v for k, v in desired.manifest["spec"].items() if k != "selector"}
            return Resource({**desired.manifest, "spec": spec}, desired.origin)
        return with_selected(desired, selected(live) if live and selected(live) else NOBODY)

    def keep_processes(self, desired: Sequence[Resource]) -> None:
        """The rest of the selectors follows the manifests, whoever has them by now."""
        for one in desired:
            live = self.cluster.get(one.key) if self.is_ours(one) else None
            if live is None:
                continue
            wanted, found = _selector(one), _selector(live)
            patch = {name: wanted.get(name) for name in {*wanted, *found} - {SLOT_LABEL}}
            if any(found.get(name) != value for name, value in patch.items()):
                body = {"spec": {"selector": patch}}
                self.cluster.patch(one.key, body, kind="merge", manager=SWITCH_MANAGER)

    def is_ours(self, resource: Resource) -> bool:
        return resource.key in (self.place.active, self.place.preview)


def selected(service: Resource) -> str:
    return str(_selector(service).get(SLOT_LABEL, ""))


def live_process(service: Resource) -> str:
    return str(_selector(service).get(COMPONENT_LABEL, ""))


def _selector(service: Resource) -> Mapping[str, Any]:
    return (service.manifest.get("spec") or {}).get("selector") or {}


def with_selected(service: Resource, word: str) -> Resource:
    selector = {**_selector(service), SLOT_LABEL: word}
    spec = {**service.manifest["spec"], "selector": selector}
    return Resource({**service.manifest, "spec": spec}, service.origin)


def is_switched(service: Resource) -> bool:
    """Does `slipway-switch` own the selector?"""
    return any(
        entry.get("manager") == SWITCH_MANAGER
        and "f:selector" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        for entry in service.metadata.get("managedFields") or ()
    )


def service_address(service: Resource) -> str:
    spec = service.manifest.get("spec") or {}
    address, ports = spec.get("clusterIP"), spec.get("ports") or ()
    return f"{address}:{ports[0]['port']}" if address and address != "None" and ports else ""


def ready_pods(endpoints: Resource) -> Sequence[str]:
    found: Sequence[Mapping[str, Any]] = endpoints.manifest.get("endpoints") or ()
    return [
        str((one.get("targetRef") or {}).get("name", ""))
        for one in found
        if (one.get("conditions") or {}).get("ready") is not False
    ]
