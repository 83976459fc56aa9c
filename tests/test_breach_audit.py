"""The audit of breaches: filtered, grouped, compared, to be explained by a day, closed, reopened;
apologies followed to the date they gave.

The licence of these stories is received on Monday 4 March 2024 and due on Wednesday 3 April.
"""

import shlex
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from book import HANOI
from cli import hoso
from office import LICENCE, address, running, told
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from test_breaches import (
    COLLEAGUE,
    CONTROL,
    DIRECTOR,
    LEAD,
    NONE,
    OFFICER,
    SIGNS,
    STRANGER,
    UNIT,
    Case,
    april,
    four_cases,
    late,
    licence,
)

from api import cli
from states.breaches import explaining, following, grouping, listing
from states.breaches.explaining import NotNow
from states.breaches.following import Came
from states.breaches.grouping import GroupedBy, Span
from states.breaches.listing import Only
from states.breaches.recording import alert, breach, record
from states.breaches.rows import Cause, Standing, Step
from states.catalogue import Catalogue, bundles
from states.catalogue.rules import On, Rules, What, Whom
from states.errors import BadInput
from states.figures.every import find
from states.figures.periods import Period
from states.figures.reporting import Asked
from states.figures.sheets import Paper, Sheet
from states.people import NotHeld
from states.suspicions.counting import RULES
from states.words import Event, Role

PAGE = Path(__file__).parents[1] / "docs" / "audit.md"
MARCH, APRIL = Period.parse("2024-03"), Period.parse("2024-04")


@pytest.fixture
async def book(fresh: AsyncEngine) -> Catalogue:
    async with fresh.begin() as db:
        return await bundles.read(db)


@pytest.fixture
async def four(fresh: AsyncEngine, book: Catalogue) -> list[Case]:
    """Late and explained; late with an apology; late still, by two rules; stopped while late."""
    cases = await four_cases(fresh, book)
    await explain(cases[0])
    return cases


async def explain(case: Case, when: datetime | None = None) -> None:
    said = (Cause.workload, "Nhiều hồ sơ", OFFICER, when or april(8))
    async with case.engine.begin() as db:
        await explaining.explain(db, case.book, case.named, *said)


async def assign(case: Case, until: datetime | None, when: datetime | None = None) -> None:
    async with case.engine.begin() as db:
        await explaining.assign(
            db, case.book, case.named, OFFICER, LEAD, when or april(8), until
        )  # fmt: skip


async def close(case: Case, finding: str = "Phù hợp", by: str = CONTROL) -> None:
    async with case.engine.begin() as db:
        await explaining.close(db, case.book, case.named, finding, by, april(10))


async def reopen(case: Case, reason: str = "Có khiếu nại", by: str = CONTROL) -> None:
    async with case.engine.begin() as db:
        await explaining.reopen(db, case.book, case.named, reason, by, april(11))


async def account(case: Case) -> dict[str, Any]:
    async with case.engine.begin() as db:
        [row] = await listing.of_dossier(db, case.paper.code)
    return row


# Filtered -------------------------------------------------------------------------------------


async def test_filtered_by_field_apology_and_how_late(
    fresh: AsyncEngine, book: Catalogue, four: list[Case]
) -> None:
    names = {case.paper.code: n for n, case in enumerate(four)}

    async def cases(**only: Any) -> list[int]:
        async with fresh.begin() as db:
            return [names[row["code"]] for row in await listing.every(db, book, Only(**only))]

    field = book.procedure(LICENCE).field
    assert await cases(field=field) == [0, 1, 2, 2, 3]
    assert await cases(field="none") == []
    assert await cases(apology=True) == [1]
    assert await cases(apology=False) == [0, 2, 2, 3]
    assert await cases(late_from=690) == [0]
    assert await cases(late_below=90) == []  # nor what runs still: nobody knows how late it will be
    assert await cases(late_from=90, late_below=91) == [1]
    for wrong, why in (
        ({"late_from": 9, "late_below": 9}, "nothing is late by 9 minutes or more"),
        ({"since": april(8), "until": april(8)}, "ends before it begins"),
    ):
        with pytest.raises(BadInput, match=why):
            await cases(**wrong)


