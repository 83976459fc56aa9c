"""Whose pages are whose: every page of the desk, looked at by everybody, about two agencies.

The pages are found in the application; one that tests/leaves.py does not know fails here.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from callers import ADMINISTRATOR, NOBODY, Caller
from leafing import (
    BY_NAME,
    NOT_NOW,
    READERS,
    SEATED,
    Got,
    Visits,
    addresses,
    changed,
    hidden,
    prepared,
    stand,
    visits,
    who,
)
from leaves import LEAVES, About, Ask, asks, leaves
from sitting import FORM
from two_agencies import EDUCATION, NOWHERE, SCIENCE, Side

__all__ = ["addresses", "visits"]

BOTH = (SCIENCE, EDUCATION)
PUBLIC = {
    *("GET /sign-in", "POST /session", "GET /session/oidc", "GET /language/{lang}", "GET /design"),
    *("GET /track", "POST /track", "GET /track/{code}/{secret}", "POST /track/say"),
    "GET /public/procedures",
}
"""What nobody has to sign in for."""
UNSAID = {"GET /dossiers/{code}/looks"}  # told by nobody who does not audit: refused, not absent
RESULTS = {"POST /bulk"}  # each of many has its own
ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://office"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://office"},
    {"Origin": "http://office.evil.example"},
    {"Origin": "null"},
    {},
)
"""How a browser tells that another's page made it ask; the last, how it does not say that not."""
PARTLY = [each for each in SEATED if each.name not in {"reception", "postal", "centre", "keeper"}]
"""Whose lists are compared: of those who see everything one is enough."""


Stage = dict[tuple[str, str], str]  # by reader and address, all that was told
Seen = list[tuple[str, Side, Got]]


@pytest.fixture(scope="module")
async def stages(visits: Visits) -> list[Stage]:
    """What lists tell before there is either agency, with the first, with both."""
    world = visits.world()
    await world.common()
    found = [await _lists(visits)]
    for side in BOTH:
        await world.build(side)
        found.append(await _lists(visits))
    await world.freeze()
    return found


async def _lists(visits: Visits) -> Stage:
    told: Stage = {}
    for reader in PARTLY:
        for side in BOTH:
            for _, ask in asks(side, About.listing, method="GET"):
                if (reader.name, ask.at) not in told:
                    told[reader.name, ask.at] = (await visits.get(reader, ask)).told
    return told


@pytest.fixture(scope="module")
async def seen(visits: Visits, stages: list[Stage]) -> Seen:
    """Every page that is read, by everybody, when both are there."""
    found: Seen = []
    for reader in READERS:
        known: dict[str, Got] = {}
        for side in BOTH:
            for route, ask in asks(side, method="GET"):
                if ask.at not in known:
                    known[ask.at] = await visits.get(reader, ask)
                found.append((route, side, known[ask.at]))
    return found


def posts(*about: About) -> Iterator[tuple[str, Side, Ask]]:
    for side in BOTH:
        yield from ((route, side, ask) for route, ask in asks(side, *about, method="POST"))


def of(seen: Seen, *about: About) -> Iterator[tuple[str, Side, Got]]:
    return ((route, side, got) for route, side, got in seen if LEAVES[route].about in about)


# The table --------------------------------------------------------------------------------


def test_every_page_is_in_the_table_and_nothing_else(visits: Visits) -> None:
    there = leaves(visits.desk.app).keys()
    assert there - LEAVES.keys() == set(), "say in tests/leaves.py what these are about"
    assert LEAVES.keys() - there == set(), "these are no pages any more"
    open_ = {route for route, entry in LEAVES.items() if entry.about is About.public}
    assert open_ == PUBLIC


async def test_everybody_who_may_is_answered(seen: Seen) -> None:
    """Or the tests below would be of silence."""
    for route, side, got in seen:
        if route not in PUBLIC and got.reader is who(got.ask.by, side):
            assert got.status in {200, 303}, (route, got.reader.name, got.ask, got.page.text)
    assert len(seen) > 2_000


async def test_every_form_does_what_it_is_for(visits: Visits, stages: list[Stage]) -> None:
    for route, side, ask in posts():
        if route in PUBLIC | NOT_NOW:
            continue
        async with visits.desk.undone():
            await prepared(visits, route, side)
            reader = who(ask.by, side)
            got = await visits.post(reader, ask, await visits.filled(reader, ask))
            assert got.status in {200, 204, 303}, (route, ask, got.page.text)


