"""Every sentence a caller can get is said in Vietnamese too, and what stands in it stays itself."""

import ast
import re
import string
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from office import DIRECTOR, OFFICER, RECEPTION, address, running, told

from states import extracting, lifecycle
from states.clock.words import Lang
from states.errors import BadFile, Unknown, summary
from states.faults import FAULTS, fault
from states.lifecycle import Now
from states.sentences import Sentence, anded, any_of, joined, ored
from states.tongues import catalogue, said
from states.words import NATIONAL, Event, Role, State

ROOT = Path(__file__).parents[1]
ELSEWHERE = ("api/cli", "states/embedded", "states/migrations", "states/pilot")  # the terminal's
METHOD = "states.extracting:sentences"
METHODS = [
    *((f"{each}/**", "ignore") for each in ELSEWHERE),
    *((f"{each}/**.py", METHOD) for each in extracting.PACKAGES),
]
VIETNAMESE = {"Accept-Language": "vi, en;q=0.5"}
MARKED = re.compile(r"[À-ỹđĐ]")
HOSTILE = ["{", "}", "{0}", "{code.__class__}", "{code!r}", "{{", "%s", "%(code)s", "{:>9}", "\\"]


def fields(template: str) -> list[tuple[str, str, str | None]]:
    parts = string.Formatter().parse(template)
    return sorted((name, spec or "", how) for _, name, spec, how in parts if name is not None)


def words(template: str) -> str:
    return "".join(text for text, *_ in string.Formatter().parse(template))


def is_template(text: str) -> bool:
    """Some sentences without values hold braces of their own: `write {event: first}`."""
    return all(re.fullmatch(r"[a-z]\w*", name) for name, *_ in fields(text))


@pytest.fixture(scope="module")
def extracted():
    found = extract_from_dir(str(ROOT), METHODS, keywords={"pgettext": ((1, "c"), 2)})
    return {(context, message) for _, _, message, _, context in found}


@pytest.fixture(scope="module")
def kept():
    with (ROOT / "states/locale/vi/LC_MESSAGES/hoso.po").open("rb") as file:
        return read_po(file, locale="vi")


def test_every_sentence_has_its_translation_and_no_other_is_kept(extracted, kept):
    there = {(message.context, message.id) for message in kept if message.id}
    assert sorted(extracted - there, key=str) == []
    assert sorted(there - extracted, key=str) == []
    assert not kept.obsolete
    assert len(there) > 700


def test_each_translation_is_whole(kept):
    for message in kept:
        if not message.id:
            continue
        assert message.string, message.id
        assert not message.fuzzy, message.id
        if is_template(message.id):
            assert fields(message.string) == fields(message.id), message.id
            if any(map(str.isalpha, words(message.id))) and message.id != "Value error, {error}":
                assert MARKED.search(message.string), message.id


def test_the_catalogue_is_in_order(kept):
    text = (ROOT / "states/locale/vi/LC_MESSAGES/hoso.po").read_text()
    assert "#:" not in text
    ids = [message.id for message in kept if message.id]
    assert ids == sorted(ids)


def test_nothing_is_raised_that_cannot_be_said_again():
    """An f-string has lost what it was made of."""
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for package in extracting.PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        if not str(file.relative_to(ROOT)).startswith(ELSEWHERE)
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Call) and extracting._name(node.func) in extracting._errors()
        if any(isinstance(each, ast.JoinedStr) for each in node.args[:1])
    ]
    assert found == []


def test_every_kind_of_error_has_a_summary_in_both():
    from api.problems import STATUS

    for kind in STATUS:
        assert said(summary(kind), Lang.en) == summary(kind)
        assert MARKED.search(said(summary(kind), Lang.vi)), kind


# What stands in a sentence --------------------------------------------------------------------


@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20)), min_size=1, max_size=6))
def test_a_value_is_never_a_template(texts):
    text = "".join(texts)
    error = Unknown("there is no dossier {code}: check the code on the slip", code=text)
    assert str(error) == "there is no dossier " + text + ": check the code on the slip"
    assert said(error.sentence, Lang.en) == str(error)
    vietnamese = "không có hồ sơ " + text + ": hãy kiểm tra mã trên giấy tiếp nhận"
    assert said(error.sentence, Lang.vi) == vietnamese


@given(st.data())
def test_whatever_is_filled_in_stands_in_every_translation(data):
    known = [each for each in catalogue(Lang.vi)._catalog if isinstance(each, str) and each]
    plain = [each for each in known if is_template(each) and fields(each)]
    plain = [each for each in plain if all(not spec and not how for _, spec, how in fields(each))]
    template = data.draw(st.sampled_from(sorted(plain)))
    values = {
        name: data.draw(st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=9)))
        for name, *_ in fields(template)
    }
    for language in Lang:
        sentence = said(Sentence(template, **values), language)
        assert all(value in sentence for value in values.values())


