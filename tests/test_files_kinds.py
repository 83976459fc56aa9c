"""What a file is by its bytes, and what it is called."""

import io
import struct
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given as every
from hypothesis import strategies as st
from samples import FILES, NOT_TAKEN, OPC, archive, office

from api.components.giving import asked, disposition
from states.errors import BadInput
from states.files import kinds, names, packed
from states.files.kinds import ENDINGS, Kind
from states.files.refusals import NotTaken


def kind_of(text: bytes) -> Kind:
    return kinds.kind_of(io.BytesIO(text), len(text))


# Taken, and not ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind)
def test_a_file_is_what_its_bytes_say(kind):
    assert kind_of(FILES[kind]) is kind


@pytest.mark.parametrize("what", NOT_TAKEN)
def test_what_is_none_of_these_is_refused(what):
    with pytest.raises(NotTaken, match=r"^(this|the file) .*: (send a PDF|make it anew)|anew$"):
        kind_of(NOT_TAKEN[what])


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("a page", "this looks like HTML document: send a PDF, an image"),
        ("a program of Linux", "this looks like ELF executable: "),
        ("a program of Windows", "this looks like Windows Executable: "),
        ("an old document", "this looks like Microsoft Office Document file: "),
        ("words", "this is of no kind that is known: "),
        ("nothing", "the file is empty: "),
        ("a PDF that is a page", "this begins as PDF and is not a whole one: "),
        ("ZIP", "this is an archive, and none of a document without macros: "),
    ],
)
def test_a_refusal_says_what_it_looks_like(what, said):
    with pytest.raises(NotTaken) as refused:
        kind_of(NOT_TAKEN[what])
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("what", ["a page", "a program of Linux", "RAR", "nothing"])
def test_it_is_refused_by_its_beginning_where_that_says_enough(what):
    with pytest.raises(NotTaken):
        kinds.check_start(NOT_TAKEN[what][:64])


@pytest.mark.parametrize("kind", [each for each in Kind if each is not Kind.jpeg])
def test_a_file_cut_in_half_is_refused(kind):
    """Cameras put things behind the end of a JPEG: where it ends is not asked."""
    whole = FILES[kind]
    with pytest.raises(NotTaken):
        kind_of(whole[: len(whole) // 2])


def test_an_archive_that_unpacks_without_end_is_not_unpacked():
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr(OPC, b" " * 50_000_000)
    with pytest.raises(NotTaken, match="cannot be read"):
        kind_of(made.getvalue())


def test_an_archive_with_a_directory_without_end_is_not_read(monkeypatch):
    whole = office(Kind.docx)
    at = whole.rfind(b"PK\x05\x06")
    claims = struct.pack("<I", packed.DIRECTORY + 1)
    monkeypatch.setattr(packed, "ZipFile", None)  # nobody opens it
    with pytest.raises(NotTaken, match="not made as documents are"):
        kind_of(whole[: at + 12] + claims + whole[at + 16 :])


def test_a_manifest_in_the_other_quotes_says_the_same():
    said = f"<Types><Override ContentType='{Kind.xlsx}.main+xml'/></Types>"
    assert kind_of(archive((OPC, said))) is Kind.xlsx


SOME = st.sampled_from(sorted(FILES.values()) + sorted(NOT_TAKEN.values()))


@st.composite
def spoilt(draw) -> bytes:
    """A file with something cut out of it, put into it, or both."""
    text = draw(SOME)
    at, to = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    return text[:at] + draw(st.binary(max_size=40)) + text[to:]


@every(st.binary(max_size=300) | spoilt())
def test_any_bytes_are_of_a_kind_or_refused(text):
    try:
        found = kind_of(text)
    except NotTaken:
        return
    begins = (b"%PDF-", b"\xff\xd8\xff", b"\x89PNG", b"II*", b"MM", b"RIFF", b"PK")
    assert text.startswith(begins)
    assert found in set(Kind)


# What it is called ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "claimed"),
    [
        ("don.pdf", "application/pdf"),
        ("DON.PDF", None),
        ("don", ""),
        ("Đơn đề nghị 01.2024", "application/octet-stream"),
        ("don.exe", "application/x-www-form-urlencoded"),
        ("don.pdf", "image/png"),  # the name is what people see
        ("don", "application/pdf; version=1.7"),
    ],
)
def test_a_file_may_be_called_what_it_is_or_nothing(name, claimed):
    kinds.check_claim(Kind.pdf, name, claimed)


@pytest.mark.parametrize(
    ("name", "claimed"),
    [("don.docx", None), ("don.JPG", "application/pdf"), ("don", "image/png"), (".png", None)],
)
def test_a_file_that_is_called_another_kind_is_refused(name, claimed):
    with pytest.raises(NotTaken, match=r"^it is called \w+ and is PDF: name it as it is$"):
        kinds.check_claim(Kind.pdf, name, claimed)


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\fakepath\\don.pdf",
        "..",
        ".",
        "",
        "   ",
        "don\0.pdf",
        "don\r\nSet-Cookie: a=b",
        "don\u202efdp.exe",
        "don\u2028.pdf",
        "don\ud800.pdf",
        "don\ue000.pdf",
        "d" * 201,
    ],
)
def test_a_name_is_a_name_and_no_path(name):
    with pytest.raises(BadInput, match=r"^name (must|may) "):
        names.shown(name)


def test_a_name_is_kept_composed():
    assert names.shown(unicodedata.normalize("NFD", " Đơn đề nghị.pdf ")) == "Đơn đề nghị.pdf"
    assert len(names.shown(unicodedata.normalize("NFD", "ệ" * 200))) == 200


@every(st.text(min_size=1, max_size=60))
def test_any_name_is_shown_safely_or_refused(name):
    try:
        kept = names.shown(name)
    except BadInput:
        return
    assert names.shown(kept) == kept == unicodedata.normalize("NFC", kept)
    assert not set(kept) & set("/\\\0\r\n")
    header = disposition(kept)
    plain, _, coded = header.removeprefix("attachment; filename=").partition("; filename*=UTF-8''")
    assert unquote(coded) == kept
    assert plain.isascii()
    assert plain[0] == plain[-1] == '"'
    assert '"' not in plain[1:-1]


@every(st.text(alphabet="abc.ĐHTMLpdfng", min_size=1, max_size=12), st.sampled_from(Kind))
def test_what_is_given_out_ends_as_what_it_is(name, kind):
    given = names.given(name, kind)
    assert given.rpartition(".")[2].lower() in ENDINGS[kind]
    assert given.startswith(name)
    assert names.given(given, kind) == given


# Which bytes of it ------------------------------------------------------------------------


@every(st.integers(1, 40), st.none() | st.integers(0, 50), st.none() | st.integers(0, 50))
def test_a_range_is_the_slice_that_it_says(size, first, last):
    text = bytes(range(size))
    found = asked(f"bytes={'' if first is None else first}-{'' if last is None else last}", size)
    if first is None:
        wanted = text[-last:] if last else b""
    else:
        wanted = text[first:] if last is None else text[first : last + 1]
    assert (text[found[0] : found[1] + 1] if found else b"") == wanted


@pytest.mark.parametrize(
    "header", ["", "bytes=-", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "bytes=٣-"]
)
def test_a_range_that_says_nothing_is_not_heeded(header):
    assert asked(header, 10) is None
