"""The checker: a hundred seeded faults, each found at its place, and nothing in the sample."""

from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

import pytest
from faults import BRANCHED, COPY, FAULTS, IN_DAYS, OPEN, PERMIT, Fault
from hypothesis import given, settings
from hypothesis import strategies as st

from states import yaml_files
from states.catalogue import Version, load
from states.catalogue.checking import (
    Linted,
    Severity,
    lint,
    lint_alone,
    lint_organisation,
)
from states.catalogue.checking.linting import MOST
from states.catalogue.organisation import Organisation, Place, Point
from states.catalogue.procedures import Procedure
from states.catalogue.regimes import Regimes
from states.errors import BadFile

SAMPLE = Path(str(resources.files("config"))) / "sample"
BUNDLES = sorted(SAMPLE.glob("procedures/*.yaml"))
BOOK = load()
VI = {"vi": "một", "en": "one"}


@cache
def bundle(code: str) -> str:
    return (SAMPLE / "procedures" / f"{code}.yaml").read_text(encoding="utf-8")


def linted(text: str, around: str = "sample") -> Linted:
    return lint("a.yaml", text.encode(), AROUND[around])


# What is around -----------------------------------------------------------------------------


def changed(**parts):
    """The sample with another organisation."""
    kept = {name: getattr(BOOK.organisation, name) for name in Organisation.model_fields}
    return replace(BOOK, organisation=Organisation(**(kept | parts)))


def each(rows, code, **update):
    """The rows, one of them updated."""
    named = (getattr(row, "code", None) or row.id for row in rows)
    pairs = zip(named, rows, strict=True)
    return tuple(row.model_copy(update=update) if name == code else row for name, row in pairs)


def published():
    """Two versions of the branched one, 1 and 3."""
    first = BOOK.versions[BRANCHED][0]
    third = Version(3, date(2024, 1, 1), None, first.says)
    return replace(BOOK, versions={**BOOK.versions, BRANCHED: (first, third)})


org = BOOK.organisation
LEAD = org.by_id["p-sci-lead-01"].positions[0]
AROUND = {
    "sample": BOOK,
    "published": published(),
    "plain": changed(places=(Place(code="xa-a", name=VI, region="plain"),)),
    "no labour": changed(agencies=each(org.agencies, "H42.05", until=date(2022, 12, 31))),
    "merged": changed(
        units=each(org.units, "H42.07.02", until=date(2022, 12, 31), successor="H42.07.01")
    ),
    "merging": changed(
        units=each(org.units, "H42.04.01", until=date(2025, 6, 30), successor="H42.04.02")
    ),
    "founded": changed(units=each(org.units, "H42.03.09", since=date(2024, 1, 1))),
    "leaving": changed(
        people=each(
            org.people,
            "p-sci-lead-01",
            positions=(LEAD.model_copy(update={"until": date(2023, 6, 30)}),),
        )
    ),
    "provincial": changed(agencies=each(org.agencies, "H42.03", calendar="province")),
    "no post": changed(points=(Point(code="a", name=VI, kind="counter", unit="H42.14.01"),)),
}


# Seeded faults ------------------------------------------------------------------------------


def seeded(fault: Fault) -> str:
    text = bundle(fault.file)
    for old, new in fault.edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, mark: str) -> int:
    """Where a mark that is there once ends."""
    assert text.count(mark) == 1, (mark, text.count(mark))
    return text[: text.index(mark) + len(mark)].count("\n") + 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: f"{each.field}: {each.why}")
def test_a_seeded_fault_is_found_at_its_place(fault: Fault):
    text = seeded(fault)
    found = linted(text, fault.around)
    place = (Severity(fault.severity), line_of(text, fault.mark), fault.field)
    at_place = [e for e in found.findings if (e.severity, e.line, e.field) == place]
    assert any(fault.why in each.why for each in at_place), found.findings
    assert Counter(e.field for e in found.findings) == Counter([fault.field, *fault.also])
    assert found.errors is any(e.severity is Severity.error for e in found.findings)
    for said in (words for e in found.findings for words in (e.why, e.mend)):
        assert said == said.strip(" .:"), said


def test_there_are_a_hundred_of_them():
    assert len({(each.file, each.edits, each.around) for each in FAULTS}) >= 100


