"""Reading YAML that people wrote: safe types only, no duplicate keys, plain files."""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from trading.errors import DuplicateKey, FileUnreadable, InvalidSettings

_BYTES_LIMIT = 1_000_000


class _Loader(yaml.SafeLoader):
    """The safe loader, but a key that stands twice is refused, and so are aliases (YAML bombs)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a plain value", key_node.start_mark
                )
            if key in seen:
                line = key_node.start_mark.line + 1
                raise DuplicateKey(
                    f"{self.name}: line {line}: key {key!r} stands twice; remove one",
                    path=self.name,
                    line=line,
                    key=key,
                )
            seen.add(key)
        return super().construct_mapping(node, deep)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed")
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> object:
    """The document in `path`. Raises `FileUnreadable`, `DuplicateKey`, `InvalidSettings`."""
    try:
        # Non-blocking: a pipe in place of the file must not make this wait for ever.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        with os.fdopen(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise FileUnreadable(f"{path} is not a plain file", path=path)
            if status.st_size > _BYTES_LIMIT:
                raise FileUnreadable(
                    f"{path} has {status.st_size} bytes; {_BYTES_LIMIT} are allowed", path=path
                )
            loader = _Loader(file.read(_BYTES_LIMIT).decode())
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror}", path=path) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidSettings(f"{path} is not UTF-8 text", path=path) from error
    loader.name = str(path)
    try:
        document: object = loader.get_single_data()
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidSettings(f"{path} is not YAML: {error}", path=path) from error
    finally:
        loader.dispose()
    return document
