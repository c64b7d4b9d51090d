"""A `.venv` that was made for one machine says what to type when an environment moved to a cluster."""

from __future__ import annotations

import sys

import pytest

from pipelines import wiring_target
from pipelines.model.errors import NeedsPerson


def test_a_venv_without_the_packages_of_a_cluster_is_told_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pipelines.adapters.kubernetes.client", None)
    with pytest.raises(NeedsPerson, match="dev runs on a cluster") as refused:
        wiring_target._open_cluster("dev", "some-context")
    assert refused.value.hint == "make venv"
