"""What a process is told, and how it refuses to be told nonsense."""

import os
import tempfile
from pathlib import Path

import pytest

from trading.errors import InvalidSettings, SettingMissing, SocketUnavailable, TokenFileUnsafe
from trading.listen import Address, parse_address
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


ON_A_CLUSTER = {"SLIPWAY_SLOT": "green", "SLIPWAY_LISTEN": "0.0.0.0:8080", "SLIPWAY_TRAFFIC": "row"}


def test_a_cluster_gives_an_address_and_the_row_instead_of_sockets_and_a_file() -> None:
    settings = Settings.from_environment(ON_A_CLUSTER)
    assert settings.listen == Address("0.0.0.0", 8080)
    assert settings.follows_row
    assert not Settings.from_environment({}).follows_row


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SLIPWAY_LIVE_FD": "3"}, "SLIPWAY_LISTEN and SLIPWAY_LIVE_FD are both set"),
        ({"SLIPWAY_SLOT_FD": "3"}, "SLIPWAY_LISTEN and SLIPWAY_SLOT_FD are both set"),
        ({"SLIPWAY_TRAFFIC_FILE": "/x"}, "SLIPWAY_TRAFFIC and SLIPWAY_TRAFFIC_FILE are both set"),
        ({"SLIPWAY_TRAFFIC": "live"}, "SLIPWAY_TRAFFIC is 'live'; it is row, or not set"),
        ({"SLIPWAY_SLOT": ""}, "it is blue or green"),
        ({"SLIPWAY_LISTEN": ""}, "so SLIPWAY_LISTEN must be HOST:PORT"),
        (
            {"SLIPWAY_DATABASE_URL": "postgresql:///x", "SLIPWAY_DATABASE_URL_FILE": "/x"},
            "SLIPWAY_DATABASE_URL and SLIPWAY_DATABASE_URL_FILE are both set",
        ),
    ],
)
def test_variables_that_contradict_each_other_are_refused(
    changes: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidSettings, match=message):
        Settings.from_environment({**ON_A_CLUSTER, **changes})


def test_a_process_that_follows_the_row_must_know_its_slot() -> None:
    without = {name: text for name, text in ON_A_CLUSTER.items() if name != "SLIPWAY_SLOT"}
    with pytest.raises(InvalidSettings, match="SLIPWAY_SLOT must say which slot this is"):
        Settings.from_environment(without)


@pytest.mark.parametrize("text", ["0.0.0.0:8080", "[::]:8080", "127.0.0.1:0", "[::1]:65535"])
def test_an_address_is_shown_as_it_was_read(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    ["8080", ":8080", "0.0.0.0", "0.0.0.0:", "0.0.0.0:http", "localhost:80", "::1:80", "[::1:80",
     "[127.0.0.1]:80", "0.0.0.0:65536", "0.0.0.0:-1", "0.0.0.0:８０", "300.0.0.1:80"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(InvalidSettings, match="SLIPWAY_LISTEN is '"):
        parse_address(text)


def _url(path: Path) -> str:
    settings = Settings.from_environment({"SLIPWAY_DATABASE_URL_FILE": str(path)})
    return settings.need_database_url()


def test_a_database_url_may_lie_in_a_file_of_its_owner(tmp_path: Path) -> None:
    url = "postgresql://me:word@db.example:5432/trading"  # not-a-secret: nobody's password
    file = tmp_path / "url"
    file.write_text(f"{url}\n")
    file.chmod(0o600)
    assert _url(file) == url
    file.chmod(0o640)
    with pytest.raises(TokenFileUnsafe, match=f"database URL file {file} has mode 0640"):
        _url(file)


# not-a-secret: nobody's password
@pytest.mark.parametrize("text", ["", "host=db password=word", "postgresql://a\npostgresql://b"])
def test_a_database_url_file_holds_one_uri_and_never_shows_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "url"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(TokenFileUnsafe, match="must hold one line") as refused:
        _url(file)
    assert "word" not in refused.value.message.replace("PASSWORD", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give somebody else a file")
@pytest.mark.parametrize(
    ("mode", "owner", "fine"),
    [(0o440, 0, True), (0o400, 0, False), (0o444, 0, False), (0o460, 0, False), (0o440, 7, False)],
)
def test_a_secret_that_a_cluster_mounts_is_roots_link_to_a_file_for_our_group(
    mode: int, owner: int, fine: bool
) -> None:
    """0400 without the group cannot be read at all; the last is a file of a third person."""
    with tempfile.TemporaryDirectory() as folder:
        assert _read_as_somebody(Path(folder), mode, owner) is fine


def _read_as_somebody(mount: Path, mode: int, owner: int) -> bool:
    mount.chmod(0o711)
    (mount / "..data").mkdir()
    real, link = mount / "..data" / "token", mount / "token"
    real.write_text("0123456789abcdef\n")
    os.chown(real, owner, 1234)
    real.chmod(mode)
    link.symlink_to("..data/token")
    (mount / "..data").chmod(0o711)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(1234)
        os.setuid(1234)
        try:
            os._exit(0 if _token(link) == "0123456789abcdef" else 2)
        except TokenFileUnsafe:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 1)
    return code == 0


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
    real = tmp_path / "real"
    real.write_text("0123456789abcdef\n")
    real.chmod(0o600)
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(real)
    os.mkfifo(pipe, 0o600)
    for path in (link, pipe, tmp_path, tmp_path / "missing"):
        with pytest.raises(TokenFileUnsafe):
            _token(path)
