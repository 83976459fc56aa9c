"""An exported proof, checked from its own text: the first thing that does not hold, or nothing.

In this order: the chain of its lines, the facts and the names that the lines make, the due moment
and the class worked out with the pencil and as the lines told them, the trace line by line with
what is named behind it, and the seal over the whole.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from states.checker.asking import asked_of, question_of, said, wall_of, zone_of
from states.checker.fault import Fails, Fault, fail, legible, same
from states.checker.pencil import OffTheWall
from states.checker.sheet import Sheet, work
from states.checker.story import Story, read
from states.checker.tracing import Line, lines_of

FORM = "hoso-proof/1"
SEQ, SOURCE, DEST, PREV = 1, 3, 4, 14  # places in a line's canonical text
Document = Mapping[str, Any]


def fault_of(text: bytes) -> Fault | None:
    """The first thing of a proof that does not hold; None: all of it does."""
    fault = _fault_of(text)
    return fault and Fault(*map(legible, fault))


def _fault_of(text: bytes) -> Fault | None:
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as wrong:
        return Fault("the file", f"it is not one JSON document: {wrong}")
    try:
        _check(document)
    except Fails as fails:
        return Fault(*fails.args)
    except OffTheWall:
        return Fault("calendar", "it ends before the term that is counted on it")
    except RecursionError:
        return Fault("the file", f"it is no proof of form {FORM}: it is nested too deep")
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as wrong:
        why = f"it lacks {wrong}" if isinstance(wrong, KeyError) else repr(wrong)
        return Fault("the file", f"it is no proof of form {FORM}: {why[:200]}")
    return None


def seal(document: Document) -> str:
    """SHA-256 over all that a proof says but this, as canonical JSON."""
    said = {name: value for name, value in document.items() if name != "seal"}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(made := dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


def _check(document: Document) -> None:
    same("form", document["form"], FORM)
    calendar = document["calendar"]
    _chain(document["entries"])
    story = read(document["entries"], zone_of(calendar["zone"]))
    for name, fact in story.facts(document["facts"]["restart"]).items():
        same(f"facts.{name}", document["facts"][name], fact)
    named = {**document["procedure"], "procedure": document["procedure"]["code"]}
    named |= {name: document[name] for name in ("code", "term", "policy")}
    named["calendar"] = f"{calendar['name']}@{calendar['version']}"
    for name, bound in (story.bound | story.frozen).items():
        if name in named:
            same(name, named[name], bound)
    wall, notes = wall_of(calendar)
    sheet = work(wall, question_of(document, story.zone))
    _figures(document, story, sheet)
    asked = asked_of(document, story, named["calendar"], notes)
    _trace(document, story, lines_of(wall, sheet, asked))
    same("seal", document["seal"], seal(document))


def _chain(entries: Sequence[Document]) -> None:
    """Each line's hash is that of its text, which holds the hash of the line before."""
    texts = [json.loads(entry["canonical"]) for entry in entries]
    for at, (entry, text) in enumerate(zip(entries, texts, strict=True)):
        where = f"entry {at + 1}"
        same(where, [entry["seq"], text[SEQ], entry["prev"]], [at + 1, at + 1, text[PREV]])
        if sha256(entry["canonical"].encode()).hexdigest() != entry["hash"]:
            fail(where, "its hash is not that of its text: it was altered")
        held, before = [text[0], text[SOURCE], text[PREV]], [text[0], None, None]
        if at:
            before = [texts[at - 1][0], texts[at - 1][DEST], entries[at - 1]["hash"]]
        if held != before:
            fail(where, "it does not follow from the line before")
    if not entries:
        fail("entries", "there is none")


# What it says -----------------------------------------------------------------------------


def _figures(document: Document, story: Story, sheet: Sheet) -> None:
    due, original = (said(at, story.zone) for at in (sheet.due, sheet.original))
    due, promised = None if sheet.waiting else due, document["due_original"]
    same("due", document["due"], due)
    unsaid = sheet.waiting or story.unsaid or (story.finished and not story.by_result)
    same("due, as its lines told it", due if unsaid else story.due, due)
    told = promised if story.rebound else original
    same("due_original", promised, story.first_due or told)
    for name, should in (("verdict", sheet.verdict), ("used", sheet.used)):
        same(name, document[name], should)
        same(f"{name}, as its lines told it", story.frozen.get(name, should), should)
    ended = sheet.verdict if story.by_result else "not_counted"
    same("tally", document["tally"], ended if story.finished else None)
    same("remaining", document["remaining"], sheet.remaining)


def _trace(document: Document, story: Story, lines: list[Line]) -> None:
    """Line by line, and their sum."""
    trace, extended, rule = document["trace"], iter(story.extend), document["procedure"]
    for n, (line, should) in enumerate(zip(trace, lines, strict=False), 1):
        begins, ends = (said(at, story.zone) for at in (should.start, should.end))
        told = {"rule": should.rule, "from": begins, "to": ends, "minutes": should.minutes}
        for name, value in (told | {"counts": should.counts, "note": should.note}).items():
            same(f"trace, line {n}, {name}", line[name], value)
        entries, days = _behind(should, story, extended)
        same(f"trace, line {n}, behind", [line["entries"], line["days"]], [entries, days])
        if line["under"] is not None:
            under = {name: value for name, value in line["under"].items() if name != "law"}
            same(f"trace, line {n}, under", under, rule)
    same("trace, the number of its lines", len(trace), len(lines))
    counted = sum(line["minutes"] for line in trace if line["counts"])
    same("trace, the sum of what counts", counted, document["used"])


def _behind(line: Line, story: Story, extended: Any) -> tuple[list[int], list[str]]:
    """The lines of the chain and the days that a line of the trace must name."""
    day, to = line.start.date().isoformat(), line.end.date().isoformat()
    if line.rule in {"off", "works"}:
        return [], [day]
    if line.rule == "extended":
        return [next(extended)[1]], []
    if line.rule in {"due", "rolled"}:
        told = [] if story.due_entry is None else [story.due_entry]
        return told, sorted({day, to})
    edges = {said(at, story.zone) or "" for at in (line.start, line.end)}
    return story.among(edges), []


def told(text: bytes) -> str:
    """What a proof that holds is about, in a sentence."""
    document = json.loads(text)
    lines, steps = (len(document[name]) for name in ("entries", "trace"))
    days = len(document["calendar"]["days"])
    return legible(
        f"{document['code']}, due {document['due'] or 'at no date'}: {document['verdict']}."
        f" Checked: {lines} lines, {days} working days, {steps} steps."
    )
