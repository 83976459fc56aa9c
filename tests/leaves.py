"""Every page of the desk: what it is about and how it is asked, for the tests of its rights.

A page that is not here fails them. Whoever adds one says what it is about:

- `dossier`: one of an agency; for who does not see it, as if there were none
- `listing`: many; nothing in it follows from what the reader does not see
- `agency`: what an agency decides of its own
- `common`: the same to all who hold a role; nothing in it is of a dossier
- `own`: the reader's account, role, drafts
- `public`: open to anybody
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Any

from asking import contexts
from fastapi import FastAPI
from two_agencies import SCIENCE, Side

from api.desk.leaf import Leaf, Open
from states.figures import every
from states.words import Event

WHY = {"reason": "vì thế"}
MADE = "Phiếu trình giải quyết"
PAPERS = ["don", "dang-ky-kinh-doanh", "phuong-an"]
RECEIPT = {"channel": "counter", "applicant": "Lê Văn Bình", "said": "receive", "handed": PAPERS}
DAY = {"what": "off", "reason": "Bão", "document": "QĐ 12", "dates": "later"}
YEAR = {"since": "2024-01-01", "until": "2024-06-30"}
ABSENT = {"since": "2024-05-06", "until": "2024-05-10", "reason": "nghỉ phép"}


class About(StrEnum):
    """What a page is about."""

    dossier = auto()
    listing = auto()
    agency = auto()
    common = auto()
    own = auto()
    public = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request of a page. `by`: who may; `on`: the page its form is on; `said`: what is typed
    into that; `of`: which dossier of the agency it is about.
    """

    at: str
    by: str = "control"
    on: str | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    of: str | None = None


Asking = Callable[[Side], Iterator[Ask]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A route, and its requests about an agency."""

    about: About
    asks: Callable[[Side], list[Ask]]


def at(about: About, *addresses: str, **more: Any) -> Entry:
    """Asked by these addresses, in which an agency's own words are filled in."""
    if about is About.public:
        more["by"] = "nobody"

    def asks(side: Side) -> list[Ask]:
        known = words(side)
        told = {name: _filled(value, known) for name, value in more.items()}
        return [Ask(at=each.format_map(known), **told) for each in addresses]

    return Entry(about, asks)


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(each, known) for name, each in value.items()}
    return value.format_map(known) if isinstance(value, str) else value


def words(side: Side) -> dict[str, Any]:
    """What addresses and forms name of an agency."""
    plain = {name: getattr(side, name) for name in ("agency", "unit", "procedure", "idle")}
    plain |= {"change": side.change, "applied": side.applied, "phone": side.phone}
    plain |= {"prefix": side.prefix, "officer": side.officer, "leader": side.leader}
    plain["term"] = "5cd" if side is SCIENCE else "2wd"  # in the unit of its procedure
    return plain | side.codes | {"name": side.applicants}


def dossier(address: str, of: str = "main", **more: Any) -> Entry:
    return at(About.dossier, address, of=of, **more)


def listing(*addresses: str, **more: Any) -> Entry:
    return at(About.listing, *addresses, **more)


def common(*addresses: str, **more: Any) -> Entry:
    return at(About.common, *addresses, **more)


def both(*entries: Entry) -> Entry:
    """One route, asked in several ways."""
    return Entry(entries[0].about, lambda side: [ask for e in entries for ask in e.asks(side)])


def act(event: Event, by: str, of: str = "main", **said: Any) -> Entry:
    here = f"/dossiers/{{{of}}}/do/{event}"
    return dossier(here, of, by=by, on=here, said=said)


def step(event: str, by: str, of: str, **said: Any) -> Entry:
    here = f"/breaches/{{{of}}}/term-late/0/1"
    return dossier(f"{here}/{event}", of, by=by, on=here, said=said)


def edit(way: str, **more: Any) -> Entry:
    here = "/procedures/{idle}/edit"
    return at(About.agency, f"{here}{way}", by="leader", on=here, **more)


def changed(person: str, what: str, **said: Any) -> Entry:
    here = f"/people/{person}/change/{what}"
    return at(About.agency, here, by="leader", on=here, said=said)


