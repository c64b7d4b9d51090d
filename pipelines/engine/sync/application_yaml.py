"""Argo CD's `Application` (argoproj.io/v1alpha1), as far as Slipway honours it.

What it does not honour it refuses by its path: an ignored field would be a sync that does something
else than Argo CD does with the same file. Meaning and defaults of the fields are Argo CD's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pipelines.engine.sync import documents, kinds, options
from pipelines.engine.sync.notes import PREFIX
from pipelines.model import durations
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from pipelines.model.sync import IgnoreRule, Retry, SyncSettings

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_POINTER = re.compile(r"(/([^~/]|~[01])*)+")
_APPROVED = PREFIX + "deletion-approved"
_CONFIRM = (
    "remove it: what Prune=confirm holds back is confirmed by `slipway sync ENV --confirm-prune`, in"
    " a cluster by the annotation slipway.dev/prune-confirmed of the config map slipway-sync"
)
_SPEC = (
    *("project", "source", "destination", "syncPolicy", "ignoreDifferences", "info"),
    "revisionHistoryLimit",
)
_REMEDIES = {
    "spec.sources": "one spec.source with one path",
    "spec.source.helm": "render the chart first: the branch env/… holds plain manifests",
    "spec.source.chart": "render the chart first: the branch env/… holds plain manifests",
    "spec.source.kustomize": "render it first: the branch env/… holds plain manifests",
    "spec.source.plugin": "render it first: the branch env/… holds plain manifests",
    "spec.source.directory.include": "keep only manifests in the folder",
    "spec.source.directory.exclude": "keep only manifests in the folder",
    "spec.source.directory.jsonnet": "render it first: the branch env/… holds plain manifests",
    "spec.syncPolicy.managedNamespaceMetadata": "put the Namespace with its labels beside the rest",
    "spec.syncPolicy.retry.refresh": "remove it: a newer commit always pre-empts a retry",
    "spec.ignoreDifferences[].jqPathExpressions": "write jsonPointers or managedFieldsManagers",
    "spec.sourceHydrator": "remove it: Slipway writes env/… itself",
    "metadata.finalizers": "remove it: Slipway never deletes an application",
    "operation": "start a sync by `slipway sync ENV`",
    "status": "remove it: it is what a controller writes",
}


@dataclass(frozen=True, slots=True)
class Application:
    """One Application. `server` is a URL or a cluster's name; `path` is a folder of the source."""

    settings: SyncSettings
    project: str
    repository: str
    revision: str
    path: str
    recurse: bool
    server: str
    history_limit: int
    info: tuple[tuple[str, str], ...]


def parse(text: str, file: str) -> Application:
    """Raises BadInput naming file, path, value and remedy."""
    found = list(documents.read(text, file))
    if len(found) != 1:
        raise BadInput(f"{file}: {len(found)} documents", hint="one file, one Application")
    top = _fields(file, found[0].value, ("apiVersion", "kind", "metadata", "spec"), "")
    top.choice("apiVersion", ["argoproj.io/v1alpha1"])
    top.choice("kind", ["Application"])
    name = _name(_sub(top, "metadata", ("name", "namespace", "labels", "annotations")))
    spec = _sub(top, "spec", _SPEC)
    source = _sub(spec, "source", ("repoURL", "targetRevision", "path", "directory"))
    destination = _sub(spec, "destination", ("server", "name", "namespace"))
    if namespace := _text(destination, "namespace", ""):
        kinds.check_namespace(namespace, f"{file}: spec.destination.namespace")
    directory = _optional(source, "directory", ("recurse",))
    return Application(
        settings=_settings(spec, name, namespace),
        project=_text(spec, "project", "default"),
        repository=source.text("repoURL"),
        revision=_text(source, "targetRevision", "HEAD"),
        path=_text(source, "path", "."),
        recurse=bool(directory and directory.has("recurse") and directory.boolean("recurse")),
        server=_server(destination),
        history_limit=spec.integer("revisionHistoryLimit", 0, 10_000)
        if spec.has("revisionHistoryLimit")
        else 10,
        info=tuple(_info(spec)),
    )


def _name(metadata: Fields) -> str:
    for name, value in (
        metadata.mapping("annotations") if metadata.has("annotations") else {}
    ).items():
        if name.startswith(PREFIX):
            raise BadInput(
                f"{metadata.file}: metadata.annotations: {name!r} is not supported "
                f"(value {value!r:.60})",
                hint=_CONFIRM if name == _APPROVED else "remove it",
            )
    name = metadata.text("name")
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{metadata.file}: metadata.name: {name!r} is no name",
            hint="lower-case letters, digits, - and .",
        )
    return name


def _server(destination: Fields) -> str:
    given = [key for key in ("server", "name") if destination.has(key)]
    if len(given) > 1:
        raise BadInput(
            f"{destination.file}: spec.destination has both server and name", hint="remove one"
        )
    return destination.text(given[0]) if given else ""


