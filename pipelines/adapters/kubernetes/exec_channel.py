"""A command in a pod: WebSocket, one channel a stream (`v5.channel.k8s.io`, or `v4` of old servers)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from pipelines.adapters.kubernetes.connection import Connection
from pipelines.adapters.kubernetes.refusals import refusal
from pipelines.model.errors import BadInput, Unavailable
from pipelines.targets.kubernetes.cluster import ExecResult

STDOUT, STDERR, ERROR = 1, 2, 3
PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
CONNECT_SECONDS = 10.0
NOT_STARTED = 126
MOST_BYTES = 16 * 1024 * 1024


def run_in_pod(
    connection: Connection,
    namespace: str,
    pod: str,
    container: str,
    argv: Sequence[str],
    timeout_seconds: float,
) -> ExecResult:
    """`code` is None when it took longer; the process in the pod may then still run."""
    doing = f"run {argv[0] if argv else 'nothing'} in Pod {namespace}/{pod}"
    until = time.monotonic() + timeout_seconds
    channel = _open(connection, _address(connection, namespace, pod, container, argv), doing)
    try:
        return _read(channel, until, doing)
    finally:
        channel.shutdown()


def _address(
    connection: Connection, namespace: str, pod: str, container: str, argv: Sequence[str]
) -> str:
    words = [("command", word) for word in argv]
    query = urlencode([("container", container), ("stdout", "1"), ("stderr", "1"), *words])
    path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/exec"
    return f"ws{connection.url.removeprefix('http')}{path}?{query}"


def _open(connection: Connection, address: str, doing: str) -> Any:
    try:
        import websocket
    except ImportError:
        raise BadInput(f"cannot {doing}", hint='pip install "slipway[kubernetes]"') from None
    token = connection.token()
    try:
        return websocket.create_connection(
            address,
            timeout=CONNECT_SECONDS,
            header=[f"Authorization: Bearer {token}"] if token else [],
            sslopt=_tls(connection),
            subprotocols=PROTOCOLS,
            skip_utf8_validation=True,
        )
    except websocket.WebSocketBadStatusException as error:
        raise refusal(doing, error.status_code, error.resp_body or b"") from None
    except (websocket.WebSocketException, OSError):
        raise Unavailable(f"cannot {doing}: {connection.url} does not answer") from None


def _tls(connection: Connection) -> dict[str, Any]:
    options: dict[str, Any] = {"context": connection.trust} if connection.trust else {}
    if options and connection.server_name:
        options["server_hostname"] = connection.server_name
    return options


def _read(channel: Any, until: float, doing: str) -> ExecResult:
    import websocket

    streams = {STDOUT: bytearray(), STDERR: bytearray(), ERROR: bytearray()}
    code: int | None = None
    try:
        while (left := until - time.monotonic()) > 0:
            channel.settimeout(left)
            operation, data = channel.recv_data()
            if operation == websocket.ABNF.OPCODE_CLOSE:
                break
            if data and data[0] in streams and len(streams[data[0]]) < MOST_BYTES:
                streams[data[0]] += data[1:]
            if streams[ERROR]:
                code, said = ended(bytes(streams[ERROR]))
                streams[STDERR] += said.encode()
                break
    except (websocket.WebSocketTimeoutException, TimeoutError):
        code = None
    except (websocket.WebSocketException, OSError):
        raise Unavailable(f"cannot {doing}: the connection broke before it ended") from None
    return ExecResult(code, _text(streams[STDOUT]), _text(streams[STDERR]))


def ended(status: bytes) -> tuple[int, str]:
    """Of the `Status` that ends a command: its exit code, and words where it was never started
    (code 126)."""
    document = json.loads(status)
    if document.get("status") == "Success":
        return 0, ""
    for cause in (document.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"]), ""
    return NOT_STARTED, str(document.get("message") or "the command could not be started")


def _text(data: bytearray) -> str:
    return data.decode(errors="replace")
