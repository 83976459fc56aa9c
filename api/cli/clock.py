"""`hoso clock`: when a dossier is due, where it stands and why; one question, or one a line.

No database and no settings: it reads what is asked and the calendar's file; a dossier's own clock
(`--dossier`) is read from the ledger, by the calendar it is bound to.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.cli.lines import LONGEST, Batch, answer_all, standard_input, write
from states import calendars
from states.clock import Facts, Policy, Reading, Term, read
from states.clock.words import Lang, moment, say, standing, working_time
from states.errors import BadInput, HosoError

KEYS = frozenset(
    ("calendar", "term", "received", "holds", "restart", "extend", "finished", "at", "policy")
)
POLICIES = {str(policy): policy for policy in Policy}
MOST = 1000  # holds, or extensions, in one question
KEY_ENDS = re.compile(rb'"\s*:')


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(clock)


def clock(
    term: Annotated[str, typer.Option(help="15wd, 10cd, 8wh, 0.5wd, sameday@15:00 or none.")] = "",
    received: Annotated[str, typer.Option(help="As in 2025-04-21T10:00+07:00.")] = "",
    calendar: Annotated[str, typer.Option(help="The working calendar.")] = "vn",
    hold: Annotated[list[str] | None, typer.Option(help="FROM/TO; FROM/ while open.")] = None,
    restart: Annotated[str | None, typer.Option(help="When the term last began again.")] = None,
    extend: Annotated[list[str] | None, typer.Option(help="A term added.")] = None,
    finished: Annotated[str | None, typer.Option(help="When the result was ready.")] = None,
    at: Annotated[
        str | None, typer.Option(help="The moment to answer for.  [default: now]")
    ] = None,
    dossier: Annotated[
        str | None, typer.Option(help="Or the code of a dossier: its own clock.")
    ] = None,
    proof: Annotated[
        Path | None, typer.Option(help="Write its proof to this file: see `hoso verify --proof`.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Where that dossier is kept.")] = None,
    policy: Annotated[Policy, typer.Option(help="How a finish is classed.")] = Policy.day,
    lang: Annotated[Lang, typer.Option(help="The language of the answer.")] = Lang.vi,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    lines: Annotated[
        bool,
        typer.Option("--lines", help="One JSON question a line in, one JSON answer a line out."),
    ] = False,
) -> None:
    """When a dossier is due, where it stands, and why.

    A question for --lines: {"calendar": "vn", "term": "5wd", "received":
    "2025-04-21T10:00+07:00", "holds": [["…", "…"], ["…", null]], "restart": "…", "extend":
    ["2wd"], "finished": "…", "at": "…", "policy": "day"}. All but the first three are optional.
    """
    if lines:
        if term or received:
            raise typer.BadParameter(
                "it takes its questions from standard input", param_hint="--lines"
            )
        answer_all(standard_input, answers)
        return
    if dossier is not None:
        if term or received:
            raise typer.BadParameter("it has a term and a receipt", param_hint="--dossier")
        _tell_own(dossier, _perhaps("at", at), data, lang, proof, as_json=as_json)
        return
    if proof is not None:
        raise typer.BadParameter("is of a dossier: name it with --dossier", param_hint="--proof")
    for option, value in (("--term", term), ("--received", received)):
        if not value:
            raise typer.BadParameter("is needed, unless --lines is given", param_hint=option)
    question = {
        "calendar": calendar,
        "term": term,
        "received": received,
        "holds": [_ends(text) for text in hold or ()],
        "restart": restart,
        "extend": extend,
        "finished": finished,
        "at": at,
        "policy": policy.value,
    }
    reading = ask(question, datetime.now(UTC))
    if as_json:
        write(orjson.dumps(answer(reading), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        _show(reading, reading.due_original, policy, lang)


def _tell_own(
    code: str,
    at: datetime | None,
    data: Path | None,
    lang: Lang,
    proof: Path | None,
    *,
    as_json: bool,
) -> None:
    from api.cli import dossier_clock

    dossier_clock.check(proof)
    found = dossier_clock.own(code, at, data)
    dossier_clock.write(found, proof)
    if as_json:
        told = answer(found.reading) | dossier_clock.as_data(found)
        write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        behind = dossier_clock.behind(found, lang)
        _show(found.reading, found.first, found.policy, lang, behind)
        dossier_clock.show(found, lang)


def _ends(hold: str) -> list[str | None]:
    begin, slash, to = hold.partition("/")
    if not slash:
        raise BadInput(f"--hold {hold[:60]} must be written FROM/TO, or FROM/ while it is open")
    return [begin, to or None]


# A question and its answer ------------------------------------------------------------------


def ask(question: dict[str, Any], now: datetime) -> Reading:
    """Read the clock as a question says; it is asked at `now` if it does not say `at`.

    Raises `BadInput` and `Unknown`, with a sentence about what is wrong.
    """
    if not question.keys() <= KEYS:
        unknown = min(question.keys() - KEYS)
        raise BadInput(f"'{unknown[:40]}' is no key of a question: correct it or leave it out")
    given = question.get
    calendar = calendars.load(_text("calendar", given("calendar")))
    facts = Facts(
        received=_moment("received", given("received")),
        holds=tuple([_hold(each) for each in _list("holds", given("holds"))]),
        restart=_perhaps("restart", given("restart")),
        extend=tuple(
            [Term.parse(_text("extend", each)) for each in _list("extend", given("extend"))]
        ),
        finished=_perhaps("finished", given("finished")),
    )
    term = Term.parse(_text("term", given("term")))
    at = _perhaps("at", given("at"))
    try:
        return read(term, calendar, facts, _policy(given("policy")), at or now)
    except BadInput:
        if at or facts.finished or calendar.first <= now.date() <= calendar.last:
            raise
        raise BadInput(
            f"today lies outside calendar {calendar.name}, which reaches from {calendar.first} to"
            f" {calendar.last}: say for which moment with 'at', or when it was 'finished'"
        ) from None


def answer(reading: Reading) -> dict[str, Any]:
    """A reading as JSON has it; moments in the calendar's zone."""
    return {
        "due": reading.due,
        "due_original": reading.due_original,
        "verdict": reading.verdict,
        "used_minutes": reading.used,
        "remaining_minutes": reading.remaining,
        "trace": [
            {"rule": rule, "from": a, "to": b, "minutes": minutes, "counts": counts, "note": note}
            for rule, a, b, minutes, counts, note in reading.trace
        ],
    }


