"""An Argo CD Application is honoured as it stands, or refused by the path of what is not."""

from __future__ import annotations

import pytest

from pipelines.engine.sync.application_yaml import parse
from pipelines.model import durations
from pipelines.model.errors import BadInput
from pipelines.model.sync import IgnoreRule, Retry

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\n"
SOURCE = "  source: {repoURL: https://git.example/shop, path: slots}\n"
PLACE = "  destination: {server: https://kubernetes.default.svc, namespace: slipway-dev}\n"
SMALL = f"{HEAD}spec:\n{SOURCE}{PLACE}"


def test_defaults_are_those_of_argo_cd() -> None:
    found = parse(SMALL, "a.yaml")
    settings = found.settings
    assert (settings.application, settings.namespace) == ("shop", "slipway-dev")
    assert not settings.automated
    assert not settings.prune
    assert not settings.self_heal
    assert not settings.allow_empty
    assert settings.retry == Retry(5, 5.0, 2.0, 180.0)
    assert (found.project, found.revision, found.recurse) == ("default", "HEAD", False)
    assert found.history_limit == 10


def test_every_field_that_is_honoured_is_read() -> None:
    found = parse(
        HEAD
        + """spec:
  project: trading
  source:
    repoURL: https://git.example/shop
    targetRevision: env/dev
    path: slots
    directory: {recurse: true}
  destination: {name: in-cluster, namespace: slipway-dev}
  syncPolicy:
    automated: {prune: true, selfHeal: true, allowEmpty: true}
    syncOptions:
      - CreateNamespace=true
      - RespectIgnoreDifferences=true
      - ServerSideApply=true
      - Prune=confirm
      - PruneLast=false
    retry: {limit: 1, backoff: {duration: 1s, factor: 3, maxDuration: 1m30s}}
  ignoreDifferences:
    - kind: Service
      name: trading
      jsonPointers: [/spec/selector/slipway.dev~1slot]
    - group: apps
      kind: Deployment
      managedFieldsManagers: [kube-controller-manager]
  revisionHistoryLimit: 3
  info: [{name: owner, value: quants}]
""",
        "a.yaml",
    )
    settings = found.settings
    assert settings.automated
    assert settings.prune
    assert settings.self_heal
    assert settings.allow_empty
    assert settings.options == {
        "CreateNamespace", "RespectIgnoreDifferences", "ServerSideApply", "Prune=confirm",
    }  # fmt: skip
    assert settings.retry == Retry(1, 1.0, 3.0, 90.0)
    assert settings.ignore == (
        IgnoreRule("", "Service", "trading", "", ("/spec/selector/slipway.dev~1slot",)),
        IgnoreRule("apps", "Deployment", managed_fields_managers=("kube-controller-manager",)),
    )
    assert (found.project, found.revision, found.path) == ("trading", "env/dev", "slots")
    assert (found.recurse, found.server, found.history_limit) == (True, "in-cluster", 3)
    assert found.info == (("owner", "quants"),)


