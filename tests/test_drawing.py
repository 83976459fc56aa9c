"""The pages that are drawn from the lifecycle are as they would be drawn now."""

from pathlib import Path

from states import drawing
from states.figures import every, page

ROOT = Path(__file__).parent.parent


def test_the_lifecycles_page_is_not_stale():
    assert (ROOT / "docs/lifecycle.md").read_text(encoding="utf-8") == drawing.page()


def test_the_readmes_picture_is_not_stale():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert drawing.BEGIN in text
    assert drawing.within(text) == text


def test_a_page_without_marks_is_left_alone():
    assert drawing.within("nothing of ours") == "nothing of ours"


def test_the_page_of_figures_is_not_stale():
    assert (ROOT / "docs/figures.md").read_text(encoding="utf-8") == page.page()


def test_the_page_of_figures_has_all_of_them():
    text = page.page()
    for report in every.REPORTS.values():
        assert f"## {report.name}: {report.title.vi}" in text
        for figure in report.form.figures if report.form else ():
            assert f"| `{figure.column.key}` | {figure.column.head.vi} |" in text
    assert "verdict = 'late'" in text
