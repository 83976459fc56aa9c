"""The published schema: what an editor accepts of a bundle, the model accepts, and no more."""

import copy
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from pydantic import ValidationError

from states import yaml_files
from states.catalogue import schema
from states.catalogue.organisation import UnitCode, Word
from states.catalogue.procedures import Code, Procedure, Regime, Suffix, TimeOfDay
from states.clock import Term
from states.errors import BadFile, BadInput

SAMPLE = Path(str(resources.files("config"))) / "sample" / "procedures"
FILES = sorted(SAMPLE.glob("*.yaml"))
SCHEMA = schema.procedure_schema()
FORMATS = Draft202012Validator.FORMAT_CHECKER
EDITOR = Draft202012Validator(SCHEMA, format_checker=FORMATS)


# As an editor reads YAML: the core schema of YAML 1.2 --------------------------------------


class Core(yaml.BaseLoader):
    """PyYAML's parser without its YAML 1.1: 2023-01-01 is text here, and so are off and 15:00."""


CORE = {
    "null": (r"~|null|Null|NULL|", lambda text: None),
    "bool": (r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    "int": (r"[-+]?[0-9]+", int),
    "octal": (r"0o[0-7]+", lambda text: int(text, 8)),
    "hex": (r"0x[0-9a-fA-F]+", lambda text: int(text, 16)),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
    "inf": (r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", lambda text: float(text.replace(".", ""))),
}
for kind, (shape, make) in CORE.items():
    Core.add_implicit_resolver(kind, re.compile(f"^(?:{shape})$"), None)
    Core.add_constructor(kind, lambda loader, node, make=make: make(node.value))


def read(text: str) -> Any:
    return yaml.load(text, Loader=Core)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("2.000205", 2.000205), ("2023-01-01", "2023-01-01"), ("15:00", "15:00"), ("off", "off"),
        ("yes", "yes"), ("010", 10), ("0o17", 15), ("0x1F", 31), ("1e3", 1000.0), ("+5", 5),
        ("", None), ("~", None), ("Null", None), ("TRUE", True), ("15wd", "15wd"),
        ('"5"', "5"), ("'null'", "null"), ("1_000", "1_000"), ("[]", []), ("{}", {}),
        ("-.inf", -1e999),
    ],
)  # fmt: skip
def test_an_editor_s_scalars(written: str, means: object) -> None:
    read_as = read(f"it: {written}")["it"]
    assert (read_as, type(read_as)) == (means, type(means))


# The sample --------------------------------------------------------------------------------


def test_there_is_a_sample() -> None:
    assert len(FILES) >= 33


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.stem)
def test_an_editor_marks_nothing_in_the_sample(file: Path) -> None:
    bundle = read(file.read_text(encoding="utf-8"))
    assert isinstance(bundle["code"], float)  # which is why a code may be a number here
    assert [each.message for each in EDITOR.iter_errors(bundle)] == []


# Schema and model agree --------------------------------------------------------------------

FULL = "9.000301"  # every part of the model is in it


def model_refuses(text: str) -> bool:
    try:
        yaml_files.validate(Procedure, yaml_files.parse("it.yaml", text.encode()))
    except BadFile:
        return True
    return False


def written(code: str, old: str, new: str) -> str:
    text = (SAMPLE / f"{code}.yaml").read_text(encoding="utf-8")
    assert old in text, old
    return text.replace(old, new, 1)