# What is seen -----------------------------------------------------------------------------


async def test_who_does_not_see_a_dossier_gets_the_page_of_none(visits: Visits, seen: Seen) -> None:
    none: dict[tuple[str, int], list[Got]] = {}
    checked = 0
    for reader in READERS:
        for n, (_, ask) in enumerate(asks(NOWHERE, About.dossier, method="GET")):
            none[reader.name, n] = [await visits.get(reader, ask)]
    for reader in READERS:
        mine = [
            (route, side, got)
            for route, side, got in of(seen, About.dossier)
            if got.reader is reader
        ]
        for side in BOTH:
            for n, (route, got) in enumerate((r, g) for r, s, g in mine if s is side):
                if got.ask.of is not None and reader.sees(side, got.ask.of):
                    continue
                [without] = none[reader.name, n]
                assert got.as_of_none(side) == without.told, (route, reader.name)
                assert got.status == (303 if reader is NOBODY else got.status)
                assert got.status in {303, 403, 404}, (route, reader.name)
                checked += got.is_page
    assert checked > 100


async def test_nothing_is_told_anywhere_of_what_the_reader_does_not_see(seen: Seen) -> None:
    """No code, name, telephone or word: on no page, in no drawing, in no address of a link."""
    for route, side, got in seen:
        said = [each for each in hidden(got.reader, side) if got.said(each)]
        assert said == [], (route, got.reader.name, got.ask.at)


async def test_no_list_or_count_follows_from_what_the_reader_does_not_see(
    stages: list[Stage],
) -> None:
    """Whatever another agency does, every list, number and drawing stays as it was."""
    checked = 0
    for n, side in enumerate(BOTH):
        for reader in PARTLY:
            if any(reader.sees(side, name) for name in side.codes):
                continue
            for (name, at), before in stages[n].items():
                if name == reader.name:
                    assert stages[n + 1][name, at] == before, (reader.name, at, side.agency)
                    checked += 1
    assert checked > 200


async def test_every_list_and_count_tells_those_who_see(stages: list[Stage]) -> None:
    """Or the test above would be one of silence."""
    told = {
        at
        for before, after in pairwise(stages)
        for (name, at), was in before.items()
        if after[name, at] != was
    }
    silent = []
    for route, entry in LEAVES.items():
        mine = {ask.at for side in BOTH for ask in entry.asks(side)}
        if entry.about is About.listing and route.startswith("GET") and not mine & told:
            silent.append(route)
    assert set(silent) <= {"GET /bulk", "GET /breaches/suspicions", "GET /palette"} | FROZEN


FROZEN = {"GET /reports/frozen/{number}"}  # it stays as it was when it was frozen


async def test_whoever_is_shown_personal_data_is_on_record(seen: Seen) -> None:
    """A page that names somebody whole has that written down; one that did not is masked."""
    shown = set()
    for route, side, got in seen:
        for name, code in side.codes.items():
            whole = (f"{side.applicants} {name}", f"{side.prefix}-citizen-{name}")
            if any(got.said(each) for each in whole):
                assert code in got.looked, (route, got.reader.name, got.ask.at)
                shown.add(route)
        if got.said(side.phone):
            assert got.looked, (route, got.reader.name, got.ask.at)
    assert "GET /dossiers/{code}" in shown
    assert "GET /today" not in shown


async def test_who_manages_accounts_and_holds_no_role_sees_no_page_of_work(seen: Seen) -> None:
    for route, _, got in of(seen, About.dossier, About.listing, About.agency, About.common):
        if got.reader is ADMINISTRATOR:
            assert got.status == 403, (route, got.text)


# What every page has ----------------------------------------------------------------------


async def test_no_page_is_kept_by_a_browser_and_none_holds_what_its_policy_forbids(
    seen: Seen,
) -> None:
    for route, _, got in seen:
        where = (route, got.reader.name, got.ask.at)
        if got.is_page:
            assert got.page.forbidden == [], where
            policy = got.answer.headers["Content-Security-Policy"]
            assert "script-src 'self';" in policy, where
            assert "unsafe" not in policy, where
        if got.reader is not NOBODY and got.status != 303 and route not in PUBLIC:
            assert "no-store" in got.answer.headers.get("Cache-Control", ""), where


