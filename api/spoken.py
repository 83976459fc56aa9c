"""The caller's language, and what is told in it."""

from typing import Any

from starlette.requests import HTTPConnection

from states.clock.words import Lang
from states.sentences import Sentence
from states.tongues import said


def liked(accepted: str) -> Lang | None:
    """The better liked of Vietnamese and English; None when neither is (RFC 9110 §12.5.4)."""
    weights: dict[Lang, float] = {}
    for part in accepted.lower().split(","):
        tag, _, weight = part.partition(";q=")
        known = tag.strip().split("-")[0]
        if known in set(Lang):
            weights.setdefault(Lang(known), _weight(weight))
    if not any(weights.values()):
        return None
    return Lang.en if weights.get(Lang.en, 0) > weights.get(Lang.vi, 0) else Lang.vi


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def spoken(request: HTTPConnection) -> Lang:
    """What a refusal is told in: English, unless Vietnamese is liked better."""
    return liked(request.headers.get("accept-language", "")) or Lang.en


def throughout(told: Any, language: Lang) -> Any:
    """The same with every sentence in it said in the language."""
    match told:
        case Sentence():
            return said(told, language)
        case dict():
            return {key: throughout(value, language) for key, value in told.items()}
        case list():
            return [throughout(each, language) for each in told]
    return told
