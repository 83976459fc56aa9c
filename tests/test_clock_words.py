"""The trace in two languages: what is said, by which law, and that it sums to the minute."""

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from test_clock import ask, eventful, some_question

from states.clock import Calendar, Facts, Kind, Line, Policy, Reading, Term, Verdict, read
from states.clock.words import (
    GROUNDS,
    POLICIES,
    SENTENCES,
    TERMS,
    VERDICTS,
    Lang,
    moment,
    say,
    working_time,
)
from states.errors import BadInput

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
BRIDGE = "Làm bù cho 2/5 / Make-up day for 2 May (Thông báo 6150/TB-BLĐTBXH, 03/12/2024)"


def office(zone: str = "Asia/Ho_Chi_Minh", start: date = date(2025, 4, 1)) -> Calendar:
    """Ninety-one days; Saturday 26/4/2025 is worked for the bridge of Friday 2/5."""
    days = [start + timedelta(n) for n in range(91)]
    off = {date(2025, 5, 1): "Quốc tế Lao động / Labour Day", date(2025, 5, 2): "Nghỉ bù / Bridge"}
    worked = [day for day in days if day.weekday() < 5 and day not in off] + [date(2025, 4, 26)]
    hours = ((time(7, 30), time(11, 30)), (time(13), time(17)))
    sessions, notes = dict.fromkeys(sorted(worked), hours), off | {date(2025, 4, 26): BRIDGE}
    return Calendar("vn", "1", zone, sessions, days[0], days[-1], notes=notes)


OFFICE = office()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HANOI)


def reading(term: str, received: str, at: str = "2025-06-30", **facts) -> Reading:
    asked = Facts(local(received), **facts)
    return read(Term.parse(term), OFFICE, asked, Policy.day, local(at))


def said(lang: Lang, *args, **facts) -> list[str]:
    return say(reading(*args, **facts).trace, lang)


def prose(*sentences: str) -> list[str]:
    """The words, however they are broken into lines."""
    return " ".join(sentences).split()


def held(start: str, end: str | None) -> tuple:
    return (local(start), end and local(end))


