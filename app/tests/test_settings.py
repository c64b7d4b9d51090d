"""What a process is told, and how it refuses to be told nonsense."""

from pathlib import Path

import pytest

from trading.errors import InvalidSettings, SettingMissing, SocketUnavailable, TokenFileUnsafe
from trading.settings import Settings


def test_every_variable_has_its_field(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "SLIPWAY_ENVIRONMENT": "staging",
            "SLIPWAY_SLOT": "green",
            "SLIPWAY_RELEASE": "r1",
            "SLIPWAY_DATABASE_URL": "postgresql:///x?host=/run/x",
            "SLIPWAY_TOKEN_FILE": str(tmp_path / "token"),
            "SLIPWAY_VALUES": str(tmp_path / "values.yaml"),
            "SLIPWAY_VENUE_URL": "http://127.0.0.1:9/",
            "SLIPWAY_DATA_DIR": str(tmp_path),
            "SLIPWAY_TRAFFIC_FILE": str(tmp_path / "traffic"),
            "SLIPWAY_LIVE_FD": "3",
            "SLIPWAY_SLOT_FD": "4",
            "SLIPWAY_SOURCE_COMMIT": "abc",
            "SLIPWAY_SOURCE_AUTHOR": "somebody",
        }
    )
    assert (settings.environment, settings.slot, settings.release) == ("staging", "green", "r1")
    assert settings.need_venue_url() == "http://127.0.0.1:9"
    assert settings.need_data_dir() == tmp_path
    assert (settings.live_fd, settings.slot_fd) == (3, 4)
    assert (settings.source_commit, settings.source_author) == ("abc", "somebody")
    assert settings.with_changes(slot="blue").slot == "blue"


def test_what_is_missing_is_named_when_it_is_needed() -> None:
    settings = Settings.from_environment({})
    for need, name in (
        (settings.need_database_url, "SLIPWAY_DATABASE_URL"),
        (settings.need_venue_url, "SLIPWAY_VENUE_URL"),
        (settings.need_data_dir, "SLIPWAY_DATA_DIR"),
        (settings.token, "SLIPWAY_TOKEN_FILE"),
    ):
        with pytest.raises(SettingMissing, match=name):
            need()
    assert settings.values().strategies == {}


def test_a_slot_is_blue_or_green() -> None:
    with pytest.raises(InvalidSettings, match="'red'; it is blue or green"):
        Settings.from_environment({"SLIPWAY_SLOT": "red"})


@pytest.mark.parametrize("text", ["-1", "two", "1", "3.5"])
def test_a_descriptor_is_a_number_from_3_on(text: str) -> None:
    with pytest.raises(SocketUnavailable, match="SLIPWAY_LIVE_FD"):
        Settings.from_environment({"SLIPWAY_LIVE_FD": text})


def _token(path: Path) -> str:
    return Settings.from_environment({"SLIPWAY_TOKEN_FILE": str(path)}).token()


def test_a_token_file_of_its_owner_is_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("0123456789abcdef\n")
    file.chmod(0o600)
    assert _token(file) == "0123456789abcdef"


def test_a_token_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("0123456789abcdef\n")
    file.chmod(0o644)
    with pytest.raises(TokenFileUnsafe, match=f"has mode 0644; run: chmod 600 {file}"):
        _token(file)


@pytest.mark.parametrize(
    "content",
    [b"", b"short\n", b"x" * 5000, b"0123456789\n0123456789", b"\xff" * 20],
    ids=["empty", "short", "long", "two lines", "not ASCII"],
)
def test_a_token_is_one_line_of_16_characters_or_more(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(TokenFileUnsafe):
        _token(file)


def test_a_token_file_is_a_plain_file(tmp_path: Path) -> None:
    import os

    real = tmp_path / "real"
    real.write_text("0123456789abcdef\n")
    real.chmod(0o600)
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(real)
    os.mkfifo(pipe, 0o600)
    for path in (link, pipe, tmp_path, tmp_path / "missing"):
        with pytest.raises(TokenFileUnsafe):
            _token(path)
