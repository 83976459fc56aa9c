"""Every route of the API: what it is about, and how it is asked, for the test of permissions.

A route that is not here fails that test. Whoever adds one says what it is about:

- `dossier`: one of an agency; for who does not see it, as if there were none
- `listing`: many; nothing in it follows from what the caller does not see
- `agency`: what an agency decides of its own procedures
- `common`: the same to all who hold a role; nothing in it is of a dossier
- `own`: the caller's session, password, key
- `administration`: accounts and keys
- `public`: open to anybody; `operation`: of the process
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Any

from two_agencies import APRIL, SAMPLE, SCIENCE, Side, text

MOVE = "POST /v1/dossiers/{code}/events/{event}"  # one route; in the document each has its own
FILE = "0" * 64
PDF = b"%PDF-1.7\nanother\n%%EOF\n"
CSV = b64encode("Mã,Nhận\nh1,2023-01-03 08:00\n".encode()).decode()
MAP = "kind: dossiers\nzone: Asia/Ho_Chi_Minh\ncode: Mã\nreceived: Nhận\n"
WHY = {"reason": "vì thế", "ground": "NĐ 61/2018/NĐ-CP Điều 19"}
MADE = {"produced": ["Phiếu trình giải quyết"]}
PERIOD = {"since": "2024-03-01", "until": "2024-06-01"}
SPRING = {"since": "2024-03-01T00:00:00+07:00", "until": "2024-06-01T00:00:00+07:00"}
COMPARED = {f"before_{name}": at for name, at in SPRING.items()}
COMPARED |= {f"after_{name}": at.replace("2024", "2025") for name, at in SPRING.items()}


class About(StrEnum):
    """What a route is about."""

    dossier = auto()
    listing = auto()
    agency = auto()
    common = auto()
    own = auto()
    administration = auto()
    public = auto()
    operation = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request of a route. `of`: which dossier of the agency it is about."""

    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    of: str | None = None


Asking = Callable[[Side], Ask]


@dataclass(frozen=True, slots=True)
class Entry:
    """A route. `fine`: what is no refusal of the caller, though nothing was done. `token`: what
    an answer holds that tells something of an agency.
    """

    about: About
    asks: tuple[Asking, ...]
    fine: frozenset[int] = frozenset()
    token: Callable[[Side], str] | None = None


def dossier(*asks: Asking) -> Entry:
    return Entry(About.dossier, asks)


def listing(*asks: Asking, token: Callable[[Side], str] | None = None) -> Entry:
    return Entry(About.listing, asks or (plain(),), token=token)


def agency(*asks: Asking) -> Entry:
    return Entry(About.agency, asks)


def common(*asks: Asking) -> Entry:
    return Entry(About.common, asks or (plain(),))


def own(*asks: Asking, fine: int = 0) -> Entry:
    return Entry(About.own, asks or (plain(),), frozenset({fine}))


def administration(*asks: Asking) -> Entry:
    return Entry(About.administration, asks or (plain(),))


def public(*asks: Asking, fine: int = 0) -> Entry:
    return Entry(About.public, asks or (plain(),), frozenset({fine}))


def plain(path: Mapping[str, Any] | None = None, **how: Any) -> Asking:
    """The same whichever agency it is."""
    return lambda side: Ask(path=path or {}, **how)


def of(name: str = "main", *, path: Mapping[str, Any] | None = None, **how: Any) -> Asking:
    """About a dossier that the path names."""
    return lambda side: Ask(path={"code": side.codes[name], **(path or {})}, of=name, **how)


def moved(name: str, event: str, **body: Any) -> Asking:
    return of(name, path={"event": event}, body=body)


def extended(side: Side) -> Ask:
    """By a term of the kind that the procedure's own is."""
    term = "2cd" if side is SCIENCE else "2wd"
    return moved("main", "extend", payload={"term": term}, **WHY)(side)


