"""The secret part of a code, the words for citizens, and what is late by them. Pure."""

import json
import re
import string
from datetime import datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.clock.words import Lang
from states.errors import Unknown
from states.ledger.promises import Promise, promises
from states.notices.facts import TICKING
from states.tracking import grouped, reading, secret_part, slip, words, written
from states.tracking.promised import broken
from states.tracking.reading import Claim, prove
from states.words import Event, State

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = datetime(2024, 3, 4, 9, tzinfo=HANOI)
KEYS = st.binary(min_size=32, max_size=32)
CODES = st.text(min_size=1, max_size=60)
PARTS = st.text(alphabet=slip.ALPHABET, min_size=8, max_size=8)


# The secret part --------------------------------------------------------------------------


def test_it_is_what_it_always_was():
    """Slips are on paper: another way of making it would be a door shut on all of them."""
    assert secret_part(b"k" * 32, "H42.14-240304-0001") == "Y59TXH4P"


@given(KEYS, CODES)
def test_it_has_eight_letters_that_nobody_misreads(key, code):
    part = secret_part(key, code)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{8}", part)
    assert secret_part(key, code) == part
    assert slip.same(part, grouped(part))


def test_it_hangs_on_the_key_and_on_the_code():
    codes = [f"H42.14-240304-{n:04}" for n in range(2000)]
    assert len({secret_part(b"a" * 32, code) for code in codes}) == len(codes)
    assert all(secret_part(b"a" * 32, code) != secret_part(b"b" * 32, code) for code in codes)
    for place in range(8):  # every place takes every letter
        taken = {secret_part(b"a" * 32, code)[place] for code in codes}
        assert taken == set(slip.ALPHABET)


@given(PARTS, st.data())
def test_it_is_known_however_it_is_typed(part, data):
    typed = "".join(
        data.draw(st.sampled_from([each, each.lower(), each + "-", " " + each]))
        .replace("0", data.draw(st.sampled_from("0Oo")))
        .replace("1", data.draw(st.sampled_from("1IlL")))
        for each in part
    )
    assert slip.same(part, typed)


@given(PARTS, PARTS)
def test_no_other_is_taken_for_it(part, other):
    assert slip.same(part, other) == (part == other)


@given(PARTS, st.text(max_size=20))
def test_nothing_that_is_typed_breaks_it(part, typed):
    folded = typed.upper().translate(str.maketrans("ILO", "110", "- "))
    assert slip.same(part, typed) == (folded == part)


def test_a_code_is_read_as_it_is_kept():
    assert written(" H42.14-240304-0001\u00a0") == "H42.14-240304-0001"
    assert written("Ho\u0302\u0300 so\u031b 1") == "Hồ sơ 1"
    assert written("h42.14-240304-0001") == "H42.14-240304-0001"
    assert written("hs-7a") == "hs-7a"  # another system's is as that system has it


# Proving ----------------------------------------------------------------------------------


class Database:
    """Answers every statement with one row, and counts them."""

    def __init__(self, number, digits):
        self.row, self.asked = SimpleNamespace(id=number, digits=digits), []

    async def execute(self, statement, values):
        self.asked.append((str(statement), values))
        return SimpleNamespace(one=lambda: self.row)


KEY, CODE = b"k" * 32, "H42.14-240304-0001"
RIGHT = secret_part(KEY, CODE)


@pytest.mark.parametrize("code", [CODE, "x\0y", "half \ud800"])
@pytest.mark.parametrize(
    ("row", "proof"),
    [
        ((None, None), {"secret": RIGHT}),
        ((None, None), {"digits": "4567"}),
        ((7, "4567"), {"secret": "00000000"}),
        ((7, "4567"), {"secret": ""}),
        ((7, "4567"), {"digits": "4568"}),
        ((7, None), {"digits": "4567"}),
        ((7, None), {"digits": "none"}),
        ((7, None), {"digits": ""}),
        ((7, ""), {"digits": ""}),
        ((7, "4567"), {}),
    ],
)
async def test_whatever_is_wrong_takes_the_same_way(monkeypatch, code, row, proof):
    compared = []

    def compare(one, other):
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(slip.hmac, "compare_digest", compare)
    db = Database(*row)
    with pytest.raises(Unknown) as refused:
        await prove(db, Claim(code, **proof), KEY if code == CODE else b"x" * 32)
    assert len(db.asked) == 1
    assert len(compared) == 2
    assert str(refused.value).startswith("no dossier has this code together with this proof")
    assert CODE not in str(refused.value)


