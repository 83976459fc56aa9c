"""How a dossier is told: from rows and readings to the shapes that go out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import cache
from operator import attrgetter
from typing import Any

from api.dossiers.shapes import (
    ClockRead,
    ClockStep,
    DossierStanding,
    Elsewhere,
    History,
    Looked,
    Looks,
    Told,
    Visited,
    WholeDossier,
)
from api.listed import local
from states import acting, lifecycle
from states.catalogue import Catalogue
from states.clock import Line
from states.clock.words import Lang, say
from states.ledger import effects
from states.ledger.statements import dossier
from states.people import Caller
from states.tables import Dossier
from states.tongues import said
from states.words import NATIONAL, Event, Role, State

Row = Mapping[str, Any]
Shape = dict[str, Any]
EVENTS = {event.value: event for event in Event}
BLANK = dict.fromkeys(DossierStanding.model_fields)
ALIKE = tuple({*BLANK} & {*dossier.c.keys()} - {"stage"})
"""What is told as the row has it."""
_as_it_is = attrgetter(*ALIKE)


def standing(book: Catalogue, d: Dossier, who: Caller, at: datetime, lang: Lang) -> Shape:
    """What `DossierStanding` describes, in its order."""
    label, national = NATIONAL[d.state]
    closed = _closed(book, d, who, at, lang)
    return (
        BLANK
        | dict(zip(ALIKE, _as_it_is(d), strict=True))
        | {
            "label": label,
            "national_code": national,
            "stage": _stage(book, d),
            "dates": _dates(d, book.calendar(d.calendar).zone),
            "overdue": d.finished_at is None and d.late_at is not None and d.late_at <= at,
            "open": [event for event in EVENTS if event not in closed],
            "closed": closed,
        }
    )


def _closed(
    book: Catalogue, d: Dossier, who: Caller, at: datetime, lang: Lang
) -> dict[str, str]:  # fmt: skip
    shut, closed = _shut(d.state, who.role, lang), acting.closed(book, d, who, at)
    return {event.value: shut.get(event) or said(why, lang) for event, why in closed.items()}


@cache
def _shut(state: State, role: Role, lang: Lang) -> Mapping[str, str]:
    """What is closed in any case, and most of it is, is said once."""
    why_shut = {event: lifecycle.shut(event, state, role) for event in Event}
    return {event.value: said(why, lang) for event, why in why_shut.items() if why is not None}


def _dates(d: Dossier, zone: tzinfo) -> Shape:
    return {
        "registered": _there(d.registered_at, zone),
        "received": _there(d.received_at, zone),
        "due_original": _there(d.due_original, zone),
        "due": _there(d.due_at, zone),
        "lapses": _there(d.lapse_at, zone),
        "finished": _there(d.finished_at, zone),
        "delivered": _there(d.delivered_at, zone),
    }


def full(book: Catalogue, d: Dossier, who: Caller, at: datetime, lang: Lang) -> WholeDossier:
    whose = {name: getattr(d, name) for name in ("applicant", "place", "email", "phone")}
    return WholeDossier.model_validate(standing(book, d, who, at, lang) | whose)


def looks_told(code: str, zone: tzinfo, looks: Iterable[Row]) -> Looks:
    return Looks(code=code, looks=[Looked.model_validate(local(each, zone)) for each in looks])


def _stage(book: Catalogue, d: Dossier) -> Shape | None:
    if d.stage_role is None:
        return None
    where = {"n": d.stage, "of": d.stages, "role": d.stage_role}
    if not d.version:  # in a procedure whose stages are not ours
        return where | {"code": None, "name": None, "term": None}
    stage = book.procedure(d.procedure, d.version).stages[d.stage]
    return where | {"code": stage.code, "name": stage.name.vi, "term": str(stage.term)}


def history(
    code: str,
    zone: tzinfo,
    lines: Iterable[Row],
    visits: Iterable[Row],
    activities: Iterable[Row],
) -> History:
    return History(
        code=code,
        entries=[_told(line, zone) for line in lines],
        visits=[Visited.model_validate(local(visit, zone)) for visit in visits],
        activities=[Elsewhere.model_validate(local(each, zone)) for each in activities],
    )


def _told(line: Row, zone: tzinfo) -> Told:
    payload = json.loads(line["payload"])
    told = payload.get("clock", {})
    return Told.model_validate(
        local(line, zone)
        | {
            "brought": payload["act"],
            "kept": payload.get("taken", {}).get("kept", {}),
            "routed": payload.get("routed"),
            "promised": told.get("due"),
            "verdict": told.get("verdict"),
            "hash": line["hash"].hex(),
            "prev": line["prev"].hex() if line["prev"] else None,
        }
    )


def clock_read(book: Catalogue, d: Dossier, at: datetime, speaks: Lang) -> ClockRead:
    """Read a dossier's clock. Raises `BadInput` for a moment its calendar does not reach."""
    calendar = book.calendar(d.calendar, d.calendar_version)
    calendar.stamp(at)  # refused past its reach, also when there is no clock to read yet
    reading = effects.reading(d, calendar, at)
    return ClockRead(
        code=d.code,
        at=at.astimezone(calendar.zone),
        term=d.term,
        calendar=f"{calendar.name}@{calendar.version}",
        policy=d.policy,
        verdict=d.verdict or (reading.verdict if reading else None),
        due=reading.due if reading else None,
        due_original=reading.due_original if reading else None,
        late_at=reading.late_at if reading else None,
        used_minutes=reading.used if reading else 0,
        remaining_minutes=reading.remaining if reading else None,
        trace=_steps(reading.trace, speaks) if reading else [],
    )


def _steps(trace: Sequence[Line], speaks: Lang) -> list[ClockStep]:
    return [
        ClockStep(
            rule=line.rule,
            since=line.start,
            until=line.end,
            minutes=line.minutes,
            counts=line.counts,
            note=line.note,
            sentence=sentence,
        )
        for line, sentence in zip(trace, say(trace, speaks), strict=True)
    ]


def _there(at: datetime | None, zone: tzinfo) -> datetime | None:
    return at and at.astimezone(zone)
