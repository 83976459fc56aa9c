"""Values put into texts: what is meant is said, and nothing else is touched."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from states.errors import BadFile, BadInput
from states.yaml_files.editing import append, drop, move, plain, put
from states.yaml_files.writing import written

SAMPLE = """\
# the head
code: 2.000205  # the code
term: 5wd
name: {vi: Tên, en: "Name: it"}
stages:
  # the first
  - code: a
    name: {vi: A, en: A}
    needs: [x, y]

  # the second
  - code: b   # of two
    note: |
      a text
      on lines

fee: 0
"""
FOLDER = Path(__file__).parents[1] / "config" / "sample" / "procedures"


def test_a_value_is_replaced_and_its_comment_stays():
    made = put(SAMPLE, ("code",), "2.000206")
    assert made == SAMPLE.replace("2.000205", "2.000206")
    assert put(SAMPLE, ("name", "en"), "Other") == SAMPLE.replace('"Name: it"', '"Other"')
    assert put(SAMPLE, ("stages", 0, "needs"), ["z"]) == SAMPLE.replace("[x, y]", "[z]")


def test_a_text_on_lines_is_replaced_whole():
    made = put(SAMPLE, ("stages", 1, "note"), "short")
    assert "    note: short\n\nfee: 0\n" in made


def test_a_new_key_stands_in_its_order_and_parents_are_made():
    made = put(SAMPLE, ("transfer_by",), "15:00", ("code", "term", "transfer_by", "fee"))
    assert "term: 5wd\ntransfer_by: 15:00\nname:" in made
    made = put(SAMPLE, ("post", "reason", "vi"), "Vì: thế")
    assert plain(made)["post"] == {"reason": {"vi": "Vì: thế"}}
    assert put(SAMPLE, ("name", "zh"), "名") == SAMPLE.replace('it"}', 'it", zh: 名}')


def test_keys_and_items_are_taken_out_with_their_lines_only():
    assert drop(SAMPLE, ("term",)) == SAMPLE.replace("term: 5wd\n", "")
    assert "# the first\n" in drop(SAMPLE, ("stages", 0))
    assert drop(SAMPLE, ("stages", 0, "needs", 0)) == SAMPLE.replace("[x, y]", "[y]")
    assert drop(SAMPLE, ("stages", 0, "needs", 1)) == SAMPLE.replace("[x, y]", "[x]")
    assert plain(drop(SAMPLE, ("stages", 0, "code")))["stages"][0].keys() == {"name", "needs"}
    assert "stages: []" in drop(drop(SAMPLE, ("stages", 0)), ("stages", 0))


def test_items_are_added_as_the_others_are_written():
    made = append(SAMPLE, ("stages",), {"code": "c", "name": {"vi": "C", "en": "C"}})
    assert "on lines\n  - code: c\n    name: {vi: C, en: C}\n\nfee" in made
    empty = "stages: []  # none\nfee: 0\n"
    assert append(empty, ("stages",), {"code": "c", "unit": None}) == (
        "stages:  # none\n  - code: c\n    unit: null\nfee: 0\n"
    )
    assert append("fee: 0\n", ("stages",), {"code": "c"}) == "fee: 0\nstages:\n  - code: c\n"


def test_an_item_moves_with_its_comments_and_back():
    made = move(SAMPLE, ("stages", 1), -1)
    assert made.index("# the second") < made.index("# the first")
    assert [each["code"] for each in plain(made)["stages"]] == ["b", "a"]
    assert move(made, ("stages", 0), 1) == SAMPLE
    assert move(SAMPLE, ("stages", 0), -1) == SAMPLE


def test_what_no_form_can_change_is_said():
    with pytest.raises(BadFile):
        put("a: [", ("a",), 1)
    with pytest.raises(BadInput, match="nothing at"):
        put("a: [1]\n", ("a", 4), 1)


@given(st.text(max_size=30))
def test_whatever_is_written_is_read_again_or_refused_as_text(text):
    for made in (f"k: {written(text)}", f"[{written(text)}]", f"{{k: {written(text)}, l: 1}}"):
        try:
            said = plain(made)
        except BadFile:  # a control character, which no text of ours holds
            assert any(not each.isprintable() for each in text)
            return
        assert next(iter(said.values()) if isinstance(said, dict) else iter(said)) == text


PLACES = st.sampled_from(["name.vi", "term", "fee", "stages.0.name.en", "components.0.copies"])
VALUES = st.one_of(st.integers(0, 10**9), st.text(st.characters(categories=["L", "N", "P"])))


@settings(max_examples=60)
@given(st.sampled_from(sorted(FOLDER.glob("*.yaml"))), PLACES, VALUES)
def test_every_sample_is_edited_in_place_and_back_to_the_letter(file, place, value):
    text = file.read_text()
    path = tuple(int(each) if each.isdecimal() else each for each in place.split("."))
    was = plain(text)
    for step in path:
        was = was[step]
    made = put(text, path, value)
    assert len(made.splitlines()) == len(text.splitlines())
    assert plain(put(made, path, was)) == plain(text)
    assert [row for row in made.splitlines() if row.lstrip().startswith("#")] == [
        row for row in text.splitlines() if row.lstrip().startswith("#")
    ]
