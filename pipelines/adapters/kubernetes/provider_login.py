"""Logging in through a program or a provider, by the package `kubernetes` of the extra."""

from __future__ import annotations

import logging
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
    if not logging.root.handlers:
        # The package logs a program's failure; what it means is said here, and once.
        logging.root.addHandler(logging.NullHandler())
    try:
        config.load_kube_config(
            config_file=str(login.path), context=login.context, client_configuration=settings
        )
    except Exception as error:  # the package raises whatever the program's failure became
        raise _failed(login, f": {type(error).__name__}") from None
    token = _renewed(settings)
    if not token() and not settings.cert_file:
        raise _failed(login, "")
    trust = trusting(settings.ssl_ca_cert, None, insecure=not settings.verify_ssl)
    if settings.cert_file:
        trust.load_cert_chain(settings.cert_file, settings.key_file)
    return Connection(
        url=str(settings.host).rstrip("/"),
        trust=trust,
        token=token,
        namespace=login.namespace,
        proxy=str(settings.proxy or ""),
        context=login.context,
    )


def _failed(login: Login, why: str) -> Unavailable:
    return Unavailable(
        f"logging in to context {login.context} failed{why}",
        hint=f"kubectl --context {login.context} auth whoami",
    )


def _renewed(settings: Any) -> Callable[[], str]:
    """The package asks the program again when the token is about to expire."""
    lock = threading.Lock()

    def token() -> str:
        with lock:
            value = settings.get_api_key_with_prefix("BearerToken", alias="authorization") or ""
        return str(value).removeprefix("Bearer ")

    return token
