"""Figures over HTTP: of the agencies that the caller sees whole, and of no others."""

import csv
import io
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from office import FILE, LICENCE, PAPERS, Office, address, running, told

from api import reports
from api.app import ROUTERS
from api.reports import COLUMNS
from states import ledger
from states.catalogue import bundles
from states.figures import freezing
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
        if reports.router not in ROUTERS:
            office.app.include_router(reports.router)
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
    return {
        row["agency"]: (row["received"], row["overdue"], row["unclassed"]) for row in form["rows"]
    }


async def test_the_form_is_of_the_agencies_that_are_seen(office, codes):
    science, labour = {"H42.03": (2, 0, 1)}, {"H42.05": (2, 2, 0)}
    whole = await read(office, "bieu06", **MARCH)
    assert counts(whole) == science | labour
    assert (whole["total"]["received"], whole["total"]["balances"]) == (4, True)
    assert whole["since"] == MARCH["from"]
    assert counts(await read(office, "bieu06", SCIENCE, **MARCH)) == science
    mine = await read(office, "bieu06", LABOUR, **MARCH)
    assert counts(mine) == labour
    assert mine["total"]["received"] == 2
    assert counts(await read(office, "bieu06", agency=["H42.05"])) == labour
    assert mine["rows"][0]["name"].startswith("Sở Lao động")
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
    form = await read(office, "bieu06", **MARCH)
    assert rows[0] == ["agency", "name", *COLUMNS]
    lines = [*form["rows"], form["total"]]
    assert rows[1:] == [
        [line["agency"], line["name"], *(str(line[each]) for each in COLUMNS)] for line in lines
    ]


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"from": "2024-04-01T00:00:00+07:00", "to": "2024-03-01T00:00:00+07:00"}, "bad-input"),
        ({"from": "2024-03-01T00:00:00"}, "invalid"),
        ({"to": "9999-12-31T23:59:59Z"}, "invalid"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "invalid"),
        ({"policy": "month"}, "invalid"),
        ({"format": "pdf"}, "invalid"),
        ({"agency": "a\0"}, "invalid"),
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
