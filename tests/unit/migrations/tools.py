"""Environments whose tools are scripts of a test, run by the real programs adapter."""

from __future__ import annotations

from pathlib import Path

HONEST = """
case "$*" in
  *--version*) echo "squawk 2.70.0"; exit 0;;
  *canary.sql*)
    echo '[{"rule_name":"require-concurrent-index-creation","message":"m","line":1}]'; exit 1;;
esac
"""
"""Answers what it is proven with, and nothing else; the rest of a script comes after it."""


class NoEnvironments:
    """Of a stage that must not get as far as its tools."""

    def tools(self) -> Path:
        raise AssertionError("no tool is needed here")

    def python(self, lock: Path) -> Path:
        raise AssertionError(f"no interpreter is needed for {lock}")


class ScriptedTools(NoEnvironments):
    """`squawk` is a shell script; None: there is none."""

    def __init__(self, folder: Path, script: str | None) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir(parents=True)
        if script is not None:
            program = self.folder / "squawk"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)

    def tools(self) -> Path:
        return self.folder
