"""A look at some dossiers: what is due of each is told once, and when to look again is noted.

Four reads and two writes, however many they are. The caller holds their watches; no dossier is
locked, so nobody at a counter waits. The dossiers are read before their lines and visits: what
happens meanwhile is looked at again, and told no second time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from states import ledger
from states.catalogue.organisation import Organisation
from states.catalogue.rules import On, Rule, Rules, What
from states.clock import Calendar
from states.db import fetch_all
from states.deadlines.concerned import concerned, placed
from states.deadlines.moments import Deadline, moment
from states.deadlines.watched import TICKING, Before, Life, Line, Told, deadlines
from states.errors import HosoError

log = structlog.get_logger()

PAPERS = """
SELECT id, code, seq, state, agency, counter, unit, procedure, version, channel, source, calendar,
  calendar_version, policy, received_at, finished_at, facts ->> 'assigned' AS assigned,
  (facts ->> 'restart')::timestamptz AS restart
FROM dossier WHERE id = ANY($1)
"""
LINES = """
SELECT dossier_id, seq, event, source, dest, at, (told ->> 'due')::timestamptz AS due,
  told -> 'due' IS NOT NULL AS tells
FROM (
  SELECT *, CASE WHEN event = ANY($2) THEN payload::json -> 'clock' END AS told
  FROM entry WHERE dossier_id = ANY($1)
) AS line ORDER BY dossier_id, seq
"""
VISITS = """
SELECT dossier_id, visit, unit, role, person, opened_at, opened_seq, due_at, closed_at, closed_seq
FROM visit WHERE dossier_id = ANY($1) ORDER BY dossier_id, visit
"""
TOLD = """
SELECT dossier_id, rule, visit, deadline, watched, due_at FROM alert WHERE dossier_id = ANY($1)
ORDER BY dossier_id, deadline
"""
TELL = """
INSERT INTO alert (dossier_id, rule, visit, deadline, watched, what, due_at, at, unit, person,
  concerns)
SELECT * FROM json_to_recordset($1::text::json) AS t(dossier_id bigint, rule text, visit integer,
  deadline integer, watched text, what text, due_at timestamptz, at timestamptz, unit text,
  person text, concerns json)
