"""Figures over HTTP: of the agencies that the caller sees whole, and of no others."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import sqlalchemy as sa
from office import FILE, LICENCE, PAPERS, Office, address, running, told

from api.papers import MEDIA
from states import ledger
from states.catalogue import bundles
from states.figures import freezing
from states.figures.every import REPORTS
from states.figures.periods import Period
from states.ledger import Act, Lodging
from states.words import Channel, Event, Role

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
CONTROL, SCIENCE, LABOUR = "p-control-01", "p-sci-lead-02", "p-labour-director"
OFFICER, CLERK = "p-sci-officer-21", "p-post-01"
PERMIT = "1.000459"  # of H42.05
MARCH = {"from": "2024-03-01T00:00:00+07:00", "to": "2024-04-01T00:00:00+07:00"}


def by(person: str, **more: str) -> dict[str, str]:
    return {"Hoso-Person": person, **more}


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        office.at = datetime(2024, 4, 8, 9, tzinfo=HANOI)
        yield office


@pytest.fixture
async def codes(fresh):
    """Three of science, one of them withdrawn, and two of labour, in March."""
    when = datetime(2024, 3, 4, 8, tzinfo=HANOI)
    papers = {LICENCE: PAPERS, PERMIT: {"don": FILE, "ho-chieu": FILE}}
    made = []
    async with fresh.begin() as db:
        book = await bundles.read(db)
        for procedure in (LICENCE, LICENCE, LICENCE, PERMIT, PERMIT):
            lodging = Lodging(
                unit="H42.14", procedure=procedure, channel=Channel.counter, applicant="Ánh"
            )
            act = Act(
                event=Event.receive, actor="p-reception-01", role=Role.reception, at=when,
                payload={"components": papers[procedure]},
            )  # fmt: skip
            made.append((await ledger.open_(db, book, lodging, act)).code)
        await withdraw(db, book, made[0], when)
    return made


async def withdraw(db: Any, book: Any, code: str, when: datetime) -> None:
    act = Act(
        event=Event.withdraw, actor="p-reception-01", role=Role.reception, at=when,
        reason="Công dân xin rút",
    )  # fmt: skip
    await ledger.move(db, book, code, act)


async def read(office: Office, at: str, person: str = CONTROL, **asked: Any) -> Any:
    answer = await office.client.get(f"/v1/reports/{at}", params=asked, headers=by(person))
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: Any, kind: str) -> str:
    """What is said of a request whose query is not taken."""
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}"), answer.text
    return str(answer.json()["detail"])


def counts(form: Any) -> dict[str, tuple[int, int, int]]:
    rows = form["rows"] if "rows" in form else form["sheets"][0]["rows"]
    return {row["agency"]: (row["received"], row["overdue"], row["unclassed"]) for row in rows}


async def test_the_form_is_of_the_agencies_that_are_seen(office, codes):
    science, labour = {"H42.03": (2, 0, 1)}, {"H42.05": (2, 2, 0)}
    whole = await read(office, "bieu06", **MARCH)
    assert counts(whole) == science | labour
    [sheet] = whole["sheets"]
    assert (sheet["total"]["received"], sheet["total"]["agency"], whole["faults"]) == (4, None, [])
    assert (whole["from"], whole["to"], whole["provisional"]) == (*MARCH.values(), False)
    assert [each["number"] for each in sheet["columns"]][:4] == ["", "(3)", "(4)", "(5)"]
    assert counts(await read(office, "bieu06", SCIENCE, **MARCH)) == science
    mine = await read(office, "bieu06", LABOUR, **MARCH)
    assert counts(mine) == labour
    assert mine["sheets"][0]["total"]["received"] == 2
    assert counts(await read(office, "bieu06", agency=["H42.05"])) == labour
    assert mine["sheets"][0]["rows"][0]["name"].startswith("Sở Lao động")
    anew = await read(office, "bieu06", policy="instant", **MARCH)
    assert (counts(anew), anew["policy"]) == (counts(whole), "instant")


async def test_of_no_agency_that_is_not_seen(office, codes):
    asked = {"params": {"agency": "H42.05"}, "headers": by(SCIENCE)}
    why = refused(await office.client.get("/v1/reports/bieu06", **asked), "bad-input")
    absent = {"params": {"agency": "H42.99"}, "headers": by(SCIENCE)}
    missing = refused(await office.client.get("/v1/reports/bieu06", **absent), "bad-input")
    assert why.replace("H42.05", "H42.99") == missing
    for path in ("bieu06", "frozen", "frozen/1", "frozen/1/compare"):
        answer = await office.client.get(f"/v1/reports/{path}", headers=by(OFFICER))
        told(answer, 403, "not-held")


async def test_a_postal_clerk_has_the_figures_of_whom_they_act_for(office, codes):
    headers = by(CLERK, **{"Hoso-For": "H42.03"})
    answer = await office.client.get("/v1/reports/bieu06", params=MARCH, headers=headers)
    assert list(counts(answer.json())) == ["H42.03"]


async def test_as_csv(office, codes):
    asked = {"params": MARCH | {"format": "csv"}, "headers": by(CONTROL)}
    answer = await office.client.get("/v1/reports/bieu06", **asked)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    [form] = (await read(office, "bieu06", **MARCH))["sheets"]
    assert rows[0][:4] == ["agency", "name", "received", "online"]
    lines = [*form["rows"], form["total"]]
    kept = [each for each in rows[0] if not each.startswith("of_")]
    assert [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] == [
        dict(zip(rows[0], row, strict=True)) | {each: text(line[each]) for each in kept}
        for row, line in zip(rows[1:], lines, strict=True)
    ]


def text(cell: Any) -> str:
    return "" if cell is None else str(cell)


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"from": "2024-04-01T00:00:00+07:00", "to": "2024-03-01T00:00:00+07:00"}, "bad-input"),
        ({"from": "2024-03-01T00:00:00"}, "invalid"),
        ({"to": "9999-12-31T23:59:59Z"}, "invalid"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "invalid"),
        ({"policy": "month"}, "invalid"),
        ({"format": "doc"}, "invalid"),
        ({"agency": "a\0"}, "invalid"),
        ({"by": "colour"}, "bad-input"),
        ({"by": "agency,agency"}, "bad-input"),
        ({"each": "week"}, "bad-input"),
        ({"each": "month"}, "bad-input"),
        ({"period": "2023-Q5"}, "bad-input"),
        ({"period": "2023", "from": "2023-01-01T00:00:00+07:00"}, "bad-input"),
        ({"option": "colour=red"}, "bad-input"),
        ({"option": "red"}, "bad-input"),
    ],
)
async def test_bad_input(office, asked, kind):
    answer = await office.client.get("/v1/reports/bieu06", params=asked, headers=by(CONTROL))
    refused(answer, kind)


async def test_frozen_and_compared(office, fresh, codes):
    async with fresh.begin() as db:
        book = await bundles.read(db)
        kept = await freezing.freeze(db, book, "bieu06", "2024-03", "p-control-01", office.at)
    async with fresh.begin() as db:
        await withdraw(db, book, codes[3], datetime(2024, 3, 5, 8, tzinfo=HANOI))
    [listed] = (await read(office, "frozen", LABOUR))["frozen"]
    assert (listed["period"], listed["hash"]) == ("2024-03", kept.hash.hex())
    assert listed["frozen_at"] == "2024-04-08T09:00:00+07:00"
    at = f"frozen/{kept.id}"
    assert counts(await read(office, at)) == {"H42.03": (2, 0, 1), "H42.05": (2, 2, 0)}
    mine = await read(office, at, SCIENCE)
    assert (list(counts(mine)), mine["total"]["received"]) == (["H42.03"], 2)
    compared = await read(office, f"{at}/compare")
    assert {(c["agency"], c["column"], c["was"], c["now"]) for c in compared["cells"]} == {
        ("H42.05", "direct", 2, 1), ("H42.05", "overdue", 2, 1), ("H42.05", "unclassed", 0, 1),
    }  # fmt: skip
    [shift] = compared["shifts"]
    assert (shift["code"], shift["was"], shift["now"]) == (
        codes[3], ["H42.05", "direct", "overdue"], ["H42.05", "unclassed"],
    )  # fmt: skip
    assert await read(office, f"{at}/compare", LABOUR) == compared
    theirs = await read(office, f"{at}/compare", SCIENCE)
    assert theirs["cells"] == theirs["shifts"] == []
    answer = await office.client.get("/v1/reports/frozen/99", headers=by(CONTROL))
    told(answer, 404, "unknown")


# Every form of it --------------------------------------------------------------------------------


async def test_as_a_workbook_a_page_and_a_drawing(office, codes):
    for form, begins in (("xlsx", b"PK"), ("pdf", b"%PDF-"), ("svg", b"<?xml")):
        asked = {"params": MARCH | {"format": form}, "headers": by(CONTROL)}
        answer = await office.client.get("/v1/reports/bieu06", **asked)
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(begins)
        assert answer.headers["Content-Length"] == str(len(answer.content))
        assert f'filename="bieu06.{form}"' in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Type"].partition(";")[0] == MEDIA[form].partition(";")[0]
    book = openpyxl.load_workbook(io.BytesIO(await file(office, "bieu06", "xlsx")))
    rows = [[cell.value for cell in row] for row in book.active.rows]
    assert any(row[1] == "Sở Khoa học và Công nghệ" for row in rows)
    assert b"<script" not in await file(office, "bieu06", "svg")


async def file(office: Office, name: str, form: str, person: str = CONTROL) -> bytes:
    asked = {"params": MARCH | {"format": form}, "headers": by(person)}
    answer = await office.client.get(f"/v1/reports/{name}", **asked)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_the_list_names_every_report(office):
    listed = await office.client.get("/v1/reports", headers=by(OFFICER))
    told_of = {each["name"]: each for each in listed.json()["reports"]}
    assert set(told_of) == set(REPORTS)
    assert {each["key"] for each in told_of["bieu06"]["figures"]} >= {"late", "of_received"}
    answer = await office.client.get("/v1/reports/nothing", headers=by(CONTROL))
    assert "there is no report 'nothing'" in told(answer, 404, "unknown")["detail"]


@pytest.mark.parametrize("name", sorted(REPORTS))
async def test_every_report_can_be_had(office, codes, name):
    made = await read(office, name, **MARCH)
    assert (made["report"], made["from"]) == (name, MARCH["from"])
    for sheet in made["sheets"]:
        keys = {column["key"] for column in sheet["columns"]}
        assert all(keys <= set(row) for row in sheet["rows"])
    lines = csv.reader(io.StringIO((await file(office, name, "csv")).decode("utf-8-sig")))
    assert list(lines)
    assert (await file(office, name, "pdf")).startswith(b"%PDF-")
    assert (await file(office, name, "xlsx")).startswith(b"PK")


# From a number to its dossiers ---------------------------------------------------------------


async def opened(office: Office, address: str, person: str = CONTROL) -> list[dict[str, Any]]:
    """All pages, one dossier each."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        path = address + "".join(f"&{key}={value}" for key, value in cursor.items())
        answer = await office.client.get(f"{path}&limit=1", headers=by(person))
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if (after := answer.json()["next"]) is None:
            return found
        cursor = {"cursor": after}


