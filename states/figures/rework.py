"""Rework: what was done again, stages entered again, and what was sent back."""

from states import bottlenecks
from states.figures.counting import named
from states.figures.reporting import Asked, Report, activity_called, called, stage_called
from states.figures.sheets import Both, Called, Chart, Column, Kind, Paper, Shape, Sheet
from states.figures.variants import PROCEDURE, scope
from states.words import Event

OF_PROCEDURE = Column("procedure", Both("Thủ tục", "Procedure"), Kind.called)
DOSSIERS = named("dossiers", "Hồ sơ có việc đó", "Dossiers with it")
AGAIN = named("again", "Hồ sơ lặp lại", "Dossiers again")
SHARE = Column("share", Both("Tỷ lệ lặp", "Again, of these"), Kind.percent)
ACTIVITIES = (
    OF_PROCEDURE,
    Column("activity", Both("Việc", "Activity"), Kind.called),
    *(DOSSIERS, AGAIN, SHARE),
    named("repeats", "Số lần lặp", "Repeats"),
)
STAGES = (
    OF_PROCEDURE,
    Column("stage", Both("Bước", "Stage"), Kind.called),
    *(DOSSIERS, AGAIN, SHARE),
    named("visits", "Lượt vào lại", "Visits again"),
    Column("minutes", Both("Thời gian vào lại", "Working time of these"), Kind.minutes),
)
RETURNS = (
    OF_PROCEDURE,
    Column("event", Both("Việc trả lại", "Returned by"), Kind.called),
    named("dossiers", "Hồ sơ", "Dossiers"),
    Column("share", Both("Tỷ lệ trên tổng", "Of all"), Kind.percent),
    named("times", "Số lần", "Times"),
)
CALLED = {
    Event.send_back: "trả lại bước trước",
    Event.reopen: "mở lại kết quả",
    Event.request_supplement: "yêu cầu bổ sung",
}
NOTES = (
    Both("Hồ sơ kết thúc trong kỳ", "Dossiers that ended in the period"),
    Both(
        "Tỷ lệ lặp = hồ sơ có việc đó nhiều hơn một lần / hồ sơ có việc đó",
        "Again, of these = dossiers with it more than once / dossiers with it",
    ),
)


async def _make(asked: Asked) -> Paper:
    found = await bottlenecks.rework(asked.db, scope(asked))
    activities = tuple(
        [called(asked.book, "procedure", each.procedure),
         activity_called(asked.book, each.procedure, each.activity), each.dossiers, each.again,
         100 * each.again / each.dossiers, each.repeats]
        for each in found.activities
    )  # fmt: skip
    stages = tuple(
        [called(asked.book, "procedure", each.procedure),
         stage_called(asked.book, each.procedure, each.stage), each.dossiers, each.again,
         100 * each.again / each.dossiers, each.visits, each.minutes]
        for each in found.stages
    )  # fmt: skip
    returns = tuple(
        [called(asked.book, "procedure", each.procedure),
         Called(CALLED[each.event], each.event), each.dossiers,
         100 * each.dossiers / found.dossiers, each.times]
        for each in found.returns
    )  # fmt: skip
    whole = Both(
        f"{found.again} trong {found.dossiers} hồ sơ có việc phải làm lại",
        f"In {found.again} of {found.dossiers} dossiers something was done again",
    )
    chart = Chart(Shape.bars, "activity", ("repeats",))
    return asked.paper(
        REPORT,
        Sheet("activities", Both("Việc làm lại", "Done again"), ACTIVITIES, activities,
              notes=(whole, *NOTES), chart=chart, dims=2),
        Sheet("stages", Both("Bước vào lại", "Entered again"), STAGES, stages, dims=2),
        Sheet("returns", Both("Trả lại, bổ sung", "Sent back, asked for"), RETURNS, returns,
              dims=2),
    )  # fmt: skip


REPORT = Report(
    name="rework",
    title=Both("Làm lại, trả lại", "Rework"),
    source=Both("Nghị định 61/2018/NĐ-CP, Điều 19", "Decree 61/2018/NĐ-CP Art. 19"),
    meaning=Both(
        "Việc làm lại, bước vào lại, hồ sơ bị trả lại",
        "What was done again, stages entered again, what was sent back",
    ),
    make=_make,
    options={"procedure": PROCEDURE},
)
