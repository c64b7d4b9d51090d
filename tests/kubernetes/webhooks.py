"""An admission webhook: a server of its own over TLS, which says yes, no, or something else."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.cluster.certificates import Authority

Judge = Callable[[dict[str, Any]], dict[str, Any]]
"""The request of an AdmissionReview → what the answer says of it beside its uid."""


def deny(message: str) -> Judge:
    return lambda request: {"allowed": False, "status": {"code": 403, "message": message}}


@contextlib.contextmanager
def webhook(folder: Path, judge: Judge) -> Iterator[dict[str, Any]]:
    """The `clientConfig` of one that runs until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            response = {"uid": review["request"]["uid"], **judge(review["request"])}
            body = json.dumps({**review, "request": None, "response": response}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    Authority(folder).sign("webhook", "webhook", names=("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "webhook.crt", folder / "webhook.key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield {
            "url": f"https://127.0.0.1:{server.server_port}/",
            "caBundle": base64.b64encode((folder / "ca.crt").read_bytes()).decode(),
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def rewrite(*patch: dict[str, Any]) -> Judge:
    """What comes is changed by this JSON patch, again and again."""
    encoded = base64.b64encode(json.dumps(patch).encode()).decode()
    return lambda request: {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


def configuration(
    kind: str, namespace: str, resources: str, client: dict[str, Any]
) -> dict[str, Any]:
    """`kind`: Validating or Mutating; asked about every such object of the namespace."""
    hook = {
        "name": "guard.example.org",
        "clientConfig": client,
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"],
                   "resources": [resources]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "sideEffects": "None",
        "timeoutSeconds": 1,
        "admissionReviewVersions": ["v1"],
    }  # fmt: skip
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": f"guard-{namespace}"},
        "webhooks": [hook],
    }