ALL = "[counter, online, post]"
BAD = [
    # keys
    ("level: province", "levl: province"),
    ("level: province", "level: province\nurgent: true"),
    ("  times: 1\n", "  times: 1\n  tiems: 2\n"),
    ("  eligible: true\n", ""),
    ("fee: 0\n", ""),
    ("version: 1\n", ""),
    ("    required: true\n", ""),
    ("    accept: manual\n", ""),
    ("    role: officer\n", ""),
    ("  mode: restart\n", ""),
    ("      person: p-sci-officer-11", "      persn: p-sci-officer-11"),
    ("en: Appraisal", "english: Appraisal"),
    (", en: Prices of the equipment", ""),
    ("    verified: false", "    checked: false"),
    # words to choose from
    ("level: province", "level: nation"),
    ("level: full", "level: most"),
    ("role: officer", "role: citizen"),
    ("role: officer", "role: postal"),
    ("role: leader", "role: Leader"),
    ("region: mountain", "region: hills"),
    ("channel: online", "channel: e-mail"),
    ("come: [counter, online, post]", "come: [counter, fax]"),
    ("channel: [post]", "channel: post"),
    ("mode: restart", "mode: pause"),
    ("policy: day", "policy: week"),
    ("policy: day", "policy:"),
    ("accept: auto", "accept: automatic"),
    # terms
    ("term: 15wd", "term: 15"),
    ("term: 15wd", "term: 15 wd"),
    ("term: 15wd", "term: 15d"),
    ("term: 15wd", "term: 0wd"),
    ("term: 15wd", "term: -1wd"),
    ("term: 15wd", "term: 36501wd"),
    ("term: 15wd", "term:"),
    ("term: 15wd", "term: [15wd]"),
    ("term: 15wd", "term: None"),
    ("term: 18wd", "term: 18.5cd"),
    ("term: 7wd", "term: 7,5wd"),
    ("term: 3wd", "term: sameday@25:00"),
    ("lapse: 30cd", "lapse: a month"),
    ("notice: 3wd", "notice: 3"),
    ("before: 1wd", "before: 1d"),
    # dates, times, codes
    ("valid_from: 2023-01-01", "valid_from: 01/01/2023"),
    ("valid_from: 2023-01-01", "valid_from: 2023-02-30"),
    ("valid_from: 2023-01-01", "valid_from: 20230101"),
    ("valid_from: 2023-01-01", "valid_from: 2023-01-01T00:00"),
    ('"15:00"', '"24:00"'),
    ('"15:00"', "3pm"),
    ('"15:00"', "1500"),
    ("code: 9.000301", "code: 9.00301x"),
    ("code: 9.000301", "code: 9000301"),
    ("code: 9.000301", "code: 9"),
    ("code: 9.000301", "code: 90.00301"),
    ("code: 9.000301", "code: 0.900301"),
    ("code: 9.000301", 'code: "9.301"'),
    ("code: 9.000301", "code: 9.000301.000.00.00.H42"),
    ("code: 9.000301", "code: 9.000301\nsuffix: H42"),
    ("code: 9.000301", "code: 9.000301\nregime: 2025"),
    ("agency: H42.03", "agency: H42"),
    ("field: khoa-hoc", "field: Khoa học"),
    ("code: tham-dinh", "code: Thẩm định"),
    ("code: tham-dinh", "code: 7"),
    ("returns: [xem-xet]", "returns: [Xem xet]"),
    ("person: p-sci-officer-11", "person: Bà Lan"),
    # kinds of value
    ("fee: 0", "fee: 12.5"),
    ("fee: 0", 'fee: "0"'),
    ("fee: 0", "fee: -1"),
    ("fee: 0", "fee: free"),
    ("fee: 0", "fee: false"),
    ("version: 1", "version: 0"),
    ("version: 1", "version: one"),
    ("originals: 1", "originals: true"),
    ("copies: 0", "copies: -1"),
    ("required: true", "required: yes"),
    ("required: true", "required: 1"),
    ("least_loaded: true", "least_loaded: on"),
    ("times: 1", "times: 21"),
    ("next: [xem-xet]", "next: xem-xet"),
    ("needs: [don]", "needs: don"),
    ("needs: [don]", "needs:"),
    ("produces: [Kết quả giải quyết]", 'produces: [""]'),
    ("instrument: Mẫu số 04", "instrument: 4"),
    ("name: {vi: Thẩm định hồ sơ, en: Appraisal}", "name: Appraisal"),
    ("name: {vi: Thẩm định hồ sơ, en: Appraisal}", "name: [Appraisal]"),
    ("name: {vi: Thẩm định hồ sơ, en: Appraisal}", 'name: {vi: "", en: Appraisal}'),
    (f"channels:\n  come: {ALL}\n  go: {ALL}", f"channels: {ALL}"),
    ("vi: Mẫu sản phẩm", f"vi: {'a' * 1001}"),
]


