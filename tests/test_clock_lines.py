"""Whatever comes down a pipe to `hoso clock --lines`: each line is answered, none stops it."""

import json
import tracemalloc
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_clock_command import ASKED, NOW, SHORT, answered, line

from api.cli import clock
from api.cli.lines import CHUNK, LONGEST, batches

DEEP = b'{"calendar":' + b"[" * 900 + b"]" * 900 + b"}"
BAD_LINES = [
    (b"hello", "not JSON"),
    (b"\xff\xfe{}", "not JSON"),
    (b'{"calendar": "vn\xff"}', "not JSON"),
    (b'{"calendar": "\\ud800"}', "not JSON"),
    (b"\0", "not JSON"),
    (b'{"calendar": NaN}', "not JSON"),
    (line(SHORT)[:-1], "not JSON"),
    (line(SHORT) * 2, "not JSON"),
    (b"[" * 100_000, "not JSON"),
    (b"[]", "an object"),
    (b"null", "an object"),
    (b'"5wd"', "an object"),
    (b"{}", "'calendar' is missing"),
    (DEEP, "'calendar' must be text"),
    (b'{"calendar": ' + b"9" * 5000 + b"}", "not JSON"),
    (b'{"calendar": ' + b"9" * 300 + b"}", "'calendar' must be text"),
    (line({"calendar": "vn", "term": "5wd"}), "'received' is missing"),
    (line(SHORT)[:-1] + b', "term": "9wd"}', "twice"),
    (line(SHORT)[:-1] + b', "t\\u0065rm" \t : "5wd"}', "twice"),
    (line(SHORT)[:-1] + b', "at": null, "at": null}', "twice"),
]
BAD_VALUES = [
    (dict(due="2025-04-21"), "'due' is no key"),
    ({"Term": "5wd"}, "'Term' is no key"),
    (dict(calendar="../vn"), "no calendar"),
    (dict(calendar="vn\0"), "no calendar"),
    (dict(calendar=5), "'calendar' must be text"),
    (dict(term="5 days"), "not a term"),
    (dict(term=5), "'term' must be text"),
    (dict(term=["5wd"]), "'term' must be text"),
    (dict(term="99999wd"), "not possible"),
    (dict(received=1745200000), "'received' must be text"),
    (dict(received="yesterday"), "'received' must be a moment"),
    (dict(received="2025-04-21"), "'received' must be a moment"),
    (dict(received="2025-04-21_10:00+07:00"), "'received' must be a moment"),
    (dict(received="2025-04-31T10:00+07:00"), "'received' must be a moment"),
    (dict(received="2025-04-21T24:00+07:00"), "'received' must be a moment"),
    (dict(received="2025-04-21T10:00"), "no offset"),
    (dict(received="0001-01-01T00:00+14:00"), "2019-01-01"),
    (dict(received="9999-12-31T23:59-12:00"), "2027-12-31"),
    (dict(received="2027-12-31T16:59+07:00"), "2027-12-31"),
    (dict(holds="2025-04-22T10:00+07:00"), "'holds' must be a list"),
    (dict(holds={}), "'holds' must be a list"),
    (dict(holds=["2025-04-22T10:00+07:00"]), "two moments"),
    (dict(holds=[[]]), "two moments"),
    (dict(holds=[[None, None]]), "'holds' is missing"),
    (dict(holds=[[[[["deep"]]]], [{}]]), "two moments"),
    (dict(holds=[[True, False]]), "'holds' must be text"),
    (dict(holds=[ASKED["holds"][0]] * 1001), "at most 1000"),
    (dict(holds=[ASKED["holds"][0][::-1]]), "ends before it begins"),
    (dict(restart="2025-04-20T10:00+07:00"), "restart lies before"),
    (dict(restart=0), "'restart' must be text"),
    (dict(extend="2wd"), "'extend' must be a list"),
    (dict(extend=[2]), "'extend' must be text"),
    (dict(extend=["none"]), "extends nothing"),
    (dict(finished="2025-04-20T10:00+07:00"), "finish lies before"),
    (dict(finished=""), "'finished' must be a moment"),
    (dict(at=False), "'at' must be text"),
    (dict(at="2030-01-01T00:00Z"), "2027-12-31"),
    (dict(policy="hour"), "one of day, session, instant"),
    (dict(policy=["day"]), "'policy' must be text"),
    (dict(policy=""), "one of day, session, instant"),
]


@pytest.mark.parametrize(
    ("raw", "says"), BAD_LINES + [(line(SHORT | more), says) for more, says in BAD_VALUES]
)
def test_a_bad_question_is_answered_with_a_sentence(raw, says) -> None:
    answer = answered(raw)
    assert answer.keys() == {"error"}
    assert says in answer["error"]
    assert 2 < len(answer["error"].split()) < 60


def test_now_beyond_the_calendar_asks_for_a_moment() -> None:
    old = {"calendar": "nl", "term": "5wd", "received": "2011-03-01T10:00+01:00"}
    assert "say for which moment" in answered(line(old))["error"]
    assert answered(line(old | {"at": "2011-03-02T10:00+01:00"}))["verdict"] == "open"
    assert answered(line(old | {"finished": "2011-03-02T10:00+01:00"}))["verdict"] == "early"


many = settings(max_examples=200, deadline=None)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
words = st.sampled_from(["vn", "5wd", "3cd", "none", "1wh", "day", *ASKED["holds"][0]])
values = st.recursive(
    scalars | words,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(words, each, max_size=2),
    max_leaves=4,
)


@many
@given(st.dictionaries(st.sampled_from([*ASKED]), values), st.sampled_from([{}, SHORT, ASKED]))
def test_whatever_is_asked_is_answered(wild, sound) -> None:
    answer = answered(line(sound | wild))
    assert {"error"} == answer.keys() or {"due", "verdict", "trace"} < answer.keys()


@many
@given(st.binary())
def test_noise_is_no_question(noise) -> None:
    assert answered(noise.replace(b"\n", b"")).keys() == {"error"}


# The stream -------------------------------------------------------------------------------


@many
@given(st.lists(st.binary(max_size=9)), st.integers(1, 5))
def test_lines_are_the_same_however_they_arrive(pieces, size) -> None:
    stream = BytesIO(b"\n".join(pieces))
    came = [each for batch in batches(lambda _: stream.read(size)) for each in batch]
    assert came == b"\n".join(pieces).split(b"\n")


def test_a_line_that_does_not_end_is_dropped_as_it_comes() -> None:
    """A hundred megabytes, in the memory of one line."""
    chunks = iter(
        [b"x" * CHUNK] * (100_000_000 // CHUNK) + [b"x\n{}\n", b"y" * LONGEST, b"\nz", b""]
    )
    tracemalloc.start()
    came = [each for batch in batches(lambda _: next(chunks)) for each in batch]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert came == [None, b"{}", b"y" * LONGEST, b"z"]
    assert peak < 10 * LONGEST
    assert "longer than 1,000,000 bytes" in json.loads(clock.answer_line(None, NOW))["error"]


def test_blank_lines_ask_nothing() -> None:
    assert clock.answers([b"", b" \t\r", b"\r"]) == b""
    assert clock.answers([b"{}\r", b"", None]).count(b"\n") == 2