ORDER BY dossier_id, rule, visit, deadline
ON CONFLICT DO NOTHING RETURNING rule
"""
WATCH = """
INSERT INTO watch (dossier_id, at, seq)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::integer[]) ORDER BY 1
ON CONFLICT (dossier_id) DO UPDATE SET at = excluded.at, seq = excluded.seq
"""
FORGET = "DELETE FROM watch WHERE dossier_id = ANY($1)"


class Book(ledger.Book, Protocol):
    """What the sweep asks of the catalogue."""

    @property
    def rules(self) -> Rules:
        """What is watched, when, and who is told."""

    @property
    def organisation(self) -> Organisation:
        """Who there is."""


class Due(NamedTuple):
    """A rule that speaks of a deadline, from its moment on."""

    rule: Rule
    deadline: Deadline
    moment: datetime


async def look(
    db: AsyncConnection,
    book: Book,
    ids: Sequence[int],
    since: Mapping[int, int],
    at: datetime,
) -> Counter[str]:
    """Tell what is due of these dossiers; how many of each rule.

    `since`: the line up to which each was looked at; of one that is not there, only what stands
    now is judged, and no past.
    """
    alerts: list[dict[str, Any]] = []
    watches: list[tuple[int, datetime | None, int]] = []
    over: list[int] = []
    for life, told in await _lives(db, ids):
        paper = life.paper
        # What another system told of the past is its own.
        seen = paper.seq if paper.source else since.get(paper.id, paper.seq)
        due, following = judged(book, life, told, seen, at)
        alerts += [_alert(book, life, each, book.day(at)) for each in due]
        if paper.finished_at is None:
            watches.append((paper.id, following, paper.seq))
        else:
            over.append(paper.id)
    new = await fetch_all(db, TELL, orjson.dumps(alerts).decode()) if alerts else []
    if watches:
        await fetch_all(db, WATCH, *map(list, zip(*watches, strict=True)))
    if over:
        await fetch_all(db, FORGET, over)
    return Counter(row["rule"] for row in new)


async def _lives(db: AsyncConnection, ids: Sequence[int]) -> list[tuple[Life, list[Any]]]:
    """The dossiers, each with what was told of it; the rows of the dossiers are the oldest."""
    papers = await fetch_all(db, PAPERS, ids)
    lines = _by_dossier(await fetch_all(db, LINES, ids, list(TICKING)), lambda row: Line(*row[1:]))
    visits = _by_dossier(await fetch_all(db, VISITS, ids), _Named)
    told = _by_dossier(await fetch_all(db, TOLD, ids), lambda row: row)
    numbers = ((paper["id"], paper) for paper in papers)
    return [(_life(row, lines[n], visits[n]), told[n]) for n, row in numbers]


def _life(row: Mapping[str, Any], lines: list[Line], visits: list[Any]) -> Life:
    """As it stood when its row was read: what was written meanwhile is looked at again."""
    return Life(
        _Named(row),
        [line for line in lines if line.seq <= row["seq"]],
        [visit for visit in visits if visit.opened_seq <= row["seq"]],
    )


class _Named:
    """A row by the names of its columns: as the rules read dossiers and visits."""

    __slots__ = ("_row",)

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return self._row[name]


def _by_dossier(rows: Sequence[Any], made: Any) -> Mapping[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["dossier_id"]].append(made(row))
    return found


def judged(
    book: Book, life: Life, told: Sequence[Mapping[str, Any]], since: int, at: datetime
) -> tuple[list[Due], datetime | None]:
    """What is due of one dossier and was not told, and when the next rule speaks of it.

    What cannot be reckoned is told in the log and looked at again after its next line: one dossier
    keeps no other from being watched.
    """
    paper = life.paper
    done = {(row["rule"], row["visit"], row["deadline"]) for row in told}
    before: Before = {
        (On(row["watched"]), row["visit"]): Told(row["deadline"], row["due_at"]) for row in told
    }
    try:
        calendar = book.calendar(paper.calendar, paper.calendar_version)
        procedure = book.procedure(paper.procedure, paper.version) if paper.version else None
        spoken = [
            each
            for deadline in deadlines(life, procedure, calendar, before)
            if deadline.ended is None or deadline.ended > since
            for each in _spoken(book.rules, deadline, calendar)
            if (each.rule.code, deadline.visit, deadline.version) not in done
        ]
    except HosoError as error:
        log.error("deadline.unreadable", code=paper.code, why=str(error))  # noqa: TRY400
        return [], None
    due = [each for each in spoken if each.deadline.ended is not None or each.moment <= at]
    ahead = (e.moment for e in spoken if e.deadline.ended is None and e.moment > at)
    return due, min(ahead, default=None)


def _spoken(rules: Rules, deadline: Deadline, calendar: Calendar) -> Iterator[Due]:
    """Each rule that speaks of it. Of what is over nobody is warned any more; that it was missed
    before that is on the record all the same.
    """
    for rule in rules.of(deadline.on):
        if deadline.until is not None and rule.what is What.alert:
            continue
        when = moment(rule.when, deadline, calendar)
        if when is not None and (deadline.until is None or when <= deadline.until):
            yield Due(rule, deadline, when)


def _alert(book: Book, life: Life, due: Due, today: date) -> dict[str, Any]:
    """The row. Who is warned is who has it now; what was missed was missed by who had it then.

    Whom it concerns is asked of the day on which it is told: who is away then is not told alone.
    """
    rule, deadline, when = due
    then = max(when, deadline.since)
    place = placed(life) if rule.what is What.alert else placed(life, then)
    return {
        "dossier_id": life.paper.id,
        "rule": rule.code,
        "visit": deadline.visit,
        "deadline": deadline.version,
        "watched": deadline.on,
        "what": rule.what,
        "due_at": deadline.due,
        "at": when,
        "unit": place.unit,
        "person": place.person,
        "concerns": concerned(book.organisation, rule.tell, place, today),
    }
