"""Evidence of an installation: proving it, and the environment's own word about a soak.

The word is given once per operation, after confirm. It is never a reason to take a good release
back: what could not be written is written by a later look of the controller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.flows.context import Context
from pipelines.flows.run import Run
from pipelines.model.errors import SlipwayError, StaleToken
from pipelines.model.evidence import SOAK, Proven, environment_role
from pipelines.model.release import ENVIRONMENTS, Release
from pipelines.model.source import source_digest
from pipelines.records.protocols import AuditEntry, Operation

UNSAID = "unsaid_evidence"
SAID = "evidence"
"""Action of the audit that anchors the head of a chain: {source, count, digest}."""
EFFECT = "confirm.evidence"


def proven_about(ctx: Context, source: str) -> Proven:
    """Statements about a source, and everything that speaks against them: also heads that an
    environment's audit names and the chain does not have. Raises Refused, Unavailable."""
    evidence = ctx.evidence()
    proven = evidence.proven(source)
    if proven.problems:
        return proven
    digests = [one.previous for one in proven.statements[1:]]
    if proven.statements:
        digests.append(evidence.head(source)[1])
    problems = [
        problem
        for name in ENVIRONMENTS
        for problem in _unanchored(
            (ctx if name == ctx.environment else ctx.sibling(name)).records.audit.entries(),
            source,
            digests,
        )
    ]
    return Proven(source, proven.statements, tuple(problems))


def _unanchored(entries: Sequence[AuditEntry], source: str, digests: Sequence[str]) -> list[str]:
    """What the audit of an environment names and the chain of digests does not have."""
    found = []
    for entry in entries:
        said = entry.details
        if entry.action != SAID or said.get("source") != source:
            continue
        count = int(said.get("count", 0))
        if not 0 < count <= len(digests) or digests[count - 1] != said.get("digest"):
            found.append(
                f"the audit of {entry.environment} (entry {entry.sequence}) names statement {count}"
                f" as {str(said.get('digest'))[:12]}, which is not there"
            )
    return found


def promise(run: Run) -> None:
    """Noted before confirm, so that a crash right after it does not lose the word."""
    unsaid = run.ctx.records.journal.fact(UNSAID) or []
    if run.operation.id not in unsaid:
        run.ctx.records.journal.set_fact(UNSAID, [*unsaid, run.operation.id])


def say_soak(ctx: Context, operation: Operation, release: Release, token: int) -> str:
    """Words for the step. Raises StaleToken; what else goes wrong is said and tried again later."""
    journal = ctx.records.journal
    try:
        journal.effect(operation.id, token, EFFECT, lambda: _say(ctx, operation, release))
        journal.set_fact(UNSAID, [i for i in journal.fact(UNSAID) or [] if i != operation.id])
    except StaleToken:
        raise
    except SlipwayError as error:
        ctx.say("evidence", "waiting", error.message)
        return f"; the evidence of it could not be written yet: {error.message}"
    return ""


def say_unsaid(ctx: Context, token: int) -> list[str]:
    """Give the words that are owed for operations that ended well. Returns what was done."""
    journal = ctx.records.journal
    done: list[str] = []
    for identity in journal.fact(UNSAID) or []:
        operation = journal.get(identity)
        if operation is not None and operation.status == "running":
            continue
        if operation is None or operation.status != "succeeded":
            journal.set_fact(UNSAID, [i for i in journal.fact(UNSAID) or [] if i != identity])
            continue
        try:
            problem = say_soak(ctx, operation, ctx.store.get(operation.release), token)
        except StaleToken:
            raise
        except SlipwayError as error:  # the release has left the store
            problem = f": {error.message}"
        done.append(f"evidence of {identity} {'waits' + problem if problem else 'written'}")
    return done


def _say(ctx: Context, operation: Operation, release: Release) -> None:
    """Idempotent: a crash between the statement and its record says it only once."""
    evidence, source = ctx.evidence(), source_digest(release.parts)
    known = evidence.proven(source)
    if known.newest(SOAK, environment=ctx.environment, operation=operation.id) is None:
        evidence.say(
            SOAK,
            source,
            soak_predicate(ctx, operation, release),
            role=environment_role(ctx.environment),
            signer=ctx.environment,
            release=release.id,
        )
    count, digest = evidence.head(source)
    ctx.records.audit.append(
        actor="slipway",
        action=SAID,
        result="said",
        details={
            "source": source,
            "release": release.id,
            "operation": operation.id,
            "count": count,
            "digest": digest,
        },
    )


def shadow_checks(remembered: Any) -> list[Any]:
    """Those of the shadow run among checks as the journal keeps them: [name, ok, message, samples]."""
    return [c for c in remembered or [] if str(c[0]).partition(":")[0] == "shadow"]


def soak_predicate(ctx: Context, operation: Operation, release: Release) -> Mapping[str, Any]:
    """What an environment says about an operation it confirmed (`model.evidence.SOAK`)."""
    journal = ctx.records.journal
    verify = journal.recall(operation.id, "verify") or []
    analysis = journal.recall(operation.id, "analysis") or []
    shadow = shadow_checks([*verify, *analysis])
    return {
        "environment": ctx.environment,
        "release": release.id,
        "version": release.version,
        "operation": operation.id,
        "kind": operation.kind,
        "soak_seconds": journal.recall(operation.id, "soaked_seconds") or 0.0,
        "switched_at": journal.recall(operation.id, "switched_at") or "",
        "confirmed_at": journal.recall(operation.id, "confirmed_at") or operation.ended_at,
        "shadow": {
            "ok": bool(shadow) and all(c[1] for c in shadow),
            "samples": sum(c[3] for c in shadow),
            "message": "; ".join(c[2] for c in shadow) or "there was no shadow run",
        },
        "verify": [{"name": c[0], "ok": c[1], "samples": c[3]} for c in verify],
        "analysis": [{"name": c[0], "ok": c[1], "samples": c[3]} for c in analysis],
    }
