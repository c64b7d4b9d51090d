"""Stage `strategy`: every strategy a change touches is examined by the application itself.

The judge is the application of the branch the merge goes to; what it judges comes from head: only
the strategy's folder, unless code that strategies share changed, then head's whole package. The
limits of risk are those of `policies/risk` on the branch the merge goes to.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.model import application_yaml
from pipelines.model.check import (
    BROKEN,
    FAILED,
    PASSED,
    UNTOUCHED,
    Attachment,
    Change,
    Finding,
    StageResult,
    Tree,
)
from pipelines.model.errors import BadInput
from pipelines.model.release import Application
from pipelines.stages import strategy_plan
from pipelines.stages.protocol import Options, Workshop
from pipelines.stages.strategy_answer import Answer, AnswerBroken, InputRefused, read
from pipelines.stages.strategy_plan import POLICY, Target
from policies import rooms, strategies

COMMAND = "examine"
LOCK = "app/requirements.lock"
SECONDS = 240.0
REPORT, SUMMARY = "report.html", "summary.md"


class StrategyStage:
    """Implements stages.protocol.Stage."""

    @property
    def name(self) -> str:
        return "strategy"

    def touched(self, change: Change) -> bool:
        try:
            return strategy_plan.touched(change)
        except BadInput:
            return True  # the run says what is wrong with the values

    def inputs(self, change: Change, options: Options) -> Mapping[str, str]:
        trees = {"head": change.head, "base": change.base, "rules": change.rules}
        return {
            **{f"{name}:app": tree.objects.get("app", "") for name, tree in trees.items()},
            "head:environments": change.head.objects.get("environments", ""),
            "base:environments": change.base.objects.get("environments", ""),
            "policy": hashlib.sha256(_policy_text(change).encode()).hexdigest(),
            "everything": str(change.everything),
        }

    def run(self, change: Change, workshop: Workshop) -> StageResult:
        try:
            judge = _judge(change)
            if judge is None:
                return StageResult(self.name, UNTOUCHED, f"the application offers no {COMMAND}")
            return _Run(change, workshop, *judge).result()
        except BadInput as error:
            finding = Finding("strategy/input", error.message, hint=error.hint)
            return StageResult(self.name, FAILED, error.message, (finding,))


def _judge(change: Change) -> tuple[Tree, Application] | None:
    """The branch's own application where it can examine, else head's: the first change that brings
    the command is judged by it. Raises BadInput when head's slipway.yaml is wrong."""
    for tree in (change.rules, change.head):
        text = tree.text(application_yaml.FILE)
        if text is None:
            continue
        try:
            application = application_yaml.parse(text)
        except BadInput:
            if tree is change.head:
                raise
            continue
        if application.offers(COMMAND):
            return tree, application
    return None


def _policy_text(change: Change) -> str:
    return change.rules.text(POLICY) or rooms.packaged_text("risk", "policy.yaml")