def moves(side: Side, *, together: bool = False) -> Ask:
    """Several at once, of which each role may make one."""
    wanted = [
        {"code": side.codes["returned"], "event": "deliver"},
        {"code": side.codes["main"], "event": "advance", "payload": MADE},
        {"code": side.codes["signing"], "event": "advance"},
        {"code": side.codes["registered"], "event": "decline", "reason": "vì thế"},
    ]
    return Ask(body={"moves": wanted, "together": together}, of="main")


def queue(name: str) -> Asking:
    return plain({"queue": name})


def sought(**names: str) -> Asking:
    """A search by what is known of an agency's citizens."""
    query = {"full": "true", "count": "capped"}
    return lambda side: Ask(query=query | {n: getattr(side, of) for n, of in names.items()})


def version(number: int, idle: bool = False, **how: Any) -> Asking:
    """A version of one of the agency's procedures."""
    return lambda side: Ask(
        path={"code": side.idle if idle else side.procedure, "version": number}, **how
    )


def proposed(side: Side) -> Ask:
    said = {"procedure": side.idle, "version": 2, "reason": "vì thế", "document": "QĐ 12"}
    return Ask(body=said)


def lodged(side: Side) -> Ask:
    said = {"event": "receive", "procedure": side.procedure, "channel": "counter"}
    said |= {"applicant": "Ai Đó"}
    return Ask(body=said | {"components": dict.fromkeys(side.components, FILE)})


SOMEBODY = {"person": "p-fin-director"}
DAYS = {"off": ["2024-12-24"], "reason": "vì thế", "document": "QĐ 12"}
TEMPLATES = {"kind": "templates", "version": 2}
FORM = {"name": "a.csv", "content": CSV}

