"""Manifests out of text: each an object with `apiVersion`, `kind` and a name, no two of one name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipelines.engine.sync import documents
from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource, ResourceKey


def read_documents(text: str, origin: str, *, strict: bool = True) -> list[Resource]:
    """Every object of a text of YAML or JSON documents, `kind: List` taken apart.

    Raises BadInput that names `origin`, document and line. Two objects of one name are refused, and
    objects without one; what is only looked at need not be so `strict`.
    """
    found = [
        resource
        for document in documents.read(text, origin, strict=strict)
        for resource in _objects(document.value, f"{origin}: document {document.number}, "
                                 f"line {document.line}", strict=strict)
    ]  # fmt: skip
    if strict:
        refuse_twins(found)
    return found


def read_bytes(data: bytes, origin: str, *, strict: bool = True) -> list[Resource]:
    """As `read_documents`; also refuses what is not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{origin}: line {line}: not UTF-8 (byte {data[error.start]:#04x})",
            hint="save the file as UTF-8",
        ) from None
    return read_documents(text, origin, strict=strict)


def refuse_twins(resources: Iterable[Resource]) -> None:
    """Raises BadInput when two objects have one name."""
    seen: dict[ResourceKey, Resource] = {}
    for resource in resources:
        if not resource.name:
            continue
        first = seen.setdefault(resource.key, resource)
        if first is not resource:
            raise BadInput(
                f"{resource.origin}: {resource.key} is there twice, first in {first.origin}",
                hint="remove or rename one of them",
            )


def _objects(value: Any, where: str, *, strict: bool) -> Iterator[Resource]:
    if not isinstance(value, dict):
        raise BadInput(
            f"{where}: an object is needed, found {type(value).__name__} {value!r:.60}",
            hint="each document begins with `apiVersion:` and `kind:`",
        )
    for name in ("apiVersion", "kind"):
        _text(value, name, name, where)
    kind = str(value["kind"])
    if kind.endswith("List") and isinstance(value.get("items"), list):
        for number, item in enumerate(value["items"], 1):
            yield from _objects(_item(item, value), f"{where}, item {number}", strict=strict)
        return
    if not strict and not (value.get("metadata") or {}):
        value = {**value, "metadata": {}}
    yield _object(value, where, strict=strict)


def _item(item: Any, listing: dict[str, Any]) -> Any:
    """Items of a `ConfigMapList` and the like may leave out what the list already says."""
    kind = str(listing["kind"]).removesuffix("List")
    if not kind or not isinstance(item, dict) or ("kind" in item and "apiVersion" in item):
        return item
    return {"apiVersion": listing["apiVersion"], "kind": kind, **item}


def _object(value: dict[str, Any], where: str, *, strict: bool) -> Resource:
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        raise BadInput(
            f"{where}: {value['kind']} has no mapping `metadata`", hint="add metadata.name"
        )
    if not metadata.get("name") and metadata.get("generateName"):
        _text(metadata, "generateName", "metadata.generateName", where)
    elif strict or metadata.get("name"):
        _text(metadata, "name", "metadata.name", where)
    if metadata.get("namespace") is not None:
        _text(metadata, "namespace", "metadata.namespace", where, empty=True)
    for name in ("annotations", "labels"):
        part = metadata.get(name)
        if part is not None and not isinstance(part, dict):
            raise BadInput(
                f"{where}: metadata.{name}: {part!r:.60} is no mapping",
                hint="write `key: value` lines",
            )
    _check_annotations(metadata.get("annotations") or {}, where)
    _check_finalizers(metadata.get("finalizers"), where)
    return Resource(value, where)


def _check_annotations(annotations: dict[str, Any], where: str) -> None:
    """Also of live objects: what decides about a prune or a wave is read out of texts."""
    for name, value in annotations.items():
        if not isinstance(value, str):
            raise BadInput(
                f"{where}: metadata.annotations: {name}: {value!r:.60} is not text",
                hint="put the value in quotes",
            )


def _check_finalizers(value: Any, where: str) -> None:
    texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if value is not None and not texts:
        raise BadInput(
            f"{where}: metadata.finalizers: {value!r:.60} is no list of texts",
            hint="write each as `- name`, in quotes where it is a number",
        )


def _text(value: dict[str, Any], key: str, path: str, where: str, *, empty: bool = False) -> None:
    text = value.get(key)
    if text is None or (text == "" and not empty):
        kind = value.get("kind") or "the document"
        raise BadInput(f"{where}: {kind} has no {path}", hint=f"add {path}")
    if not isinstance(text, str):
        raise BadInput(f"{where}: {path}: {text!r:.60} is not text", hint="put it in quotes")