# Grouped and compared -------------------------------------------------------------------------


async def groups(engine: AsyncEngine, book: Catalogue, by: GroupedBy, **how: Any) -> Any:
    async with engine.begin() as db:
        return await grouping.grouped(db, book, Only(), by, **how)


async def test_grouped_with_counts_minutes_and_shares(
    fresh: AsyncEngine, book: Catalogue, four: list[Case]
) -> None:
    by_cause = await groups(fresh, book, GroupedBy.cause)
    assert [(e["group"], e["breaches"], e["share"], e["minutes"]) for e in by_cause] == [
        (None, 4, 80.0, 90 + 570), (Cause.workload, 1, 20.0, 690),
    ]  # fmt: skip
    assert sum(each["share_of_minutes"] for each in by_cause) == pytest.approx(100)
    assert (by_cause[0]["running"], by_cause[0]["unexplained"]) == (2, 4)
    assert sum(each["without_apology"] for each in by_cause) == 2
    by_unit = await groups(fresh, book, GroupedBy.unit)
    assert [(e["group"], e["breaches"]) for e in by_unit] == [(UNIT, 4), (SIGNS, 1)]
    months = await groups(fresh, book, GroupedBy.rule, monthly=True)
    assert [(e["month"], e["group"], e["breaches"]) for e in months] == [
        ("2024-04", "term-late", 4), ("2024-04", "stage-late", 1),
    ]  # fmt: skip
    for by in GroupedBy:
        rows = await groups(fresh, book, by)
        if by is not GroupedBy.holder:
            assert sum(row["breaches"] for row in rows) == 5, by
            assert sum(row["minutes"] for row in rows) == 90 + 570 + 690, by


async def test_holders_share_the_minutes_past_the_due_moment(
    fresh: AsyncEngine, book: Catalogue, four: list[Case]
) -> None:
    rows = await groups(fresh, book, GroupedBy.holder)
    async with fresh.begin() as db:
        kept = (await db.execute(sa.select(breach))).all()
    assert sum(row["minutes"] for row in rows) == sum(each.minutes or 0 for each in kept)
    assert {row["group"] for row in rows} == {f"unit {UNIT}", f"unit {SIGNS}"}
    first = next(row for row in rows if row["group"] == f"unit {UNIT}")
    assert (first["breaches"], first["share"]) == (3, 60.0)  # one of them had two people of it


async def test_two_periods_side_by_side(
    fresh: AsyncEngine, book: Catalogue, four: list[Case]
) -> None:
    assert MARCH.since is not None
    assert APRIL.since is not None
    spans = Span(MARCH.since, MARCH.until), Span(APRIL.since, APRIL.until)
    async with fresh.begin() as db:
        rows = await grouping.compared(db, book, Only(), GroupedBy.cause, spans)
        back = await grouping.compared(db, book, Only(), GroupedBy.cause, (spans[1], spans[0]))
        none = await grouping.compared(db, book, Only(unit="x"), GroupedBy.cause, spans)
        with pytest.raises(BadInput, match="not compared by month"):
            await grouping.compared(db, book, Only(), GroupedBy.month, spans)
        wrong = replace(spans[0], until=MARCH.since)
        with pytest.raises(BadInput, match="ends before it begins"):
            await grouping.compared(db, book, Only(), GroupedBy.unit, (wrong, spans[1]))
    assert [(e["group"], e["before"], e["after"], e["change"]) for e in rows] == [
        (None, 0, 4, 4), (Cause.workload, 0, 1, 1),
    ]  # fmt: skip
    assert [(e["share_before"], e["share_after"]) for e in rows] == [(None, 80.0), (None, 20.0)]
    assert [each["change"] for each in back] == [-4, -1]
    assert none == []
    with pytest.raises(BadInput, match="told apart by one of agency, unit"):
        grouping.by_word("shoe")


