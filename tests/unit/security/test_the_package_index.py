"""The index that this machine is configured for, over a real connection."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines.adapters import package_index
from pipelines.adapters.package_index import ask_index, index_url, json_base, parse_record
from pipelines.model.advisory import IndexRecord
from pipelines.model.errors import Unavailable

SETTINGS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "UV_CONFIG_FILE", "PIP_CONFIG_FILE",
            "UV_NO_INDEX", "UV_OFFLINE", "PIP_NO_INDEX", "XDG_CONFIG_HOME")  # fmt: skip


def answer(name: str = "example", **changed: Any) -> dict[str, Any]:
    return {
        "info": {"name": name, "version": "1.2.0", "yanked": False},
        "vulnerabilities": [],
    } | changed


class Index(ThreadingHTTPServer):
    """Answers what `answers` says for a path: an object, bytes, a code, or a time to sleep."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/simple/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Index)
        said = self.server.answers.get(self.path, 404)
        if isinstance(said, float):
            time.sleep(said)
            said = answer()
        code = said if isinstance(said, int) else 200
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    for name in (*SETTINGS, "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = Index()
    monkeypatch.setenv("UV_DEFAULT_INDEX", server.url)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_record_is_read(index: Index) -> None:
    index.answers["/pypi/example/json"] = answer(
        vulnerabilities=[
            {"id": "PYSEC-1", "aliases": ["CVE-1"], "withdrawn": None},
            {"id": "PYSEC-2", "aliases": [], "withdrawn": "2026-01-01T00:00:00Z"},
        ]
    )
    assert ask_index(["Example"]) == {
        "example": IndexRecord("1.2.0", False, {"PYSEC-1": ("CVE-1",)})
    }


def test_one_unknown_package_leaves_the_others_known(index: Index) -> None:
    index.answers["/pypi/example/json"] = answer()
    found = ask_index(["example", "private"])
    assert found["private"] == "the package index answered 404"
    assert isinstance(found["example"], IndexRecord)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"<html>", id="a page"),
        pytest.param(b"", id="nothing"),
        pytest.param([], id="a list"),
        pytest.param(answer(info=None), id="no info"),
        pytest.param(answer(name="other"), id="another package"),
        pytest.param(
            answer(info={"name": "example", "version": 1}), id="a version that is a number"
        ),
        pytest.param(answer(vulnerabilities="none"), id="a list that is a text"),
        pytest.param(answer(vulnerabilities=[{}]), id="an entry without id"),
    ],
)
def test_an_answer_that_is_no_record_is_not_an_all_clear(index: Index, said: Any) -> None:
    index.answers["/pypi/example/json"] = said
    assert isinstance(ask_index(["example"])["example"], str)


def test_an_index_without_such_a_list_says_so() -> None:
    said = answer()
    del said["vulnerabilities"]
    assert parse_record(said, "example") == IndexRecord("1.2.0", False, None)


def test_an_index_that_hangs_is_away(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index, "ANSWER_SECONDS", 0.2)
    index.answers["/pypi/example/json"] = 2.0
    with pytest.raises(Unavailable, match="does not answer"):
        ask_index(["example"])


def test_an_index_that_is_not_there_is_away(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    with pytest.raises(Unavailable, match="does not answer"):
        ask_index([f"package-{n}" for n in range(50)])


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"UV_DEFAULT_INDEX": "https://a/simple", "PIP_INDEX_URL": "https://b/simple"},
            "https://a/simple",
        ),
        ({"UV_DEFAULT_INDEX": "mirror=https://a/simple"}, "https://a/simple"),
        ({"UV_INDEX_URL": "https://a/simple"}, "https://a/simple"),
        ({"PIP_INDEX_URL": "https://b/simple"}, "https://b/simple"),
    ],
)
def test_the_index_follows_the_environment(variables: dict[str, str], expected: str) -> None:
    assert index_url(variables) == expected


def test_the_index_follows_the_files_of_uv_and_pip(tmp_path: Path) -> None:
    uv, pip = tmp_path / "uv.toml", tmp_path / "pip.conf"
    pip.write_text("[global]\nindex-url = https://b/simple\n")
    variables = {"UV_CONFIG_FILE": str(uv), "PIP_CONFIG_FILE": str(pip)}
    assert index_url(variables) == "https://b/simple"
    uv.write_text(
        '[[index]]\nurl = "https://x/simple"\n[[index]]\nurl = "https://a/simple"\ndefault = true\n'
    )
    assert index_url(variables) == "https://a/simple"


def test_where_no_index_is_configured_none_is_asked(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("")
    variables = {"UV_CONFIG_FILE": str(empty), "PIP_CONFIG_FILE": str(empty)}
    with pytest.raises(Unavailable, match="no package index is configured") as refused:
        index_url(variables)
    assert "--advisories" in refused.value.hint


@pytest.mark.parametrize("name", ["UV_OFFLINE", "UV_NO_INDEX", "PIP_NO_INDEX"])
def test_no_index_is_asked_where_indexes_are_switched_off(name: str) -> None:
    with pytest.raises(Unavailable, match=name):
        index_url({name: "1"})


def test_records_lie_beside_the_simple_index() -> None:
    assert json_base("https://a/root/simple/") == "https://a/root"
    assert json_base("https://a/mirror") == "https://a/mirror"


def test_another_machine_is_never_asked_in_plain_text() -> None:
    with pytest.raises(Unavailable, match="https is needed"):
        json_base("http://mirror.example/simple")