@pytest.mark.parametrize(
    ("policy", "automated"),
    [("automated: {}", True), ("automated: {enabled: false}", False), ("automated: null", False)],
)
def test_automation_is_on_when_its_mapping_is_there(policy: str, automated: bool) -> None:
    assert parse(f"{SMALL}  syncPolicy: {{{policy}}}\n", "a").settings.automated is automated


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "0 documents", id="empty"),
        pytest.param(f"{SMALL}---\n{SMALL}", "2 documents", id="two"),
        pytest.param(SMALL.replace("v1alpha1", "v1"), "apiVersion", id="version"),
        pytest.param(SMALL.replace("Application", "AppProject"), "kind", id="kind"),
        pytest.param(SMALL.replace("shop}", "Shop!}"), "metadata.name", id="name"),
        pytest.param(f"{HEAD}spec:\n{SOURCE}", "'spec.destination' is missing", id="nowhere"),
        pytest.param(SMALL + "status: {}", "status is not supported", id="status"),
        pytest.param(SMALL + "operation: {}", "operation is not supported", id="operation"),
        pytest.param(SMALL + "  sources: []", "spec.sources is not supported", id="sources"),
        pytest.param(SMALL + "  syncWindows: []", "spec.syncWindows", id="unknown"),
        pytest.param(
            SMALL.replace("path: slots", "chart: web"), "spec.source.chart is not", id="chart"
        ),
        pytest.param(
            SMALL.replace("path: slots", "helm: {}"), "spec.source.helm is not", id="helm"
        ),
        pytest.param(
            SMALL.replace("path: slots", "directory: {exclude: x}"),
            "spec.source.directory.exclude is not", id="exclude",
        ),
        pytest.param(
            SMALL.replace("{name: shop}", "{name: shop, finalizers: [x]}"),
            "metadata.finalizers is not supported", id="finalizers",
        ),
        pytest.param(
            SMALL.replace("{name: shop}", "{name: shop, annotations: {argocd.argoproj.io/refresh: h}}"),
            "'argocd.argoproj.io/refresh' is not supported", id="annotation",
        ),
        pytest.param(
            SMALL.replace("{server:", "{name: a, server:"), "both server and name", id="both"
        ),
        pytest.param(
            SMALL + "  ignoreDifferences: [{kind: Secret, jqPathExpressions: [.data]}]",
            "spec.ignoreDifferences[0].jqPathExpressions is not supported", id="jq",
        ),
        pytest.param(
            SMALL + "  ignoreDifferences: [{kind: Secret}]", "ignores nothing", id="no pointer"
        ),
        pytest.param(
            SMALL + "  ignoreDifferences: [{kind: Secret, jsonPointers: [data]}]",
            "'data' is no JSON pointer", id="pointer",
        ),
        pytest.param(
            SMALL + "  ignoreDifferences: [{jsonPointers: [/data]}]", "kind' is missing", id="any"
        ),
        pytest.param(
            SMALL + "  syncPolicy: {retry: {refresh: true}}", "retry.refresh is not", id="refresh"
        ),
        pytest.param(
            SMALL + "  syncPolicy: {retry: {limit: -1}}", "spec.syncPolicy.retry.limit", id="limit"
        ),
        pytest.param(
            SMALL + "  syncPolicy: {retry: {backoff: {duration: soon}}}", "'soon' is no duration",
            id="duration",
        ),
        pytest.param(
            SMALL + "  syncPolicy: {syncOptions: [Validate=false]}", "'Validate=false'", id="option"
        ),
        pytest.param(
            SMALL + "  syncPolicy: {syncOptions: [PrunePropagationPolicy=orphan]}",
            "'PrunePropagationPolicy=orphan' is not supported", id="propagation",
        ),
        pytest.param(
            SMALL + "  syncPolicy: {syncOptions: [Force=true]}", "Force=true works", id="force"
        ),
        pytest.param(
            SMALL + "  syncPolicy: {automated: {prune: 'yes'}}", "automated.prune", id="quoted"
        ),
        pytest.param(
            SMALL + "  syncPolicy: {managedNamespaceMetadata: {}}", "managedNamespaceMetadata is not",
            id="namespace metadata",
        ),
        pytest.param(SMALL + "  revisionHistoryLimit: many", "revisionHistoryLimit", id="history"),
    ],
)  # fmt: skip
def test_what_is_not_honoured_is_refused_by_its_path(text: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(text, "a.yaml")
    assert refused.value.message.startswith("a.yaml: ")
    assert words in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5s", 5),
        ("3m", 180),
        ("1h30m", 5400),
        ("500ms", 0.5),
        ("1.5s", 1.5),
        ("0", 0),
        ("2h", 7200),
    ],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert durations.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "5s!", "-5s", "5d", "1m 5s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        durations.seconds(text)


def test_a_confirmation_in_argo_cds_way_is_refused_with_ours() -> None:
    approved = "{name: shop, annotations: {argocd.argoproj.io/deletion-approved: now}}"
    with pytest.raises(BadInput, match="deletion-approved' is not supported") as refused:
        parse(SMALL.replace("{name: shop}", approved), "a.yaml")
    assert "slipway sync ENV --confirm-prune" in refused.value.hint
    assert "slipway.dev/prune-confirmed" in refused.value.hint