async def test_a_number_opens_to_its_dossiers(office, codes):
    [sheet] = (await read(office, "bieu06", **MARCH))["sheets"]
    for row in (*sheet["rows"], sheet["total"]):
        for figure in ("received", "direct", "unclassed", "overdue", "late"):
            found = await opened(office, row["open"].replace("{figure}", figure))
            assert len(found) == row[figure]
            assert all(row["agency"] in {None, each["agency"]} for each in found)
    [first, *_] = await opened(office, sheet["total"]["open"].replace("{figure}", "received"))
    clock = await office.client.get(first["clock"], headers=by(CONTROL))
    assert clock.status_code == 200


async def test_nobody_opens_what_they_do_not_see(office, codes):
    [sheet] = (await read(office, "bieu06", **MARCH))["sheets"]
    address = sheet["total"]["open"].replace("{figure}", "received")
    assert {each["agency"] for each in await opened(office, address, SCIENCE)} == {"H42.03"}
    theirs = f"{address}&where=agency=H42.05"
    assert await opened(office, theirs, SCIENCE) == []
    told(await office.client.get(address, headers=by(OFFICER)), 403, "not-held")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"figure": "colour"},
        {"figure": "late", "where": "agency"},
        {"figure": "late", "where": "colour=red"},
        {"figure": "late", "where": "period=2019"},
        {"figure": "late", "policy": "instant"},
        {"figure": "late", "cursor": "none"},
    ],
)
async def test_what_cannot_be_opened(office, codes, asked):
    path = "/v1/reports/bieu06/dossiers"
    answer = await office.client.get(path, params=MARCH | asked, headers=by(CONTROL))
    assert answer.status_code == 422, answer.text


