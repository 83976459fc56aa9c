"""The lifecycle as a page: table and diagram, drawn from the one place where it is defined."""

from collections.abc import Iterator

from states.lifecycle import FINAL, NEW, ROWS, Move, moves
from states.words import NATIONAL, Clock, Event, State

HEAD = """\
# The lifecycle of a dossier

Drawn by `hoso draw` from `states/lifecycle.py`; a test fails when this page is stale.

## States

| state | Vietnamese | national code | |
|---|---|---|---|
"""


ITSELF = {Event.extend, Event.recompute, Event.migrate, Event.restate}
BEGIN, END = "<!-- lifecycle: drawn by `hoso draw` -->", "<!-- /lifecycle -->"


def page() -> str:
    """The whole page, in Markdown with a Mermaid diagram."""
    lines = [*_states(), "", "## Moves", "", *_moves(), "", "## Diagram", "", *_diagram(), ""]
    return HEAD + "\n".join(lines)


def within(text: str) -> str:
    """A page of somebody's with the diagram between its marks drawn anew; others as they are."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return text
    return "\n".join([before + begin, "", *_diagram(), "", end + after])


def _states() -> Iterator[str]:
    for state, (label, code) in NATIONAL.items():
        yield f"| `{state}` | {label} | {code} | {'final' if state in FINAL else ''} |"


def _moves() -> Iterator[str]:
    yield "A guard that does not hold refuses with the words in the column *unless*."
    yield "*Automatic* moves are fired by flows."
    yield ""
    yield "| event | from | to | by | unless | clock | |"
    yield "|---|---|---|---|---|---|---|"
    alike: dict[tuple[str, ...], list[str]] = {}
    for row in ROWS:
        alike.setdefault(_cells(row), []).append(row.source)
    for (event, dest, *rest), sources in alike.items():
        source = ", ".join("*new*" if each == NEW else f"`{each}`" for each in sources)
        yield f"| {event} | {source} | {dest} | {' | '.join(rest)} |"


def _cells(row: Move) -> tuple[str, ...]:
    """A line's cells but for where it comes from: rows that share them share a line."""
    guard = (row.guard.__doc__ or "") if row.guard else ""
    return (
        f"`{_event(row)}`",
        "itself" if _event(row) in ITSELF else f"`{row.dest}`",
        ", ".join(sorted(row.by)),
        guard,
        "" if row.clock is Clock.nothing else row.clock,
        "automatic" if row.automatic else "",
    )


def _event(row: Move) -> Event:
    return next(event for event in Event if row in moves(event))


def _diagram() -> Iterator[str]:
    """One arrow a pair of states, with all its events; withdraw and stop are told beneath."""
    yield "`withdraw` and `stop` lead from every state that is not final; they are left out here."
    yield ""
    yield "```mermaid"
    yield "stateDiagram-v2"
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in ROWS:
        event = _event(row)
        if event not in {Event.withdraw, Event.stop, *ITSELF}:
            source = "[*]" if row.source == NEW else str(row.source)
            label = f"{event}*" if row.automatic else event
            events = arrows.setdefault((source, str(row.dest)), [])
            if label not in events:
                events.append(label)
    for (source, dest), events in arrows.items():
        yield f"    {source} --> {dest}: {', '.join(events)}"
    for state in State:
        if state in FINAL:
            yield f"    {state} --> [*]"
    yield "```"
    yield ""
    alone = ", ".join(f"`{event}`" for event in sorted(ITSELF))
    yield f"\\* fired by flows when it is open; from a state to itself lead {alone}."
