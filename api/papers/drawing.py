"""A paper's charts as SVG: no script, nothing from elsewhere, and in words for who sees none."""

import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Any

import pygal
from pygal.style import Style

from api.papers.words import both, shown, span
from states.errors import BadInput
from states.figures.sheets import Chart, Column, Paper, Shape, Sheet

# For its maps, which are not ours, it would be asked about every import by a way that is no more.
sys.meta_path[:] = [x for x in sys.meta_path if not isinstance(x, pygal.PluginImportFixer)]

SVG = "http://www.w3.org/2000/svg"
FONT = '"Noto Sans", "DejaVu Sans", "Segoe UI", Roboto, Arial, sans-serif'
WIDTH, HEIGHT, ROW = 1000, 480, 34
MOST = 60  # rows that can still be read
LONG = 24  # characters of a name in a legend that needs half the room
SERIES = ("on-time", "late", "early", "running", "link", "red", "soft")
OF_KEYS = {
    "early": "early", "on_time": "on-time", "late": "late", "overdue": "red", "in_time": "running",
}  # fmt: skip
# What no XML may hold: old files brought it in, in names and codes.
UNXML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
COLOUR = re.compile(r"--([\w-]+):\s*(#[0-9a-fA-F]{3,8});")


def rendered(paper: Paper) -> bytes:
    """All charts, one below the other. Raises `BadInput` where there is none."""
    drawn = [each for each in paper.sheets if each.chart is not None and each.rows]
    if not any(each.chart for each in paper.sheets):
        raise BadInput(
            "report {name} has nothing that is drawn: ask for table, xlsx, csv, pdf or json",
            name=paper.report,
        )
    charts = [_chart(paper, each) for each in drawn]
    height = sum(int(each.get("height") or HEIGHT) for each in charts) or ROW
    whole = ET.Element(
        f"{{{SVG}}}svg",
        {"viewBox": f"0 0 {WIDTH} {height}", "width": str(WIDTH), "height": str(height),
         "role": "img", "aria-labelledby": "title desc"},
    )  # fmt: skip
    ET.SubElement(whole, f"{{{SVG}}}title", id="title").text = _drawable(
        f"{both(paper.title)}, {span(paper)}"
    )
    ET.SubElement(whole, f"{{{SVG}}}desc", id="desc").text = _drawable(_in_words(drawn))
    at = 0
    for each in charts:
        each.set("y", str(at))
        at += int(each.get("height") or HEIGHT)
        whole.append(each)
    ET.register_namespace("", SVG)
    made: bytes = ET.tostring(whole, encoding="utf-8", xml_declaration=True)
    return made


def _in_words(sheets: Sequence[Sheet]) -> str:
    """What is drawn, number by number."""
    return " ".join(" ".join(_told(each)) for each in sheets) or "Không có gì / nothing."


def _told(sheet: Sheet) -> Iterator[str]:
    assert sheet.chart is not None
    yield f"{both(sheet.title)}:"
    named = sheet.column(sheet.chart.names)
    for row in sheet.rows[:MOST]:
        values = (
            f"{sheet.columns[at].head.vi} {shown(sheet.columns[at].kind, row[at])}"
            for at in map(sheet.column, sheet.chart.series)
        )
        yield f"{shown(sheet.columns[named].kind, row[named])}: {', '.join(values)}."


# One chart --------------------------------------------------------------------------------


def _chart(paper: Paper, sheet: Sheet) -> Any:
    assert sheet.chart is not None
    rows, names = sheet.rows[:MOST], sheet.column(sheet.chart.names)
    flat = sheet.chart.shape in {Shape.bars, Shape.stacked} and not _in_time(sheet, names)
    rows = rows[::-1] if flat else rows  # the first stands on top
    if sheet.chart.shape is Shape.waterfall and sheet.total is not None:
        rows = (*rows, sheet.total)
    series = [(sheet.columns[at], [_number(row[at]) for row in rows])
              for at in map(sheet.column, sheet.chart.series)]  # fmt: skip
    height = max(HEIGHT, 150 + ROW * len(rows)) if flat else HEIGHT
    graph = _kind(sheet.chart, flat)(
        _settings(height, [_head(column) for column, _ in series]), style=_style(sheet.chart)
    )
    cut = len(sheet.rows) > MOST
    title = f"{both(sheet.title)}, {span(paper)}" + (f" ({MOST} / {len(sheet.rows)})" * cut)
    graph.title = _drawable(title)
    graph.x_labels = [_short(_name(sheet, names, row)) for row in rows]
    if sheet.chart.shape is Shape.waterfall:
        _fall(graph, *series[0], total=sheet.total is not None)
    else:
        for column, values in series:
            graph.add(_head(column), values)
    return _bare(graph.render_tree(), height)


