"""Each own rule says yes to bad code, for its own reason, and no to the good way of doing the same."""

from __future__ import annotations

import textwrap

import pytest

from pipelines.stages.security.own.program import judge
from pipelines.stages.security.own.rules import RULES

BAD = {
    "jwt-verify-off": [
        "import jwt\njwt.decode(t, k, options={'verify_signature': False})",
        "from jose import jwt\njwt.decode(t, k, algorithms=['HS256'], options=dict(verify_aud=False))",
        "import jwt as j\nj.decode(t, k, verify=False)",
        "import jwt\njwt.decode(t, k)",
        "import jwt\njwt.decode(t, k, algorithms=['HS256', 'none'])",
        "import jwt\noff = {'verify_signature': False}\njwt.decode(t, k, options=off)",
    ],
    "yaml-unsafe-load": [
        "import yaml\nyaml.load(text)",
        "import yaml as y\ny.load(text, Loader=y.Loader)",
        "from yaml import load\nload(text, MyLoader)",
        "import yaml\nyaml.unsafe_load(text)",
        "import yaml\nyaml.full_load(text)",
    ],
    "shell": [
        "import subprocess\nsubprocess.run(c, shell=True)",
        "from subprocess import Popen as P\nP(c, shell=flag)",
        "import os\nos.system(c)",
        "import os\nos.popen('ls ' + c)",
        "import asyncio\nasyncio.create_subprocess_shell(c)",
        "import subprocess\nsubprocess.run(['sh', '-c', f'ls {c}'])",
        "import subprocess\nsubprocess.getoutput(c)",
    ],
    "no-time-limit": [
        "import requests\nrequests.get(u)",
        "import requests\nrequests.post(u, timeout=None)",
        "import requests\ns = requests.Session()\ns.get(u)",
        "import requests\nwith requests.Session() as s:\n    s.put(u)",
        "import httpx\nhttpx.get(u, timeout=None)",
        "import httpx\nc = httpx.Client(timeout=None)",
        "from urllib.request import urlopen\nurlopen(u)",
        "import socket\nsocket.create_connection(a)",
    ],
    "sql-from-parts": [
        "db.execute(f\"select * from t where a = '{x}'\")",
        "db.execute('select * from t where a = %s' % x)",
        "db.execute('select * from t where a = ' + x)",
        "db.execute('select * from t where a = {}'.format(x))",
        "query = f'delete from {table}'\ncursor.execute(query)",
        "from sqlalchemy import text\nc.scalar(text(f'select {x} from t'))",
        "async def f():\n    await c.fetchrow(f'select 1 from t where a = {x}')",
        "db.execute(f\"insert into t values ({', '.join(values)})\")",
        "db.executemany(f'update t set {name} = ?', rows)",
    ],
    "guessable-file": [
        "import tempfile\ntempfile.mktemp()",
        "from tempfile import mktemp\nmktemp()",
    ],
    "unpickles-input": [
        "import pickle\npickle.loads(b)",
        "import cloudpickle as p\np.load(f)",
        "from joblib import load\nload(f)",
        "import pandas as pd\npd.read_pickle(f)",
        "import numpy as np\nnp.load(f, allow_pickle=True)",
        "import torch\ntorch.load(f)",
        "import shelve\nshelve.open(f)",
    ],
    "tls-verify-off": [
        "import requests\nrequests.get(u, verify=False, timeout=1)",
        "import httpx\nhttpx.Client(verify=False)",
        "import ssl\nc = ssl._create_unverified_context()",
        "import ssl\nc.verify_mode = ssl.CERT_NONE",
        "c.check_hostname = False",
        "import ssl\nssl._create_default_https_context = other",
        "import aiohttp\naiohttp.ClientSession().get(u, ssl=False)",
    ],
    "password-hash": [
        "import hashlib\nhashlib.md5(password.encode())",
        "from hashlib import sha1\nsha1(user.passwd)",
        "import hashlib\nhashlib.new('sha256', request.password.encode())",
    ],
    "predictable-secret": [
        "import random\ntoken = random.choice(letters)",
        "import random as r\nself.session_id = ''.join(r.choices(letters, k=20))",
    ],
}