def test_a_sentence_without_values_is_taken_as_it_is():
    assert Unknown("say {event: first}").sentence == "say {event: first}"
    assert said(Sentence("no such {thing"), Lang.vi) == "no such {thing"
    assert said("must name a column, or say {event: first} or {event: last}", Lang.vi) == (
        "phải nêu một cột, hoặc ghi {event: first} hoặc {event: last}"
    )


def test_what_was_not_translated_is_said_in_english():
    assert said(Sentence("no {such} sentence", such="kept"), Lang.vi) == "no kept sentence"


def test_values_are_said_in_the_language_of_the_sentence():
    at = datetime(2024, 3, 4, 1, tzinfo=UTC)
    told = Sentence(
        "{roles} {state} {day} {at} {at:minutes} {n:,} {why}",
        roles=[Role.leader, Role.postal],
        state=State.processing,
        day=date(2024, 3, 4),
        at=at,
        n=12345,
        why=Sentence("line {line}", line=3),
    )
    assert told == (
        "leader, postal processing 2024-03-04 2024-03-04T01:00:00+00:00 2024-03-04T01:00+00:00"
        " 12,345 line 3"
    )
    assert said(told, Lang.vi) == (
        "lãnh đạo, nhân viên bưu chính Đang xử lý 04/03/2024 01:00 thứ Hai 04/03/2024"
        " 01:00 thứ Hai 04/03/2024 12.345 dòng 3"
    )


def test_lists_are_told_in_the_language():
    assert said(ored("abc"), Lang.vi) == "a hoặc b hoặc c"
    assert said(anded([Role.officer, Role.leader]), Lang.vi) == "chuyên viên và lãnh đạo"
    assert said(Sentence("{known}", known=any_of([])), Lang.vi) == "không có"
    assert said(joined([Sentence("line {line}", line=1), "x"]), Lang.vi) == "dòng 1; x"


def test_a_fault_of_a_file_says_where_and_what():
    wrong = BadFile("thu-tuc.yaml", 3, "stages.0", "must be text", 4)
    assert str(wrong) == "thu-tuc.yaml, line 3, column 4, stages.0: must be text"
    assert said(wrong.sentence, Lang.vi) == (
        "thu-tuc.yaml, dòng 3, cột 4, stages.0: phải là văn bản"
    )


def test_pydantics_errors_are_known_by_type():
    from pydantic_core._pydantic_core import list_all_errors

    ours = {each["type"]: each for each in list_all_errors()}
    assert {*FAULTS} - {*ours} == set()
    for kind, sentence in FAULTS.items():
        given = {*ours[kind]["example_context"]} if ours[kind]["example_context"] else set()
        assert {name for name, *_ in fields(sentence.template)} <= given, kind
    many = {"type": "string_too_short", "msg": "String should …", "ctx": {"min_length": 1}}
    assert fault(many) == "String should …"
    assert said(fault(many), Lang.vi) == "Phải có ít nhất 1 ký tự"
    one_of = {
        "type": "enum",
        "msg": "Input should be 'a' or 'b'",
        "ctx": {"expected": "'a' or 'b'"},
    }
    assert said(fault(one_of), Lang.vi) == "Phải là 'a' hoặc 'b'"


# Why an event is closed ------------------------------------------------------------------------


def foreign(english: str, vietnamese: str) -> set[str]:
    """Words of the English sentence that stand in the Vietnamese one, but for codes and ids."""
    codes = re.compile(r"\b(?:[A-Z]\d{2}|p-)[\w.-]*|\bseq\b")
    each = [
        set(re.findall(r"[a-z_]{2,}", codes.sub("", text.lower())))
        for text in (english, vietnamese)
    ]
    return {word for word in each[0] & each[1] if not MARKED.search(word)}


def test_every_guard_says_why_in_vietnamese():
    guards = {row.guard.__doc__ for row in lifecycle.ROWS if row.guard is not None}
    assert len(guards) >= 10
    for english in guards:
        assert foreign(english, said(english, Lang.vi)) == set(), english


def test_every_state_refuses_in_vietnamese():
    at = datetime(2024, 3, 4, 1, tzinfo=UTC)
    for state in State:
        for event in Event:
            if not lifecycle.moves(event, state):
                shut = lifecycle.shut(event, state, Role.control)
                assert NATIONAL[state][0] in said(shut, Lang.vi)
                assert foreign(shut, said(shut, Lang.vi)) == set()
    assert Now(at, Role.control).role is Role.control


