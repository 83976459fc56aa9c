"""Forms over HTTP: who may print which, and whose template they are printed by."""

import pytest
import sqlalchemy as sa
from forms import read
from office import DIRECTOR, LEADER, OFFICER, RECEPTION, address, running, told

from api.papers.forms import template
from states.seeing import look

VI = {"Accept-Language": "vi"}
CONTROL = {"Hoso-Person": "p-control-01"}
CENTRE = {"Hoso-Person": "p-centre-lead", "Hoso-Role": "leader"}
OTHERS = {"Hoso-Person": "p-edu-director"}
ASKED = {"Hoso-Person": "p-fin-officer-21"}
OURS = "#letterhead()\n#title()\nMẫu riêng của Sở, #data.code, #data.applicant.name\n"


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


async def printed(office, code, form="slip", who=RECEPTION):
    answer = await office.client.get(f"/v1/dossiers/{code}/forms/{form}", headers=who)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    return read(answer.content)


async def put(office, body, who=DIRECTOR, form="slip", agency="H42.03"):
    path = f"/v1/forms/{form}/template"
    return await office.client.put(
        path, params={"agency": agency}, json={"body": body}, headers=who | VI
    )


async def kept(office, who=OFFICER, form="slip", agency="H42.03"):
    path = f"/v1/forms/{form}/template"
    answer = await office.client.get(path, params={"agency": agency}, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


# Printing -------------------------------------------------------------------------------------


async def test_the_forms_of_a_dossier_are_told_with_why_the_others_are_shut(office):
    code = await office.processing()
    answer = await office.client.get(f"/v1/dossiers/{code}/forms", headers=RECEPTION | VI)
    forms = {each["form"]: each for each in answer.json()["forms"]}
    assert (answer.json()["regime"], answer.json()["circular"]) == (
        "R2021",
        "Thông tư 01/2018/TT-VPCP",
    )
    assert [name for name, each in forms.items() if each["open"]] == ["slip", "control"]
    assert forms["slip"]["number"] == "01"
    assert forms["slip"]["title"]["vi"] == "Giấy tiếp nhận hồ sơ và hẹn trả kết quả"
    assert forms["stop"]["why"] == "hồ sơ không bị dừng và cũng không được rút"
    for name, each in forms.items():
        got = await office.client.get(each["address"], headers=RECEPTION | VI)
        assert got.status_code == (200 if each["open"] else 404), name
        if not each["open"]:
            assert each["why"] in told(got, 404, "unknown")["detail"]


async def test_the_slip_as_it_is_handed_over(office):
    code = await office.code(applicant='#eval("1+1") <b>')
    secret = (await office.move(code, "digitise", RECEPTION)).json()
    page = await printed(office, code)
    assert secret["slip"] is None, "told on receipt alone, and by the paper"
    assert page.pages == 1
    assert page.says(code, '#eval("1+1") <b>', "Cấp giấy phép bưu chính", "127.0.0.1:8600/track")


async def test_the_secret_is_for_who_sees_the_dossier_whole(office):
    code = await office.processing()
    question = {"to": "H42.07.02", "about": "Giá", "term": "2wd"}
    asked = f"/v1/dossiers/{code}/consultations"
    assert (await office.client.post(asked, json=question, headers=OFFICER)).status_code == 201
    for who in (RECEPTION, OFFICER, DIRECTOR, CONTROL):
        assert (await printed(office, code, who=who)).says("mã tra cứu"), who
    page = await printed(office, code, who=ASKED)
    assert page.says(code)
    assert not page.says("mã tra cứu")


async def test_that_a_form_was_printed_is_kept(office, fresh):
    code = await office.code()
    await printed(office, code)
    query = {"agency": "H42.03", "from": "2024-03-01", "to": "2024-04-01"}
    answer = await office.client.get("/v1/forms/register", params=query, headers=CONTROL)
    assert read(answer.content).says(code, "Nguyễn Thị Ánh", "Tổng số: 1 hồ sơ")
    async with fresh.connect() as db:
        doors = set(await db.scalars(sa.select(look.c.door)))
    assert {"GET /v1/dossiers/{code}/forms/{form}", "GET /v1/forms/register"} <= doors


async def test_another_agencys_dossier_is_none(office):
    code = await office.processing()
    for path in (f"/v1/dossiers/{code}/forms", f"/v1/dossiers/{code}/forms/slip"):
        told(await office.client.get(path, headers=OTHERS), 404, "unknown")
    query = {"agency": "H42.03", "from": "2024-03-01", "to": "2024-04-01"}
    answer = await office.client.get("/v1/forms/register", params=query, headers=OTHERS)
    assert read(answer.content).says("Tổng số: 0 hồ sơ")


async def test_a_register_of_no_days_or_no_agency_is_refused(office):
    for query, status, kind in (
        ({"agency": "H42.03", "from": "2024-04-01", "to": "2024-04-01"}, 422, "bad-input"),
        ({"agency": "H42.99", "from": "2024-03-01", "to": "2024-04-01"}, 422, "bad-input"),
        ({"agency": "H42.03", "from": "hôm qua", "to": "2024-04-01"}, 422, "invalid"),
    ):
        told(
            await office.client.get("/v1/forms/register", params=query, headers=CONTROL),
            status,
            kind,
        )


# Templates ------------------------------------------------------------------------------------


async def test_an_agency_prints_by_its_own_template_until_it_takes_it_back(office):
    code = await office.code(applicant="*Ánh* $x$")
    house = await kept(office)
    assert (house["of"], house["body"]) == (None, template("slip"))
    answer = await put(office, OURS)
    assert answer.status_code == 200, answer.text
    assert answer.json() == await kept(office)
    mine = await kept(office)
    assert (mine["of"], mine["by"], mine["body"]) == ("H42.03", "p-sci-director", OURS)
    assert (await printed(office, code)).says("Mẫu riêng của Sở", code, "*Ánh* $x$")
    assert (await kept(office, agency="H42.05"))["of"] is None
    assert (await put(office, "")).json()["of"] is None
    assert not (await printed(office, code)).says("Mẫu riêng của Sở")


async def test_the_centres_template_is_for_all_who_have_none(office):
    code = await office.code()
    assert (await put(office, "Mẫu của Trung tâm", CENTRE, agency="H42.14")).status_code == 200
    assert (await kept(office))["of"] == "H42.14"
    assert (await printed(office, code)).text.startswith("MẫucủaTrungtâm")
    await put(office, OURS, CONTROL)
    assert (await printed(office, code)).says("Mẫu riêng của Sở")


@pytest.mark.parametrize("who", [RECEPTION, OFFICER, OTHERS])
async def test_only_who_decides_for_the_agency_replaces_its_template(office, who):
    told(await put(office, OURS, who), 403, "no-right")
    assert (await kept(office))["of"] is None


async def test_who_decides_does(office):
    for who in (LEADER, DIRECTOR, CENTRE, CONTROL):
        assert (await put(office, OURS, who)).status_code == 200


@pytest.mark.parametrize(
    "form", ["slip", "supplement", "refusal", "apology", "stop", "control", "register"]
)
async def test_the_houses_own_template_can_be_sent_as_ones_own(office, form):
    assert (await put(office, template(form), form=form)).status_code == 200


async def test_a_template_that_is_wrong_is_refused_with_its_place(office):
    problem = told(await put(office, "#title()\n\n  #data.nothing\n"), 422, "bad-file")
    assert problem["detail"].startswith("slip.typ, dòng 3, cột 9: ")
    problem = told(await put(office, '#read("/etc/passwd")'), 422, "bad-file")
    assert "slip.typ, dòng 1, cột 7" in problem["detail"]
    problem = told(await put(office, "#lorem(3000000)"), 422, "bad-input")
    assert "slip.typ" in problem["detail"]
    assert (await kept(office))["of"] is None


async def test_a_template_that_fails_at_the_counter_does_not_send_the_citizen_away(office):
    """It went well on the dossier that never was, and fails on this one: the house's prints it."""
    body = '#if data.applicant.name == "Lỗi" { panic(data.applicant.name) }\nMẫu riêng'
    assert (await put(office, body)).status_code == 200
    fine, wrong = await office.code(applicant="Ánh"), await office.code(applicant="Lỗi")
    assert (await printed(office, fine)).text.startswith("Mẫuriêng")
    assert (await printed(office, wrong)).says(wrong, "GIẤY TIẾP NHẬN HỒ SƠ")


async def test_what_an_agency_printed_by_is_never_changed(office, fresh):
    await put(office, OURS)
    await put(office, "")
    async with fresh.connect() as db:
        told_ = await db.execute(sa.text("SELECT body, by FROM form_template ORDER BY id"))
        assert [tuple(row) for row in told_] == [(OURS, "p-sci-director"), ("", "p-sci-director")]
        for change in ("UPDATE form_template SET body = ''", "DELETE FROM form_template"):
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                async with db.begin_nested():
                    await db.execute(sa.text(change))
