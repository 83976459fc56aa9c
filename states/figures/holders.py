"""Lateness attributed: where dossiers lay, how long, and whose time was past the due moment.

That it adds up to what passed is checked of every dossier (`holding`); where it does not, the
report says so itself.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from states.breaches.attribution import Kind as Holds
from states.errors import BadInput
from states.figures.auditing import Audit
from states.figures.counting import DIMENSIONS, named
from states.figures.holding import Key, Sums, added_up
from states.figures.reporting import PERIOD, Asked, Report, called
from states.figures.sheets import Both, Called, Chart, Column, Kind, Paper, Shape, Sheet

MOST = 4  # holders that a drawing of lateness names
SAID = {
    Holds.reception: "bộ phận Một cửa",
    Holds.post: "bưu chính",
    Holds.unit: "đơn vị giải quyết",
    Holds.other_agency: "cơ quan khác",
    Holds.citizen: "công dân",
    Holds.nobody: "đã có kết quả",
}


async def _make(asked: Asked) -> Paper:
    """Raises `BadInput`, `Unknown`."""
    if (told := asked.options.get("people", "no")) not in {"yes", "no"}:
        raise BadInput("people is yes or no, not '{said}'", said=told[:80])
    people = told == "yes"
    sums = await added_up(asked, people=people)
    return asked.paper(
        REPORT, _kinds(sums), _lateness(asked, sums), _units(asked, sums, people=people),
        faults=tuple(_doubts(sums)),
    )  # fmt: skip


def _kinds(sums: Sums) -> Sheet:
    """By kind of holder, in the order in which a dossier comes to them."""
    rows = []
    for kind in SAID:
        its = [key for key in sums.minutes if key.kind is kind]
        minutes, late = (sum(of[key] for key in its) for of in (sums.minutes, sums.late))
        if its:
            rows.append([_kind(kind), sums.of_kind[kind], *_shares(sums, minutes, late)])
    return Sheet(
        "holders", REPORT.title, (HOLDER, *NUMBERS), tuple(rows),
        ["Tổng / Total", sums.read, *_shares(sums, sums.passed, sums.passed_late)],
        (*NOTES, _read_note(sums)), Chart(Shape.waterfall, "holder", ("minutes",)), 1,
    )  # fmt: skip


def _lateness(asked: Asked, sums: Sums) -> Sheet:
    """Whose time past the due moment was: those with the most, the others together."""
    whose: Counter[tuple[Holds, str | None]] = Counter()
    for key, late in sums.late.items():
        whose[key.kind, key.unit] += late
    most = whose.most_common(MOST)
    rest = sums.passed_late - sum(late for _, late in most)
    told = [(_holder(asked, *who), late) for who, late in most if late]
    if rest:
        told.append((Called("khác / others", "others"), rest))
    rows = tuple([name, *_shares(sums, 0, late)[2:]] for name, late in told)
    total = ["Tổng / Total", *_shares(sums, 0, sums.passed_late)[2:]]
    title = Both("Trễ hạn là thời gian của ai", "Whose time the lateness was")
    chart = Chart(Shape.waterfall, "holder", ("late_minutes",))
    return Sheet("lateness", title, (HOLDER, *NUMBERS[3:]), rows, total, chart=chart, dims=1)


def _holder(asked: Asked, kind: Holds, unit: str | None) -> Called:
    return _kind(kind) if unit is None else called(asked.book, "unit", unit)


def _units(asked: Asked, sums: Sums, *, people: bool) -> Sheet:
    """By what is asked for, then unit and person: those with the most lateness first."""
    several, by = asked.each is not None, asked.dims(REPORT)
    dims = [PERIOD] * several + [Column(key, DIMENSIONS[key], Kind.called) for key in by]
    dims += [HOLDER, UNIT] + [PERSON] * people
    order = {each.name: at for at, each in enumerate(asked.periods)}
    keys = sorted(sums.minutes, key=lambda key: (
        order.get(key.period, 0), -sums.late[key], -sums.minutes[key], _text(key)
    ))  # fmt: skip
    rows = tuple(
        [
            *([key.period] * several),
            *map(partial(called, asked.book), by, key.of),
            _kind(key.kind),
            called(asked.book, "unit", key.unit),
            *([_person(asked, key.person)] * people),
            sums.dossiers[key],
            *_shares(sums, sums.minutes[key], sums.late[key]),
        ]
        for key in keys
    )
    title = Both("Từng đơn vị", "Each unit")
    return Sheet("units", title, (*dims, *NUMBERS), rows, dims=len(dims))


def _text(key: Key) -> tuple[str, ...]:
    return (*(each or "" for each in key.of), key.kind, key.unit or "", key.person or "")


def _shares(sums: Sums, minutes: int, late: int) -> list[Any]:
    """Both numbers, each with its share of all."""
    of = 100 * minutes / sums.passed if sums.passed else None
    of_late = 100 * late / sums.passed_late if sums.passed_late else None
    return [minutes, of, late, of_late]


def _kind(kind: Holds) -> Called:
    return Called(SAID[kind], kind)


def _person(asked: Asked, person: str | None) -> Called:
    of = asked.book.organisation.by_id.get(person or "")
    return Called(of.name if of else person or "", person)


def _doubts(sums: Sums) -> Iterator[Both]:
    if sums.wrong:
        yield Both(
            f"{sums.wrong} hồ sơ có số phút của những nơi giữ không bằng số phút đã qua, như"
            f" {sums.doubted}",
            f"{sums.wrong} dossiers whose holders' minutes are not those that passed, such as"
            f" {sums.doubted}",
        )
    if sums.unread:
        yield Both(
            f"{sums.unread} hồ sơ không đọc được nên không tính, như {sums.doubted}",
            f"{sums.unread} dossiers cannot be read and are left out, such as {sums.doubted}",
        )


def _read_note(sums: Sums) -> Both:
    return Both(
        f"{sums.read:,} hồ sơ, {sums.were_late:,} quá hạn; tổng từng hồ sơ đã được đối chiếu",
        f"{sums.read:,} dossiers, {sums.were_late:,} of them late; each one's sum was checked",
    )


HOLDER = Column("holder", Both("Nơi giữ", "Holder"), Kind.called)
UNIT = Column("unit", DIMENSIONS["unit"], Kind.called)
PERSON = Column("person", Both("Người", "Person"), Kind.called)
NUMBERS = (
    named("dossiers", "Hồ sơ", "Dossiers"),
    named("minutes", "Giờ làm việc", "Working time", kind=Kind.minutes),
    named("share", "% thời gian", "% of time", kind=Kind.percent),
    named("late_minutes", "Sau hạn", "Past due", kind=Kind.minutes),
    named("late_share", "% sau hạn", "% of past due", kind=Kind.percent),
)
NOTES = (
    Both(
        "Giờ làm việc từ khi tiếp nhận đến khi có kết quả, của hồ sơ kết thúc trong kỳ; mỗi phút"
        " của một nơi giữ",
        "Working time from receipt to finish, of dossiers that ended in the period; each minute is"
        " one holder's",
    ),
    Both(
        "Sau hạn: phần sau hạn trả kết quả, của hồ sơ xếp loại quá hạn; % tính trên tổng của biểu",
        "Past due: what lies past the due moment, of dossiers classed late; percents are of the"
        " total here",
    ),
)
REPORT = Report(
    name="holders",
    title=Both("Thời gian và trễ hạn theo nơi giữ hồ sơ", "Time and lateness by holder"),
    source=Both("Nghị định 61/2018/NĐ-CP, Điều 19, 30", "Decree 61/2018/NĐ-CP Art. 19, 30"),
    meaning=Both(
        "Hồ sơ nằm ở đâu, bao lâu, phần nào sau hạn: cộng lại đúng bằng thời gian đã qua",
        "Where dossiers lay, how long, and what of it was past due: it adds up to what passed",
    ),
    make=_make,
    dims=tuple(DIMENSIONS),
    each=True,
    audit=Audit(option="people"),
    options={
        "dossier": Both(
            "chỉ hồ sơ có mã này, trong mọi kỳ; đến nay, nếu chưa xong",
            "of this dossier alone, whatever the period; up to now, if it is not finished",
        ),
        "people": Both("yes: từng người", "yes: person by person"),
    },
)