# Over HTTP -------------------------------------------------------------------------------------


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


async def test_why_the_rest_is_closed_is_told_in_the_callers_language(office):
    code = await office.processing()
    english = (await office.read(code))["closed"]
    vietnamese = (await office.read(code, **VIETNAMESE))["closed"]
    assert english.keys() == vietnamese.keys()
    assert english["stop"] == "it is for leader"
    assert vietnamese["stop"] == "bước này dành cho lãnh đạo"
    for event, why in vietnamese.items():
        assert MARKED.search(why)
        assert foreign(english[event], why) == set(), why


@pytest.mark.parametrize(("asked", "language"), [("vi", Lang.vi), ("en", Lang.en), ("fr", Lang.en)])
async def test_refusals_come_in_the_callers_language(office, asked, language):
    code, says = await office.processing(), {"Accept-Language": asked}
    vi = language is Lang.vi
    no_such = told(
        await office.client.get("/v1/dossiers/H42.14-000000-0000", headers=RECEPTION | says),
        404,
        "unknown",
    )
    assert no_such["detail"] == (
        "không có hồ sơ H42.14-000000-0000: hãy kiểm tra mã trên giấy tiếp nhận"
        if vi
        else "there is no dossier H42.14-000000-0000: check the code on the slip"
    )
    answer = await office.move(code, "return_result", OFFICER | says, outcome="approved")
    closed = told(answer, 409, "not-open")
    assert answer.headers["Content-Language"] == language
    assert ("sau công đoạn này chưa đến kết quả" in closed["detail"]) is vi
    assert ("Hồ sơ đang ở trạng thái “Đang xử lý”" in closed["detail"]) is vi
    assert closed["title"] == (
        "Từ trạng thái này không có bước đó" if vi else "The lifecycle has no such move from here"
    )
    stale = told(
        await office.move(code, "advance", OFFICER | says | {"If-Match": '"1"'}), 412, "stale"
    )
    assert ("đã được người khác chuyển bước" in stale["detail"]) is vi


async def test_what_is_wrong_with_a_body_is_told_in_the_callers_language(office):
    lodged = {"procedure": 5, "channel": "pigeon", "applicant": ""}
    for asked, at, what in (
        ("vi", "body.procedure", "Phải là văn bản"),
        ("en", "body.procedure", "Input should be a valid string"),
        ("vi", "body.channel", "Phải là 'counter', 'online' hoặc 'post'"),
        ("vi", "body.event", "Bắt buộc nhập"),
    ):
        headers = RECEPTION | {"Accept-Language": asked}
        answer = await office.client.post("/v1/dossiers", json=lodged, headers=headers)
        problem = told(answer, 422, "invalid")
        assert {"where": at, "what": what} in problem["errors"]
        assert problem["errors"][0]["what"] in problem["detail"]
    wrong = await office.client.post(
        "/v1/dossiers",
        content=b"{",
        headers=RECEPTION | VIETNAMESE | {"Content-Type": "application/json"},
    )
    assert "không phải JSON" in told(wrong, 422, "invalid")["detail"]


async def test_what_a_hostile_caller_sends_stays_what_it_is(office):
    for language in ("vi", "en"):
        headers = DIRECTOR | {"Accept-Language": language}
        answer = await office.client.get("/v1/procedures/{0.__class__}", headers=headers)
        assert "{0.__class__}" in told(answer, 404, "unknown")["detail"]


async def test_what_a_check_finds_is_told_in_the_callers_language(office):
    text = (ROOT / "config/sample/procedures" / "1.003659.yaml").read_text()
    text = re.sub(r"(?m)^version: .*$", "version: 7", text, count=1)
    text = re.sub(r"(?m)^agency: .*$", "agency: H42.99", text, count=1)
    for asked, why, mend in (
        ("en", "there is no agency H42.99", "name one of "),
        ("vi", "không có cơ quan H42.99", "nêu một trong "),
    ):
        headers = {"Hoso-Person": "p-control-01", "Accept-Language": asked}
        sent = await office.client.post("/v1/procedures", json={"text": text}, headers=headers)
        assert sent.status_code in {200, 201}, sent.text
        address_ = f"/v1/procedures/{sent.json()['code']}/versions/7/check"
        checked = await office.client.post(address_, headers=headers)
        assert checked.status_code == 200, checked.text
        found = {each["why"]: each["mend"] for each in checked.json()["findings"]}
        assert found[why].startswith(mend)
