"""What the rules say about a release that wants into an environment. Asked by the command and,
with a reading of its own, by the guard of the controller. What cannot be read is a no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.engine.earned import exempt, verdict, words
from pipelines.flows.context import Context
from pipelines.flows.evidence import proven_about
from pipelines.model.branch import BranchState
from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.evidence import Proven
from pipelines.model.live import Check, MigrationStatus
from pipelines.model.release import Release
from pipelines.model.source import source_digest

_MANY = 1000


def earned(
    ctx: Context,
    state: BranchState,
    release: Release | None,
    *,
    first: bool,
    migrations: MigrationStatus | None,
) -> list[Check]:
    """Checks of the guard by the policies promotion and freeze_windows of the origin's `main`.

    Raises Unavailable alone (it is tried again); everything else that goes wrong is a refusal.
    """
    if release is None:
        return []
    why = exempt(state, release.id, first=first, ran=_ran(ctx))
    if why:
        return [Check("earned", True, f"nothing is demanded: {why}", samples=0)]
    pending = migrations.pending if migrations is not None else ()
    return [
        *_judged(ctx, "promotion", lambda: _promotion_facts(ctx, release, pending)),
        *_judged(ctx, "freeze_windows", lambda: _window_facts(ctx)),
    ]


def _ran(ctx: Context) -> Mapping[str, str]:
    return {
        operation.id: operation.release
        for operation in ctx.records.journal.history(_MANY)
        if operation.status == "succeeded"
    }


def _judged(ctx: Context, rule: str, facts: Any) -> list[Check]:
    from policies import rooms  # late: a rollback needs no rule

    name = rule.replace("_", " ")
    try:
        text = ctx.origin.policy_text(rule)
        data = rooms.packaged_data(rule) if text is None else rooms.load_data(rule, text)
        return verdict(name, rooms.judge(rule, facts(), data))
    except Unavailable:
        raise
    except SlipwayError as error:
        return [Check(name, False, f"cannot be judged: {words(error.message, error.hint)}")]


def _promotion_facts(ctx: Context, release: Release, pending: tuple[str, ...]) -> dict[str, Any]:
    source = source_digest(release.parts)
    try:
        proven = proven_about(ctx, source)
    except SlipwayError as error:
        # A problem like any other: who demands nothing (dev) need not be able to read evidence.
        proven = Proven(source, (), (words(error.message, error.hint),))
    return {
        "release": release.id,
        "source": source,
        "environment": ctx.environment,
        "now": ctx.now().isoformat(),
        "branches": list(ctx.origin.branches_with(release.source_commit, release.parts)),
        "statements": _plain(proven),
        "problems": list(proven.problems),
        "pending_migrations": list(pending),
        "local": True,
    }


def _window_facts(ctx: Context) -> dict[str, Any]:
    return {"environment": ctx.environment, "now": ctx.now().isoformat()}


def _plain(proven: Proven) -> list[dict[str, Any]]:
    return [
        {
            "predicate_type": one.predicate_type,
            "predicate": dict(one.predicate),
            "role": one.role,
            "signer": one.signer,
            "at": one.at,
            "release": one.release,
            "source": one.source,
        }
        for one in proven.statements
    ]
