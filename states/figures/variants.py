"""Variants: the ways that dossiers took through their procedure, and how many took each."""

from collections.abc import Sequence

from states import bottlenecks
from states.bottlenecks import Scope, Variants
from states.errors import BadInput
from states.figures.counting import named
from states.figures.reporting import Asked, Report, activity_called
from states.figures.sheets import Both, Called, Chart, Column, Kind, Paper, Shape, Sheet

SHOWN = 50  # ways; what is rarer is told together
MOST = 10_000
COLUMNS = (
    Column("way", Both("Cách đi", "Way"), Kind.called),
    named("dossiers", "Hồ sơ", "Dossiers"),
    Column("share", Both("Tỷ lệ", "Of all"), Kind.percent),
    named("steps", "Số bước", "Steps"),
    Column("median", Both("Trung vị", "Median"), Kind.minutes),
    Column("ninth", Both("90 % không quá", "90 % within"), Kind.minutes),
    Column("example", Both("Ví dụ", "Example"), Kind.code),
)
NOTES = (
    Both(
        "Cách đi: chuỗi việc đã làm với hồ sơ, theo thứ tự thời gian; việc trong một bước ghi kèm"
        " tên bước. Hồ sơ tiếp nhận từ hệ thống khác: chuỗi việc hệ thống đó đã ghi",
        "Way: what was done with a dossier, in order of time; of a stage, with its name. Of what"
        " was taken over: what the other system told",
    ),
    Both(
        "Hồ sơ kết thúc trong kỳ (option unfinished=yes: cả hồ sơ chưa kết thúc)",
        "Dossiers that ended in the period (option unfinished=yes: with those that did not)",
    ),
    Both(
        "Thời gian: phút làm việc đã tính vào hạn của hồ sơ kết thúc",
        "Times: working minutes on the clock, of dossiers that are finished",
    ),
)


async def _make(asked: Asked) -> Paper:
    found = await bottlenecks.variants(asked.db, scope(asked, unfinished=unfinished(asked)))
    rows = tuple(
        [
            _way(asked, each.activities),
            *(each.dossiers, each.share, len(each.activities), each.median, each.ninth),
            each.example,
        ]
        for each in found.variants[: shown(asked)]
    )
    total = [f"Tổng / Total: {len(found.variants)}", found.dossiers, 100.0 if rows else None]
    chart = Chart(Shape.bars, "way", ("dossiers",))
    sheet = Sheet(
        "variants", REPORT.title, COLUMNS, (*rows, *_rest(found, len(rows))),
        [*total, None, None, None, None], NOTES, chart, 1,
    )  # fmt: skip
    return asked.paper(REPORT, sheet)


def _way(asked: Asked, activities: Sequence[str]) -> Called:
    procedure = asked.options.get("procedure")
    names = (activity_called(asked.book, procedure, each) for each in activities)
    return Called(" → ".join(names), " → ".join(activities))


def _rest(found: Variants, told: int) -> list[list[object]]:
    """All the rarer ones in one row."""
    if not (rest := found.variants[told:]):
        return []
    dossiers, share = sum(each.dossiers for each in rest), sum(each.share for each in rest)
    name = f"… {len(rest)} cách hiếm hơn / rarer ways"
    return [[name, dossiers, share, None, None, None, None]]


def scope(asked: Asked, *, unfinished: bool = False) -> Scope:
    """The period and the agencies of a question."""
    since, until = asked.period.since, min(asked.period.until, asked.at)
    procedure = asked.options.get("procedure")
    return Scope(since, until, asked.agencies, procedure and [procedure], unfinished)


def unfinished(asked: Asked) -> bool:
    """Raises `BadInput`."""
    said = asked.options.get("unfinished", "no")
    if said not in {"yes", "no"}:
        raise BadInput("unfinished must be yes or no, not '{said}'", said=said[:40])
    return said == "yes"


def shown(asked: Asked) -> int:
    """Raises `BadInput`."""
    said = asked.options.get("shown", str(SHOWN))
    if not said.isascii() or not said.isdigit() or not 0 < int(said) <= MOST:
        raise BadInput(
            "shown must be a whole number from 1 to {most}, not '{said}'", most=MOST, said=said[:40]
        )
    return int(said)


PROCEDURE = Both("Chỉ thủ tục này", "Only this procedure")
REPORT = Report(
    name="variants",
    title=Both("Các cách đi của hồ sơ", "Variants: the ways of dossiers"),
    source=Both("IEEE 1849 (XES)", "IEEE 1849 (XES)"),
    meaning=Both(
        "Chuỗi việc đã làm với hồ sơ, bao nhiêu hồ sơ theo mỗi chuỗi",
        "The sequences of activities, and how many dossiers took each",
    ),
    make=_make,
    options={
        "procedure": PROCEDURE,
        "shown": Both("Số cách đi được liệt kê", "How many ways are told apart"),
        "unfinished": Both("yes: cả hồ sơ chưa kết thúc", "yes: with those not finished"),
    },
)
