"""The command palette: pages, acts on the dossier that is open, procedures to receive, dossiers."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.desk import names, nav
from api.desk.leaf import Leaf
from api.desk.lines import hands, procedure
from api.desk.paint import page
from api.desk.seat import Desk, Seat
from states import letters, seeing
from states.batches import BY_HAND
from states.errors import BadInput, Unknown
from states.figures.sheets import Both
from states.finding import listing
from states.finding.listing import Asked
from states.finding.searching import Terms
from states.words import Event, Role

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
COUNTER = {Role.reception, Role.postal}
FEW = 6  # of a kind
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line to choose; `hint`: what stands beside it, `key`: what does the same without this."""

    path: str
    words: Any  # in both languages
    hint: str = ""
    key: str = ""
    state: Any = None


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of one kind."""

    name: Both
    entries: list[Entry]


@router.get("/palette")
async def palette(request: Request, desk: Desk, at: Text = "") -> Response:
    """The dialog, with what there is before anything is typed."""
    groups = await _groups(desk, "", at)
    return page(request, "desk/palette.html", groups=groups, at=at)


@router.get("/palette/found")
async def found(request: Request, desk: Desk, q: Text = "", at: Text = "") -> Response:
    """What is meant by some letters, as they are typed."""
    return page(request, "desk/palette_found.html", groups=await _groups(desk, q.strip(), at))


async def _groups(desk: Seat, text: str, at: str) -> list[Group]:
    here = await _acts(desk, at)
    groups = [
        Group(Both("Trên hồ sơ này", "On this dossier"), _match(text, here)),
        Group(Both("Trang", "Pages"), _match(text, _pages(desk))),
    ]
    if text:
        groups.append(Group(Both("Tiếp nhận", "Receive"), _match(text, _receipts(desk))[:FEW]))
        groups.append(Group(Both("Hồ sơ", "Dossiers"), await _dossiers(desk, text)))
    else:
        groups.append(Group(Both("Vừa xem", "Seen last"), await _recent(desk)))
    return [each for each in groups if each.entries]


def _match(text: str, entries: list[Entry]) -> list[Entry]:
    """Those in which each word typed begins a word, in either language, accents or not."""
    wanted = letters.plain(text).split()
    if text and not wanted:
        return []
    there = ((each, f"{each.words.vi} {each.words.en} {each.hint}") for each in entries)
    return [each for each, words in there if _begins(wanted, words)]


def _begins(wanted: list[str], there: str) -> bool:
    words = letters.plain(there).split()
    return all(any(word.startswith(each) for word in words) for each in wanted)


# What there is ----------------------------------------------------------------------------


async def _acts(desk: Seat, at: str) -> list[Entry]:
    """What is open on the dossier whose page this was opened on."""
    parts = at.split("/")
    if len(parts) < 3 or parts[1] != "dossiers":
        return []
    try:
        paper, _ = await desk.find(unquote(parts[2]))
    except (BadInput, Unknown):
        return []
    path = f"/dossiers/{quote(paper.code, safe='')}"
    opened = (event for event in hands(desk).open_on(paper) if event in BY_HAND)
    ways = {Event.digitise: "digitise"}
    acts = [
        Entry(f"{path}/{ways.get(event, f'do/{event}')}", names.EVENTS[event], paper.code)
        for event in opened
    ]
    return [*acts, Entry(path, Both("Xem hồ sơ", "See the dossier"), paper.code)]


def _pages(desk: Seat) -> list[Entry]:
    ways = nav.ways(desk.who.role)
    return [
        *(Entry(way.path, way.name, key=f"g {way.key}") for way in ways),
        Entry("/account", Both("Tài khoản, đổi mật khẩu", "Account, password")),
    ]


def _receipts(desk: Seat) -> list[Entry]:
    """The procedures that they may receive, as they are in force."""
    if desk.who.role not in COUNTER:
        return []
    theirs = list(desk.book.procedures.values())
    if desk.who.role is Role.postal:
        mine = set(desk.for_whom())
        theirs = [each for each in theirs if each.agency in mine]
    return [
        Entry(f"/receive/form?{urlencode({'procedure': of.code})}", of.name, of.code)
        for of in theirs
    ]


async def _dossiers(desk: Seat, text: str) -> list[Entry]:
    """By code, name or number. Who looked for somebody is on record with what was found."""
    asked, key = Asked(terms=Terms(text=text)), desk.house.key("citizen")
    of: Any = (desk.db, desk.book, desk.sees, asked, desk.at)
    try:
        found = await listing.find(*of, key=key, limit=FEW)
    except BadInput:  # too few letters: nothing is looked for
        return []
    await desk.looked(row["id"] for row in found.rows)
    return [_entry(desk, row, row["applicant"]) for row in found.rows]


async def _recent(desk: Seat) -> list[Entry]:
    rows = await seeing.recently(desk.db, desk.person, desk.sees, FEW)
    return [_entry(desk, row, "") for row in rows]


def _entry(desk: Seat, row: dict[str, Any], who: str) -> Entry:
    of = procedure(desk.book, SimpleNamespace(**row)).name
    path = f"/dossiers/{quote(row['code'], safe='')}"
    hint = " · ".join(each for each in (row["code"], who) if each)
    return Entry(path, of, hint, state=names.STATES[row["state"]])
