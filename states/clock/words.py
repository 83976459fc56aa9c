"""A trace in words, as a clerk reads it to a citizen: a sentence a line, with its legal ground.

Entries of the ledger keep traces for ever, so a rule once told stays in these tables.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum, auto

from states.clock.facts import Line, Policy, Verdict
from states.clock.term import CUT_OFF, Kind, Term


class Lang(StrEnum):
    """A language people are answered in; each pair of words below is in this order."""

    vi = auto()
    en = auto()


Words = tuple[str, str]

# {law} is the ground below, in brackets. A term is said by its kind.
TERMS: dict[Kind, Words] = {
    Kind.days: (
        "thời hạn {amount}, không tính ngày tiếp nhận{law}",
        "term {amount}, the day of receipt is not counted{law}",
    ),
    Kind.calendar: (
        "thời hạn {amount}, không tính ngày tiếp nhận{law}",
        "term {amount}, the day of receipt is not counted{law}",
    ),
    Kind.minutes: (
        "thời hạn {amount}, tính theo giờ làm việc từ lúc tiếp nhận{law}",
        "term {amount}, counted in working time from the minute of receipt{law}",
    ),
    Kind.sameday: (
        "trả kết quả trong ngày nếu nhận trước {cut_off}, nếu không thì ngày làm việc sau{law}",
        "due the same day if received before {cut_off}, else the next working day{law}",
    ),
}
SENTENCES: dict[str, Words] = {
    "term": (
        "tiếp nhận {start}; {term}; hẹn trả lần đầu {end}; theo lịch {calendar}",
        "received {start}; {term}; first promised for {end}; by calendar {calendar}",
    ),
    "no_term": (
        "tiếp nhận {start}; thủ tục không quy định thời hạn; theo lịch {calendar}",
        "received {start}; the procedure sets no term; by calendar {calendar}",
    ),
    "promised": (
        "tiếp nhận {start}; ngày hẹn trả {end} được lấy từ hệ thống trước; theo lịch {calendar}",
        "received {start}; promised for {end}, taken over as given; by calendar {calendar}",
    ),
    "restart": (
        "nhận đủ hồ sơ {start}: thời hạn được tính lại từ đầu{law}",
        "the full dossier came {start}: the term begins again from there{law}",
    ),
    "hold": (
        "tạm dừng {span}: ngày hẹn trả lùi {amount}{law}",
        "held {span}: moves the due date by {amount}{law}",
    ),
    "hold_still": (
        "tạm dừng {span}: không làm thay đổi ngày hẹn trả{law}",
        "held {span}: does not move the due date{law}",
    ),
    "hold_open": (
        "tạm dừng từ {start}: chưa có ngày hẹn trả cho đến khi tiếp tục{law}",
        "held since {start}: there is no due date until it ends{law}",
    ),
    "hold_too_late": (
        "tạm dừng từ {start}, sau khi đã quá hạn: không làm thay đổi ngày hẹn trả",
        "held since {start}, after the due moment: moves nothing, as lateness is not undone",
    ),
    "extended": ("gia hạn thêm {amount}{law}", "extended by {amount}{law}"),
    "rolled": (
        "ngày cuối {day} là ngày nghỉ: thời hạn kết thúc vào ngày làm việc tiếp theo, {end}{law}",
        "the last day, {day}, is a day off: the term ends on the next working day, {end}{law}",
    ),
    "due": ("hẹn trả kết quả {start}{law}", "due {start}{law}"),
    "works": ("{day} là ngày làm việc: {note}", "{day} is a working day: {note}"),
    "off": ("{day} là ngày nghỉ: {note}", "{day} is a day off: {note}"),
    "restarted": (
        "{span}: {time} trước khi tính lại từ đầu, không tính{law}",
        "{span}: {time} before the term began again, not counted{law}",
    ),
    "held": ("{span}: tạm dừng, không tính {time}{law}", "{span}: held, not counted {time}{law}"),
    "counted": ("{span}: tính {time}", "{span}: counted {time}"),
    "finished": ("kết thúc {start}: {standing}", "finished {start}: {standing}"),
    "standing": ("tính đến {start}: {standing}", "as of {start}: {standing}"),
}

TERM_BEGINS = ("Điều 147 Bộ luật Dân sự 2015", "Civil Code 2015 Art. 147")
TERM_ENDS = ("Điều 148 Bộ luật Dân sự 2015", "Civil Code 2015 Art. 148")
FULL_DOSSIER = ("khoản 4 Điều 19 Nghị định 61/2018/NĐ-CP", "Decree 61/2018 Art. 19(4)")
NEW_DATE = ("khoản 9 Điều 19 Nghị định 61/2018/NĐ-CP", "Decree 61/2018 Art. 19(9)")
SUPPLEMENT = (
    "Điều 17 Nghị định 61/2018/NĐ-CP; qua bưu chính: khoản 4 Điều 7 Quyết định 45/2016/QĐ-TTg",
    "Decree 61/2018 Art. 17; by post: Decision 45/2016 Art. 7(4)",
)
CIVIL_STATUS = ("Luật Hộ tịch 60/2014", "Law on Civil Status 60/2014")

# The legal ground of each rule; a rule that is not here tells a fact, not a norm.
GROUNDS: dict[str, Words] = {
    Kind.days: TERM_BEGINS,
    Kind.calendar: TERM_BEGINS,
    Kind.minutes: TERM_BEGINS,
    Kind.sameday: CIVIL_STATUS,
    "restart": FULL_DOSSIER,
    "restarted": FULL_DOSSIER,
    "hold": SUPPLEMENT,
    "hold_still": SUPPLEMENT,
    "hold_open": SUPPLEMENT,
    "held": SUPPLEMENT,
    "extended": NEW_DATE,
    "rolled": TERM_ENDS,
    "due": TERM_ENDS,
}
# Decree 61/2018 ended on 1 July 2025. Its successor's articles were not read: none is named.
REPLACED, REPLACED_ON = "61/2018", date(2025, 7, 1)
SUCCESSOR = ("Nghị định 118/2025/NĐ-CP, thay thế {}", "Decree 118/2025, which replaced {}")
VIETNAM = timedelta(hours=7)  # no ground is told where the calendar keeps another country's time

VERDICTS: dict[Verdict, Words] = {
    Verdict.early: ("trước hạn", "early"),
    Verdict.on_time: ("đúng hạn", "on time"),
    Verdict.late: ("quá hạn", "late"),
    Verdict.open: ("chưa xong, còn trong hạn", "not finished, within its term"),
    Verdict.overdue: ("chưa xong, đã quá hạn", "not finished, overdue"),
    Verdict.held: ("đang tạm dừng", "held"),
    Verdict.no_term: ("không quy định thời hạn", "no term"),
}
POLICIES: dict[Policy, Words] = {
    Policy.day: ("so theo ngày", "compared by date"),
    Policy.session: ("so theo buổi làm việc", "compared by half-day session"),
    Policy.instant: ("so theo phút", "compared to the minute"),
}
UNITS: dict[str, tuple[Words, Words]] = {  # one, more
    "wd": (("ngày làm việc", "working day"), ("ngày làm việc", "working days")),
    "cd": (("ngày", "day"), ("ngày", "days")),
    "wh": (("giờ làm việc", "working hour"), ("giờ làm việc", "working hours")),
}
UNMOVED = frozenset(("", "0wd", "0cd", "0m"))  # notes of holds that moved nothing
WEEKDAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
# How `states.calendars` notes a day: "vi / en (source)", where the reasons may end in brackets too.
NOTE = re.compile(r"(?P<vi>.+?) / (?P<en>.+?)(?P<source> \((?:[^()]|\([^()]*\))*\))?", re.DOTALL)


def say(trace: Iterable[Line], lang: Lang) -> list[str]:
    """The lines of one whole trace as sentences, in their order. The first line is the receipt,
    whose date says which decree was in force.
    """
    lines = list(trace)
    return [_sentence(line, lines[0].start, lang) for line in lines]


def working_time(minutes: int, lang: Lang) -> str:
    """`8 h 05`; negative past the due moment."""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else ''}{hours} {_in(('giờ', 'h'), lang)} {rest:02}"


def length(term: Term, lang: Lang) -> str:
    """`5 working days`."""
    if term.kind is Kind.none:
        return _in(("không quy định thời hạn", "no term"), lang)
    if term.kind is Kind.sameday:
        return _in(("trong ngày", "the same day"), lang)
    return _amount(str(term), lang)


def moment(at: datetime, lang: Lang) -> str:
    """`Monday 21 April 2025 10:00`."""
    clock = f"{at:%H:%M}"
    return f"{clock} {_day(at, lang)}" if lang is Lang.vi else f"{_day(at, lang)} {clock}"


def ground(line: Line, received: datetime, lang: Lang) -> str | None:
    """The norm behind a line: decree and article. None: a fact, or the procedure's own word."""
    rule = line.rule
    if rule == "term":
        term = Term.parse(line.note.partition(" ")[0])
        rule = term.kind if _lawful(term) else ""
    elif rule == "hold" and line.note in UNMOVED:
        rule = "hold_still"
    return _law(rule, received, lang)[2:-1] or None


