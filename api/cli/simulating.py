"""Simulations on history as people and programs want them: tables, JSON."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from states.simulation import (
    AFTER,
    BEFORE,
    CLASSES,
    Matrix,
    Simulation,
    as_dict,
    in_time,
    shifts,
    together,
    totals,
)
from states.words import Tally

Row = Sequence[str]
SAID = {
    Tally.early: ("Trước hạn", "early"),
    Tally.on_time: ("Đúng hạn", "on time"),
    Tally.late: ("Quá hạn", "late"),
    Tally.no_term: ("Không hạn", "no term"),
}
DAY, MINUTE = "%d/%m/%y", "%d/%m/%y %H:%M"
NO_TERM = "–"
PROCEDURES = (
    "Thủ tục\nprocedure",
    "Hạn mới\nterm",
    "Hồ sơ\nread",
    "Đổi loại\nchanged",
    "Quá hạn\nlate",
    "→ dự thảo\n→ draft",
    "Đạt\nin time",
    "→ dự thảo\n→ draft",
)
STAGES = (
    "Giai đoạn\nstage",
    "Hạn\nterm",
    "Lượt\nvisits",
    "Quá hạn\nlate",
    "Theo dự thảo\nunder the draft",
)
WORST = (
    "Hồ sơ\ndossier",
    "Trước\nbefore",
    "Tiếp nhận\nreceived",
    "Hẹn cũ\nwas due",
    "Hẹn mới\ndue",
    "Xong\nfinished",
    "Quá, phút\nminutes",
)

LEFT, AGAINST = "left_out", "disallowed"
NOTES = (
    (AGAINST, "asked", "Bổ sung quá số lần", "asked more often than the draft allows"),
    (AGAINST, "extended", "Gia hạn quá mức", "extended further than the draft allows"),
    (AGAINST, "overdue", "Gia hạn muộn", "extended when the draft's date had passed"),
    (LEFT, "unclassed", "Không phân loại", "not read: withdrawn, stopped or declined"),
    (LEFT, "imported", "Nhập từ nơi khác", "not read: taken over from another system"),
    (LEFT, "unread", "Ngoài lịch", "not read: the calendar does not reach them"),
)


NOT_SIMULATED = ("Thủ tục\nprocedure", "Vì\nbecause")


def show(console: Console, made: Simulation) -> None:
    """The change in a sentence, then totals, who goes where, stages, the worst, what to doubt."""
    draft = made.draft
    period = f"{_local(made, made.since):%d/%m/%Y} – {_local(made, made.until):%d/%m/%Y}"
    console.print(
        f"[bold]Mô phỏng / Simulation  {draft.code} v{draft.version}[/]  {escape(draft.name.vi)}\n"
        f"[dim]Đã giải quyết / closed {period}; dự thảo / draft: {draft.term},"
        f" {draft.policy}, {made.calendar.name}@{made.calendar.version}[/]\n",
        highlight=False,
    )
    for sentence in _headline(made.matrix):
        console.print(sentence, highlight=False)
    if made.read:
        for each in (_totals(made), _matrix(made), _stages(made), _worst(made)):
            console.print(each, highlight=False)
    for note in _notes([made]):
        console.print(note, highlight=False, markup=False)
    for code, why in made.left_out.examples:
        console.print(f"  {code}: {why}", highlight=False, markup=False)


def show_all(
    console: Console, made: Sequence[Simulation], refused: Mapping[str, str] | None = None
) -> None:
    """A row for each procedure and the total. `refused`: of those not simulated, by code, why."""
    whole = together(made)
    for sentence in _headline(whole):
        console.print(sentence, highlight=False)
    table = _table("Theo thủ tục / By procedure", PROCEDURES, left=2, footed=_row(whole))
    for each in made:
        name = _line(f"{each.draft.code} {each.draft.name.vi}")
        table.add_row(name, str(each.draft.term), *_row(each.matrix))
    console.print(table, highlight=False)
    for note in _notes(made):
        console.print(note, highlight=False, markup=False)
    if refused:
        left = _table("Không mô phỏng / Not simulated", NOT_SIMULATED, left=2)
        for code, why in refused.items():
            left.add_row(code, escape(why))
        console.print(left, highlight=False)


def all_as_dict(
    made: Sequence[Simulation], refused: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Each in full, the total, and why those that were refused were."""
    whole = together(made)
    total = {
        "read": sum(whole.values()),
        "changed": shifts(whole)[0],
        "before": totals(whole, BEFORE),
        "after": totals(whole, AFTER),
    }
    return {
        "procedures": [as_dict(each) for each in made],
        "total": total,
        "refused": [{"procedure": code, "why": why} for code, why in (refused or {}).items()],
    }


