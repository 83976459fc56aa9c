"""A calendar's text edited: the day is decided, and everything else stays byte for byte."""

import codecs
from dataclasses import replace
from datetime import date, time, timedelta
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from states import calendars
from states.calendars import Override
from states.calendars.editing import with_exception, without_exception
from states.errors import BadFile, BadInput

VN = (resources.files("config") / "sample" / "calendars" / "vn.yaml").read_bytes()
STORM = Override(
    works=False,
    vi="Nghỉ tránh bão số 5",
    en="Closed for storm no. 5",
    source="Công điện 1/CĐ-UBND",
    issued=date(2026, 9, 9),
    recorded=date(2026, 9, 10),
)
DAY = date(2026, 9, 11)

# Texts and exceptions -----------------------------------------------------------------------

HEAD = ["# đầu lịch", "name: x", "title: {vi: Lịch, en: Calendar}", "zone: Asia/Ho_Chi_Minh"]
BODY = [
    ["reach: {from: 2026, to: 2027}  # two years"],
    ["standard_day: 480"],
    ["weekly:", "  monday: [07:30-11:30]", "  # half a day", "  friday: ", "  - 07:30-11:30"],
    ["", "# seasons: none", "holidays: 'VN'"],
]  # fmt: skip
LIST = """\
overrides:@
  # 2026
  - date: 2026-01-02
    day: off  # by the State
    reason: {vi: Hoán đổi, en: "Swapped: #1"}
    source: >-
      Công văn 12729
      /VPCP

    verified: true

  # a Saturday
  - verified: false
    date: 2026-01-10
    # inside
    day: work
    reason:
      vi: |
        Làm bù

      en: Make-up day
    source: Công văn 12729
  - {date: 2026-02-02, day: off, reason: {vi: a, en: b}, source: c, verified: true}
  # what comes after the last"""
FORMS = {
    "absent": "",
    "listed": LIST.replace("@", ""),
    "noted": LIST.replace("@", "  # decisions"),
    "flat": LIST.replace("@", "").replace("\n  ", "\n"),
    "wide": LIST.replace("@", "").replace("  - ", "  -   ").replace("\n    ", "\n      "),
    "apart": LIST.replace("@", "").replace("  - date", "  - # dash alone\n    date"),
}


@st.composite
def texts(draw, forms=tuple(FORMS)):
    """The same calendar in many hands."""
    parts = [*draw(st.permutations(BODY)), FORMS[draw(st.sampled_from(forms))].splitlines()]
    parts.insert(draw(st.integers(0, len(parts) - 1)), parts.pop())
    blank = draw(st.lists(st.sampled_from(["", "", "# lời bàn", "  # thụt vào"]), max_size=3))
    lines = ["---", *HEAD] if draw(st.booleans()) else HEAD
    lines = [*lines, *(line for part in parts for line in part), *blank]
    lines += draw(st.sampled_from([[], [], ["..."], ["# end"], ["", "", "# the end"]]))
    line_break = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = line_break.join(lines) + draw(st.sampled_from([line_break, ""]))
    return draw(st.sampled_from([b"", b"", codecs.BOM_UTF8])) + text.encode()


UNSEEN = [chr(n) for n in range(32) if n != 10] + ["\x7f"]
words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=UNSEEN), min_size=1, max_size=12
)
tricky = st.sampled_from(
    ["#", "- a: b", '"', "\\", "'", "{a}", "yes", "1", "a\u2028b\x85", "😀 ", "\n"]
)
hours = st.lists(st.integers(0, 1439), unique=True, max_size=6).map(
    lambda edges: tuple(
        (time(*divmod(a, 60)), time(*divmod(b, 60)))
        for n, (a, b) in enumerate(pairwise(sorted(edges)))
        if n % 2 == 0
    )
)
exceptions = st.builds(
    Override,
    works=st.booleans(),
    vi=words | tricky,
    en=words | tricky,
    source=words | tricky,
    issued=st.none() | st.dates(date(2020, 1, 1), date(2024, 1, 1)),
    verified=st.booleans(),
    replaces=st.none() | st.sampled_from([date(2026, 3, 2), date(2026, 3, 6)]),
    sessions=hours,
    recorded=st.none() | st.dates(date(2024, 1, 1), date(2028, 1, 1)),
).map(lambda each: each if each.works else replace(each, replaces=None, sessions=()))
free_days = st.dates(date(2026, 3, 1), date(2027, 12, 31))