GOOD = {
    "jwt-verify-off": [
        "import jwt\njwt.decode(t, k, algorithms=['EdDSA'])",
        "import jwt\njwt.decode(t, k, algorithms=A, options={'verify_exp': True})",
        "json.decode(t)",
    ],
    "yaml-unsafe-load": [
        "import yaml\nyaml.safe_load(text)",
        "import yaml\nyaml.load(text, Loader=yaml.SafeLoader)",
        "import yaml\nyaml.load(text, yaml.CSafeLoader)",
        "json.load(text)",
    ],
    "shell": [
        "import subprocess\nsubprocess.run(['ls', c], shell=False)",
        "import subprocess\nsubprocess.run(['sh', '-c', 'exec true'])",
    ],
    "no-time-limit": [
        "import requests\nrequests.get(u, timeout=5)",
        "import requests\nrequests.get(u, **options)",
        "import httpx\nhttpx.get(u)",
        "from urllib.request import urlopen\nurlopen(u, None, 5)",
        "import socket\nsocket.create_connection(a, 5)",
    ],
    "sql-from-parts": [
        "db.execute('select * from t where a = %s', [x])",
        "db.execute(f'select {_COLUMNS} from t')",
        "db.execute(f\"insert into t values ({', '.join('?' * 12)})\")",
        "db.execute(f\"insert into t values ({', '.join('%s' for _ in rows)})\")",
        "from psycopg import sql\ndb.execute(sql.SQL('select {}').format(sql.Identifier(x)))",
        "pool.execute(f'job {x}')",
        "tree.text(f'environments/{x}/values.yaml')",
        "folder.copy(f'{x}/copy')",
    ],
    "guessable-file": ["import tempfile\ntempfile.mkstemp()"],
    "unpickles-input": [
        "import json\njson.loads(b)",
        "import numpy as np\nnp.load(f)",
        "import torch\ntorch.load(f, weights_only=True)",
    ],
    "tls-verify-off": [
        "import httpx\nhttpx.Client(verify=context)",
        "restore(verify=False)",
        "c.check_hostname = True",
    ],
    "password-hash": [
        "import hashlib\nhashlib.sha256(content)",
        "import hashlib\nhashlib.scrypt(password, salt=s, n=2**14, r=8, p=1)",
    ],
    "predictable-secret": [
        "import secrets\ntoken = secrets.token_hex()",
        "import random\nsample = random.sample(rows, 5)",
    ],
}

NAMES = [rule.name for rule in RULES]


def found_in(code: str) -> set[str]:
    return {str(found[0]) for found in judge("a.py", textwrap.dedent(code))[0]}


@pytest.mark.parametrize(("rule", "code"), [(r, c) for r in NAMES for c in BAD[r]])
def test_bad_code_is_found_for_its_own_reason(rule: str, code: str) -> None:
    assert found_in(code) == {rule}


@pytest.mark.parametrize(("rule", "code"), [(r, c) for r in NAMES for c in GOOD[r]])
def test_the_good_way_is_left_alone(rule: str, code: str) -> None:
    assert found_in(code) == set()


def test_a_finding_names_its_lines() -> None:
    found, _ = judge("a.py", "import os\n\nos.system(\n    command\n)\n")
    assert [entry[:4] for entry in found] == [["shell", "a.py", 3, 5]]


def test_sql_of_constants_is_told_from_sql_of_input() -> None:
    _, constant = judge("a.py", "Q = f'select {COLUMNS} from t'\nR = f'select {x} from t'\n")
    assert constant == [["a.py", 1, 1]]


@pytest.mark.parametrize("code", ["def (", "x = \0", "-" * 200_000 + "1", "(" * 5000])
def test_what_cannot_be_parsed_raises_what_the_program_catches(code: str) -> None:
    with pytest.raises((SyntaxError, ValueError, RecursionError, MemoryError)):
        judge("a.py", code)
