"""What stages are given: programs, environments, a scratch folder each; and where reports go."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.adapters.files import writing
from pipelines.adapters.programs import LocalPrograms, of_living, own_marker
from pipelines.model.check import Attachment, Change
from pipelines.stages.protocol import Environments, Options, Workshop

SCRATCH = "slipway-check-"


def clear_left_overs() -> None:
    """Scratch folders of checks that were killed."""
    for place in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        if not of_living(place.name.removeprefix(SCRATCH)):
            shutil.rmtree(place, ignore_errors=True)


class LocalWorkshops:
    """`flows.check.Workshops`. `asked`: further fields of a workshop, by name."""

    def __init__(
        self,
        environments: Environments,
        reports: Path,
        options: Options,
        asked: Mapping[str, Any] | None = None,
    ) -> None:
        self._environments = environments
        self._reports = reports
        self._options = options
        self._asked = dict(asked or {})
        self._programs: dict[str, LocalPrograms] = {}
        self._stopped = False

    @contextmanager
    def open(self, stage: str, say: Callable[[str], None]) -> Iterator[Workshop]:
        """The scratch folder lies in the system's temporary one: paths of sockets are short there,
        and a database server of a test may run as another user."""
        place = Path(tempfile.mkdtemp(prefix=f"{SCRATCH}{own_marker()}-"))
        programs = LocalPrograms(place / "tmp")
        try:
            place.chmod(0o755)
            for name in ("tmp", "work", "reports"):
                (place / name).mkdir(mode=0o755)
            self._programs[stage] = programs
            if self._stopped:
                programs.stop()
            workshop = Workshop(
                programs=programs,
                environments=self._environments,
                folder=place / "work",
                reports=place / "reports",
                now=self._options.now or _now,
                options=self._options,
                say=say,
            )
            yield replace(workshop, **self._asked)
        finally:
            programs.close()
            shutil.rmtree(place, ignore_errors=True)

    def publish(self, stage: str, attachments: Sequence[Attachment]) -> tuple[Attachment, ...]:
        if not attachments:
            return ()
        folder = self._reports / stage
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for attachment in attachments:
                shutil.copy2(attachment.path, folder / attachment.name)
        return tuple(Attachment(a.name, folder / a.name) for a in attachments)

    def stop(self, stage: str | None = None) -> None:
        self._stopped = self._stopped or stage is None
        for name, programs in list(self._programs.items()):
            if stage in (None, name):
                programs.stop()


def report_folder(reports: Path, change: Change) -> Path:
    """`<branch>/<commit>` below `reports`. A branch name comes from outside: whatever is not a plain
    word in it becomes a dash."""
    words = [re.sub(r"[^a-zA-Z0-9._-]", "-", word).strip(".") for word in change.branch.split("/")]
    return reports.joinpath(*(word or "-" for word in words), change.head.commit[:12])


def _now() -> datetime:
    return datetime.now(UTC)
