"""Settings that must not be built are refused with the value and the remedy."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from infra.errors import SettingsError
from infra.settings import Container, EnvironmentSettings, Quota, read
from tests.infra.conftest import stack_file

ACCOUNT = {"kind": "ServiceAccount", "name": "deployer", "namespace": "ci"}
GONE = object()
REFUSED: list[tuple[str, Any, str]] = [
    ("colour", "red", "unknown key 'colour' in slipway:environment; known are container"),
    ("quota.cpu", 4, "unknown key 'cpu' in quota; known are cpu_millicores"),
    ("name", "dev", "slipway:environment says a 'name'; leave it out"),
    ("quota", GONE, "slipway:environment says no 'quota'"),
    ("container.max_memory_mib", GONE, "container says no 'max_memory_mib'"),
    ("quota", 7, "quota is 7; write a mapping"),
    ("quota.pods", "60", "quota.pods is '60'; write a whole number"),
    ("quota.pods", True, "quota.pods is True"),
    ("quota.pods", 1, "quota.pods is 1; write at least 2"),
    ("quota.storage_gib", -1, "quota.storage_gib is -1"),
    ("quota.cpu_millicores", 7999, "less than two containers of 4000; write at least 8000"),
    ("quota.memory_mib", 8192, "less than two containers of 8192; write at least 16384"),
    ("container.request_cpu_millicores", 501, "request 501, limit 500, max 4000"),
    ("container.limit_memory_mib", 9000, "write 0 < request <= limit <= max"),
    ("container.request_memory_mib", 0, "request 0, limit 512"),
    ("protect", "yes", "protect is 'yes'; write true or false"),
    ("protect", False, "production with protect: false; write true"),
    ("namespace", "", "namespace is ''"),
    ("namespace", "slipway-dev", "namespace 'slipway-dev' in the stack production"),
    ("namespace", "kube-production", "kube-* is Kubernetes' own"),
    ("namespace", "Slipway-production", "namespace is 'Slipway-production'; use a-z"),
    ("namespace", "x" * 60 + "-production", "at most 63 characters"),
    ("dns.app", "kube dns", "dns.app is 'kube dns'; name one label"),
    ("dns.namespace", "*", "dns.namespace is '*'"),
    ("deployers", [], "deployers is empty; name the group"),
    ("deployers", {}, "deployers is {}; write a list"),
    ("deployers", [{"kind": "Group"}], "deployers[0] says no 'name'"),
    ("deployers", [ACCOUNT, {**ACCOUNT, "uid": 1}], "unknown key 'uid' in deployers[1]"),
    ("deployers", [{**ACCOUNT, "kind": "Robot"}], "unknown kind; write one of Group"),
    ("deployers", [{"kind": "Group", "name": "system:authenticated"}], "is not one deployer"),
    ("deployers", [{"kind": "Group", "name": "system:masters"}], "is not one deployer"),
    ("deployers", [{"kind": "User", "name": "*"}], "is not one deployer"),
    ("deployers", [{"kind": "User", "name": "ada", "namespace": "x"}], "has a namespace"),
    ("deployers", [{"kind": "ServiceAccount", "name": "ci"}], "has the namespace ''"),
    ("deployers", [{**ACCOUNT, "name": "default"}], "every pod that names no account"),
    ("deployers", [{**ACCOUNT, "namespace": "slipway-production"}], "where pods could use it"),
]


def spoiled(path: str, value: Any) -> dict[str, Any]:
    """Production's settings with one thing changed, or gone."""
    settings = deepcopy(stack_file("production"))
    *way, last = path.split(".")
    place = settings
    for word in way:
        place = place[word]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return settings


@pytest.mark.parametrize(("path", "value", "words"), REFUSED)
def test_a_spoiled_setting_is_refused_with_its_remedy(path: str, value: Any, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read("production", spoiled(path, value))
    assert words in str(refused.value)
    assert "; " in str(refused.value), "no remedy"


def test_an_unknown_stack_is_refused() -> None:
    with pytest.raises(SettingsError, match="unknown stack 'test'; the stacks are dev"):
        read("test", stack_file("dev"))


def test_every_stack_that_is_written_down_is_accepted(stack: str) -> None:
    assert isinstance(read(stack, stack_file(stack)), EnvironmentSettings)


@hypothesis_settings(deadline=None)
@given(
    path=st.sampled_from([
        *(f"quota.{name}" for name in Quota.__dataclass_fields__),
        *(f"container.{name}" for name in Container.__dataclass_fields__),
    ]),
    value=st.one_of(st.integers(), st.text(), st.floats(), st.none(), st.booleans()),
)  # fmt: skip
def test_whatever_number_is_written_both_releases_have_room(path: str, value: Any) -> None:
    try:
        settings = read("production", spoiled(path, value))
    except SettingsError:
        return
    quota, container = settings.quota, settings.container
    assert quota.cpu_millicores >= 2 * container.max_cpu_millicores > 0
    assert quota.memory_mib >= 2 * container.max_memory_mib > 0
    assert quota.pods >= 2
    assert container.request_memory_mib <= container.limit_memory_mib <= container.max_memory_mib
