"""Templates, wording, quiet hours, backoff: all that is pure."""

import unicodedata
from datetime import datetime, time, timedelta
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from noticing import HANOI, MORNING, TEMPLATES, office
from pydantic import ValidationError

from states import yaml_files
from states.catalogue.templates import Languages, Quiet, Short, Template, Templates
from states.errors import BadFile
from states.lifecycle import moves
from states.notices.drafts import Drafting
from states.notices.facts import Concern, Fact, Past
from states.notices.quiet import FIRST, LONGEST, after, is_quiet, pause
from states.notices.rows import Way
from states.notices.wording import clean, cut, filled, plain
from states.words import Event, State

SAMPLE = (resources.files("config") / "sample" / "templates.yaml").read_text()


def said(text: str) -> Templates:
    document = yaml_files.parse("templates.yaml", text.encode())
    templates = yaml_files.validate(Templates, document)
    for path, expected in templates.faults():
        raise document.wrong(path, expected)
    return templates


def fact(**told: Any) -> Fact:
    known: dict[str, Any] = dict(
        id="entry/1/1",
        of_line=True,
        dossier_id=1,
        code="H42.14-240304-0001",
        agency="H42.03",
        unit="H42.03.02",
        counter="H42.14.01",
        person="p-sci-officer-21",
        procedure="1.003659",
        version=1,
        applicant="Nguyễn Thị Ánh",
        email="anh@example.vn",
        phone="0912345678",
        state=State.received,
        at=MORNING,
        received=MORNING,
        due=MORNING + timedelta(days=7),
        event=Event.receive,
        moved=frozenset({"state"}),
    )
    return Fact(**known | told)


def drafts(of: Fact, templates: Templates = TEMPLATES, at: datetime = MORNING) -> list[Any]:
    return list(Drafting(office(), templates, set(Way), (), at).of(of))


# Templates --------------------------------------------------------------------------------


def test_the_sample_has_no_fault() -> None:
    assert list(said(SAMPLE).faults()) == []


def test_the_sample_tells_every_change_of_state_by_mail() -> None:
    """Decree 224/2026/NĐ-CP Art. 15(1)(g): every change, with body, person and times."""
    for event in Event:
        for row in moves(event):
            if row.dest in {"=", row.source}:
                continue
            of = fact(event=event, state=State(row.dest))
            mails = [each for each in drafts(of) if each.way is Way.email]
            assert len(mails) == 1, (event, row.dest)
            assert mails[0].law
            for told in ("Sở Khoa học và Công nghệ", "Đỗ Đức Uyên", "08:00 04/03/2024"):
                assert told in mails[0].body


def test_both_languages() -> None:
    english = TEMPLATES.model_copy(update={"languages": Languages(citizen="en")})
    mail, sms, _ = drafts(fact(), english)
    assert "Department of Science and Technology" in mail.body
    assert "Dear Nguyễn Thị Ánh," in mail.body
    assert sms.body.startswith("Dossier H42.14-240304-0001: received 08:00 04/03/2024")
    asked = fact(event=Event.request_payment, state=State.awaiting_payment, amount=600_000)
    assert "600,000 VND" in drafts(asked, english)[0].body
    assert "600.000 đồng" in drafts(asked)[0].body


ONE = """
sms: {longest: 100}
quiet: {since: 21:00, until: 06:30}
templates:
  - code: received
    on: {events: [receive]}
    audience: citizen
    ways: [email, sms]
    subject: {vi: "Hồ sơ {code}", en: "Dossier {code}"}
    text: {vi: "Hẹn {due}.", en: "Due {due}."}
    short: {vi: "Hẹn {due}", en: "Due {due}"}
"""


