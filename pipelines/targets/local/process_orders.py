"""What the processes of a release are started with. Pure: from a layout and a release to orders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.model.release import ProcessSpec, Release, ServiceSpec
from pipelines.model.slots import Slot
from pipelines.targets.local.layout import LOOPBACK, Layout
from pipelines.targets.local.ports import ProcessOrder


def base_environment(layout: Layout) -> dict[str, str]:
    """The same whoever starts it: nothing of the caller's shell reaches a process."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(layout.root),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "MALLOC_ARENA_MAX": "2",
    }


def slot_environment(
    layout: Layout, slot: Slot, release: Release, service_ports: Mapping[str, int]
) -> dict[str, str]:
    """For the processes of a slot and for commands run in its name. No secrets, only their files."""
    return base_environment(layout) | {
        "SLIPWAY_ENVIRONMENT": layout.environment,
        "SLIPWAY_SLOT": str(slot),
        "SLIPWAY_RELEASE": release.id,
        "SLIPWAY_DATABASE_URL": layout.database_url,
        "SLIPWAY_TOKEN_FILE": str(layout.installation.token_file),
        "SLIPWAY_VALUES": str(layout.values_file(slot)),
        "SLIPWAY_TRAFFIC_FILE": str(layout.traffic_file(slot)),
        "SLIPWAY_SOURCE_COMMIT": release.source_commit,
        "SLIPWAY_SOURCE_AUTHOR": release.source_author,
        **{
            f"SLIPWAY_{name.upper()}_URL": f"http://{LOOPBACK}:{port}"
            for name, port in service_ports.items()
        },
    }


def process_name(slot: Slot, process: str) -> str:
    return f"{slot}-{process}"


def process_address(layout: Layout, slot: Slot, process: ProcessSpec) -> str:
    """Where a process answers for itself: its control socket, or the slot's own port."""
    if "control" in process.sockets:
        return f"unix:{layout.control_socket(slot, process.name)}"
    return f"tcp:{LOOPBACK}:{layout.slot_port(slot)}"


def slot_orders(
    layout: Layout, slot: Slot, release: Release, python: Path, service_ports: Mapping[str, int]
) -> dict[str, ProcessOrder]:
    """By name of the process as the application calls it."""
    env = slot_environment(layout, slot, release, service_ports)
    orders = {}
    for process in release.application.processes:
        sockets = {"SLIPWAY_SLOT_FD": process_address(layout, slot, process)}
        if "live" in process.sockets:
            sockets["SLIPWAY_LIVE_FD"] = f"tcp:{LOOPBACK}:{layout.live_port}"
        name = process_name(slot, process.name)
        orders[process.name] = ProcessOrder(
            name=name,
            argv=(str(python), "-m", release.application.module, *process.args),
            env=env,
            cwd=str(layout.slot_folder(slot)),
            log=str(layout.slot_logs(slot) / f"{process.name}.log"),
            pidfile=str(layout.pidfile(name)),
            sockets=sockets,
        )
    return orders


def service_order(
    layout: Layout, service: ServiceSpec, release: Release, python: Path, port: int
) -> ProcessOrder:
    name = f"service-{service.name}"
    return ProcessOrder(
        name=name,
        argv=(str(python), "-m", release.application.module, *service.args),
        env=base_environment(layout)
        | {
            "SLIPWAY_ENVIRONMENT": layout.environment,
            "SLIPWAY_RELEASE": release.id,
            "SLIPWAY_TOKEN_FILE": str(layout.installation.token_file),
            "SLIPWAY_DATA_DIR": str(layout.service_data(service.name)),
        },
        cwd=str(layout.service_data(service.name)),
        log=str(layout.logs / f"{service.name}.log"),
        pidfile=str(layout.pidfile(name)),
        sockets={"SLIPWAY_SLOT_FD": f"tcp:{LOOPBACK}:{port}"},
    )
