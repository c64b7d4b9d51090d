"""Shell scripts parse, and every data file of an environment is strict YAML."""

from __future__ import annotations

import re

from pipelines.model import yaml_strict
from pipelines.model.check import Change, Finding
from pipelines.model.errors import BadInput
from pipelines.stages.quality_area import Bench, Part, judged

_SECONDS = 20.0
_SHELL = re.compile(r"#!\s*(/usr)?/bin/(env )?(sh|bash|dash)\b")
_LINE = re.compile(r"line (\d+)")


def scripts_part(bench: Bench) -> Part:
    """`sh -n` (or bash) of every script that the change brings: by its first line, or `*.sh`."""
    findings, samples = [], 0
    for path in _files(bench.change, ""):
        shell = _shell(bench.change, path)
        if not shell:
            continue
        samples += 1
        done = bench.workshop.programs.run(
            [shell, "-n", f"./{path}"], folder=bench.change.head.folder, seconds=_SECONDS
        )
        if done.code != 0:
            words = (done.err.strip() or done.why or "cannot be read").splitlines()[0]
            number = _LINE.search(words) or re.search(r": (\d+):", words)
            line = int(number[1]) if number else 0
            findings.append(Finding("quality/scripts", words[:300], path=path, line=line))
    return judged("scripts", "all", findings, samples, f"{samples} shell scripts")


def yaml_part(bench: Bench) -> Part:
    """No duplicate keys, tags, anchors or surprises in `environments/`."""
    findings, samples = [], 0
    for path in _files(bench.change, "environments/"):
        if not path.endswith((".yaml", ".yml")):
            continue
        samples += 1
        try:
            yaml_strict.load_mapping(bench.change.head.text(path) or "", path)
        except BadInput as error:
            number = _LINE.search(error.message)
            line = int(number[1]) if number else 0
            message = error.message.removeprefix(f"{path}: ")
            findings.append(Finding("quality/yaml", message, path=path, line=line, hint=error.hint))
    return judged("yaml", "all", findings, samples, f"{samples} data files")


def _files(change: Change, prefix: str) -> list[str]:
    if not change.everything:
        return sorted(change.changed(prefix))
    root = change.head.folder
    found = (root / prefix).rglob("*") if (root / prefix).is_dir() else ()
    return sorted(p.relative_to(root).as_posix() for p in found if p.is_file())


def _shell(change: Change, path: str) -> str:
    with (change.head.folder / path).open("rb") as file:
        first = file.readline(200).decode("utf-8", "replace")
    found = _SHELL.match(first)
    if found:
        return "bash" if found[3] == "bash" else "sh"
    return "sh" if path.endswith(".sh") else ""
