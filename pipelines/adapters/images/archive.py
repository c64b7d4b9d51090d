"""An image as a file whose bytes follow from its content: the same build twice is the same digest.

Engines write times, container ids and their own version into what they build. Here the layers above
the base image become one, sorted, without times; configuration and manifest keep what matters. The
file is an OCI layout and a docker-archive at once: `docker load`, `ctr images import` and `skopeo`
read it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from pipelines.adapters.images.docker import as_json
from pipelines.adapters.images.layers import SECONDS, TIME, merge

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_KEPT = ("Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "StopSignal", "User",
         "Volumes", "WorkingDir")  # fmt: skip


def rewrite(saved: Path, target: Path, name: str, base_layers: Sequence[str]) -> tuple[str, int]:
    """`saved` (of `docker save`) becomes `target`, called `name`. Returns the digest of its manifest
    and the bytes of all layers. `base_layers`: digests of the layers that are kept as they are."""
    with tarfile.open(saved) as archive, tempfile.TemporaryDirectory(dir=target.parent) as folder:
        (described,) = json.loads(_member(archive, "manifest.json").read())
        config = json.loads(_member(archive, described["Config"]).read())
        kept = len(base_layers)
        blobs: dict[str, Path] = {}
        layers = [
            _add(blobs, _copy(_member(archive, layer), Path(folder) / str(number)))
            for number, layer in enumerate(described["Layers"][:kept])
        ]
        own = [_member(archive, layer) for layer in described["Layers"][kept:]]
        layers.append(_add(blobs, merge(own, Path(folder) / "own")))
        text = as_json(_configuration(config, layers))
        digest = _add(blobs, _write(Path(folder) / "config", text))
        text = as_json(_manifest(blobs, digest, layers))
        manifest = _add(blobs, _write(Path(folder) / "manifest", text))
        _put_together(target, name, blobs, (manifest, digest, *layers))
        return f"sha256:{manifest}", sum(blobs[layer].stat().st_size for layer in layers)


def _configuration(config: Mapping[str, Any], layers: Sequence[str]) -> dict[str, Any]:
    """Of the first `config`, what a runtime reads; what an engine noted about itself is left out."""
    inner = {key: config["config"][key] for key in _KEPT if config["config"].get(key)}
    steps = [{"created": TIME, "created_by": "base image"} for _ in layers[1:]]
    return {
        "architecture": config["architecture"],
        "os": config["os"],
        "created": TIME,
        "config": inner,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}" for layer in layers]},
        "history": [*steps, {"created": TIME, "created_by": "slipway image"}],
    }


def _manifest(blobs: Mapping[str, Path], config: str, layers: Sequence[str]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _described(_CONFIG, config, blobs),
        "layers": [_described(_LAYER, layer, blobs) for layer in layers],
    }


def _described(kind: str, digest: str, blobs: Mapping[str, Path]) -> dict[str, Any]:
    size = blobs[digest].stat().st_size
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


def _put_together(target: Path, name: str, blobs: Mapping[str, Path], parts: Sequence[str]) -> None:
    """`parts`: digests of manifest, configuration and layers."""
    manifest, config, *layers = parts
    notes = {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rpartition(":")[2],
    }
    index = {**_described(_MANIFEST, manifest, blobs), "annotations": notes}
    for_docker = {
        "Config": f"blobs/sha256/{config}",
        "RepoTags": [name],
        "Layers": [f"blobs/sha256/{layer}" for layer in layers],
    }
    making = target.with_name(f".{target.name}.making")
    try:
        with tarfile.open(making, "w", format=tarfile.PAX_FORMAT) as archive:
            _text(archive, "oci-layout", {"imageLayoutVersion": "1.0.0"})
            _text(archive, "index.json", {"schemaVersion": 2, "manifests": [index]})
            _text(archive, "manifest.json", [for_docker])
            for digest in sorted(blobs):
                with blobs[digest].open("rb") as stream:
                    entry = _entry(f"blobs/sha256/{digest}", blobs[digest].stat().st_size)
                    archive.addfile(entry, stream)
        making.replace(target)
    finally:
        making.unlink(missing_ok=True)


def _text(archive: tarfile.TarFile, name: str, value: object) -> None:
    content = as_json(value)
    archive.addfile(_entry(name, len(content)), io.BytesIO(content))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = size, SECONDS
    return entry


def _add(blobs: dict[str, Path], file: Path) -> str:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    blobs[digest] = file
    return digest


def _copy(packed: IO[bytes], file: Path) -> Path:
    """Unpacked: newer engines save layers as they came from a registry."""
    gzipped = packed.read(2) == b"\x1f\x8b"
    packed.seek(0)
    source = cast("IO[bytes]", gzip.GzipFile(fileobj=packed)) if gzipped else packed
    with file.open("wb") as out:
        while block := source.read(1 << 20):
            out.write(block)
    return file


def _write(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    return cast("IO[bytes]", archive.extractfile(name))