ACTS = both(
    act(Event.request_supplement, "officer", **WHY),
    act(Event.request_payment, "officer", amount="5000"),
    act(Event.extend, "leader", **WHY, ground="Điều 19", term="{term}"),
    act(Event.advance, "officer", produced=MADE),
    act(Event.withdraw, "reception", **WHY),
    act(Event.accept, "officer", "routed"),
    act(Event.decline, "reception", "registered", **WHY),
)
BREACH = both(
    step("explain", "leader", "main", cause="workload", explanation="đông người"),
    step("assign", "leader", "main", to="{officer}"),
    step("close", "control", "returned", finding="đúng thế"),
    step("reopen", "control", "closed", reason="còn nữa"),
)
REPORTS = [f"/reports/{name}" for name in every.REPORTS]
DASHBOARD = ("trend", "table", "table?by=unit", "table?by=procedure", "heat", "load", "targets")
FOUND = (
    *("/dossiers", "/dossiers?full=true", "/dossiers?agency={agency}", "/dossiers?q={phone}"),
    *("/dossiers?unit={unit}&state=processing", "/dossiers?procedure={procedure}&order=due"),
    *(
        "/dossiers?q={name}",
        "/dossiers?q={main}x",
        "/dossiers?person={officer}",
        "/dossiers?overdue=1",
    ),
)
CALENDAR, PLACE = "/calendars/changes/{change}", "/breaches/{main}/term-late/0/1"
TICKED = {"pick": "{main}@4"}