async def test_who_is_not_signed_in_is_sent_to_do_that(visits: Visits, seen: Seen) -> None:
    for route, _, got in seen:
        if got.reader is NOBODY and route not in PUBLIC:
            assert got.status == 303, (route, got.text)
            assert got.answer.headers["Location"].startswith("/sign-in?next="), route
    for route, _, ask in posts():
        if route not in PUBLIC:
            async with visits.desk.undone() as db:
                before = await stand(db, own=True)
                got = await visits.post(NOBODY, ask, ask.said)
                assert got.status == 401, (route, got.text)
                assert await stand(db, own=True) == before, route


async def test_both_languages_are_whole(visits: Visits, stages: list[Stage]) -> None:
    for side in BOTH[:1]:
        for route, ask in asks(side, method="GET"):
            got = await visits.get(who(ask.by, side), ask, "vi")
            if got.is_page:
                assert got.answer.headers["Content-Language"] == "vi", route
                assert got.page.forbidden == [], route


# What is done -----------------------------------------------------------------------------


async def test_nobody_does_anything_to_what_is_anothers(
    visits: Visits, stages: list[Stage]
) -> None:
    """With the fields filled as whoever may fills them."""
    refused = 0
    for route, side, ask in posts(About.dossier, About.agency):
        async with visits.desk.undone() as db:
            reader = who(ask.by, side)
            fields = await visits.filled(reader, ask)
            before = await stand(db)
            for stranger in _strangers(side):
                got = await visits.post(stranger, ask, fields)
                where = (route, stranger.name, ask.at)
                if route not in RESULTS:
                    assert got.status in {401, 403, 404, 409, 422}, (*where, got.text)
                assert [each for each in hidden(stranger, side) if _told(got, each, fields)] == []
                assert got.page.forbidden == [], where
                after = await stand(db)
                assert after == before, (*where, changed(before, after))
                refused += 1
    assert refused > 150


def _told(got: Got, what: str, fields: Any) -> bool:
    return got.said(what) and what not in repr(fields)


def _strangers(side: Side) -> list[Caller]:
    """People of the other agency, of no role, and who only reads."""
    [other] = [each for each in BOTH if each is not side]
    names = [f"officer {other.prefix}", f"leader {other.prefix}", "administrator"]
    if side is EDUCATION:
        names.append("elsewhere sci")
    return [BY_NAME[each] for each in names]


async def test_nothing_is_done_for_a_page_of_another_address(
    visits: Visits, stages: list[Stage]
) -> None:
    """Not even what anybody may, and not a draft."""
    for route, side, ask in posts():
        async with visits.desk.undone() as db:
            await prepared(visits, route, side)
            before = await stand(db, own=True)
            for headers in ELSEWHERE:
                got = await visits.post(who(ask.by, side), ask, ask.said, headers)
                assert got.status == 403, (route, headers, got.text)
                after = await stand(db, own=True)
                assert after == before, (route, headers, changed(before, after))


async def test_the_same_key_twice_is_one_effect(visits: Visits, stages: list[Stage]) -> None:
    """Clicked twice, sent again after the line was gone: it is done once, and told as it was."""
    routes = leaves(visits.desk.app)
    once = 0
    for route, side, ask in posts():
        if (
            not getattr(routes[route], "keyed", route in RESULTS)
            or LEAVES[route].about is About.public
            or route in NOT_NOW
        ):
            continue
        async with visits.desk.undone() as db:
            await prepared(visits, route, side)
            reader = who(ask.by, side)
            fields = await visits.filled(reader, ask) | {"key": "the-same"}
            first = await visits.post(reader, ask, fields, FORM)
            if route.startswith("POST /session"):
                continue  # whoever is out is out
            between = await stand(db, own=True)
            again = await visits.post(reader, ask, fields, FORM)
            after = await stand(db, own=True)
            assert first.status == again.status, (route, ask.at, again.text)
            assert first.answer.headers.get("Location") == again.answer.headers.get("Location")
            assert changed(between, after) <= {"session"}, (route, ask.at)
            once += 1
    assert once > 50
