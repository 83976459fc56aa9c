"""`hoso clock`: the shape of its answers, and the command. Bad questions: `test_clock_lines`."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import typer
from typer.testing import CliRunner

from api.cli import clock
from api.cli.lines import CROWD
from states import calendars
from states.clock import Facts, Policy, Term, read
from states.errors import BadInput, HosoError

NOW = datetime(2025, 5, 6, 3, tzinfo=UTC)
HOSO = [sys.executable, "-m", "api.cli", "clock"]
ASKED = {
    "calendar": "vn",
    "term": "5wd",
    "received": "2025-04-21T10:00+07:00",
    "holds": [["2025-04-22T10:00+07:00", "2025-04-24T09:00+07:00"]],
    "restart": None,
    "extend": ["2wd"],
    "finished": "2025-05-05T10:00+07:00",
    "at": "2025-05-06T10:00+07:00",
    "policy": "day",
}
SHORT = {key: ASKED[key] for key in ("calendar", "term", "received")}


def line(question: object) -> bytes:
    return json.dumps(question).encode()


def answered(raw: bytes) -> dict:
    said = clock.answer_line(raw, NOW)
    assert said.count(b"\n") == 1
    assert said.endswith(b"\n")
    return json.loads(said)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# The shape --------------------------------------------------------------------------------


def test_an_answer_has_the_shape_the_design_promises() -> None:
    answer = answered(line(ASKED))
    trace = answer.pop("trace")
    assert answer == {
        "due": "2025-05-06T17:00:00+07:00",
        "due_original": "2025-04-26T17:00:00+07:00",
        "verdict": "early",
        "used_minutes": 49 * 60,
        "remaining_minutes": 13 * 60 + 30,
    }
    assert trace[1] == {
        "rule": "hold",
        "from": "2025-04-22T10:00:00+07:00",
        "to": "2025-04-24T09:00:00+07:00",
        "minutes": 0,
        "counts": False,
        "note": "2wd",
    }
    assert sum(each["minutes"] for each in trace if each["counts"]) == answer["used_minutes"]


def test_an_answer_is_the_clocks() -> None:
    facts = Facts(
        received=at(ASKED["received"]),
        holds=((at(ASKED["holds"][0][0]), None),),
        restart=at("2025-04-22T08:00+07:00"),
        extend=(Term.parse("4wh"),),
    )
    question = ASKED | {
        "holds": [[ASKED["holds"][0][0], None]],
        "restart": "2025-04-22T01:00Z",
        "extend": ["4wh"],
        "finished": None,
        "policy": "session",
    }
    reading = read(Term.parse("5wd"), calendars.load("vn"), facts, Policy.session, at(ASKED["at"]))
    assert clock.ask(question, NOW) == reading
    answer = answered(line(question))
    assert (answer["due"], answer["verdict"]) == (None, "held")
    assert answer["due_original"] == reading.due_original.isoformat()


def test_all_but_three_may_be_left_out_and_at_is_now() -> None:
    answer = answered(line(SHORT))
    assert answer == answered(line(SHORT | {"at": NOW.isoformat()}))
    assert answer["verdict"] == "overdue"
    assert answer == answered(line(dict.fromkeys(ASKED) | SHORT))  # null is not given
    none = answered(line(SHORT | {"term": "none"}))
    assert (none["due"], none["due_original"], none["verdict"]) == (None, None, "no_term")
    assert none["remaining_minutes"] is None


def test_a_moment_may_be_written_as_iso_8601_allows() -> None:
    due = answered(line(SHORT))["due"]
    for received in ("2025-04-21T03:00:59.9Z", "20250421T100000+0700", "2025-04-21 10:00+07:00"):
        assert answered(line(SHORT | {"received": received}))["due"] == due
    escaped = line(SHORT).replace(b"+", b"\\u002B")  # as .NET writes it
    assert answered(escaped)["due"] == due


def test_a_gap_of_summer_time_moves_nothing() -> None:
    """Amsterdam had no 02:30 on 25 March 2012, and two on 28 October."""
    dues = []
    for received in ("2012-03-25T02:30+01:00", "2012-03-25T03:30+02:00", "2012-03-25T01:30Z"):
        question = {"calendar": "nl", "term": "8wh", "received": received, "at": received}
        dues.append(answered(line(question))["due"])
    assert dues == ["2012-03-27T10:00:00+02:00"] * 3
    for received in ("2012-10-28T02:30+02:00", "2012-10-28T02:30+01:00"):
        question = {"calendar": "nl", "term": "1wd", "received": received, "at": received}
        assert answered(line(question))["due"] == "2012-10-29T17:00:00+01:00"


# The command ------------------------------------------------------------------------------


def test_one_line_is_answered_before_the_next_is_asked() -> None:
    with subprocess.Popen(
        [*HOSO, "--lines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as hoso:
        for raw, said in ((line(ASKED), b'{"due":'), (b"\xff\0", b'{"error":')):
            hoso.stdin.write(raw + b"\n\n")
            hoso.stdin.flush()
            assert hoso.stdout.readline().startswith(said)
        output, errors = hoso.communicate(line(SHORT))  # the last line need not end
    assert output.startswith(b'{"due":')
    assert (errors, hoso.returncode) == (b"", 0)


def test_a_long_file_is_answered_in_order() -> None:
    days = [f"2025-04-{1 + n % 28:02}T10:00+07:00" for n in range(3 * CROWD)]
    asked = [line(SHORT | {"received": day, "at": ASKED["at"]}) for day in days]
    asked[CROWD::1000] = [b"?"] * len(asked[CROWD::1000])
    done = subprocess.run(
        [*HOSO, "--lines"], check=False, input=b"\n".join(asked), capture_output=True
    )
    assert (done.stderr, done.returncode) == (b"", 0)
    assert done.stdout == clock.answers(asked)


@pytest.mark.parametrize("questions", [1, 200_000])  # by this process; by all cores
def test_a_closed_pipe_ends_quietly(questions) -> None:
    asked = subprocess.Popen(
        [sys.executable, "-c", f"for _ in range({questions}): print({line(SHORT).decode()!r})"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    hoso = subprocess.Popen(
        [*HOSO, "--lines"], stdin=asked.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    asked.stdout.close()
    if questions > 1:
        hoso.stdout.readline()
    hoso.stdout.close()
    with hoso.stderr as errors:
        assert errors.read() == b""
    assert hoso.wait(30) == 0
    asked.wait(30)


def run(*options: str):
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    clock.add_to(app)
    return CliRunner().invoke(app, ["clock", *options])


ONE = ["--term", "5wd", "--received", ASKED["received"], "--at", ASKED["at"]]


def test_one_question_is_answered_to_a_person() -> None:
    hold = "/".join(ASKED["holds"][0])
    done = run(*ONE, "--hold", hold, "--extend", "2wd", "--extend", "1wd", "--lang", "en")
    assert done.exit_code == 0
    assert max(map(len, done.output.splitlines())) <= 100
    text = " ".join(done.output.split())
    for says in (
        "│ Due │ Wednesday 7 May 2025 17:00 │",
        "│ First promise │ Saturday 26 April 2025 17:00 │",
        "│ Verdict │ not finished, within its term (compared by date) │",
        "│ Remaining │ 13 h 30 │",
        "• Extended by 1 working day (Decree 61/2018 Art. 19(9)).",
        "Due Wednesday 7 May 2025 17:00",
    ):
        assert says in text


def test_vietnamese_is_the_first_language() -> None:
    done = run(*ONE, "--hold", ASKED["holds"][0][0] + "/", "--policy", "instant")
    text = " ".join(done.output.split())
    assert "│ Hẹn trả │ – │" in text
    assert "│ Tình trạng │ đang tạm dừng │" in text
    assert "• Tạm dừng từ 10:00 thứ Ba 22/04/2025: chưa có ngày hẹn trả" in text


def test_json_is_the_same_answer(capfd) -> None:
    done = run(*ONE, "--json", "--finished", ASKED["finished"], "--restart", "2025-04-22T08:00Z")
    assert done.exit_code == 0
    more = dict(finished=ASKED["finished"], restart="2025-04-22T08:00Z", at=ASKED["at"])
    assert json.loads(capfd.readouterr().out) == answered(line(SHORT | more))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--term", "5 days", "--received", ASKED["received"]], "not a term"),
        ([*ONE, "--hold", "2025-04-22T10:00+07:00"], "FROM/TO"),
        ([*ONE, "--hold", "/"], "'holds' must be a moment"),
        ([*ONE, "--calendar", "mars"], "no calendar"),
        ([*ONE, "--finished", "\udcff"], "'finished' must be a moment"),
    ],
)
def test_a_refused_question_is_an_error(options, says) -> None:
    done = run(*options)
    assert isinstance(done.exception, HosoError)
    assert says in str(done.exception)


@pytest.mark.parametrize(
    "options", [[], ["--term", "5wd"], [*ONE, "--lines"], [*ONE, "--policy", "x"], ["--nonsense"]]
)
def test_wrong_use_is_told_as_such(options) -> None:
    assert run(*options).exit_code == 2


def test_a_refusal_exits_with_one_and_a_sentence() -> None:
    options = [*ONE, "--finished", "\udcff"]  # an argument that is not UTF-8
    done = subprocess.run([*HOSO, *options], check=False, capture_output=True)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"'finished' must be a moment" in done.stderr
    assert b"Traceback" not in done.stderr


def test_it_starts_without_the_heavy_libraries() -> None:
    code = (
        "import sys; sys.argv = ['hoso', 'clock', '--lines']; from api.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted({'sqlalchemy', 'prefect', 'fastapi', 'rich.table'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, input=line(ASKED), capture_output=True
    )
    assert done.stdout.endswith(b"\n[]\n"), done.stderr


def test_bad_input_is_what_it_raises() -> None:
    with pytest.raises(BadInput):
        clock.ask({}, NOW)
