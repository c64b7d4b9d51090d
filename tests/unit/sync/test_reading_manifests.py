"""Manifests are read as kubectl reads them, and whatever is wrong is named with its place."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.sync import prepare
from pipelines.engine.sync.manifests import read_bytes, read_documents
from pipelines.model.errors import BadInput

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a: 1\na: 2", "document 1, line 2: key 'a' is there twice", id="duplicate"),
        pytest.param('{"a": 1, "a": 2}', "key 'a' is there twice", id="duplicate in JSON"),
        pytest.param("kind: X\n\tname: y", "line 2: not YAML: a tab", id="tab"),
        pytest.param(bomb(9), "aliases make too much", id="bomb of lists"),
        pytest.param("a: &a [*a]", "nested too deeply", id="endless alias"),
        pytest.param("a: *b", "undefined alias", id="alias of nothing"),
        pytest.param("<<: {a: 1}", "merge keys", id="merge key"),
        pytest.param("- 1", "an object is needed, found list", id="a list"),
        pytest.param("just words", "an object is needed, found str", id="text"),
        pytest.param("kind: A", "line 1: A has no apiVersion", id="no apiVersion"),
        pytest.param("apiVersion: v1", "has no kind", id="no kind"),
        pytest.param("apiVersion: v1\nkind: 7", "kind: 7 is not text", id="kind is a number"),
        pytest.param("apiVersion: v1\nkind: X", "no mapping `metadata`", id="no metadata"),
        pytest.param("apiVersion: v1\nkind: X\nmetadata: {}", "has no metadata.name", id="no name"),
        pytest.param("apiVersion: v1\nkind: X\nmetadata: {name: 5}", "5 is not text", id="name 5"),
        pytest.param(
            "apiVersion: v1\nkind: X\nmetadata: {name: a, labels: [1]}", "labels", id="labels"
        ),
        pytest.param("a: .nan", ".nan is not a number", id="NaN"),
        pytest.param("a: -.inf", "-.inf is not a number", id="infinity"),
        pytest.param('{"a": NaN}', "NaN is not a number", id="NaN in JSON"),
        pytest.param('{"a": -1e999}', "-1e999 is not a number", id="too large in JSON"),
        pytest.param("1: 2", "key '1' is not text", id="key is a number"),
        pytest.param("? [a]\n: b", "key a sequence is not text", id="key is a list"),
        pytest.param("? {a: b}\n: b", "key a mapping is not text", id="key is a mapping"),
        pytest.param("a: !!python/object:os.system x", "tag", id="python tag"),
        pytest.param("a: !!binary aGk=", "tag", id="binary tag"),
        pytest.param("a: " + "[" * 200 + "]" * 200, "nested too deeply", id="depth"),
        pytest.param('{"a":' * 101 + "1" + "}" * 101, "nested too deeply", id="depth in JSON"),
        pytest.param("a: " + "[" * 100_000, "nested too deeply", id="depth without end"),
        pytest.param("- " * 100_000, "nested too deeply", id="depth of a stack's end"),
        pytest.param('{"a": "\\ud800"}', "not YAML: found invalid Unicode", id="half a character"),
        pytest.param("a: \x00", "not YAML", id="control character"),
        pytest.param("a: [1, 2", "not YAML", id="open list"),
        pytest.param(f"{MAP}---\n{MAP}", "document 2, line 5: ConfigMap a is there twice, first in "
                     "f.yaml: document 1, line 1", id="twins"),
        pytest.param(f"{MAP}---\nkind: [", "document 2", id="the second document"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(text: str, words: str) -> None:
    began = time.monotonic()
    with pytest.raises(BadInput) as refused:
        read_documents(text, "f.yaml")
    assert refused.value.message.startswith("f.yaml: ")
    assert words in refused.value.message
    assert refused.value.hint
    assert time.monotonic() - began < 20  # a bomb would take hours


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(BadInput, match=r"f: line 2: not UTF-8 \(byte 0xff\)"):
        read_bytes(b"a: 1\nb: \xff", "f")


def test_empty_documents_do_not_count() -> None:
    assert read_documents("", "f") == []
    found = read_documents(f"---\n# nothing\n---\n{MAP}---\n", "f")
    assert [one.name for one in found] == ["a"]


def test_lists_are_taken_apart() -> None:
    text = json.dumps({
        "apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}},
            {"apiVersion": "v1", "kind": "ConfigMapList",
             "items": [{"metadata": {"name": "one"}}, {"metadata": {"name": "two"}}]},
        ],
    })  # fmt: skip
    found = read_documents(text, "f.json")
    assert [str(one.key) for one in found] == ["Secret s", "ConfigMap one", "ConfigMap two"]
    assert found[2].origin == "f.json: document 1, line 1, item 2, item 2"


def test_json_may_follow_json_as_programs_print_it() -> None:
    one, two = (
        json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
        for name in ("one", "two")
    )
    found = read_documents(f"{one}\n\n{two}\n", "f.json")
    assert [one.origin for one in found] == [
        "f.json: document 1, line 1",
        "f.json: document 2, line 3",
    ]


def test_a_hundred_levels_are_read_in_json_and_in_yaml() -> None:
    spec = "[" * 98 + "1" + "]" * 98
    text = '{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"a": ' + spec
    for start in ("", "# YAML\n"):
        assert read_documents(f"{start}{text}}}}}", "f")


def test_small_anchors_are_fine() -> None:
    found = read_documents(MAP + "data: {a: &x text, b: *x}", "f")
    assert found[0].manifest["data"] == {"a": "text", "b": "text"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", True), ("off", False), ("~", None), ("", None), ("0o17", 15), ("017", 15),
        ("0x1F", 31), ("0b11", 3), ("08", 8.0), ("1e3", 1000.0), ("1_000", 1000), ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"), ("'7'", "7"), ("!!str 7", "7"), ("y", "y"), ("1.5", 1.5),
        ("+3", 3), ("-0", 0), ("1.2.3", "1.2.3"), ("0x", "0x"), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_scalars_mean_what_kubectl_takes_them_for(written: str, meant: object) -> None:
    value = read_documents(f"{MAP}x: {written}\n", "f")[0].manifest["x"]
    assert value == meant
    assert type(value) is type(meant)


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(values)
def test_json_comes_back_as_it_was_through_both_readers(value: object) -> None:
    body = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": value}
    text = json.dumps(body)
    assert read_documents(text, "f")[0].manifest == body
    if '"<<"' not in text:
        text = json.dumps(body, ensure_ascii=False)
        assert read_documents(f"# not JSON any more\n{text}", "f")[0].manifest == body


def words_only(value: object) -> object:
    """PyYAML writes text like `0E0` without quotes, which is a number to kubectl."""
    if isinstance(value, dict):
        return {f"t{key}": words_only(one) for key, one in value.items()}
    if isinstance(value, list):
        return [words_only(one) for one in value]
    return f"t{value}" if isinstance(value, str) else value


@settings(deadline=None)
@given(values.map(words_only))
def test_what_pyyaml_writes_comes_back(value: object) -> None:
    body = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": value}
    text = yaml.safe_dump(body, allow_unicode=False)
    assert read_documents(text, "f")[0].manifest == body


@settings(deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_nothing_but_a_refusal_comes_of_garbage(garbage: str | bytes) -> None:
    data = garbage.encode("utf-8", "surrogatepass") if isinstance(garbage, str) else garbage
    try:
        found = read_bytes(data, "f")
    except BadInput:
        return
    assert all(one.kind and one.api_version for one in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("apiVersion: v1\nkind: Deployment\nmetadata: {name: a}",
         "unknown API: v1 has no kind 'Deployment'"),
        ("apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}",
         "unknown API: apps/v1beta1 (Deployment) is not served"),
        ("apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}",
         "policy/v1beta1"),
        ("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n"
         "metadata: {name: a, namespace: b}", "ClusterRole a lives in no namespace"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: a}",
         "Namespace a lives in no namespace"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}",
         "ConfigMap has no metadata.name"),
    ],
)  # fmt: skip
def test_an_api_that_is_unknown_and_a_scope_that_is_wrong_are_refused(
    text: str, words: str
) -> None:
    (resource,) = read_documents(text, "f.yaml")
    with pytest.raises(BadInput) as refused:
        prepare.check(resource)
    assert words in refused.value.message
    assert refused.value.message.startswith("f.yaml: document 1, line 1")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sync-wave", "first", "'first' is no whole number"),
        ("sync-wave", "1.5", "no whole number"),
        ("hook", "BeforeSync", "unknown value 'BeforeSync'"),
        ("hook", "PreSync, nope", "unknown value 'nope'"),
        ("hook-delete-policy", "Never", "unknown value 'Never'"),
        ("sync-options", "Repalce=true", "'Repalce=true' is not supported"),
        ("sync-options", "Replace=maybe", "'Replace=maybe' is not supported"),
        ("sync-options", "Validate=false", "'Validate=false' is not supported"),
        ("sync-options", "ServerSideApply=false", "'ServerSideApply=false' is not supported"),
        ("sync-options", "Force=true,Replace=false", "Force=true works together"),
        ("compare-options", "ServerSideDiff=true", "'ServerSideDiff=true' is not supported"),
        ("sync-wvae", "1", "annotation 'argocd.argoproj.io/sync-wvae' is not supported"),
    ],
)
def test_annotations_that_are_not_honoured_are_refused_by_name(
    name: str, value: str, words: str
) -> None:
    annotations = f'{{argocd.argoproj.io/{name}: "{value}"}}'
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, annotations: {annotations}}}"
    (resource,) = read_documents(text, "f")
    with pytest.raises(BadInput) as refused:
        prepare.check(resource)
    assert words in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ("annotations: {argocd.argoproj.io/sync-wave: 1}",
         "metadata.annotations: argocd.argoproj.io/sync-wave: 1 is not text"),
        ("annotations: {helm.sh/hook: true}", "helm.sh/hook: True is not text"),
        ("annotations: {note: }", "note: None is not text"),
        ("annotations: {note: [a]}", "note: ['a'] is not text"),
        ("finalizers: 5", "metadata.finalizers: 5 is no list of texts"),
        ("finalizers: [1]", "metadata.finalizers: [1] is no list of texts"),
        ("finalizers: one", "metadata.finalizers: 'one' is no list of texts"),
    ],
)  # fmt: skip
def test_what_an_api_server_would_never_give_is_refused_also_of_live_objects(
    metadata: str, words: str, strict: bool
) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  {metadata}\n"
    with pytest.raises(BadInput) as refused:
        read_documents(text, "f", strict=strict)
    assert refused.value.message.startswith("f: document 1, line 1: ")
    assert words in refused.value.message
    assert refused.value.hint


def test_empty_annotations_and_finalizers_are_taken() -> None:
    for metadata in ("annotations: ", "annotations: {a: ''}", "finalizers: []", "finalizers: "):
        text = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  {metadata}\n"
        assert len(read_documents(text, "f")) == 1
