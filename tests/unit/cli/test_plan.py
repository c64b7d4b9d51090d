"""`slipway plan`: what people and programs see, from real files."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.commands import run

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 2}
"""
SECRET = """apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: %s}
"""
APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  source: {repoURL: https://git.example/shop, path: .}
  destination: {namespace: slipway-dev}
  ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]
"""


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = run(["plan", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def asked(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    code, out, err = said(capsys, *arguments, "--output", "json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert isinstance(answer, dict)
    return answer


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "new" / "deep").mkdir(parents=True)
    (tmp_path / "new" / "web.yaml").write_text(WEB)
    (tmp_path / "new" / "deep" / "s.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    )
    (tmp_path / "new" / "notes.txt").write_text("not a manifest")
    (tmp_path / "old.yaml").write_text(
        WEB.replace("2", "3") + "---\n" + SECRET % "old" + "---\n" + WEB.replace("web", "gone")
    )
    return tmp_path


def test_the_json_keeps_its_shape(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(capsys, "-f", files / "new", "--live", files / "old.yaml")
    assert list(answer) == ["steps", "summary", "warnings"]
    assert answer["summary"] == {
        "create": 1, "change": 1, "replace": 0, "nothing": 0, "prune": 2, "hook": 0, "skip": 0,
    }  # fmt: skip
    assert [(step["action"], step["kind"], step["name"]) for step in answer["steps"]] == [
        ("prune", "Secret", "s"), ("prune", "Deployment", "gone"),
        ("create", "ConfigMap", "c"), ("change", "Deployment", "web"),
    ]  # fmt: skip
    assert answer["steps"][3] == {
        "phase": "Sync", "wave": 0, "action": "change", "apiVersion": "apps/v1",
        "kind": "Deployment", "namespace": "default", "name": "web", "message": "",
        "changes": [{"path": "/spec/replicas", "old": 3, "new": 2, "manager": "", "since": "",
                     "immutable": False}],
    }  # fmt: skip


def test_the_table_says_the_same_for_people(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, "-f", files / "new", "--live", files / "old.yaml")
    assert code == 0
    assert out.splitlines() == [
        "Sync, wave 0",
        "  - prune   Secret default/s",
        "  - prune   apps/Deployment default/gone",
        "  + create  ConfigMap default/c",
        "  ~ change  apps/Deployment default/web",
        "      /spec/replicas: 3 → 2",
        "1 create, 1 change, 2 prune",
    ]


def test_what_a_secret_holds_is_never_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = "  annotations: {kubectl.kubernetes.io/last-applied-configuration: hunter1}\n"
    old = (SECRET % "hunter1").replace("{name: s}\n", f"\n  name: s\n{kept}")
    (tmp_path / "old.yaml").write_text(old)
    (tmp_path / "new.yaml").write_text((SECRET % "hunter2").replace("stringData", "data"))
    for output in ("json", "table"):
        _, out, _ = said(capsys, "-f", tmp_path / "new.yaml", "--live", tmp_path / "old.yaml",
                         "--output", output)  # fmt: skip
        assert "hunter" not in out
        assert "********" in out


def test_standard_input_is_a_file_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WEB.encode())))
    answer = asked(capsys, "-f", "-", "--namespace", "shop")
    assert [step["namespace"] for step in answer["steps"]] == ["shop"]


def test_an_application_gives_namespace_pruning_and_what_is_ignored(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "application.yaml").write_text(APPLICATION)
    answer = asked(
        capsys, "-f", files / "new", "--live", files / "old.yaml",
        "--application", files / "application.yaml",
    )  # fmt: skip
    assert {step["name"]: (step["action"], step["message"]) for step in answer["steps"]} == {
        "c": ("create", ""),
        "web": ("nothing", ""),
        "gone": ("skip", "ignored (requires pruning)"),
        "s": ("skip", "ignored (requires pruning)"),
    }
    assert {step["namespace"] for step in answer["steps"]} == {"slipway-dev"}
    assert "no live object carries a tracking id" in answer["warnings"][0]


def test_tracked_live_objects_say_whose_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def live(name: str, owner: str) -> str:
        note = f"argocd.argoproj.io/tracking-id: '{owner}:apps/Deployment:default/{name}'"
        return WEB.replace("{name: web}", f"{{name: {name}, annotations: {{{note}}}}}")

    (tmp_path / "new.yaml").write_text(WEB)
    (tmp_path / "live.yaml").write_text(
        f"{live('web', 'shop')}---\n{WEB.replace('web', 'nobodys')}"
    )
    answer = asked(capsys, "-f", tmp_path / "new.yaml", "--live", tmp_path / "live.yaml")
    assert [(step["name"], step["action"]) for step in answer["steps"]] == [("web", "nothing")]
    code, _, err = said(
        capsys, "-f", tmp_path / "new.yaml", "--live", tmp_path / "live.yaml", "--name", "other"
    )
    assert code == 1
    assert "belongs to the application 'shop'" in err
    (tmp_path / "live.yaml").write_text(f"{live('web', 'shop')}---\n{live('x', 'other')}")
    code, _, err = said(capsys, "-f", tmp_path / "new.yaml", "--live", tmp_path / "live.yaml")
    assert code == 2
    assert "live objects belong to 2 applications: other, shop" in err


def test_the_exit_code_says_whether_anything_would_change_where_that_is_asked_for(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = files / "new"
    assert said(capsys, "-f", new)[0] == 0
    assert said(capsys, "-f", new, "--exit-code")[0] == 1
    assert said(capsys, "-f", new, "--live", new, "--exit-code")[0] == 0


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("twins.yaml", f"{WEB}---\n{WEB}", "is there twice, first in"),
        ("kind.yaml", "apiVersion: v1\nmetadata: {name: a}", "has no kind"),
        ("api.yaml", WEB.replace("apps/v1", "apps/v9"), "unknown API: apps/v9"),
        ("scope.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: a, namespace: b}",
         "lives in no namespace"),
        ("wave.yaml", WEB.replace("web}", 'web, annotations: {argocd.argoproj.io/sync-wave: "x"}}'),
         "'x' is no whole number"),
        ("hook.yaml", WEB.replace("web}", "web, annotations: {argocd.argoproj.io/hook: Nope}}"),
         "unknown value 'Nope'"),
        ("name.yaml", WEB.replace("web}", '"Bad Name\\e[31m"}'), "is no name"),
        ("tab.yaml", "kind: A\n\tx: 1", "a tab"),
        ("bytes.yaml", "\udcff", "not UTF-8"),
    ],
)  # fmt: skip
def test_bad_input_exits_2_and_names_file_and_reason(
    name: str, text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    code, out, err = said(capsys, "-f", tmp_path / name)
    assert (code, out) == (2, "")
    assert name in err
    assert words in err
    assert "Traceback" not in err


def test_standard_input_is_not_asked_for_twice(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "-f", "-", "--live", "-")
    assert (code, out) == (2, "")
    assert "standard input (-) is asked for twice" in err


@pytest.mark.parametrize("command", ["plan", "health"])
def test_a_file_without_a_name_is_not_the_folder_one_stands_in(
    command: str, files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `slipway plan -f "$RENDERED"` where the variable is empty."""
    monkeypatch.chdir(files / "new")
    assert run([command, "-f", ""]) == 2
    assert "empty name" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "health"])
