"""May this release go into this environment? Holds, freeze, migrations, and what it has earned;
every reason is given."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.model.branch import BranchState
from pipelines.model.live import Check, MigrationStatus
from pipelines.model.release import Release


def guard(
    state: BranchState,
    release: Release | None,
    *,
    freeze: tuple[str, str, str] | None,
    migrations: MigrationStatus | None,
    earned: Sequence[Check] = (),
) -> list[Check]:
    """All checks, also the passed ones. `migrations` is None when the schema was never made;
    `earned` is what the rules say (`flows.earning`).

    A rollback and the first release are never stopped by a freeze.
    """
    wanted = state.active_content
    if wanted is None:
        return [
            Check("release", False, f"slot {state.active} of {state.environment} names no release")
        ]
    if release is None:
        return [
            Check(
                "release",
                False,
                f"release {wanted.release} is not built on this installation; run: slipway build",
            )
        ]
    return [
        Check("release", True, f"{release.id} (version {release.version}) is built"),
        _hold(state, release.id),
        _freeze(state, freeze),
        _migrations(release, migrations),
        _order(state, migrations),
        *earned,
    ]


def _hold(state: BranchState, release: str) -> Check:
    hold = state.is_held(release)
    if hold is None:
        return Check("hold", True, "not held")
    return Check(
        "hold",
        False,
        f"release {release} is held since {hold.at} by {hold.actor}: {hold.reason}; "
        f"lift it with: slipway unhold {state.environment} {release} --reason …",
    )


def _freeze(state: BranchState, freeze: tuple[str, str, str] | None) -> Check:
    if freeze is None or state.kind in ("bootstrap", "rollback"):
        return Check("freeze", True, "not frozen")
    actor, reason, at = freeze
    return Check(
        "freeze",
        False,
        f"{state.environment} is frozen since {at} by {actor}: {reason}; "
        f"lift it with: slipway thaw {state.environment} --reason …",
    )


def _migrations(release: Release, migrations: MigrationStatus | None) -> Check:
    if migrations is None or not migrations.missing:
        return Check("migrations", True, "every applied migration is contained")
    return Check(
        "migrations",
        False,
        f"release {release.id} lacks {', '.join(migrations.missing)}, applied in {len(migrations.applied)} "
        "migrations of this database; include them: merge the commit that brought them, then slipway build",
    )


def _order(state: BranchState, migrations: MigrationStatus | None) -> Check:
    blocker = None if migrations is None else migrations.blocked_by
    if migrations is None or blocker is None or not migrations.applied or state.kind == "bootstrap":
        return Check(
            "migration order", True, "no contract migration stands before an expanding one"
        )
    return Check(
        "migration order",
        False,
        f"{blocker} is a contract migration, still pending, and stands before "
        f"{', '.join(migrations.pending)}; first promote a release with {blocker} and without those, "
        f"then: slipway migrate contract {state.environment} --reason …",
    )
