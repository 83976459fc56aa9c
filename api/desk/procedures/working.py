"""A text that somebody is changing: where it begins, what was typed, and the page that shows it."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fastapi import Request, Response

from api.desk.paint import page
from api.desk.procedures import drawing, telling
from api.desk.seat import Seat
from api.desk.typed import Mistyped, Typed
from states import drafts
from states.catalogue import bundles, checking, forming
from states.catalogue.checking import Linted, Severity
from states.catalogue.publishing import owners
from states.catalogue.rights import may_draft
from states.catalogue.rows import Kind
from states.errors import BadFile, BadInput, HosoError
from states.words import Role

NEW = "new"  # in the place of a code: a procedure that is not there yet
LARGEST = 190_000  # characters of a text, as its field has it
MOST = 200  # items of a list that a form shows; of more there is the text


@dataclass(frozen=True, slots=True)
class Work:
    """`of`: the digest of the draft it was begun from, or "-" where there was none."""

    code: str
    text: str
    view: str = "form"
    of: str = "-"
    before: int | None = None  # the version it follows

    @property
    def name(self) -> str:
        """Under which what is typed is saved."""
        return f"procedure/{self.code}"

    def kept(self) -> dict[str, list[str]]:
        return {"text": [self.text.strip()], "view": [self.view], "of": [self.of]}


async def begun(desk: Seat, code: str, like: str = "") -> Work:
    """The draft there is, else the last version as the text of the next. Raises `NoRight`."""
    known = bundles.says(await bundles.find(desk.db, Kind.procedure, like or code))
    if code == NEW:
        may_draft(desk.book, desk.person, desk.at)
    else:
        may_draft(desk.book, desk.person, desk.at, owners(desk.book, known))
    rows = await bundles.versions(desk.db, Kind.procedure, like or code)
    if code == NEW:
        first = (desk.today + timedelta(days=1)).isoformat()
        text = forming.renumbered(rows[-1].text, 1, first)
        return Work(code, forming.written(text, {"code": [""]}))
    return _next(desk, code, rows)


def _next(desk: Seat, code: str, rows: Any) -> Work:
    last = rows[-1]
    bound = [row.version for row in rows if row.status in bundles.BOUND]
    before = bound[-1] if bound else None
    if last.status not in bundles.BOUND:
        return Work(code, last.text, of=last.digest, before=before)
    first = max(desk.today, last.valid_from, last.valid_until or desk.today) + timedelta(days=1)
    try:
        text = forming.renumbered(last.text, last.version + 1, first.isoformat())
    except BadInput:  # written in a way that no form can change
        text = last.text
    return Work(code, text, before=before)


async def found_again(desk: Seat, work: Work) -> Work | None:
    """What they typed before and did not send."""
    found = await drafts.find(desk.db, desk.person, work.name)
    if found is None or not found.typed.get("text"):
        return None
    try:
        return typed_into(work, Typed(values=found.typed))
    except HosoError:  # the text is there still, whatever its fields say
        return replace(work, text=found.typed["text"][0] + "\n", view="yaml")


def typed_into(work: Work, form: Typed) -> Work:
    """The work with what the form says. Raises `Mistyped` and `BadInput`."""
    if form.faults:
        raise Mistyped("some of what was typed cannot be kept: see beside each field")
    if len(form.get("text")) > LARGEST:
        raise BadInput("a draft holds at most {largest:,} characters", largest=LARGEST)
    text = form.get("text") + "\n"
    if form.get("view") == "form":
        text = forming.written(text, form.values)
    view = "yaml" if form.get("view") == "yaml" else "form"
    return replace(work, text=text, view=view, of=form.get("of", "-"))


async def linted(desk: Seat, work: Work) -> Linted:
    """Everything that is wrong with it: a thread's work."""
    name = f"{work.code}.yaml"
    return await asyncio.to_thread(checking.lint, name, work.text.encode(), desk.book)


async def edited(
    request: Request, desk: Seat, work: Work, *, form: Typed | None = None, **more: Any
) -> Response:
    """The page on which it is changed. `form`: what could not be taken into the text."""
    checked = await linted(desk, work)
    shown = form or _shown(desk, work, checked)
    view = work.view if form is None or work.view == "yaml" else "form"
    try:
        sizes = {each: forming.size(work.text, each) for each in forming.LISTS}
    except BadFile:
        view, sizes = "yaml", dict.fromkeys(forming.LISTS, 0)
    if max(sizes.values()) > MOST:
        view = "yaml"
    staff = desk.book.organisation
    return page(
        request,
        "desk/procedures/edit.html",
        work=replace(work, view=view),
        form=shown,
        sizes=sizes,
        agencies=[staff.centre, *staff.agencies],
        fields=staff.fields,
        units=[*staff.units, *staff.agencies],
        roles=(Role.officer, Role.leader),
        **found_parts(desk, checked),
        **({"draft_at": None, "foreseen": None} | more),
    )


def _shown(desk: Seat, work: Work, checked: Linted) -> Typed:
    """The form as the text fills it, each fault beside its field."""
    try:
        values = forming.filled(work.text, desk.lang)
    except BadFile:
        return Typed()
    faults = {e.field: e.why for e in checked.findings if e.field and e.severity is Severity.error}
    return Typed(values=values, faults=faults)


def found_parts(desk: Seat, checked: Linted) -> dict[str, Any]:
    """What is told beside the text as it is typed: what is wrong, and the lifecycle it makes."""
    voice, made = telling.voice_of(desk), None
    if checked.procedure is not None:
        unit = telling.units(desk.book, voice)
        made = drawing.drawn(checked.procedure, voice, unit)
    return {"findings": checked.findings, "drawing": made}
