"""Waiting against working, by stage: how long a dossier lay before somebody took it in."""

from states import bottlenecks
from states.bottlenecks import Stage
from states.figures.counting import named
from states.figures.reporting import Asked, Report, activity_called, called
from states.figures.sheets import Both, Chart, Column, Kind, Paper, Shape, Sheet
from states.figures.variants import PROCEDURE, scope


def _minutes(key: str, vi: str, en: str) -> Column:
    return Column(key, Both(vi, en), Kind.minutes)


COLUMNS = (
    Column("procedure", Both("Thủ tục", "Procedure"), Kind.called),
    Column("stage", Both("Bước, việc", "Stage, activity"), Kind.called),
    Column("stage_unit", Both("Đơn vị", "Unit"), Kind.called),
    named("visits", "Lượt", "Visits"),
    _minutes("waiting", "Chờ", "Waiting"),
    _minutes("waiting_median", "Chờ, trung vị", "Waiting, median"),
    _minutes("waiting_ninth", "Chờ, 90 % không quá", "Waiting, 90 % within"),
    _minutes("working", "Làm", "Working"),
    _minutes("working_median", "Làm, trung vị", "Working, median"),
    _minutes("working_ninth", "Làm, 90 % không quá", "Working, 90 % within"),
    _minutes("held", "Chờ công dân", "On hold"),
    Column("share", Both("Tỷ lệ chờ", "Waiting, of both"), Kind.percent),
    named("estimated", "Ước tính", "Estimated"),
)
NOTES = (
    Both(
        "Chờ: phút làm việc từ khi hồ sơ sẵn sàng cho bước (chuyển đến, bước trước xong) đến khi có"
        " người nhận; Làm: từ đó đến khi xong. Ngày nghỉ và giờ nghỉ không tính",
        "Waiting: working minutes from when the stage was ready (sent there, the one before done)"
        " until somebody took it in; Working: from then until done. Days and hours off are neither",
    ),
    Both(
        "Chờ công dân: chờ bổ sung, nộp phí, không thuộc hai loại trên",
        "On hold: waiting for a supplement or a payment, in neither of the two",
    ),
    Both(
        "Tỷ lệ chờ = chờ / (chờ + làm)",
        "Waiting, of both = waiting / (waiting + working)",
    ),
    Both(
        "Ước tính: không ai ghi lúc nhận, tính là lúc người làm xong việc trước đó của mình",
        "Estimated: nobody told when it was taken in; reckoned as when whoever did it had done what"
        " they did before",
    ),
    Both("Lượt kết thúc trong kỳ", "Visits that ended in the period"),
)


async def _make(asked: Asked) -> Paper:
    found = await bottlenecks.times(asked.db, asked.book, scope(asked))
    rows = tuple(_row(asked, each) for each in found.stages)
    waiting, working = (
        sum(getattr(each, name).total for each in found.stages) for name in ("waiting", "working")
    )
    total = [
        *("Tổng / Total", None, None, sum(each.visits for each in found.stages)),
        *(waiting, None, None, working, None, None, sum(each.held for each in found.stages)),
        _share(waiting, working),
        sum(each.estimated for each in found.stages),
    ]
    beyond = Both(
        f"{found.unreckoned} lượt nằm ngoài phạm vi lịch, không tính được",
        f"{found.unreckoned} visits lie beyond the reach of their calendar and are not reckoned",
    )
    chart = Chart(Shape.stacked, "stage", ("waiting", "working"))
    sheet = Sheet("waiting", REPORT.title, COLUMNS, rows, total, NOTES, chart, 3)
    return asked.paper(REPORT, sheet, faults=(beyond,) if found.unreckoned else ())


def _row(asked: Asked, each: Stage) -> list[object]:
    return [
        called(asked.book, "procedure", each.procedure),
        activity_called(asked.book, each.procedure, each.stage),
        *(called(asked.book, "unit", each.unit), each.visits),
        *(each.waiting.total, each.waiting.median, each.waiting.ninth),
        *(each.working.total, each.working.median, each.working.ninth),
        each.held,
        _share(each.waiting.total, each.working.total),
        each.estimated,
    ]


def _share(waiting: int, working: int) -> float | None:
    return 100 * waiting / (waiting + working) if waiting + working else None


REPORT = Report(
    name="waiting",
    title=Both("Chờ và làm ở từng bước", "Waiting and working by stage"),
    source=Both("Thông tư 01/2018/TT-VPCP, Điều 8", "Circular 01/2018/TT-VPCP Art. 8"),
    meaning=Both(
        "Hồ sơ nằm chờ bao lâu trước khi có người nhận, làm bao lâu",
        "How long dossiers lay before somebody took them in, and were worked on",
    ),
    make=_make,
    options={"procedure": PROCEDURE},
)