def _text(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise BadInput(f"'{key}' is missing" if value is None else f"'{key}' must be text")


def _moment(key: str, value: object) -> datetime:
    """ISO 8601; whatever else Python reads as such has neither a T nor a space in it."""
    text = _text(key, value)
    try:
        if "T" in text or " " in text:
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise BadInput(f"'{key}' must be a moment such as 2025-04-21T10:00+07:00, not '{text[:40]}'")


def _perhaps(key: str, value: object) -> datetime | None:
    return None if value is None else _moment(key, value)


def _hold(value: object) -> tuple[datetime, datetime | None]:
    if not isinstance(value, list) or len(value) != 2:
        raise BadInput("each of 'holds' must be a list of two moments; null ends one still open")
    return _moment("holds", value[0]), _perhaps("holds", value[1])


def _list(key: str, value: object) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MOST:
        raise BadInput(f"'{key}' must be a list, of at most {MOST}")
    return value


def _policy(value: object) -> Policy:
    if value is None:
        return Policy.day
    if policy := POLICIES.get(_text("policy", value)):
        return policy
    raise BadInput(f"'policy' must be one of {', '.join(POLICIES)}")


# Line by line -------------------------------------------------------------------------------


def answers(batch: Batch) -> bytes:
    """The answers to some lines; blank ones ask nothing."""
    now = datetime.now(UTC)
    return b"".join([answer_line(line, now) for line in batch if line is None or line.strip()])


def answer_line(line: bytes | None, now: datetime) -> bytes:
    """The answer to one line, or the error."""
    try:
        return orjson.dumps(_answer(line, now), option=orjson.OPT_APPEND_NEWLINE)
    except HosoError as wrong:
        return orjson.dumps({"error": str(wrong)}, option=orjson.OPT_APPEND_NEWLINE)


def _answer(line: bytes | None, now: datetime) -> dict[str, Any]:
    if line is None:
        raise BadInput(f"this line is longer than {LONGEST:,} bytes: no question is")
    try:
        question = orjson.loads(line)
    except orjson.JSONDecodeError as wrong:
        raise BadInput(f"this line is not JSON: {wrong}") from None
    if not isinstance(question, dict):
        raise BadInput('a question is an object, as in {"calendar": "vn", "term": "5wd", …}')
    reading = ask(question, now)
    # orjson lets the last of two equal keys win. What was asked is in order, so no text in it
    # begins with a colon, and each key ends in one.
    if len(KEY_ENDS.findall(line)) != len(question):
        raise BadInput("a key stands twice in this question: say once what is meant")
    return answer(reading)


# To people ----------------------------------------------------------------------------------

LABELS = {
    Lang.vi: ("Hẹn trả", "Hẹn trả lần đầu", "Tình trạng", "Đã dùng", "Còn lại"),
    Lang.en: ("Due", "First promise", "Verdict", "Used", "Remaining"),
}
PAST = {Lang.vi: "Đã quá", Lang.en: "Past by"}  # instead of what remains


def _show(
    reading: Reading,
    first: datetime | None,
    policy: Policy,
    lang: Lang,
    behind: Iterable[str] = (),
) -> None:
    """`behind`: what each line of the trace rests on, if anything is known of it."""
    from rich.table import Table
    from rich.text import Text

    from api.cli.output import console

    due, remaining = reading.due, reading.remaining
    figures = (
        moment(due, lang) if due else "–",
        moment(first, lang) if first else "–",
        standing(reading.verdict, policy, lang),
        working_time(reading.used, lang),
        "–" if remaining is None else working_time(abs(remaining), lang),
    )
    labels = LABELS[lang] if (remaining or 0) >= 0 else (*LABELS[lang][:-1], PAST[lang])
    answer, trace = Table(show_header=False), Table.grid(padding=(0, 1))
    for label, figure in zip(labels, figures, strict=True):
        answer.add_row(Text(label, style="bold"), Text(figure))
    for sentence, rests in zip_longest(say(reading.trace, lang), behind, fillvalue=""):
        trace.add_row("•", Text(sentence))
        if rests:
            trace.add_row("", Text(rests, style="dim"))
    console.print(answer, trace, width=min(console.width, 100))
