"""Making the console's HTML. Jinja is imported with the first page: most processes serve none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
MINUS = "\N{MINUS SIGN}"


def render(template: str, **values: Any) -> str:
    """The HTML of `templates/<template>`; every value is escaped."""
    return _environment().get_template(template).render(**values)


def fragment(panel: str, values: dict[str, Any]) -> Markup:
    """The HTML of one panel, safe to put into the page."""
    from markupsafe import Markup

    html = render(f"fragments/{panel}.html", **{"problem": "", **values})
    return Markup(html)  # nosec B704 - every value in it was escaped by the template


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(money=money, number=number, sign=sign, day=day, moment=moment)
    return environment


def _decimal(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def money(value: Any, signed: bool = False) -> str:
    """`1234.5` → `1,234.50`; `–` for nothing."""
    amount = _decimal(value)
    if amount is None:
        return "–"
    text = f"{abs(amount):,.2f}"
    if round(amount, 2) == 0:
        return text
    return f"{MINUS}{text}" if amount < 0 else f"+{text}" if signed else text


def number(value: Any) -> str:
    """`1500.000` → `1,500`; at most four decimals."""
    amount = _decimal(value)
    if amount is None:
        return "–"
    text = f"{abs(amount):,.4f}".rstrip("0").rstrip(".")
    return f"{MINUS}{text}" if amount < 0 else text


def sign(value: Any) -> str:
    """The CSS class of a gain or a loss."""
    amount = _decimal(value)
    return "" if not amount else "loss" if amount < 0 else "gain"


def day(value: str | None) -> str:
    """The date of an ISO timestamp."""
    return value[:10] if value else "–"


def moment(value: str | None) -> str:
    """Time of day for today, with the date for older timestamps; UTC."""
    if not value:
        return "–"
    at = datetime.fromisoformat(value).astimezone(UTC)
    today = at.date() == datetime.now(UTC).date()
    return at.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")
