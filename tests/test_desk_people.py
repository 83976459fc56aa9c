"""People at the desk: who is where, forms that draft the organisation, accounts."""

import re
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from office import address, running
from sitting import Page, sitting

from states import db
from states.accounts.rows import account
from states.catalogue import staffing
from states.catalogue.checking import lint_organisation
from states.catalogue.organisation import Delegation, Position
from states.words import Role
from states.yaml_files import editing

CONTROL, SECOND, OFFICER, STRANGER = (
    "p-control-01",
    "p-centre-lead",
    "p-sci-officer-21",
    "p-edu-officer-11",
)
AWAY = {"since": "2024-03-11", "until": "2024-03-15", "substitute": "p-sci-officer-22"}
FORM = f"/people/{OFFICER}/change"


@pytest.fixture
async def office(apart, tmp_path):
    async with running(address(apart), tmp_path) as office:
        yield office


async def last(office):
    async with db.transaction(office.app.state.house.engine) as connection:
        asked = "SELECT * FROM bundle WHERE kind = 'organisation' ORDER BY version DESC LIMIT 1"
        return (await connection.execute(sa.text(asked))).one()


@pytest.mark.parametrize(("lang", "word"), [("vi", "Chuyên viên"), ("en", "Case officer")])
async def test_units_are_seen_with_who_is_in_them(office, lang, word):
    async with sitting(office, OFFICER, lang) as client:
        page = Page(await client.get("/people"))
        assert "H42.03.02" in page.text  # one's own agency
        assert word in page.text
        assert f"/people/{OFFICER}" in page.links
        assert page.forbidden == []
        found = Page(await client.get("/people?q=dinh+thu+hieu"))
        assert "/people/p-sci-director" in found.links
        other = Page(await client.get("/people?agency=H42.05"))
        assert "H42.05.01" in other.text


async def test_a_person_is_seen_with_delegations(office):
    async with sitting(office, OFFICER) as client:
        page = Page(await client.get("/people/p-post-01"))
        assert "30/06/2024" in page.text
        assert page.forbidden == []
        assert "one-time" not in page.text
        assert (await client.get("/people/p-nobody")).status_code == 404


async def test_an_absence_is_drafted_published_by_a_second_person_and_holds(office):
    async with sitting(office, OFFICER) as client, sitting(office, CONTROL) as control:
        done = await client.post(
            f"{FORM}/absence", data=AWAY | {"key": "a", "reason": "Nghỉ: phép"}
        )
        again = await client.post(
            f"{FORM}/absence", data=AWAY | {"key": "a", "reason": "Nghỉ: phép"}
        )
        assert (done.status_code, again.status_code) == (303, 303), done.text
        row = await last(office)
        assert (row.status, row.drafted_by) == ("checked", OFFICER)
        assert row.text.count("Nghỉ: phép") == 1
        assert "# The sample organisation" in row.text
        draft = Page(await client.get("/people/draft"))
        assert "Nghỉ: phép" in draft.text
        assert "Đỗ Đức Uyên is away from" in draft.text
        assert "Tạ Thị Dũng stands in (Nghỉ: phép)." in draft.text
        assert draft.forbidden == []
        own = await client.post("/people/draft/publish", data={"document": "QĐ 5", "key": "p"})
        assert own.status_code == 403
        assert 'value="QĐ 5"' in own.text
        good = await control.post("/people/draft/publish", data={"document": "QĐ 5", "key": "p"})
        assert good.status_code == 303, good.text
        office.later(days=8)
        person = Page(await client.get(f"/people/{OFFICER}"))
        assert "Away today" in person.text
        assert "/people/p-sci-officer-22" in person.links


async def test_nobody_publishes_what_they_drafted(office):
    async with sitting(office, CONTROL) as control, sitting(office, SECOND) as second:
        said = {"unit": "H42.03.02", "role": "officer", "since": "2024-04-01", "key": "h"}
        said |= {"id": "p-sci-officer-29", "name": "<script>Nguyễn</script>"}
        done = await control.post("/people/new/change/hired", data=said)
        assert done.status_code == 303, done.text
        own = await control.post("/people/draft/publish", data={"document": "QĐ 6", "key": "p"})
        assert own.status_code == 409
        assert "a second person publishes it" in own.text
        page = await second.get("/people/draft")
        assert "<script>Nguyễn" not in page.text
        assert "Added: &lt;script&gt;Nguyễn" in page.text
        good = await second.post("/people/draft/publish", data={"document": "QĐ 6", "key": "p"})
        assert good.status_code == 303, good.text
        assert "<script>Nguyễn" not in (await second.get("/people/p-sci-officer-29")).text