# What is right ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem)
def test_nothing_is_found_in_the_sample(path: Path):
    text = bundle(path.stem)
    found = linted(text)
    assert found.findings == ()
    assert found.procedure is not None
    assert found.procedure.code == path.stem
    assert not found.errors


PROPOSAL = "Phiếu trình giải quyết"
RIGHT = [  # what looks like a fault and is none
    # another law allows more
    (BRANCHED, (("times: 1\n  notice", "times: 2\n  notice"),
                ('61/2018/NĐ-CP, article: "Điều 19', '63/2010/NĐ-CP, article: "Điều 19'))),
    # stages in working days that fit into calendar days at Tet
    (IN_DAYS, (("9cd", "4wd"), ("3cd", "1wd"), ("2cd", "1wd"))),
    # calendar days shared out to the last
    (IN_DAYS, (("9cd", "10cd"),)),
    # no term, and one stage without: nothing goes round in it
    (OPEN, (("term: 2wd", "term: none"),)),
    # two hours from a minute before the cut-off to the end of the day
    (COPY, (("sameday@15:00", "sameday@14:30"),)),
    (BRANCHED, (("version: 1", "version: 2"), ("2023-01-01", "2024-01-01"))),
    # a stage that is sent back to nowhere, and one to which all of those before may be sent
    (BRANCHED, (("returns: [xem-xet]", "returns: []"),)),
    (BRANCHED, (("    returns: [kiem-tra, tham-dinh]\n", ""),)),
    (BRANCHED, (("needs: [don]", "needs: [don, dang-ky-kinh-doanh]"),)),
    # on every way to it
    (BRANCHED, (("next: [tham-dinh, xem-xet]", "next: [tham-dinh]"),
                ("next: [ky-duyet, end]", f"needs: [{PROPOSAL}]\n    next: [ky-duyet]"))),
    (PERMIT, (("term: 0.5wd", "term: 1wd"),)),
]  # fmt: skip


@pytest.mark.parametrize(("file", "edits"), RIGHT)
def test_what_is_right_is_left_alone(file, edits):
    assert linted(seeded(Fault(file, edits, "", None, ""))).findings == ()


def test_a_version_after_the_published_ones_is_no_clash():
    text = bundle(BRANCHED).replace("version: 1", "version: 4").replace("2023-01-01", "2024-01-02")
    assert linted(text, "published").findings == ()


def test_a_published_version_does_not_clash_with_itself():
    assert linted(bundle(BRANCHED), "published").findings == ()


# Everything at once -------------------------------------------------------------------------


def test_all_faults_of_the_model_are_told_by_line():
    text = bundle(PERMIT).replace("fee: 600000", "fee: none").replace("version: 1", "version: x")
    text = text.replace("policy: day\n", "polity: day\n").replace("term: 3wd", "term: 3")
    found = linted(text)
    assert found.procedure is None
    assert [e.field for e in found.findings] == [
        "policy",
        "version",
        "stages.0.term",
        "fee",
        "polity",
    ]
    with pytest.raises(BadFile) as first:
        yaml_files.validate(Procedure, yaml_files.parse("a.yaml", text.encode()))
    assert first.value.field == "version"  # what is missing may be misspelled: it is told last


def test_all_else_is_told_by_line():
    text = (
        bundle(BRANCHED).replace("[H42.14.01]", "[H42.14.77]").replace("lapse: 30cd", "lapse: none")
    )
    text = text.replace("[ky-duyet, end]", "[end]").replace("agency: H42.03", "agency: H42.77")
    found = linted(text)
    assert [(e.severity, e.field) for e in found.findings] == [
        ("error", "code"),
        ("error", "agency"),
        ("error", "stages.0.routes.1.received_at.0"),
        ("error", "stages.3"),
        ("error", "supplement.lapse"),
    ]
    assert [e.line for e in found.findings] == sorted(e.line for e in found.findings)


