"""Templates filled in. Jinja2 escapes whatever is no markup of a template's own, and all that
people wrote goes through `visible` on its way: a template can forget neither."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboards.errors import DashboardError
from dashboards.text import FILTERS, visible

if TYPE_CHECKING:
    from jinja2 import Environment

HTML = Path(__file__).parent / "html"
_LINE_ENDS = {0x2028: "\\u2028", 0x2029: "\\u2029"}


def fill(template: str, **values: Any) -> str:
    """A template of the folder `html`, filled in; the result is markup, and stays as it is in
    another template. Raises DashboardError where Jinja2 is missing, ValueError for data (NaN,
    infinities) that JSON has no word for.
    """
    from markupsafe import Markup

    return Markup(_environment().get_template(template).render(values).strip())


def markup(text: str) -> str:
    """What is markup already: scripts, styles."""
    from markupsafe import Markup

    return Markup(text)


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise DashboardError("the page needs Jinja2: pip install 'mltox[dashboard]'") from error
    environment = Environment(
        loader=FileSystemLoader(HTML),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    environment.policies["json.dumps_function"] = _dumps
    environment.policies["json.dumps_kwargs"] = {}
    return environment


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _dumps(value: Any) -> str:
    """In few bytes; `tojson` escapes what could end the block, <, >, & and '."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return visible(text).translate(_LINE_ENDS)
