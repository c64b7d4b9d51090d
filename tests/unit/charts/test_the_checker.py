"""The checker of the restricted standard finds each violation, and what is generated is judged too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chart_files import documented
from tests.support.pod_security import violations

OWN: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(own: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"containers": [{"name": "c", "securityContext": {**OWN, **(own or {})}}], **spec}


def test_a_pod_that_keeps_the_standard_has_no_violation() -> None:
    assert violations(pod(volumes=[{"name": "v", "emptyDir": {}}])) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (pod(hostNetwork=True), "hostNetwork is on"),
        (pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "volume v is of another kind"),
        (pod({"privileged": True}), "privileged"),
        (pod({"allowPrivilegeEscalation": None}), "allowPrivilegeEscalation is not false"),
        (pod({"capabilities": {"drop": ["NET_RAW"]}}), "does not drop ALL"),
        (pod({"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}), "adds capabilities"),
        (pod({"procMount": "Unmasked"}), "procMount"),
        (pod({"runAsNonRoot": None}), "runAsNonRoot is not true"),
        (pod({"runAsUser": 0}), "runs as root"),
        (pod({"seccompProfile": {"type": "Unconfined"}}), "no seccomp profile"),
        (pod({"seccompProfile": None}), "no seccomp profile"),
        (pod(initContainers=[{"name": "i"}]), "container i: allowPrivilegeEscalation"),
    ],
)
def test_each_violation_is_found(spec: dict[str, Any], words: str) -> None:
    assert any(words in found for found in violations(spec))


def test_a_container_may_inherit_user_and_seccomp_from_its_pod() -> None:
    own = {key: OWN[key] for key in ("allowPrivilegeEscalation", "capabilities")}
    shared = {key: OWN[key] for key in ("runAsNonRoot", "seccompProfile")}
    spec = {"containers": [{"name": "c", "securityContext": own}], "securityContext": shared}
    assert violations(spec) == []


def test_a_readme_s_rows_are_the_keys_with_their_comments() -> None:
    text = "# Head, not of a key.\n\n# Whole.\na:\n  # Part.\n  b: [1, x]\n# Other.\nc: ''\n"
    assert documented(text) == [
        ("a", "", "Whole."),
        ("a.b", '`[1, "x"]`', "Part."),
        ("c", '`""`', "Other."),
    ]


def test_a_value_without_a_comment_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"a\.c has no comment"):
        documented("# Whole.\na:\n  # Part.\n  b: 1\n  c: 2\n")