def test_every_form_has_an_example():
    text = bundle(BRANCHED)
    for old, new in (
        ("code: 9.000301", "code: 9.301\nsuffix: H42"),
        ("policy: day", "policy: day\nregime: '2021'"),
        ('transfer_by: "15:00"', 'transfer_by: "15h"'),
        ("agency: H42.03", "agency: Sở"),
        ("code: kiem-tra", "code: Kiểm tra"),
    ):
        text = text.replace(old, new, 1)
    found = linted(text).findings
    assert [e.mend.partition(" such as ")[2] or e.mend for e in found] == [
        "1.004650, without its local suffix",
        "000.00.00.H42",
        "H42.05.01",
        "15:00, between quotes",
        "write small letters without accents, digits and hyphens: tham-dinh",
        "R2021",
    ]
    [role] = linted(bundle(PERMIT).replace("role: officer", "role: clerk")).findings
    assert role.why == "must be one of: 'officer' or 'leader'"


def test_a_file_that_is_none():
    for raw, line, why in (
        (b"", 1, "empty"),
        (b"\xff", 1, "UTF-8"),
        (b"a" * 1_000_001, None, "larger"),
    ):
        [found] = lint("a.yaml", raw, BOOK).findings
        assert (found.severity, found.line, found.field) == (Severity.error, line, None)
        assert why in found.why
        assert found.mend


def test_a_procedure_without_stages():
    text = bundle(PERMIT)
    text = text[: text.index("stages:")] + "stages: []\n" + text[text.index("components:") :]
    [found] = linted(text).findings
    assert (found.field, found.line) == ("stages", line_of(text, "stages: []"))
    assert found.why == "must have at least one stage"


def test_lists_without_end_are_not_compared():
    ground = "  - document: Luật Chuyển giao công nghệ 07/2017/QH14\n    verified: false\n"
    assert bundle(BRANCHED).endswith(ground)
    found = linted(bundle(BRANCHED) + ground * MOST)
    assert [(e.field, e.why) for e in found.findings] == [
        ("grounds", f"has {MOST + 1} entries, more than the {MOST} that are checked")
    ]


def test_at_start_a_fault_says_how_to_mend_it_too(tmp_path):
    text = bundle(PERMIT).replace("agency: H42.05", "agency: H42.77")
    for name in ("organisation.yaml", "regimes.yaml", "calendars/vn.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((SAMPLE / name).read_bytes())
    (tmp_path / "procedures").mkdir()
    (tmp_path / "procedures" / f"{PERMIT}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadFile, match=r"there is no agency H42\.77: name one of H42\.02, "):
        load(tmp_path)


def test_the_organisation_and_the_regimes_are_linted_too():
    whole = (SAMPLE / "organisation.yaml").read_bytes()
    assert lint_organisation("o", whole) == Linted("o", None, ())
    text = whole.decode().replace("p-fin-officer-22", "p-fin-officer-21")
    text = text.replace("- van-hoa  #", "- van-hao  #")
    found = lint_organisation("o", text.encode())
    assert [e.field for e in found.findings] == [
        "fields.2.code",
        "agencies.0.fields.1",
        "people.47",
    ]
    assert found.errors
    whole = (SAMPLE / "regimes.yaml").read_bytes()
    assert lint_alone(Regimes, "r", whole) == Linted("r", None, ())
    found = lint_alone(Regimes, "r", whole.replace(b"since: 2025-07-01", b"since: 2025-07-02"))
    assert [e.field for e in found.findings] == ["regimes.2.since"]
    found = lint_alone(Regimes, "r", whole.replace(b"pattern:", b"patern:"))
    assert {e.field for e in found.findings} == {"numbering.0.patern", "numbering.0.pattern"}


LINES = [line for code in (BRANCHED, IN_DAYS, OPEN) for line in bundle(code).splitlines()]


EDITS = st.tuples(
    st.sampled_from(["drop", "put", "swap"]), st.integers(0, 110), st.sampled_from(LINES)
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([BRANCHED, OPEN, PERMIT]), st.lists(EDITS, min_size=1, max_size=4))
def test_whatever_is_written_is_answered(code, edits):
    lines = bundle(code).splitlines()
    for what, at, line in edits:
        at %= len(lines)
        if what == "put":
            lines.insert(at, line)
        elif what == "drop":
            del lines[at]
        else:
            lines[at] = line
    found = linted("\n".join(lines))
    assert (found.procedure is None) <= found.errors
    for each_ in found.findings:
        assert each_.line is None or 1 <= each_.line <= len(lines)
        assert each_.why
        assert each_.mend
