"""The catalogue as files: the sample holds together, and every fault is told with its line."""

import shutil
from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from pydantic import ValidationError

from states import catalogue, yaml_files
from states.clock import Kind, Term
from states.errors import BadFile, Unknown
from states.words import Role

SAMPLE = Path(str(resources.files("config"))) / "sample"

# Seed of the pilot after Decision 468/QĐ-TTg: the eleven fields handed to the public post.
FIELDS = {
    "ngoai-vu", "giao-duc", "van-hoa", "lao-dong", "khoa-hoc", "thong-tin", "cong-thuong",
    "nong-nghiep", "tai-chinh", "khu-kinh-te", "an-toan-thuc-pham",
}  # fmt: skip


# The sample ---------------------------------------------------------------------------------


def test_the_sample_covers_the_pilot():
    sample = catalogue.load()
    assert set(sample.fields) == FIELDS
    assert len(sample.agencies) == 6
    assert len(sample.procedures) >= 33
    for field in FIELDS:
        assert sum(each.field == field for each in sample.procedures.values()) >= 3
    assert {each.level for each in sample.procedures.values()} == {"province"}
    assert sample.centre.code == "H42.14"
    assert sample.keeps == "vn"


def test_the_sample_has_every_kind_of_term():
    kinds = {each.term.kind for each in catalogue.load().procedures.values()}
    assert kinds == set(Kind) - {Kind.promise}


def test_the_postal_clerks_hold_no_other_role():
    sample = catalogue.load()
    clerks = [each.id for each in sample.people.values() if each.holds(Role.postal)]
    assert clerks == ["p-post-01", "p-post-02"]
    for clerk in clerks:  # the post receives and gives back; it decides nothing
        assert {each.role for each in sample.person(clerk).positions} == {Role.postal}
    assert len({each.name for each in sample.people.values()}) == len(sample.people)


def test_one_clerk_acts_for_six_agencies_while_the_document_holds():
    sample = catalogue.load()
    for agency in sample.agencies:
        assert sample.organisation.may_act_for("p-post-01", agency, date(2023, 1, 1))
        assert sample.organisation.may_act_for("p-post-01", agency, date(2024, 6, 30))
        assert not sample.organisation.may_act_for("p-post-01", agency, date(2022, 12, 31))
        assert not sample.organisation.may_act_for("p-post-01", agency, date(2028, 1, 1))
    assert not sample.organisation.may_act_for("p-post-01", "H42.14", date(2023, 5, 5))
    assert not sample.organisation.may_act_for("p-reception-01", "H42.02", date(2023, 5, 5))
    assert not sample.organisation.may_act_for("nobody", "H42.02", date(2023, 5, 5))
    assert not sample.organisation.may_act_for(
        "p-post-01", "H42.02", date(2023, 5, 5), Role.officer
    )


def test_a_procedure_by_its_national_code():
    sample = catalogue.load()
    copy = sample.procedure("1.005092")
    assert copy is sample.procedure("1.005092.000.00.00.H42")
    assert copy.term == Term.parse("sameday@15:00")
    with pytest.raises(Unknown, match=r"9\.999999"):
        sample.procedure("9.999999")
    with pytest.raises(Unknown, match="p-nobody"):
        sample.person("p-nobody")


def test_what_is_not_known_is_not_claimed():
    for each in catalogue.load().procedures.values():
        assert not each.figures_verified
        assert not (each.code.startswith("9.") and each.code_verified)
        assert each.grounds


def test_a_procedure_survives_being_written_and_read():
    for each in catalogue.load().procedures.values():
        assert catalogue.Procedure.model_validate_json(each.model_dump_json()) == each


def test_a_catalogue_does_not_change():
    with pytest.raises(ValidationError):
        catalogue.load().procedure("1.005092").fee = 5


def test_loaded_once():
    assert catalogue.load() is catalogue.load()


# Faults -------------------------------------------------------------------------------------


def edited(tmp_path, file, old, new):
    """A copy of the sample with one file edited; the path of that file and its text."""
    folder = tmp_path / "sample"
    shutil.copytree(SAMPLE, folder)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return folder, path, text