@pytest.mark.parametrize("proof", [{"secret": RIGHT}, {"digits": "4567"}])
async def test_either_proof_is_enough(proof):
    assert await prove(Database(7, "4567"), Claim(CODE, **proof), KEY) == 7


def test_nothing_of_a_person_is_read():
    read = {column.name for column in reading.COLUMNS}
    assert not read & {"applicant", "email", "phone", "place", "citizen"}


# Words ------------------------------------------------------------------------------------


def pairs():
    for name, each in vars(words).items():
        if isinstance(each, dict) and name.isupper():
            yield from each.values()
        elif isinstance(each, tuple) and name.isupper():
            yield each


@pytest.mark.parametrize("state", State)
def test_every_state_is_told(state):
    vi, en = (words.say(words.STATES[state], lang) for lang in (Lang.vi, Lang.en))
    assert vi != en
    assert state not in {vi, en}


def test_every_move_of_a_promise_is_told():
    ending = {Event.decline, Event.lapse, Event.withdraw, Event.stop}  # they tell no date
    assert set(words.PROMISES) == TICKING - ending


def test_words_are_sentences_with_the_same_places_in_both_languages():
    told = list(pairs())
    assert len(told) > 25
    for vi, en in told:
        assert all(each[0] in string.ascii_uppercase + "ĐƯÔ" for each in (vi, en))
        assert all(each.endswith(".") for each in (vi, en))
        assert set(re.findall(r"\{\w+\}", vi)) == set(re.findall(r"\{\w+\}", en))


def test_what_stands_in_a_value_is_not_filled():
    assert words.say(words.AT_AGENCY, Lang.en, place="{place} {x.__class__}").endswith(
        "{place} {x.__class__}."
    )


# Late -------------------------------------------------------------------------------------

HOURS = st.integers(0, 24 * 30).map(lambda hours: MONDAY + timedelta(hours=hours))


def promise(at, due):
    return Promise(at, Event.receive, due, None, None)


@given(st.lists(st.tuples(HOURS, st.none() | HOURS), max_size=6), HOURS)
def test_a_promise_is_broken_if_a_day_begins_after_it_while_it_stands(rows, until):
    given_ = [promise(at, due) for at, due in sorted(rows, key=lambda row: row[0])]
    worst = None
    for n, each in enumerate(given_):
        end = min(given_[n + 1].at if n + 1 < len(given_) else until, until)
        if each.due is None:
            continue
        midnight = each.due.replace(hour=0) + timedelta(days=1)
        if midnight <= end:
            worst = each.due
    assert broken(given_, until, HANOI) == worst


def line(at, event, **clock):
    payload = json.dumps({"act": {}, "clock": clock})
    return {"at": at, "event": event, "reason": None, "ground": None, "payload": payload}


def test_a_date_stands_until_the_wait_begins():
    """What is asked on Wednesday and comes in May breaks no promise of April."""
    april, may, june = (MONDAY + timedelta(days=days) for days in (30, 60, 90))
    wednesday = MONDAY + timedelta(days=2)
    lines = [
        line(MONDAY, "receive", due=april.isoformat()),
        line(MONDAY, "digitise"),
        line(wednesday, "request_supplement", lapse=june.isoformat()),
        line(wednesday, "recompute", lapse=june.isoformat()),
        line(may, "supplement", due=june.isoformat()),
        line(may, "recompute", due=june.isoformat()),
    ]
    told = list(promises(lines, waits=True))
    assert [(each.event, each.due) for each in told] == [
        ("receive", april),
        ("request_supplement", None),
        ("supplement", june),
    ]
    assert broken(told, june, HANOI) is None
    assert broken(told, june + timedelta(days=1), HANOI) == june
    # Asked after the day was over, it was broken already.
    late = [lines[0], line(may, "request_supplement", lapse=june.isoformat())]
    assert broken(list(promises(late, waits=True)), may, HANOI) == april


def test_a_promise_replaced_in_time_is_not_broken():
    friday, next_friday = MONDAY + timedelta(days=4), MONDAY + timedelta(days=11)
    on_friday = friday + timedelta(hours=8)
    moved = [promise(MONDAY, friday), promise(on_friday, next_friday)]
    assert broken(moved, next_friday, HANOI) is None
    too_late = [promise(MONDAY, friday), promise(friday + timedelta(days=1), next_friday)]
    assert broken(too_late, next_friday, HANOI) == friday
