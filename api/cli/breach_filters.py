"""Which breaches a command is about: options that several share."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from states.breaches.listing import Only

Agency = Annotated[str | None, typer.Option(help="Only of this agency's dossiers.")]
Unit = Annotated[str | None, typer.Option(help="Only what lay in this unit.")]
Had = Annotated[str | None, typer.Option("--person", help="Only what this person had.")]
Procedure = Annotated[str | None, typer.Option(help="Only of this procedure.")]
FieldOf = Annotated[str | None, typer.Option("--field", help="Only of this field.")]
OfRule = Annotated[str | None, typer.Option("--rule", help="Only of this rule.")]
OfCause = Annotated[str | None, typer.Option("--cause", help="Only of this cause.")]
Stands = Annotated[str | None, typer.Option(help="open, assigned, explained or closed.")]
In = Annotated[str | None, typer.Option("--period", help="Due in 2023, 2023-H1, 2023-Q1, 2023-01.")]
LateFrom = Annotated[int | None, typer.Option(help="Late by so many working minutes or more.")]
LateBelow = Annotated[int | None, typer.Option(help="Late by less working minutes.")]
To = Annotated[str | None, typer.Option(help="Only what this person is to explain.")]
Owed = Annotated[bool, typer.Option("--owed", help="Only explanations whose time is over.")]
WithApology = Annotated[bool, typer.Option("--with-apology", help="Only those apologised for.")]
Unapologised = Annotated[
    bool, typer.Option("--without-apology", help="Only late dossiers without an apology.")
]


def chosen(
    *,
    agency: str | None = None,
    unit: str | None = None,
    person: str | None = None,
    procedure: str | None = None,
    field: str | None = None,
    rule: str | None = None,
    cause: str | None = None,
    standing: str | None = None,
    period: str | None = None,
    late_from: int | None = None,
    late_below: int | None = None,
    assigned_to: str | None = None,
    owed: bool = False,
    with_apology: bool = False,
    without_apology: bool = False,
) -> "Callable[[datetime], Only]":
    """Those that are meant, once it is known what time it is. Raises `BadInput`."""
    from states.breaches import listing
    from states.figures.periods import Period

    within = None if period is None else Period.parse(period)
    why = None if cause is None else listing.cause(cause)
    stands = None if standing is None else listing.standing(standing)
    return lambda at: listing.Only(
        agency, unit, rule, stands, without_apology, procedure, why, person,
        None if within is None else within.since, None if within is None else within.until,
        field, True if with_apology else None, late_from, late_below, assigned_to,
        at if owed else None,
    )  # fmt: skip
