"""Reading kubeconfig files and choosing one context."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.model.errors import BadInput


@dataclass(frozen=True)
class Login:
    """One context with its cluster and user; `path` is the file, for messages and relative paths."""

    context: str
    path: Path
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    namespace: str = ""


def chosen(context: str, kubeconfig: Path | None) -> Login:
    """Raises BadInput when no file has the context; several files of KUBECONFIG are looked through
    in order and the first that has a name wins, as kubectl does it."""
    files = [kubeconfig] if kubeconfig else default_files()
    documents = [(path, read(path)) for path in files if kubeconfig or path.exists()]
    if not documents:
        raise BadInput(
            f"no kubeconfig at {', '.join(map(str, files))}",
            hint="set KUBECONFIG, or kubernetes.context in environment.yaml",
        )
    name = context or next(
        (d["current-context"] for _, d in documents if d.get("current-context")), ""
    )
    if not name:
        raise BadInput(
            f"{documents[0][0]} has no current context", hint="kubectl config use-context NAME"
        )
    path, entry = _entry(documents, "contexts", str(name))
    body = _mapping(entry, "context", path)
    where, cluster = _entry(documents, "clusters", str(body.get("cluster") or ""))
    user: dict[str, Any] = {}
    if body.get("user"):
        where, user = _entry(documents, "users", str(body["user"]))
    return Login(
        context=str(name),
        path=where,
        cluster=_mapping(cluster, "cluster", path),
        user=_mapping(user, "user", where),
        namespace=str(body.get("namespace") or ""),
    )


def default_files() -> list[Path]:
    names = os.environ.get("KUBECONFIG", "")
    files = [Path(name).expanduser() for name in names.split(os.pathsep) if name]
    return files or [Path("~/.kube/config").expanduser()]


def read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise BadInput(f"kubeconfig {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BadInput(f"kubeconfig {path} is not YAML") from None
    if not isinstance(document, dict):
        raise BadInput(f"kubeconfig {path} is not a mapping")
    return document


def _entry(
    documents: list[tuple[Path, dict[str, Any]]], part: str, name: str
) -> tuple[Path, dict[str, Any]]:
    known: list[str] = []
    for path, document in documents:
        for entry in document.get(part) or []:
            if isinstance(entry, dict) and entry.get("name") == name:
                return path, entry
            known.append(str(entry.get("name")) if isinstance(entry, dict) else "?")
    have = ", ".join(sorted(known)) or "none"
    raise BadInput(
        f"no {part.removesuffix('s')} {name!r} in {documents[0][0]}; it has {have}",
        hint="kubectl config get-contexts",
    )


def _mapping(entry: Mapping[str, Any], part: str, path: Path) -> Mapping[str, Any]:
    body = entry.get(part)
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise BadInput(f"{path}: {part} of {entry.get('name')!r} is not a mapping")
    return body
