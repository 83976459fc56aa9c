"""Forms on paper over HTTP: which can be printed of a dossier, each of them, the register, and the
templates by which agencies print them.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.doors import At, Db, Door, Looked, Sees, Shelf, Who, house, needs
from api.listed import PLAIN, Code, Date
from api.papers import forms
from api.papers.shapes import InBoth
from api.problems import DOCUMENTED
from api.spoken import spoken
from states import seeing
from states.accounts.scopes import Scope
from states.forms import every, reading, templates
from states.forms.form import why_not
from states.forms.registering import Asked
from states.forms.rows import FormName
from states.tongues import said

router = APIRouter(prefix="/v1", tags=["forms"], route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.dossiers_read)]
Agency = Annotated[str, Query(max_length=40, pattern=PLAIN, examples=["H42.05"])]
Form = Annotated[FormName, Path(examples=["slip"])]
PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The form, on A4.",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class FormTold(BaseModel):
    """A form, and whether it can be printed of the dossier now."""

    form: FormName
    number: str | None = Field(description="Of the regime; none: it has no such form.")
    title: InBoth
    open: bool
    why: str | None = Field(description="Why it cannot, in the language of `Accept-Language`.")
    address: str


class FormsTold(BaseModel):
    """The forms of a dossier."""

    code: str
    regime: str
    circular: str | None = Field(description="What the forms are annexed to.")
    forms: list[FormTold]


class TemplateTold(BaseModel):
    """What an agency prints a form by."""

    form: FormName
    agency: str = Field(description="As it was asked.")
    of: str | None = Field(description="Whose template it is; none: the house's.")
    since: datetime | None
    by: str | None
    body: str = Field(description="In Typst.")


class TemplateSent(BaseModel):
    """A template in Typst; an empty one takes back the agency's own."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"body": "#letterhead()\n#title()\n#applicant()\n"}]},
    )

    body: Annotated[str, Field(max_length=templates.LONGEST, pattern=r"^[^\x00]*$")]


@router.get("/dossiers/{code}/forms", dependencies=READS)
async def list_dossier_forms(
    request: Request, code: Code, book: Shelf, sees: Sees, at: At, db: Db
) -> FormsTold:
    """Which forms can be printed of the dossier now, and why the others cannot."""
    paper, _ = await seeing.find(db, code, sees)
    matter = await reading.matter(db, book, paper, at)
    told = []
    for name, form in every.FORMS.items():
        why, known = why_not(form, matter), matter.prescribed(form.on)
        title = known.name if known else form.title
        told.append(
            FormTold(
                form=name,
                number=known.number if known else None,
                title=InBoth(vi=title.vi, en=title.en),
                open=why is None,
                why=None if why is None else said(why, spoken(request)),
                address=f"/v1/dossiers/{paper.code}/forms/{name}",
            )
        )
    regime = matter.regime
    return FormsTold(code=paper.code, regime=regime.code, circular=regime.circular, forms=told)


@router.get(
    "/dossiers/{code}/forms/{form}", dependencies=READS, responses=PDF, response_class=Response
)
async def print_dossier_form(
    request: Request,
    code: Code,
    form: Form,
    book: Shelf,
    sees: Sees,
    looked: Looked,
    at: At,
    db: Db,
) -> Response:
    """A form of the dossier, by its agency's template. That it was read is kept.

    The slip holds the secret part of the code, and the QR code with it, for who sees the dossier by
    its agency or its unit, and not merely because they were asked or had it once.
    """
    paper, _ = await seeing.find(db, code, sees)
    await looked([int(paper.id or 0)])
    own = sees.plainly(paper)
    made = await forms.printed(house(request), db, book, paper, form, at, secret=own)
    return _pdf(made, f"{form}-{paper.code}")


@router.get("/forms/register", dependencies=READS, responses=PDF, response_class=Response)
async def print_register(
    request: Request,
    agency: Agency,
    since: Annotated[Date, Query(alias="from")],
    until: Annotated[Date, Query(alias="to", description="The first day that is not in it.")],
    book: Shelf,
    sees: Sees,
    looked: Looked,
    at: At,
    db: Db,
) -> Response:
    """The register of an agency's dossiers that the caller sees, by the days of their receipt.

    It holds names and telephones: that they were read is kept, dossier by dossier.
    """
    asked = Asked(agency, since, until)
    made, dossiers = await forms.register(house(request), db, book, asked, sees, at)
    await looked(dossiers)
    return _pdf(made, f"register-{agency}-{since}")


@router.get("/forms/{form}/template", dependencies=[needs(Scope.catalogue_read)])
async def read_form_template(
    form: Form, agency: Agency, book: Shelf, who: Who, at: At, db: Db
) -> TemplateTold:
    """The template that an agency prints a form by now: its own, the centre's or the house's."""
    templates.check(book, agency)
    return _told(form, agency, await templates.in_force(db, book, form, agency, at))


@router.put("/forms/{form}/template", dependencies=[needs(Scope.catalogue_write)])
async def replace_form_template(
    request: Request,
    form: Form,
    agency: Agency,
    sent: TemplateSent,
    book: Shelf,
    who: Who,
    at: At,
    db: Db,
) -> TemplateTold:
    """Print an agency's form by this template from now on: for a leader of it, the centre's
    leaders and the control unit. It is tried first, on a dossier that never was.
    """
    templates.may_replace(book, agency, who.person.id, at)
    body = sent.body if sent.body.strip() else ""
    if body:
        await forms.tried(house(request), book, form, agency, body, at)
    await templates.replace(db, form, agency, body, who.person.id, at)
    return _told(form, agency, await templates.in_force(db, book, form, agency, at))


def _told(form: FormName, agency: str, row: Any | None) -> TemplateTold:
    if row is None:
        body = forms.template(form)
        return TemplateTold(form=form, agency=agency, of=None, since=None, by=None, body=body)
    return TemplateTold(
        form=form, agency=agency, of=row.agency, since=row.since, by=row.by, body=row.body
    )


def _pdf(made: bytes, name: str) -> Response:
    """Shown by a browser and saved under a name; a code has no sign that a header has not."""
    plain = "".join(
        each if each.isascii() and (each.isalnum() or each in "-._") else "_" for each in name
    )
    headers = {"Content-Disposition": f'inline; filename="{plain}.pdf"'}
    return Response(made, headers=headers, media_type="application/pdf")