def _kind(chart: Chart, flat: bool) -> Any:
    if chart.shape is Shape.line:
        return pygal.Line
    if chart.shape is Shape.bars:
        return pygal.HorizontalBar if flat else pygal.Bar
    return pygal.HorizontalStackedBar if flat else pygal.StackedBar


def _fall(graph: Any, column: Column, values: Sequence[float | None], *, total: bool) -> None:
    """Each row goes on where the one before ended: on a base that is not seen. The total does not:
    it stands on the ground, last.
    """
    steps = [value or 0 for value in values]
    ends = list(accumulate(steps))
    bases = [min(end, end - step) for end, step in zip(ends, steps, strict=True)]
    graph.add(None, [*bases[:-1], 0] if total else bases)
    graph.add(_head(column), [abs(step) for step in steps])


def _settings(height: int, heads: Sequence[str]) -> pygal.Config:
    series, wide = len(heads), max(map(len, heads)) > LONG
    beside = min(series, 2 if wide else 4)
    return pygal.Config(
        js=[], width=WIDTH, height=height, explicit_size=True, show_legend=True,
        legend_at_bottom=True, legend_at_bottom_columns=beside, x_label_rotation=0,
        truncate_label=-1, truncate_legend=-1, show_x_guides=False, print_values=False,
        pretty_print=False, include_x_axis=True, disable_xml_declaration=True, margin=14,
        margin_bottom=14 + 22 * (-(-series // beside) - series // beside),
        no_data_text="Không có gì / nothing", x_labels_major_every=None, spacing=8,
    )  # fmt: skip


def _style(chart: Chart) -> Style:
    colours, keys = _colours(), chart.series
    left = iter([name for name in SERIES if name not in {OF_KEYS.get(key) for key in keys}])
    own = [colours[OF_KEYS[key] if key in OF_KEYS else next(left, "soft")] for key in keys]
    if chart.shape is Shape.waterfall:
        own = ["transparent", *own]
    return Style(
        background=colours["card"], plot_background=colours["card"], foreground=colours["ink"],
        foreground_strong=colours["ink"], foreground_subtle=colours["soft"], opacity=1,
        opacity_hover=1, colors=tuple(own), font_family=FONT, title_font_size=18,
        label_font_size=13, major_label_font_size=13, legend_font_size=14, transition="0s",
        guide_stroke_color=colours["line"], major_guide_stroke_color=colours["line"],
    )  # fmt: skip


@cache
def _colours() -> dict[str, str]:
    """The site's, for paper: those it has by day."""
    text = (resources.files("api") / "static" / "desk.css").read_text(encoding="utf-8")
    return dict(COLOUR.findall(text.partition("@media")[0]))


def _bare(root: Any, height: int) -> Any:
    """Without script and comments; its size as it stands in the whole."""
    from lxml import etree

    tree = ET.fromstring(etree.tostring(root))  # noqa: S314  our own
    for parent in tree.iter():
        for child in list(parent):
            if child.tag == f"{{{SVG}}}script":
                parent.remove(child)
    tree.set("width", str(WIDTH))
    tree.set("height", str(height))
    return tree


def _in_time(sheet: Sheet, names: int) -> bool:
    """Whether rows follow one another in time: they stand side by side then."""
    return sheet.columns[names].key in {"period", "month", "day", "week", "year"}


def _head(column: Column) -> str:
    return _drawable(both(column.head))


def _drawable(text: str) -> str:
    return UNXML.sub("\N{REPLACEMENT CHARACTER}", text)


def _name(sheet: Sheet, names: int, row: Sequence[Any]) -> str:
    """Of a row; where several columns say what it is of, all of them."""
    among = range(sheet.dims) if names < sheet.dims else (names,)
    return ", ".join(shown(sheet.columns[at].kind, row[at]) for at in among)


def _short(name: str) -> str:
    return _drawable(name if len(name) <= 44 else f"{name[:43]}…")


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
