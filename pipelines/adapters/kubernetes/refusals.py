"""What the API server's no means, for people: which object, which verb, what it said, what next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.targets.kubernetes.cluster import ApiRefused

LONGEST_MESSAGE = 1_000
MOST_CAUSES = 5

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}

HINTS = {
    "Unauthorized": "log in again: kubectl auth whoami",
    "Conflict": "somebody changed it meanwhile: run it again",
    "AlreadyExists": "it is there already: run it again, or name it otherwise",
    "Expired": "list again and watch from there",
    "RequestEntityTooLarge": "split the object: an API server takes at most 3 MB, etcd 1.5 MB",
    "TooManyRequests": "the API server throttles: try again later",
}


def refusal(doing: str, status: int, body: bytes) -> ApiRefused:
    """`doing` is the verb with its object (`apply ConfigMap shop/values`)."""
    said = _status(body)
    reason = str(said.get("reason") or REASONS.get(status, f"HTTP {status}"))
    if status == 410 or reason == "Gone":
        reason = "Expired"
    words = str(said.get("message") or body[:200].decode(errors="replace").strip())
    told = _causes(said) if reason == "Invalid" else ""
    return ApiRefused(
        f"cannot {doing}: {reason}: {_short(_without_values(told or words, doing))}",
        reason=reason,
        status=status,
        hint=hint_for(reason, told or words, doing, said.get("details") or {}),
    )


def hint_for(reason: str, words: str, doing: str, details: Mapping[str, Any]) -> str:
    if reason == "Forbidden" and "being terminated" in words:
        return "the namespace is being deleted: wait until it is gone, then run it again"
    if reason == "Forbidden" and "cannot" in words:
        return f"give the identity the right to {_right(words, doing)} in its Role"
    if reason == "Invalid" and "immutable" in words:
        return "only a replace changes it: argocd.argoproj.io/sync-options: Replace=true"
    if "admission webhook" in words:
        return "an admission webhook of the cluster refuses it: kubectl get validatingwebhookconfigurations"
    if reason == "NotFound" and details.get("kind") == "namespaces":
        return f"create the namespace first, or CreateNamespace=true: {details.get('name')}"
    return HINTS.get(reason, "")


def _right(words: str, doing: str) -> str:
    """The API server names verb and resource: `cannot patch resource "x" in API group "g"`."""
    _, _, rest = words.partition("cannot ")
    verb, _, rest = rest.partition(" resource ")
    resource, _, rest = rest.partition(" in API group ")
    group = rest.split(" ")[0].strip('"')
    plural = resource.strip('"')
    if not verb or not plural:
        return doing
    return f"{verb} {plural}.{group}" if group else f"{verb} {plural}"


def _without_values(words: str, doing: str) -> str:
    """What is said about a Secret may quote its data; the part before the value is enough."""
    if " Secret " not in doing:
        return words
    head, found, _ = words.partition("Invalid value")
    return f"{head}(value hidden)" if found else words


def _causes(said: Mapping[str, Any]) -> str:
    """Field and reason of each mistake; the value between them may be a whole pod template."""
    causes = (said.get("details") or {}).get("causes") or []
    return "; ".join(
        f"{cause.get('field')}: {_ends(str(cause.get('message') or cause.get('reason')))}"
        for cause in causes[:MOST_CAUSES]
    )


def _ends(words: str) -> str:
    return words if len(words) <= 300 else f"{words[:80]} … {words[-200:]}"


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_MESSAGE else words[:LONGEST_MESSAGE] + " …"


def _status(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    if isinstance(document, dict) and document.get("kind") == "Status":
        return document
    return {}
