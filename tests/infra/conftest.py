"""Pulumi's own mocks: they note every resource that a program declares, as it would go out."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import set_all_config
from pulumi.runtime.mocks import (
    MockCallArgs,
    MockMonitor,
    MockResourceArgs,
    Mocks,
    set_mocks,
    test,
)

from infra.components.environment import Environment
from infra.settings import STACKS, EnvironmentSettings, read

ROOT = Path(__file__).resolve().parents[2]


class Provider(Mocks):
    """Answers as a provider that makes what it is told."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", args.inputs

    def call(self, args: MockCallArgs) -> dict[str, Any]:
        raise AssertionError(f"the program asked the provider for {args.token}")


@dataclass(frozen=True)
class Resource:
    """`kind` such as `Namespace`; `inputs` in the words of Kubernetes; `parent` is its URN."""

    kind: str
    name: str
    inputs: dict[str, Any]
    protect: bool
    parent: str
    custom: bool


@dataclass
class Plan:
    """What a program declared."""

    resources: list[Resource] = field(default_factory=list)
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)
    exports: dict[str, Any] = field(default_factory=dict)

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [r.inputs for r in self.resources if r.kind == kind]

    def one(self, kind: str) -> dict[str, Any]:
        (found,) = self.all(kind)
        return found

    def policy(self, name: str) -> dict[str, Any]:
        spec: dict[str, Any] = {
            p["metadata"]["name"]: p["spec"] for p in self.all("NetworkPolicy")
        }[name]
        return spec


class Recorder(MockMonitor):
    """The engine's side: also sees protection, parents and registered outputs."""

    def __init__(self) -> None:
        super().__init__(Provider())
        self.plan = Plan()

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            kind = request.type.split(":")[-1]
            inputs = json.loads(json.dumps(self.resources[answer.urn].state))
            self.plan.resources.append(
                Resource(
                    kind, request.name, inputs, request.protect, request.parent, request.custom
                )
            )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.plan.registered[request.urn] = dict(request.outputs)
        return super().RegisterResourceOutputs(request)


def planned(stack: str, program: Callable[[], object]) -> Plan:
    """Run a program against the mocks of a stack."""
    recorder = Recorder()
    set_mocks(recorder.mocks, project="slipway", stack=stack, monitor=recorder)
    test(program)()
    return recorder.plan


def stack_file(stack: str) -> dict[str, Any]:
    """`slipway:environment` of a stack, as people wrote it."""
    text = (ROOT / "environments" / f"Pulumi.{stack}.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["config"]["slipway:environment"]
    return found


def whole_program(stack: str, config: dict[str, Any]) -> Plan:
    """What `pulumi up` would start: the folder `infra`, as a program."""
    exports: dict[str, Any] = {}
    set_all_config({"slipway:environment": json.dumps(config)})

    def program() -> None:
        names = runpy.run_path(str(ROOT / "infra"))
        root = pulumi.runtime.get_root_resource()
        assert names["settings"].name == stack
        exports.update(getattr(root, "outputs", {}))

    plan = planned(stack, program)
    plan.exports = exports
    return plan


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def settings() -> EnvironmentSettings:
    return read("production", stack_file("production"))


@pytest.fixture
def plan(settings: EnvironmentSettings) -> Plan:
    """What the component declares for production."""
    return planned("production", lambda: Environment("production", settings))


@pytest.fixture
def written() -> dict[str, Any]:
    """A copy of production's settings, to spoil."""
    return deepcopy(stack_file("production"))
