from __future__ import annotations

from typing import Any

from pipelines.engine.difference.compare import changes
from pipelines.engine.difference.digest import digest
from pipelines.engine.difference.normal import strip
from pipelines.engine.difference.render import lines
from pipelines.model.sync import FieldChange

LIVE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"a.b/c": "1"}},
    "spec": {"replicas": 5, "template": {"spec": {"containers": [{"name": "web", "image": "a"}]}}},
}


def test_a_change_reads_as_what_was_and_what_shall_be() -> None:
    found = [
        FieldChange("/metadata/labels/a.b~1c", "1", None),
        FieldChange("/spec/replicas", 5, 2, "kubectl-edit", "2026-01-31T12:00:00Z"),
        FieldChange("/spec/template/spec/containers/0/image", "a", "b", immutable=True),
        FieldChange("/spec/template/spec/containers/-", None, {"name": "x"}),
    ]
    assert lines(found, LIVE) == [
        '- metadata.labels["a.b/c"]: 1',
        "~ spec.replicas: 5 → 2  (kubectl-edit, 2026-01-31T12:00:00Z)",
        "~ spec.template.spec.containers[web].image: a → b  (cannot be changed, only replaced)",
        '+ spec.template.spec.containers[+]: {"name": "x"}',
    ]


def test_a_long_value_stays_on_one_short_line() -> None:
    found = [FieldChange("/data/text", None, "line\n" * 100)]
    (line,) = lines(found, {"kind": "ConfigMap"}, width=20)
    assert line == "+ data.text: line line line line…"


def test_no_value_of_a_secret_is_ever_printed() -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
    want = {**body, "stringData": {"a": "hunter", "b": "rabbit"}, "type": "Opaque"}
    for live in (body, {**body, "data": {"a": "b3RoZXI="}}):
        text = "\n".join(lines(changes(want, live), live))
        assert "data" in text
        for word in ("hunter", "aHVudGVy", "rabbit", "b3RoZXI="):
            assert word not in text


def test_a_digest_does_not_depend_on_order_or_on_the_server() -> None:
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    seen = {**LIVE, "status": {}, "metadata": {**LIVE["metadata"], "uid": "1", "generation": 2}}
    assert digest([LIVE, other]) == digest([other, seen])
    assert digest([LIVE]) != digest([LIVE, other])
    assert digest([LIVE]) != digest([{**LIVE, "spec": {}}])


def test_stripping_leaves_what_people_wrote() -> None:
    written = {**LIVE, "metadata": {**LIVE["metadata"], "annotations": {"note": "1"}}}
    server = {
        "uid": "1", "managedFields": [],
        "annotations": {"note": "1", "deployment.kubernetes.io/revision": "3"},
    }  # fmt: skip
    assert strip({**LIVE, "status": 1, "metadata": {**LIVE["metadata"], **server}}) == written