def test_a_dossier_told_to_a_citizen() -> None:
    facts = dict(
        holds=(held("2025-04-22 10:00", "2025-04-24 09:00"),),
        extend=(Term.parse("2wd"),),
        finished=local("2025-05-05 10:00"),
    )
    assert prose(*said(Lang.en, "5wd", "2025-04-21 10:00", **facts)) == prose("""
        Received Monday 21 April 2025 10:00; term 5 working days, the day of receipt is not
        counted (Civil Code 2015 Art. 147); first promised for Saturday 26 April 2025 17:00; by
        calendar vn@1.
        Held from Tuesday 22 April 2025 10:00 to Thursday 24 April 2025 09:00: moves the due date
        by 2 working days (Decree 61/2018 Art. 17; by post: Decision 45/2016 Art. 7(4)).
        Extended by 2 working days (Decree 61/2018 Art. 19(9)).
        Due Monday 5 May 2025 17:00 (Civil Code 2015 Art. 148).
        Saturday 26 April 2025 is a working day: Make-up day for 2 May (Thông báo 6150/TB-BLĐTBXH,
        03/12/2024).
        Thursday 1 May 2025 is a day off: Labour Day.
        Friday 2 May 2025 is a day off: Bridge.
        From Monday 21 April 2025 10:00 to Tuesday 22 April 2025 10:00: counted 8 h 00.
        From Tuesday 22 April 2025 10:00 to Thursday 24 April 2025 09:00: held, not counted 15 h
        00 (Decree 61/2018 Art. 17; by post: Decision 45/2016 Art. 7(4)).
        From Thursday 24 April 2025 09:00 to Monday 5 May 2025 10:00: counted 49 h 00.
        Finished Monday 5 May 2025 10:00: on time (compared by date).
    """)
    assert prose(*said(Lang.vi, "5wd", "2025-04-21 10:00", **facts)) == prose("""
        Tiếp nhận 10:00 thứ Hai 21/04/2025; thời hạn 5 ngày làm việc, không tính ngày tiếp nhận
        (Điều 147 Bộ luật Dân sự 2015); hẹn trả lần đầu 17:00 thứ Bảy 26/04/2025; theo lịch vn@1.
        Tạm dừng từ 10:00 thứ Ba 22/04/2025 đến 09:00 thứ Năm 24/04/2025: ngày hẹn trả lùi 2 ngày
        làm việc (Điều 17 Nghị định 61/2018/NĐ-CP; qua bưu chính: khoản 4 Điều 7 Quyết định
        45/2016/QĐ-TTg).
        Gia hạn thêm 2 ngày làm việc (khoản 9 Điều 19 Nghị định 61/2018/NĐ-CP).
        Hẹn trả kết quả 17:00 thứ Hai 05/05/2025 (Điều 148 Bộ luật Dân sự 2015).
        Thứ Bảy 26/04/2025 là ngày làm việc: Làm bù cho 2/5 (Thông báo 6150/TB-BLĐTBXH,
        03/12/2024).
        Thứ Năm 01/05/2025 là ngày nghỉ: Quốc tế Lao động.
        Thứ Sáu 02/05/2025 là ngày nghỉ: Nghỉ bù.
        Từ 10:00 thứ Hai 21/04/2025 đến 10:00 thứ Ba 22/04/2025: tính 8 giờ 00.
        Từ 10:00 thứ Ba 22/04/2025 đến 09:00 thứ Năm 24/04/2025: tạm dừng, không tính 15 giờ 00
        (Điều 17 Nghị định 61/2018/NĐ-CP; qua bưu chính: khoản 4 Điều 7 Quyết định
        45/2016/QĐ-TTg).
        Từ 09:00 thứ Năm 24/04/2025 đến 10:00 thứ Hai 05/05/2025: tính 49 giờ 00.
        Kết thúc 10:00 thứ Hai 05/05/2025: đúng hạn (so theo ngày).
    """)


@pytest.mark.parametrize(
    ("term", "says"),
    [
        ("1wd", "term 1 working day, the day of receipt is not counted (Civil Code 2015 Art. 147)"),
        ("10cd", "term 10 days, the day of receipt is not counted (Civil Code 2015 Art. 147)"),
        ("8wh", "term 8 working hours, counted in working time from the minute of receipt (Civil"),
        ("2.5wd", "term 2.5 working days, counted in working time from the minute of receipt (Civ"),
        ("sameday", "received before 15:00, else the next working day (Law on Civil Status 60/2"),
        ("sameday@14:30", "if received before 14:30, else the next working day; first promised"),
        ("none", "Received Monday 5 May 2025 10:00; the procedure sets no term; by calendar vn@1."),
    ],
)
def test_each_kind_of_term_is_said(term, says) -> None:
    assert says in said(Lang.en, term, "2025-05-05 10:00")[0]


def test_vietnamese_writes_a_comma() -> None:
    assert "thời hạn 2,5 ngày làm việc" in said(Lang.vi, "2.5wd", "2025-05-05 10:00")[0]


@pytest.mark.parametrize(
    ("term", "hold", "says"),
    [
        ("5wd", ("2025-05-06 10:00", "2025-05-07 10:00"), "the due date by 1 working day ("),
        ("5cd", ("2025-05-06 10:00", "2025-05-09 10:00"), "moves the due date by 3 days ("),
        ("8wh", ("2025-05-05 14:00", "2025-05-05 15:35"), "by 1 h 35 of working time ("),
        ("5wd", ("2025-05-06 10:00", "2025-05-06 11:00"), "11:00: does not move the due date ("),
        ("none", ("2025-05-06 10:00", "2025-05-08 10:00"), "does not move the due date ("),
        ("sameday", ("2025-05-05 13:00", "2025-05-07 10:00"), "by 2 working days ("),
        ("1wd", ("2025-05-08 10:00", "2025-05-09 10:00"), "as lateness is not undone."),
        ("1wd", ("2025-05-08 10:00", None), "Held since Thursday 8 May 2025 10:00, after the due"),
        ("5wd", ("2025-05-06 10:00", None), "there is no due date until it ends ("),
    ],
)
def test_each_hold_says_what_it_did(term, hold, says) -> None:
    sentences = said(Lang.en, term, "2025-05-05 10:00", holds=(held(*hold),))
    assert says in sentences[1]
    promised = "until it ends" not in says and term != "none"
    assert any(each.startswith("Due ") for each in sentences) == promised