# The properties -----------------------------------------------------------------------------


@settings(max_examples=40)
@given(texts(), free_days, exceptions)
def test_what_is_put_in_and_taken_out_again_leaves_no_trace(raw, day, exception):
    was = calendars.parse(raw)
    edited = with_exception(raw, day, exception)
    assert calendars.parse(edited) == replace(was, overrides={**was.overrides, day: exception})
    assert without_exception(edited, day) == raw


@settings(max_examples=40)
@given(texts(), free_days, exceptions)
def test_only_lines_are_added_and_they_adjoin(raw, day, exception):
    lines, edited = (text.splitlines() for text in (raw, with_exception(raw, day, exception)))
    same = next(
        (n for n, (a, b) in enumerate(zip(lines, edited, strict=False)) if a != b), len(lines)
    )
    more = len(edited) - len(lines)
    assert more > 0
    assert edited[:same] + edited[same + more :] == lines


@settings(max_examples=40)
@given(texts(), st.lists(free_days, min_size=2, max_size=4, unique=True), exceptions, st.randoms())
def test_the_order_of_withdrawing_does_not_matter(raw, days, exception, random):
    edited = raw
    for day in days:
        edited = with_exception(edited, day, exception)
    assert list(calendars.parse(edited).overrides)[-len(days) :] == days
    random.shuffle(days)
    for day in days:
        edited = without_exception(edited, day)
    assert edited == raw


@settings(max_examples=40)
@given(texts(), free_days, exceptions, exceptions)
def test_a_decision_overruled_is_as_if_it_never_was(raw, day, first, second):
    decided = with_exception(raw, day, first)
    with pytest.raises(BadInput, match="decided already"):
        with_exception(decided, day, second)
    assert with_exception(decided, day, second, overrule=True) == with_exception(raw, day, second)


def comments(raw):
    lines = [line.strip() for line in raw.decode().splitlines()]
    return [line for line in lines if line.startswith("#")]


@settings(max_examples=40)
@given(texts([form for form in FORMS if form != "absent"]), st.data())
def test_any_decision_can_be_withdrawn_or_overruled(raw, data):
    was = calendars.parse(raw)
    day = data.draw(st.sampled_from(sorted(was.overrides)))
    edited = without_exception(raw, day)
    assert calendars.parse(edited).overrides == {
        each: said for each, said in was.overrides.items() if each != day
    }
    inside = day == date(2026, 1, 10)  # between the keys of that decision, and gone with it
    assert comments(edited) == [
        line for line in comments(raw) if not (inside and line == "# inside")
    ]
    anew = with_exception(raw, day, STORM, overrule=True)
    assert list(calendars.parse(anew).overrides) == list(was.overrides)


# By hand ------------------------------------------------------------------------------------


def test_the_sample_s_style_is_kept():
    edited = with_exception(VN, DAY, STORM).decode()
    assert edited == VN.decode() + (
        "  - date: 2026-09-11\n"
        "    day: off\n"
        '    reason: {vi: "Nghỉ tránh bão số 5", en: "Closed for storm no. 5"}\n'
        '    source: "Công điện 1/CĐ-UBND"\n'
        "    issued: 2026-09-09\n"
        "    recorded: 2026-09-10\n"
        "    verified: false\n"
    )


def small(end=""):
    return f"""\
name: x
title: {{vi: Lịch, en: Calendar}}
zone: Asia/Ho_Chi_Minh
reach: {{from: 2026, to: 2026}}
standard_day: 480
weekly: {{monday: [07:30-11:30]}}
{end}""".encode()


