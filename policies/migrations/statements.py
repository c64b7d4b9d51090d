"""What one statement does to what was there before: kinds of harm, in words.

Reads PostgreSQL's words as `policies.migrations.sql` leaves them. What it cannot place it lets pass:
squawk and the rehearsal look too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

HARMS = (
    "take_away",
    "rename",
    "change_type",
    "not_null",
    "validate",
    "build_index",
    "hide",
    "foreign_schema",
)


@dataclass(frozen=True, slots=True)
class Harm:
    """`kind` is one of HARMS."""

    kind: str
    words: str
    hint: str


_NAME = r"(?:\w+\.)?\w+"
_CREATED = re.compile(
    rf"create (?:(?:global |local )?(?:temp|temporary|unlogged) )?"
    rf"(?:table|sequence|function|procedure|view|materialized view|type|domain|schema|trigger)"
    rf" (?!if not exists\b)({_NAME})"
)
_ALTER_TABLE = re.compile(rf"alter table (?:if exists )?(?:only )?({_NAME})\*? (.*)", re.DOTALL)
_DROP = re.compile(
    rf"drop (table|view|materialized view|schema|function|procedure|sequence|type|domain|trigger|"
    rf"extension|rule|policy) (?:if exists )?({_NAME})"
)
_INDEX = re.compile(
    rf"create (?:unique )?index (concurrently )?(?:if not exists )?(?:{_NAME} )?on (?:only )?({_NAME})"
)
_REMOVE = re.compile(rf"(truncate|delete from)(?: table)?(?: only)? ({_NAME})")
_RENAME = re.compile(
    rf"alter (view|materialized view|function|procedure|sequence|type|domain|schema|index)"
    rf" (?:if exists )?({_NAME}).* rename (?:to|value|attribute|column) "
)
_COLUMN_WORDS = ("constraint", "primary", "unique", "check", "foreign", "exclude")


def created(statements: list[str]) -> frozenset[str]:
    """What the script itself makes: nobody uses it yet. What may have been there before (IF NOT
    EXISTS, OR REPLACE) is not new."""
    return frozenset(match[1] for s in statements if (match := _CREATED.match(s)))


def harms(statement: str, new: frozenset[str]) -> Iterator[Harm]:
    """What a statement does to things that are not in `new`."""
    if re.search(r"\bslipway\.", statement) or re.match(
        r"(alter|drop) schema.*\bslipway\b", statement
    ):
        yield Harm("foreign_schema", "touches schema slipway", "it belongs to the engine")
    if re.match(r"do\b", statement):
        yield Harm("hide", "has a DO block, which hides what it does", "write plain statements")
    yield from _removals(statement, new)
    match = _INDEX.match(statement)
    if match and not match[1] and match[2] not in new:
        yield Harm(
            "build_index",
            f"builds an index on {match[2]} while nobody may write to it",
            "create index concurrently, in a script with TRANSACTIONAL = False",
        )
    alter = _ALTER_TABLE.match(statement)
    if alter and alter[1] not in new:
        for action in _actions(alter[2]):
            yield from _action(action, alter[1], alter[2])


def _removals(statement: str, new: frozenset[str]) -> Iterator[Harm]:
    later = "a contract migration does it, after the rollback window"
    for pattern, what in ((_DROP, "drops"), (_REMOVE, "empties")):
        match = pattern.match(statement)
        if match and match[2] not in new:
            yield Harm("take_away", f"{what} {match[2]}", later)
    match = _RENAME.match(statement)
    if match and match[2] not in new:
        yield Harm("rename", f"renames {match[1]} {match[2]}", "add the new one beside the old")
    if re.match(r"drop index (?!concurrently)", statement):
        yield Harm("build_index", "drops an index under a lock", "drop index concurrently")


def _actions(text: str) -> list[str]:
    """Comma-separated actions of ALTER TABLE; commas in brackets do not separate."""
    found, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append(text[start:position].strip())
            start = position + 1
    return [*found, text[start:].strip()]


def _action(action: str, table: str, whole: str) -> Iterator[Harm]:
    if re.match(r"rename\b", action) or re.match(r"set schema\b", action):
        yield Harm("rename", f"renames {table} or a part of it", "add the new one beside the old")
    match = re.match(r"drop (?:column )?(?:if exists )?(\w+)", action)
    if match and match[1] not in ("constraint", "expression", "identity"):
        hint = "a contract migration does it, after the rollback window"
        yield Harm("take_away", f"drops {table}.{match[1]}", hint)
    if match := re.match(r"alter (?:column )?(\w+) (.*)", action):
        yield from _column(match[1], match[2], table, whole)
    if match := re.match(r"add (?!column\b)(.*)", action):
        yield from _added(match[1], table)
    elif match := re.match(r"add column (.*)", action):
        yield from _new_column(match[1], table)


def _column(column: str, what: str, table: str, whole: str) -> Iterator[Harm]:
    where = f"{table}.{column}"
    if re.match(r"(set data )?type\b", what):
        hint = "add a column of the new type, fill it, and drop the old one by a contract migration"
        yield Harm("change_type", f"changes the type of {where}", hint)
    if what.startswith("drop default"):
        yield Harm("take_away", f"drops the default of {where}", "the old release relies on it")
    has_default = re.search(rf"alter (?:column )?{re.escape(column)} set default\b", whole)
    if what.startswith("set not null") and not has_default:
        hint = "give it a default in the same statement, or leave it to a contract migration"
        yield Harm("not_null", f"makes {where} not null, which the old release does not fill", hint)


def _added(what: str, table: str) -> Iterator[Harm]:
    """ADD without the word COLUMN: a constraint, or a column all the same."""
    if what.split(" ")[0] not in _COLUMN_WORDS:
        yield from _new_column(what, table)
        return
    body = re.sub(r"^constraint \w+ ", "", what)
    if body.startswith(("check", "foreign key")) and "not valid" not in body:
        hint = "add it NOT VALID, and validate it in a later script"
        yield Harm("validate", f"checks every row of {table} under a lock", hint)
    if body.startswith(("unique", "primary key", "exclude")) and " using index " not in f"{body} ":
        hint = "create unique index concurrently, then add constraint … using index"
        yield Harm("validate", f"builds a unique index on {table} under a lock", hint)


def _new_column(what: str, table: str) -> Iterator[Harm]:
    words = re.sub(r"^if not exists ", "", what)
    column = f"{table}.{words.split(' ')[0]}"
    filled = re.search(r"\bdefault\b|\bgenerated\b|\b(big|small)?serial\b", words)
    if "not null" in words and not filled:
        hint = "give it a default; the old release does not know it"
        yield Harm("not_null", f"adds {column} not null without a default", hint)
    if re.search(r"\b(check|references|unique|primary key)\b", words):
        hint = "add the column alone, then the constraint NOT VALID or USING INDEX"
        yield Harm("validate", f"adds {column} with a constraint that locks {table}", hint)
