"""Build what a cluster consists of, once per version, outside the checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.cluster.errors import Missing
from tests.cluster.say import say
from tests.cluster.versions import ARGO_CD, ARGO_CD_SUM, BY_KIND, BY_NAME, Part

SOURCES = Path(__file__).with_name("go")
ARGO_MODULE = "github.com/argoproj/argo-cd/v3"


def root() -> Path:
    """SLIPWAY_TOOLS, or `slipway/tools` in the user's cache folder."""
    chosen = os.environ.get("SLIPWAY_TOOLS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen) if chosen else cache / "slipway" / "tools"


def folder(part: str) -> Path:
    """Where its programs are, or will be."""
    return root() / BY_NAME[part].key


def program(name: str) -> Path:
    """A program that was built."""
    for part in BY_NAME.values():
        if name in part.packages:
            return folder(part.name) / name
    raise KeyError(name)


def path(rest: str) -> str:
    """PATH with kubectl and helm in front of the rest."""
    return f"{folder('kubernetes')}:{folder('helm')}:{rest}"


def built(part: str) -> bool:
    return all((folder(part) / name).exists() for name in BY_NAME[part].packages)


def build(part: str) -> Path:
    """Its folder, built when it is missing. Raises Missing without Go or a module proxy."""
    if not built(part):
        _build(BY_NAME[part])
    return folder(part)


def build_all() -> None:
    """Everything that is missing."""
    for part in BY_NAME:
        build(part)
    for kind in BY_KIND:
        definition(kind)


def _go() -> str:
    found = os.environ.get("GO") or shutil.which("go")
    if not found:
        raise Missing(
            "Go was not found; Kubernetes is built with it", "install Go 1.26.4 or newer, or set GO"
        )
    return found


def _environment() -> dict[str, str]:
    """Without -trimpath: with it a module that one go.mod replaces and another does not is compiled for
    each of them."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false",
        "GOWORK": "off",
    }


def _run(what: str, argv: list[str], where: Path) -> str:
    done = subprocess.run(
        argv, cwd=where, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(
            f"{what} was not built: `{' '.join(argv[:3])}` ended with {done.returncode}:\n"
            f"{done.stderr.strip()[-1500:]}",
            "is the Go module proxy reachable? `go env GOPROXY` says which one is asked",
        )
    return done.stdout


def _build(part: Part) -> None:
    began = time.monotonic()
    say(f"building {part.key}: {', '.join(part.packages)}")
    target = root() / part.key
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{part.key}.") as scratch:
        source = SOURCES / part.folder if part.folder else _argo_source(Path(scratch))
        flags = " ".join(["-s -w", *(f"-X {name}={value}" for name, value in part.stamps.items())])
        done = Path(scratch) / "bin"
        done.mkdir()
        _compile(part, source, flags, done)
        done.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        done.rename(target)
    say(f"building {part.key}: done", began)


def _compile(part: Part, source: Path, flags: str, done: Path) -> None:
    # Nobody steps through these: a sixth of the compiler's time is for what a debugger would read.
    command = [_go(), "build", "-mod=readonly", "-gcflags=all=-dwarf=false"]
    command += ["-ldflags", flags, "-o"]
    names, packages = [*part.packages], [*part.packages.values()]
    if len(names) > 1:
        _run(part.key, [*command, f"{done}/", *packages], source)
    else:
        _run(part.key, [*command, str(done / names[0]), *packages], source)


def module(wanted: str, its_sum: str) -> Path:
    """A module's source as the proxy has it (read-only), checked against its pinned sum."""
    said = json.loads(_run(wanted, [_go(), "mod", "download", "-json", wanted], SOURCES))
    if said["Sum"] != its_sum:
        raise Missing(f"{wanted} has another sum than the pinned one: {said['Sum']}")
    return Path(said["Dir"])


def argo_module() -> Path:
    return module(f"{ARGO_MODULE}@v{ARGO_CD}", ARGO_CD_SUM)


def definition(kind: str) -> Path:
    """The CustomResourceDefinition of a kind that an operator brings, as its authors publish it."""
    found = BY_KIND[kind]
    file = root() / "definitions" / f"{found.module.replace('/', '_')}_{kind}.yaml"
    if not file.exists():
        text = (module(found.module, found.sum) / found.path).read_bytes()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    return file


def _argo_source(scratch: Path) -> Path:
    """Its replace directives count only where it is the main module: it is built in a copy."""
    source = scratch / "source"
    shutil.copytree(argo_module(), source, copy_function=shutil.copyfile)
    for entry in [source, *source.rglob("*")]:
        if entry.is_dir():
            entry.chmod(0o755)
    _raise_libraries(source)
    page = source / "ui" / "dist" / "app" / "gitkeep"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.touch()
    return source


def _raise_libraries(source: Path) -> None:
    """Its Kubernetes libraries become those of the cluster's own programs, a patch release later.

    What was compiled for those is not compiled again. `go/argocd/raised.sum` has the modules, and their
    hashes as a go.sum; every other library is Argo CD's own choice.
    """
    hashes = (SOURCES / "argocd" / "raised.sum").read_text("utf-8")
    module = source / "go.mod"
    text = module.read_text("utf-8")
    for line in hashes.splitlines():
        name, version, _ = line.split()
        old = re.compile(rf"\b({re.escape(name)}) v\d+\.34\.0(?=\s)")
        text = old.sub(rf"\1 {version.removesuffix('/go.mod')}", text)
    module.write_text(text, "utf-8")
    with (source / "go.sum").open("a", encoding="utf-8") as sums:
        sums.write(hashes)