# In words and rows ---------------------------------------------------------------------------


def _headline(matrix: Matrix) -> Iterator[str]:
    """What would become of them, in two sentences."""
    if not (read := sum(matrix.values())):
        yield "Không có hồ sơ / No dossier was closed with a result in that period."
        return
    changed, later, earlier = shifts(matrix)
    yield (
        f"[bold]Đổi loại / change class: {changed:,} of {read:,} dossiers[/]"
        f" ({later:,} towards late, {earlier:,} towards early)."
    )
    before, after = (_percent(in_time(matrix, side)) for side in (BEFORE, AFTER))
    yield f"Trước và đúng hạn / early or on time: {before} before, {after} under the draft.\n"


def _percent(share: float | None) -> str:
    return NO_TERM if share is None else f"{share:.2f}%"


def _row(matrix: Matrix) -> Row:
    late = (totals(matrix, side)[Tally.late] for side in (BEFORE, AFTER))
    shares = (_percent(in_time(matrix, side)) for side in (BEFORE, AFTER))
    changed, *_ = shifts(matrix)
    return (*(f"{n:,}" for n in (sum(matrix.values()), changed, *late)), *shares)


# Tables -------------------------------------------------------------------------------------


def _table(title: str, heads: Row, left: int = 1, footed: Row = ()) -> Table:
    """A table whose first columns are text and whose others are figures."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        show_footer=bool(footed),
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    footers = ("Tổng / total", *[""] * (left - 1), *footed) if footed else [""] * len(heads)
    for n, (head, footer) in enumerate(zip(heads, footers, strict=True)):
        justify: Any = "left" if n < left else "right"
        table.add_column(head, justify=justify, footer=footer, no_wrap=n > 0)
    return table


def _totals(made: Simulation) -> Table:
    heads = ("", *("\n".join(SAID[of]) for of in CLASSES), "Tổng\ntotal")
    table = _table("Trước và sau / Before and after", heads)
    before = [*made.before.values(), made.read]
    after = [*made.after.values(), made.read]
    table.add_row("Đã giải quyết / as it was", *(f"{n:,}" for n in before))
    table.add_row("Theo dự thảo / under the draft", *(f"{n:,}" for n in after))
    moved = (now - was for was, now in zip(before, after, strict=True))
    table.add_row("Chênh lệch / difference", *(f"{n:+,}" if n else "0" for n in moved))
    return table


def _matrix(made: Simulation) -> Table:
    heads = ("từ / from", *("\n".join(SAID[of]) for of in CLASSES))
    table = _table("Từ loại nào sang loại nào / From which class to which", heads)
    for was, count in made.before.items():
        if count:
            cells = (made.matrix[was, now] for now in CLASSES)
            table.add_row(" / ".join(SAID[was]), *(f"{n:,}" for n in cells))
    return table


def _stages(made: Simulation) -> Table:
    table = _table("Giai đoạn / Stages", STAGES)
    known = {stage.code: stage for stage in made.draft.stages}
    for each in made.stages:
        stage = known.get(each.code)
        name = _line(f"{each.code}  {stage.name.vi}" if stage else each.code)
        after = "không còn / gone" if each.late_after is None else f"{each.late_after:,}"
        term = str(stage.term) if stage else ""
        table.add_row(name, term, f"{each.visits:,}", f"{each.late_before:,}", after)
    return table


def _worst(made: Simulation) -> Table:
    table = _table("Quá hạn nhiều nhất / The worst by the draft", WORST, left=2)
    for each in made.worst:
        table.add_row(
            _line(each.code),
            SAID[each.before][0],
            _at(made, each.received, DAY),
            _at(made, each.due_before, DAY),
            _at(made, each.due_after, MINUTE),
            _at(made, each.finished, MINUTE),
            f"{each.past:,}",
        )
    return table


def _notes(made: Sequence[Simulation]) -> Iterator[str]:
    """What is not in the figures, and what in them is to be doubted."""
    for part, name, vi, en in NOTES:
        if count := sum(getattr(getattr(each, part), name) for each in made):
            yield f"{vi} / {en}: {count:,}"
    if count := sum(each.recalendared for each in made):
        yield f"Khác lịch / classed by another calendar version than this one: {count:,}"


def _line(text: str) -> Text:
    """A stranger's text is no markup, and is cut before it takes a second line."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def _local(made: Simulation, at: datetime) -> datetime:
    return at.astimezone(made.calendar.zone)


def _at(made: Simulation, at: datetime | None, form: str) -> str:
    return NO_TERM if at is None else _local(made, at).strftime(form)
