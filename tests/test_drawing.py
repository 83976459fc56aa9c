"""The pages that are drawn from the lifecycle are as they would be drawn now."""

from pathlib import Path

from states import drawing

ROOT = Path(__file__).parent.parent


def test_the_lifecycles_page_is_not_stale():
    assert (ROOT / "docs/lifecycle.md").read_text(encoding="utf-8") == drawing.page()


def test_the_readmes_picture_is_not_stale():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert drawing.BEGIN in text
    assert drawing.within(text) == text


def test_a_page_without_marks_is_left_alone():
    assert drawing.within("nothing of ours") == "nothing of ours"
