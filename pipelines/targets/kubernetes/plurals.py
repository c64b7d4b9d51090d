"""What a kind is called in the paths of the API, without asking a cluster."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.model.resource import Resource

UNCHANGED = frozenset({"Endpoints"})
ENDINGS = ("s", "x", "ch", "sh")


class Plurals:
    """Kinds that `desired` defines are called as their definition says; all others as every kind of
    Kubernetes and nearly every other one: lower case, English plural."""

    def __init__(self, desired: Iterable[Resource]) -> None:
        self.scopes: dict[tuple[str, str], bool] = {}
        self._defined: dict[tuple[str, str], str] = {}
        for resource in desired:
            if resource.kind == "CustomResourceDefinition":
                spec = resource.manifest.get("spec") or {}
                names = spec.get("names") or {}
                kind = (str(spec.get("group")), str(names.get("kind")))
                self._defined[kind] = str(names.get("plural"))
                self.scopes[kind] = spec.get("scope") != "Cluster"

    def of(self, group: str, kind: str) -> str:
        return self._defined.get((group, kind)) or english(kind)


def english(kind: str) -> str:
    word = kind.lower()
    if kind in UNCHANGED:
        return word
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(ENDINGS) else "s")
