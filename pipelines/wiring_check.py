"""Puts adapters into a check: for the command line, the controller's child process, a rerun."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.flows.check import Cache, Plan, Say, Workshops, run_check
from pipelines.model.check import Change, Report
from pipelines.stages import registry
from pipelines.stages.protocol import Options
from pipelines.wiring import checkout, checkout_of_this_code

if TYPE_CHECKING:
    from pipelines.adapters.change import Changes, Wanted
    from pipelines.adapters.check_environments import CheckEnvironments

LOCK = "requirements-check.lock"
_CODE = (".py", ".yaml", ".json", ".sql")


@dataclass(frozen=True, slots=True)
class Check:
    """A check that is ready to run."""

    change: Change
    plan: Plan
    workshops: Workshops
    cache: Cache
    reports: Path

    def run(self, say: Say = lambda _: None) -> Report:
        from pipelines.adapters.check_workshops import clear_left_overs
        from pipelines.adapters.programs import end_left_overs

        end_left_overs()
        clear_left_overs()
        return run_check(self.change, self.plan, self.workshops, self.cache, say)


def open_check(
    state: Path,
    wanted: Wanted,
    *,
    checkout: Path | None = None,
    stages: Sequence[str] = (),
    options: Options | None = None,
    fresh: bool = False,
) -> Check:
    """A check of a commit in a checkout (None: in the origin of the installation at `state`).

    Works without an installation: then `state` only keeps trees, environments and answers, and the
    targets are the checkout's remotes'. Raises BadInput as `Changes.read`, and for unknown stages.
    """
    from pipelines.adapters.check_cache import CheckCache
    from pipelines.adapters.check_environments import CheckEnvironments
    from pipelines.adapters.check_workshops import LocalWorkshops, report_folder

    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    names, options = registry.chosen(stages), _with_advisories(state, options or Options())
    options = _with_backup(state, _with_running(state, options))
    folder = state.resolve() / "check"
    changes = open_changes(state, checkout)
    change, notes = changes.read(wanted)
    environments = CheckEnvironments(folder / "environments", tools_lock())
    reports = report_folder(state.resolve() / "reports", change)
    return Check(
        change=change,
        plan=Plan(
            stages={name: partial(registry.load, name) for name in names},
            engine=f"{code_digest()}:{environments.tools_digest()}:{_digest(charts_lock())}",
            options=options,
            notes=notes,
            fresh=fresh,
        ),
        workshops=LocalWorkshops(
            environments, reports, options, _asked(state, changes, environments)
        ),
        # What the installation's own runner signs comes from answers of its own.
        cache=CheckCache(folder / ("cache" if checkout else "cache-runner")),
        reports=reports,
    )


def check_commit(
    state: Path,
    branch: str,
    commit: str,
    *,
    target: str = "",
    stages: Sequence[str] = (),
    options: Options | None = None,
    fresh: bool = False,
    say: Say = lambda _: None,
) -> Report:
    """Check a commit that lies in the origin, without any checkout. Errors as `open_check`."""
    from pipelines.adapters.change import Wanted

    wanted = Wanted(commit=commit, branch=branch, target=target)
    return open_check(state, wanted, stages=stages, options=options, fresh=fresh).run(say)


def open_changes(state: Path, checkout: Path | None, *, parts: Sequence[str] = ()) -> Changes:
    """Reads changes of a checkout, or of the installation's origin when there is none. `parts`: only
    these paths at the top of the trees are there to be read."""
    from pipelines.adapters.change import Changes

    state = state.resolve()
    origin: Path | None = state / "origin.git"
    trees = state / "check" / ("parts" if parts else "trees")
    if checkout is None:
        return Changes(state / "origin.git", trees, bare=True, parts=parts)
    origin = origin if origin and (origin / "HEAD").exists() else None
    return Changes(checkout, trees, origin=origin, parts=parts)


def wanted_here(
    variables: Mapping[str, str],
    *,
    branch: str,
    commit: str,
    base: str,
    everything: bool,
    pull_request: str | None,
) -> Wanted:
    """What a person asks for; on GitHub the workflow's variables name branch and target."""
    from pipelines.adapters.change import Wanted, branch_of_workflow

    of_workflow, target = branch_of_workflow(variables)
    return Wanted(commit, branch or of_workflow, base, target, everything, pull_request)


def checkout_to_judge(here: Path, state: Path) -> Path:
    """The project's checkout that a folder lies in, else the one that was installed from. Raises
    BadInput when there is neither."""
    from pipelines.adapters.change import find_checkout

    return find_checkout(here) or checkout(state)


def tools_lock() -> Path:
    """The lock of the tools: beside the installed engine's sources, or of this code's checkout."""
    return _own_sources() / LOCK


def charts_lock() -> Path:
    """The lock of what renders charts, from the same place."""
    from pipelines.adapters.check_charts import LOCK as CHARTS_LOCK

    return _own_sources() / CHARTS_LOCK


def _own_sources() -> Path:
    from pipelines.adapters.engine_install import MARKER

    home = Path(sys.prefix)
    return home / "source" if (home / MARKER).exists() else checkout_of_this_code()


def _digest(lock: Path) -> str:
    """Empty where an engine has no such lock."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:16] if lock.is_file() else ""


@cache
def code_digest() -> str:
    """sha256 over all code and data of the engine and its policies, and the interpreter."""
    import pipelines
    import policies

    digest = hashlib.sha256(sys.version.encode())
    for package in (pipelines, policies):
        root = Path(str(package.__file__)).parent
        for file in sorted(root.rglob("*")):
            if file.suffix in _CODE and file.is_file():
                digest.update(f"\0{file.relative_to(root)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _asked(state: Path, changes: Changes, environments: CheckEnvironments) -> dict[str, Any]:
    """What single stages ask of the machine, as fields of `Workshop`."""
    from pipelines.adapters.advisory_snapshot import read_snapshot
    from pipelines.adapters.check_charts import CheckCharts
    from pipelines.adapters.check_render import read_tree
    from pipelines.adapters.history import GitHistory
    from pipelines.adapters.package_index import ask_index
    from pipelines.adapters.rehearsal_database import LocalRehearsals

    return {
        "kept": state.resolve() / "check" / "kept",
        "history": GitHistory(changes.git),
        "advisory_snapshot": read_snapshot,
        "package_index": ask_index,
        "renderer": read_tree,
        "charts": CheckCharts(environments, charts_lock()),
        "rehearsals": LocalRehearsals(state.resolve(), state.resolve() / "check" / "rehearsal"),
    }


def _with_advisories(state: Path, options: Options) -> Options:
    """The snapshot that was asked for, else the one the installation keeps, else none (live)."""
    from pipelines.adapters.advisory_snapshot import installed_snapshot

    if options.advisories is not None:
        return options
    return replace(options, advisories=installed_snapshot(state.resolve()))


def _with_running(state: Path, options: Options) -> Options:
    """What the branches of the environments say now, where there is an installation."""
    origin = state.resolve() / "origin.git"
    if not (origin / "HEAD").is_file():
        return options
    from pipelines.adapters.check_render import running

    return replace(options, running=running(origin))


def _with_backup(state: Path, options: Options) -> Options:
    """What migrations are rehearsed on: the newest backup here, None (generated rows) without one."""
    from pipelines.adapters.rehearsal_database import newest_backup

    return options if options.backup else replace(options, backup=newest_backup(state.resolve()))
