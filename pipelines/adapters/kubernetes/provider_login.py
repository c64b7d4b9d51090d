"""Logging in through a program or a provider, by the package `kubernetes` of the extra."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from pipelines.adapters.kubernetes.connection import Connection, trusting
from pipelines.adapters.kubernetes.kubeconfig import Login
from pipelines.model.errors import BadInput, Unavailable


def of_provider(login: Login) -> Connection:
    """Raises BadInput without the extra, Unavailable when the login program fails."""
    try:
        config: Any = import_module("kubernetes.config")
        client: Any = import_module("kubernetes.client")
    except ImportError:
        raise BadInput(
            f"context {login.context} in {login.path} logs in through a program",
            hint='pip install "slipway[kubernetes]"',
        ) from None
    settings = client.Configuration()
    try:
        config.load_kube_config(
            config_file=str(login.path), context=login.context, client_configuration=settings
        )
    except Exception as error:  # the package raises whatever the program's failure became
        raise Unavailable(
            f"logging in to context {login.context} failed: {type(error).__name__}",
            hint="kubectl --context " + login.context + " auth whoami",
        ) from None
    trust = trusting(settings.ssl_ca_cert, None, insecure=not settings.verify_ssl)
    if settings.cert_file:
        trust.load_cert_chain(settings.cert_file, settings.key_file)
    return Connection(
        url=str(settings.host).rstrip("/"),
        trust=trust,
        token=_renewed(settings),
        namespace=login.namespace,
        proxy=str(settings.proxy or ""),
        context=login.context,
    )


def _renewed(settings: Any) -> Callable[[], str]:
    """The package asks the program again when the token is about to expire."""
    lock = threading.Lock()

    def token() -> str:
        with lock:
            value = settings.get_api_key_with_prefix("authorization") or ""
        return str(value).removeprefix("Bearer ")

    return token
