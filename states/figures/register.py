"""The register of dossiers (sổ theo dõi hồ sơ): a line for each that was received in the period.

It is streamed: a year's has a hundred thousand lines. Names and telephone numbers are left out,
unless a person of the catalogue asks for them and says why; that they did is kept, dossier by
dossier.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import sqlalchemy as sa

from states import people, seeing
from states.accounts.scopes import Scope
from states.clock.words import Lang
from states.errors import BadInput
from states.figures.auditing import Audit
from states.figures.counting import Span, among, named
from states.figures.reporting import Asked, Report, called
from states.figures.sheets import Both, Called, Kind, Paper, Sheet
from states.ledger.statements import d, dossier
from states.people import Caller
from states.seeing import Through
from states.sentences import Sentence
from states.tongues import said
from states.words import Tally

AT_ONCE = 2_000  # lines
PEOPLE, REASON, BY = "people", "reason", "by"
COLUMNS = (
    named("code", "Mã hồ sơ", "Dossier", kind=Kind.code),
    named("procedure", "Thủ tục", "Procedure", kind=Kind.called),
    named("agency", "Cơ quan giải quyết", "Agency", kind=Kind.called),
    named("channel", "Kênh tiếp nhận", "Channel", kind=Kind.called),
    named("received", "Tiếp nhận", "Received", kind=Kind.moment),
    named("due", "Hẹn trả", "Due", kind=Kind.moment),
    named("finished", "Có kết quả", "Finished", kind=Kind.moment),
    named("verdict", "Xếp loại", "Class", kind=Kind.called),
    named("delivered", "Trả kết quả", "Delivered", kind=Kind.moment),
)
PERSONAL = (
    named("applicant", "Người nộp", "Applicant", kind=Kind.text),
    named("phone", "Điện thoại", "Telephone", kind=Kind.code),
)
READ = (
    d.id, d.code, d.procedure, d.agency, d.channel, d.received_at, d.due_at, d.finished_at,
    d.verdict, d.delivered_at,
)  # fmt: skip
NOTE = Both(
    "Mỗi hồ sơ tiếp nhận trong kỳ một dòng; hạn là hạn đang có hiệu lực",
    "A line for each dossier received in the period; due is the term in force",
)


async def _make(asked: Asked) -> Paper:
    asker = _asker(asked)
    columns = (*COLUMNS, *PERSONAL) if asker else COLUMNS
    sheet = Sheet(
        "register", REPORT.title, columns, (), notes=(NOTE,), more=_lines(asked, asker), dims=1
    )
    return asked.paper(REPORT, sheet)


def _asker(asked: Asked) -> Caller | None:
    """Who wants the names, if anybody does. Raises `BadInput` and `NotHeld`."""
    options = asked.options
    if options.get(PEOPLE, "no") == "no":
        return None
    if options[PEOPLE] != "yes":
        raise BadInput("people is yes or no: it was '{said}'", said=options[PEOPLE][:40])
    if not options.get(REASON, "").strip():
        raise BadInput("names and telephone numbers are given to who says why: add reason=…")
    if asked.who is not None:
        if options.get(BY, asked.who.person.id) != asked.who.person.id:
            raise BadInput("you ask for yourself here: leave 'by' out")
        return asked.who
    if not options.get(BY):
        raise BadInput("names and telephone numbers are given to a person: add by=PERSON")
    return people.caller(asked.book, options[BY], None, None, asked.book.day(asked.at))


async def _lines(asked: Asked, asker: Caller | None) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """By a cursor of the server's, some at a time."""
    span = Span.between(asked.period.since, asked.period.until)
    personal = (d.applicant, d.phone) if asker else ()
    query = (
        sa.select(*READ, *personal)
        .select_from(dossier)
        .where(span.holds(d.received_at), *among(asked.only))
        .order_by(d.received_at, d.id)
    )
    name = _names(asked)
    door = asked.through or Through("report register", "")
    through = replace(door, reason=asked.options.get(REASON, "")[:200])
    found = await asked.db.stream(query.execution_options(yield_per=AT_ONCE))
    async for rows in found.partitions():
        if asker is not None:
            await seeing.looked(asked.db, asker, through, (row.id for row in rows))
        yield [_line(name, row, personal=asker is not None) for row in rows]


def _line(name: Callable[[str, str | None], Called], row: Any, *, personal: bool) -> list[Any]:
    return [
        row.code, name("procedure", row.procedure), name("agency", row.agency),
        name("channel", row.channel), row.received_at, row.due_at, row.finished_at,
        name("verdict", row.verdict), row.delivered_at,
        *((row.applicant, row.phone) if personal else ()),
    ]  # fmt: skip


def _names(asked: Asked) -> Callable[[str, str | None], Called]:
    """What things are called, each looked for once."""

    @cache
    def name(key: str, code: str | None) -> Called:
        if key == "verdict":
            word = said(Sentence("{verdict}", verdict=Tally(code)), Lang.vi) if code else ""
            return Called(word, code)
        return called(asked.book, key, code)

    return name


REPORT = Report(
    name="register",
    title=Both("Sổ theo dõi hồ sơ", "Register of dossiers"),
    source=Both(
        "Thông tư 01/2018/TT-VPCP, Phụ lục, mẫu 06 (mẫu 07 từ Thông tư 03/2025/TT-VPCP)",
        "Circular 01/2018/TT-VPCP, Annex, form 06 (form 07 since Circular 03/2025/TT-VPCP)",
    ),
    meaning=Both(
        "Từng hồ sơ tiếp nhận trong kỳ, không có dữ liệu cá nhân",
        "Every dossier received in the period, without personal data",
    ),
    make=_make,
    audit=Audit(Scope.dossiers_read, PEOPLE),
    options={
        PEOPLE: Both("yes: thêm người nộp và điện thoại", "yes: with applicants and telephones"),
        REASON: Both("vì sao cần dữ liệu cá nhân", "why personal data are needed"),
        BY: Both("mã người yêu cầu, trên dòng lệnh", "who asks for them, on the command line"),
    },
)
