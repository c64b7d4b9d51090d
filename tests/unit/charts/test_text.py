"""What both ways to run Helm share: laying values over each other, one order of documents."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.adapters.kubernetes.helm_text import assembled, documents, laid_over, refused

KEYS = st.sampled_from("abc")
VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
LAYERS = st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=4)


@given(LAYERS, st.integers(0, 4))
def test_what_was_laid_together_before_is_one_layer(layers: list[dict[str, Any]], cut: int) -> None:
    assert laid_over([laid_over(layers[:cut]), *layers[cut:]]) == laid_over(layers)


@given(LAYERS)
def test_the_last_layer_has_the_last_word(layers: list[dict[str, Any]]) -> None:
    for key, value in (layers[-1] if layers else {}).items():
        if not isinstance(value, dict):
            assert laid_over(layers)[key] == value


DOCUMENTS = st.lists(
    st.builds(
        lambda path, kind, name: (path, f"kind: {kind}\nmetadata:\n  name: {name}"),
        st.sampled_from(["x/templates/a.yaml", "x/templates/b.yaml"]),
        st.sampled_from(["Job", "Service"]),
        st.sampled_from(["one", "two"]),
    ),
    unique=True,
)


@given(DOCUMENTS, st.randoms())
def test_the_order_in_which_helm_gives_documents_does_not_matter(
    found: list[tuple[str, str]], chance: Any
) -> None:
    other = list(found)
    chance.shuffle(other)
    text = assembled(found)
    assert assembled(other) == text
    assert text.count("# Source: ") == len(found)
    assert all(document in text for _, document in found)


def test_empty_documents_comments_and_tests_are_left_out() -> None:
    text = "\n---\n# only words\n---\nkind: A\n---   # with a comment\n\nkind: B\n"
    test = '---\nkind: Pod\nmetadata:\n  annotations:\n    "helm.sh/hook": test\n'
    assert documents("p", text + test) == [("p", "kind: A"), ("p", "kind: B")]


def test_dashes_inside_a_text_part_nothing() -> None:
    text = "kind: ConfigMap\ndata:\n  a: |\n    x\n    ---\n    y\n"
    assert documents("p", text) == [("p", text.rstrip())]


def test_a_message_without_places_is_given_without_helm_s_own_hints() -> None:
    message = (
        "Error: execution error at (x/y.yaml:1:2): no\n\nUse --debug flag to render out YAML\n"
    )
    assert refused("x", message).message == "chart x refuses these values: (x/y.yaml:1:2): no"
