"""What a draft changes in who is there, away, and acting for whom, in sentences. Pure."""

from collections.abc import Iterator

from api.desk.known import Known
from api.desk.names import ROLES
from states.catalogue.organisation import Absence, Delegation, Organisation, Person, Position


def sentences(old: Organisation, new: Organisation, known: Known) -> list[str]:
    """`known` is of the new one. What no form changes is left to the lines of the text."""
    return [
        *_positions(old, new, known),
        *(_away(each, known) for each in new.absences if each not in old.absences),
        *(_gone(each, known) for each in old.absences if each not in new.absences),
        *(_acts(each, known) for each in new.delegations if each not in old.delegations),
    ]


def _positions(old: Organisation, new: Organisation, known: Known) -> Iterator[str]:
    say = known.voice.say
    for who in new.people:
        before = old.by_id.get(who.id)
        if before is None:
            yield say(f"Thêm người: {who.name} ({who.id}).", f"Added: {who.name} ({who.id}).")
        had = before.positions if before else ()
        for held in who.positions:
            if held not in had:
                yield _held(who, held, known)


def _held(who: Person, held: Position, known: Known) -> str:
    voice = known.voice
    role, unit = voice.called(ROLES[held.role]), known.body(held.unit)
    since = voice.say(f", từ {voice.day(held.since)}", f", from {voice.day(held.since)}")
    until = voice.say(f", đến hết {voice.day(held.until)}", f", until {voice.day(held.until)}")
    ends = (since if held.since else "") + (until if held.until else "")
    return f"{who.name}: {role}, {unit}{ends}."


def _away(it: Absence, known: Known) -> str:
    voice, name = known.voice, known.person(it.person)
    since, until = voice.day(it.since), voice.day(it.until)
    nobody = voice.say("chưa có người thay", "nobody stands in")
    other = known.person(it.substitute)
    stands = voice.say(f"{other} làm thay", f"{other} stands in") if it.substitute else nobody
    return voice.say(
        f"{name} vắng mặt từ {since} đến hết {until}; {stands}",
        f"{name} is away from {since} until the end of {until}; {stands}",
    ) + (f" ({it.reason})." if it.reason else ".")


def _gone(it: Absence, known: Known) -> str:
    voice, name = known.voice, known.person(it.person)
    since, until = voice.day(it.since), voice.day(it.until)
    return voice.say(
        f"Bỏ ngày vắng của {name}, {since} – {until}.",
        f"The absence of {name}, {since} – {until}, is taken out.",
    )


def _acts(it: Delegation, known: Known) -> str:
    voice, name = known.voice, known.person(it.person)
    role, for_ = voice.called(ROLES[it.role]), ", ".join(map(known.body, it.agencies))
    if it.revoked:
        on = voice.day(it.revoked)
        return voice.say(
            f"{name} thôi làm thay {for_} từ {on} ({it.revoked_by}).",
            f"{name} acts no more for {for_} from {on} ({it.revoked_by}).",
        )
    since, until = voice.day(it.since), voice.day(it.until)
    return voice.say(
        f"{name} làm thay {for_}, vai trò {role}, từ {since} đến hết {until} ({it.document}).",
        f"{name} acts for {for_} as {role} from {since} until the end of {until} ({it.document}).",
    )