ROUTES: dict[str, Entry] = {
    # Dossiers
    "POST /v1/dossiers": agency(lodged),
    "GET /v1/dossiers": listing(
        plain(query={"count": "capped", "full": "true"}),
        plain(query={"count": "estimated", "order": "due"}),
        lambda side: Ask(query={"agency": side.agency, "count": "estimated"}),
        lambda side: Ask(query={"procedure": side.procedure, "count": "capped", "limit": "1"}),
    ),
    "GET /v1/dossiers/search": listing(
        sought(name="applicants"),
        sought(phone="phone"),
        sought(citizen_id="citizen"),
        sought(code="main"),
        sought(q="applicants"),
        lambda side: Ask(query={"name": side.applicants, "count": "estimated"}),
    ),
    "GET /v1/dossiers/{code}": dossier(of(), of("registered"), of("closed")),
    "GET /v1/dossiers/{code}/history": dossier(of()),
    "GET /v1/dossiers/{code}/clock": dossier(of()),
    "GET /v1/dossiers/{code}/clock/proof": dossier(of()),
    "GET /v1/dossiers/{code}/looks": dossier(of()),
    "GET /v1/dossiers/{code}/stages": dossier(of()),
    "GET /v1/dossiers/{code}/forms": dossier(of()),
    "GET /v1/dossiers/{code}/forms/{form}": dossier(
        of(path={"form": "slip"}),
        of(path={"form": "control"}),
        of("routed", path={"form": "apology"}),
    ),
    MOVE: dossier(
        moved("returned", "deliver"),
        moved("main", "advance", payload=MADE),
        moved("signing", "advance"),
        moved("routed", "accept"),
        moved("registered", "receive"),
        moved("registered", "decline", reason="vì thế"),
        moved("registered", "digitise"),
        moved("routed", "route"),
        moved("signing", "send_back", reason="vì thế"),
        moved("main", "request_supplement", reason="vì thế"),
        moved("main", "supplement"),
        moved("main", "request_payment", payload={"amount": 1000}),
        moved("main", "pay", payload={"amount": 1000}),
        extended,
        moved("signing", "return_result", payload={"outcome": "approved"}),
        moved("main", "withdraw", reason="vì thế"),
        moved("main", "stop", **WHY),
        moved("returned", "reopen", **WHY),
    ),
    "POST /v1/moves": dossier(moves, lambda side: moves(side, together=True)),
    "GET /v1/dossiers/{code}/components": dossier(of()),
    "GET /v1/dossiers/{code}/components/{component}": dossier(of(path={"component": "don"})),
    "PUT /v1/dossiers/{code}/components/{component}": dossier(
        of(path={"component": "don"}, content=PDF)
    ),
    "GET /v1/dossiers/{code}/components/{component}/{n}": dossier(
        of(path={"component": "don", "n": 1})
    ),
    "GET /v1/dossiers/{code}/consultations": dossier(of()),
    "POST /v1/dossiers/{code}/consultations": dossier(
        of(body={"to": "H42.05.01", "about": "Giấy phép", "term": "2wd"})
    ),
    "POST /v1/dossiers/{code}/consultations/{n}/answer": dossier(
        of(path={"n": 1}, body={"opinion": "agrees"})
    ),
    "POST /v1/dossiers/{code}/consultations/{n}/withdraw": dossier(
        of(path={"n": 1}, body={"reason": "vì thế"})
    ),
    "GET /v1/consultations": listing(),
    # Work
    "GET /v1/work": listing(),
    "GET /v1/queues/{queue}": listing(
        *map(queue, ("to_hand_over", "in_hands", "to_take_in", "to_sign", "overdue"))
    ),
    "GET /v1/live": listing(plain(query={"seconds": "0"}, headers={"Last-Event-ID": "1-1-1"})),
    # Deadlines
    "GET /v1/breaches": listing(
        plain(),
        lambda side: Ask(query={"agency": side.agency, "limit": "1"}),
    ),
    "GET /v1/breaches/causes": listing(),
    "GET /v1/breaches/groups": listing(plain(), plain(query={"by": "holder", "months": "true"})),
    "GET /v1/breaches/comparison": listing(plain(query=COMPARED)),
    "GET /v1/breaches/apologies": listing(),
    "GET /v1/breaches/{code}": dossier(of()),
    "POST /v1/breaches/{code}/{rule}/assign": dossier(
        lambda side: of(path={"rule": "term-late"}, body={"to": side.officer})(side)
    ),
    "POST /v1/breaches/{code}/{rule}/explain": dossier(
        of(path={"rule": "term-late"}, body={"cause": "workload", "explanation": "vì thế"})
    ),
    "POST /v1/breaches/{code}/{rule}/close": dossier(
        of("returned", path={"rule": "term-late"}, body={"finding": "vì thế"})
    ),
    "POST /v1/breaches/{code}/{rule}/reopen": dossier(
        of("closed", path={"rule": "term-late"}, body={"reason": "vì thế"})
    ),
    "GET /v1/suspicions": listing(plain(query=SPRING)),
    "GET /v1/suspicions/{rule}": listing(
        *(
            plain({"rule": each}, query=SPRING)
            for each in ("extensions-after-expiry", "outside-hours")
        )
    ),
    "GET /v1/suspicions/{rule}/shares": listing(
        *(
            plain({"rule": each}, query=SPRING)
            for each in ("extensions-after-expiry", "outside-hours")
        )
    ),
    "GET /v1/alerts": listing(
        plain(),
        lambda side: Ask(query={"code": side.codes["main"]}),
        lambda side: Ask(query={"agency": side.agency, "limit": "1"}),
    ),
    # Notices
    "GET /v1/notices": listing(plain(), lambda side: Ask(query={"code": side.codes["main"]})),
    "GET /v1/notices/counts": listing(),
    "POST /v1/notices/{id}/again": dossier(lambda side: Ask(path={"id": side.letter}, of="main")),
    # Figures
    "GET /v1/reports/log": listing(
        plain(query={"format": "csv"}),
        plain(query=APRIL | {"format": "xes"}),
        plain(query={"format": "ocel", "people": "true", "reason": "kiểm tra"}),
        lambda side: Ask(query={"format": "csv", "agency": side.agency}),
    ),
    "GET /v1/reports": common(),
    "GET /v1/reports/{name}": listing(
        plain({"name": "bieu06"}, query=APRIL),
        plain({"name": "bieu06"}, query={"format": "csv"}),
        plain({"name": "register"}, query=APRIL),
        lambda side: Ask(path={"name": "bieu06"}, query={"agency": side.agency}),
    ),
    "GET /v1/reports/{name}/dossiers": listing(
        plain({"name": "bieu06"}, query={"figure": "received"}),
        lambda side: Ask(
            path={"name": "bieu06"},
            query={"figure": "received", "where": f"agency={side.agency}"},
        ),
    ),
    "GET /v1/reports/frozen": common(),
    "GET /v1/reports/frozen/{number}": listing(
        plain({"number": 2}), token=lambda side: f'"agency":"{side.agency}"'
    ),
    "GET /v1/reports/frozen/{number}/compare": listing(plain({"number": 1})),
    # Forms
    "GET /v1/forms/register": listing(
        lambda side: Ask(query={"agency": side.agency, "from": "2024-03-01", "to": "2024-04-09"})
    ),
    "GET /v1/forms/{form}/template": common(
        plain({"form": "slip"}, query={"agency": SCIENCE.agency})
    ),
    "PUT /v1/forms/{form}/template": agency(
        lambda side: Ask(
            path={"form": "slip"}, query={"agency": side.agency}, body={"body": "#data.code"}
        )
    ),
    # Procedures
    "GET /v1/procedures": common(plain(query={"all": "true"})),
    "GET /v1/procedures/schema": common(),
    "GET /v1/procedures/{code}": common(lambda side: Ask(path={"code": side.procedure})),
    "GET /v1/procedures/{code}/versions/{version}": common(version(2)),
    "GET /v1/procedures/{code}/versions/{version}/text": common(version(2)),
    "GET /v1/procedures/{code}/versions/{version}/difference": common(
        version(2, query={"since": "1"})
    ),
    "POST /v1/procedures": agency(lambda side: Ask(body={"text": text(side.idle, 3)})),
    "POST /v1/procedures/{code}/versions/{version}/check": agency(version(3)),
    "POST /v1/procedures/{code}/versions/{version}/simulate": agency(version(3, body=PERIOD)),
    "POST /v1/procedures/{code}/versions/{version}/publish": agency(
        version(3, body={"document": "QĐ 12"})
    ),
    "POST /v1/procedures/{code}/versions/{version}/retire": agency(version(2, idle=True)),
    # Calendars and change sets
    "GET /v1/calendars": common(),
    "GET /v1/calendars/{name}/versions": common(plain({"name": "vn"})),
    "GET /v1/calendars/{name}/years/{year}": common(plain({"name": "vn", "year": 2024})),
    "POST /v1/calendars/{name}/changes": common(plain({"name": "vn"}, body=DAYS)),
    "GET /v1/changes": common(),
    "POST /v1/changes": agency(proposed),
    "GET /v1/changes/{number}": listing(
        lambda side: Ask(path={"number": side.change}), token=lambda side: '"counts":{"'
    ),
    "POST /v1/changes/{number}/approve": agency(lambda side: Ask(path={"number": side.change})),
    "POST /v1/changes/{number}/reject": agency(lambda side: Ask(path={"number": side.change})),
    "POST /v1/changes/{number}/undo": agency(lambda side: Ask(path={"number": side.applied})),
    # The organisation, and what there is one of
    "GET /v1/organisation": common(),
    "GET /v1/delegations": common(plain(query={"all": "true"})),
    "GET /v1/catalogue/{kind}/versions/{version}": common(plain(TEMPLATES)),
    "GET /v1/catalogue/{kind}/text": common(plain({"kind": "rules"})),
    "POST /v1/catalogue/{kind}": common(
        plain({"kind": "regimes"}, body={"text": (SAMPLE.parent / "regimes.yaml").read_text()})
    ),
    "POST /v1/catalogue/{kind}/versions/{version}/check": common(plain(TEMPLATES)),
    "POST /v1/catalogue/{kind}/versions/{version}/publish": common(
        plain(TEMPLATES, body={"document": "QĐ 12"})
    ),
    # Files of other systems
    "POST /v1/imports/map": common(plain(body=FORM)),
    "POST /v1/imports/trial": common(plain(body=FORM | {"map": MAP})),
    "PUT /v1/imports/files/{name}": common(plain({"name": "a.csv"}, content=b"a,b\n1,2\n")),
    "POST /v1/imports": common(plain(body=FORM | {"map": MAP})),
    "GET /v1/imports": listing(),
    "GET /v1/imports/{id}": dossier(lambda side: Ask(path={"id": side.intake}, of="main")),
    "GET /v1/imports/{id}/rows": dossier(
        lambda side: Ask(path={"id": side.intake}, of="main"),
        lambda side: Ask(path={"id": side.intake}, query={"format": "csv"}, of="main"),
    ),
    # Accounts
    "GET /v1/accounts/me": own(),
    "POST /v1/accounts/password": own(
        plain(body={"old": "không phải thế này", "new": "bốn từ nối liền nhau"}), fine=422
    ),
    "POST /v1/accounts/sign-out": own(),
    "POST /v1/accounts/sign-out-everywhere": own(),
    "GET /v1/accounts": administration(),
    "POST /v1/accounts": administration(plain(body={"person": "p-fin-lead-01", "password": False})),
    "POST /v1/accounts/{person}/reset": administration(plain(SOMEBODY)),
    "PUT /v1/accounts/{person}/identity": administration(
        plain(SOMEBODY, body={"issuer": "https://id.example.vn", "subject": "1"})
    ),
    "DELETE /v1/accounts/{person}": administration(plain(SOMEBODY)),
    # Of somebody else: whose account it is sees it too (tests/test_accounts_history.py).
    "GET /v1/accounts/{person}/events": administration(plain(SOMEBODY)),
    "GET /v1/accounts/keys": administration(),
    "POST /v1/accounts/keys": administration(
        plain(body=SOMEBODY | {"name": "Cổng", "scopes": ["dossiers:read"]})
    ),
    "DELETE /v1/accounts/keys/{key}": administration(plain({"key": 1})),
    "POST /v1/accounts/keys/{key}/rotate": administration(plain({"key": 1})),
    # Open to anybody
    "POST /v1/accounts/sign-in": public(
        plain(body={"person": "p-fin-director", "password": "không phải"}), fine=401
    ),
    "POST /v1/accounts/refresh": public(plain(body={"refresh_token": "hsr_x"}), fine=401),
    "GET /v1/accounts/oidc/start": public(fine=404),  # none is set up here
    "GET /v1/accounts/oidc/callback": public(fine=404),
    "GET /v1/track/{code}": public(of(query={"secret": "AAAA-AAAA"}), fine=404),
    "GET /health": Entry(About.operation, (plain(),)),
    "GET /ready": Entry(About.operation, (plain(),)),
}

OPEN = {route for route, entry in ROUTES.items() if entry.about in {About.public, About.operation}}
SCOPELESS = {
    "GET /v1/accounts/me",
    "POST /v1/accounts/password",
    "POST /v1/accounts/sign-out",
    "POST /v1/accounts/sign-out-everywhere",
    "POST /v1/accounts/keys/{key}/rotate",  # a key may rotate itself; else it asks for the scope
}
"""What wants a token, and no scope of it."""
HIDDEN = {"GET /", "GET /metrics", "GET /openapi.json", "HEAD /openapi.json"}
"""What the OpenAPI document does not hold: the page, what is scraped, the document."""
