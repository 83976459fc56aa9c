"""Procedures as they are: the list, one version in words and drawn, what differs between two."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.procedures import drawing, moves, telling
from api.desk.seat import Desk, Seat
from states.catalogue import Procedure, bundles, difference, listing, publishing
from states.catalogue.checking import Finding
from states.catalogue.rights import deciders, drafts
from states.catalogue.rows import Kind, Status
from states.errors import Unknown
from states.letters import plain

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
Code = Annotated[str, Path(max_length=60, pattern=r"^[^\x00-\x1f\x7f/]+$")]
Number = Annotated[int, Path(ge=1, le=99_999_999)]
Asked = Annotated[str, Query(max_length=200)]
LATELY = timedelta(days=90)
SHOWN = 200


@router.get("/procedures")
async def procedures(
    request: Request,
    desk: Desk,
    q: Asked = "",
    agency: Asked = "",
    field: Asked = "",
    post: Asked = "",
    used: Asked = "",
) -> Response:
    """Every procedure: the version in force or the last, what waits, when it was last used."""
    waits = {row.code: row for row in await listing.unpublished(desk.db)}
    there = _versions(desk, waits)
    asked = {"q": q, "agency": agency, "field": field, "post": post, "used": used}
    found = [each for each in there if _fits(each["says"], asked)]
    last = await _last(desk, [each["says"] for each in found])
    since = desk.at - LATELY
    for each in found:
        each["last"] = last.get(each["says"].code)
    if used in {"yes", "no"}:
        recent = [each["last"] is not None and each["last"] >= since for each in found]
        found = [e for e, it in zip(found, recent, strict=True) if it is (used == "yes")]
    staff = desk.book.organisation
    return page(
        request,
        "desk/procedures/list.html",
        found=found[:SHOWN],
        many=len(found),
        asked=asked,
        agencies=staff.agencies,
        fields=staff.fields,
        standings=telling.STANDINGS,
        words=telling.words(telling.voice_of(desk)),
        unit=telling.units(desk.book, telling.voice_of(desk)),
    )


async def _last(desk: Seat, of: Iterable[Procedure]) -> dict[str, datetime]:
    """When the last dossier of each came, of agencies in which the reader sees any."""
    sees = desk.sees
    near = sees.agencies | sees.units | {agency for agency, _ in sees.fields}
    codes = [each.code for each in of if sees.all or each.agency in near]
    return await listing.last_opened(desk.db, codes)


def _versions(desk: Seat, waits: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each procedure the version in force, else the last, else its draft."""
    rows = []
    for code, versions in desk.book.versions.items():
        binds = [each for each in versions if each.binds(desk.today)]
        shown = binds[-1] if binds else versions[-1]
        coming = shown.since > desk.today
        standing = "in force" if binds else "coming" if coming else "past"
        rows.append({"says": shown.says(), "standing": standing, "waits": waits.get(code)})
    new = (row for code, row in waits.items() if code not in desk.book.versions)
    rows += [{"says": bundles.says(row), "standing": str(row.status), "waits": row} for row in new]
    return sorted(rows, key=lambda each: (each["says"].agency, plain(each["says"].name.vi)))


def _fits(says: Procedure, asked: dict[str, str]) -> bool:
    there = f"{plain(says.name.vi)} {plain(says.name.en)} {plain(says.code)}"
    return (
        all(word in there for word in plain(asked["q"]).split())
        and asked["agency"] in {"", says.agency}
        and asked["field"] in {"", says.field}
        and asked["post"] in {"", "yes" if says.post.eligible else "no"}
    )


@router.get("/procedures/{code}")
async def procedure(request: Request, code: Code, desk: Desk) -> Response:
    """The version in force, or the last."""
    rows = await bundles.versions(desk.db, Kind.procedure, code)
    on = desk.today
    binds = [row for row in rows if bundles.standing(row, on) == bundles.IN_FORCE]
    return await shown(request, desk, binds[-1] if binds else rows[-1])


@router.get("/procedures/{code}/versions/{version}")
async def version(request: Request, code: Code, version: Number, desk: Desk) -> Response:
    """One version, and where it stands."""
    return await shown(
        request, desk, await bundles.find(desk.db, Kind.procedure, code, version)
    )  # fmt: skip


async def shown(request: Request, desk: Seat, row: Any, **more: Any) -> Response:
    """The page of a version; of one that is not published with all that the checker finds."""
    rows = await bundles.versions(desk.db, Kind.procedure, row.code)
    voice, says = telling.voice_of(desk), bundles.says(row)
    found: Sequence[Finding] = ()
    if row.status in {Status.draft, Status.checked}:
        found = (await publishing.check(desk.db, desk.book, row, None, desk.at)).findings
    unit = telling.units(desk.book, voice)
    return page(
        request,
        "desk/procedures/one.html",
        row=row,
        rows=rows,
        says=says,
        standing=bundles.standing(row, desk.today),
        standings={each.version: bundles.standing(each, desk.today) for each in rows},
        called_standing=telling.STANDINGS,
        findings=found,
        before=_before(rows, row),
        **_rights(desk, row, says),
        posts=telling.posts(desk.book, says, desk.today),
        drawing=drawing.drawn(says, voice, unit),
        moves=moves.told(says, voice),
        words=telling.words(voice),
        unit=unit,
        field_of=desk.book.fields.get(says.field),
        last=(await _last(desk, [says])).get(says.code),
        **more,
    )


def _rights(desk: Seat, row: Any, says: Procedure) -> dict[str, Any]:
    """What of it the reader may do, and who may publish it: not who drafted it."""
    owners = publishing.owners(desk.book, says)
    decide = deciders(desk.book, desk.at, owners, row.drafted_by)
    return {
        "may_edit": drafts(desk.book, desk.person, desk.at, owners),
        "may_begin": drafts(desk.book, desk.person, desk.at),
        "may_retire": desk.person in {e.id for e in deciders(desk.book, desk.at, owners)},
        "deciders": decide,
    }


def _before(rows: Any, row: Any) -> int | None:
    """The published version that one follows."""
    older = [e.version for e in rows if e.version < row.version and e.status in bundles.BOUND]
    return older[-1] if older else None


@router.get("/procedures/{code}/difference")
async def compared(
    request: Request,
    code: Code,
    desk: Desk,
    before: Annotated[int, Query(ge=0, le=99_999_999)] = 0,
    after: Annotated[int, Query(ge=0, le=99_999_999)] = 0,
) -> Response:
    """What differs between two versions, in sentences: the last two, unless they are named."""
    rows = await bundles.versions(desk.db, Kind.procedure, code)
    by = {row.version: row for row in rows}
    numbers = sorted(by)
    after = after or numbers[-1]
    before = before or max((each for each in numbers if each < after), default=numbers[0])
    if not {before, after} <= by.keys():
        raise Unknown("there is no such version of {code}: see its list", code=code)
    old, new = bundles.says(by[before]), bundles.says(by[after])
    return page(
        request,
        "desk/procedures/difference.html",
        code=code,
        numbers=numbers,
        before=before,
        after=after,
        says=new,
        sentences=difference.sentences(old, new, desk.lang),
    )


@router.get("/procedures/{code}/versions/{version}/text")
async def text(code: Code, version: Number, desk: Desk) -> Response:
    """The text of a version, to the letter, as a file."""
    row = await bundles.find(desk.db, Kind.procedure, code, version)
    name = f'attachment; filename="{row.code}@{row.version}.yaml"'
    return Response(
        row.text, media_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": name, "Cache-Control": "no-store"},
    )  # fmt: skip
