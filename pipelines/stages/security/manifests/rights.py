"""What pods may do to the cluster: tokens, roles and their bindings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.model.resource import Resource
from pipelines.stages.security.manifests.pods import at, items, pod_spec, texts

TOKEN, RIGHTS, CLUSTER = "manifest/token", "manifest/rights", "manifest/cluster"
HINTS = {
    TOKEN: "automountServiceAccountToken: false; who asks the API needs a service account of its own"
    " and a RoleBinding beside it",
    RIGHTS: "name groups, resources and verbs one by one",
    CLUSTER: "a Role and a RoleBinding in the environment's namespace",
}
_MORE = {"escalate", "bind", "impersonate"}
_CLUSTER_KINDS = ("ClusterRole", "ClusterRoleBinding", "Namespace", "ValidatingWebhookConfiguration",
                  "MutatingWebhookConfiguration", "APIService", "CustomResourceDefinition")  # fmt: skip


def rights(resources: Sequence[Resource]) -> Iterator[tuple[str, Resource, str]]:
    """(rule, object, what is wrong) of one set of objects that is installed together."""
    bound = {
        str(subject.get("name"))
        for one in resources
        if one.kind == "RoleBinding"
        for subject in items(one.manifest.get("subjects"))
        if subject.get("kind") == "ServiceAccount"
    }
    accounts = {one.name: one for one in resources if one.kind == "ServiceAccount"}
    for one in resources:
        yield from ((TOKEN, one, words) for words in _tokens(one, accounts, bound))
        if one.kind in ("Role", "ClusterRole"):
            for words in _too_much(one):
                yield RIGHTS, one, words
        if one.kind in _CLUSTER_KINDS:
            yield CLUSTER, one, f"{one.kind} reaches beyond the environment"


def _tokens(resource: Resource, accounts: dict[str, Resource], bound: set[str]) -> Iterator[str]:
    """A token nobody needs is a token somebody steals."""
    spec = pod_spec(resource)
    name = str((spec or {}).get("serviceAccountName") or "default")
    if spec is None or name in bound:
        return
    account = accounts.get(name)
    of_account = account.manifest.get("automountServiceAccountToken") if account else None
    if spec.get("automountServiceAccountToken", of_account) is not False:
        yield f"every container is given the token of service account {name}"
    for volume in items(spec.get("volumes")):
        sources = items(at(volume, "projected").get("sources"))
        if any("serviceAccountToken" in one for one in sources):
            yield f"volume {volume.get('name')} holds the token of service account {name}"


def _too_much(resource: Resource) -> Iterator[str]:
    for rule in items(resource.manifest.get("rules")):
        for part in ("apiGroups", "resources", "verbs"):
            if "*" in texts(rule.get(part)):
                yield f"{part}: everything (*)"
        verbs = set(texts(rule.get("verbs")))
        if "secrets" in texts(rule.get("resources")) and verbs & {"list", "watch"}:
            yield "all secrets of the namespace may be read"
        if verbs & _MORE:
            yield f"may give itself more rights ({', '.join(sorted(verbs & _MORE))})"
