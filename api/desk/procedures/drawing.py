"""The lifecycle of one version as it will be, as boxes and arrows with their places. Pure.

States and moves are the lifecycle's; what the version decides is which of them can happen to its
dossiers, and the stages within `processing`. Ended states stand on the left, waiting ones on the
right, and from top to bottom goes the way of a dossier to its citizen.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from textwrap import wrap

from api.desk.names import EVENTS, ROLES, STATES
from api.desk.procedures.moves import lead, possible
from api.desk.voice import Voice
from states.catalogue.difference.values import length
from states.catalogue.procedures import END, Procedure, Stage
from states.words import Event, State

LEFT, MIDDLE, RIGHT = (2, 168), (275, 330), (710, 178)  # x and width of the columns
WIDTH, STEP, LINE, PAD = 890, 34, 17, 12
WAY = (State.registered, State.received, State.digitised, State.routed)
AFTER = (State.result_returned, State.delivered)


@dataclass(frozen=True, slots=True)
class Box:
    """A state, a stage, or the frame around the stages: `lines` above, `small` beneath them."""

    x: int
    y: int
    w: int
    h: int
    kind: str
    lines: tuple[str, ...] = ()
    small: tuple[str, ...] = ()

    @property
    def bottom(self) -> int:
        return self.y + self.h

    @property
    def middle(self) -> int:
        return self.x + self.w // 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way, `both`: and back. `label` ends above the point `at`, `under` begins below it."""

    points: tuple[tuple[int, int], ...]
    label: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    at: tuple[int, int] = (0, 0)
    anchor: str = "start"
    kind: str = "way"
    both: bool = False

    @property
    def d(self) -> str:
        return "M" + " L".join(f"{x} {y}" for x, y in self.points)


@dataclass(slots=True)
class Drawing:
    """All of it."""

    width: int = WIDTH
    height: int = 0
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)


Called = Callable[[str], str]


def drawn(version: Procedure, voice: Voice, unit: Called) -> Drawing:
    """`unit`: what a unit is called by its code."""
    made, pairs = Drawing(), possible(version)
    states = {state for pair in pairs for state in pair}
    y, above = 26, None
    boxes: dict[State, Box] = {}
    for state in (each for each in WAY if each in states):
        boxes[state] = _state(state, y, voice)
        above = _down(made, above, boxes[state], pairs, state, voice)
        y = boxes[state].bottom + STEP
    stages, frame = _stages(made, version, y, voice, unit)
    boxes[State.processing] = frame
    above = _down(made, above, frame, pairs, State.processing, voice)
    y = frame.bottom + STEP + 6
    for state in AFTER:
        boxes[state] = _state(state, y, voice)
        above = _down(made, above, boxes[state], pairs, state, voice)
        y = boxes[state].bottom + STEP
    made.boxes += [*boxes.values(), *stages]
    _sides(made, boxes, pairs, voice)
    made.height = y - STEP + 8
    return made


def _state(state: State, y: int, voice: Voice, column: tuple[int, int] = MIDDLE) -> Box:
    x, w = column
    words = tuple(wrap(voice.called(STATES[state]), 36 if column is MIDDLE else 18))
    return Box(x, y, w, LINE * len(words) + PAD, f"state {state}", words)


Pairs = dict[tuple[State, State], list[Event]]
Above = tuple[State, Box] | None


def _down(
    made: Drawing, above: Above, box: Box, pairs: Pairs, state: State, voice: Voice
) -> Above:  # fmt: skip
    """The arrow from what stands above, and back where there is a way back."""
    if above is not None:
        source, upper = above
        back = pairs.get((state, source), [])
        words = [*pairs.get((source, state), []), *back]
        x, label = upper.middle, ", ".join(voice.called(EVENTS[each]) for each in words)
        points = ((x, upper.bottom), (x, box.y))
        y = (upper.bottom + box.y) // 2 + 4
        made.arrows.append(Arrow(points, (label,), (), (x + 8, y + 4), both=bool(back)))
    return state, box


# Within processing ------------------------------------------------------------------------------


def _stages(
    made: Drawing, version: Procedure, y: int, voice: Voice, unit: Called
) -> tuple[list[Box], Box]:  # fmt: skip
    x, w = MIDDLE
    boxes: list[Box] = []
    top, head = y, (voice.called(STATES[State.processing]),)
    y += LINE + PAD
    for n, stage in enumerate(version.stages):
        lines = tuple(wrap(f"{n + 1}. {voice.called(stage.name)}", 29))
        small = tuple(_beneath(version, n, stage, voice, unit))
        h = LINE * len(lines) + 15 * len(small) + PAD
        boxes.append(Box(x + 34, y, w - 68, h, "stage", lines, small))
        y += h + 22
    frame = Box(x, top, w, y - 22 + PAD - top, "frame", head)
    places = {stage.code: n for n, stage in enumerate(version.stages)}
    for n in range(len(boxes)):
        made.arrows += _ways(version, boxes, places, n)
    return boxes, frame


