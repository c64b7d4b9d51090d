"""`release.yaml` at the head of an environment branch: BranchState as text, and back."""

from __future__ import annotations

from typing import Any

from pipelines.model import yaml_strict
from pipelines.model.branch import BranchState, Hold
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from pipelines.model.release import ENVIRONMENTS
from pipelines.model.slots import Slot, SlotContent

FILE = "release.yaml"
KINDS = ("bootstrap", "promotion", "rollback", "hold", "unhold")

_KEYS = (
    *("environment", "active", "slots", "holds", "kind", "reason", "actor", "operation", "at"),
    "audit_head",
)
_CONTENT_KEYS = ("release", "version", "source_commit")
_HOLD_KEYS = ("release", "reason", "actor", "at")


def render(state: BranchState) -> str:
    return yaml_strict.dump(
        {
            "environment": state.environment,
            "active": state.active.value,
            "slots": {slot.value: _content_out(state.slots.get(slot)) for slot in Slot},
            "holds": [{key: getattr(hold, key) for key in _HOLD_KEYS} for hold in state.holds],
            "kind": state.kind,
            "reason": state.reason,
            "actor": state.actor,
            "operation": state.operation,
            "at": state.at,
            "audit_head": state.audit_head,
        }
    )


def parse(text: str, file: str = FILE) -> BranchState:
    """Raises BadInput naming file, key, value and remedy."""
    fields = Fields(file, yaml_strict.load_mapping(text, file), _KEYS)
    slots = fields.sub("slots", [slot.value for slot in Slot])
    state = BranchState(
        environment=fields.choice("environment", ENVIRONMENTS),
        active=Slot(fields.choice("active", [slot.value for slot in Slot])),
        slots={slot: _content_in(slots, slot) for slot in Slot},
        holds=tuple(_hold_in(file, value) for value in fields.items("holds")),
        kind=fields.choice("kind", KINDS),
        reason=fields.text("reason", empty=True),
        actor=fields.text("actor", empty=True),
        operation=fields.text("operation", empty=True),
        at=fields.text("at", empty=True),
        audit_head=fields.text("audit_head", empty=True),
    )
    if state.active_content is None and any(state.slots.values()):
        raise BadInput(
            f"{file}: active: slot {state.active.value!r} is empty",
            hint="the active slot names a release",
        )
    return state


def _content_out(content: SlotContent | None) -> dict[str, str] | None:
    return {key: getattr(content, key) for key in _CONTENT_KEYS} if content else None


def _content_in(slots: Fields, slot: Slot) -> SlotContent | None:
    if slots.raw(slot.value) is None:
        return None
    fields = slots.sub(slot.value, _CONTENT_KEYS)
    return SlotContent(
        release=fields.text("release"),
        version=fields.text("version"),
        source_commit=fields.text("source_commit", empty=True),
    )


def _hold_in(file: str, value: Any) -> Hold:
    fields = Fields(file, value, _HOLD_KEYS, "holds")
    return Hold(
        release=fields.text("release"),
        reason=fields.text("reason", empty=True),
        actor=fields.text("actor", empty=True),
        at=fields.text("at", empty=True),
    )
