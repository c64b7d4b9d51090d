"""One function a rule: a node and what the names mean in, what is wrong in words out."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.stages.security.own import sql
from pipelines.stages.security.own.names import Names, constant, entries, keyword, open_ended

Judge = Callable[[ast.AST, Names], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """`same_as`: rules of bandit that say the same; one of them on the line is enough, and what
    suppresses one suppresses both."""

    name: str
    judge: Judge
    same_as: frozenset[str] = frozenset()


_SAFE_LOADERS = ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader")
_SHELLS = ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput")
_SHELL_PROGRAMS = ("sh", "bash", "dash", "zsh", "ksh", "/bin/sh", "/bin/bash")
_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "send")
_HTTP = ("requests", "httpx", "aiohttp", "urllib3", "websockets")
_NEED_TIMEOUT = {  # name → position of the argument
    "urllib.request.urlopen": 2,
    "http.client.HTTPConnection": 2,
    "http.client.HTTPSConnection": 2,
    "socket.create_connection": 1,
    "smtplib.SMTP": 3,
    "smtplib.SMTP_SSL": 3,
    "ftplib.FTP": 4,
}
_PICKLES = frozenset(
    f"{module}.{name}"
    for module in ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "joblib")
    for name in ("load", "loads", "Unpickler")
) | {"shelve.open", "pandas.read_pickle", "jsonpickle.decode", "jsonpickle.loads"}
_PASSWORD = re.compile(r"passw|passphrase|\bpwd\b|_pwd|pwd_", re.IGNORECASE)
_SECRET = re.compile(r"passw|secret|token|nonce|salt|session_?id|api_?key|otp", re.IGNORECASE)
_GUESSABLE = (
    *("random", "randint", "randrange", "choice", "choices", "getrandbits", "randbytes", "sample"),
    "uniform",
)


def jwt_verify_off(node: ast.AST, names: Names) -> str:
    if not isinstance(node, ast.Call) or not re.search(r"\bjwt\.decode$", names.dotted(node.func)):
        return ""
    options = keyword(node, "options")
    for value in names.values(options) if options is not None else []:
        off = [
            k for k, v in entries(value).items() if k.startswith("verify") and constant(v, False)
        ]
        if off:
            return f"a token is believed without {off[0]}"
    if constant(keyword(node, "verify"), False):
        return "a token is believed without looking at its signature"
    algorithms = keyword(node, "algorithms") or (node.args[2] if len(node.args) > 2 else None)
    if algorithms is None:
        return "" if open_ended(node) else "the token itself says by which algorithm it is verified"
    return "the algorithm none needs no key" if "'none'" in ast.dump(algorithms).lower() else ""


def yaml_unsafe(node: ast.AST, names: Names) -> str:
    if not isinstance(node, ast.Call):
        return ""
    name = names.dotted(node.func)
    if name in ("yaml.unsafe_load", "yaml.full_load", "yaml.unsafe_load_all", "yaml.full_load_all"):
        return f"{name} builds objects out of a text"
    if name not in ("yaml.load", "yaml.load_all"):
        return ""
    loader = keyword(node, "Loader") or (node.args[1] if len(node.args) > 1 else None)
    if loader is not None and names.dotted(loader).rpartition(".")[2] in _SAFE_LOADERS:
        return ""
    return f"{name} without a safe loader builds objects out of a text"


def shell(node: ast.AST, names: Names) -> str:
    if not isinstance(node, ast.Call):
        return ""
    name = names.dotted(node.func)
    if name in _SHELLS or name.endswith("create_subprocess_shell"):
        return f"{name} hands a text to a shell"
    asked = keyword(node, "shell")
    if asked is not None and not constant(asked, False, None):
        return "a shell reads the command: shell= is not False"
    if not name.startswith("subprocess.") and not name.endswith("create_subprocess_exec"):
        return ""
    words = node.args[0] if node.args else keyword(node, "args")
    if name.endswith("create_subprocess_exec"):
        words = ast.List(elts=node.args, ctx=ast.Load())
    return _shell_words(words)


def _shell_words(words: ast.expr | None) -> str:
    """`["sh", "-c", <made of parts>]` is a shell as well."""
    if not isinstance(words, ast.List | ast.Tuple) or len(words.elts) < 3:
        return ""
    program, option, text = words.elts[:3]
    is_shell = isinstance(program, ast.Constant) and program.value in _SHELL_PROGRAMS
    if is_shell and constant(option, "-c", "-lc") and not isinstance(text, ast.Constant):
        return "a shell reads a command that is put together here"
    return ""


def no_time_limit(node: ast.AST, names: Names) -> str:
    if not isinstance(node, ast.Call) or open_ended(node):
        return ""
    name = names.dotted(node.func)
    given = keyword(node, "timeout")
    package, verb = name.partition(".")[0], name.rpartition(".")[2]
    if package == "requests" and verb in _VERBS:
        return "" if given is not None and not constant(given, None) else _endless(name)
    if package == "httpx" and constant(given, None):
        return _endless(name)
    if name in _NEED_TIMEOUT:
        by_place = len(node.args) > _NEED_TIMEOUT[name]
        limited = by_place or (given is not None and not constant(given, None))
        return "" if limited else _endless(name)
    return ""


def _endless(name: str) -> str:
    return f"{name} without a time limit waits for ever"


def guessable_file(node: ast.AST, names: Names) -> str:
    if isinstance(node, ast.Call) and names.dotted(node.func) in ("tempfile.mktemp", "os.tempnam"):
        return "somebody else can be quicker to make a file of that name"
    return ""


def unpickles(node: ast.AST, names: Names) -> str:
    if not isinstance(node, ast.Call):
        return ""
    name = names.dotted(node.func)
    loads_any = name == "numpy.load" and constant(keyword(node, "allow_pickle"), True)
    torch = name == "torch.load" and not constant(keyword(node, "weights_only"), True)
    if name in _PICKLES or loads_any or torch:
        return f"{name} runs what its input says"
    return ""


def tls_off(node: ast.AST, names: Names) -> str:
    if isinstance(node, ast.Assign):
        return _tls_assigned(node, names)
    if not isinstance(node, ast.Call):
        return ""
    name = names.dotted(node.func)
    if name.endswith(("_create_unverified_context", "_create_stdlib_context")):
        return "any certificate is taken for the right one"
    speaks = name.split(".")[0] in _HTTP or name.rpartition(".")[2] in _VERBS
    for key in ("verify", "verify_ssl", "ssl"):
        if speaks and constant(keyword(node, key), False):
            return f"{key}=False: any certificate is taken for the right one"
    required = keyword(node, "cert_reqs")
    if required is not None and names.dotted(required).endswith("CERT_NONE"):
        return "CERT_NONE: any certificate is taken for the right one"
    return ""


def _tls_assigned(node: ast.Assign, names: Names) -> str:
    for target in node.targets:
        attribute = target.attr if isinstance(target, ast.Attribute) else ""
        if attribute in ("check_hostname", "verify") and constant(node.value, False):
            return f"{attribute} = False: any certificate is taken for the right one"
        if attribute == "verify_mode" and names.dotted(node.value).endswith("CERT_NONE"):
            return "CERT_NONE: any certificate is taken for the right one"
        if attribute == "_create_default_https_context":
            return "every connection of the process stops verifying certificates"
    return ""


def password_hash(node: ast.AST, names: Names) -> str:
    if not isinstance(node, ast.Call):
        return ""
    name = names.dotted(node.func)
    if not re.fullmatch(r"hashlib\.(md5|sha\d+|sha3_\d+|blake2[bs]|new)", name):
        return ""
    about = " ".join(_words(argument) for argument in node.args)
    if _PASSWORD.search(about):
        return f"{name} is quick to try: passwords need scrypt, argon2 or pbkdf2"
    return ""


def predictable_secret(node: ast.AST, names: Names) -> str:
    if not isinstance(node, ast.Assign) or not any(_SECRET.search(_words(t)) for t in node.targets):
        return ""
    for call in ast.walk(node.value):
        if isinstance(call, ast.Call):
            module, _, name = names.dotted(call.func).rpartition(".")
            if module == "random" and name in _GUESSABLE:
                return f"random.{name} can be predicted; take it from secrets"
    return ""


def _words(node: ast.expr) -> str:
    found = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    return " ".join(found + [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)])


RULES = (
    Rule("jwt-verify-off", jwt_verify_off),
    Rule("yaml-unsafe-load", yaml_unsafe, frozenset(("B506",))),
    Rule("shell", shell, frozenset(("B602", "B604", "B605", "B609"))),
    Rule("no-time-limit", no_time_limit, frozenset(("B113",))),
    Rule("sql-from-parts", sql.from_parts, frozenset(("B608", "B610", "B611"))),
    Rule("guessable-file", guessable_file, frozenset(("B306",))),
    Rule("unpickles-input", unpickles, frozenset(("B301", "B302", "B614"))),
    Rule("tls-verify-off", tls_off, frozenset(("B501", "B323"))),
    Rule("password-hash", password_hash, frozenset(("B303", "B324"))),
    Rule("predictable-secret", predictable_secret, frozenset(("B311",))),
)