LEAVES: dict[str, Entry] = {
    # Lists and figures
    "GET /today": listing("/today"),
    "GET /dossiers": listing(*FOUND),
    "GET /palette": listing("/palette", "/palette?at=/dossiers/{main}"),
    "GET /palette/found": listing("/palette/found?q={main}", "/palette/found?q={phone}"),
    "GET /bulk": listing("/bulk", "/bulk?event=withdraw"),
    "GET /dashboard": listing("/dashboard", "/dashboard?period=2024-03&agency={agency}"),
    "GET /dashboard/dossiers": listing("/dashboard/dossiers?which=overdue"),
    "GET /dashboard/trend.svg": listing("/dashboard/trend.svg", "/dashboard/trend.svg?late"),
    "GET /dashboard/{part}": listing(*(f"/dashboard/{each}" for each in DASHBOARD)),
    "GET /reports": common("/reports"),
    "GET /reports/{name}": listing(*REPORTS, "/reports/bieu06?period=2024-03&agency={agency}"),
    "GET /reports/{name}/chart.svg": listing("/reports/pace/chart.svg?period=2024"),
    "GET /reports/{name}/dossiers": listing(
        "/reports/bieu06/dossiers?period=2024&figure=late",
        "/reports/bieu06/dossiers?period=2024&figure=overdue&where=agency={agency}",
    ),
    "GET /reports/frozen": common("/reports/frozen"),
    "GET /reports/frozen/{number}": listing("/reports/frozen/1"),
    "GET /reports/frozen/{number}/compare": listing("/reports/frozen/1/compare"),
    "POST /reports/frozen": common(
        "/reports/frozen", on="/reports/frozen", said={"report": "bieu06", "period": "2024-02"}
    ),
    "GET /breaches": listing("/breaches", "/breaches?agency={agency}&standing=open"),
    "GET /breaches/tally": listing("/breaches/tally", "/breaches/tally?agency={agency}"),
    "GET /breaches/groups": listing("/breaches/groups", "/breaches/groups?by=unit"),
    "GET /breaches/compare": listing("/breaches/compare", "/breaches/compare?by=agency"),
    "GET /breaches/apologies": listing("/breaches/apologies"),
    "GET /breaches/suspicions": listing("/breaches/suspicions"),
    "GET /breaches/suspicions/counts": listing("/breaches/suspicions/counts"),
    "GET /breaches/suspicions/{rule}": listing(
        *(f"/breaches/suspicions/outside-hours?by={each}" for each in ("unit", "person", "agency"))
    ),
    "GET /calendars/changes/{number}/foreseen": common(f"{CALENDAR}/foreseen"),
    # One dossier
    "GET /dossiers/{code}": both(
        *(dossier(f"/dossiers/{{{of}}}", of) for of in SCIENCE.codes),
    ),
    "GET /dossiers/{code}/do/{event}": dossier("/dossiers/{main}/do/extend", by="leader"),
    "POST /dossiers/{code}/do/{event}": ACTS,
    "GET /dossiers/{code}/changes": dossier("/dossiers/{main}/changes?seen=1"),
    "GET /dossiers/{code}/looks": dossier("/dossiers/{main}/looks"),
    "POST /dossiers/{code}/consultations": dossier(
        "/dossiers/{main}/consultations",
        by="officer",
        on="/dossiers/{main}",
        said={"to": "H42.05", "about": "ý kiến gì", "term": "3wd"},
    ),
    "POST /dossiers/{code}/consultations/{n}/answer": dossier(
        "/dossiers/{main}/consultations/1/answer",
        by="asked",
        on="/dossiers/{main}",
        said={"opinion": "agrees", "text": "đồng ý"},
    ),
    "POST /dossiers/{code}/consultations/{n}/withdraw": dossier(
        "/dossiers/{main}/consultations/1/withdraw", by="officer", on="/dossiers/{main}", said=WHY
    ),
    "GET /dossiers/{code}/digitise": dossier("/dossiers/{main}/digitise", by="reception"),
    "GET /dossiers/{code}/digitise/files": dossier("/dossiers/{main}/digitise/files"),
    "POST /dossiers/{code}/digitise": dossier(
        "/dossiers/{main}/digitise",
        by="reception",
        on="/dossiers/{main}/digitise",
        said={"seq": "4"},
    ),
    "GET /receive/done/{code}": dossier("/receive/done/{main}", by="reception"),
    "GET /breaches/{code}/{rule}/{visit}/{deadline}": dossier(PLACE),
    "POST /breaches/{code}/{rule}/{visit}/{deadline}/{step}": BREACH,
    "POST /today/move": dossier(
        "/today/move",
        "routed",
        by="officer",
        on="/today?queue=to_take_in",
        said={"code": "{routed}", "seq": "4", "event": "accept", "back": "/today"},
    ),
    "POST /bulk": dossier("/bulk", by="reception", said=TICKED | WHY | {"event": "withdraw"}),
    # Receipts
    "GET /receive": common("/receive", "/receive?q=kinh", by="reception"),
    "GET /receive/matches": common("/receive/matches?q=kinh", by="reception"),
    "GET /receive/form": common(
        "/receive/form?procedure={procedure}&draft=00c0ffee", by="reception"
    ),
    "GET /receive/promise": common(
        "/receive/promise?procedure={procedure}&channel=counter", by="reception"
    ),
    "POST /receive/form": at(
        About.agency,
        "/receive/form",
        by="reception",
        on="/receive/form?procedure={procedure}&draft=00c0ffee",
        said=RECEIPT,
    ),
    "POST /receive/known": at(
        About.listing, "/receive/known", by="reception", said={"citizen_id": "035190001111"}
    ),
    # Procedures
    "GET /procedures": common("/procedures", "/procedures?q=kinh&agency={agency}"),
    "GET /procedures/{code}": common("/procedures/{procedure}"),
    "GET /procedures/{code}/versions/{version}": common("/procedures/{procedure}/versions/3"),
    "GET /procedures/{code}/versions/{version}/text": common("/procedures/{idle}/versions/1/text"),
    "GET /procedures/{code}/difference": common("/procedures/{procedure}/difference"),
    "GET /procedures/{code}/edit": at(About.agency, "/procedures/{idle}/edit", by="leader"),
    "POST /procedures/{code}/edit": edit(""),
    "POST /procedures/{code}/edit/turn": edit("/turn", said={"act": "view:form"}),
    "POST /procedures/{code}/edit/check": edit("/check"),
    "POST /procedures/{code}/edit/simulate": edit("/simulate", said=YEAR),
    "POST /procedures/{code}/versions/{version}/check": at(
        About.agency, "/procedures/{procedure}/versions/3/check", by="leader"
    ),
    "POST /procedures/{code}/versions/{version}/publish": at(
        About.agency,
        "/procedures/{procedure}/versions/3/publish",
        by="leader",
        on="/procedures/{procedure}/versions/3",
        said={"document": "QĐ 12"},
    ),
    "POST /procedures/{code}/versions/{version}/retire": at(
        About.agency,
        "/procedures/{idle}/versions/2/retire",
        by="leader",
        on="/procedures/{idle}/versions/2",
    ),
    # Calendars and change sets
    "GET /calendars": common("/calendars"),
    "GET /calendars/{name}": common("/calendars/vn", "/calendars/vn?year=2023"),
    "GET /calendars/{name}/days/{day}": common("/calendars/vn/days/2024-04-09"),
    "POST /calendars/{name}/days/{day}": common(
        "/calendars/vn/days/2024-04-09", on="/calendars/vn/days/2024-04-09", said=DAY
    ),
    "GET /calendars/changes": common("/calendars/changes"),
    "GET /calendars/changes/{number}": common(CALENDAR),
    "POST /calendars/changes/{number}/approve": at(
        About.agency, f"{CALENDAR}/approve", by="leader", on=CALENDAR
    ),
    "POST /calendars/changes/{number}/reject": at(
        About.agency, f"{CALENDAR}/reject", by="leader", on=CALENDAR, said={"why": "thôi"}
    ),
    "POST /calendars/changes/{number}/undo": at(
        About.agency,
        "/calendars/changes/{applied}/undo",
        by="leader",
        on="/calendars/changes/{applied}",
    ),
    # People
    "GET /people": common("/people", "/people?agency={agency}&q=nguyen"),
    "GET /people/{person}": common("/people/{officer}"),
    "GET /people/draft": common("/people/draft"),
    "GET /people/text": common("/people/text"),
    "GET /people/{person}/change/{what}": common("/people/{officer}/change/absence"),
    "POST /people/{person}/change/{what}": both(
        changed("{officer}", "absence", **ABSENT),
        changed("{officer}", "position", unit="{unit}", role="leader", since="2024-05-06"),
        changed(
            "new",
            "hired",
            id="p-{prefix}-new",
            name="Lê Thị Mới",
            unit="{unit}",
            role="officer",
            since="2024-05-06",
        ),
    ),
    "POST /people/draft/check": common("/people/draft/check"),
    "POST /people/draft/publish": common(
        "/people/draft/publish", on="/people/draft", said={"document": "QĐ 12"}
    ),
    "POST /people/{person}/account": common("/people/{officer}/account", by="keeper"),
    # One's own
    "GET /desk": at(About.own, "/desk"),
    "GET /account": at(About.own, "/account"),
    "GET /account/password": at(About.own, "/account/password"),
    "POST /account/password": at(
        About.own,
        "/account/password",
        on="/account/password",
        said={"old": "không phải", "new": "bốn từ nối liền nhau", "again": "bốn từ nối liền nhau"},
    ),
    "POST /account/role": at(About.own, "/account/role", said={"role": "control"}),
    "POST /session/end": at(About.own, "/session/end"),
    "POST /session/end-all": at(About.own, "/session/end-all"),
    "POST /drafts": at(About.own, "/drafts?form=a", said=WHY),
    "POST /drafts/drop": at(About.own, "/drafts/drop?form=a"),
    "POST /bulk/choose": at(
        About.own, "/bulk/choose", by="reception", said=TICKED | {"event": "withdraw"}
    ),
    "POST /dossiers/filters": at(
        About.own, "/dossiers/filters", said={"name": "của tôi", "query": "agency={agency}"}
    ),
    "POST /dossiers/filters/drop": at(
        About.own, "/dossiers/filters/drop", said={"name": "của tôi", "query": ""}
    ),
    # Open to anybody
    "GET /sign-in": at(About.public, "/sign-in?next=/today"),
    "POST /session": at(
        About.public, "/session", on="/sign-in", said={"person": "p-none", "password": "không"}
    ),
    "GET /session/oidc": at(About.public, "/session/oidc"),
    "GET /language/{lang}": at(About.public, "/language/vi?next=/today"),
    "GET /design": at(About.public, "/design"),
    "GET /track": at(About.public, "/track", "/track?code={closed}"),
    "POST /track": at(
        About.public, "/track", on="/track", said={"code": "{closed}", "phone": "0000"}
    ),
    "GET /track/{code}/{secret}": at(About.public, "/track/{closed}/AAAA-AAAA"),
    "POST /track/say": at(About.public, "/track/say", said={"code": "{closed}", "phone": "0000"}),
    "GET /public/procedures": at(About.public, "/public/procedures?q=kinh"),
}


def leaves(app: FastAPI) -> dict[str, type]:
    """The routes of the application that are pages of the desk, each with its class."""
    found = {}
    for route, context in contexts(app):
        made = context.original_route
        if isinstance(made, (Leaf, Open)) or made.endpoint.__module__.startswith("api.desk."):
            found[route] = type(made)
    return found


def asks(side: Side, *about: About, method: str = "") -> Iterator[tuple[str, Ask]]:
    for route, entry in LEAVES.items():
        if route.startswith(method) and entry.about in (about or set(About)):
            yield from ((route, ask) for ask in entry.asks(side))