# To be explained by a day ---------------------------------------------------------------------


async def test_a_reminder_follows_once_an_assignment(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await late(fresh, book)
    with pytest.raises(BadInput, match=r"2024-04-07T09:00\+07:00 is over: give a time"):
        await assign(case, april(7))
    await assign(case, april(10))
    assert await record(fresh, book, april(10)) == NONE  # its last minute is in time
    assert await record(fresh, book, april(10, 10)) == NONE | {"reminded": 1}
    assert await record(fresh, book, april(12)) == NONE
    await assign(case, april(15), april(12))
    assert await record(fresh, book, april(16)) == NONE | {"reminded": 1}
    async with fresh.begin() as db:
        asked = sa.select(alert).where(alert.c.what == What.reminder).order_by(alert.c.at)
        rows = (await db.execute(asked)).all()
        owed = await listing.every(db, book, Only(owed_at=april(16)))
        theirs = await listing.every(db, book, Only(assigned_to=COLLEAGUE))
    assert [(row.rule, row.at, row.person) for row in rows] == [
        ("explain-term-late-1", april(10), OFFICER), ("explain-term-late-2", april(15), OFFICER),
    ]  # fmt: skip
    assert [each["person"] for each in rows[0].concerns] == [OFFICER]
    assert [row["code"] for row in owed] == [case.paper.code]
    assert theirs == []
    assert (await account(case))["lines"][0]["until"] == april(10)


async def test_who_explained_in_time_is_not_reminded(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await late(fresh, book)
    await assign(case, april(10))
    await explain(case, april(9))
    assert await record(fresh, book, april(12)) == NONE
    await assign(case, None, april(12))  # without a day nobody is late
    assert await record(fresh, book, april(30)) == NONE


def test_an_office_has_no_rule_of_reminders() -> None:
    rule: dict[str, Any] = {"code": "r", "name": {"vi": "a", "en": "b"}, "on": On.term}
    rule |= {"when": "late", "what": What.reminder, "tell": (Whom.holder,)}
    rules = Rules.model_validate({"rules": (rule,)})
    assert [str(what) for _, what in rules.faults()] == [
        "must be alert, breach or escalation: reminders need no rule"
    ]


# Closed with a finding, and reopened ----------------------------------------------------------


async def test_it_is_closed_with_a_finding_and_reopened_with_a_reason(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await late(fresh, book)
    await explain(case)
    with pytest.raises(NotNow, match="is explained: only what is closed is reopened"):
        await reopen(case)
    with pytest.raises(BadInput, match="closed with a finding"):
        await close(case, " ")
    await close(case, "Giải trình phù hợp")
    assert (await account(case))["finding"] == "Giải trình phù hợp"
    with pytest.raises(BadInput, match="reopened for a reason"):
        await reopen(case, "")
    with pytest.raises(NotHeld, match="is not of the control unit"):
        await reopen(case, by=LEAD)
    await reopen(case)
    row = await account(case)
    assert (row["standing"], row["finding"], row["cause"]) == (
        Standing.explained, None, Cause.workload,
    )  # fmt: skip
    await close(case, "Cần chấn chỉnh")
    row = await account(case)
    assert [(e["step"], e.get("finding"), e.get("reason")) for e in row["lines"]] == [
        (Step.explain, None, None),
        (Step.close, "Giải trình phù hợp", None),
        (Step.reopen, None, "Có khiếu nại"),
        (Step.close, "Cần chấn chỉnh", None),
    ]


@pytest.mark.parametrize(
    "change",
    [
        "standing = 'explained', finding = NULL",  # without a line that says why
        "finding = 'khác'",
        "cause = 'system'",
        "standing = 'open', finding = NULL",
    ],
)
async def test_what_is_closed_changes_by_a_line_alone(
    fresh: AsyncEngine, owner: AsyncEngine, book: Catalogue, change: str
) -> None:
    case = await late(fresh, book)
    await explain(case)
    await close(case)
    for engine in (fresh, owner):
        with pytest.raises(DBAPIError, match="a closed breach does not change"):
            async with engine.begin() as db:
                await db.execute(sa.text(f"UPDATE breach SET {change}"))
    assert (await account(case))["standing"] is Standing.closed


# Apologies followed ---------------------------------------------------------------------------


async def test_apologies_are_followed_to_their_date(fresh: AsyncEngine, book: Catalogue) -> None:
    kept = await (await licence(fresh, book)).extend(april(1))
    first = kept.paper.due_at
    await kept.finish(april(11))
    missed = await (await licence(fresh, book)).extend(april(1, 10))
    await missed.finish(april(17))
    ahead = await (await licence(fresh, book)).extend(april(1, 11))
    ended = await (await licence(fresh, book)).extend(april(1, 14))
    await ended.move(Event.stop, april(5), LEAD, Role.leader)
    await licence(fresh, book)  # never extended
    expected = {
        kept.paper.code: Came.kept, missed.paper.code: Came.missed,
        ahead.paper.code: Came.running, ended.paper.code: Came.ended,
    }  # fmt: skip
    async with fresh.begin() as db:
        rows = await following.every(db, book, april(10))
        assert {row["code"]: row["came"] for row in rows} == expected
        assert (rows[0]["promised"], rows[0]["moved"], rows[0]["by"]) == (first, False, LEAD)
        assert [row["code"] for row in rows] == list(expected)  # in the order of their giving
        late_ = await following.every(db, book, april(30), came=Came.missed)
        assert [row["code"] for row in late_] == [missed.paper.code, ahead.paper.code]
        assert len(await following.every(db, book, april(30), since=april(1, 11))) == 2
        assert await following.every(db, book, april(30), agency="H42.05") == []
        with pytest.raises(BadInput, match="ends before it begins"):
            await following.every(db, book, april(30), since=april(2), until=april(1))
    with pytest.raises(BadInput, match="one of kept, missed, running, ended, not 'lost'"):
        following.came_word("lost")


# As reports -----------------------------------------------------------------------------------


async def made(engine: AsyncEngine, book: Catalogue, name: str, **how: Any) -> Paper:
    asked: dict[str, Any] = {"book": book, "period": APRIL, "at": april(30)} | how
    async with engine.begin() as db:
        return await find(name).make(Asked(db=db, **asked))


def cells(sheet: Sheet, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row[sheet.column(key)] for key in keys) for row in sheet.rows]


async def test_the_report_of_causes(fresh: AsyncEngine, book: Catalogue, four: list[Case]) -> None:
    paper = await made(fresh, book, "breach-causes", options={"against": "2024-03"})
    sheets = {each.key: each for each in paper.sheets}
    assert set(sheets) == {"cause", "unit", "holder", "months", "cause-against", "unit-against"}
    assert cells(sheets["cause"], "breaches", "minutes") == [(4, 660), (1, 690)]
    assert cells(sheets["cause-against"], "before", "after") == [(0, 4), (0, 1)]
    assert all(len(row) == len(each.columns) for each in paper.sheets for row in each.rows)
    nobody = await made(fresh, book, "breach-causes", agencies=["H42.05"])
    assert [each.rows for each in nobody.sheets] == [()] * 4
    with pytest.raises(BadInput, match="is no period"):
        await made(fresh, book, "breach-causes", options={"against": "spring"})


async def test_the_report_of_apologies(
    fresh: AsyncEngine, book: Catalogue, four: list[Case]
) -> None:
    paper = await made(fresh, book, "apologies", at=datetime(2024, 5, 20, tzinfo=HANOI))
    [sheet] = paper.sheets
    keys = ("with_apology", "without_apology", "late", "kept", "missed", "running", "ended")
    assert cells(sheet, *keys) == [(1, 2, 3, 0, 1, 0, 0)]
    ahead = await made(fresh, book, "apologies", period=Period("", MARCH.since, april(8)))
    assert cells(ahead.sheets[0], *keys) == [(0, 2, 2, 0, 0, 1, 0)]


async def test_the_report_of_suspicions(
    fresh: AsyncEngine, book: Catalogue, four: list[Case]
) -> None:
    paper = await made(fresh, book, "suspicions")
    [sheet] = paper.sheets
    counts = {row[0].code: (row[1], row[2]) for row in sheet.rows}
    assert counts["extensions-after-expiry"] == (1, 1)
    assert "worth a look" in sheet.notes[0].en
    assert "đáng xem xét" in sheet.notes[0].vi
    one = {"rule": "extensions-after-expiry", "of": "person"}
    paper = await made(fresh, book, "suspicions", options=one)
    _, shares = paper.sheets
    assert [row[1].code for row in shares.rows] == [LEAD]
    assert cells(shares, "count", "base", "rate", "stands_out") == [(1, 1, 100.0, False)]
    with pytest.raises(BadInput, match="say where it begins"):
        await made(fresh, book, "suspicions", period=Period("", None, april(30)))


# Over HTTP ------------------------------------------------------------------------------------


@pytest.fixture
async def office(fresh: AsyncEngine, tmp_path: Any) -> Any:
    async with running(address(fresh), tmp_path) as office:
        office.at = april(8)
        yield office


async def read(office: Any, path: str, who: str = CONTROL, **asked: Any) -> Any:
    answer = await office.client.get(f"/v1/{path}", params=asked, headers={"Hoso-Person": who})
    assert answer.status_code == 200, answer.text
    return answer.json()


SPRING = {"since": "2024-03-01T00:00:00+07:00", "until": "2024-06-01T00:00:00+07:00"}
BESIDE = {
    "before_since": "2024-03-01T00:00:00+07:00", "before_until": "2024-04-01T00:00:00+07:00",
    "after_since": "2024-04-01T00:00:00+07:00", "after_until": "2024-05-01T00:00:00+07:00",
}  # fmt: skip


async def test_the_audit_over_http(office: Any, four: list[Case]) -> None:
    found = await read(office, "breaches/groups", by="cause", late_from=1)
    assert [(e["group"], e["breaches"]) for e in found["groups"]] == [(None, 2), ("workload", 1)]
    found = await read(office, "breaches/comparison", **BESIDE)
    assert [(e["group"], e["before"], e["after"]) for e in found["rows"]] == [
        (None, 0, 4), ("workload", 0, 1),
    ]  # fmt: skip
    page = await read(office, "breaches/apologies", came="running")
    assert [(e["code"], e["by"]) for e in page["items"]] == [(four[1].paper.code, LEAD)]
    found = await read(office, "suspicions", **SPRING)
    counts = {each["rule"]: (each["count"], each["base"]) for each in found["suspicions"]}
    assert counts["extensions-after-expiry"] == (1, 1)
    found = await read(office, "suspicions/extensions-after-expiry/shares", by="person", **SPRING)
    assert [(e["of"], e["count"]) for e in found["shares"]] == [(LEAD, 1)]
    page = await read(office, "suspicions/extensions-after-expiry", **SPRING)
    assert [(e["code"], e["unit"]) for e in page["items"]] == [(four[1].paper.code, UNIT)]


async def test_what_is_out_of_sight_is_counted_nowhere(office: Any, four: list[Case]) -> None:
    assert (await read(office, "breaches/groups", STRANGER))["groups"] == []
    assert (await read(office, "breaches/comparison", STRANGER, **BESIDE))["rows"] == []
    assert (await read(office, "breaches/apologies", STRANGER))["items"] == []
    found = await read(office, "suspicions", "p-labour-lead-01", **SPRING)
    assert {(e["count"], e["base"], e["rate"]) for e in found["suspicions"]} == {(0, 0, None)}
    for path in ("", "/outside-hours", "/outside-hours/shares"):
        answer = await office.client.get(
            f"/v1/suspicions{path}", params=SPRING, headers={"Hoso-Person": OFFICER}
        )
        told(answer, 403, "not-yours")


async def test_closed_and_reopened_over_http(office: Any, four: list[Case]) -> None:
    path = f"/v1/breaches/{four[0].paper.code}/term-late"

    async def act(step: str, who: str = CONTROL, **body: Any) -> Any:
        return await office.client.post(
            f"{path}/{step}", json=body, headers={"Hoso-Person": who}
        )  # fmt: skip

    told(await act("close"), 422, "invalid")
    told(await act("assign", LEAD, to=OFFICER, until="2024-04-01T00:00:00Z"), 422, "bad-input")
    assert (await act("close", finding="Phù hợp")).status_code == 200
    told(await act("reopen", DIRECTOR, reason="a"), 403, "not-held")
    answer = await act("reopen", reason="Có khiếu nại")
    assert answer.json()["breaches"][0]["lines"][-1]["reason"] == "Có khiếu nại"
    told(await act("reopen", reason="Có khiếu nại"), 409, "not-now")


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("breaches/groups", {"by": "shoe"}, 422),
        ("breaches/groups", {"late_from": 5, "late_below": 5}, 422),
        ("breaches/comparison", {"by": "unit"}, 422),
        ("breaches/comparison", BESIDE | {"by": "month"}, 422),
        ("breaches/apologies", {"came": "lost"}, 422),
        ("suspicions", {"since": "2024-03-01T00:00:00+07:00"}, 422),
        ("suspicions", SPRING | {"until": "2023-03-01T00:00:00+07:00"}, 422),
        ("suspicions", SPRING | {"until": "2029-03-01T00:00:00+07:00"}, 422),
        ("suspicions/guilt", SPRING, 404),
        ("suspicions/outside-hours", SPRING | {"cursor": "x"}, 422),
    ],
)
async def test_what_cannot_be_asked_is_told(
    office: Any, path: str, asked: Any, status: int
) -> None:  # fmt: skip
    headers = {"Hoso-Person": CONTROL}
    answer = await office.client.get(f"/v1/{path}", params=asked, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


# The page ---------------------------------------------------------------------------------------


@pytest.fixture
def here(
    fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("HOSO_DATABASE", address(fresh))
    monkeypatch.setenv("HOSO_DATABASE_OWNER", address(owner))
    monkeypatch.setenv("HOSO_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(cli.app, "registered_groups", [])
    return tmp_path


async def test_a_day_of_the_control_unit_is_as_it_is_written(here: Path, four: list[Case]) -> None:
    names = {
        "$CODE": four[0].paper.code, "$PERSON": OFFICER, "$LEADER": LEAD, "$CONTROL": CONTROL,
    }  # fmt: skip
    said = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("hoso ")]
    assert len(said) == 15
    out = {}
    for line in said:
        answer = await hoso(*(names.get(word, word) for word in shlex.split(line)[1:]))
        assert answer.code == 0, (line, answer.err)
        out[line.partition(" --")[0]] = answer.out
        assert max(map(len, answer.out.splitlines())) <= 100, line
    assert "reopen Công dân khiếu nại" in out["hoso breaches show $CODE"]
    assert "until 12/04/2099" in out["hoso breaches show $CODE"]
    assert "workload" in out["hoso breaches groups"]


def test_every_pattern_is_on_the_page() -> None:
    for rule in RULES:
        assert f"| `{rule}` |" in PAGE.read_text("utf-8")
