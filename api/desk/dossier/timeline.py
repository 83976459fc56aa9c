"""The lines of a dossier in words: what was done, by whom, for whom, and what came of it. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from api.desk.dossier.telling import Directory, term
from api.desk.names import CHANNELS, OUTCOMES, TALLIES
from states.catalogue import Catalogue
from states.figures.sheets import Both
from states.folder import Folder, change_of
from states.words import Channel, Event, Outcome, Role, Tally

Row = Mapping[str, Any]
PURPOSE: dict[str, tuple[str, str]] = {
    "channel": ("Cách nộp", "Came by"),
    "documents": ("Văn bản", "Documents"),
    "files": ("Tệp kèm theo", "Files"),
    "stage": ("Bước", "Stage"),
    "routed": ("Phân công", "Routed"),
    "due": ("Hẹn trả", "Promised for"),
    "waits": ("Chờ công dân đến", "Waits for the applicant until"),
    "verdict": ("Xếp loại", "Classed"),
    "was": ("Trước đó", "Before"),
    "outcome": ("Kết quả", "Outcome"),
    "amount": ("Số tiền", "Amount"),
    "term": ("Gia hạn thêm", "Extended by"),
    "by": ("Trả bằng cách", "Handed over by"),
    "rules": ("Theo quy trình", "Under"),
    "change": ("Theo đợt điều chỉnh", "By change set"),
    "kept": ("Hệ thống cũ ghi", "The former system said"),
}
"""How a detail of a line is headed."""
WHY: dict[str, str] = {
    r"no rule of the stage caught it: it lies in the agency's queue": (
        "không quy tắc nào áp dụng: nằm ở hàng chờ của cơ quan"
    ),
    r"no rule caught it: the stage's own unit": "không quy tắc nào áp dụng: về đơn vị của bước",
    r"rule (\d+) of the stage: (\d+) in hand, least of (\d+)": (
        r"quy tắc \1 của bước: đang giữ \2, ít nhất trong \3 người"
    ),
    r"rule (\d+) of the stage: (\S+) is absent, and nobody stands in": (
        r"quy tắc \1 của bước: \2 vắng, không có người thay"
    ),
    r"rule (\d+) of the stage, in place of (\S+) who is absent": (
        r"quy tắc \1 của bước, thay \2 vắng mặt"
    ),
    r"rule (\d+) of the stage": r"quy tắc \1 của bước",
    r"named by who moved it": "do người chuyển chọn",
    r"taken from the agency's queue": "lấy từ hàng chờ của cơ quan",
}
"""Why the rules sent it there, as `states.ledger.routing` says it and lines keep it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line. `who`: by name; `person`: by id, None of who is of no staff. `details`: each with
    its heading.
    """

    seq: int
    event: Event
    source: Any
    dest: Any
    at: datetime
    who: str
    person: str | None
    role: Role
    behalf: Both | None
    reason: str | None
    ground: str | None
    details: list[tuple[Both, Both]]


def told(book: Catalogue, folder: Folder, after: int = 0) -> list[Told]:
    """The lines after that one, the last first."""
    zone = book.calendar(folder.paper.calendar).zone
    lines = (line for line in reversed(folder.lines) if line["seq"] > after)
    return [_line(book, folder, line, zone) for line in lines]


def of_line(book: Catalogue, line: Row) -> Told:
    """A line alone: who did what and when, without its details."""
    return _said(book, line, [])


def _line(book: Catalogue, folder: Folder, line: Row, zone: tzinfo) -> Told:
    payload = json.loads(line["payload"])
    details = [
        *_lodged(book, line, payload),
        *_brought(book, line, payload),
        *_stage(book, folder, line, payload),
        *_clock(payload.get("clock", {}), zone),
        *_changed(folder, line),
    ]
    heads = ((Both(*PURPOSE[name]), words) for name, words in details)
    return _said(book, line, list(heads))


def _said(book: Catalogue, line: Row, details: list[tuple[Both, Both]]) -> Told:
    names, role = Directory(book), Role(line["role"])
    nobody = role in {Role.system, Role.citizen}  # who is of no staff has no id
    return Told(
        seq=line["seq"],
        event=Event(line["event"]),
        source=line["source"],
        dest=line["dest"],
        at=line["at"],
        who="" if role is Role.system else names.person(line["actor"]),
        person=None if nobody else line["actor"],
        role=role,
        behalf=names.body(line["on_behalf_of"]) if line["on_behalf_of"] else None,
        reason=line["reason"],
        ground=line["ground"],
        details=details,
    )


Details = Iterator[tuple[str, Both]]


def _lodged(book: Catalogue, line: Row, payload: Row) -> Details:
    if channel := payload.get("lodging", {}).get("channel"):
        yield "channel", CHANNELS[Channel(channel)]
    if pin := payload.get("pin"):
        version, regime = pin.get("version"), pin.get("regime", "")
        yield (
            "rules",
            Both(f"phiên bản {version} · {regime}", f"version {version} · {regime}"),
        )
    for name, value in payload.get("taken", {}).get("kept", {}).items():
        yield "kept", _alike(f"{name}: {value}")


def _brought(book: Catalogue, line: Row, payload: Row) -> Details:
    act = payload["act"]
    if outcome := act.get("outcome"):
        yield "outcome", OUTCOMES[Outcome(outcome)]
    if documents := act.get("produced"):
        yield "documents", _alike("; ".join(documents))
    if files := act.get("components"):
        yield "files", Both(f"{len(files)} thành phần", f"{len(files)} components")
    if amount := act.get("amount"):
        yield "amount", Both(f"{amount:,} đồng".replace(",", "."), f"{amount:,} VND")
    if added := act.get("term"):
        yield "term", term(added)
    if channel := act.get("channel"):
        yield "by", CHANNELS[Channel(channel)]


def _stage(book: Catalogue, folder: Folder, line: Row, payload: Row) -> Details:
    names, paper = Directory(book), folder.paper
    opened = next((v for v in folder.visits if v["opened_seq"] == line["seq"]), None)
    if opened is not None:
        yield "stage", _visited(book, names, paper, opened)
    if routed := payload.get("routed"):
        unit = names.body(routed["unit"])
        who = f" · {names.person(routed['person'])}" if routed.get("person") else ""
        why = _why(routed.get("why", ""))
        yield "routed", Both(unit.vi + who + why.vi, unit.en + who + why.en)


def _visited(book: Catalogue, names: Directory, paper: Any, opened: Row) -> Both:
    unit, code = names.body(opened["unit"]), opened["code"]
    named = _alike(code)
    if paper.version:
        stages = book.procedure(paper.procedure, paper.version).stages
        known = next((each.name for each in stages if each.code == code), None)
        named = Both(known.vi, known.en) if known else named
    return Both(f"{named.vi} — {unit.vi}", f"{named.en} — {unit.en}")


def _why(why: str) -> Both:
    if not why:
        return Both("", "")
    for pattern, vi in WHY.items():
        if found := re.fullmatch(pattern, why):
            return Both(f" ({found.expand(vi)})", f" ({why})")
    return _alike(f" ({why})")


def _clock(clock: Row, zone: tzinfo) -> Details:
    if due := clock.get("due"):
        yield "due", _alike(_moment(due, zone))
    if lapse := clock.get("lapse"):
        yield "waits", _alike(_moment(lapse, zone))
    if verdict := clock.get("verdict"):
        yield "verdict", TALLIES[Tally(verdict)]
    was = clock.get("was", {})
    if before := was.get("due"):
        verdict = TALLIES[Tally(was["verdict"])] if was.get("verdict") else Both("", "")
        moment = _moment(before, zone)
        yield "was", Both(f"{moment} {verdict.vi}".strip(), f"{moment} {verdict.en}".strip())


def _changed(folder: Folder, line: Row) -> Details:
    """Of which change set, who proposed it and who approved it."""
    if (number := change_of(line)) is None or (change := folder.changes.get(number)) is None:
        return
    by, second = change["proposed_by"], change["decided_by"] or "–"
    yield (
        "change",
        Both(
            f"số {number}: {by} đề xuất, {second} duyệt — {change['reason']} ({change['ground']})",
            f"{number}: proposed by {by}, approved by {second} — {change['reason']}"
            f" ({change['ground']})",
        ),
    )


def _moment(text: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(zone):%d/%m/%Y %H:%M}"


def _alike(text: str) -> Both:
    return Both(text, text)
