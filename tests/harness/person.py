"""Somebody in a checkout who types what pages say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.harness.installation import PERSON, REPOSITORY, Installation
from tests.harness.pages import Write, steps

LONGEST_COMMAND_SECONDS = 400
BEFORE = ("git clone", "make up")
"""Typed by the fixture, which knows free ports."""


@dataclass
class Person:
    """`instead`: words of a page and what this person types in their place, such as a registry that
    exists. `variables` are set where they type."""

    installation: Installation
    instead: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    seconds: float = LONGEST_COMMAND_SECONDS
    said: list[str] = field(default_factory=list)

    def follow(self, page: str, section: str = "") -> str:
        """Every step of the page, or of a section; returns all that was printed."""
        done = steps(REPOSITORY / page, section)
        assert done, f"{page} {section}: nothing to do"
        printed = []
        for step in done:
            if isinstance(step, Write):
                self.write(step)
            elif not step.command.startswith(BEFORE):
                printed.append(self.type(step.command))
        return "\n".join(printed)

    def write(self, step: Write) -> None:
        path = self.installation.checkout / step.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text)

    def type(self, command: str, code: int = 0) -> str:
        """What it printed; fails when it ends with another exit code."""
        for words, mine in self.instead.items():
            command = command.replace(words, mine)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SLIPWAY_")}
        editor = f"{sys.executable} {REPOSITORY / 'tests/harness/editor.py'}"
        done = subprocess.run(
            ["sh", "-e", "-c", command],
            cwd=self.installation.checkout,
            env=kept | PERSON | {"EDITOR": editor} | dict(self.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.seconds,
            check=False,
        )
        said = f"$ {command}\n{done.stdout}"
        self.said.append(said)
        assert done.returncode == code, f"exit {done.returncode}\n" + "\n".join(self.said[-3:])
        return done.stdout
