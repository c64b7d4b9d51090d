"""The program that `pulumi up` runs: one stack is one environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pulumi

# Pulumi starts this file by its folder; imports are by the package, as everywhere else.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.components.environment import Environment
from infra.errors import SettingsError
from infra.settings import read

try:
    settings = read(pulumi.get_stack(), pulumi.Config("slipway").require_object("environment"))
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None

environment = Environment(settings.name, settings)
pulumi.export("namespace", environment.namespace)
pulumi.export("deployer_role", environment.deployer_role)
