"""What an application's commands answer, wherever they ran."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pipelines.model.branch import ActiveRow
from pipelines.model.errors import Refused, StaleToken, Unavailable
from pipelines.model.live import Check, Handover, MigrationStatus
from pipelines.model.slots import Slot
from pipelines.targets.local.ports import CommandResult

HANDOVER_SECONDS = 8.0

_EXCEPTION = re.compile(r"[\w.]+: \S")


def last_words(result: CommandResult) -> str:
    """The line that names the exception, or the last one; SQL errors go on with position marks."""
    lines = [line for line in result.errors.splitlines() if line.strip()]
    named = [line for line in lines if _EXCEPTION.match(line) and not line.startswith("LINE ")]
    return (named or lines or [f"exit code {result.code}, no words"])[-1].strip()


_AWAY = re.compile(r"connection|server closed|starting up|shutting down|recovery", re.IGNORECASE)


def database_was_away(words: str) -> bool:
    """Did a command fail because the database did not answer? Then it is worth asking again."""
    return _AWAY.search(words) is not None


def checks_of(command: str, result: CommandResult, timeout_seconds: float) -> Sequence[Check]:
    """A command that hangs, crashes or answers something else is a failed check, never a pass."""
    if result.code is None:
        return (Check(command, False, f"did not end within {timeout_seconds:g} s", samples=0),)
    answer = result.answer
    if not isinstance(answer, dict) or not isinstance(answer.get("checks"), list):
        return (Check(command, False, f"no answer: {last_words(result)}", samples=0),)
    checks = [
        Check(
            name=f"{command}: {entry.get('name', '?')}",
            ok=entry.get("ok") is True,
            message=str(entry.get("message", "")),
            samples=int(entry.get("samples") or 0),
        )
        for entry in answer["checks"]
        if isinstance(entry, dict)
    ]
    agrees = result.code == 0 and answer.get("ok") is True
    if not agrees and all(check.ok for check in checks):
        words = f"said ok={answer.get('ok')} and ended with {result.code}: {last_words(result)}"
        checks.append(Check(command, False, words, samples=0))
    return tuple(checks)


def migration_status_of(result: CommandResult) -> MigrationStatus:
    answer = result.answer
    if result.code != 0 or not isinstance(answer, dict):
        raise Unavailable(f"the application cannot say its migrations: {last_words(result)}")
    try:
        pending = [(str(p["revision"]), str(p["kind"])) for p in answer["pending"]]
        return MigrationStatus(
            applied=tuple(str(r) for r in answer["applied"]),
            pending=tuple(revision for revision, kind in pending if kind == "expand"),
            contract=tuple(revision for revision, kind in pending if kind == "contract"),
            missing=tuple(str(r) for r in answer["missing"]),
            blocked_by=_blocker(pending),
        )
    except (KeyError, TypeError) as error:
        raise Unavailable(f"the application's migration status lacks {error}") from None


def _blocker(pending: Sequence[tuple[str, str]]) -> str | None:
    """The first contract revision with an expanding one after it."""
    expanding = [index for index, (_, kind) in enumerate(pending) if kind == "expand"]
    before = pending[: expanding[-1]] if expanding else []
    return next((revision for revision, kind in before if kind == "contract"), None)


def handover_args(request: Handover) -> list[str]:
    """Arguments of `handover switch`."""
    args = [
        "switch",
        "--to",
        str(request.slot),
        "--release",
        request.release,
        "--operation",
        request.operation,
        "--commit",
        request.commit,
        "--token",
        str(request.token),
        "--expect-epoch",
        str(request.expect_epoch),
        "--state",
        request.state,
    ]
    if request.confirm_by:
        args += ["--confirm-by", request.confirm_by]
    if not request.published:
        args.append("--unpublished")
    return [*args, f"--reason={request.reason}"]  # one word: it may begin with a dash


def row_of(result: CommandResult, limit_seconds: float = HANDOVER_SECONDS) -> ActiveRow:
    """The row after the switch, or why there was none. A command cut at its limit may have switched:
    Unavailable, and the caller asks again under the same operation id."""
    answer = result.answer if isinstance(result.answer, dict) else {}
    error = str(answer.get("error", ""))
    if error == "STALE_TOKEN":
        raise StaleToken(str(answer.get("message", error)))
    if error == "STALE_EPOCH":
        raise Refused(
            str(answer.get("message", error)), hint="somebody switched meanwhile: slipway status"
        )
    if result.code is None:
        raise Unavailable(f"handover did not end within {limit_seconds:g} s")
    if result.code != 0 or "epoch" not in answer:
        raise Unavailable(f"handover failed: {error or last_words(result)}")
    return parse_row(answer)


def parse_row(answer: Mapping[str, Any]) -> ActiveRow:
    def moment(name: str) -> datetime | None:
        value = answer.get(name)
        return datetime.fromisoformat(str(value)) if value else None

    changed_at = moment("changed_at")
    if changed_at is None:
        raise Unavailable("handover answered a row without changed_at")
    return ActiveRow(
        slot=Slot(answer["slot"]),
        release=str(answer["release"]),
        epoch=int(answer["epoch"]),
        operation=str(answer["operation"]),
        commit=str(answer["commit"]),
        state=str(answer["state"]),
        confirm_by=moment("confirm_by"),
        token=int(answer["token"]),
        previous_slot=Slot(answer["previous_slot"]) if answer.get("previous_slot") else None,
        previous_release=answer.get("previous_release"),
        published=bool(answer["published"]),
        reason=str(answer.get("reason", "")),
        changed_at=changed_at,
    )
