"""`slipway health`: what people and programs see, from real files."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from pipelines.cli.commands import run

DUMP = """apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: settings, namespace: shop}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, namespace: shop, generation: 1}
  spec: {replicas: 2}
  status:
    observedGeneration: 1
    conditions: [{type: Progressing, reason: ProgressDeadlineExceeded}]
"""
JOB = """apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
status: {conditions: [{type: Complete, status: "True"}]}
"""


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = run(["health", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    file = tmp_path / "dump.yaml"
    file.write_text(DUMP)
    return file


def test_programs_get_a_list_in_the_order_of_the_files(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(JOB)
    code, out, err = said(capsys, "-f", job, "-f", dump, "--output", "json")
    assert (code, err) == (0, "")
    names = ("apiVersion", "kind", "namespace", "name", "status", "message")
    deadline = 'Deployment "web" exceeded its progress deadline'
    rows = [
        ("batch/v1", "Job", "", "migrate", "Healthy", ""),
        ("v1", "ConfigMap", "shop", "settings", None, ""),
        ("apps/v1", "Deployment", "shop", "web", "Degraded", deadline),
    ]
    assert json.loads(out) == [dict(zip(names, row, strict=True)) for row in rows]
    assert [list(row) for row in json.loads(out)] == [list(names)] * 3


def test_people_get_a_table_that_fits_and_ends_with_the_whole(
    dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, "-f", dump)
    assert code == 0
    assert out.splitlines() == [
        "STATUS    KIND        NAMESPACE  NAME",
        "-         ConfigMap   shop       settings",
        "Degraded  Deployment  shop       web",
        "",
        "Degraded  apps/Deployment shop/web",
        '  Deployment "web" exceeded its progress deadline',
        "",
        "1 Degraded, 1 no check; altogether Degraded",
        "  Caused by apps/Deployment:shop/web",
    ]


def test_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(JOB.encode())))
    code, out, _ = said(capsys, "-f", "-")
    assert code == 0
    assert "1 Healthy; altogether Healthy" in out


def test_a_script_can_ask_for_an_exit_code(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(JOB)
    assert said(capsys, "-f", dump, "--exit-code")[0] == 1
    assert said(capsys, "-f", job, "--exit-code")[0] == 0


def test_one_object_of_two_dumps_and_one_without_a_name_are_judged(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = tmp_path / "later.json"
    later.write_text(json.dumps({"apiVersion": "v1", "kind": "Service"}))
    again = tmp_path / "again.yaml"
    again.write_text(DUMP)
    code, out, _ = said(capsys, "-f", dump, "-f", again, "-f", later, "-o", "json")
    assert code == 0
    assert [row["status"] for row in json.loads(out)] == [None, "Degraded"] * 2 + ["Healthy"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "not YAML"), ("a: 1", "no apiVersion"), ("- 1", "an object is needed")],
)
def test_what_is_no_object_is_bad_input(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    code, out, err = said(capsys, "-f", file)
    assert (code, out) == (2, "")
    assert message in err
    assert str(file) in err


def test_a_missing_file_and_no_file_are_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "-f", "/nowhere.yaml")[0] == 2
    assert said(capsys)[0] == 2


def test_a_file_without_objects_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "empty.yaml"
    file.write_text("---\n")
    assert said(capsys, "-f", file) == (0, "no objects\n", "")
    assert said(capsys, "-f", file, "-o", "json") == (0, "[]\n", "")


def test_files_alone_say_of_nothing_that_it_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desired = tmp_path / "desired.yaml"
    for text in (DUMP.partition("  status:")[0], ""):
        desired.write_text(text)
        for how in ("json", "table"):
            code, out, _ = said(capsys, "-f", desired, "--exit-code", "--output", how)
            assert code == 0
            assert "Missing" not in out
    page = (Path(__file__).parents[3] / "docs/health.md").read_text()
    assert "`-f` alone can never know Missing" in page
