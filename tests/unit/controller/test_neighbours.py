"""A controller looks after its neighbours, and does not fall over one that cannot be opened."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from pipelines.controller.loop import Controller
from pipelines.flows.context import Context
from pipelines.model.errors import BadInput


class Neighbour:
    def __init__(self, name: str) -> None:
        self.environment, self.started = name, 0
        self.store = SimpleNamespace(newest=lambda: "a release")
        self.target = SimpleNamespace(abandoned=lambda: True, ensure=self.ensure)

    def ensure(self, release: str) -> None:
        self.started += 1


def test_a_neighbour_that_cannot_be_opened_is_said_once_and_the_others_are_helped() -> None:
    production, words = Neighbour("production"), []

    def sibling(name: str) -> Any:
        if name == "dev":
            raise BadInput("no kubeconfig", hint="set KUBECONFIG")
        return production

    context = cast(Context, SimpleNamespace(environment="staging", sibling=sibling))
    controller = Controller(context, words.append, supervised=False)
    controller._help_neighbours()
    controller._help_neighbours()
    assert production.started == 2
    assert words.count("dev cannot be looked after from here: no kubeconfig") == 1
    assert "production is abandoned; starting it" in words