@pytest.mark.parametrize(("old", "new"), BAD, ids=[new[:40] for _, new in BAD])
def test_what_the_model_refuses_an_editor_marks(old: str, new: str) -> None:
    text = written(FULL, old, new)
    assert model_refuses(text)
    assert not EDITOR.is_valid(read(text))


GOOD = [
    ("code: 9.000301", 'code: "9.000301"'),
    ("code: 9.000301", "code: '1.000000'  # quoted, for an editor sees the number 1"),
    ("code: 9.000301", "code: 9.000301\nsuffix: 000.00.00.H42"),
    ("code: 9.000301", "code: 9.000301\nregime: R2025"),
    ("code: 9.000301", "code: 9.000301\ncalendar: vn"),
    ("code: 9.000301", "code: 9.000301\nsuffix:\nregime: null\ncalendar: ~"),
    ("valid_from: 2023-01-01", 'valid_from: "2024-02-29"\nvalid_until: 2024-12-31'),
    ("valid_from: 2023-01-01", "valid_from: 2023-01-01\nvalid_until:"),
    ('"15:00"', "15:00"),
    ('"15:00"', ""),
    ("term: 15wd", "term: sameday@14:30"),
    ("term: 15wd", "term: none"),
    ("term: 15wd", "term: 0.5wd"),
    ("term: 15wd", "term: 36500cd"),
    ("region: mountain", "region:"),
    ("unit: H42.03.01  #", "unit:  #"),
    ("next: [xem-xet]", "next:"),
    ("next: [xem-xet]", "next: []"),
    ("returns: [xem-xet]", "returns: []"),
    ("about: {vi: Đơn giá thiết bị, en: Prices of the equipment}", "about:"),
    ("  level: full", "  level: none"),
    ("online:\n  level: full\n", "online:\n"),
    ("instrument: Mẫu số 04", 'instrument: "04"'),
    ("mode: restart", "mode: hold"),
    ("policy: day", "policy: instant"),
    ("vi: Mẫu sản phẩm", f"vi: {'ạ' * 1000}"),
]


@pytest.mark.parametrize(("old", "new"), GOOD, ids=[new[:40] for _, new in GOOD])
def test_what_the_model_takes_an_editor_leaves_unmarked(old: str, new: str) -> None:
    text = written(FULL, old, new)
    assert not model_refuses(text)
    assert [each.message for each in EDITOR.iter_errors(read(text))] == []


SEEN_OTHERWISE = [  # what is written, and whether the model refuses it
    ("instrument: Mẫu số 04", "instrument: 04", False),  # quotes mend it
    ("document: Luật Chuyển giao công nghệ 07/2017/QH14", "document: 1.5", False),
    ("fee: 0", "fee: 5.0", True),
    ("fee: 0", "fee: 1e3", True),
    ("code: 9.000301", "code: 9.0003", True),
]


@pytest.mark.parametrize(("old", "new", "refused"), SEEN_OTHERWISE)
def test_where_an_editor_reads_another_value_the_two_differ(
    old: str, new: str, refused: bool
) -> None:
    text = written(FULL, old, new)
    assert model_refuses(text) is refused
    assert EDITOR.is_valid(read(text)) is refused


def test_every_value_is_judged_alike_wherever_it_stands() -> None:
    """Of a full bundle every value by each odd one, and every key left out or misspelt."""
    whole = full()
    for changed in odd(whole):
        assert EDITOR.is_valid(changed) == taken(changed), difference(whole, changed)


