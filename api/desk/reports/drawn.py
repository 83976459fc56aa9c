"""Charts as pages show them: the drawing of a paper, in the colours of day and of night.

An image has no styles of its page. So the drawing brings the site's colours along, as they are by
day and by night, and takes them by name where they stood by value.
"""

import re
from functools import cache
from importlib.resources import files

from fastapi import Response

from api.papers import Form, rendered
from states.figures.sheets import Paper

COLOUR = re.compile(r"--([\w-]+):\s*(#[0-9a-fA-F]{3,8});")
STYLE = re.compile(r"(<style[^>]*>)")


@cache
def _palettes() -> tuple[dict[str, str], dict[str, str]]:
    """By day, by night: of the style sheet that drawings take theirs from."""
    text = (files("api") / "static" / "desk.css").read_text(encoding="utf-8")
    day, _, rest = text.partition("@media")
    by_day: dict[str, str] = dict(COLOUR.findall(day))
    by_night: dict[str, str] = dict(COLOUR.findall(rest.partition("}")[0]))
    return by_day, {name: by_night.get(name, value) for name, value in by_day.items()}


def themed(svg: str) -> str:
    """The same, light or dark as its reader likes it."""
    by_day, by_night = _palettes()
    for name, value in by_day.items():
        svg = svg.replace(f": {value}", f": var(--{name})").replace(f":{value}", f":var(--{name})")
    roots = (
        "".join(f"--{name}:{value};" for name, value in palette.items())
        for palette in (by_day, by_night)
    )
    day, night = roots
    told = f":root{{{day}}}@media (prefers-color-scheme:dark){{:root{{{night}}}}}"
    return STYLE.sub(rf"\g<1>{told}", svg, count=1)


def image(paper: Paper) -> Response:
    """A paper's charts. Raises `BadInput` where it has none."""
    svg = themed(rendered(paper, Form.svg).decode())
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})
