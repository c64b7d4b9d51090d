"""The one place that puts adapters into flows: for the command line, the controller and tests.

Adapters are imported inside the functions that need them, so a rollback loads neither git nor
the release builder.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import wiring_target
from pipelines.flows.context import Context, Progress
from pipelines.model.environment import EnvironmentSettings
from pipelines.model.errors import SlipwayError
from pipelines.model.release import ENVIRONMENTS
from pipelines.model.slots import Slot
from pipelines.targets.local.layout import Installation, Layout, runtime_folder
from pipelines.wiring_settings import CurrentSettings

if TYPE_CHECKING:
    from pipelines.adapters.engine_install import Engine
    from pipelines.adapters.git_origin_setup import OriginChange
    from pipelines.flows.doctor import Facts
    from pipelines.flows.ports import Origin, ReleaseStore
    from pipelines.flows.receive import Arrivals
    from pipelines.flows.source_ports import Source
    from pipelines.records.evidence import Evidence
    from pipelines.records.jobs import Jobs
    from pipelines.targets.kubernetes.manifests import BranchManifests
    from pipelines.targets.kubernetes.target import KubernetesTarget
    from pipelines.targets.local.target import LocalTarget

WORKER = ENVIRONMENTS[0]
"""The environment whose controller works on jobs."""


def open_context(
    state: Path,
    environment: str,
    *,
    actor: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Context:
    """Everything a flow may use for one environment. BadInput when nothing is installed there."""
    layout = Installation.load(state).layout(environment)
    from pipelines.adapters.sqlite import open_records

    store, origin = open_store(state), open_origin(state)
    settings = CurrentSettings(
        lambda: wiring_target.refuse_other_target(layout, origin.settings(environment))
    )
    target, manifests = _target(layout, store, origin, settings)
    hooks, observed, syncer = wiring_target.open_hooks(layout, target)
    return Context(
        environment=environment,
        state=layout.installation.state,
        records=open_records(layout.installation.state, environment),
        target=target,
        manifests=manifests,
        hooks=hooks,
        observed=observed,
        syncer=syncer,
        written=wiring_target.written_syncs(layout, target),
        origin=origin,
        store=store,
        settings=settings,
        reread=settings.reread,
        evidence=lambda: open_evidence(layout.installation.state),
        source=lambda: open_source(state),
        sibling=lambda other: open_context(state, other, actor=actor, progress=progress),
        wake=lambda: wake(layout),
        actor=actor,
        progress=progress,
    )


def open_store(state: Path) -> ReleaseStore:
    from pipelines.adapters.release_store import LocalReleaseStore

    return LocalReleaseStore(Installation.load(state).state)


def open_origin(state: Path) -> Origin:
    from pipelines.adapters.git import GitOrigin

    return GitOrigin(state.resolve() / "origin.git")


def open_evidence(state: Path) -> Evidence:
    """Statements about sources under `state/evidence/`, signed with the keys in `state/keys/`."""
    from pipelines.adapters.evidence_files import FileShelf
    from pipelines.adapters.machine import LinuxMachine
    from pipelines.adapters.signing import FileKeys
    from pipelines.records.evidence import Ledger

    state = Installation.load(state).state
    return Ledger(FileKeys(state), FileShelf(state), LinuxMachine().now)


def enrol_keys(installation: Installation, actor: str) -> list[str]:
    """The keys of this person, the check runner and the environments; names of those made now."""
    from pipelines.adapters.signing import FileKeys

    return FileKeys(installation.state).enrol(actor, ENVIRONMENTS)


def open_arrivals(state: Path) -> Arrivals:
    """The origin, for judging what is pushed to it."""
    from pipelines.adapters.git_arrival import GitArrivals

    return GitArrivals(state.resolve() / "origin.git")


def synced_in_its_cluster(state: Path, environment: str) -> bool:
    """As `slipway up` took it over. Raises BadInput, NeedsPerson."""
    if environment not in ENVIRONMENTS:
        return False
    found = wiring_target.remembered(Installation.load(state.resolve()).layout(environment))
    return found is not None and found.hooked


def open_jobs(state: Path) -> Jobs:
    """What the controller of dev shall check, merge and deliver."""
    from pipelines.adapters.sqlite import open_jobs as open_there

    return open_there(state.resolve())


def wake_worker(state: Path) -> bool:
    """Tell the controller that works on jobs; False when none lives."""
    return wake(Installation.load(state).layout(WORKER))


def open_source(state: Path) -> Source:
    from pipelines.adapters.git_source import GitSource

    return GitSource(state.resolve() / "origin.git")


def worker_lives(state: Path) -> bool:
    """Whether a controller of dev runs, without telling it anything."""
    from pipelines.adapters.process import LocalProcesses

    pidfile = Installation.load(state).layout(WORKER).pidfile("controller")
    return LocalProcesses().alive(pidfile) is not None


def wake(layout: Layout) -> bool:
    """Tell a living controller to look now; False when none lives."""
    from pipelines.adapters.process import LocalProcesses

    return LocalProcesses().signal(layout.pidfile("controller"), signal.SIGUSR1)


def checkout_of_this_code() -> Path:
    """The checkout that the command in `.venv` belongs to."""
    return Path(__file__).resolve().parents[1]


def checkout(state: Path) -> Path:
    """Where `slipway build` builds: this code's own checkout, or the one that was installed from."""
    here = checkout_of_this_code()
    return here if (here / ".git").exists() else Installation.load(state).checkout