ODD = (None, True, 0, 7, "", "x", "15wd", "2024-02-29", "H42.05", "post", [], ["post", "post"],
       {"vi": "a", "en": "b"})  # fmt: skip


def full() -> dict[str, Any]:
    """One bundle in which every key is there, and every list has one thing."""
    bundle = read((SAMPLE / f"{FULL}.yaml").read_text(encoding="utf-8"))
    ground = {"document": "Luật", "article": "Điều 1", "verified": True}
    name = {"vi": "vì", "en": "for"}
    bundle |= {
        "code": "9.000301", "suffix": "000.00.00.H42", "valid_until": "2024-12-31",
        "calendar": "vn", "regime": "R2021", "grounds": [ground], "online": {"level": "partial"},
    }  # fmt: skip
    bundle["online"]["reason"] = bundle["post"]["reason"] = name
    bundle["terms"] = [{"term": "18wd", "channel": "post", "region": "island", "ground": ground}]
    stage = bundle["stages"][0] | bundle["stages"][1] | bundle["stages"][2]
    route = {"place": ["duy-tien"], "unit": "H42.03.01", **stage["routes"][0], "least_loaded": True}
    stage |= {"routes": [route | stage["routes"][1]], "consults": stage["consults"][:1]}
    bundle["stages"] = [stage]
    bundle["components"] = [bundle["components"][2] | {"reusable": True}]
    return bundle


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value, from the outside in."""
    if path:
        yield path
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield from places(data[key], (*path, key))


def odd(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Copies with one value changed; of names and grounds, which are many, only some."""
    many = {"vi", "en", "document", "article", "verified"}
    known = {path[-2:] if path[-1] in many else path: path for path in places(whole)}
    for *path, key in known.values():
        for value in (*ODD, "left out", "spelt otherwise"):
            changed = copy.deepcopy(whole)
            there = changed
            for each in path:
                there = there[each]
            if value == "left out":
                del there[key]
            elif value == "spelt otherwise" and isinstance(there, dict):
                there[f"{key}s"] = there.pop(key)
            else:
                there[key] = value
            yield changed


def taken(data: dict[str, Any]) -> bool:
    try:
        Procedure.model_validate_json(json.dumps(data))
    except ValidationError:
        return False
    return True


def difference(one: Any, other: Any) -> list[str]:
    lines = [json.dumps(each, ensure_ascii=False, indent=1).splitlines() for each in (one, other)]
    return sorted(set(lines[0]) ^ set(lines[1]))


def test_the_full_bundle_is_full() -> None:
    assert taken(full())
    keys = {
        (name, key)
        for name, part in [("Procedure", SCHEMA), *SCHEMA["$defs"].items()]
        for key in part.get("properties", ())
    }
    assert len(keys) > 75
    there = {path[-1] for path in places(full())}
    assert {key for _, key in keys} <= there


# Shapes ------------------------------------------------------------------------------------


def matches(kind: str, text: str) -> bool:
    return re.search(schema.FORMATS[kind]["pattern"], text, re.ASCII) is not None


NEARLY = st.one_of(
    st.from_regex(r"[0-9]{0,10}(\.[0-9]{0,5})?(wd|cd|wh|d|)", fullmatch=True),
    st.from_regex(r"0{0,3}3?[56][0-9]{0,4}(\.0{0,5})?(wd|cd|wh)", fullmatch=True),
    st.from_regex(r"(sameday)?@?[0-3]?[0-9]:[0-6][0-9]", fullmatch=True),
    st.sampled_from(["none", "sameday", "None", "sameday@", "0.0wd", "36500.0cd", "36500.1wd"]),
    st.text(alphabet="0159.wdch@-+ ", max_size=8),
)


@given(NEARLY)
@example("0000000015wd")
@example("000000015wd")
@example("10.0000cd")
@example("36500.0000wh")
@example("0.00001wd")
@example("٣wd")
def test_the_pattern_of_a_term_takes_what_the_clock_takes(text: str) -> None:
    try:
        Term.parse(text)
    except BadInput:
        assert not matches("term", text)
    else:
        assert matches("term", text)


