"""What a strategy may import and name: one list for the reading check and for the run.

A strategy is arithmetic on bars. It needs no file, no process, no network, no clock, no chance and
no look into the interpreter; so everything is forbidden that is not here.
"""

from __future__ import annotations

STANDARD = frozenset(
    {
        "__future__", "abc", "bisect", "collections", "collections.abc", "dataclasses", "datetime",
        "decimal", "enum", "fractions", "functools", "heapq", "itertools", "math", "numbers",
        "operator", "re", "statistics", "typing",
    }
)  # fmt: skip

PYDANTIC = frozenset(
    {
        "BaseModel", "ConfigDict", "Field", "ValidationInfo", "computed_field", "field_validator",
        "model_validator", "PositiveInt", "NonNegativeInt", "PositiveFloat", "NonNegativeFloat",
        "StrictInt", "StrictFloat", "StrictBool",
    }
)  # fmt: skip
"""Only these: `pydantic.ImportString`, for one, imports whatever a text says."""

TRADING = frozenset(
    {
        "trading.errors",
        "trading.market_data.bars",
        "trading.strategies.base",
        "trading.strategies.instance",
        "trading.strategies.signals",
    }
)

BUILTINS_REFUSED = frozenset(
    {
        "__import__", "breakpoint", "compile", "copyright", "credits", "delattr", "dir", "eval",
        "exec", "exit", "globals", "help", "input", "license", "locals", "memoryview", "open",
        "quit", "vars",
    }
)  # fmt: skip

NAMES_REFUSED = {
    "attrgetter": "reaches attributes by text",
    "methodcaller": "reaches attributes by text",
    "get_type_hints": "evaluates text",
    "ForwardRef": "evaluates text",
    "lru_cache": "keeps values from one call to the next",
    "cache": "keeps values from one call to the next",
    "cached_property": "keeps values from one call to the next",
    "cached": "keeps values from one call to the next",
}
"""Members of allowed modules that would open a way around, and why."""


def module_allowed(name: str, plugin: str) -> bool:
    """Whether the strategy `plugin` may import module `name`."""
    own = f"trading.strategies.{plugin}"
    return (
        name in STANDARD
        or name in TRADING
        or name == "pydantic"
        or name == own
        or name.startswith(f"{own}.")
    )


def member_problem(module: str, member: str) -> str:
    """Why `member` of an allowed module may not be used; empty when it may."""
    if module == "pydantic" and member not in PYDANTIC:
        return f"pydantic.{member} is not one of the few names of pydantic that are allowed"
    if module in STANDARD and member in NAMES_REFUSED:
        return f"{module}.{member} {NAMES_REFUSED[member]}"
    if member.startswith("_"):
        return f"{module}.{member} is private"
    return ""
