"""What a sync would do with the objects of a change, read without a cluster; real Helm renders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.adapters.check_render import read_tree
from pipelines.adapters.kubernetes.helm_library import HelmLibrary
from pipelines.adapters.programs import LocalPrograms
from pipelines.engine.charts import ChartRenderer
from pipelines.model.check import BROKEN, FAILED, PASSED, Finding, Report, StageResult
from pipelines.model.errors import Unavailable
from pipelines.stages.protocol import Workshop
from pipelines.stages.render import RenderStage
from pipelines.stages.report_markdown import report_markdown
from pipelines.stages.report_sarif import report_sarif
from tests.support.repository import Repository
from tests.support.tiny_application import ENVIRONMENT
from tests.unit.check.test_render import FILES

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: tiny-{{ .Values.slot }}-api
spec:
  replicas: {{ .Values.processes.api.replicas }}
  selector:
    matchLabels: {component: {{ .Values.component | default "api" }}}
  template:
    metadata:
      labels: {component: {{ .Values.component | default "api" }}}
    spec:
      containers:
        - name: api
          image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
          env:
            - {name: SPEED, value: {{ .Values.tiny.speed | quote }}}
"""
HOOK = """
{{- if .Values.hooks.enabled }}
apiVersion: batch/v1
kind: Job
metadata:
  name: tiny-migrate
  annotations: {argocd.argoproj.io/hook: PreSync}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: migrate, image: engine, args: [hook, {{ .Values.step | default "migrate" }}]}
{{- end }}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: tiny
spec:
  selector: {slot: {{ .Values.activeSlot }}}
  ports: [{port: 80}]
"""
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "processes": {
                "additionalProperties": {"properties": {"replicas": {"type": "integer"}}}
            },
            "tiny": {
                "properties": {"speed": {}, "strategies": {}},
                "additionalProperties": False,
            },
        },
    }
)
CHARTS = {
    "charts/tiny/Chart.yaml": "apiVersion: v2\nname: tiny\nversion: 0.1.0\n",
    "charts/tiny/values.yaml": "processes:\n  api: {replicas: 2}\n",
    "charts/tiny/values.schema.json": SCHEMA,
    "charts/tiny/templates/deployment.yaml": DEPLOYMENT,
    "charts/tiny/templates/hook.yaml": HOOK,
    "charts/edge/Chart.yaml": "apiVersion: v2\nname: edge\nversion: 0.1.0\n",
    "charts/edge/templates/service.yaml": SERVICE,
}
ON_KUBERNETES = ENVIRONMENT.replace("target: local", "target: kubernetes") + (
    "kubernetes: {namespace: tiny-staging, image: registry.example.com/tiny}\n"
)


@pytest.fixture(scope="module")
def helm() -> Iterator[ChartRenderer]:
    made = HelmLibrary()
    yield made
    made.close()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path, {**FILES, **CHARTS})
    made.branch("feature/x")
    return made


def _run(repository: Repository, folder: Path, helm: ChartRenderer | None) -> StageResult:
    workshop = Workshop(
        *(LocalPrograms(folder), CheckEnvironments(folder, folder / "none"), folder, folder),
        lambda: datetime.now(UTC), renderer=read_tree, charts=helm,
    )  # fmt: skip
    return RenderStage().run(repository.change(), workshop)


def _changed(result: StageResult, environment: str = "dev") -> list[tuple[str, str]]:
    return [
        (step["action"], step["resource"])
        for step in result.document["objects"][environment]
        if step["action"] != "hook" or step["new"]
    ]