def _sentence(line: Line, received: datetime, lang: Lang) -> str:
    rule, fields = line.rule, dict[str, str]()
    if rule in {"term", "promised"}:
        term, _, fields["calendar"] = line.note.partition(" ")
        if rule == "term" and term == "none":
            rule = "no_term"
        elif rule == "term":
            fields["term"] = _term(Term.parse(term), received, lang)
    elif rule in {"hold", "extended"}:
        rule = "hold_still" if line.note in UNMOVED else rule
        fields["amount"] = _amount(line.note, lang)
    elif rule in {"finished", "standing"}:
        verdict, _, policy = line.note.partition(" ")
        fields["standing"] = standing(Verdict(verdict), Policy(policy), lang)
    text = _in(SENTENCES[rule], lang).format(
        start=moment(line.start, lang),
        end=moment(line.end, lang),
        day=_day(line.start, lang),
        span=_span(line.start, line.end, lang),
        time=working_time(line.minutes, lang),
        note=_note(line.note, lang),
        law=_law(rule, received, lang),
        **fields,
    )
    return f"{text[0].upper()}{text[1:]}."


def _term(term: Term, received: datetime, lang: Lang) -> str:
    """The term's phrase. The law knows one cut-off; another is the procedure's own."""
    hour, minute = divmod(term.cut_off, 60)
    return _in(TERMS[term.kind], lang).format(
        amount=_amount(str(term), lang),
        cut_off=f"{hour:02}:{minute:02}",
        law=_law(term.kind, received, lang) if _lawful(term) else "",
    )


