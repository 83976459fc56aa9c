"""Procedures at the desk: seen, changed as form and text, tried, published by a second person."""

import re
from html import unescape

import pytest
import sqlalchemy as sa
from office import LICENCE, address, running
from sitting import Page, sitting

from api.desk.procedures.drawing import drawn
from api.desk.procedures.moves import possible
from api.desk.voice import Voice
from states import db
from states.catalogue import load
from states.clock.words import Lang
from states.words import Event, State

SAMPLE = load().procedures
EDIT = f"/procedures/{LICENCE}/edit"
OFFICER, LEADER, STRANGER = "p-sci-officer-21", "p-sci-lead-02", "p-edu-officer-11"


@pytest.fixture
async def office(apart, tmp_path):
    async with running(address(apart), tmp_path) as office:
        yield office


def text_of(answer):
    """The YAML that a page of the editor holds."""
    found = re.search(r'<textarea[^>]*name="text"[^>]*>(.*?)</textarea>', answer.text, re.DOTALL)
    return unescape(found[1])


def field_of(answer, name):
    found = re.search(rf'<input id="f-{re.escape(name)}"[^>]* value="([^"]*)"', answer.text)
    return unescape(found[1])


async def begun(client, view="form"):
    page = await client.get(EDIT)
    assert page.status_code == 200, page.text
    return {"text": text_of(page), "view": view, "of": Page(page).form(EDIT)["of"], "key": "k1"}


async def rows(office):
    async with db.transaction(office.app.state.house.engine) as connection:
        asked = sa.text("SELECT version, status, text FROM bundle WHERE code = :c ORDER BY version")
        return (await connection.execute(asked, {"c": LICENCE})).all()


async def test_the_list_is_found_in_without_accents_and_by_what_it_is(office):
    async with sitting(office, OFFICER, "vi") as client:
        whole = Page(await client.get("/procedures"))
        assert f"/procedures/{LICENCE}" in whole.links
        found = Page(await client.get("/procedures?q=giay+phep+buu+chinh"))
        assert f"/procedures/{LICENCE}" in found.links
        assert "/procedures/2.000205" not in found.links
        post = Page(await client.get("/procedures?post=no"))
        assert {"/procedures/3.000181", "/procedures/2.002311"} <= set(post.links)
        assert f"/procedures/{LICENCE}" not in post.links
        assert "Không có thủ tục" in Page(await client.get("/procedures?agency=H42.99")).text


async def test_those_used_lately_are_told_from_those_that_are_not(office):
    await office.code()
    async with sitting(office, OFFICER) as client:
        used = Page(await client.get("/procedures?used=yes")).links
        assert [each for each in used if each.startswith("/procedures/1")] == [
            f"/procedures/{LICENCE}"
        ]
        assert f"/procedures/{LICENCE}" not in Page(await client.get("/procedures?used=no")).links
        async with sitting(office, STRANGER) as stranger:  # who sees none of them is told of none
            none = Page(await stranger.get("/procedures?used=yes")).links
            assert f"/procedures/{LICENCE}" not in none
        office.later(days=91)
        assert f"/procedures/{LICENCE}" in Page(await client.get("/procedures?used=no")).links


@pytest.mark.parametrize(("lang", "word"), [("vi", "ngày"), ("en", "calendar days")])
async def test_a_version_is_told_in_words_and_drawn(office, lang, word):
    async with sitting(office, OFFICER, lang) as client:
        answer = await client.get(f"/procedures/{LICENCE}")
        page = Page(answer)
        assert f"30 {word}" in page.text
        assert "<title id=" in answer.text
        assert "<desc id=" in answer.text
        assert page.forbidden == []
        assert (await client.get("/procedures/7.777777")).status_code == 404


