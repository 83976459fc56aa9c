"""Templates that speak of rules are checked against those in force."""

import pytest
from bundled import SAMPLE

from states import catalogue
from states.catalogue import publishing
from states.catalogue.rows import Kind

BOOK = catalogue.load()
TEMPLATES = (SAMPLE / "templates.yaml").read_text(encoding="utf-8")
NEAR = "    on: {what: [alert]}\n"


def told(on: str) -> list[tuple[str, str | None, str, str]]:
    """What is found where a template is for these alerts."""
    assert TEMPLATES.count(NEAR) == 1
    text = TEMPLATES.replace(NEAR, f"    on: {on}\n").encode()
    linted = publishing.lint(Kind.templates, "templates.yaml", text, BOOK)
    at = TEMPLATES[: TEMPLATES.index(NEAR)].count("\n") + 1
    assert {each.line for each in linted.findings} <= {at}
    return [(each.severity, each.field, each.why, each.mend) for each in linted.findings]


@pytest.mark.parametrize(
    "on",
    [
        "{what: [alert]}",
        "{rules: [term-near, term-late]}",
        "{what: [alert, breach], rules: [term-near, stage-late]}",
    ],
)
def test_rules_that_are_there_are_as_they_should_be(on: str) -> None:
    assert told(on) == []


def test_a_rule_that_nobody_has_is_named_with_the_one_that_may_be_meant() -> None:
    (severity, field, why, mend), other = told("{rules: [term-near, term-latte, flood]}")
    assert (severity, why) == ("error", "no rule in force is term-latte")
    assert field is not None
    assert field.endswith("on.rules.1")
    assert mend == "name one that is: did you mean term-late?"
    assert other[2] == "no rule in force is flood"
    assert "there are apology-due, " in other[3]


def test_a_rule_of_another_kind_is_never_told() -> None:
    [(severity, _, why, mend)] = told("{what: [alert], rules: [term-near, term-late]}")
    assert (severity, why) == ("warning", "term-late is of breach, and never of alert")
    assert mend == "leave it out, or add breach to what"