@pytest.mark.parametrize(
    ("was", "is_", "place", "sentence"),
    [
        ('"Hẹn {due}."', '"Hẹn {duu}."', "text.vi", "has no {duu} to tell: there are agency"),
        ('"Hẹn {due}."', '"Hẹn {due."', "text.vi", "holds a brace that belongs to no placeholder"),
        ('"Hẹn {due}."', '"Hẹn {{due}}."', "text.vi", "holds a brace that belongs to no"),
        ('"Hẹn {due}."', '"Hẹn {due!r}."', "text.vi", "holds a brace that belongs to no"),
        ('"Hẹn {due}."', '"Hẹn {due.year}."', "text.vi", "holds a brace that belongs to no"),
        ('"Hẹn {due}."', '"Hẹn }."', "text.vi", "holds a brace that belongs to no placeholder"),
        ('"Due {due}."', '"Due."', "text.en", "leaves out {due}: the other language has it"),
        ('"Hẹn {due}"', '"Hẹn {why}"', "short.vi", "has no {why} to tell"),
        ('"Hồ sơ {code}"', '"Hồ sơ\\n{code}"', "subject.vi", "must be one line"),
        (
            '"Hẹn {due}"',
            f'"{"x" * 60} {{due}}"',
            "short.vi",
            "may have 50 characters beside",
        ),
        ("events: [receive]", "events: [eat]", "on.events.0", "must be one of"),
        ("{events: [receive]}", "{}", "on", "must name events, states or moved, or else what"),
        ("{events: [receive]}", "{moved: state, rules: [term-near]}", "on", "one of both"),
        ("events: [receive]", "what: [breach]", "audience", "must be staff"),
        ("audience: citizen", "audience: system", "audience", "must be one of"),
        ("[email, sms]", "[email, webhook, sms]", "ways.1", "must be one of"),
        ("[email, sms]", "[]", "ways", "must name at least one way, each once"),
        ("[email, sms]", "[sms, email, sms]", "ways", "must name at least one way, each once"),
        ("[email, sms]", "[email]", "short", "must be there if sms is one of the ways"),
        ("    short: {vi", "    sort: {vi", "sort", "is not a key known here"),
        ("[email, sms]", "[email, sms]\n    law: true", "ground", "must be there for what the law"),
        ("since: 21:00", "since: 06:30", "quiet.until", "must be another hour than since"),
        ("since: 21:00", "since: 9pm", "quiet.since", "must be an hour such as 21:00"),
        ("since: 21:00", "since: 24:00", "quiet.since", "must be an hour such as 21:00"),
        ("longest: 100", "longest: 10", "sms.longest", "must be at least 70"),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(
    was: str, is_: str, place: str, sentence: str
) -> None:
    assert list(said(ONE).faults()) == []
    assert ONE.count(was) == 1
    with pytest.raises(BadFile) as refusal:
        said(ONE.replace(was, is_))
    assert place in str(refusal.value)
    assert sentence in str(refusal.value)


def test_what_the_law_prescribes_is_told_in_full() -> None:
    ground = "{document: 224/2026/NĐ-CP, verified: true}"
    text = ONE.replace("[email, sms]", f"[email, sms]\n    law: true\n    ground: {ground}")
    with pytest.raises(BadFile, match=r"text\.vi: must tell \{code\}: the law prescribes it"):
        said(text)


def test_one_that_is_never_reached_is_refused() -> None:
    again = ONE.split("templates:\n")[1].replace("code: received", "code: again")
    with pytest.raises(BadFile, match=r"templates\.1\.ways: is never reached by email"):
        said(ONE + again)


def test_the_first_that_fits_is_taken() -> None:
    moved = fact(event=Event.extend, state=State.processing, moved=frozenset({"promise"}))
    assert {each.template for each in drafts(moved)} == {"extended"}
    moved = fact(event=Event.recompute, state=State.processing, moved=frozenset({"promise"}))
    assert {each.template for each in drafts(moved)} == {"calendar-corrected"}
    still = fact(event=Event.advance, state=State.processing, moved=frozenset())
    assert drafts(still) == []


# Words ------------------------------------------------------------------------------------

ANY = st.text(st.characters(codec="utf-8"), max_size=300)
TURNING = {*map(chr, range(32)), "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066"} - {"\n"}


@given(ANY)
def test_no_value_makes_a_line_a_header_or_a_placeholder(text: str) -> None:
    for each in drafts(fact(applicant=text, reason=text, code="{due}")):
        assert not set(each.subject) & TURNING
        assert "\n" not in each.subject
        assert not set(each.body) & TURNING
        assert len(each.body.splitlines()) <= 6  # those of the template
        assert "{due}" in each.subject + each.body  # a value is not looked at again


@given(ANY, st.integers(1, 80))
def test_cleaned_text_is_one_visible_line(text: str, longest: int) -> None:
    shown = clean(text, longest)
    assert len(shown) <= longest
    assert not any(unicodedata.category(each) in {"Cc", "Zl", "Zp", "Cs"} for each in shown)
    assert not set(shown) & {"\u202e", "\u2066", "\ufeff", "\u200f"}
    assert shown == shown.strip()


def test_names_of_everybody_come_through() -> None:
    for name in ("Nguyễn Thị Ánh", "שלום", "محمد", "Y Bhĭt Niê", "Zoë Ærø", "李明", "O'Neil <x>"):
        assert clean(name) == name
    assert clean("Nguyê\u0303n") == "Nguyễn"
    assert clean("a\r\nBcc: b@c.vn") == "a Bcc: b@c.vn"
    assert clean("\u202eevil\u202c") == "evil"


def test_nothing_is_cut_in_the_middle_of_a_letter() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 5) == "abcd…"
    assert cut("abcx\u0323\u0302def", 6) == "abc…"
    assert len(cut("x" * 1000, 160)) == 160


def test_without_accents() -> None:
    assert plain("Đã tiếp nhận, hẹn trả kết quả") == "Da tiep nhan, hen tra ket qua"
    short = TEMPLATES.model_copy(update={"sms": Short(accents=False, longest=160)})
    sms = next(each for each in drafts(fact(), short) if each.way is Way.sms)
    assert sms.body.isascii()


@given(st.text(max_size=3000))
def test_an_sms_is_no_longer_than_it_may_be(reason: str) -> None:
    asked = fact(event=Event.request_supplement, state=State.awaiting_supplement, reason=reason)
    sms = next(each for each in drafts(asked) if each.way is Way.sms)
    assert len(sms.body) <= TEMPLATES.sms.longest
    assert sms.body.startswith("Hồ sơ H42.14-240304-0001: cần bổ sung trước")


@given(st.dictionaries(st.sampled_from(["code", "due"]), ANY, min_size=2))
def test_filling_is_one_pass(values: dict[str, str]) -> None:
    assert filled("{code} {due}", values) == f"{values['code']} {values['due']}"


# Who --------------------------------------------------------------------------------------


def test_two_roles_of_one_person_are_one_message() -> None:
    twice = [Concern("p-sci-lead-02", "H42.03.02", "leader", why) for why in ("one", "two")]
    of = fact(of_line=False, event=None, what="breach", rule="term-late", concerns=twice)
    assert [each.way for each in drafts(of)] == [Way.email, Way.sms, Way.chat]


def test_past_promises_are_those_before() -> None:
    past = Past([(1, "a"), (6, "b")], [(3, "U1", "p"), (5, "U2", None)])
    assert [past.promise(seq) for seq in (0, 1, 5, 6)] == [None, "a", "a", "b"]
    assert [past.visit(seq) for seq in (2, 3, 9)] == [None, ("U1", "p"), ("U2", None)]


# Time -------------------------------------------------------------------------------------

HOUR = st.times().map(lambda each: each.replace(second=0, microsecond=0, tzinfo=None))
MOMENT = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
    lambda at: at.replace(tzinfo=HANOI)
)