def test_a_standard_input_that_is_closed_is_bad_input(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert run([command, "-f", "-"]) == 2
    assert "standard input (-) is closed" in capsys.readouterr().err


def test_a_namespace_that_cannot_exist_is_bad_input(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = files / "odd.yaml"
    odd.write_text(WEB.replace("name: web", "name: web, namespace: A B"))
    application = files / "application.yaml"
    application.write_text(APPLICATION.replace("slipway-dev", "a.b"))
    for words, names in (
        (["-f", odd], "Deployment: metadata.namespace: 'A B'"),
        (["-f", files / "new", "--namespace", "x" * 64], "--namespace: 'xxx"),
        (["-f", files / "new", "--application", application], "spec.destination.namespace: 'a.b'"),
    ):
        code, _, err = said(capsys, *words)
        assert code == 2
        assert names in err
        assert "is no name of a namespace" in err


def test_a_file_of_100_megabytes_is_refused_by_its_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(100_000_000)
    code, _, err = said(capsys, "-f", tmp_path / "huge.yaml")
    assert code == 2
    assert "100,000,000 bytes" in err


def test_missing_files_and_empty_folders_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(capsys, "-f", tmp_path / "none.yaml")
    assert (code, "none.yaml: no such file" in err) == (2, True)
    code, _, err = said(capsys, "-f", tmp_path)
    assert (code, "no manifests in this folder" in err) == (2, True)


def test_names_that_lead_nowhere_are_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "gone.yaml").symlink_to(tmp_path / "nothing")
    for name, words in (
        ("x" * 300, "file name too long"),
        (loop, "symbolic link"),
        (folder, "gone.yaml: no such file"),
    ):
        for command in ("plan", "health"):
            assert run([command, "-f", str(name)]) == 2
            error = capsys.readouterr().err
            assert words in error
            assert "name a file or folder" in error
            assert len(error) < 400 + len(str(tmp_path))


def test_a_folder_that_may_not_be_read_is_bad_input_wherever_it_lies(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left out, its objects would be taken for what is not desired any more."""
    scan = os.scandir

    def closed(path: str) -> Any:
        if Path(path).name == "deep":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr("os.scandir", closed)
    code, out, err = said(capsys, "-f", files / "new")
    assert (code, out) == (2, "")
    assert f"{files / 'new' / 'deep'}: permission denied" in err


def test_a_name_that_may_not_be_looked_up_is_bad_input(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", closed)
    code, _, err = said(capsys, "-f", files / "new" / "web.yaml")
    assert code == 2
    assert "web.yaml: permission denied" in err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, "5") for name in ("sync-wave", "hook", "tracking-id", "sync-options")],
        *[("helm.sh/hook", "true"), ("helm.sh/hook-weight", "5")],
    ],
)
@pytest.mark.parametrize("live", [True, False])
def test_an_annotation_without_quotes_is_bad_input_in_every_file(
    name: str, value: str, live: bool, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = name if "/" in name else f"argocd.argoproj.io/{name}"
    odd = files / "odd.yaml"
    odd.write_text(WEB.replace("name: web", f"name: web, annotations: {{{name}: {value}}}"))
    ways = [["plan", "-f", files / "new", "--live", odd], ["health", "-f", odd]]
    if not live:
        ways = [["plan", "-f", odd]]
    for words in ways:
        assert run([str(word) for word in words]) == 2
        error = capsys.readouterr().err
        assert "odd.yaml: document 1, line 1" in error
        assert f"{name}: {value.title()} is not text" in error


def test_finalizers_that_are_no_texts_are_bad_input(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd, more = files / "odd.yaml", "finalizers: [1], deletionTimestamp: '2026-01-01T00:00:00Z'"
    odd.write_text(WEB.replace("name: web", f"name: web, {more}"))
    code, _, err = said(capsys, "-f", files / "new", "--live", odd)
    assert code == 2
    assert "metadata.finalizers: [1] is no list of texts" in err


def test_a_number_without_end_is_bad_input(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = files / "odd.json"
    odd.write_text('{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, '
                   '"spec": {"replicas": 1e999}}')  # fmt: skip
    for command in ("plan", "health"):
        assert run([command, "-f", str(odd)]) == 2
        assert "1e999 is not a number" in capsys.readouterr().err


def test_the_same_object_in_two_files_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(WEB)
    code, _, err = said(capsys, "-f", tmp_path)
    assert code == 2
    assert "b.yaml" in err
    assert "first in" in err
    assert said(capsys, "-f", tmp_path / "a.yaml", "-f", tmp_path / "a.yaml")[0] == 0


def test_an_empty_desired_set_is_refused_unless_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.yaml").write_text("# nothing left\n")
    (tmp_path / "old.yaml").write_text(WEB)
    arguments = ("-f", tmp_path / "new.yaml", "--live", tmp_path / "old.yaml")
    code, _, err = said(capsys, *arguments)
    assert code == 1
    assert "--allow-empty" in err
    assert said(capsys, *arguments, "--allow-empty")[0] == 0
    assert said(capsys, *arguments, "--no-prune")[0] == 0


def test_words_after_an_option_of_files_are_files_too() -> None:
    from pipelines.cli.options import _spread

    several = {"-f", "--live"}
    given = ["-f", "a", "b", "--live", "c", "d", "--prune", "-o", "json"]
    assert _spread(given, several) == [
        *("-f", "a", "-f", "b", "--live", "c", "--live", "d", "--prune", "-o", "json")
    ]
    assert _spread(["-f", "-", "-n", "space", "-f", "b"], several) == [
        *("-f", "-", "-n", "space", "-f", "b")
    ]
