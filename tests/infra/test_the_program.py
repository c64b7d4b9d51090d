"""The whole program, started as Pulumi starts it, for every stack that is written down."""

from __future__ import annotations

import ast
import sys
from typing import Any

import pulumi
import pytest
import yaml

from infra.settings import STACKS
from tests.infra.conftest import ROOT, stack_file, whole_program

ALLOWED = ("infra", "pulumi", "pulumi_kubernetes", "pipelines.adapters.github")


def test_a_stack_declares_one_environment(stack: str) -> None:
    plan = whole_program(stack, stack_file(stack))
    assert plan.one("Namespace")["metadata"]["name"] == f"slipway-{stack}"
    assert plan.one("Namespace")["metadata"]["labels"]["slipway.dev/environment"] == stack
    assert set(plan.exports) == {"namespace", "deployer_role"}


def test_only_production_is_protected(stack: str) -> None:
    plan = whole_program(stack, stack_file(stack))
    assert {r.protect for r in plan.resources if r.custom} == {stack == "production"}


def test_every_stack_has_a_file_and_every_file_is_a_stack() -> None:
    files = (ROOT / "environments").glob("Pulumi.*.yaml")
    assert {file.name for file in files} == {f"Pulumi.{stack}.yaml" for stack in STACKS}


def test_pulumi_finds_program_and_stacks_where_they_lie() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text("utf-8"))
    assert (ROOT / project["main"] / "__main__.py").is_file()
    assert (ROOT / project["stackConfigDir"]).is_dir()
    assert project["runtime"]["options"]["virtualenv"] == ".venv-infra"


def test_a_refused_setting_ends_the_program_with_one_sentence(written: dict[str, Any]) -> None:
    written["protect"] = False
    with pytest.raises(pulumi.RunError, match="production with protect: false; write true"):
        whole_program("production", written)


def test_the_program_imports_pulumi_and_itself_only() -> None:
    names: set[str] = set()
    for file in (ROOT / "infra").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
    foreign = {n for n in names if n.split(".")[0] not in sys.stdlib_module_names}
    assert foreign, "no imports were found"
    assert not {n for n in foreign if not any(f"{n}.".startswith(f"{a}.") for a in ALLOWED)}