ORGANISATION = "organisation.yaml"
PERMIT = "procedures/2.000205.yaml"
COPY = "procedures/1.005092.yaml"
ADMISSION = "procedures/3.000181.yaml"
FAULTS = [  # file, what is written instead of what, a mark on the faulty line, field, words
    # the procedure, by itself
    (PERMIT, "fee: 600000", "fees: 600000", "fees: 600000", "fees", "not a key"),
    (PERMIT, "policy: day\n", "", "code: 2.000205", "policy", "required"),
    (PERMIT, "term: 5wd", "term: 5 days", "term: 5 days", "term", "not a term"),
    (PERMIT, "term: 5wd", "term: 5", "term: 5", "term", "not a term"),
    (PERMIT, "    term: 3wd", "    term: 0wd", "term: 0wd", "stages.0.term", "above 0"),
    (PERMIT, "2023-01-01", "2023-02-30", "2023-02-30", "valid_from", "date such as"),
    (PERMIT, "2023-01-01", "20230101", "20230101", "valid_from", "date such as"),
    (PERMIT, "2023-01-01", '"1700000000"', "1700000000", "valid_from", "date such as"),
    (PERMIT, "policy: day", "policy: day\nregime: 1945", "regime: 1945", "regime", "text"),
    (PERMIT, "policy: day", "policy: lenient", "lenient", "policy", "one of"),
    (PERMIT, "role: officer", "role: citizen", "role: citizen", "stages.0.role", "officer"),
    (PERMIT, "accept: manual", "accept: yes", "accept: yes", "stages.0.accept", "manual"),
    (PERMIT, "fee: 600000", "fee: 600.000", "fee: 600.000", "fee", "whole number"),
    (PERMIT, "fee: 600000", "fee: -1", "fee: -1", "fee", "at least 0"),
    (PERMIT, "required: true", "required: có", "required: có", "components.0.required", "true or"),
    (PERMIT, "version: 1", 'version: "1"', 'version: "1"', "version", "whole number"),
    (PERMIT, "  vi: Cấp", "  vi:\n  xx: Cấp", "  vi:", "name.vi", "must be text"),
    (PERMIT, "code: 2.000205", "code: 2.205", "code: 2.205", "code", "pattern"),
    (PERMIT, "  come: [counter, online, post]", "  come: counter", "come: counter",
     "channels.come", "list"),
    (PERMIT, "channels:\n  come: [counter, online, post]\n  go: [counter, online, post]",
     "channels: [post]", "channels: [post]", "channels", "must be a map"),
    # the procedure, against itself
    (PERMIT, "code: 2.000205", "code: 2.000206", "code: 2.000206", "code", "file's name"),
    (PERMIT, "come: [counter, online, post]", "come: [counter, counter]", "come: [counter, c",
     "channels.come.1", "twice"),
    (PERMIT, "come: [counter, online, post]", "come: []", "come: []", "channels.come", "at least"),
    (PERMIT, "eligible: true", "eligible: false", "post:", "post", "must have a reason"),
    (ADMISSION, "  come: [counter, online]", "  come: [counter, post]", "eligible: false",
     "post.eligible", "only then"),
    (ADMISSION, "eligible: false", "eligible: true", "post:", "post", "must have a reason"),
    (PERMIT, "code: xem-xet", "code: tham-dinh", "", "stages.1", "twice"),
    (PERMIT, "term: 3wd", "term: 4wd", "stages:", "stages", "2640 working minutes together"),
    (PERMIT, "term: 3wd", "term: 3cd", "term: 3cd", "stages.0.term", "5wd's kind"),
    (PERMIT, "term: 3wd", "term: none", "term: none", "stages.0.term", "must have a length"),
    (COPY, "    term: 1wh", "    term: 1wd", "stages:", "stages", "than the term sameday"),
    (COPY, "extension:\n  times: 0", "extension:\n  times: 1", "extension:", "extension", "max"),
    # the procedure, against the organisation
    (PERMIT, "unit: H42.05.01", "unit: H42.05.77", "H42.05.77", "stages.0.unit", "no unit"),
    (PERMIT, "unit: H42.05.01", "unit: H42.05.09", "role: officer", "stages.0.role", "nobody at"),
    (PERMIT, "agency: H42.05", "agency: H42.77", "agency: H42.77", "agency", "no agency"),
    (PERMIT, "field: lao-dong", "field: y-te", "field: y-te", "field", "does not answer"),
    # the organisation
    (ORGANISATION, "calendar: vn", "calendar: de", "calendar: de", "calendar", "no calendar de"),
    (ORGANISATION, "role: postal}", "role: postman}", "role: postman",
     "people.4.positions.0.role", "one of"),
    (ORGANISATION, "role: postal}", "role: citizen}", "role: citizen",
     "people.4.positions.0.role", "nobody of the staff"),
    (ORGANISATION, "{id: p-post-02", "{id: p-post-01", "", "people.5", "p-post-01 is there twice"),
    (ORGANISATION, "code: H42.14.02, agency: H42.14", "code: H42.14.02, agency: H42.99",
     "agency: H42.99", "units.1.agency", "no agency H42.99"),
    (ORGANISATION, "unit: H42.14.02, role: control", "unit: H42.14.88, role: control",
     "H42.14.88", "people.3.positions.0.unit", "no unit H42.14.88"),
    (ORGANISATION, "- van-hoa  #", "- giao-duc  #", "code: van-hoa", "fields.2.code", "no agency"),
    (ORGANISATION, "- van-hoa  #", "- van-hoa\n      - tai-chinh  #", "- tai-chinh\n",
     "agencies.5.fields.0", "another agency"),
    (ORGANISATION, "person: p-post-01", "person: p-reception-01", "role: postal\n",
     "delegations.0.role", "does not hold"),
    (ORGANISATION, "until: 2023-12-31", "until: 2022-12-31", "until: 2022-12-31",
     "delegations.0.until", "before 'since'"),
    # YAML, and less than YAML
    (PERMIT, "fee: 600000", "fee: 600000\nfee: 1", "fee: 1\n", "fee", "twice: first on line"),
    (PERMIT, "  eligible: true", "\teligible: true", "\teligible", None, "tab"),
    (PERMIT, "fee: 600000", "fee: &fee 600000", "&fee", "fee", "anchor"),
    (PERMIT, "fee: 600000", "fee: *fee", "*fee", "fee", "alias"),
    (PERMIT, "fee: 600000", "fee: !!python/object/apply:os.getpid []", "!!python", "fee", "tag"),
    (PERMIT, "fee: 600000", "<<: {fee: 600000}", "<<", "<<", "not a key"),
    (PERMIT, "fee: 600000", "? [a, b]\n: c", "? [a", None, "plain word"),
    (PERMIT, "fee: 600000", "fee: [1", "figures_verified", None, "not YAML"),
    (PERMIT, "fee: 600000", 'fee: "\\0"', 'fee: "', "fee", "control character"),
    (PERMIT, "fee: 600000", "fee: 600000\n---\nfee: 1", "---", None, "second document"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "mark", "field", "says"), FAULTS)