async def test_a_report_that_is_not_of_dossiers_opens_to_none(office, codes):
    path = "/v1/reports/register/dossiers"
    answer = await office.client.get(path, params={"figure": "late"}, headers=by(CONTROL))
    assert "are not of dossiers" in refused(answer, "bad-input")


NAMED = [("option", "people=yes"), ("option", "reason=Kiểm tra sổ quý I")]


async def test_names_in_the_register_are_asked_for_with_a_reason_and_by_oneself(
    office, codes, fresh
):
    path, csv_of = "/v1/reports/register", [*MARCH.items(), ("format", "csv")]
    plain = await office.client.get(path, params=csv_of, headers=by(CONTROL))
    assert "Ánh" not in plain.text
    for asked in (NAMED[:1], [*NAMED, ("option", f"by={SCIENCE}")]):
        refused(
            await office.client.get(path, params=[*csv_of, *asked], headers=by(CONTROL)),
            "bad-input",
        )
    async with fresh.connect() as db:
        assert await db.scalar(sa.text("SELECT count(*) FROM look")) == 0
    whole = await office.client.get(path, params=[*csv_of, *NAMED], headers=by(SCIENCE))
    assert whole.text.count("Ánh") == 3
    async with fresh.connect() as db:
        (look,) = (await db.execute(sa.text("SELECT person, reason, dossiers FROM look"))).all()
    assert (look.person, look.reason, len(look.dossiers)) == (SCIENCE, "Kiểm tra sổ quý I", 3)


