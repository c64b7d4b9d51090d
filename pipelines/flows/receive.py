"""Judging a push on arrival: name, flow and history, by the rules of the branch it will go to.

Nothing slow happens here: the check itself is a job. Each ref of a push is judged by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.model.errors import Refused
from policies import rooms

HEADS = "refs/heads/"
TAGS = "refs/tags/"
NOTHING = "0"
TARGETS = {"feature": "develop", "release": "main", "hotfix": "main"}
"""Kind of a branch → the branch it is merged to."""
PROTECTED = ("main", "develop")


class Texts(Protocol):
    """What committed policies are read by. Raises Unavailable."""

    def head(self, branch: str) -> str | None: ...

    def text(self, commit: str, path: str) -> str | None: ...


class Arrivals(Texts, Protocol):
    """The origin, as far as a push is judged by it. Raises Unavailable."""

    def contains(self, branch: str, commit: str) -> bool: ...

    def is_commit(self, name: str) -> bool: ...

    def descends(self, commit: str, ancestor: str) -> bool: ...

    def starts_from(self, commit: str, *branches: str) -> tuple[str, ...]:
        """Which of the branches it left from, as a check finds it (`adapters.branch_start`); empty
        when their histories never met."""

    def why_not_back(self, environment: str, old: str, new: str) -> str:
        """Empty when the push brings only commits that go back to what Slipway wrote before on
        `env/<env>`, as `git revert` makes them."""


@dataclass(frozen=True, slots=True)
class Push:
    """One ref of a push, as git's update hook names it: `old` or `new` is all zeros when the ref is
    made or deleted."""

    ref: str
    old: str
    new: str

    @property
    def branch(self) -> str:
        return self.ref.removeprefix(HEADS)

    @property
    def deletes(self) -> bool:
        return not self.new.strip(NOTHING)

    @property
    def creates(self) -> bool:
        return not self.old.strip(NOTHING)


def never(_: str) -> bool:
    """The default of `reverts`."""
    return False


def target_of(branch: str) -> str:
    """The branch it is merged to; empty for one that is merged nowhere."""
    return TARGETS.get(branch.partition("/")[0], "") if "/" in branch else ""


def judge(push: Push, origin: Arrivals, reverts: Callable[[str], bool] = never) -> None:
    """Raises Refused with the reason and the right command; Unavailable and BadInput (a policy that
    cannot be read) refuse as well. `reverts`: whether people go back in git in an environment, because
    somebody else syncs its branch."""
    kind, _, environment = push.branch.partition("/")
    if push.ref.startswith(HEADS) and kind == "env":
        _environment(push, environment, origin, reverts)
        return
    _kind(push)
    _name(push, origin)
    if push.deletes:
        _deletion(push, origin)
        return
    _history(push, origin)


def _kind(push: Push) -> None:
    """What nobody pushes, whatever it is called."""
    if push.ref.startswith(TAGS):
        raise Refused(
            f"tag {push.ref.removeprefix(TAGS)}: Slipway sets tags, when a release goes live",
            hint="slipway promote production RELEASE --reason …",
        )
    if not push.ref.startswith(HEADS):
        raise Refused(f"{push.ref} is no branch", hint="git push slipway HEAD:feature/NAME")
    if push.branch in PROTECTED:
        what = "deleted" if push.deletes else "pushed to"
        ways = {
            "develop": "push a branch, then merge it: git push slipway HEAD:feature/NAME, "
            "slipway merge feature/NAME",
            "main": "what production runs is merged there: slipway promote production RELEASE "
            "--reason …; your own work: git push slipway HEAD:feature/NAME",
        }
        raise Refused(f"{push.branch} is not {what}", hint=ways[push.branch])


def _environment(
    push: Push, environment: str, origin: Arrivals, reverts: Callable[[str], bool]
) -> None:
    """Where somebody in the cluster syncs, a person may go back by `git revert`; the rest is Slipway's."""
    why = ""
    if not push.creates and not push.deletes and reverts(environment):
        why = origin.why_not_back(environment, push.old, push.new)
        if not why:
            return
    raise Refused(
        f"{push.ref} is written by Slipway alone{f' ({why})' if why else ''}; nothing was changed",
        hint=f"to release: slipway promote {environment}; "
        f"to go back: slipway rollback {environment} --reason …",
    )


def _name(push: Push, origin: Arrivals) -> None:
    if push.deletes and not push.creates:
        return  # whatever it is called, it may go
    rule = "branch_names"
    found = rooms.judge(rule, {"name": push.branch}, rules(rule, push.branch, origin))
    for finding in found:
        if finding.severity == "error":
            raise Refused(finding.message, hint=_again(finding.hint))


def _flow(push: Push, origin: Arrivals, **facts: Any) -> None:
    rule = "branch_flow"
    known = {"action": "push", "branch": push.branch, **facts}
    for finding in rooms.judge(rule, known, rules(rule, push.branch, origin)):
        if finding.severity == "error":
            raise Refused(finding.message, hint=finding.hint)


def _again(hint: str) -> str:
    better = hint.rpartition(" ")[2]
    return f"{hint}: git push slipway HEAD:{better}" if "/" in better else hint


def rules(rule: str, branch: str, origin: Texts) -> Mapping[str, Any]:
    """Data of a rule from the branch that `branch` goes to; the packaged ones where that branch has
    none. Raises BadInput when they cannot be read: a broken policy lets nothing through."""
    head = origin.head(target_of(branch) or "develop")
    text = origin.text(head, f"policies/{rule}/policy.yaml") if head else None
    return rooms.packaged_data(rule) if text is None else rooms.load_data(rule, text)


def _deletion(push: Push, origin: Arrivals) -> None:
    _flow(push, origin, deleted=True)
    if any(origin.contains(branch, push.old) for branch in PROTECTED):
        return
    raise Refused(
        f"{push.branch} holds commits that are on neither develop nor main: deleting it loses them",
        hint="merge it first (slipway merge), or leave it and go on under another name: "
        f"git push slipway {push.old[:12]}:refs/heads/{push.branch}-2",
    )


def _history(push: Push, origin: Arrivals) -> None:
    if not origin.is_commit(push.new):
        raise Refused(f"{push.new[:12]} is no commit", hint=f"git push slipway HEAD:{push.branch}")
    develop = origin.head("develop")
    if develop is None:
        raise Refused("the origin has no branch develop", hint="slipway up")
    starts = origin.starts_from(push.new, *PROTECTED)
    if not starts:
        raise Refused(
            f"{push.branch} has no commit in common with develop",
            hint="branch from develop: git fetch slipway && git switch -c "
            f"{push.branch} slipway/develop (a shallow clone first: git fetch --unshallow)",
        )
    rewritten = not push.creates and not origin.descends(push.new, push.old)
    _flow(push, origin, rewritten=rewritten, starts_from=list(starts))
