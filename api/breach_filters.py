"""Which breaches a question is about: what several doors ask alike."""

from typing import Annotated

from fastapi import Depends, Query

from api.doors import At
from api.listed import Moment, Word
from states.breaches.listing import Only
from states.breaches.rows import Cause, Standing

Minutes = Annotated[int | None, Query(ge=0, le=10_000_000)]


async def filtered(
    at: At,
    agency: Word = None,
    unit: Word = None,
    procedure: Word = None,
    field: Word = None,
    rule: Word = None,
    cause: Cause | None = None,
    standing: Standing | None = None,
    person: Word = None,
    assigned_to: Word = None,
    since: Annotated[Moment | None, Query(description="Due then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Due before.")] = None,
    late_from: Annotated[Minutes, Query(description="Late by so many working minutes.")] = None,
    late_below: Annotated[Minutes, Query(description="Late by less working minutes.")] = None,
    apology: Annotated[
        bool | None, Query(description="Whether an apology with a new date was given.")
    ] = None,
    without_apology: Annotated[
        bool, Query(description="Only late dossiers whose applicant was sent no apology.")
    ] = False,
    owed: Annotated[bool, Query(description="Only explanations whose time is over.")] = False,
) -> Only:
    return Only(
        agency, unit, rule, standing, without_apology, procedure, cause, person, since, until,
        field, apology, late_from, late_below, assigned_to, at if owed else None,
    )  # fmt: skip


Filtered = Annotated[Only, Depends(filtered)]
