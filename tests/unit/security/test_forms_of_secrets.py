"""Secrets are known by their form; placeholders are left alone. All of these are made up."""

from __future__ import annotations

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.stages.security.secrets import search
from pipelines.stages.security.secrets.texts import Text, decoded

# Put together here, so that no scanner takes this file for a leak.
MIX = "".join(f"{chr(97 + n)}{(n + 1) % 10}{chr(66 + n)}" for n in range(14))[:40]
SECRETS = {
    "aws-access-key": "AK" + "IAQ3EGWZ7XN5RJT2LK",
    "github-token": "gh" + "p_" + MIX[:36],
    "gitlab-token": "gl" + "pat-" + MIX[:20],
    "slack-token": "xo" + "xb-" + "123456789012-abc" + "defABCDEF",
    "slack-webhook": "https://hooks.sl" + "ack.com/services/T00000000/B00000000/" + MIX[:24],
    "private-key": "-----BEGIN OPENSSH PRIV" + "ATE KEY-----",
    "age-key": "AGE-SEC" + "RET-KEY-1" + MIX.upper(),
    "jwt": "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0." + MIX,
    "google-api-key": "AI" + "za" + MIX[:35],
    "stripe-key": "sk_" + "live_" + MIX[:24],
    "npm-token": "np" + "m_" + MIX[:36],
    "pypi-token": "py" + "pi-AgE" + MIX + MIX,
    "openai-key": "s" + "k-" + MIX,
    "huggingface-token": "h" + "f_" + MIX[:34],
    "sendgrid-key": "S" + "G." + MIX[:22] + "." + MIX,
    "pulumi-token": "pu" + "l-" + "0a" * 20,
    "digitalocean-token": "do" + "p_v1_" + "0a" * 32,
    "vault-token": "hv" + "s." + MIX[:24],
    "aws-secret-key": "aws_sec" + "ret_access_key = " + MIX,
    "azure-key": "Account" + "Key=" + MIX + MIX + "==",
    "connection-string": "postgres://admin:hun" + "ter2@db:5432/x",
    "connection-settings": "host=db dbname=x pass" + "wo" + "rd=hunter2 user=a",
    "authorization-header": "Authori" + "zation: Bearer " + MIX,
    "dockerfile-env": "ENV DB_PASS" + "WORD=hunter2",
    "assignment": "export API_TO" + "KEN=" + MIX[:20],
}


def rules(text: str, path: str = "a.txt") -> set[str]:
    return {leak.rule for leak in search.own_leaks(decoded(path, text.encode()))}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_known_by_its_form(name: str) -> None:
    assert f"secret/{name}" in rules(f"some text\n{SECRETS[name]}\n")


@pytest.mark.parametrize(
    "line",
    [
        "postgres://user:${PASSWORD}@db/x",
        "postgres://user:{password}@db/x",
        "postgres://user:password@localhost/x",
        "https://user:****@example.org",
        "https://example.org/a:b@c",
        "ENV DB_PASSWORD=$DB_PASSWORD",
        "ENV TOKEN_FILE=/run/secrets/token",
        "ARG NPM_TOKEN",
        "Authorization: Bearer <token>",
        "Authorization: Bearer {{ token }}",
        "export API_TOKEN=$(cat token)",
        "token = self.tokens[4].value2",
        "password_encryption = scram-sha-256",
        "max_tokens=4096",
        "the public part: -----BEGIN PUBLIC KEY-----",
        "sk-learn and sk_test_" + MIX[:24],
        "sha256:" + "0a" * 32,
    ],
)
def test_what_only_says_where_a_secret_comes_from_is_left_alone(line: str) -> None:
    assert rules(line) == set()


ENVIRONMENT = """
spec:
  containers:
    - env:
        - name: DB_PASSWORD
          value: {value}
        - name: LOG_LEVEL
          value: debug-information
"""
SECRET = """
apiVersion: v1
kind: Secret
metadata:
  name: database
{key}:
  password: {value}
---
kind: ConfigMap
data:
  plain: some-configuration
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ENVIRONMENT.format(value="hunter2hunter2"), {("secret/kubernetes-env", 6)}),
        (ENVIRONMENT.format(value="{{ .Values.password }}"), set()),
        (ENVIRONMENT.format(value='""'), set()),
        ('env: [{name: "API_KEY", value: "abcdef12"}]', {("secret/kubernetes-env", 1)}),
        (SECRET.format(key="data", value="aHVudGVyMg=="), {("secret/kubernetes-secret", 7)}),
        (SECRET.format(key="stringData", value="hunter2"), {("secret/kubernetes-secret", 7)}),
        (SECRET.format(key="stringData", value="|\n    hunter2x"), {("secret/kubernetes-secret", 8)}),
        (SECRET.format(key="data", value="{{ $password | b64enc }}"), set()),
        (SECRET.format(key="data", value="aHVudGVyMg==").replace("kind: Secret", "kind: Thing"), set()),
    ],
)  # fmt: skip
def test_manifests_are_read_across_lines(text: str, expected: set[tuple[str, int]]) -> None:
    found = search.own_leaks(decoded("charts/x/templates/a.yaml", text.encode()))
    assert {(leak.rule, leak.line) for leak in found if "kubernetes" in leak.rule} == expected


@pytest.mark.parametrize("path", [".env", "a/id_rsa", "b/c.p12", "keys/server.key", ".netrc"])
def test_files_that_are_there_to_hold_secrets_are_named(path: str) -> None:
    assert rules("anything", path) == {"secret/key-file"}


def test_a_secret_hides_neither_in_another_encoding_nor_in_a_binary_file() -> None:
    secret = SECRETS["github-token"]
    for content in (f"x {secret}".encode("utf-16"), b"\0\x01\xff " + secret.encode() + b"\0"):
        found = search.own_leaks(decoded("a.bin", content))
        assert {leak.rule for leak in found} == {"secret/github-token"}


@given(before=st.integers(0, 5000), after=st.integers(0, 3000))
def test_a_secret_is_found_wherever_it_stands_in_a_long_line(before: int, after: int) -> None:
    line = "-" * before + " " + SECRETS["github-token"] + " " + "-" * after
    assert "secret/github-token" in rules(line)


@given(st.text(string.ascii_letters + string.digits, min_size=36, max_size=36))
def test_of_a_secret_four_characters_and_a_digest_are_kept(random: str) -> None:
    secret = "gh" + "p_" + random
    leaks = list(search.own_leaks(Text("a", ((1, f"x {secret}"),))))
    assert leaks
    for leak in leaks:
        assert secret not in repr(leak)
        assert leak.start == secret[:4]
        assert leak.digest == hashlib.sha256(secret.encode()).hexdigest()
