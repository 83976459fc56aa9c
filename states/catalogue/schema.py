"""The JSON Schema of a procedure's bundle, by which an editor completes and checks what is typed.

Made from the model, which stays the judge: what the schema refuses, the model refuses. An editor
reads YAML 1.2, we read less of it (`yaml_files`): `code: 1.004194` is text to us and a number to
an editor, so a code may be either here. Where we want text, an editor sees `1.5` or `04` as numbers
and asks for quotes, which are never wrong. That a plain `5.0` is no whole number, and which six
digits a code had, no schema can tell.
"""

import inspect
import json
from typing import Any

from states.catalogue.procedures import Procedure

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:hoso:procedure:1"
ABOUT = (
    "One version of one administrative procedure. `hoso procedures lint` finds what no schema can:"
    " stages that lead nowhere, units and roles that are not there, terms that do not add up."
)

# What `Term.parse` takes: at most nine digits, above 0 and at most 36500; calendar days are whole.
AMOUNT = r"0*([0-9]{1,4}|[12][0-9]{4}|3[0-5][0-9]{3}|36[0-4][0-9]{2})"
LENGTH = (
    r"(?=[0-9]{1,9}[.a-z])(?![0.]+[a-z])"
    rf"({AMOUNT}((\.[0-9]{{1,4}})?w[dh]|(\.0{{1,4}})?cd)|0*36500(\.0{{1,4}})?(w[dh]|cd))"
)
FORMATS: dict[str, Schema] = {
    "term": {"pattern": rf"^(none|sameday(@([01][0-9]|2[0-3]):[0-5][0-9])?|{LENGTH})$"},
    "date": {"format": "date", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
}
EXPECTED = {  # said by an editor instead of the pattern
    FORMATS["term"]["pattern"]: "Write 15wd (working days), 10cd (calendar days), 8wh (working"
    " hours), 0.5wd, sameday, sameday@14:30 or none.",
    FORMATS["date"]["pattern"]: "Write a date such as 2023-01-31.",
    r"^[1-9]\.[0-9]{6}$": "Write the national code, such as 1.004194, without a local suffix.",
    r"^[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}$": "Write a suffix such as 000.00.00.H42.",
    r"^[A-Z][0-9]{2}(\.[0-9]{1,3}){1,3}$": "Write a code of the organisation, such as H42.05.01.",
    r"^[a-z][a-z0-9-]{0,60}$": "Write a word such as tham-dinh: a letter, then letters without"
    " marks, digits and hyphens, all small.",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "Write a time of day such as 15:00.",
    r"^R[0-9]{4}$": "Write a regime such as R2025.",
}
MEANS = {  # the words to choose from
    "counter": "At the one-stop counter.",
    "online": "On the public service portal.",
    "post": "By the public post.",
    "plain": "Neither mountains nor islands.",
    "mountain": "Mountains.",
    "island": "Islands.",
    "full": "The whole procedure is done online.",
    "partial": "A part of it is done online.",
    "none": "Nothing of it is done online.",
    "province": "A department or board of the province.",
    "district": "The district; there is none since 1 July 2025.",
    "commune": "The commune.",
    "officer": "A case officer of the unit.",
    "leader": "Whoever leads the unit, or signs.",
    "manual": "A person takes the dossier in.",
    "auto": "The dossier is taken in by itself.",
    "hold": "The term is held while the citizen answers.",
    "restart": "The term begins again when the dossier is full.",
    "day": "Finished on the due date is on time, whatever the hour.",
    "session": "Finished in the half-day of the due moment is on time.",
    "instant": "To the minute.",
}

# Of each key what it is, and examples of its value.
KEYS: dict[str, dict[str, tuple[Any, ...]]] = {
    "Procedure": {
        "code": ("The national code, without the local suffix.", "1.004194"),
        "suffix": ("What a place adds to the national code.", "000.00.00.H42"),
        "code_verified": ("Whether a public text was found that gives this code with this name.",),
        "version": ("The number of this version: 1, and one more for each after it.", 1),
        "valid_from": ("The first day that it binds what is received.", "2023-01-01"),
        "valid_until": ("The last such day. Left out: until the next version.", "2025-06-30"),
        "name": ("What people see.",),
        "field": ("A field of administration; the agency must answer for it.", "lao-dong"),
        "agency": ("The competent authority, by its code in the organisation.", "H42.05"),
        "level": ("At which level the procedure is done.",),
        "online": ("How much is done online; less than all of it needs a reason.",),
        "channels": ("How a dossier may come in and its result go out.",),
        "post": ("Whether the public post may carry it.",),
        "term": (
            ("The legal term, counted from receipt. Units: wd working days, cd calendar days, wh"
            " working hours; sameday with the hour until which that is the day of receipt; none."),
            "15wd", "10cd", "8wh", "0.5wd", "sameday", "sameday@14:30", "none",
        ),
        "terms": ("Other terms, by channel or region; the first that fits counts.",),
        "calendar": ("The calendar of working days. Left out: the agency's.", "vn"),
        "transfer_by": (
            ("Until when what is received goes to its unit on the same day; later, the next"
            " working day begins with it."),
            "15:00",
        ),
        "stages": ("The steps of processing, in order; their terms fit into the term.",),
        "components": ("The papers of the dossier.",),
        "fee": ("Fee and charge in VND, without separators; 0 for none.", 0, 600000),
        "figures_verified": (
            "Whether term, fee and papers were compared with the national database.",
        ),
        "supplement": ("How the citizen may be asked for what is missing.",),
        "extension": ("How the promised date may be moved.",),
        "policy": ("How early, on time and late are told apart.",),
        "regime": ("The legal regime. Left out: that of the day of receipt.", "R2025"),
        "grounds": ("The legal grounds; at least one.",),
    },
    "Name": {
        "vi": ("In Vietnamese.", "Thẩm định hồ sơ"),
        "en": ("In English.", "Appraisal"),
    },
    "Ground": {
        "document": ("The document, with its number.", "Nghị định 152/2020/NĐ-CP"),
        "article": ("The article, its clause and point.", "Điều 11 khoản 2"),
        "verified": ("Whether the text was read.",),
    },
    "Channels": {
        "come": ("How a dossier may be handed in.", ["counter", "online", "post"]),
        "go": ("How the result may be given back.", ["counter", "online", "post"]),
    },
    "PublicPost": {
        "eligible": ("True if `post` is among the channels, and only then.",),
        "reason": ("Why not: needed when it is not eligible, and only then.",),
    },
    "Online": {
        "level": ("How much of the procedure is done online.",),
        "reason": ("Why not all of it is.",),
    },
    "OtherTerm": {
        "term": ("The term of such dossiers, in the units of the procedure's.", "18wd"),
        "channel": ("Of dossiers that came so. Left out: however they came.",),
        "region": ("Of applicants at home there. Left out: anywhere.",),
        "ground": ("The law that gives it.",),
    },
    "Stage": {
        "code": ("What other keys call the stage; `end` is taken.", "tham-dinh"),
        "name": ("What people see.",),
        "unit": (
            ("The unit that does it, and takes what no rule of `routes` catches. Left out: that"
            " goes to the agency's queue."),
            "H42.05.01",
        ),
        "routes": ("Rules of who gets a dossier; the first whose conditions hold.",),
        "role": ("Who does it.",),
        "term": ("How long it may take, in days of the kind that the term has.", "3wd", "0.5wd"),
        "needs": ("Components and documents that must be there when it begins.", ["don"]),
        "produces": ("Documents that must be there before it ends.", ["Phiếu trình giải quyết"]),
        "consults": ("Units asked for their opinion, all at once; the stage's unit leads.",),
        "next": (
            ("The stages that may follow, `end` for the result. Left out: the one below, and the"
            " result after the last."),
            ["xem-xet", "end"],
        ),
        "returns": (
            "The stages it may be sent back to. Left out: any above; [] for none.", ["tham-dinh"],
        ),
        "accept": ("How a dossier is taken in.",),
    },
    "Route": {
        "received_at": ("Units and service points that took the dossier in.", ["H42.14.01"]),
        "place": ("Places where the applicant is at home.", ["duy-tien"]),
        "field": ("Fields of administration.", ["khoa-hoc"]),
        "channel": ("How the dossier came.", ["post"]),
        "unit": ("The unit it goes to. Left out: the stage's.", "H42.05.01"),
        "person": ("Who gets it, by the id in the organisation.", "p-sci-officer-11"),
        "least_loaded": ("Whether it goes to whoever of the role has least in hand.",),
    },
    "Consultation": {
        "unit": ("The unit that is asked.", "H42.07.02"),
        "term": ("How long it may take to answer.", "3wd"),
        "about": ("What it is asked about.",),
    },
    "Component": {
        "code": ("What other keys call the paper.", "suc-khoe"),
        "name": ("What people see.",),
        "required": ("Whether a dossier is incomplete without it.",),
        "originals": ("How many originals are handed in.", 1),
        "copies": ("How many copies are handed in.", 0),
        "digitised": ("Whether it is scanned at reception.",),
        "reusable": (
            ("Whether it is taken from what the person handed in before, or from a national"
            " database, and then handed in by nobody."),
        ),
    },
    "SupplementRule": {
        "times": ("How often the citizen may be asked; 0 for never.", 1),
        "notice": ("The time from receipt within which to ask.", "3wd"),
        "mode": ("What asking does to the term.",),
        "lapse": ("The time after which the dossier is closed if nothing comes.", "30cd"),
        "ground": ("The law that gives the rule.",),
    },
    "ExtensionRule": {
        "times": ("How often the date may be moved; 0 for never.", 1),
        "max": ("By how much at most; needed when `times` is above 0, and only then.", "3wd"),
        "before": ("How long before the term runs out it must be said.", "1wd"),
        "instrument": ("The paper that says so to the citizen.", "Mẫu số 04"),
        "ground": ("The law that gives the rule.",),
    },
}  # fmt: skip


def text() -> str:
    """The schema as it is published: a file beside the bundles."""
    return json.dumps(procedure_schema(), ensure_ascii=False, indent=2) + "\n"


def procedure_schema() -> Schema:
    """The schema of a bundle: JSON Schema 2020-12, and the same under draft 7, which editors of
    some age take every schema for.
    """
    made = Procedure.model_json_schema(mode="validation")
    parts = {name: _part(name, each) for name, each in made.pop("$defs").items()}
    whole = _part("Procedure", made)
    whole["properties"]["code"] = _or_number(whole["properties"]["code"])
    about = {"title": "Procedure of the one-stop counter", "description": ABOUT}
    return {"$schema": DIALECT, "$id": ID, **whole, **about, "$defs": parts}


def _part(name: str, made: Schema) -> Schema:
    """A class of the model: the first words of its docstring, its keys, and no others."""
    first, *_ = inspect.cleandoc(made["description"]).split("\n\n")
    about = {"title": name, "description": " ".join(first.split())}
    if "properties" not in made:
        return about | _value(made)
    keys = {key: _described(each, *KEYS[name][key]) for key, each in made.pop("properties").items()}
    return about | {
        "type": "object",
        "additionalProperties": made["additionalProperties"],
        "required": made.get("required", []),
        "properties": keys,
    }


def _described(made: Schema, what: str, *examples: Any) -> Schema:
    shown = {"examples": list(examples)} if examples else {}
    return {"description": what} | _value(made) | shown


def _value(made: Schema) -> Schema:
    """A value without what only repeats its key; with what an editor says of it."""
    value = {key: each for key, each in made.items() if key not in {"title", "description"}}
    if value.get("default") in (None, []):
        value.pop("default", None)
    if "anyOf" in value:
        value |= _or_null(*value.pop("anyOf"))
    if "items" in value:
        value["items"] = _value(value["items"])
    value |= FORMATS.get(value.pop("format", ""), {})
    if "pattern" in value:
        value["patternErrorMessage"] = EXPECTED[value["pattern"]]
    if "enum" in value:
        value["enumDescriptions"] = [MEANS.get(each, "Left out.") for each in value["enum"]]
    return value


def _or_null(one: Schema, null: Schema) -> Schema:
    """An optional key may be there with nothing after it."""
    if "$ref" in one:
        return {"anyOf": [one, null]}
    one = {**one, "type": [one["type"], "null"]}
    return one | ({"enum": [*one["enum"], None]} if "enum" in one else {})


def _or_number(code: Schema) -> Schema:
    """A code as the number for which an editor takes it."""
    number = {"type": ["string", "number"], "minimum": 1, "exclusiveMaximum": 10}
    return code | number | {"not": {"type": "integer"}}