def _beneath(
    version: Procedure, n: int, stage: Stage, voice: Voice, unit: Called
) -> Iterator[str]:  # fmt: skip
    """Who, how long, and what a line says shorter than an arrow."""
    who = voice.called(ROLES[stage.role])
    place = unit(stage.unit) if stage.unit else voice.say("hàng chờ của cơ quan", "agency's queue")
    yield from wrap(f"{who} · {voice.say(*length(stage.term))} · {place}", 37)
    if stage.next is not None and END in stage.next and n < len(version.stages) - 1:
        yield voice.say("→ có thể trả kết quả ngay", "→ the result may follow at once")


def _ways(
    version: Procedure, boxes: list[Box], places: dict[str, int], n: int
) -> Iterator[Arrow]:  # fmt: skip
    """On to the next straight, over some of them on the right; back on the left, where named."""
    stage, box = version.stages[n], boxes[n]
    following = [n + 1] if stage.next is None else [places[e] for e in stage.next if e in places]
    for to in (each for each in following if each < len(boxes)):
        if to == n + 1:
            yield Arrow(((box.middle, box.bottom), (box.middle, boxes[to].y)))
        else:
            out, into = box.y + box.h * 2 // 3, boxes[to].y + boxes[to].h // 3
            edge, side = box.x + box.w, box.x + box.w + 10 + 6 * (n % 3)
            yield Arrow(((edge, out), (side, out), (side, into), (edge, into)))
    for to in (places[each] for each in stage.returns or () if each in places):
        out, into = box.y + box.h // 3, boxes[to].y + boxes[to].h * 2 // 3
        side = box.x - 10 - 6 * (n % 3)
        points = ((box.x, out), (side, out), (side, into), (box.x, into))
        yield Arrow(points, kind="back")


# Beside it --------------------------------------------------------------------------------------


def _sides(made: Drawing, boxes: dict[State, Box], pairs: Pairs, voice: Voice) -> None:
    frame = boxes[State.processing]
    y = frame.y
    for state in (State.awaiting_supplement, State.awaiting_payment):
        if lead(pairs, State.processing, state):
            y = _waiting(made, boxes, pairs, state, y, voice)
    y = frame.y
    for state in (State.withdrawn, State.stopped):
        box = _state(state, y, voice, LEFT)
        made.boxes.append(box)
        made.arrows.append(_across(box, frame, pairs, State.processing, state, voice, left=True))
        y = box.bottom + STEP
    if State.registered in boxes and lead(pairs, State.registered, State.declined):
        first = boxes[State.registered]
        box = _state(State.declined, first.y, voice, LEFT)
        made.boxes.append(box)
        made.arrows.append(
            _across(box, first, pairs, State.registered, State.declined, voice, left=True)
        )


def _waiting(
    made: Drawing, boxes: dict[State, Box], pairs: Pairs, state: State, y: int, voice: Voice
) -> int:  # fmt: skip
    """A state on the right: to it and back, and what becomes of it when nothing comes."""
    box = _state(state, y, voice, RIGHT)
    ends = [
        to for to in (State.declined, State.stopped) if Event.lapse in pairs.get((state, to), ())
    ]
    names = " / ".join(voice.called(STATES[to]) for to in ends)
    words = tuple(wrap(voice.say(f"quá hạn: {names}", f"lapsed: {names}"), 28)) if ends else ()
    box = Box(box.x, box.y, box.w, box.h + 15 * len(words), box.kind, box.lines, words)
    made.boxes.append(box)
    made.arrows.append(_across(box, boxes[State.processing], pairs, State.processing, state, voice))
    first = boxes.get(State.registered)
    if first is not None and lead(pairs, State.registered, state):
        x, level = box.x + box.w - 30, first.y + first.h // 2
        points = ((first.x + first.w, level), (x, level), (x, box.y))
        made.arrows.append(Arrow(points, both=bool(lead(pairs, state, State.registered))))
    return box.bottom + STEP + 10


def _across(
    box: Box,
    other: Box,
    pairs: Pairs,
    source: State,
    dest: State,
    voice: Voice,
    *,
    left: bool = False,
) -> Arrow:
    y = box.y + box.h // 2
    begin, end = (other.x, box.x + box.w) if left else (other.x + other.w, box.x)
    there, back = (_label(lead(pairs, *way), voice) for way in ((source, dest), (dest, source)))
    return Arrow(
        ((begin, y), (end, y)), there, back, ((begin + end) // 2, y), "middle", both=bool(back)
    )


def _label(events: list[Event], voice: Voice) -> tuple[str, ...]:
    """What is done by hand, a few letters a line."""
    words = (voice.called(EVENTS[each]) for each in events if each is not Event.lapse)
    return tuple(part for each in words for part in wrap(each, 13))
