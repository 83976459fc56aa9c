"""Facts in the words of the forms, which are in Vietnamese. Pure.

What a stranger typed is one line of visible text here: signs that turn the direction of writing
are left out, all else is printed as it is.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from states.catalogue import Catalogue, Component
from states.clock import Kind, Term, Verdict
from states.clock.words import UNITS, VERDICTS
from states.errors import BadInput
from states.forms.matter import Line, Matter
from states.notices.wording import ROLES, clean
from states.words import Role

LONGEST = 2_000  # characters of a text: the ledger takes no more
SYSTEM = "Hệ thống"
CITIZEN = "Người nộp hồ sơ"


def text(said: str | None, longest: int = LONGEST) -> str:
    """As it is printed; empty where nothing was said."""
    return clean(said or "", longest)


def moment(matter: Matter, at: datetime | None) -> str:
    """`08 giờ 00 phút, ngày 03 tháng 01 năm 2023`."""
    if at is None:
        return ""
    at = at.astimezone(matter.zone)
    return f"{at:%H} giờ {at:%M} phút, {day(at)}"


def day(at: datetime) -> str:
    """`ngày 03 tháng 01 năm 2023`: months past February have no zero (Decree 30/2020/NĐ-CP)."""
    month = f"{at.month:02}" if at.month < 3 else str(at.month)
    return f"ngày {at:%d} tháng {month} năm {at.year}"


def short(matter: Matter, at: datetime | None) -> str:
    """`08:00 03/01/2023`."""
    return "" if at is None else f"{at.astimezone(matter.zone):%H:%M %d/%m/%Y}"


def term(written: str) -> str:
    """`5 ngày làm việc`; what is no term is printed as it is."""
    try:
        said = Term.parse(written)
    except BadInput:
        return text(written)
    if said.kind is Kind.none:
        return "không quy định thời hạn"
    if said.kind is Kind.sameday:
        return "trong ngày làm việc"
    return f"{said.amount.normalize():f} {UNITS[said.unit][0][0]}".replace(".", ",")


def money(vnd: int) -> str:
    return f"{vnd:,} đồng".replace(",", ".")


def verdict(word: str | None) -> str:
    """`Trước hạn`; nothing of what has no class."""
    known = VERDICTS.get(Verdict(word)) if word in set(Verdict) else None
    return "" if known is None else known[0].capitalize()


# Who ----------------------------------------------------------------------------------------


def body(book: Catalogue, code: str | None) -> str:
    """An agency, unit or service point; of those that nobody knows, the code is the name."""
    staff = book.organisation
    points = {each.code: each for each in staff.points}
    known = staff.bodies.get(code or "") or points.get(code or "")
    return text(known.name.vi if known else code)


def place(book: Catalogue, code: str | None) -> str:
    """Where the applicant is at home."""
    places = book.organisation.places
    return text(next((each.name.vi for each in places if each.code == code), code))


def agency(book: Catalogue, code: str) -> str:
    """The agency of a unit by name; of a body that nobody knows, nothing."""
    staff = book.organisation
    return body(book, staff.agency_of(code)) if code in staff.bodies else ""


def person(book: Catalogue, by: str | None, role: str | None = None) -> str:
    """Somebody by name, or what acted."""
    if role == Role.system:
        return SYSTEM
    if role == Role.citizen:
        return CITIZEN
    known = book.people.get(by or "")
    return text(known.name if known else by)


def role(word: str) -> str:
    return ROLES["vi"].get(word, "").capitalize()


# What every form says -----------------------------------------------------------------------


def whose(matter: Matter) -> dict[str, Any]:
    """Code, applicant and what is applied for."""
    paper, of, received = matter.paper, matter.procedure, matter.paper.received_at
    counters = (paper.counter, matter.book.centre.code)
    return {
        "code": text(paper.code),
        "applicant": {
            "name": text(paper.applicant),
            "place": place(matter.book, paper.place),
            "phone": text(paper.phone),
            "email": text(paper.email),
        },
        "procedure": {
            "code": text(paper.procedure),
            "name": text(of.name.vi if of else paper.procedure),
        },
        "agency": body(matter.book, paper.agency),
        "counter": body(matter.book, paper.counter),
        "reception": ", ".join(dict.fromkeys(body(matter.book, each) for each in counters)),
        "received": moment(matter, received),
        "received_on": day(received.astimezone(matter.zone)) if received else "",
    }


def decided(matter: Matter, line: Line) -> dict[str, Any]:
    """Why, by which rule, by whom and when."""
    return {
        "reason": text(line["reason"]),
        "ground": text(line["ground"]),
        "by": person(matter.book, line["actor"], line["role"]),
        "role": role(line["role"]),
        "at": moment(matter, line["at"]),
        "on": day(line["at"].astimezone(matter.zone)),
    }


def clerk(matter: Matter, line: Line) -> dict[str, str]:
    """Whom the citizen asks: who acted, and their telephone."""
    known = matter.book.people.get(line["actor"])
    return {
        "name": person(matter.book, line["actor"], line["role"]),
        "phone": text(known.phone if known else None),
    }


def components(matter: Matter) -> Iterator[Component]:
    """Those that are handed in: every required one, as reception takes nothing less, and of the
    others those that have a file.
    """
    of = matter.procedure
    for each in of.components if of else ():
        if each.required or each.code in matter.files:
            yield each


def listed(matter: Matter) -> list[dict[str, Any]]:
    """Components with their numbers, and whether there is an electronic copy."""
    return [
        {
            "name": text(each.name.vi),
            "originals": str(each.originals or ""),
            "copies": str(each.copies or ""),
            "file": each.code in matter.files,
        }
        for each in components(matter)
    ]


def issued(over: str, by: str) -> dict[str, str]:
    """The letterhead: who issues it, and the body above them, unless they are one."""
    return {"over": "" if over == by else over, "by": by}


def payload(line: Line) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line["payload"])
    return found


def stage(matter: Matter, visit: Line) -> str:
    """A visited stage by its name in the version that the dossier runs under by now."""
    stages = matter.procedure.stages if matter.procedure else ()
    known = next((each.name.vi for each in stages if each.code == visit["code"]), visit["code"])
    return text(known)
