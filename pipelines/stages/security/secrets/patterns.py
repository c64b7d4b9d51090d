"""What secrets look like in one line. A pattern's group `secret` is the secret, else the whole match.

Sources of the forms: the issuers' own documents (AWS "IAM identifiers", GitHub "token formats",
GitLab "token prefixes", Slack "token types", Stripe, PyPI, npm) and RFC 7468, RFC 7519.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """`sure`: the form alone says that it is a secret; looked for in binary files too."""

    rule: str
    form: re.Pattern[str]
    sure: bool = True


NAMED_SO = (
    r"[A-Za-z0-9_.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|credential)[A-Za-z0-9_.-]*"
)
"""Names of variables and keys that hold secrets."""

_SURE = {
    "aws-access-key": r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])",
    "github-token": r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_[A-Za-z0-9_]{22,255}\b",
    "gitlab-token": r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_-]{20,}",
    "slack-token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}",
    "slack-webhook": r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>T\w+/\w+/\w+)",
    "private-key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "age-key": r"\bAGE-SECRET-KEY-1[A-Z0-9]{40,}",
    "jwt": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}",
    "google-api-key": r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])",
    "stripe-key": r"\b[rs]k_live_[A-Za-z0-9]{16,}",
    "npm-token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "pypi-token": r"\bpypi-AgE[A-Za-z0-9_-]{50,}",
    "openai-key": r"\bsk-(?:proj-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{32,}",
    "huggingface-token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "sendgrid-key": r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    "pulumi-token": r"\bpul-[0-9a-f]{40}\b",
    "digitalocean-token": r"\bdo[opr]_v1_[0-9a-f]{64}\b",
    "vault-token": r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}",
}
_LIKELY = {
    "aws-secret-key": (r"aws.{0,30}?(?<![a-z0-9/+=])(?P<secret>[a-z0-9/+]{40})(?![a-z0-9/+=])"),
    "azure-key": r"AccountKey=(?P<secret>[a-z0-9+/]{40,}={0,2})",
    "connection-string": (
        r"\b[a-z][a-z0-9+.-]{1,30}://[^\s:/?#@'\"<>]{0,80}"
        r":(?P<secret>[^\s:/?#@'\"<>]{1,200})@[^\s/'\"]"
    ),
    "connection-settings": (
        r"\b(?:host|server|dbname|data source)\s*=[^\n]{0,200}?"
        r"\bpassword\s*=\s*(?P<secret>[^\s;'\"&]{3,200})"
    ),
    "authorization-header": (
        r"\bauthorization['\"]?\s*[:=,]\s*f?['\"]?(?:bearer|basic|token)\s+"
        r"(?P<secret>[a-z0-9+/._=-]{16,})"
    ),
    "dockerfile-env": (rf"^\s*(?:ENV|ARG)\s+(?:[^\n]*\s)?{NAMED_SO}(?:=|\s+)(?P<secret>[^\s]+)"),
    "assignment": (
        rf"^\s*(?:export\s+|set\s+)?{NAMED_SO}\s*=\s*"
        r"(?P<secret>(?=[^\d\s]*\d)(?=[^a-z\s]*[a-z])[^\s'\"`(){}\[\],;$.]{8,})\s*$"
    ),
}

PATTERNS = (
    *(Pattern(f"secret/{name}", re.compile(form)) for name, form in _SURE.items()),
    *(
        Pattern(f"secret/{name}", re.compile(form, re.IGNORECASE), sure=False)
        for name, form in _LIKELY.items()
    ),
)

_WORDS = (
    *("password", "passwd", "passphrase", "pass", "pw", "secret", "token", "changeme", "change-me"),
    *(
        "example",
        "placeholder",
        "redacted",
        "your-password",
        "yourpassword",
        "none",
        "null",
        "true",
    ),
    *("false", "user", "username", "test", "required", "...", "…"),
)
_MADE_LATER = re.compile(
    r"\$\w|\$\{|\$\(|\{\{|\}\}|^\{.*\}$|^<.*>?$|%\(|%s|^\$|\{[a-z_][a-z0-9_.]*\}", re.IGNORECASE
)
_HARMLESS = re.compile(
    r"\d{1,5}|[~.]{0,2}(/[\w.-]+){2,}/?|scram-sha-256"  # a small number, the path of a file, a method
)


PLACEHOLDER_DIGESTS = frozenset(
    hashlib.sha256(written.encode()).hexdigest()
    for word in _WORDS
    for written in (word, word.upper(), word.capitalize())
)
"""Of what a scanner found whose text is not known here."""


def placeholder(value: str) -> bool:
    """Whether a value only says that a secret will stand here: `${PASSWORD}`, `{{ … }}`, `<token>`,
    `****`, `changeme`. A sure form is never one."""
    plain = value.strip("'\"`,;")
    few = len(set(plain.lower())) <= 2
    known = plain.lower() in _WORDS or bool(_HARMLESS.fullmatch(plain))
    return few or known or bool(_MADE_LATER.search(plain))


def secret_of(pattern: Pattern, found: re.Match[str]) -> str:
    """The secret in a match; empty when it is only a placeholder."""
    secret = found["secret"] if "secret" in pattern.form.groupindex else found[0]
    return "" if not pattern.sure and placeholder(secret) else secret