@dataclass
class _Run:
    change: Change
    workshop: Workshop
    judge: Tree
    application: Application
    findings: list[Finding] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    markdown: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def result(self) -> StageResult:
        """Raises BadInput for values or a policy that are wrong."""
        chosen = strategy_plan.targets(self.change)
        risk = rooms.load_data("risk", _policy_text(self.change))
        for number, target in enumerate(chosen):
            self.workshop.say(f"examining {target.name} ({number + 1} of {len(chosen)})")
            self._examine(target, risk, self.workshop.folder / f"{number}-{target.name}")
        red = any(finding.severity == "error" for finding in self.findings)
        return StageResult(
            "strategy",
            BROKEN if self.broken else FAILED if red else PASSED if chosen else UNTOUCHED,
            self._summary(chosen),
            tuple(self.findings),
            samples=sum(answer.samples for answer in self.answers.values()),
            document={"strategies": {n: dict(a.document) for n, a in self.answers.items()}},
            observed={"strategies": {n: dict(a.observed) for n, a in self.answers.items()}},
            tools={"judge": self.judge.objects.get("app", self.judge.commit)},
            markdown="\n".join(self.markdown),
            attachments=tuple(self.attachments),
        )

    def _summary(self, chosen: tuple[Target, ...]) -> str:
        if self.broken:
            return self.broken[0][:200]
        if not chosen:
            return "no strategy is left to examine"
        refused = [name for name, answer in self.answers.items() if answer.red]
        checks = sum(answer.checks for answer in self.answers.values())
        names = ", ".join(target.name for target in chosen)
        if refused or len(self.answers) < len(chosen):
            return f"refused: {', '.join(refused) or names}"
        return f"{names}: {checks} checks"

    def _examine(self, target: Target, risk: Mapping[str, Any], folder: Path) -> None:
        folder.mkdir(parents=True)
        name = _key(target, self.answers)
        limits = _written(folder, "limits.yaml", _limits(risk, target.plugin))
        done = self.workshop.programs.run(
            [*self._argv(target, folder), "--limits", limits],
            folder=folder,
            seconds=SECONDS,
            variables={"PYTHONPATH": str(self.judge.folder / "app")},
        )
        try:
            answer = read(done, target, str(risk[rooms.SEVERITY]))
        except InputRefused as error:
            self._said("strategy/input", f"{target.name}: {error}", target)
            return
        except AnswerBroken as error:
            self.broken.append(f"{target.name} could not be examined: {error}")
            self._said("strategy/examination", self.broken[-1], target)
            return
        self.answers[name] = answer
        self.findings += answer.findings
        self._report(name, folder / "report")

    def _argv(self, target: Target, folder: Path) -> list[str | Path]:
        python = self.workshop.environments.python(self.judge.folder / LOCK)
        argv: list[str | Path] = [
            python, "-m", self.application.module, *self.application.commands[COMMAND],
            "--output", "json", "--strategy", target.plugin, "--report-dir", folder / "report",
            "--values", _written(folder, "values.yaml", target.settings.values),
            "--subject", self._subject(target, folder / "subject"),
        ]  # fmt: skip
        if target.instance:
            argv += ["--instance", target.instance]
        base = self.change.base.folder / strategies.folder(target.plugin)
        if base.is_dir() and (target.before is not None or not target.instance):
            before = target.before or target.settings
            argv += ["--base-subject", self.change.base.folder / "app"]
            argv += ["--base-values", _written(folder, "before.yaml", before.values)]
        return argv

    def _subject(self, target: Target, folder: Path) -> Path:
        """The folder that holds the package to examine."""
        head = self.change.head.folder
        if strategy_plan.whole_package(self.change) or self.judge is self.change.head:
            return head / "app"
        shutil.copytree(self.judge.folder / "app" / "trading", folder / "trading", symlinks=True)
        place = folder / strategies.folder(target.plugin).removeprefix("app/")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(head / strategies.folder(target.plugin), place, symlinks=True)
        return folder

    def _said(self, rule: str, message: str, target: Target) -> None:
        path = f"{strategies.folder(target.plugin)}__init__.py"
        self.findings.append(Finding(rule, message, path=path))

    def _report(self, name: str, folder: Path) -> None:
        summary, page = folder / SUMMARY, folder / REPORT
        if summary.is_file():
            self.markdown.append(summary.read_text("utf-8", "replace"))
        if page.is_file():
            kept = self.workshop.reports / f"strategy-{name}.html"
            shutil.copyfile(page, kept)
            self.attachments.append(Attachment(kept.name, kept))


def _limits(risk: Mapping[str, Any], plugin: str) -> dict[str, Any]:
    """Those of the policy, with the ones accepted for this strategy laid over."""
    accepted = risk.get("accepted", {}).get(plugin, {}).get("limits", {})
    return {"limits": {**risk["limits"], **accepted}}


def _written(folder: Path, name: str, content: Mapping[str, Any]) -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def _key(target: Target, taken: Mapping[str, object]) -> str:
    """A name of its own where environments give one instance different settings."""
    return target.name if target.name not in taken else f"{target.name}-{target.environments[0]}"
