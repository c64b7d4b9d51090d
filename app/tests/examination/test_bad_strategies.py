"""Every bad strategy is refused, and for the right reason."""

from pathlib import Path

import pytest
from subjects import MATERIAL, examined, limits, package, problems

READ, RUN = "forbidden calls", "forbidden calls at run time"
MEMORY, HINDSIGHT = "memory in the source", "hindsight in the source"
BOX, STATE, AHEAD = "runs in the sandbox", "hidden state", "look-ahead"
SAMPLE = "trading.market_data.sample"

LEAKS: dict[str, dict[str, str]] = {
    "reads_the_file": {READ: "open is not for strategies", RUN: "import of gzip"},
    "imports_the_replay": {READ: "import of trading.market_data.replay", RUN: "market_data.replay"},
    "imports_the_sample_late": {READ: "import of trading.market_data", RUN: f"import of {SAMPLE}"},
    "importlib_trick": {READ: "import of importlib", RUN: "import of importlib"},
    "dunder_import": {READ: "__import__ is not for strategies", RUN: f"import of {SAMPLE}"},
    "eval_trick": {READ: "eval is not for strategies", RUN: "eval()"},
    "through_another_module": {READ: "import of sys out of statistics", AHEAD: "later bars"},
    "subclasses": {READ: ".__subclasses__ is part of", RUN: "getattr(…, '__globals__')"},
    "joined_names": {READ: "a text that is put together", RUN: "getattr(…, '__globals__')"},
    "dataclass_globals": {READ: ".__globals__ is part of", AHEAD: "later bars do not exist"},
    "format_string": {READ: "text names __globals__", AHEAD: "later bars do not exist"},
    "frame_walk": {READ: ".tb_frame is part of", RUN: "reading .tb_frame"},
    "garbage_collector": {READ: "import of gc", RUN: "import of gc"},
    "attrgetter": {READ: "operator.attrgetter", RUN: "operator.attrgetter"},
    "type_hints": {READ: "typing.get_type_hints evaluates", RUN: "typing.get_type_hints"},
    "package_data": {READ: "import of pkgutil", RUN: "import of pkgutil"},
    "maps_memory": {READ: "import of mmap", RUN: "import of ctypes"},
    "asks_the_database": {READ: "import of psycopg", RUN: "import of os"},
    "network": {READ: "import of socket", RUN: "import of socket"},
    "class_memory": {MEMORY: "Memory.closes", STATE: "bars of the future included"},
    "known_dates": {HINDSIGHT: "the date date(2008, 9, 15)"},
    "known_years": {HINDSIGHT: "history.now.year in (2008, 2012)"},
    "table_of_returns": {HINDSIGHT: "a table of 60 numbers"},
    "packed_number": {HINDSIGHT: "13 digits or more"},
}
"""Ways to know the future. What reading the source finds, the run finds too, or the replays."""

OTHERS: dict[str, dict[str, str]] = {
    "running_maximum": {MEMORY: "highest", STATE: "it keeps a memory"},
    "field_memory": {MEMORY: "self.lived.append", STATE: "it keeps a memory"},
    "chance": {READ: "never by chance", RUN: "import of random"},
    "clock": {READ: "reads the clock", "determinism": "two runs differ from"},
    "order_of_a_set": {"determinism": "two runs differ from 2012-05-18 on"},
    "raises": {BOX: "failed on the bars of 2012-06-13"},
    "loops": {BOX: "no answer within 1.5 s: does it loop?"},
    "eats_memory": {BOX: "out of memory"},
    "prints_a_gigabyte": {BOX: "it printed more than 65,536 bytes"},
    "forks": {READ: "import of sys out of statistics", RUN: "os.fork"},
    "leaves": {BOX: "it ended with exit code 0"},
    "asks_for_too_much": {BOX: "asked for 50 bars of FB, declared a lookback of 3"},
    "waits_for_ever": {"trades": "not a single signal on all days"},
    "wrong_answer": {BOX: "'buy' is not a signal of this strategy"},
    "cannot_load": {"interface and parameters": "RuntimeError: no"},
    "no_python": {READ: "the source is no Python", "interface and parameters": "SyntaxError"},
}
EXPECTED = {**LEAKS, **OTHERS}


def _source(name: str) -> str:
    return (MATERIAL / "bad" / f"{name}.py.txt").read_text()


def test_all_material_is_under_this_test_and_there_is_enough() -> None:
    assert {path.name.split(".")[0] for path in (MATERIAL / "bad").iterdir()} == set(EXPECTED)
    assert len(EXPECTED) >= 20
    assert len(LEAKS) >= 8


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_it_is_refused_for_the_right_reason(name: str, tmp_path: Path) -> None:
    asked = limits(answer_seconds=1.5) if name == "loops" else limits()
    found = examined(package(tmp_path, name, _source(name)), name, asked=asked)
    assert not found.ok
    told = problems(found)
    for check, words in EXPECTED[name].items():
        assert words in told.get(check, "(ok)"), (check, told)


def test_files_beside_the_source_and_links_are_refused(tmp_path: Path) -> None:
    from trading.examination.reading.strategy import reading_checks

    folder = tmp_path / "carries_data"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Fine."""\n')
    assert all(check.ok for check in reading_checks(folder, "carries_data"))
    (folder / "future.csv").write_text("2012-06-01,30\n")
    (folder / "link.py").symlink_to("/etc/passwd")
    first = reading_checks(folder, "carries_data")[0]
    assert not first.ok
    assert "future.csv: a file that is no source" in first.details[0]
    assert "link.py: a symbolic link" in first.details[1]


@pytest.mark.parametrize(
    "source",
    [b"x = '\0'\n", b"x = 1" + b" + 1" * 60_000, b"(" * 5_000, b"\xff\xfe = 1\n", b""],
    ids=["null byte", "endless sum", "parentheses", "no UTF-8", "empty"],
)
def test_odd_sources_never_stop_the_judge(source: bytes, tmp_path: Path) -> None:
    from trading.examination.reading.strategy import reading_checks

    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "__init__.py").write_bytes(source)
    checks = reading_checks(folder, "odd")
    assert len(checks) == 3
    assert all(check.ok for check in checks) == (not source)