def test_a_changed_value_is_told_field_by_field_of_the_objects_it_reaches(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    repository.commit({"environments/dev/values.yaml": "tiny:\n  speed: 9\n"})
    result = _run(repository, tmp_path, helm)
    assert result.status == PASSED, result.summary
    assert _changed(result) == [("change", "Deployment tiny-blue-api")]
    assert _changed(result, "staging") == []
    (step,) = [s for s in result.document["objects"]["dev"] if s["action"] == "change"]
    assert step["source"] == "charts/tiny/templates/deployment.yaml"
    (field,) = step["fields"]
    assert (field["old"], field["new"], field["immutable"]) == ('"2"', '"9"', False)
    assert "On a cluster, dev: 1 change" in result.markdown
    assert "On a cluster no object of staging, production changes." in result.markdown
    assert result.summary == "values: 1 changed; objects: 1 change"


def test_what_comes_what_goes_and_what_is_no_longer_said(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    repository.commit(
        {
            "charts/edge/templates/service.yaml": SERVICE.replace("name: tiny", "name: front"),
            "charts/tiny/templates/deployment.yaml": DEPLOYMENT.partition("          env:")[0],
        }
    )
    result = _run(repository, tmp_path, helm)
    assert set(_changed(result)) == {
        ("create", "Service front"),
        ("prune", "Service tiny"),
        ("change", "Deployment tiny-blue-api"),
    }
    (step,) = [s for s in result.document["objects"]["dev"] if s["action"] == "change"]
    assert all(field["new"] is None for field in step["fields"])
    assert step["fields"]


def test_hooks_are_shown_in_their_phase_and_a_changed_one_as_new(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    repository.commit({"environments/dev/values.yaml": "step: guard\ntiny:\n  speed: 2\n"})
    result = _run(repository, tmp_path, helm)
    hooks = {
        environment: [(s["phase"], s["resource"], s["new"]) for s in steps if s["action"] == "hook"]
        for environment, steps in result.document["objects"].items()
    }
    assert hooks["dev"] == [("PreSync", "Job tiny-migrate", True)]
    assert hooks["staging"] == [("PreSync", "Job tiny-migrate", False)]


def test_an_environment_on_slipways_own_controller_has_no_hooks(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    repository.commit({"environments/staging/environment.yaml": ON_KUBERNETES})
    result = _run(repository, tmp_path, helm)
    assert not [s for s in result.document["objects"]["staging"] if s["action"] == "hook"]
    assert _changed(result, "staging") == [("change", "Deployment tiny-blue-api")], "its image"


def test_a_field_that_cannot_change_is_a_warning_with_a_remedy(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    repository.commit({"environments/base/values.yaml": "component: web\ntiny: {speed: 1}\n"})
    result = _run(repository, tmp_path, helm)
    assert result.status == PASSED
    (finding,) = [f for f in result.findings if f.rule == "render/immutable"]
    assert finding.severity == "warning"
    assert "Deployment tiny-blue-api: /spec/selector/matchLabels" in finding.message
    assert finding.path == "charts/tiny/templates/deployment.yaml"
    assert "Replace=true" in finding.hint
    assert "(immutable)" in result.markdown


@pytest.mark.parametrize(
    ("path", "text", "rule", "words", "where", "line"),
    [
        pytest.param(
            "environments/dev/values.yaml",
            "tiny:\n  speed: 1\nprocesses:\n  api:\n    replicas: many\n",
            "render/schema",
            "processes.api.replicas: got string, want integer",
            "environments/dev/values.yaml",
            5,
            id="wrong kind of value",
        ),
        pytest.param(
            "environments/base/values.yaml",
            "tiny:\n  spede: 1\n  speed: 2\n",
            "render/schema",
            "tiny.spede: unknown key",
            "environments/base/values.yaml",
            2,
            id="misspelt key",
        ),
        pytest.param(
            "charts/tiny/values.yaml",
            "processes:\n  api: {replicas: x}\n",
            "render/schema",
            "processes.api.replicas",
            "charts/tiny/values.yaml",
            2,
            id="the chart's own value",
        ),
        pytest.param(
            "charts/edge/templates/service.yaml",
            "\na: {{ .Values.nope.deeper }}\n",
            "render/chart",
            "nil pointer",
            "charts/edge/templates/service.yaml",
            2,
            id="nothing there",
        ),
        pytest.param(
            "charts/edge/templates/service.yaml",
            "a: {{ .Values.nope \n",
            "render/chart",
            "unclosed action",
            "charts/edge/templates/service.yaml",
            2,
            id="no template",
        ),
        pytest.param(
            "charts/edge/templates/service.yaml",
            "a: b: c\n",
            "render/chart",
            "not YAML",
            "charts/edge/templates/service.yaml",
            0,
            id="no yaml",
        ),
        pytest.param(
            "charts/edge/templates/service.yaml",
            SERVICE + "---" + SERVICE,
            "render/chart",
            "is there twice",
            "charts/edge/templates/service.yaml",
            0,
            id="two of one name",
        ),
        pytest.param(
            "charts/edge/templates/service.yaml",
            SERVICE + "# {{ randAlphaNum 9 }}\n",
            "render/chart",
            "two different texts",
            "charts/edge",
            0,
            id="never the same",
        ),
        pytest.param(
            "charts/edge/templates/service.yaml",
            SERVICE.replace("metadata:", "metadata:\n  annotations:\n    argocd.argoproj.io/hook: Now"),
            "render/object",
            "Now",
            "charts/edge/templates/service.yaml",
            0,
            id="unknown hook",
        ),
        pytest.param(
            "charts/edge/templates/secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {a: hush-hush}\n",
            "render/secret",
            "for everybody to read",
            "charts/edge/templates/secret.yaml",
            0,
            id="a secret on the branch",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_rendered_is_red_where_it_stands(
    repository: Repository,
    tmp_path: Path,
    helm: ChartRenderer,
    path: str,
    text: str,
    rule: str,
    words: str,
    where: str,
    line: int,
) -> None:
    repository.commit({path: text})
    result = _run(repository, tmp_path, helm)
    assert result.status == FAILED
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line) == (rule, where, line), finding
    assert words in finding.message
    assert finding.hint
    assert "hush-hush" not in repr(result)


def test_an_environment_on_a_cluster_must_have_slots(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    values = "tiny: {speed: 1}\nstrategy: rollingUpdate\n"
    repository.commit(
        {
            "environments/base/values.yaml": values,
            "environments/staging/environment.yaml": ON_KUBERNETES,
        }
    )
    result = _run(repository, tmp_path, helm)
    assert result.status == FAILED
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line) == (
        "render/strategy", "environments/base/values.yaml", 2,
    )  # fmt: skip
    assert "staging" in finding.message
    assert "blueGreen" in finding.hint


def test_an_environment_on_one_machine_may_say_any_strategy(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    values = "tiny: {speed: 1}\nstrategy: rollingUpdate\n"
    repository.commit({"environments/base/values.yaml": values})
    assert _run(repository, tmp_path, helm).status == PASSED


def test_objects_of_one_name_in_two_charts_are_red(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    repository.commit({"charts/tiny/templates/more.yaml": SERVICE.replace("activeSlot", "slot")})
    result = _run(repository, tmp_path, helm)
    assert result.status == FAILED
    assert "Service tiny is there twice" in result.summary


def test_a_chart_beside_the_releases_must_render_too(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    chart = "apiVersion: v2\nname: database\nversion: 0.1.0\n"
    repository.commit(
        {
            "charts/database/Chart.yaml": chart,
            "charts/database/templates/x.yaml": "a: {{ fail 'x' }}",
        }
    )
    result = _run(repository, tmp_path, helm)
    assert result.status == FAILED
    assert result.findings[0].path.startswith("charts/database")


def test_half_of_the_charts_is_red(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    repository.commit({"charts/edge/Chart.yaml": None})
    result = _run(repository, tmp_path, helm)
    assert (result.status, result.findings[0].path) == (FAILED, "charts/edge/Chart.yaml")


def test_a_target_without_charts_is_red(tmp_path: Path, helm: ChartRenderer) -> None:
    repository = Repository(tmp_path, FILES)
    repository.branch("feature/x")
    repository.commit({"environments/staging/environment.yaml": ON_KUBERNETES})
    result = _run(repository, tmp_path, helm)
    assert result.status == FAILED
    assert "charts/tiny is missing" in result.summary


def test_the_first_charts_are_all_new(tmp_path: Path, helm: ChartRenderer) -> None:
    repository = Repository(tmp_path, FILES)
    repository.branch("feature/x")
    repository.commit(CHARTS)
    result = _run(repository, tmp_path, helm)
    assert result.status == PASSED
    assert {action for action, _ in _changed(result)} == {"create", "hook"}


def test_charts_that_are_broken_in_the_base_do_not_stop_their_repair(
    tmp_path: Path, helm: ChartRenderer
) -> None:
    broken = {**CHARTS, "charts/edge/templates/service.yaml": "a: {{ .Values.nope \n"}
    repository = Repository(tmp_path, {**FILES, **broken})
    repository.branch("feature/x")
    repository.commit(CHARTS)
    result = _run(repository, tmp_path, helm)
    assert result.status == PASSED
    assert result.findings[0].severity == "warning"
    assert result.findings[0].message.startswith("the base: ")


class Nobody:
    def render(
        self, chart: Path, values: Sequence[Mapping[str, Any]], *, name: str, namespace: str
    ) -> str:
        raise Unavailable("charts cannot be rendered: no network", hint="put helm on PATH")


@pytest.mark.parametrize("renderer", [None, Nobody()], ids=["none", "away"])
def test_without_a_renderer_charts_are_red_and_the_remedy_is_said(
    repository: Repository, tmp_path: Path, renderer: ChartRenderer | None
) -> None:
    repository.commit({"app/tiny/__init__.py": "x = 1\n"})
    result = _run(repository, tmp_path, renderer)
    assert result.status == BROKEN
    assert result.findings[0].hint


def test_without_charts_no_renderer_is_asked(tmp_path: Path) -> None:
    repository = Repository(tmp_path, FILES)
    repository.branch("feature/x")
    repository.commit({"environments/dev/values.yaml": "tiny:\n  speed: 7\n"})
    assert _run(repository, tmp_path, Nobody()).status == PASSED


def test_the_reports_hold_steps_findings_and_no_more_rows_than_can_be_read(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    many = "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m-{n}}}\n" for n in range(100)
    )
    repository.commit(
        {
            "charts/edge/templates/many.yaml": many,
            "environments/base/values.yaml": "component: web\ntiny: {speed: 1}\n",
        }
    )
    result = _run(repository, tmp_path, helm)
    report = Report("feature/x", "develop", "c" * 40, "b" * 40, "", (result,))
    text = report_markdown(report)
    assert "more" in text
    assert text.count("| Sync |") <= 60
    assert "100 create" in text
    (run,) = [r for r in report_sarif(report)["runs"] if r["tool"]["driver"]["name"] == "render"]
    assert [r["ruleId"] for r in run["results"]] == ["render/immutable"]


def test_the_same_change_gives_the_same_record(
    repository: Repository, tmp_path: Path, helm: ChartRenderer
) -> None:
    repository.commit({"environments/base/values.yaml": "component: web\ntiny: {speed: 3}\n"})
    first, second = (_run(repository, tmp_path, helm) for _ in range(2))
    assert first.document == second.document
    assert first.findings == second.findings
    assert all(isinstance(one, Finding) for one in first.findings)
