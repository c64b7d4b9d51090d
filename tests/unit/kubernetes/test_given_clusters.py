"""Which cluster tests may use: none that is not named as one for tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cluster import standing
from tests.cluster.errors import Missing


def named(folder: Path, context: str) -> Path:
    path = folder / "config"
    path.write_text(yaml.safe_dump({"current-context": context}))
    return path


@pytest.mark.parametrize("context", ["production", "arn:aws:eks:eu:1:cluster/trading", ""])
def test_a_context_that_is_not_named_as_a_test_cluster_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(named(tmp_path, context)))
    with pytest.raises(Missing, match="not named as a test cluster") as refused:
        standing.given()
    assert repr(context) in str(refused.value)
    assert "kind-" in refused.value.hint


@pytest.mark.parametrize("context", ["kind-here", "k3d-mine", "our-test"])
def test_one_that_is_may_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str
) -> None:
    path = named(tmp_path, context)
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert standing.given() == standing.Standing(path, context, None)


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(Missing, match=r"none cannot be read"):
        standing.given()
