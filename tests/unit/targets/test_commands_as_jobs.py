"""A command of the application as a Job: the slot's pod, once, and nobody's traffic."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.sync.manifests import read_documents
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes.jobs import answer_in, job_objects, owned
from pipelines.targets.kubernetes.layout import SLOT_LABEL, Place
from tests.target_suite.echo_manifests import EchoTexts
from tests.target_suite.local import EchoReleases

PLACE = Place("staging", "ns", "echo", ("echo-staging",))
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40).filter(
    lambda text: text[:1] not in ("{", "[")
)


def job():  # type: ignore[no-untyped-def]
    releases = EchoReleases(None)  # type: ignore[arg-type]
    texts = EchoTexts("staging", "image")
    desired = read_documents(texts.of_slot(Slot.BLUE, releases.make(1)), "echo")
    return job_objects(
        PLACE,
        desired,
        "web",
        name="echo-migrate-1",
        command="migrate",
        argv=["python3", "-m", "echo", "migrate"],
        seconds=20,
    )


def test_a_job_is_selected_by_no_service_and_no_slot() -> None:
    made, maps = job()
    for labels in (made.labels, made.manifest["spec"]["template"]["metadata"]["labels"]):
        assert SLOT_LABEL not in labels
        assert labels["app.kubernetes.io/name"] != "echo"
    assert all(SLOT_LABEL not in one.labels for one in maps)


def test_a_job_runs_once_without_a_token_and_with_the_restrictions_of_the_pod() -> None:
    made, _ = job()
    spec = made.manifest["spec"]
    pod = spec["template"]["spec"]
    assert (spec["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["command"] == ["python3", "-m", "echo", "migrate"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert not {"ports", "readinessProbe", "livenessProbe"} & set(container)


def test_a_job_brings_the_settings_of_its_own_release() -> None:
    made, (settings,) = job()
    mounted = made.manifest["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"]
    assert mounted == settings.name != "echo-blue-settings"
    assert "number: 1" in settings.manifest["data"]["values.yaml"]
    uid = {**made.manifest, "metadata": {**made.metadata, "uid": "u-1"}}
    (owner,) = owned(settings, type(made)(uid)).metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Job", "u-1")


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=4), st.booleans())
def test_the_answer_is_found_among_the_words_of_both_streams(
    before: list[str], after: list[str], pretty: bool
) -> None:
    document = {"ok": True, "checks": [{"name": "a", "message": "{not json"}]}
    text = json.dumps(document, indent=1 if pretty else None)
    log = "\n".join([*before, text, *after])
    answer, words = answer_in(log)
    assert answer == document
    assert all(word.strip() in words for word in (*before, *after))


@given(st.lists(WORDS, max_size=6))
def test_words_alone_are_no_answer(lines: list[str]) -> None:
    assert answer_in("\n".join(lines))[0] is None
