"""What a controller needed for a moment does not stay its own: glibc takes both settings."""

from __future__ import annotations

import platform
import subprocess
import sys

ASKED = "from pipelines.controller.allocator import keep_little; print(keep_little())"


def test_the_allocator_takes_the_settings_where_it_is_glibc_and_says_so_elsewhere() -> None:
    said = subprocess.run([sys.executable, "-c", ASKED], check=True, stdout=subprocess.PIPE)
    assert said.stdout.decode().strip() == str(platform.libc_ver()[0] == "glibc")
