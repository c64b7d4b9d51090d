"""Alembic's own view of `versions/`: the modules that the runner executes."""

from __future__ import annotations

from functools import cache
from types import ModuleType

from alembic.config import Config
from alembic.script import ScriptDirectory

from trading.migrations.scripts import VERSIONS


@cache
def _directory() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.set_main_option("version_locations", str(VERSIONS))
    config.set_main_option("path_separator", "newline")
    return ScriptDirectory.from_config(config)


def module_of(revision: str) -> ModuleType:
    script = _directory().get_revision(revision)
    assert script is not None  # `scripts()` has read the same folder
    return script.module