async def test_a_form_and_its_text_are_one_and_what_is_typed_is_found_again(office):
    async with sitting(office, OFFICER) as client:
        before = len(await rows(office))
        said = await begun(client) | {"term": "20cd", "stages.0.name.vi": "<script>x</script>"}
        answer = await client.post(f"{EDIT}/turn", data=said | {"act": "view:yaml"})
        text = text_of(answer)
        assert "\nterm: 20cd\n" in text
        assert "<script>x" not in answer.text
        assert Page(answer).forbidden == []
        assert len(await rows(office)) == before
        again = await client.get(EDIT)
        assert "typing on" in again.text
        assert text_of(again) == text
        back = said | {"view": "yaml", "text": text.replace("20cd", "25cd"), "act": "view:form"}
        shown = await client.post(f"{EDIT}/turn", data=back)
        assert field_of(shown, "term") == "25 calendar days"
        assert field_of(shown, "stages.0.name.vi") == "<script>x</script>"


async def test_stages_are_added_moved_and_taken_out(office):
    async with sitting(office, OFFICER) as client:
        said = await begun(client)
        first = field_of(await client.get(EDIT), "stages.0.code")
        moved = await client.post(f"{EDIT}/turn", data=said | {"act": "stages.0.down"})
        assert field_of(moved, "stages.1.code") == first
        more = await client.post(f"{EDIT}/turn", data=said | {"act": "stages.add"})
        assert field_of(more, "stages.3.term") == "1 working day"
        assert "Error" in Page(more).text  # a stage without a name
        wrong = await client.post(f"{EDIT}/turn", data=said | {"act": "nonsense", "term": "7cd"})
        assert wrong.status_code == 422
        assert field_of(wrong, "term") == "7 calendar days"


async def test_what_is_wrong_is_told_with_its_line_and_field(office):
    async with sitting(office, OFFICER) as client:
        said = await begun(client, "yaml")
        at = said["text"].split("\n").index("term: 30cd") + 1
        said["text"] = said["text"].replace("term: 30cd", "term: soon")
        part = await client.post(f"{EDIT}/check", data=said)
        assert f'data-line="{at}" data-column="1" data-field="term"' in part.text
        assert "<html" not in part.text
        broken = await client.post(f"{EDIT}/check", data=said | {"text": "a: ["})
        assert "is not YAML" in broken.text


async def test_hostile_text_is_refused_at_its_field_and_stays(office):
    async with sitting(office, OFFICER) as client:
        said = await begun(client) | {"name.vi": "a\u202eb", "term": "12cd"}
        answer = await client.post(EDIT, data=said)
        assert answer.status_code == 422
        assert "U+202E" in answer.text
        assert field_of(answer, "term") == "12cd"
        long = await client.post(f"{EDIT}/turn", data=said | {"name.vi": "ễ" * 200})
        assert field_of(long, "name.vi") == "ễ" * 200


async def test_a_change_is_kept_checked_and_published_by_a_second_person(office):
    async with sitting(office, OFFICER) as client, sitting(office, LEADER) as leader:
        said = await begun(client) | {"fee": "120000"}
        kept = await client.post(EDIT, data=said)
        twice = await client.post(EDIT, data=said)
        assert kept.headers["location"] == twice.headers["location"]
        one = kept.headers["location"]
        assert [row.status for row in await rows(office)][-2:] == ["published", "checked"]
        assert "typing on" not in (await client.get(EDIT)).text
        document = {"document": "Quyết định 1/QĐ-UBND", "key": "p1"}
        refused = await client.post(f"{one}/publish", data=document)
        assert refused.status_code == 403
        assert "Quyết định 1/QĐ-UBND" in refused.text
        office_lead = await leader.post(f"{one}/publish", data={"key": "p0"})
        assert office_lead.status_code == 422
        done = await leader.post(f"{one}/publish", data=document)
        assert done.status_code == 303, done.text
        assert [row.status for row in await rows(office)][-2:] == ["retired", "published"]
        told = Page(await client.get(f"/procedures/{LICENCE}/difference")).text
        assert "120,000 VND" in told


async def test_nobody_publishes_their_own(office):
    async with sitting(office, LEADER) as leader:
        kept = await leader.post(EDIT, data=await begun(leader) | {"fee": "120000"})
        one = kept.headers["location"]
        refused = await leader.post(f"{one}/publish", data={"document": "QĐ 1", "key": "x"})
        assert refused.status_code == 409
        assert "a second person publishes it" in refused.text
        assert (await rows(office))[-1].status == "checked"