def log_files(state: Path, environment: str) -> list[Path]:
    """Logs of slots, services, supervisor and controller of an environment."""
    layout = Installation.load(state).layout(environment)
    found = [p for p in layout.root.rglob("*") if p.is_file() and p.parent.name == "logs"]
    return sorted(p for p in found if not p.name.endswith(".1"))


def pod_logs(
    state: Path, environment: str, slot: str | None, process: str | None, lines: int
) -> dict[str, Sequence[str]]:
    """Last lines by pod; nothing for an environment on this machine."""
    layout, store = Installation.load(state).layout(environment), open_store(state)
    if wiring_target.remembered(layout) is None:
        return {}
    from pipelines.targets.kubernetes.target import KubernetesTarget

    target, _ = _target(layout, store, open_origin(state), lambda: _settings(state, environment))
    assert isinstance(target, KubernetesTarget)
    found: dict[str, Sequence[str]] = {}
    for one in Slot:
        if slot in (None, str(one)):
            found |= target.logs(one, process or "", lines)
    return found


def install(state: Path, base_port: int | None) -> Installation:
    """The state folder with its facts, token and runtime folder."""
    from pipelines.adapters.person_tools import remember

    made = Installation.create(state, checkout_of_this_code(), base_port)
    made.ensure_token()
    remember(made.state, os.environ)
    made.ensure_runtime()
    return made


def install_origin(installation: Installation, actor: str) -> OriginChange:
    """The origin; that `main` and `develop` moved stands in every environment's audit, since the
    engine and the settings of all of them come from there."""
    from pipelines.adapters.git_origin_setup import init_origin
    from pipelines.adapters.sqlite import open_records

    change = init_origin(installation.state, installation.checkout)
    if change.moved or change.refused:
        for environment in ENVIRONMENTS:
            open_records(installation.state, environment).audit.append(
                actor=actor,
                action="move main and develop",
                result="refused" if change.refused else "done",
                reason=change.refused,
                details={branch: list(pair) for branch, pair in change.moved.items()},
            )
    return change


def install_engine(installation: Installation) -> Engine:
    from pipelines.adapters.engine_install import EngineInstall

    install = EngineInstall(installation.state)
    engine = install.ensure()
    install.prune()
    return engine


def machine_facts(state: Path, base_port: int | None) -> Facts:
    """What `slipway doctor` judges. Works without an installation too."""
    from pipelines.adapters import machine_facts as machine
    from pipelines.flows.doctor import Facts

    state = state.resolve()
    installed = (state / "installation.json").exists()
    installation = Installation.load(state) if installed else None
    runtime = installation.runtime if installation else runtime_folder(state)
    return Facts(
        state=state,
        runtime=runtime,
        free_bytes=machine.free_bytes(state),
        memory_bytes=machine.memory_bytes(),
        write_error=machine.writable(state),
        file_limit=machine.open_file_limit(),
        inotify=machine.inotify_instances(),
        is_root=os.getuid() == 0,
        namespace_error=machine.user_namespaces() if os.getuid() == 0 else "",
        git=machine.git_version(),
        last_commit_at=_last_recorded(state),
        ports=_foreign_ports(installation, base_port),
        left_overs=_left_overs(installation),
    )


