"""Filling templates: everything that is put in is escaped, and every page has the same headers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from aiohttp import hdrs, web
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from server.web.ops import labels
from server.web.ops.assets import OpsFiles

SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


class Renderer:
    """Makes answers of templates; all templates are compiled when it is made, which blocks for some tens of milliseconds."""

    def __init__(self, files: OpsFiles) -> None:
        self._environment = Environment(
            loader=DictLoader(dict(files.templates)),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(
            n=write_number,
            clock=write_time,
            ago=write_ago,
            word=labels.name_code,
            data=write_data,
            percent=write_percent,
        )
        self._environment.globals.update(base=files.base, has_chart=files.has_chart, labels=labels)
        self._templates = {name: self._environment.get_template(name) for name in files.templates}

    def render(self, template: str, data: dict[str, object], status: int = 200) -> web.Response:
        """Return a page."""
        text = self._templates[template].render(data)
        headers = HEADERS | {hdrs.CACHE_CONTROL: "no-store"}
        return web.Response(status=status, text=text, content_type="text/html", charset="utf-8", headers=headers)


def write_number(value: float | None) -> str:
    """Return a number with thin gaps between thousands; a dash for none."""
    if value is None:
        return "–"
    return f"{value:,.1f}".removesuffix(".0").replace(",", "\u202f")


def write_percent(part: int, whole: int) -> str:
    """Return a share in percent, rounded down: 100 is said when it is all."""
    return f"{part * 100 // whole if whole else 0}\u202f%"


def write_time(moment: datetime | None, *, day: bool = False) -> Markup:
    """Return a moment in UTC, which the page's scripts turn into the reader's own time; a dash for none."""
    if moment is None:
        return Markup("–")
    text = moment.strftime("%Y-%m-%d %H:%M" if day else "%H:%M:%S")
    kind = "day" if day else "clock"
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return Markup('<time datetime="{}" data-time="{}">{} UTC</time>').format(stamp, kind, text)


def write_ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago a moment was, in the largest unit that says enough."""
    if moment is None:
        return "never"
    age = max(timedelta(), now - moment)
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if age >= unit:
            return f"{age // unit}\u202f{name} ago"
    return f"{age // timedelta(seconds=1)}\u202fs ago"


def write_data(value: object) -> Markup:
    """Return a value as JSON for a data block, in which nothing can end the block."""
    text = json.dumps(value, default=dict, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped here