def test_an_hour_within_a_day_names_the_day_once() -> None:
    counted = said(Lang.en, "8wh", "2025-05-05 14:00", "2025-05-05 15:35")[-2]
    assert counted == "From Monday 5 May 2025 14:00 to 15:35: counted 1 h 35."
    counted = said(Lang.vi, "8wh", "2025-05-05 14:00", "2025-05-05 15:35")[-2]
    assert counted == "Từ 14:00 đến 15:35 thứ Hai 05/05/2025: tính 1 giờ 35."


def test_a_last_day_off_rolls_forward_and_says_so() -> None:
    sentences = said(Lang.en, "10cd", "2025-04-21 10:00")
    assert (
        "The last day, Thursday 1 May 2025, is a day off: the term ends on the next working day,"
        " Monday 5 May 2025 17:00 (Civil Code 2015 Art. 148)."
    ) in sentences
    assert not any("last day" in each for each in said(Lang.en, "7cd", "2025-04-21 10:00"))


def test_a_restart_says_what_no_longer_counts() -> None:
    restart = local("2025-05-07 10:00")
    sentences = said(Lang.en, "5wd", "2025-05-05 10:00", "2025-05-08 10:00", restart=restart)
    assert prose(*sentences[1:]) == prose("""
        The full dossier came Wednesday 7 May 2025 10:00: the term begins again from there (Decree
        61/2018 Art. 19(4)).
        Due Wednesday 14 May 2025 17:00 (Civil Code 2015 Art. 148).
        From Monday 5 May 2025 10:00 to Wednesday 7 May 2025 10:00: 16 h 00 before the term began
        again, not counted (Decree 61/2018 Art. 19(4)).
        From Wednesday 7 May 2025 10:00 to Thursday 8 May 2025 10:00: counted 8 h 00.
        As of Thursday 8 May 2025 10:00: not finished, within its term (compared by date).
    """)


def test_a_promise_taken_over_and_a_same_day_extension() -> None:
    more = dict(promised=local("2025-05-09 11:00"), extend=(Term.parse("sameday"),))
    sentences = said(Lang.en, "5wd", "2025-05-05 10:00", **more)
    assert "promised for Friday 9 May 2025 11:00, taken over as given" in sentences[0]
    assert sentences[1] == "Extended by a same-day term (Decree 61/2018 Art. 19(9))."


# The law ----------------------------------------------------------------------------------


def test_the_decree_told_is_the_one_in_force_at_receipt() -> None:
    for received, cited in (
        ("2025-06-30 10:00", " (Decree 61/2018 Art. 19(9))."),
        ("2025-07-01 10:00", " (Decree 118/2025, which replaced Decree 61/2018 Art. 19(9))."),
    ):
        at = local(received)
        trace = [Line("term", at, at, note="5wd vn@1"), Line("extended", at, at, note="2wd")]
        assert say(trace, Lang.en)[1] == "Extended by 2 working days" + cited
    assert "Nghị định 118/2025/NĐ-CP, thay thế khoản 9" in say(trace, Lang.vi)[1]


def test_no_law_of_viet_nam_is_told_abroad() -> None:
    facts = Facts(local("2025-05-05 10:00"), restart=local("2025-05-06 10:00"))
    abroad = read(Term.parse("5wd"), office("Europe/Amsterdam"), facts, Policy.day, facts.received)
    assert not re.search(r"Code|Decree|Decision|Law", " ".join(say(abroad.trace, Lang.en)))


