"""`helm test` needs a release of Helm, which a promotion does not make: notes and documents say so."""

from __future__ import annotations

import pytest

from pipelines.engine.charts import ChartRenderer
from tests.support.charts import EVERYTHING, ROOT, objects, of_kind

TEXTS = ("charts/trading/templates/NOTES.txt", "docs/charts.md")


def test_what_a_promotion_brings_has_no_pod_that_helm_test_would_run(
    renderer: ChartRenderer,
) -> None:
    assert (ROOT / "charts/trading/templates/tests").is_dir()
    assert not of_kind(objects(renderer, "trading", "dev", **EVERYTHING), "Pod")


@pytest.mark.parametrize("name", TEXTS)
def test_who_is_told_of_helm_test_is_told_what_answers_after_a_promotion(name: str) -> None:
    text = " ".join((ROOT / name).read_text().split())
    assert "After promoting, `helm test`" not in text
    assert "release of Helm" in text
    assert "`slipway status`" in text