async def test_another_agencys_people_are_refused(office):
    async with sitting(office, STRANGER) as client, sitting(office, OFFICER) as owner:
        assert (await client.get(f"/procedures/{LICENCE}")).status_code == 200
        assert (await client.get(EDIT)).status_code == 403
        said = await begun(owner) | {"since": "2024-01-01", "until": "2024-03-01"}
        before = await rows(office)
        for path in (EDIT, f"{EDIT}/turn", f"{EDIT}/simulate", f"{EDIT}/check"):
            assert (await client.post(path, data=said)).status_code == 403, path
        assert await rows(office) == before
    async with sitting(office, "p-edu-director") as director:
        retired = await director.post(
            f"/procedures/{LICENCE}/versions/1/retire", data={"key": "r"}
        )  # fmt: skip
        assert retired.status_code == 403


async def test_what_somebody_else_wrote_meanwhile_is_not_written_over(office):
    async with sitting(office, OFFICER) as client, sitting(office, LEADER) as leader:
        said = await begun(client)
        await leader.post(EDIT, data=await begun(leader) | {"fee": "1000"})
        late = await client.post(EDIT, data=said | {"fee": "2000", "key": "k9"})
        assert late.status_code == 409
        assert "Lê Minh Mai" in Page(late).text
        assert field_of(late, "fee") == "2000"
        assert "fee: 1000" in (await rows(office))[-1].text


async def test_a_change_is_tried_on_what_is_closed(office):
    code = await office.processing()
    async with sitting(office, LEADER) as client:
        said = await begun(client) | {"since": "2024-01-01", "until": "2024-12-31"}
        none = await client.post(f"{EDIT}/simulate", data=said, headers={"HX-Request": "true"})
        assert "No dossier was closed" in none.text
        assert "<html" not in none.text
        wrong = await client.post(f"{EDIT}/simulate", data=said | {"until": "2023-01-01"})
        assert wrong.status_code == 422
        assert "ends before it begins" in wrong.text
        assert code not in wrong.text


async def test_the_text_is_taken_home_and_a_new_procedure_begins_like_another(office):
    async with sitting(office, OFFICER) as client:
        answer = await client.get(f"/procedures/{LICENCE}/versions/1/text")
        assert answer.headers["content-type"].startswith("application/yaml")
        assert answer.text == (await rows(office))[0].text
        page = await client.get(f"/procedures/new/edit?like={LICENCE}")
        assert field_of(page, "code") == ""
        said = {"text": text_of(page), "view": "form", "of": "-", "code": "9.123456", "key": "n"}
        kept = await client.post("/procedures/new/edit", data=said)
        assert kept.headers["location"] == "/procedures/9.123456/versions/1"


# The drawing, without a desk ----------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(SAMPLE))
def test_a_drawing_shows_what_can_happen_and_nothing_overlaps(code):
    said = SAMPLE[code]
    made = drawn(said, Voice(Lang.vi), lambda unit: unit)
    kinds = [each.kind for each in made.boxes]
    shown = {kind.removeprefix("state ") for kind in kinds if kind.startswith("state ")}
    states = {state for pair in possible(said) for state in pair} - {State.processing}
    assert shown == states
    assert kinds.count("stage") == len(said.stages)
    boxes = [each for each in made.boxes if each.kind != "frame"]
    for n, one in enumerate(boxes):
        assert one.x >= 0
        assert one.x + one.w <= made.width
        assert one.bottom <= made.height
        for other in boxes[n + 1 :]:
            apart = one.bottom < other.y or other.bottom < one.y
            assert apart or one.x + one.w < other.x or other.x + other.w < one.x


def test_who_may_not_be_asked_to_supplement_never_waits_for_one():
    said = SAMPLE[LICENCE]
    never = said.model_copy(
        update={"supplement": said.supplement.model_copy(update={"times": 0})}
    )  # fmt: skip
    assert State.awaiting_supplement not in {state for pair in possible(never) for state in pair}
    assert Event.request_supplement in possible(said)[State.processing, State.awaiting_supplement]