ITEM = """\
  - date: 2026-09-11
    day: off
    reason: {vi: "Nghỉ tránh bão số 5", en: "Closed for storm no. 5"}
    source: "Công điện 1/CĐ-UBND"
    issued: 2026-09-09
    recorded: 2026-09-10
    verified: false
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"overrides:\n{ITEM}"),
        ("# the end\n", f"# the end\noverrides:\n{ITEM}"),
        ("# the end", f"# the end\noverrides:\n{ITEM[:-1]}"),
        ("# the end\n...\n", f"# the end\noverrides:\n{ITEM}...\n"),
        ("...\n", f"overrides:\n{ITEM}...\n"),
        ("overrides: []  # none yet\n", f"overrides:  # none yet\n{ITEM}"),
        ("overrides: []\nholidays: VN\n", f"overrides:\n{ITEM}holidays: VN\n"),
    ],
)
def test_where_nothing_is_decided_yet(before, after):
    edited = with_exception(small(before), DAY, STORM)
    assert edited == small(after)


def test_the_last_decision_goes_with_its_key_unless_a_comment_hangs_on_it():
    for after, before in (
        (f"overrides:\n{ITEM}# end\n", "# end\n"),
        (f"overrides: # ours\n{ITEM}", "overrides: [] # ours\n"),
        (f"overrides:\n  # 2026\n{ITEM}", "overrides: []\n  # 2026\n"),
    ):
        assert without_exception(small(after), DAY) == small(before)


def test_a_next_key_s_comment_stays_with_it():
    holidays = "\n# the country\nholidays: VN\n"
    flat = "overrides:\n" + ITEM.replace("\n  ", "\n")[2:] + holidays[1:]
    edited = with_exception(small(flat), DAY + timedelta(days=1), STORM)
    assert edited.decode().endswith("verified: false\n# the country\nholidays: VN\n")


def test_an_heir_s_text_is_edited_as_any_other():
    heir = b"name: x\ntitle: {vi: a, en: b}\ninherits: vn\n"
    edited = with_exception(heir, DAY, STORM)
    assert calendars.parse(edited, "x").overrides == {DAY: STORM}
    assert without_exception(edited, DAY) == heir


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{name: x, title: {vi: a, en: b}, inherits: vn}", "the calendar stands in brackets on"),
        (small("overrides: [\n]\n"), "'overrides' stands in brackets on line 7"),
        (small("overrides: [{date: 2026-02-02, day: off, reason: {vi: a, en: b}, source: c,"
               " verified: true}]\n"), "'overrides' stands in brackets on line 7"),
        (small("? overrides\n: - {date: 2026-02-02, day: off, reason: {vi: a, en: b}, source: c,"
               " verified: true}\n"), "'overrides' stands behind"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_edited_by_lines_is_refused(text, says):
    calendars.parse(text)
    with pytest.raises(BadInput, match=says):
        with_exception(text, DAY, STORM)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vi": ""}, "reason.vi: must be text"),
        ({"source": "a\tb"}, "control character"),
        ({"en": "\ud800"}, "is not YAML"),
        ({"recorded": date(2026, 9, 8)}, "recorded: must not lie before 'issued'"),
        ({"sessions": ((time(8), time(9)),)}, "sessions: is for a day that works"),
        ({"works": True, "replaces": date(2026, 9, 9)}, "no hours on a Wednesday"),
        ({"works": True, "sessions": ((time(9), time(8)),)}, "must begin before it ends"),
    ],
)
def test_what_no_calendar_may_say_is_refused(change, says):
    with pytest.raises(BadFile, match=says):
        with_exception(small(), DAY, replace(STORM, **change))


def test_a_day_beyond_the_reach_is_refused():
    with pytest.raises(BadFile, match=r"overrides\.0\.date: must lie between 2026-01-01 and"):
        with_exception(small(), date(2027, 1, 4), STORM)


def test_only_what_is_decided_can_be_withdrawn():
    with pytest.raises(BadInput, match="2026-09-11 is not decided in calendar vn"):
        without_exception(VN, DAY)


def test_a_text_that_is_wrong_already_says_where():
    with pytest.raises(BadFile, match="line 4, column 1, reech"):
        with_exception(small().replace(b"reach", b"reech"), DAY, STORM)
