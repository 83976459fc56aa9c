"""People and bodies by their names, where a sentence or a row has their codes."""

from typing import Any

from api.desk.voice import Voice
from states.catalogue.organisation import Organisation, Unit
from states.sentences import Sentence


class Known:
    """What an organisation calls those it has."""

    def __init__(self, staff: Organisation, voice: Voice) -> None:
        self.staff, self.voice = staff, voice

    def person(self, code: str | None) -> str:
        """By name; somebody who is not there, such as an import, as they are written."""
        there = self.staff.by_id.get(code or "")
        return there.name if there else code or "–"

    def body(self, code: str) -> str:
        """A unit with its agency: several have leaders."""
        there = self.staff.bodies.get(code)
        if isinstance(there, Unit):
            agency = self.staff.bodies[there.agency]
            return f"{self.voice.called(there)} – {self.voice.called(agency)}"
        return self.voice.called(there) if there else code

    def named(self, value: Any) -> Any:
        """A value of a sentence: a code that is somebody's, or in a list of them, by name."""
        match value:
            case Sentence():
                return self.sentence(value)
            case list() | tuple():
                return [self.named(each) for each in value]
            case str() if type(value) is str:
                return self.person(value) if value in self.staff.by_id else self.body(value)
        return value

    def sentence(self, said: Sentence | str) -> Sentence | str:
        """The same with names in the place of codes."""
        if not isinstance(said, Sentence) or not said.values:
            return said
        named = {key: self.named(it) for key, it in said.values.items()}
        return said if named == dict(said.values) else Sentence(said.template, **named)