@given(st.dates(), st.integers(0, 99))
def test_a_date_is_the_day_and_nothing_more(day: date, rest: int) -> None:
    assert matches("date", f"{day}")
    assert not matches("date", f"{day}T{rest:02}:00")
    assert not matches("date", f"{day + timedelta(0):%d/%m/%Y}")


def test_the_patterns_are_the_model_s() -> None:
    """What is said instead of a pattern is said for this very pattern."""
    own = {
        each.__metadata__[0].pattern for each in (Code, Suffix, UnitCode, Word, TimeOfDay, Regime)
    }
    terms_and_days = {each["pattern"] for each in schema.FORMATS.values()}
    assert set(schema.EXPECTED) == own | terms_and_days


# What an editor shows ----------------------------------------------------------------------


def parts(of: Any) -> Iterator[dict[str, Any]]:
    """Every map in the schema, however deep."""
    if isinstance(of, dict):
        yield of
    for each in of.values() if isinstance(of, dict) else of if isinstance(of, list) else ():
        yield from parts(each)


def test_it_is_json_schema_under_both_drafts() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft7Validator.check_schema(SCHEMA)
    older = Draft7Validator(SCHEMA, format_checker=Draft7Validator.FORMAT_CHECKER)
    assert older.is_valid(full())
    for old, new in BAD[::5]:
        assert not older.is_valid(read(written(FULL, old, new)))


def test_nothing_in_it_is_open() -> None:
    closed = [each for each in parts(SCHEMA) if "properties" in each and "type" in each]
    assert len(closed) == 13
    assert all(each["additionalProperties"] is False for each in closed)


def test_every_key_says_what_it_is_and_shows_how_it_looks() -> None:
    for name, part in [("Procedure", SCHEMA), *SCHEMA["$defs"].items()]:
        assert part["title"]
        assert part["description"].endswith(".")
        assert "\n" not in part["description"]
        for key, value in part.get("properties", {}).items():
            assert value["description"].endswith("."), (name, key)
            assert value["description"][0].isupper(), (name, key)
            explained = {"enum", "$ref", "anyOf", "items"} & set(value)
            plain = value.get("type") == "boolean"
            assert plain or explained or value["examples"], (name, key)


def test_no_key_is_explained_that_is_not_there() -> None:
    known = {
        name: set(part["properties"])
        for name, part in [("Procedure", SCHEMA), *SCHEMA["$defs"].items()]
        if "properties" in part
    }
    assert {name: set(keys) for name, keys in schema.KEYS.items()} == known


def test_the_examples_are_right() -> None:
    shown = [each for each in parts(SCHEMA) if isinstance(each.get("examples"), list)]
    assert len(shown) > 30
    for each in shown:
        there = {"$defs": SCHEMA["$defs"], **each}
        for one in each["examples"]:
            Draft202012Validator(there, format_checker=FORMATS).validate(one)


def test_every_word_to_choose_is_explained() -> None:
    chosen = [each for each in parts(SCHEMA) if isinstance(each.get("enum"), list)]
    words = {word for each in chosen for word in each["enum"] if word is not None}
    assert words == set(schema.MEANS)
    for each in chosen:
        assert len(each["enumDescriptions"]) == len(each["enum"])


def test_the_roles_of_a_stage_are_those_that_decide() -> None:
    assert SCHEMA["$defs"]["Stage"]["properties"]["role"]["enum"] == ["officer", "leader"]


def test_what_is_published() -> None:
    text = schema.text()
    assert text.endswith("}\n")
    assert json.loads(text) == SCHEMA
    assert text == schema.text()
    assert "Phiếu trình giải quyết" in text
    assert SCHEMA["$id"] == "urn:hoso:procedure:1"
    assert re.findall(r"https?://[^\"]*", text) == [schema.DIALECT]
