"""Sentences in the language of the one who asked, from the catalogues in states/locale.

A catalogue is a .po file as gettext knows it: messages are the templates of sentences, and in the
context "word" the words of the engine. It is read when a sentence is first said in its language.
"""

from datetime import date, datetime
from enum import StrEnum
from functools import cache, partial
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING, Any

from states.clock.words import Lang, moment
from states.errors import HosoError
from states.sentences import MOMENTS, Sentence, filled, halved
from states.words import NATIONAL, State

if TYPE_CHECKING:
    from babel.support import Translations

WORD = "word"  # the context of what a value may be


def said(sentence: str, language: Lang) -> str:
    """The sentence in a language; in English where it was not translated."""
    if language is Lang.en or not sentence:
        return str(sentence)
    if not isinstance(sentence, Sentence):
        return catalogue(language).gettext(sentence)
    template = catalogue(language).gettext(sentence.template) if sentence.template else ""
    return filled(template, sentence.values, partial(_value, language))


@cache
def catalogue(language: Lang) -> "Translations":
    """Raises `OSError` for a language that has none."""
    from babel.messages.mofile import write_mo  # 40 ms: `hoso clock` says nothing in Vietnamese
    from babel.messages.pofile import read_po
    from babel.support import Translations

    file = resources.files("states") / "locale" / language / "LC_MESSAGES" / "hoso.po"
    compiled = BytesIO()
    with file.open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=language, domain="hoso"))
    compiled.seek(0)
    return Translations(compiled, domain="hoso")


def _value(language: Lang, value: Any, spec: str) -> str:
    match value:
        case list() | tuple():
            return ", ".join(_value(language, each, spec) for each in value)
        case HosoError():
            return said(value.sentence, language)
        case Sentence():
            return halved(said(value, language), spec)
        case State():
            return NATIONAL[value][0]
        case StrEnum():
            return str(catalogue(language).pgettext(WORD, value))
    return _figure(language, value, spec)


def _figure(language: Lang, value: Any, spec: str) -> str:
    """Moments, dates and numbers as they are written."""
    if isinstance(value, datetime) and spec in MOMENTS:
        return moment(value, language)
    if isinstance(value, date) and not spec:
        return f"{value:%d/%m/%Y}"
    written = format(value, spec)
    return written.replace(",", ".") if spec == "," else written
