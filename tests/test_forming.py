"""A procedure's form and its text are one: nothing is lost on the way to and fro."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from states.catalogue import forming, lengths, load
from states.catalogue.checking import lint
from states.clock import Term
from states.clock.words import Lang
from states.errors import BadInput
from states.yaml_files import editing

FOLDER = Path(__file__).parents[1] / "config" / "sample" / "procedures"
FILES = sorted(FOLDER.glob("*.yaml"))
TEXT = (FOLDER / "2.000205.yaml").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.stem)
def test_a_form_sent_as_it_was_filled_changes_nothing(file):
    text = file.read_text()
    assert forming.written(text, forming.filled(text)) == text


def test_what_is_typed_is_said_and_the_comments_stay():
    made = forming.written(
        TEXT,
        {
            "term": ["4wd"],
            "fee": ["450000"],
            "channels.come?": [""],
            "channels.come": ["counter"],
            "stages.0.produces": ["Tờ trình\nPhiếu trình"],
            "stages.1.unit": [""],
            "components.4.digitised": ["false"],
        },
    )
    said = editing.plain(made)
    assert (said["term"], said["fee"]) == ("4wd", 450000)
    assert said["channels"]["come"] == ["counter"]
    assert said["stages"][0]["produces"] == ["Tờ trình", "Phiếu trình"]
    assert "unit" not in said["stages"][1]
    assert said["components"][4]["digitised"] is False
    assert made.startswith("# yaml-language-server")


def test_what_is_no_number_is_written_and_the_checker_says_so():
    made = forming.written(TEXT, {"fee": ["sáu trăm"]})
    found = lint("x", made.encode(), load()).findings
    assert [each.field for each in found if each.severity == "error"] == ["fee"]


def test_a_reason_that_is_emptied_goes_whole():
    said = {"post.eligible": ["false"], "post.reason.vi": ["Bản gốc"], "post.reason.en": ["x"]}
    made = forming.written(TEXT, said)
    assert editing.plain(made)["post"]["reason"] == {"vi": "Bản gốc", "en": "x"}
    back = {"post.eligible": ["true"], "post.reason.vi": [""], "post.reason.en": [""]}
    for each in (made, made.replace("{vi: Bản gốc, en: x}", "\n    vi: Bản gốc\n    en: x")):
        assert editing.plain(forming.written(each, back))["post"] == {"eligible": True}


def test_items_are_added_moved_and_taken_out():
    made = forming.acted(TEXT, "stages.add")
    assert forming.size(made, "stages") == 4
    assert forming.acted(made, "stages.3.remove") == TEXT
    moved = forming.acted(TEXT, "stages.2.up")
    assert [each["code"] for each in editing.plain(moved)["stages"]][1] == "ky-duyet"
    assert forming.acted(moved, "stages.1.down") == TEXT
    for act in ("stages.9.remove", "terms.add", "stages.-1.up", ""):
        with pytest.raises(BadInput):
            forming.acted(TEXT, act)


def test_the_next_version_says_its_number_and_day():
    made = editing.plain(forming.renumbered(TEXT + "valid_until: 2024-01-01\n", 2, "2025-01-01"))
    assert (made["version"], made["valid_from"]) == (2, "2025-01-01")
    assert "valid_until" not in made


TYPED = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40).map(str.strip)


@settings(max_examples=80)
@given(
    st.sampled_from(FILES),
    st.dictionaries(
        st.sampled_from(["name.vi", "term", "transfer_by", "stages.0.unit", "components.0.code"]),
        TYPED.map(lambda each: [each]),
    ),
)
def test_what_was_typed_is_what_the_form_shows_next(file, typed):
    made = forming.written(file.read_text(), typed)
    shown = forming.filled(made)
    emptied = {"components.0.code": [""]}  # is made of the name
    assert all(shown[name] == said for name, said in typed.items() if {name: said} != emptied)
    assert forming.written(made, shown) == made


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize(
    "term", ["1wd", "15wd", "0.5wd", "1cd", "30cd", "8wh", "0.5wh", "sameday@14:30", "none"]
)
def test_a_term_is_read_as_it_is_shown(term, lang):
    assert lengths.typed(lengths.in_words(term, lang)) == term
    assert lengths.typed(term) == term


def test_a_term_is_typed_in_words():
    said = {"stages.0.term": ["2  Ngày làm việc"], "supplement.lapse": ["30 ngày"]}
    made = editing.plain(forming.written(TEXT, said | {"term": ["vài ngày"]}))
    assert made["stages"][0]["term"] == "2wd"
    assert made["supplement"]["lapse"] == "30cd"
    assert made["term"] == "vài ngày"  # the checker says what is wrong with it


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("file", FILES, ids=lambda each: each.stem)
def test_a_form_in_words_sent_as_it_was_filled_says_the_same(file, lang):
    text = file.read_text()
    made = editing.plain(forming.written(text, forming.filled(text, lang)))
    was = editing.plain(text)
    for each in (made, was):  # `sameday` is the same as with the hour it means
        each["term"] = Term.parse(str(each["term"]))
        for stage in each["stages"]:
            stage["term"] = Term.parse(str(stage["term"]))
    assert made == was


def test_a_code_left_empty_is_made_of_the_name():
    made = forming.acted(forming.acted(TEXT, "components.add"), "components.add")
    n = forming.size(TEXT, "components")
    name = ["Đơn đề nghị, theo mẫu 2"]
    said = {f"components.{n}.name.vi": name, f"components.{n + 1}.name.vi": name}
    codes = [each["code"] for each in editing.plain(forming.written(made, said))["components"]]
    assert codes[n:] == ["don-de-nghi-theo-mau-2", "don-de-nghi-theo-mau-2-2"]