def _foreign_ports(installation: Installation | None, base_port: int | None) -> dict[int, str]:
    """Ports we need that somebody else holds; those of a living supervisor are ours."""
    from pipelines.adapters.machine_facts import holder_of
    from pipelines.targets.local.layout import DEFAULT_BASE_PORT

    base = installation.base_port if installation else base_port or DEFAULT_BASE_PORT
    found = {}
    for index, environment in enumerate(ENVIRONMENTS):
        if installation and _supervised(installation.layout(environment)):
            continue
        for port in range(base + 10 * index, base + 10 * index + 4):
            who = holder_of(port)
            if who:
                found[port] = who
    return found


def _supervised(layout: Layout) -> bool:
    from pipelines.adapters.process import LocalProcesses

    return LocalProcesses().alive(layout.supervisor_pidfile) is not None


def _left_overs(installation: Installation | None) -> list[str]:
    """Processes of an installation none of whose supervisors lives."""
    if installation is None or any(_supervised(installation.layout(e)) for e in ENVIRONMENTS):
        return []
    from pipelines.adapters.machine_facts import left_overs

    return left_overs(installation.state, installation.runtime)


def _last_recorded(state: Path) -> datetime | None:
    """When something was last written here: a clock before that was set back."""
    files = [state / "environments" / name / "records.sqlite" for name in ENVIRONMENTS]
    times = [path.stat().st_mtime for path in files if path.exists()]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def checkout_facts() -> str:
    """What will be released, in words: HEAD, and that uncommitted changes stay out."""
    from pipelines.adapters.git_command import Git
    from pipelines.adapters.git_origin_setup import head_of

    git = Git(checkout_of_this_code(), isolated=False)
    head = head_of(git)
    changed = git.text("status", "--porcelain", "--untracked-files=no").splitlines()
    words = f"HEAD is {head[:12]}"
    return f"{words}; {len(changed)} uncommitted changes are not released" if changed else words


def start_controller(state: Path, environment: str) -> None:
    """The controller of an environment, run by this very engine and kept by the supervisor."""
    installation = Installation.load(state)
    argv = [
        *(sys.executable, "-m", "pipelines.cli.main", "controller", environment),
        *("--supervised", "--state", str(installation.state)),
    ]
    layout, store = installation.layout(environment), open_store(state)
    target, _ = _target(layout, store, open_origin(state), lambda: _settings(state, environment))
    target.ensure_controller(argv)


def take_over_settings(state: Path) -> None:
    """Where each environment runs, as `main` says it, counts from now on. What cannot be read
    changes nothing here; who needs those settings says what is wrong with them."""
    for environment in ENVIRONMENTS:
        with suppress(SlipwayError):
            layout = Installation.load(state).layout(environment)
            wiring_target.remember(layout, _settings(state, environment))


def _settings(state: Path, environment: str) -> EnvironmentSettings:
    return open_origin(state).settings(environment)


def _target(
    layout: Layout, store: ReleaseStore, origin: Origin, settings: Callable[[], EnvironmentSettings]
) -> tuple[LocalTarget | KubernetesTarget, BranchManifests | None]:
    where = wiring_target.remembered(layout)
    if where is None:
        return _local_target(layout, store), None
    from pipelines.wiring_kubernetes import branch_manifests

    manifests = branch_manifests(layout.environment, layout.root, origin, store, settings)
    return wiring_target.open_target(layout, where, store, manifests), manifests


def watch(context: Context, act: Callable[[], None]) -> None:
    """On a cluster: `act` is called when something was changed there; a look each few seconds finds
    it too. On this machine the supervisor sees to its processes."""
    if context.manifests is not None:
        from pipelines.targets.kubernetes.target import KubernetesTarget

        assert isinstance(context.target, KubernetesTarget)
        context.target.watch(act)


def _local_target(layout: Layout, store: ReleaseStore) -> LocalTarget:
    from pipelines.adapters.http import PlainHttp
    from pipelines.adapters.postgres import LocalPostgres
    from pipelines.adapters.process import LocalProcesses
    from pipelines.adapters.rows import PostgresRows
    from pipelines.adapters.supervisor import CircusSupervisor
    from pipelines.targets.local.ports import LocalAdapters
    from pipelines.targets.local.target import LocalTarget

    adapters = LocalAdapters(
        supervisor=CircusSupervisor(layout),
        processes=LocalProcesses(),
        database=LocalPostgres(layout),
        rows=PostgresRows(layout),
        http=PlainHttp(),
    )
    return LocalTarget(layout, store, adapters)
