"""The fields of an act: those of its event's payload, with what this dossier lets one choose. Pure.

Nothing is asked that has one answer only.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from api.desk.dossier.case import Case, Field, added, both
from api.desk.dossier.why import why
from api.desk.names import CHANNELS, OUTCOMES
from states import clock
from states.clock import Term
from states.clock.words import UNITS
from states.errors import BadInput
from states.figures.sheets import Both
from states.ledger import effects
from states.ledger.acts import BRINGS, LONG, Brings
from states.words import Channel, Event, Outcome

MOST_DAYS = 60  # of an extension that are offered one by one
MORE = "more"  # documents beside those that a stage must produce, one a line


def fields(case: Case) -> list[Field]:
    """In the order in which they are asked."""
    shape = BRINGS.get(case.event, Brings)
    makers = (make for name, make in MAKERS.items() if name in shape.model_fields)
    return [*(made for make in makers for made in make(case)), *why(case)]


# What a stage brings ------------------------------------------------------------------------


def _produced(case: Case) -> Iterator[Field]:
    procedure, stage = case.procedure, case.paper.stage
    due = procedure.stages[stage].produces if procedure and stage >= 0 else ()
    if case.event is Event.send_back:
        return
    if due:
        yield Field(
            name="produced",
            label=Both("Văn bản của bước này", "Documents of this stage"),
            kind="ticks",
            choices=tuple((each, Both(each, each)) for each in due),
            ticked=tuple(due),
            required=True,
        )
    if due or case.event is Event.return_result:
        yield Field(
            name=MORE,
            label=Both("Văn bản khác", "Other documents"),
            kind="long",
            hint=Both("Mỗi dòng một văn bản", "One a line"),
            longest=LONG,
        )


def _stage(case: Case) -> Iterator[Field]:
    ways, back = case.onward, case.event is Event.send_back
    if len(ways) > 1 and case.procedure:
        names = case.procedure.stages
        yield Field(
            name="stage",
            label=Both("Trả về bước", "Back to") if back else Both("Chuyển đến bước", "On to"),
            kind="radio",
            choices=tuple((str(n), Both(f"{n + 1}. {s.vi}", f"{n + 1}. {s.en}"))
                          for n in ways for s in (names[n].name,)),
            value=str(ways[-1]) if back else "",
            required=True,
        )  # fmt: skip


def _person(case: Case) -> Iterator[Field]:
    people = tuple(_takers(case))
    if case.event not in {Event.advance, Event.send_back} or not people:
        return
    yield Field(
        name="person",
        label=Both("Người nhận", "Who takes it"),
        kind="choice",
        choices=(("", Both("Theo quy tắc của bước", "As the stage's rules say")), *people),
    )


def _takers(case: Case) -> Iterator[tuple[str, Both]]:
    """Who holds the role of a stage that may follow, where it may lie; once each."""
    staff, day, seen = case.book.organisation, case.book.day(case.at), set[str]()
    for n in case.onward:
        stage = case.procedure.stages[n]  # type: ignore[union-attr]  # stages follow in it only
        for unit in _units(case, stage):
            for person in staff.holders(unit, stage.role, day):
                if person.id not in seen:
                    seen.add(person.id)
                    away = not staff.present(person.id, day)
                    name = Both(f"{person.name} · {person.id}", f"{person.name} · {person.id}")
                    yield person.id, added(name, Both(" (vắng)", " (away)")) if away else name


def _units(case: Case, stage: Any) -> list[str]:
    named = [stage.unit, *(route.unit for route in stage.routes)]
    if any(named):
        return list(dict.fromkeys(each for each in named if each))
    return [each for each, _ in _of_agency(case)]


def _of_agency(case: Case) -> list[tuple[str, Both]]:
    staff, day = case.book.organisation, case.book.day(case.at)
    its = (each for each in staff.units if each.agency == case.paper.agency and each.stands(day))
    return [(each.code, both(each.name)) for each in its]


def _unit(case: Case) -> Iterator[Field]:
    if case.paper.unit == case.paper.agency:
        yield Field(
            name="unit",
            label=Both("Đơn vị nhận", "Unit that takes it in"),
            kind="choice",
            choices=tuple(_of_agency(case)),
            required=True,
        )


# Results, money, dates ----------------------------------------------------------------------


def _outcome(case: Case) -> Iterator[Field]:
    known = (each for each in Outcome if case.paper.source or each is not Outcome.unstated)
    yield Field(
        name="outcome",
        label=Both("Kết quả", "Outcome"),
        kind="radio",
        choices=tuple((each.value, OUTCOMES[each]) for each in known),
        required=True,
    )


def _channel(case: Case) -> Iterator[Field]:
    ways = [Channel(each) for each in case.procedure.channels.go] if case.procedure else [*Channel]
    usual = case.paper.channel if case.paper.channel in ways else ways[0]
    yield Field(
        name="channel",
        label=Both("Trả bằng cách", "By"),
        kind="radio",
        choices=tuple((each.value, CHANNELS[each]) for each in ways),
        value=Channel(usual).value,
        required=True,
    )


def _amount(case: Case) -> Iterator[Field]:
    fee = case.procedure.fee if case.procedure else 0
    owed = case.paper.facts.get("owed", 0) if case.event is Event.pay else fee
    yield Field(
        name="amount",
        label=Both("Số tiền (đồng)", "Amount (VND)"),
        kind="number",
        value=str(owed or ""),
        required=True,
        longest=13,
    )


def _term(case: Case) -> Iterator[Field]:
    most = case.procedure.extension.max if case.procedure else None
    label = Both("Gia hạn thêm", "Extended by")
    if most is None or not most.unit or not 1 <= most.amount <= MOST_DAYS:
        hint = Both("Ví dụ 2wd: hai ngày làm việc", "Such as 2wd: two working days")
        yield Field(name="term", label=label, hint=hint, value=str(most or ""), required=True)
        return
    terms = [f"{n}{most.unit}" for n in range(1, int(most.amount) + 1)]
    yield Field(
        name="term",
        label=label,
        kind="choice",
        choices=tuple((each, _dated(case, each)) for each in terms),
        value=terms[-1],
        hint=Both("Tối đa theo thủ tục", "As much as the procedure allows"),
        required=True,
    )


def _dated(case: Case, more: str) -> Both:
    """The term added, and the date it would promise."""
    number, unit = int(more[:-2]), more[-2:]
    one, many = UNITS[unit]
    words = Both(f"{number} {one[0]}", f"{number} {(one if number == 1 else many)[1]}")
    if (due := promised(case, more)) is None:
        return words
    return added(words, Both(f" → hẹn trả {due:%d/%m/%Y}", f" → promised for {due:%d/%m/%Y}"))


def promised(case: Case, more: str) -> datetime | None:
    """When the dossier would be due with that much more."""
    paper = case.paper
    try:
        calendar = case.book.calendar(paper.calendar, paper.calendar_version)
        facts = effects.gone_on(paper, case.at)
        facts = replace(facts, extend=(*facts.extend, Term.parse(more)))
        reading = clock.read(Term.parse(paper.term), calendar, facts, paper.policy, case.at)
    except BadInput:  # past the reach of its calendar: the ledger will say so
        return None
    return reading.due and reading.due.astimezone(calendar.zone)


Make = Callable[[Case], Iterable[Field]]
MAKERS: dict[str, Make] = {
    "outcome": _outcome,
    "stage": _stage,
    "unit": _unit,
    "term": _term,
    "amount": _amount,
    "channel": _channel,
    "produced": _produced,
    "person": _person,
}
"""By the fields of payloads. Files come by themselves: those that are attached."""
