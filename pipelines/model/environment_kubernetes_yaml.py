"""The mapping `kubernetes` of `environments/<env>/environment.yaml`."""

from __future__ import annotations

import re

from pipelines.model.environment import CONTROLLERS, OPERATION_SECONDS, KubernetesSettings
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields

KEYS = (
    *("context", "namespace", "image", "controller", "engine_image", "engine_tag"),
    *("database_url_file", "operation_timeout_seconds"),
)

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123
# The OCI distribution specification's repository names, with an optional registry before them.
_REPOSITORY = re.compile(
    r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?/)?"
    r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_CONTEXT = re.compile(r"[A-Za-z0-9._@:/+-]{1,253}")
_NOT_OURS = ("default", "kube-system", "kube-public", "kube-node-lease")


def read(fields: Fields) -> KubernetesSettings:
    """Raises BadInput naming file, key, value and remedy."""
    namespace = _matching(fields, "namespace", _LABEL, "lower-case letters, digits and dashes")
    if namespace in _NOT_OURS:
        _refuse(fields, "namespace", namespace, "a namespace of the environment's own")
    found = KubernetesSettings(
        namespace=namespace,
        image=_repository(fields, "image"),
        context=_optional(fields, "context", _CONTEXT, "a name of `kubectl config get-contexts`"),
        controller=(
            fields.choice("controller", CONTROLLERS) if fields.has("controller") else CONTROLLERS[0]
        ),
        engine_image=_repository(fields, "engine_image") if fields.has("engine_image") else "",
        engine_tag=_optional(fields, "engine_tag", _TAG, "a tag of `engine_image`"),
        database_url_file=_file(fields),
        operation_timeout_seconds=_seconds(fields, "operation_timeout_seconds"),
    )
    if found.hooked and not (found.engine_image and found.engine_tag):
        raise BadInput(
            f"{fields.file}: {fields.path}.controller: {found.controller!r} runs the steps of a"
            " release as hooks, and no image is named for them",
            hint="add engine_image: REGISTRY/REPOSITORY and engine_tag: TAG, one that is never moved",
        )
    return found


def _seconds(fields: Fields, key: str) -> float:
    return fields.number(key, 10, 86_400) if fields.has(key) else OPERATION_SECONDS


def _repository(fields: Fields, key: str) -> str:
    text = fields.text(key)
    if "@" in text or ":" in text.rpartition("/")[2]:
        _refuse(fields, key, text, "the repository alone: the tag is the release's id")
    return _matching(fields, key, _REPOSITORY, "REGISTRY/REPOSITORY, without a tag")


def _file(fields: Fields) -> str:
    """Of a Slipway outside the cluster a file in the state folder, in a pod a mounted secret."""
    if not fields.has("database_url_file"):
        return ""
    text = fields.text("database_url_file")
    if "://" in text:
        raise BadInput(
            f"{fields.file}: kubernetes.database_url_file holds an address, and maybe a password",
            hint="name a file with mode 0600 that holds it; nothing secret is committed",
        )
    if "\0" in text or ".." in text.split("/"):
        _refuse(fields, "database_url_file", text, "an absolute path, or one in the state folder")
    return text


def _optional(fields: Fields, key: str, pattern: re.Pattern[str], remedy: str) -> str:
    if not fields.has(key) or not fields.text(key, empty=True):
        return ""
    return _matching(fields, key, pattern, remedy)


def _matching(fields: Fields, key: str, pattern: re.Pattern[str], remedy: str) -> str:
    text = fields.text(key)
    if not pattern.fullmatch(text):
        _refuse(fields, key, text, f"write {remedy}")
    return text


def _refuse(fields: Fields, key: str, value: str, remedy: str) -> None:
    raise BadInput(f"{fields.file}: {fields.path}.{key}: {value!r:.80} is not allowed", hint=remedy)