def test_a_fault_is_told_with_its_line(tmp_path, file, old, new, mark, field, says):
    folder, path, text = edited(tmp_path, file, old, new)
    lines = [f"{each}\n" for each in text.splitlines()]
    if mark:
        line = next(n for n, each in enumerate(lines, 1) if mark in each)
    else:  # the second of two
        line = [n for n, each in enumerate(lines, 1) if new in each][1]
    with pytest.raises(BadFile) as refused:
        catalogue.load(folder)
    wrong = refused.value
    assert says in wrong.expected
    assert (wrong.file, wrong.line, wrong.field) == (str(path), line, field)
    assert str(path) in str(wrong)


BYTES = [  # the whole file, the line, what is said
    (b"", 1, "is empty"),
    (b"# nothing but a comment\n", 1, "is empty"),
    (b"- code: 2.000205\n", 1, "must be a map"),
    (b"just words\n", 1, "must be a map"),
    ("code: 2.000205\nname: Cấp giấy".encode("utf-16"), 1, "not UTF-8"),
    (b"code: 2.000205\nname: C\xe2p\n", 2, "not UTF-8"),
    (b"code: 2.000205\nname: a\x07b\n", 2, "character that no text has"),
    (b"[" * 100_000, 1, "nested"),
    (b"a: " + b"x" * 1_000_000, None, "larger than 1,000,000 bytes"),
    (b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", 1, "anchor"),
]


@pytest.mark.parametrize(("raw", "line", "says"), BYTES)
def test_a_file_that_is_no_catalogue(tmp_path, raw, line, says):
    folder, path, _ = edited(tmp_path, PERMIT, "fee", "fee")
    path.write_bytes(raw)
    with pytest.raises(BadFile) as refused:
        catalogue.load(folder)
    assert says in refused.value.expected
    assert (refused.value.file, refused.value.line) == (str(path), line)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadFile, match="cannot be read"):
        catalogue.load(tmp_path)
    folder, path, _ = edited(tmp_path, PERMIT, "fee", "fee")
    path.rename(path.with_suffix(".yml"))
    with pytest.raises(BadFile, match=r"no \.yaml file"):
        catalogue.load(folder)
    shutil.rmtree(folder / "procedures")
    with pytest.raises(BadFile, match="must be a folder"):
        catalogue.load(folder)


def test_of_several_faults_the_first_in_the_file_is_told(tmp_path):
    folder, path, text = edited(tmp_path, PERMIT, "fee: 600000", "fee: none")
    path.write_text(text.replace("version: 1", "version: x"), encoding="utf-8")
    with pytest.raises(BadFile) as refused:
        catalogue.load(folder)
    assert refused.value.field == "version"


# The reader ---------------------------------------------------------------------------------


def test_plain_words_stay_what_was_written(tmp_path):
    path = tmp_path / "any.yaml"
    path.write_text(
        "\ufeffa: off\nb: 07:30\nc: 1.004194\nd: 2026-01-02\ne: 0123\nf: 12\ng: true\nh:\n"
        "i: 'true'\nj: no\n1: one\nk: 9999999999999999999\n",
        encoding="utf-8",
    )
    document = yaml_files.read(path)
    assert document.data == {
        "a": "off", "b": "07:30", "c": "1.004194", "d": "2026-01-02", "e": "0123", "f": 12,
        "g": True, "h": None, "i": "true", "j": "no", "1": "one", "k": "9999999999999999999",
    }  # fmt: skip
    assert document.line_of(("d",)) == 4
    assert document.line_of(("d", "no", "such")) == 4
    assert document.line_of(("nowhere",)) == 1


def test_the_limit_is_the_caller_s(tmp_path):
    path = tmp_path / "any.yaml"
    path.write_bytes(b"a: 1\n")
    assert yaml_files.read(path, max_bytes=5).data == {"a": 1}
    with pytest.raises(BadFile, match="larger than 4 bytes"):
        yaml_files.read(path, max_bytes=4)
