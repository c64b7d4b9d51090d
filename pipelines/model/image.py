"""A container image that was made here."""

from __future__ import annotations

from dataclasses import dataclass

DOCKERFILE = "app/Dockerfile"

DEFAULT_BASE = "docker.io/library/python:3.12-slim-bookworm"
"""What images build on where nobody names another one: any with `python3` of CPython."""
DEFAULT_ENGINE_BASE = "docker.io/library/python:3.12-bookworm"
"""The engine's also needs git."""


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """`name` is repository and tag; `digest` that of its OCI manifest, equal for equal content;
    `base` the image it builds on and `size_bytes` that of all its layers, unpacked."""

    name: str
    digest: str
    base: str
    size_bytes: int
