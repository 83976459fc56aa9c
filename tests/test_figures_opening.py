"""From a number to its dossiers: as many as the number says, whatever happened."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from book import BOOK, at, move
from hypothesis import HealthCheck, given, settings
from sqlalchemy.ext.asyncio import AsyncConnection
from test_figures import APRIL, DAYS, LIVES, MARCH, Life, live, received

from states.clock import Policy
from states.errors import BadInput
from states.figures import every
from states.figures.counting import Form, Rate, counted
from states.figures.opening import behind, pairs
from states.figures.periods import Period
from states.figures.reporting import Asked, Report
from states.words import Event

FORMS = [each for each in every.REPORTS.values() if each.form is not None]


def question(
    db: AsyncConnection, since: datetime = MARCH, until: datetime = APRIL, **more: Any
) -> Asked:
    book: Any = BOOK
    return Asked(db, book, Period("", since, until), until, **more)


async def listed(asked: Asked, report: Report, figure: str, where: dict[str, str]) -> list[str]:
    """The codes behind a figure, in pages of two."""
    found: list[str] = []
    cursor = None
    while True:
        page = await behind(asked, report, figure, where, cursor=cursor, limit=2)
        found += [row["code"] for row in page.rows]
        if (cursor := page.next) is None:
            return found


def said(form: Form, row: dict[str, Any], key: str) -> int:
    """How many a figure of a row counts; of a rate, its part."""
    figure = form.find(key)
    if isinstance(figure, Rate):
        return sum(int(row[part]) for part in figure.part)
    return int(row[key])


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lives=LIVES, days=DAYS)
async def test_every_figure_opens_to_as_many_as_it_says(
    db: AsyncConnection, lives: list[Life], days: list[int]
) -> None:
    async with db.begin_nested() as undone:
        await live(db, lives)
        for first, last in pairwise(days[::2]):
            asked = question(db, at(first, "00:00"), at(last, "00:00"))
            for report in FORMS:
                await check(asked, report)
        await undone.rollback()


async def check(asked: Asked, report: Report) -> None:
    form = report.form
    assert form is not None
    for by in (report.by or ("agency",), ("agency", "channel"), ()):
        rows = await counted(asked.db, form, by, [asked.period])
        for row in rows:
            where = {key: row[key] or "" for key in by}
            for figure in form.figures:
                key = figure.column.key
                found = await listed(asked, report, key, where)
                assert len(found) == len(set(found)) == said(form, row, key), (report.name, key)


async def test_only_of_the_agencies_that_were_asked_for(db: AsyncConnection) -> None:
    code = await received(db, at(0))
    report = every.find("bieu06")
    for agencies, expected in ((["H42.05"], [code]), (["H42.02"], []), (None, [code])):
        asked = question(db, agencies=agencies)
        assert await listed(asked, report, "received", {}) == expected
        assert await listed(asked, report, "received", {"agency": "H42.05"}) == expected
    assert await listed(question(db), report, "received", {"agency": "H42.02"}) == []


async def test_a_row_of_a_part_of_the_period(db: AsyncConnection) -> None:
    march, april = await received(db, at(0)), await received(db, at(30))
    asked, report = question(db, until=at(80)), every.find("bieu06")
    for each in (asked, question(db, until=at(80), each="month")):
        assert await listed(each, report, "direct", {"period": "2024-03"}) == [march]
        assert await listed(each, report, "direct", {"period": "2024-04"}) == [april]
        assert await listed(each, report, "carried", {"period": "2024-04"}) == [march]
    with pytest.raises(BadInput, match="outside of the period"):
        await behind(asked, report, "direct", {"period": "2023"})


@pytest.mark.parametrize(
    ("figure", "where", "more", "why"),
    [
        ("colour", {}, {}, "there is no figure 'colour'"),
        ("late", {"colour": "red"}, {}, "not told apart by 'colour'"),
        ("late", {}, {"policy": Policy.instant}, "cannot be opened"),
    ],
)
async def test_what_cannot_be_opened(
    db: AsyncConnection, figure: str, where: dict[str, str], more: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        await behind(question(db, **more), every.find("bieu06"), figure, where)


def test_pairs_are_pairs() -> None:
    assert pairs(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    for wrong in (["a"], ["=b"], ["a=b", "a=c"]):
        with pytest.raises(BadInput, match="KEY=VALUE"):
            pairs(wrong)


async def test_an_extension_counts_in_the_month_it_was_made_in(db: AsyncConnection) -> None:
    """Month by month, as many as each number opens to."""
    code = await received(db, at(0))
    await received(db, at(1))
    await move(db, code, Event.extend, at(2), payload={"term": "90cd"})
    report = every.find("apologies")
    asked = question(db, until=at(80), each="month")
    assert report.form is not None
    rows = await counted(db, report.form, (), asked.periods)
    assert [(row["period"], row["running"]) for row in rows if row["running"]] == [("2024-03", 1)]
    assert len(rows) == 3
    for row in rows:
        for key in ("running", "late", "missed", "kept", "ended"):
            found = await listed(asked, report, key, {"period": row["period"]})
            assert len(found) == row[key], (row["period"], key)