async def test_another_agencys_people_are_refused_and_nothing_is_written(office):
    async with sitting(office, STRANGER) as client:
        before = await last(office)
        refused = await client.post(f"{FORM}/absence", data=AWAY | {"key": "s"})
        assert refused.status_code == 403
        assert 'value="2024-03-15"' in refused.text
        said = {"role": "postal", "agencies": "H42.03", "document": "VB", "key": "t"}
        said |= {"since": "2024-07-01", "until": "2024-08-01"}
        assert (
            await client.post("/people/p-post-02/change/delegation", data=said)
        ).status_code == 403
        assert await last(office) == before


async def test_what_the_checker_refuses_is_not_drafted(office):
    async with sitting(office, CONTROL) as client:
        before = await last(office)
        wrong = await client.post(
            f"{FORM}/absence", data=AWAY | {"until": "2024-03-01", "key": "w"}
        )  # fmt: skip
        assert wrong.status_code == 422
        assert "must not lie before" in wrong.text
        assert 'value="2024-03-01"' in wrong.text
        empty = await client.post(f"{FORM}/absence", data={"key": "e"})
        assert empty.status_code == 422
        assert empty.text.count('aria-invalid="true"') == 2
        nobody = AWAY | {"substitute": "p-nobody", "key": "n"}
        assert (await client.post(f"{FORM}/absence", data=nobody)).status_code == 422
        assert (await client.get(f"{FORM}/nothing")).status_code == 404
        assert await last(office) == before


async def test_a_delegation_until_a_day_and_its_end(office):
    async with sitting(office, CONTROL) as client:
        said = {"role": "postal", "agencies": ["H42.03", "H42.05"], "document": "Văn bản 7"}
        said |= {"since": "2024-07-01", "until": "2024-08-01", "key": "g"}
        done = await client.post("/people/p-post-02/change/delegation", data=said)
        assert done.status_code == 303, done.text
        person = await client.get("/people/p-post-01")
        links = re.findall(r'href="(/people/p-post-01/change/revocation\?number=\d+)"', person.text)
        number = links[0].rpartition("=")[2]
        revoked = {"number": number, "on": "2024-05-01", "document": "Văn bản 8", "key": "v"}
        done = await client.post("/people/p-post-01/change/revocation", data=revoked)
        assert done.status_code == 303, done.text
        text = (await last(office)).text
        assert "Văn bản 7" in text
        assert "revoked_by: Văn bản 8" in text


async def test_an_account_is_opened_by_an_administrator_and_its_password_told_once(office):
    await office.client.auth.token(CONTROL, admin=True)
    async with sitting(office, CONTROL) as client:  # who has the account, now an administrator's
        where = "/people/p-edu-lead-01/account"
        first = await client.post(where, data={"key": "acc"})
        assert first.status_code == 200, first.text
        secret = re.search(r'class="huge"><code>([^<]+)</code>', first.text)[1]
        again = await client.post(where, data={"key": "acc"})
        assert secret not in again.text
        async with db.transaction(office.app.state.house.engine) as connection:
            mine = sa.select(account).where(account.c.person == "p-edu-lead-01")
            row = (await connection.execute(mine)).one()
        assert row.must_change
    async with sitting(office, OFFICER) as client:
        assert (await client.post(where, data={"key": "no"})).status_code == 403


# The text, without a desk -------------------------------------------------------------------------

TEXT = (Path(__file__).parents[1] / "config" / "sample" / "organisation.yaml").read_text()


def test_every_change_makes_a_text_in_which_nothing_is_wrong():
    since, until = date(2024, 3, 1), date(2024, 4, 1)
    pilot = Delegation.model_validate(editing.plain(TEXT)["delegations"][0], strict=False)
    held = Position(unit="H42.03.02", role=Role.officer)
    text = TEXT
    for change in (
        staffing.absence(OFFICER, since, until, "p-sci-officer-22", None),
        staffing.delegation("p-post-02", Role.postal, ["H42.03"], [], "VB 1", since, until),
        staffing.revocation(pilot, date(2023, 6, 1), "VB 2"),
        staffing.hired("p-new", "Người Mới", "H42.03.02", Role.officer, since),
        staffing.position(OFFICER, "H42.03.01", Role.officer, since),
        staffing.ended(OFFICER, held, until),
    ):
        made = change(text)
        kept = [row for row in text.splitlines() if row.lstrip().startswith("#")]
        assert [row for row in made.splitlines() if row.lstrip().startswith("#")] == kept
        text = made
    found = lint_organisation("organisation.yaml", text.encode())
    assert not [each for each in found.findings if each.severity == "error"]
