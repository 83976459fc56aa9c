"""The clock by hand: verdicts at their turning points, published dates, refused questions."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from states.clock import Calendar, Facts, Policy, Reading, Term, Verdict, read
from states.errors import BadInput

DUE_DATES = Path(__file__).parents[2] / "shared/data/due_dates.csv"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))


def spring() -> Calendar:
    """An office from April to June 2025; Saturday 26/4 is worked for the bridge of 2/5."""
    first, off = date(2025, 4, 1), {date(2025, 4, 30), date(2025, 5, 1), date(2025, 5, 2)}
    days = [first + timedelta(n) for n in range(91)]
    open_days = [day for day in days if day.weekday() < 5 and day not in off] + [date(2025, 4, 26)]
    hours = ((time(7, 30), time(11, 30)), (time(13), time(17)))
    zone = "Asia/Ho_Chi_Minh"
    return Calendar("spring", "1", zone, dict.fromkeys(sorted(open_days), hours), first, days[-1])


SPRING = spring()


def simple(term: str, received: str, at: str = "2025-06-30", policy=Policy.day, **facts) -> Reading:
    return read(Term.parse(term), SPRING, Facts(local(received), **facts), policy, local(at))


@pytest.mark.parametrize(
    ("term", "received", "due"),
    [
        ("5wd", "2025-04-21 10:00", "2025-04-26 17:00"),  # the make-up Saturday is the due day
        ("1wd", "2025-04-25 23:59", "2025-04-26 17:00"),
        ("1wd", "2025-04-27 08:00", "2025-04-28 17:00"),  # received on a Sunday
        ("3wd", "2025-04-28 16:59", "2025-05-06 17:00"),  # over the long weekend
        ("2cd", "2025-04-28 10:00", "2025-05-05 17:00"),  # falls on 30/4, rolls over the weekend
        ("1cd", "2025-04-25 10:00", "2025-04-26 17:00"),
        ("8wh", "2025-05-05 10:00", "2025-05-06 10:00"),
        ("2wh", "2025-05-05 09:30", "2025-05-05 11:30"),  # the end of a session, not the next one
        ("2wh", "2025-05-05 12:15", "2025-05-05 15:00"),  # received at lunch
        ("0.5wd", "2025-04-29 22:00", "2025-05-05 11:30"),
        ("2.5wd", "2025-05-09 13:00", "2025-05-13 17:00"),
        ("sameday", "2025-05-05 14:59", "2025-05-05 17:00"),
        ("sameday", "2025-05-05 15:00", "2025-05-06 17:00"),
        ("sameday", "2025-05-03 09:00", "2025-05-05 17:00"),
        ("sameday@16:30", "2025-05-09 16:29", "2025-05-09 17:00"),
        ("sameday@23:00", "2025-05-09 17:00", "2025-05-12 17:00"),  # nobody is there any more
    ],
)
def test_terms(term, received, due) -> None:
    reading = simple(term, received)
    assert (reading.due, reading.due_original) == (local(due), local(due))


@pytest.mark.parametrize(
    ("policy", "early", "first", "last", "late"),
    [
        (Policy.day, "11 23:59", "12 00:00", "12 23:59", "13 00:00"),
        (Policy.session, "12 12:59", "12 13:00", "12 17:00:59", "12 17:01"),
        (Policy.instant, "12 16:59", "12 17:00", "12 17:00:59", "12 17:01"),
    ],
)
def test_a_verdict_turns_at_the_minute_its_policy_says(policy, early, first, last, late) -> None:
    """Received on Monday 5 May, due on Monday 12 May at 17:00."""
    finished = [local(f"2025-05-{at}") for at in (early, first, last, late)]
    standing = [simple("5wd", "2025-05-05 10:00", policy=policy, finished=at) for at in finished]
    verdicts = [reading.verdict for reading in standing]
    assert verdicts == [Verdict.early, Verdict.on_time, Verdict.on_time, Verdict.late]
    waiting = [simple("5wd", "2025-05-05 10:00", str(at)[:19], policy) for at in finished]
    assert [r.verdict for r in waiting] == [Verdict.open] * 3 + [Verdict.overdue]


def test_held_and_without_a_term() -> None:
    open_hold = ((local("2025-05-06 10:00"), None),)
    held = simple("5wd", "2025-05-05 10:00", "2025-05-08 10:00", holds=open_hold)
    assert (held.verdict, held.due, held.used) == (Verdict.held, None, 480)
    assert held.due_original == local("2025-05-12 17:00")
    assert held.remaining == 4 * 480 + 330
    done = simple("5wd", "2025-05-05 10:00", holds=open_hold, finished=local("2025-05-08 10:00"))
    assert (done.verdict, done.due, done.used) == (Verdict.early, local("2025-05-14 17:00"), 480)
    none = simple("none", "2025-05-05 10:00", finished=local("2025-05-06 10:00"))
    assert (none.verdict, none.due, none.used) == (Verdict.no_term, None, 480)


def test_a_hold_after_the_due_moment_undoes_no_lateness() -> None:
    hold = ((local("2025-05-12 17:01"), local("2025-05-20 10:00")),)
    late = simple("5wd", "2025-05-05 10:00", holds=hold, finished=local("2025-05-20 10:00"))
    assert (late.verdict, late.due) == (Verdict.late, local("2025-05-12 17:00"))


def test_extensions_add_up_in_their_unit_or_count_on_from_the_due_moment() -> None:
    extend = [tuple(Term.parse(t) for t in more) for more in (["2wd"], ["4wh"], ["4wh", "2wd"])]
    dues = [simple("5wd", "2025-05-05 10:00", extend=more).due for more in extend]
    assert dues == [local(f"2025-05-{at}") for at in ("14 17:00", "13 11:30", "15 11:30")]


def test_a_promise_taken_over_stands_for_the_term() -> None:
    promised = local("2025-05-09 11:00")
    finish = local("2025-05-09 11:01")
    reading = simple(
        "5wd", "2025-05-05 10:00", policy=Policy.instant, promised=promised, finished=finish
    )
    assert (reading.due, reading.due_original, reading.verdict) == (promised, promised, "late")
    hold = ((local("2025-05-06 10:00"), local("2025-05-08 10:00")),)  # two working days
    held = simple("5wd", "2025-05-05 10:00", promised=promised, holds=hold)
    assert held.due_original == promised
    assert held.due.date() == date(2025, 5, 13)


def test_local_time_is_the_calendars_also_when_it_jumps() -> None:
    """Amsterdam went from +01:00 to +02:00 on Sunday 30 March 2025."""
    days = {date(2025, 3, 28): ((time(9), time(17)),), date(2025, 3, 31): ((time(9), time(17)),)}
    office = Calendar("nl", "1", "Europe/Amsterdam", days, min(days), max(days))
    facts = Facts(datetime(2025, 3, 28, 15, tzinfo=UTC))  # Friday 16:00
    due = read(Term.parse("2wh"), office, facts, Policy.day, facts.received).due
    assert due == datetime(2025, 3, 31, 8, tzinfo=UTC)


def test_published_due_dates() -> None:
    if not DUE_DATES.exists():
        pytest.skip(f"the published due dates are not here: {DUE_DATES}")
    from states import calendars

    vn = calendars.load("vn")
    rows = list(csv.DictReader(DUE_DATES.read_text("utf-8").splitlines()))
    assert rows
    for row in rows:
        facts = Facts(local(f"{row['received']} 10:00"))
        reading = read(Term.parse(row["term"]), vn, facts, Policy.day, facts.received)
        assert reading.due == local(f"{row['due_date']} 17:00"), row["trap"]


@pytest.mark.parametrize(
    "text", ["15wd", "10cd", "8wh", "0.5wd", "sameday@14:30", "sameday", "none"]
)
def test_a_term_is_written_as_it_is_read(text) -> None:
    assert str(Term.parse(text)) == text


UNREADABLE = [
    "",
    "5",
    "wd",
    "0wd",
    "0cd",
    "0wh",
    "0.0wd",
    "-1wd",
    "1.5cd",
    "5 days",
    "1e3wd",
    "nanwd",
    "infwh",
    "٣wd",
    "1/2wd",
    "5wd\n",
    "0.001wh",
    "0.333wd",
    "sameday@25:00",
    "sameday@",
    "1000000000wd",
    "1000000000cd",
    "99999999999999999999wh",
    "None",
    "5WD 2wd",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_term_that_cannot_be_read_is_refused(text) -> None:
    with pytest.raises(BadInput, match=r"\w+ \w+ \w+"):
        simple(text, "2025-05-05 10:00")


MAY = "2025-05-{}".format


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (dict(finished=local(MAY("05 09:59"))), "finish"),
        (dict(restart=local(MAY("05 09:59"))), "restart"),
        (dict(restart=local(MAY("07 10:00")), finished=local(MAY("07 09:00"))), "finish"),
        (dict(holds=((local(MAY("07 10:00")), local(MAY("07 09:00"))),)), "hold"),
        (dict(extend=(Term.parse("none"),)), "extension"),
        (dict(finished=local("2025-07-01 00:00")), "2025-06-30"),
        (dict(restart=local("2025-07-01 00:00")), "2025-06-30"),
        (dict(holds=((local(MAY("06 10:00")), local("2025-07-01 00:00")),)), "2025-06-30"),
        (dict(received=local("2025-03-31 23:59")), "2025-04-01"),
        (dict(received=local("2025-06-25 10:00")), "2025-06-30"),  # the due moment is beyond
        (dict(received=datetime(2025, 5, 5, 10)), "offset"),
        (dict(holds=((local(MAY("06 10:00")), local("2025-06-30 10:00")),)), "2025-06-30"),
        (dict(extend=(Term.parse("36000cd"),)), "2025-06-30"),
    ],
)
def test_a_bad_question_is_refused_with_a_sentence(facts, says) -> None:
    asked = Facts(**{"received": local("2025-05-05 10:00")} | facts)
    with pytest.raises(BadInput, match=says) as refused:
        read(Term.parse("5wd"), SPRING, asked, Policy.day, local("2025-05-08 10:00"))
    assert len(str(refused.value).split()) > 5


def test_beyond_the_reach_there_is_no_moment_either() -> None:
    for at in (-1, 10**9):
        with pytest.raises(BadInput, match="2025-06-30"):
            SPRING.moment(at)
    with pytest.raises(BadInput, match="2025-04-01"):
        simple("5wd", "2025-05-05 10:00", at="1999-01-01")