def _settings(spec: Fields, name: str, namespace: str) -> SyncSettings:
    policy = _optional(spec, "syncPolicy", ("automated", "syncOptions", "retry"))
    known = ("prune", "selfHeal", "allowEmpty", "enabled")
    automated = _optional(policy, "automated", known) if policy else None
    enabled = automated is not None and _true(automated, "enabled", default=True)
    texts = policy.texts("syncOptions") if policy and policy.has("syncOptions") else ()
    return SyncSettings(
        application=name,
        namespace=namespace,
        prune=_true(automated, "prune"),
        self_heal=_true(automated, "selfHeal"),
        allow_empty=_true(automated, "allowEmpty"),
        automated=enabled,
        options=options.of_application(texts, f"{spec.file}: spec.syncPolicy.syncOptions"),
        ignore=tuple(_ignore(spec)),
        retry=_retry(policy),
    )


def _true(fields: Fields | None, key: str, *, default: bool = False) -> bool:
    return fields.boolean(key) if fields and fields.has(key) else default


def _retry(policy: Fields | None) -> Retry:
    retry = _optional(policy, "retry", ("limit", "backoff")) if policy else None
    if retry is None:
        return Retry()
    limit = retry.integer("limit", 0, 1_000) if retry.has("limit") else 0
    backoff = _optional(retry, "backoff", ("duration", "factor", "maxDuration"))
    if backoff is None:
        return Retry(limit)
    return Retry(
        limit,
        _seconds(backoff, "duration", 5.0),
        backoff.number("factor", 1, 100) if backoff.has("factor") else 2.0,
        _seconds(backoff, "maxDuration", 180.0),
    )


def _seconds(fields: Fields, key: str, default: float) -> float:
    """`5s`, `3m`, `1h30m`; a bare number is seconds, as in Argo CD."""
    if not fields.has(key):
        return default
    raw = fields.raw(key)
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else fields.text(key)
    try:
        return float(text) if text.isdigit() else durations.seconds(text)
    except ValueError:
        raise BadInput(
            f"{fields.file}: {fields.path}.{key}: {text!r} is no duration",
            hint="write 5s, 3m or 1h30m",
        ) from None


def _ignore(spec: Fields) -> list[IgnoreRule]:
    rules = []
    for number, item in enumerate(
        spec.items("ignoreDifferences") if spec.has("ignoreDifferences") else ()
    ):
        path = f"spec.ignoreDifferences[{number}]"
        known = ("group", "kind", "name", "namespace", "jsonPointers", "managedFieldsManagers")
        fields = _fields(spec.file, item, known, path)
        pointers = fields.texts("jsonPointers") if fields.has("jsonPointers") else ()
        managers = (
            fields.texts("managedFieldsManagers") if fields.has("managedFieldsManagers") else ()
        )
        _check_rule(fields, pointers, managers)
        rules.append(
            IgnoreRule(
                group=_text(fields, "group", ""),
                kind=_text(fields, "kind", ""),
                name=_text(fields, "name", ""),
                namespace=_text(fields, "namespace", ""),
                json_pointers=pointers,
                managed_fields_managers=managers,
            )
        )
    return rules


def _check_rule(fields: Fields, pointers: tuple[str, ...], managers: tuple[str, ...]) -> None:
    fields.text("kind")
    if not pointers and not managers:
        raise BadInput(
            f"{fields.file}: {fields.path}: ignores nothing",
            hint="add jsonPointers or managedFieldsManagers",
        )
    for pointer in pointers:
        if not _POINTER.fullmatch(pointer):
            raise BadInput(
                f"{fields.file}: {fields.path}.jsonPointers: {pointer!r} is no JSON pointer",
                hint="write /spec/replicas; a / in a name is ~1",
            )


def _info(spec: Fields) -> list[tuple[str, str]]:
    found = []
    for number, item in enumerate(spec.items("info") if spec.has("info") else ()):
        fields = _fields(spec.file, item, ("name", "value"), f"spec.info[{number}]")
        found.append((fields.text("name"), fields.text("value", empty=True)))
    return found


def _text(fields: Fields, key: str, default: str) -> str:
    return fields.text(key, empty=True) if fields.has(key) else default


def _optional(fields: Fields, key: str, known: tuple[str, ...]) -> Fields | None:
    """A part that may be missing or null."""
    if not fields.has(key) or fields.raw(key) is None:
        return None
    return _sub(fields, key, known)


def _sub(fields: Fields, key: str, known: tuple[str, ...]) -> Fields:
    path = f"{fields.path}.{key}" if fields.path else key
    return _fields(fields.file, fields.raw(key), known, path)


def _fields(file: str, value: Any, known: tuple[str, ...], path: str) -> Fields:
    """As Fields, with a remedy for the fields that Argo CD has and Slipway does not."""
    for key in value if isinstance(value, dict) else ():
        here = f"{path}.{key}" if path else str(key)
        remedy = _REMEDIES.get(re.sub(r"\[\d+\]", "[]", here))
        if key not in known and remedy:
            raise BadInput(
                f"{file}: {here} is not supported (value {value[key]!r:.60})", hint=remedy
            )
    return Fields(file, value, known, path)
