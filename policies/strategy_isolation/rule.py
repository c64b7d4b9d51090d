"""A branch named after a strategy changes that one alone; a wider one needs an expert for each.

Own are `app/trading/strategies/<name>/`, `app/tests/strategies/<name>/` and, in
`environments/*/values.yaml`, the instances `trading.strategies.<instance>` whose plug-in is the
strategy before and after the change.

Facts: `branch`; `files` (all changed paths, of a rename both); `values`: each changed dotted key of
the values as `{file, key, before, after}`, where before and after are the plug-in of the strategy
instance it belongs to on each side (empty where there is none); `codeowners` (text of CODEOWNERS);
`approved_by`: owners (handles) who approved this commit — left out while nobody can have, so that
what is missing is a note; `local_self_approval`: one marked approval stands for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.fields import Fields
from policies import codeowners, strategies

RULE = "strategy_isolation"
_KEYS = ("branch", "files", "values", "codeowners", "approved_by", "local_self_approval")
_VALUES = ("file", "key", "before", "after")


@dataclass(frozen=True, slots=True)
class ValueChange:
    """`before` and `after` are plug-ins, empty where the key belongs to no strategy."""

    file: str
    key: str
    before: str
    after: str

    @property
    def plugins(self) -> tuple[str, ...]:
        return tuple(name for name in (self.before, self.after) if name)


@dataclass(frozen=True, slots=True)
class Facts:
    branch: str
    files: tuple[str, ...]
    values: tuple[ValueChange, ...]
    owners: codeowners.CodeOwners
    approved_by: tuple[str, ...] | None = None
    local_self_approval: bool = False

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        fields = Fields(f"facts of {RULE}", mapping, _KEYS)
        local = "local_self_approval"
        return cls(
            branch=fields.text("branch"),
            files=fields.texts("files"),
            values=tuple(map(_value, fields.items("values"))),
            owners=codeowners.parse(fields.text("codeowners", empty=True)),
            approved_by=fields.texts("approved_by") if fields.has("approved_by") else None,
            local_self_approval=fields.boolean(local) if fields.has(local) else False,
        )

    def touched(self) -> tuple[str, ...]:
        plugins = [name for change in self.values for name in change.plugins]
        return strategies.touched(self.files, plugins)


def _value(item: Any) -> ValueChange:
    fields = Fields(f"facts of {RULE}", item, _VALUES, "values")
    return ValueChange(
        file=fields.text("file"),
        key=fields.text("key"),
        before=fields.text("before", empty=True),
        after=fields.text("after", empty=True),
    )


@dataclass(frozen=True, slots=True)
class Data:
    experts_required: bool
    shared: tuple[str, ...]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        fields = Fields(file, mapping, ("experts_required", "shared"))
        return cls(fields.boolean("experts_required"), fields.texts("shared"))


def judge(facts: Facts, data: Data) -> list[Finding]:
    own = strategies.of_branch(facts.branch)
    found = _foreign(facts, own, data) if own else []
    if data.experts_required:
        found += [f for name in facts.touched() for f in _expert(facts, name)]
    return found


def _foreign(facts: Facts, own: str, data: Data) -> list[Finding]:
    """What a branch named after a strategy changes that is not its own."""
    hint = f"take it out, or use a wider branch: git branch -m feature/{own.replace('_', '-')}-and-more"
    settings = {change.file for change in facts.values}
    found = [
        Finding(RULE, f"{facts.branch} changes {path}, {_whose(path)}", path=path, hint=hint)
        for path in facts.files
        if strategies.of_path(path) != own and path not in (*data.shared, *settings)
    ]
    for change in facts.values:
        if set(change.plugins) != {own}:
            whose = " and ".join(dict.fromkeys(change.plugins))
            words = f"of strategy {whose}" if whose else "which is no strategy's"
            message = f"{facts.branch} changes {change.key}, {words}"
            found.append(Finding(RULE, message, path=change.file, hint=hint))
    return found


def _whose(path: str) -> str:
    name = strategies.of_path(path)
    return f"which belongs to strategy {name}" if name else "which belongs to no strategy"


def _expert(facts: Facts, strategy: str) -> list[Finding]:
    """Somebody who owns the strategy's folder must approve; before that can be, a note."""
    owners = facts.owners.of(f"{strategies.folder(strategy)}__init__.py")
    if not owners:
        return [
            Finding(
                RULE,
                f"nobody owns strategy {strategy}, so no domain expert can approve it",
                path=codeowners.FILE,
                hint=f"add a line: /{strategies.folder(strategy)} @OWNER",
            )
        ]
    who = " or ".join(owners)
    if facts.approved_by is None:
        words = f"strategy {strategy} is touched: {who} must approve"
        return [Finding(RULE, words, severity="note", hint=f"slipway approve {facts.branch}")]
    if facts.local_self_approval or set(owners) & set(facts.approved_by):
        return []
    return [
        Finding(
            RULE,
            f"strategy {strategy} is touched and no domain expert ({who}) approved",
            hint=f"ask {who}: slipway approve {facts.branch}",
        )
    ]
