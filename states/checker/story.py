"""What the lines of a dossier's chain tell of its clock: the facts, the rules bound, the dates."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGINS = {"receive", "adopt"}
WAITS = {"request_supplement", "request_payment"}
GOES_ON = {"receive", "adopt", "supplement", "pay", "extend", "reopen"}
ENDS = {"return_result", "decline", "lapse", "withdraw", "stop"}
REBINDS = {"recompute", "migrate"}


class Fact(NamedTuple):
    """Something that happened, and the number of the line that keeps it."""

    at: str
    entry: int

    def said(self) -> dict[str, Any]:
        return {"at": self.at, "entry": self.entry}


@dataclass
class Story:
    """`supplements` are where the term may have begun again; what no line tells is None."""

    zone: ZoneInfo
    received: Fact | None = None
    promised: Fact | None = None
    finished: Fact | None = None
    holds: list[tuple[Fact, Fact | None]] = field(default_factory=list)
    supplements: list[Fact] = field(default_factory=list)
    extend: list[tuple[str, int]] = field(default_factory=list)
    bound: dict[str, Any] = field(default_factory=dict)
    due: str | None = None
    due_entry: int | None = None
    unsaid: bool = False  # rebound while it waited: the due moment is told when it goes on
    first_due: str | None = None
    rebound: bool = False
    by_result: bool = False
    frozen: dict[str, Any] = field(default_factory=dict)

    def facts(self, restart: Any) -> dict[str, Any]:
        """As a document has them. `restart`: whether the term begins again is the procedure's word,
        so it is taken from the document, where a line can be meant.
        """
        meant = [each.said() for each in self.supplements if each.said() == restart]
        return {
            "received": self.received and self.received.said(),
            "promised": self.promised and self.promised.said(),
            "holds": [
                {"from": begins.said(), "to": ends and ends.said()} for begins, ends in self.holds
            ],
            "restart": meant[0] if meant else None,
            "extend": [{"term": term, "entry": entry} for term, entry in self.extend],
            "finished": self.finished and self.finished.said(),
        }

    def among(self, edges: set[str]) -> list[int]:
        """The lines whose facts lie at one of these minutes."""
        held = [fact for hold in self.holds for fact in hold]
        facts = [self.received, self.finished, *held, *self.supplements]
        found = {fact.entry for fact in facts if fact is not None and to_minute(fact.at) in edges}
        return sorted(found)


def to_minute(text: str) -> str:
    return datetime.fromisoformat(text).replace(second=0, microsecond=0).isoformat()


def read(entries: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Story:
    """The story of a whole chain, from its first line on."""
    story = Story(zone)
    for entry in entries:
        text = json.loads(entry["canonical"])
        at = (EPOCH + timedelta(microseconds=text[8])).astimezone(zone).isoformat()
        payload = json.loads(text[10])
        _happened(story, text[2], Fact(at, text[1]), payload)
        _bound(story, text[2], payload)
        _told(story, text[2], text[1], payload.get("clock") or {})
    return story


def _happened(story: Story, event: str, fact: Fact, payload: Mapping[str, Any]) -> None:
    if event in BEGINS:
        story.received = fact
    if event == "adopt" and (given := payload["taken"]["promised"]):
        moment = datetime.fromisoformat(given).astimezone(story.zone).isoformat()
        story.promised = Fact(moment, fact.entry)
    if event in WAITS:
        story.holds.append((fact, None))
    elif event in GOES_ON and story.holds and story.holds[-1][1] is None:
        story.holds[-1] = (story.holds[-1][0], fact)
    if event == "supplement" and story.received is not None:
        story.supplements.append(fact)
    if event == "extend":
        story.extend.append((payload["act"]["term"], fact.entry))
    if event in ENDS:
        story.finished, story.by_result = fact, event == "return_result"
    if event == "reopen":
        story.finished, story.by_result, story.frozen = None, False, {}
    story.rebound |= event in REBINDS


def _bound(story: Story, event: str, payload: Mapping[str, Any]) -> None:
    """The names that a line gives to what the dossier is and runs under."""
    if "lodging" in payload:
        lodging = payload["lodging"]
        story.bound |= {"code": lodging["code"], "procedure": lodging["procedure"]}
    if event == "adopt":
        taken = payload["taken"]
        story.bound |= {"code": taken["code"], "procedure": taken["procedure"], "version": 0}
        story.bound |= {"term": "none", "regime": "", "policy": taken["policy"]}
    for name in ("version", "regime", "term"):
        if name in payload.get("pin", {}):
            story.bound[name] = payload["pin"][name]


def _told(story: Story, event: str, entry: int, clock: Mapping[str, Any]) -> None:
    if "calendar" in clock:
        story.bound["calendar"] = clock["calendar"]
    if "due" in clock:
        story.due, story.due_entry, story.unsaid = clock["due"], entry, False
    elif event in REBINDS:
        story.unsaid = True
    if event in BEGINS:
        story.first_due = clock.get("due")
    if "verdict" in clock:
        story.frozen = {name: clock[name] for name in ("verdict", "used", "policy")}