async def test_classed_anew_the_figures_are_others(office, fresh):
    """An hour after the due moment: late to the minute, and in time by its day."""
    at = datetime(2024, 3, 4, 8, tzinfo=HANOI)
    async with fresh.begin() as db:
        book = await bundles.read(db)
        lodging = Lodging(
            unit="H42.14", procedure=LICENCE, channel=Channel.counter, applicant="Ánh"
        )
        act = Act(
            event=Event.receive, actor="p-reception-01", role=Role.reception, at=at,
            payload={"components": PAPERS},
        )  # fmt: skip
        paper = await ledger.open_(db, book, lodging, act)
    assert paper.due_at is not None
    until = {"to": (paper.due_at + timedelta(hours=1)).isoformat()}
    frozen = await read(office, "bieu06", **until)
    anew = await read(office, "bieu06", **until, policy="instant")
    overdue = [each["sheets"][0]["total"]["overdue"] for each in (frozen, anew)]
    assert overdue == [0, 1]


# A period that has not ended ------------------------------------------------------------------


async def test_nothing_is_late_by_a_date_ahead(office, codes):
    """On 5 March, of what is due on the 11th, whatever end is named."""
    office.at = datetime(2024, 3, 5, 8, tzinfo=HANOI)
    for asked in ({"period": "2024-03"}, {"period": "2024", "each": "month"}, MARCH):
        form = await read(office, "bieu06", LABOUR, **asked)
        [row] = form["sheets"][0]["rows"]
        assert (row["in_time"], row["overdue"]) == (2, 0), asked
        assert (form["provisional"], form["to"]) == (True, office.at.isoformat())
        path = row["open"].replace("{figure}", "in_time")
        answer = await office.client.get(path, headers=by(LABOUR))
        assert {each["code"] for each in answer.json()["items"]} == set(codes[3:])
        sorry = await read(office, "apologies", LABOUR, **asked)
        assert all(each["late"] == 0 for each in sorry["sheets"][0]["rows"])


