"""The helper process that holds Helm's library: killed, slow, abandoned, asked by many."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.adapters.kubernetes.helm_library import HelmLibrary
from pipelines.adapters.process import start_ticks
from pipelines.model.errors import Unavailable
from tests.support.charts import CHARTS, ROOT

pytest.importorskip("helm_python", reason="no wheel of it for this machine")
EDGE = CHARTS / "edge"


@pytest.fixture
def library() -> Iterator[HelmLibrary]:
    found = HelmLibrary()
    yield found
    found.close()


def render(library: HelmLibrary, chart: Path = EDGE) -> str:
    return library.render(chart, [], name="edge", namespace="slipway-dev")


def helper(library: HelmLibrary) -> int:
    assert library._child is not None
    return library._child.pid


def test_one_helper_renders_again_and_again(library: HelmLibrary) -> None:
    first = render(library)
    pid = helper(library)
    assert [render(library) for _ in range(3)] == [first] * 3
    assert helper(library) == pid


def test_a_helper_that_was_killed_is_replaced(library: HelmLibrary) -> None:
    first = render(library)
    pid = helper(library)
    os.kill(pid, signal.SIGKILL)
    assert render(library) == first
    assert helper(library) != pid


def test_a_helper_that_nobody_needs_gives_its_memory_back() -> None:
    library = HelmLibrary(idle_seconds=0.5)
    try:
        first = render(library)
        pid = helper(library)
        deadline = time.monotonic() + 10
        while start_ticks(pid) is not None:
            assert time.monotonic() < deadline, "it is still there"
            time.sleep(0.05)
        assert render(library) == first
        assert helper(library) != pid
    finally:
        library.close()


def test_a_helper_that_does_not_answer_in_time_is_ended_and_said_so(tmp_path: Path) -> None:
    chart = tmp_path / "slow"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: slow\nversion: 0.1.0\n")
    loop = "{{ range until 30000 }}{{ range until 30000 }}{{ end }}{{ end }}"
    (chart / "templates" / "loop.yaml").write_text(loop)
    library = HelmLibrary(seconds=2.0)
    try:
        render(library)
        pid, began = helper(library), time.monotonic()
        with pytest.raises(Unavailable, match="did not answer within 2 s"):
            render(library, chart)
        assert time.monotonic() - began < 5
        assert start_ticks(pid) is None
        assert "kind: Service" in render(library)
    finally:
        library.close()


def test_it_ends_with_its_parent_even_when_that_is_killed() -> None:
    program = f"""
        import time
        from pathlib import Path
        from pipelines.adapters.kubernetes.helm_library import HelmLibrary
        library = HelmLibrary()
        library.render(Path({str(EDGE)!r}), [], name="x", namespace="y")
        print(library._child.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert start_ticks(child) is not None
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 10
    while start_ticks(child) is not None and time.monotonic() < until:
        time.sleep(0.05)
    assert start_ticks(child) is None


def test_several_threads_get_each_its_own_answer(library: HelmLibrary) -> None:
    texts: dict[str, str] = {}

    def ask(slot: str) -> None:
        over = [{"activeSlot": slot}]
        texts[slot] = library.render(EDGE, over, name="edge", namespace="n")

    threads = [threading.Thread(target=ask, args=(slot,)) for slot in ("blue", "green")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts["blue"] != texts["green"]
    for slot, text in texts.items():
        assert text == library.render(EDGE, [{"activeSlot": slot}], name="edge", namespace="n")


def test_a_library_that_cannot_be_loaded_is_said_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: HelmLibrary
) -> None:
    garbage = tmp_path / "libhelm_c.so"
    garbage.write_text("not a library\n")
    monkeypatch.setenv("HELM_C_LIB", str(garbage))
    with pytest.raises(Unavailable, match="Helm's library cannot be used") as refusal:
        render(library)
    assert "slipway[kubernetes]" in refusal.value.hint
