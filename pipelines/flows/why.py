"""Why an order exists: what the application knows of it, and the people behind its release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.flows.context import Context
from pipelines.model.errors import BadInput, SlipwayError

TIMEOUT_SECONDS = 20.0


def why(contexts: Sequence[Context], order: str) -> dict[str, Any]:
    """The first environment that knows the order answers. BadInput when none does."""
    silent = []
    for ctx in contexts:
        try:
            found = _ask(ctx, order)
        except SlipwayError as error:
            silent.append(f"{ctx.environment} ({error.message})")
            continue
        if found is not None:
            return {"environment": ctx.environment, **found, "release_facts": _people(ctx, found)}
    where = ", ".join(ctx.environment for ctx in contexts)
    hint = f"did not answer: {'; '.join(silent)}" if silent else "order ids are in the console"
    raise BadInput(f"no order '{order}' in {where}", hint=hint)


def _ask(ctx: Context, order: str) -> dict[str, Any] | None:
    row = ctx.target.read_row().row
    if row is None:
        return None
    release = ctx.store.get(row.release)
    answer = ctx.target.application_answer(release, row.slot, "why", (order,), TIMEOUT_SECONDS)
    return answer if isinstance(answer, dict) and "error" not in answer else None


def _people(ctx: Context, found: dict[str, Any]) -> dict[str, Any]:
    """Source of the release that sent the order, and who promoted it here, why and when."""
    name = found.get("release")
    if not isinstance(name, str):
        return {}
    facts: dict[str, Any] = {}
    try:
        release = ctx.store.get(name)
        facts = {
            "version": release.version, "commit": release.source_commit,
            "author": release.source_author, "subject": release.source_subject,
        }  # fmt: skip
    except SlipwayError as error:
        facts["unknown"] = error.message
    for operation in ctx.records.journal.history(500):
        if operation.release == name and operation.kind in ("promotion", "bootstrap"):
            facts |= {"promoted_by": operation.actor, "promoted_at": operation.started_at,
                      "reason": operation.reason}  # fmt: skip
            break
    return facts
