"""What HEAD of a checkout gives to a release: identity, people, and the files themselves."""

from __future__ import annotations

import ast
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.adapters.files import read_text
from pipelines.adapters.git_command import Git, GitFailed
from pipelines.adapters.git_files import check_regular, list_tree
from pipelines.adapters.git_origin_setup import head_of
from pipelines.model import environment_yaml, values, yaml_strict
from pipelines.model.errors import BadInput, Refused, Unavailable
from pipelines.model.release import ENVIRONMENTS, Application

TREES = ("app", "charts", "environments")
LOCK = "app/requirements.lock"
_LARGEST_FILE_BYTES = 50_000_000
_SHOWN_CHANGES = 10


@dataclass(frozen=True, slots=True)
class Source:
    """A commit and the parts of a release's identity that it decides (all but the wheel)."""

    commit: str
    author: str
    subject: str
    parts: dict[str, str]


def read_source(checkout: Path, *, allow_dirty: bool, commit: str = "") -> Source:
    """Of HEAD, or of `commit`, which needs no work tree. Raises BadInput (no commit, no app, a link
    or a huge file), Refused (uncommitted changes)."""
    git = Git(checkout, isolated=False)
    if not commit:
        commit = head_of(git)
        if not allow_dirty:
            _refuse_changes(git)
    entries = list_tree(git, commit, *TREES)
    parts = {entry.path: f"git:{entry.id}" for entry in entries if entry.kind == "tree"}
    if "app" not in parts:
        raise BadInput(
            f"{checkout} has no folder app/ at {commit[:12]}", hint="commit the application"
        )
    _refuse_surprising_files(git, commit, [name for name in TREES if name in parts])
    if not list_tree(git, commit, LOCK):
        raise BadInput(
            f"{LOCK} is missing at {commit[:12]}",
            hint=f"uv pip compile --generate-hashes app/pyproject.toml -o {LOCK}, then commit it",
        )
    lock = git.run("cat-file", "blob", f"{commit}:{LOCK}")
    parts["lock"] = f"sha256:{hashlib.sha256(lock).hexdigest()}"
    who = git.run("log", "-1", "--format=%an <%ae>%x00%s", commit).decode("utf-8", "replace")
    author, _, subject = who.strip("\n").partition("\0")
    return Source(commit, author, subject, parts)


def _refuse_changes(git: Git) -> None:
    out = git.run("status", "--porcelain=v1", "-z", "--untracked-files=all", "--", *TREES)
    lines = [line for line in out.decode("utf-8", "replace").split("\0") if line[2:3] == " "]
    if lines:
        shown = ", ".join(line[3:] for line in lines[:_SHOWN_CHANGES])
        more = f" and {len(lines) - _SHOWN_CHANGES} more" if len(lines) > _SHOWN_CHANGES else ""
        raise Refused(
            f"uncommitted changes in {len(lines)} file(s): {shown}{more}",
            hint="a release is built from a commit: git add and git commit them, or git stash",
        )


def _refuse_surprising_files(git: Git, commit: str, trees: list[str]) -> None:
    for entry in list_tree(git, commit, *trees, recursive=True):
        check_regular(entry)
        if entry.size > _LARGEST_FILE_BYTES:
            raise BadInput(
                f"{entry.path}: {entry.size:,} bytes, at most {_LARGEST_FILE_BYTES:,} go into a"
                " release",
                hint="keep large data outside the repository",
            )


def extract(checkout: Path, source: Source, folder: Path) -> None:
    """The commit's files, as committed: no line ending or attribute of the machine has a say."""
    git = Git(checkout, isolated=True)
    trees = [name for name in TREES if name in source.parts]
    try:
        archive = git.run("archive", "--format=tar", source.commit, "--", *trees, seconds=120)
    except GitFailed as error:
        raise Unavailable(f"{checkout} cannot be read: {error}") from error
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            if not (member.isfile() or member.isdir()):
                raise BadInput(f"{member.name}: only files and folders go into a release")
        tar.extractall(folder)  # noqa: S202 - written by git archive, no links, checked above


def environment_values(folder: Path) -> dict[str, dict[str, Any]]:
    """Merged values of every environment. Each `environment.yaml` is read too, so that a broken
    one is refused here and not at three in the morning."""
    merged: dict[str, dict[str, Any]] = {}
    base = _values(folder, "environments/base/values.yaml")
    decided = any(
        (folder / f"environments/{name}/environment.yaml").exists() for name in ENVIRONMENTS
    )
    for name in ENVIRONMENTS:
        file = f"environments/{name}/values.yaml"
        merged[name] = values.merge(base, _values(folder, file), file)
        settings = f"environments/{name}/environment.yaml"
        if (folder / settings).exists():
            environment_yaml.parse(read_text(folder, settings), name, settings)
        elif decided:
            raise BadInput(
                f"{settings} is missing: environment {name} has no settings",
                hint="bring it back: git checkout <commit> -- environments/" + name,
            )
    return merged


def _values(folder: Path, file: str) -> dict[str, Any]:
    if not (folder / file).exists():
        return {}
    return yaml_strict.load_mapping(read_text(folder, file), file)


def strategies(folder: Path, application: Application) -> dict[str, Any]:
    """`<application>.strategies` of the base values: name → plug-in, capital, parameters."""
    part = _values(folder, "environments/base/values.yaml").get(application.name)
    found = part.get("strategies") if isinstance(part, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def migrations(folder: Path, application: Application) -> tuple[str, ...]:
    """Revisions under `app/<module>/migrations/versions`, in the order of their file names."""
    versions = folder / "app" / Path(*application.module.split(".")) / "migrations" / "versions"
    files = sorted(file for file in versions.glob("*.py") if not file.name.startswith("_"))
    return tuple(_revision(file) for file in files)


def _revision(file: Path) -> str:
    """The constant `revision` of a migration, else its file's name. Nothing is executed."""
    try:
        tree = ast.parse(file.read_text())
    except (SyntaxError, ValueError) as error:
        raise BadInput(f"{file.name}: not Python: {error}", hint="correct the migration") from None
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        named = isinstance(target, ast.Name) and target.id == "revision"
        if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return file.stem