@given(HOUR, HOUR, MOMENT)
def test_after_the_quiet_it_is_not_quiet(since: time, until: time, at: datetime) -> None:
    if since == until:
        return
    quiet = Quiet(since=since, until=until)
    later = after(quiet, at, HANOI)
    assert at <= later < at + timedelta(days=1)
    assert not is_quiet(quiet, later, HANOI)
    if not is_quiet(quiet, at, HANOI):
        assert later == at
    else:
        assert later.astimezone(HANOI).time() == until


def test_quiet_past_midnight() -> None:
    night = Quiet(since=time(21), until=time(6, 30))
    hours = [MORNING.replace(hour=hour) for hour in range(24)]
    assert [at.hour for at in hours if is_quiet(night, at, HANOI)] == [*range(7), 21, 22, 23]
    assert not is_quiet(None, MORNING, HANOI)


@given(st.integers(1, 2**60), st.integers(1, 200))
def test_pauses_grow_and_are_the_same_for_whoever_looks(number: int, tries: int) -> None:
    wait = pause(number, tries)
    assert wait == pause(number, tries)
    assert FIRST * 0.75 <= wait <= LONGEST * 1.25
    assert pause(number, tries + 2) > wait or wait > LONGEST * 0.7


def test_pauses_are_not_all_the_same() -> None:
    assert len({pause(number, 1) for number in range(100)}) > 90


def test_a_template_is_closed() -> None:
    with pytest.raises(ValidationError):
        Template.model_validate({"code": "x"})