async def test_plans_and_duties_are_of_the_period_as_it_was_named(office):
    office.at = datetime(2024, 3, 5, 8, tzinfo=HANOI)
    for name in ("targets", "duties"):
        assert (await read(office, name, period="2024"))["to"] == "2025-01-01T00:00:00+07:00"
    [days, _] = (await read(office, "duties", period="2024-03"))["sheets"]
    assert {row["standing"] for row in days["rows"]} == {"coming"}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"period": "2024-05"}, "has not begun"),
        ({"from": "2024-04-08T09:00:00+07:00", "to": "2024-05-01T00:00:00+07:00"}, "not begun"),
        ({"period": "1900"}, "from 1901 on"),
        ({"option": "as_known=0001-01-01"}, "years 1900 to 2200"),
        ({"option": "as_known=9999-01-01"}, "years 1900 to 2200"),
        ({"option": "as_known=2023-01-01", "period": "2024-03"}, "had not begun by 2023-01-01"),
    ],
)
async def test_a_period_that_is_not_there_is_refused(office, asked, why):
    answer = await office.client.get("/v1/reports/bieu06", params=asked, headers=by(CONTROL))
    assert why in refused(answer, "bad-input")


async def test_as_known_then_what_was_ahead_then_was_not_late(office, codes):
    """Known at a moment within the period: it is told as it would have been then."""
    async with office.app.state.house.engine.connect() as db:
        known_at = (await db.scalar(sa.select(sa.func.clock_timestamp()))).astimezone(HANOI)
    office.at = known_at + timedelta(days=9)
    whole = {"from": "2024-03-01T00:00:00+07:00", "to": (known_at + timedelta(days=5)).isoformat()}
    told = await read(office, "bieu06", **whole, option=f"as_known={known_at.isoformat()}")
    assert told["to"] == known_at.isoformat()


@pytest.mark.parametrize("year", ["1901", "1905"])
async def test_before_1911_moments_are_told_in_utc(office, codes, year):
    """The place's own time was off by seconds then, which few can read."""
    asked = {"from": f"{year}-01-01T00:00:00+07:00", "to": MARCH["to"]}
    form = await read(office, "bieu06", LABOUR, **asked)
    since = datetime.fromisoformat(form["from"])
    assert since == datetime.fromisoformat(asked["from"])
    assert form["from"].endswith("Z")
    [row] = form["sheets"][0]["rows"]
    path = row["open"].replace("{figure}", "received")
    answer = await office.client.get(path, headers=by(LABOUR))
    assert len(answer.json()["items"]) == row["received"] == 2
    named = await read(office, "bieu06", LABOUR, period=year)
    assert datetime.fromisoformat(named["from"]) == Period.parse(year).since


@pytest.mark.parametrize("channel", ["%", "counter'", "nowhere"])
async def test_a_word_that_there_is_not_is_no_dossiers(office, codes, channel):
    asked = MARCH | {"figure": "received", "where": f"channel={channel}"}
    assert (await read(office, "bieu06/dossiers", **asked))["items"] == []
    there = await read(office, "bieu06/dossiers", **asked | {"where": "channel=counter"})
    assert len(there["items"]) == 4