def test_only_laws_on_file_are_cited() -> None:
    """Those of domain.md §1.2 to 1.4; no other article may slip in."""
    on_file = {
        "Civil Code 2015 Art. 147",
        "Civil Code 2015 Art. 148",
        "Decree 61/2018 Art. 19(4)",
        "Decree 61/2018 Art. 19(9)",
        "Decree 61/2018 Art. 17; by post: Decision 45/2016 Art. 7(4)",
        "Law on Civil Status 60/2014",
    }
    assert {english for _, english in GROUNDS.values()} == on_file
    for vietnamese, english in GROUNDS.values():
        numbers = [sorted(re.findall(r"\d+", words)) for words in (vietnamese, english)]
        assert numbers[0] == numbers[1]
    assert GROUNDS.keys() <= {*SENTENCES, *TERMS}


def test_every_word_has_both_languages() -> None:
    assert VERDICTS.keys() == set(Verdict)
    assert POLICIES.keys() == set(Policy)
    assert TERMS.keys() == set(Kind) - {Kind.promise, Kind.none}
    tables = [SENTENCES, TERMS, VERDICTS, POLICIES, GROUNDS]
    for vietnamese, english in (words for table in tables for words in table.values()):
        assert vietnamese
        assert english
        assert vietnamese != english
        fields = [sorted(re.findall(r"{\w+}", words)) for words in (vietnamese, english)]
        assert fields[0] == fields[1]


# Any trace --------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", Lang)
def test_any_trace_is_told_and_sums_to_the_minute(lang) -> None:
    rng, traces, rules = Random(8), [], set()
    for _ in range(400):
        on, question = some_question(rng)
        asked = eventful(rng, on, question)
        with suppress(BadInput):  # beyond the calendar; its sister tests say when
            traces.append(ask(on, asked).trace)
    assert len(traces) > 300
    for trace in traces:
        sentences = say(trace, lang)
        assert len(sentences) == len(trace)
        assert not any("{" in each or "None" in each for each in sentences)
        told = [
            re.findall(r"(\d+) (?:h|giờ) (\d\d)\b(?! (?:làm việc|of))", sentence)
            for sentence, line in zip(sentences, trace, strict=True)
            if line.rule in {"counted", "held", "restarted"}
        ]
        minutes = [int(hours) * 60 + int(rest) for ((hours, rest),) in told]
        assert sum(minutes) == sum(line.minutes for line in trace), str(trace)
        rules |= {line.rule for line in trace}
    assert rules >= {"term", "restart", "hold", "hold_open", "hold_too_late", "extended", "rolled"}
    assert rules >= {"due", "counted", "held", "restarted", "finished", "standing"}


@pytest.mark.parametrize(
    ("note", "vi", "en"),
    [
        (BRIDGE, "Làm bù cho 2/5 (Thông báo", "Make-up day for 2 May (Thông báo"),
        ("Tết / New Year (CV 6519 (gói 0.109))", "Tết (CV 6519 (gói", "New Year (CV 6519 (gói"),
        ("Tết (ước tính) / New Year (estimated)", "Tết (ước tính).", "New Year (estimated)."),
        ("Tết (bù) / Tet (again) (CV 1)", "Tết (bù) (CV 1).", "Tet (again) (CV 1)."),
        ("Ngày nghỉ", "Ngày nghỉ.", "Ngày nghỉ."),
    ],
)
def test_a_note_is_said_in_the_language_asked_with_its_source(note, vi, en) -> None:
    at = local("2025-05-05 00:00")
    trace = [Line("off", at, at, note=note)]
    assert f"là ngày nghỉ: {vi}" in say(trace, Lang.vi)[0]
    assert f"is a day off: {en}" in say(trace, Lang.en)[0]


def test_figures_as_people_write_them() -> None:
    assert working_time(-485, Lang.en) == "-8 h 05"
    assert working_time(0, Lang.vi) == "0 giờ 00"
    assert moment(local("2025-05-04 07:05"), Lang.vi) == "07:05 Chủ nhật 04/05/2025"
    assert say([], Lang.en) == []