def _lawful(term: Term) -> bool:
    return term.kind is not Kind.sameday or term.cut_off == CUT_OFF


def standing(verdict: Verdict, policy: Policy, lang: Lang) -> str:
    """A verdict in words, with the policy where one was applied."""
    words = _in(VERDICTS[verdict], lang)
    compared = verdict not in {Verdict.held, Verdict.no_term}
    return f"{words} ({_in(POLICIES[policy], lang)})" if compared else words


def _law(rule: str, received: datetime, lang: Lang) -> str:
    if rule not in GROUNDS or received.utcoffset() != VIETNAM:
        return ""
    ground = _in(GROUNDS[rule], lang)
    if REPLACED in ground and received.date() >= REPLACED_ON:
        ground = _in(SUCCESSOR, lang).format(ground)
    return f" ({ground})"


def _in(words: Words, lang: Lang) -> str:
    return words[lang is Lang.en]


def _day(at: datetime, lang: Lang) -> str:
    if lang is Lang.vi:
        return f"{WEEKDAYS[at.weekday()]} {at:%d/%m/%Y}"
    return f"{at:%A} {at.day} {at:%B} {at.year}"


def _span(start: datetime, end: datetime, lang: Lang) -> str:
    begins, ends = moment(start, lang), moment(end, lang)
    if start.date() == end.date():
        begins, ends = (f"{start:%H:%M}", ends) if lang is Lang.vi else (begins, f"{end:%H:%M}")
    return f"từ {begins} đến {ends}" if lang is Lang.vi else f"from {begins} to {ends}"


def _amount(written: str, lang: Lang) -> str:
    """`5wd` and the like in words; a same-day term as an extension; minutes as 95m."""
    number, unit = written.rstrip("wdchm"), written.lstrip("0123456789.")
    if unit == "m":
        return working_time(int(number), lang) + _in((" làm việc", " of working time"), lang)
    if unit not in UNITS:
        return _in(("một thời hạn trong ngày", "a same-day term"), lang)
    decimal = number.replace(".", ",") if lang is Lang.vi else number
    return f"{decimal} {_in(UNITS[unit][number != '1'], lang)}"


def _note(note: str, lang: Lang) -> str:
    if not (found := NOTE.fullmatch(note)):
        return note
    vi, en, source = found["vi"], found["en"], found["source"] or ""
    if vi.endswith(")") and not en.endswith(")"):  # the brackets are the reason's own
        en, source = en + source, ""
    return _in((vi, en), lang) + source
