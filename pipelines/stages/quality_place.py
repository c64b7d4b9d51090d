"""Where tests of a check run: a copy of head, and an interpreter that finds it and measures itself.

The interpreter is a virtual environment of a few files above the one of the lock: it has the lock's
packages, the project as if it were installed, and a start-up file by which every process of the
tests, the ones they start too, records which lines it reaches.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pipelines.stages.quality_area import Area, Bench

_START = """import os
os.environ["COVERAGE_PROCESS_START"] = {rc!r}
import coverage
coverage.process_startup()
"""
_RC = """[run]
parallel = True
sigterm = True
relative_files = True
disable_warnings = no-data-collected,module-not-measured,couldnt-parse,module-not-imported
data_file = {data}
source = {sources}
[report]
exclude_lines =
    if TYPE_CHECKING:
    ^\\s*\\.\\.\\.$
    @abstractmethod
"""


@dataclass(frozen=True, slots=True)
class Place:
    """`root` is the area in the copy; `rc` and `data` are coverage's, `junit` is pytest's."""

    root: Path
    python: Path
    rc: Path
    data: Path
    junit: Path


def prepare(area: Area, bench: Bench, *, measure: bool = True) -> Place:
    """`measure` False: nobody will ask which lines were reached, and tests take half the time.
    Raises Unavailable or BadInput when the lock's packages cannot be had."""
    scratch = bench.workshop.folder / f"tests-{area.name}"
    root = _copy(bench.change.head.folder, scratch / "head") / area.prefix
    place = Place(
        root,
        scratch / "venv" / "bin" / "python",
        scratch / "coveragerc",
        scratch / "data",
        scratch / "junit.xml",
    )
    sources = ",".join(str(root / name) for name in area.sources)
    place.rc.write_text(_RC.format(data=place.data, sources=sources))
    packages = _environment(place, bench.workshop.environments.python(area.lock))
    if measure:
        _measure(place, packages, bench.tools)
    return place


def _copy(head: Path, copy: Path) -> Path:
    """Writable; what may be started may still be started."""
    shutil.copytree(head, copy, copy_function=shutil.copyfile)
    for folder, names, files in os.walk(copy):
        for name in names:
            os.chmod(os.path.join(folder, name), 0o755)  # noqa: S103 - a scratch folder
        for name in files:
            file = Path(folder, name)
            file.chmod(0o644 | (head / file.relative_to(copy)).stat().st_mode & 0o111)
    copy.chmod(0o755)
    return copy


def _environment(place: Place, python: Path) -> Path:
    """Returns its folder of packages."""
    below = _packages(python.parent.parent)
    home = place.python.parent.parent
    packages = home / "lib" / below.parent.name / "site-packages"
    packages.mkdir(parents=True)
    place.python.parent.mkdir()
    for program in python.parent.iterdir():
        (place.python.parent / program.name).symlink_to(
            python.resolve() if program.name.startswith("python") else program
        )
    shutil.copyfile(python.parent.parent / "pyvenv.cfg", home / "pyvenv.cfg")
    (packages / "check.pth").write_text(
        f"{place.root}\nimport site; site.addsitedir({str(below)!r})\n"
    )
    _installed(place.root / "pyproject.toml", packages)
    return packages


def _measure(place: Place, packages: Path, tools: Path) -> None:
    """Start-up files are read in the order of their names: this one comes last."""
    (packages / "coverage").symlink_to(_packages(tools.parent) / "coverage")
    (packages / "slipway_measure.py").write_text(_START.format(rc=str(place.rc)))
    (packages / "check_measure.pth").write_text("import slipway_measure\n")


def _installed(pyproject: Path, packages: Path) -> None:
    """The project's own record, by which a program knows its version."""
    try:
        project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
        name, version = str(project["name"]), str(project.get("version", "0"))
    except (OSError, ValueError, KeyError, TypeError):
        return
    if name.replace("-", "").replace("_", "").isalnum():
        info = packages / f"{name.replace('-', '_')}-0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def _packages(environment: Path) -> Path:
    return next((environment / "lib").glob("python3*")) / "site-packages"
