"""docs/permissions.md: what the test of permissions saw, written down."""

from asking import GONE, NO, YES, Seen
from callers import CALLERS
from permitted import ROUTES, About
from two_agencies import EDUCATION, SCIENCE, Side

OPEN = "○"
SIDES = {"sci": SCIENCE, "edu": EDUCATION}
OTHER = {"sci": EDUCATION, "edu": SCIENCE}
EACH = tuple(SIDES)
BY_NAME = {each.name: each for each in CALLERS}


def both(name: str) -> list[tuple[str, Side]]:
    return [(name, side) for side in SIDES.values()]


def own(name: str) -> list[tuple[str, Side]]:
    return [(f"{name} {each}", SIDES[each]) for each in EACH]


def other(name: str) -> list[tuple[str, Side]]:
    return [(f"{name} {each}", OTHER[each]) for each in EACH]


COLUMNS: dict[str, list[tuple[str, Side]]] = {
    "nobody": both("nobody"),
    "reception": both("reception"),
    "postal, acts for it": own("postal"),
    "postal, acts for another": other("postal"),
    "officer, its unit": own("officer"),
    "officer, its other unit": [("elsewhere sci", SCIENCE)],
    "officer, another agency": [*other("officer"), ("elsewhere sci", EDUCATION)],
    "officer, asked for an opinion": both("asked"),
    "leader, its own": own("leader"),
    "leader, another agency": other("leader"),
    "leader, the centre": both("centre"),
    "control": both("control"),
    "administrator": both("administrator"),
}

TITLES = {
    About.dossier: "One dossier, one breach, one message",
    About.listing: "Lists, counts, figures, the stream",
    About.agency: "What an agency decides of its procedures",
    About.common: "The same to all who hold a role",
    About.own: "One's own",
    About.administration: "Accounts and keys",
    About.public: "Open to anybody",
    About.operation: "Of the process",
}

PREFACE = """# Who may do what

Written by `tests/test_permissions.py` from what it saw: every route of the OpenAPI document, asked
by everybody, about the dossiers of two agencies. The test fails when this page is stale, and when
a route is not in it; `HOSO_TEST_WRITE=1 pytest tests/test_permissions.py` writes it anew.

Each column is somebody, asking about an agency's things.

| column | who / ai |
|---|---|
| nobody | without a token / không đăng nhập |
| reception | the counter of the one-stop centre / bộ phận tiếp nhận và trả kết quả |
| postal | a clerk of the public post, by `Hoso-For` for an agency / nhân viên bưu chính công ích |
| officer | of the unit it lies in, or another of the agency, or of another / cán bộ xử lý |
| officer, asked | of a body asked for its opinion, till it has answered / cơ quan được lấy ý kiến |
| leader | of the agency; of another; of the centre / lãnh đạo |
| control | the unit that controls procedures / bộ phận kiểm soát thủ tục hành chính |
| administrator | who manages accounts and holds no role / quản trị tài khoản |

| mark | |
|---|---|
| ✓ | reads it, or does it |
| – | not found, or not in the list: to the letter as if there were none |
| ✗ | refused, whatever there is: 403, without a token 401 |
| ○ | anybody, without a token |

Who sees which dossiers is one predicate, `states/sight.py`; every door asks it:

"""
AFTER = """
Whoever took over from a body that ended sees what was that body's. An event of the lifecycle wants,
beside the sight of the dossier, the role of its row in [the lifecycle](lifecycle.md), and that the
dossier lies where the caller works: a ✓ says that there is an event they fire. Service keys do what
their person does, and no more than their scopes; a session has all scopes.

What the document does not hold: `GET /` and `GET /openapi.json` are open to anybody; `GET /metrics`
is for who asks on the machine itself, or by a key with `metrics:read`.

The pages of the desk stand over the same functions, and show nothing that a route of this page does
not tell the same person: a browser's cookie is a session, the role is the one they sit in, and a
postal clerk sees the dossiers of all agencies they act for at once. `tests/test_desk_rights.py`
asks every page by everybody: what is not seen is the page of a dossier that there is not, no list,
number or drawing follows from it, and a form that is another's, or that another address's page
sends, writes nothing. Signing in, following a dossier and the list of procedures by post are open
to anybody; every other page sends who is not signed in to do that.
"""


def mark(seen: Seen, route: str, caller: str, side: Side) -> str:
    """What somebody can do about an agency by a route, as it was seen."""
    entry, who = ROUTES[route], BY_NAME[caller]
    if entry.about in {About.public, About.operation}:
        return OPEN
    answers = seen.of(route, who, side)
    marks = [each for got in answers for each in got.marks]
    if entry.about is About.listing and YES in marks:
        if entry.token is not None:
            return YES if any(entry.token(side) in got.body for got in answers) else GONE
        return YES if seen.changed(route, who, side) else GONE
    return next(each for each in (YES, NO, GONE) if each in marks)


def page(seen: Seen) -> str:
    return PREFACE + _sight() + AFTER + "".join(_section(seen, about) for about in About)


def _sight() -> str:
    from states import sight

    lines = (sight.__doc__ or "").splitlines()
    return "\n".join(each for each in lines if each.startswith("|")) + "\n"


def _section(seen: Seen, about: About) -> str:
    head = ["route", *COLUMNS]
    lines = [f"\n## {TITLES[about]}\n", _row(head), _row(["---"] * len(head))]
    for route, entry in ROUTES.items():
        if entry.about is about:
            lines.append(_row([f"`{route}`", *(_cell(seen, route, each) for each in COLUMNS)]))
    return "\n".join(lines) + "\n"


def _cell(seen: Seen, route: str, column: str) -> str:
    marks = {f"{who}, {of.prefix}": mark(seen, route, who, of) for who, of in COLUMNS[column]}
    assert len(set(marks.values())) == 1, f"{route}: the agencies differ: {marks}"
    return next(iter(marks.values()))


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
