"""What forms say of a dossier, when each may be printed, and what is read on the paper again."""

import unicodedata
from datetime import date, datetime, timedelta

import forms as lived
import pytest
from forms import DAYS, HANOI, LEADER, TRACK, WHY, acted, bare, facts, of, read, received
from hypothesis import given, settings
from hypothesis import strategies as st
from town import imported, move

from api.papers.forms import _file, _scanned, template
from api.papers.press import pressed
from states import ledger
from states.catalogue import load
from states.clock.words import Lang
from states.errors import BadInput, Unknown
from states.forms import every, registering, sample, saying
from states.forms.form import why_not
from states.forms.registering import Asked
from states.forms.rows import FormName
from states.sight import Sight
from states.tongues import said
from states.words import Event

BOOK = load()
F = FormName
MONDAY = DAYS["R2021"]
DAY = timedelta(days=1)
FORMS = [each for each in F if each is not F.register]
TITLES = {
    F.slip: "GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ",
    F.supplement: "PHIẾU YÊU CẦU BỔ SUNG, HOÀN THIỆN HỒ SƠ",
    F.refusal: "PHIẾU TỪ CHỐI TIẾP NHẬN, GIẢI QUYẾT HỒ SƠ",
    F.apology: "PHIẾU XIN LỖI VÀ HẸN LẠI NGÀY TRẢ KẾT QUẢ",
    F.control: "PHIẾU KIỂM SOÁT QUÁ TRÌNH GIẢI QUYẾT HỒ SƠ",
    F.register: "SỔ THEO DÕI HỒ SƠ",
}
LATER = TITLES | {
    F.apology: "VĂN BẢN XIN LỖI VÀ ĐỀ NGHỊ GIA HẠN THỜI GIAN GIẢI QUYẾT",
    F.stop: "THÔNG BÁO DỪNG GIẢI QUYẾT HỒ SƠ",
}
# As Circular 01/2018/TT-VPCP and 03/2025/TT-VPCP count them.
EARLIER_NUMBERS = dict(zip(TITLES, ("01", "02", "03", "04", "05", "06"), strict=True))
LATER_NUMBERS = {
    F.slip: "01", F.supplement: "02", F.refusal: "03", F.apology: "04", F.stop: "05",
    F.control: "06", F.register: "07",
}  # fmt: skip
HOSTILE = (
    '#eval("1+1")', "$x$ #{1+1}", "[*đậm*] _nghiêng_ `raw` @ref <label> \\ // không phải chú thích",
    "<script>alert(1)</script>", "Nguyễn" * 33, "Cty TNHH " + "A" * 180, "{{7*7}} {% raw %}",
    "Nguye\u0302\u0303n Thi\u0323 A\u0301nh", "= Tiêu đề\n- mục", '"); #read("/etc/passwd")',
)  # fmt: skip


def paper(form, said):
    if said.get("track"):
        said["track"]["svg"] = _scanned(said["track"]["address"])
    return read(pressed(form, _file("form"), template(form), said))


# Every form under every regime --------------------------------------------------------------


@pytest.mark.parametrize("regime", DAYS)
@pytest.mark.parametrize("form", FORMS)
async def test_each_form_under_each_regime(db, form, regime):
    earlier = regime in {"R2018", "R2021"}
    titles, numbers = (TITLES, EARLIER_NUMBERS) if earlier else (LATER, LATER_NUMBERS)
    when = DAYS[regime]
    if form not in titles:
        with pytest.raises(Unknown, match=f"the regime {regime} .* has no such form"):
            await facts(db, BOOK, form, when, regime)
        return
    page = paper(form, await facts(db, BOOK, form, when, regime))
    circular = "Thông tư 01/2018/TT-VPCP" if earlier else "Thông tư 03/2025/TT-VPCP"
    assert page.pages == 1
    assert page.says(titles[form], f"Mẫu số {numbers[form]} ({circular})")
    assert page.says("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
    assert page.says("Nguyễn Thị Quỳnh Ánh", f"H42.14.01-{when:%y%m%d}-0001")
    assert page.says("Xác nhận người lao động nước ngoài không thuộc diện cấp giấy phép lao động")


async def test_the_register_under_each_regime(db):
    for regime, when in list(DAYS.items())[1:]:
        await received(db, BOOK, when, applicant="Trần Văn Đức")
        day = when.date()
        made = await registering.register(
            db, BOOK, Asked("H42.05", day, day + DAY), Sight("p", all=True), when
        )
        earlier = regime == "R2021"
        page = paper(F.register, made.facts)
        assert page.says("SỔ THEO DÕI HỒ SƠ", f"Mẫu số {'06' if earlier else '07'}")
        assert page.says(
            f"H42.14.01-{when:%y%m%d}-0001", "Trần Văn Đức", "0912345678", f"{day:%d/%m/%Y}"
        )
        assert page.says("Tổng số: 1 hồ sơ", "Sở Lao động – Thương binh và Xã hội")
        assert page.pages == 1
        assert len(made.dossiers) == 1


# What is on each ----------------------------------------------------------------------------


async def test_the_slip_says_what_came_when_it_is_due_and_how_to_follow_it(db):
    said = await facts(db, BOOK, F.slip, MONDAY)
    assert said["due"] == "17 giờ 00 phút, ngày 13 tháng 3 năm 2023"
    assert said["moved"] == ""
    assert said["term"] == "5 ngày làm việc"
    assert [(c["name"], c["originals"], c["copies"], c["file"]) for c in said["components"]] == [
        ("Đơn hoặc tờ khai theo mẫu", "1", "", True),
        ("Bản sao hộ chiếu", "", "1", True),
    ]
    assert [each["chosen"] for each in said["returns"]] == [False, False, False]
    address = f"https://hoso.example.vn/track/{said['code']}/7K3M9QXD"
    assert said["track"]["address"] == TRACK.address(said["code"]) == address
    page = paper(F.slip, said)
    assert page.says("Thời gian nhận hồ sơ: 08 giờ 00 phút, ngày 06 tháng 3 năm 2023")
    assert page.says("Thời gian trả kết quả giải quyết hồ sơ: " + said["due"])
    assert page.says("5 ngày làm việc", "Bản sao hộ chiếu", "Phạm Văn Giang", "không thu")
    assert page.says("hoso.example.vn/track", f"mã hồ sơ {said['code']}", "mã tra cứu 7K3M-9QXD")


async def test_a_slip_without_the_secret_has_nothing_to_scan(db):
    code, at = await lived.lived(db, BOOK, F.slip, MONDAY)
    matter = await of(db, BOOK, code, at)
    said = every.facts(F.slip, lived.replace(matter, track=None))
    assert said["track"] is None
    page = paper(F.slip, said)
    assert page.says(code)
    assert not page.says("mã tra cứu")


def test_what_is_scanned_is_the_address():
    """Module by module as the standard draws it: the finder patterns, and the size it needs."""
    import segno

    drawn = segno.make("https://hoso.example.vn/track/H42.14-230306-0001/7K3M9QXD", error="q")
    assert _scanned("https://hoso.example.vn/track/H42.14-230306-0001/7K3M9QXD").count("<path") == 1
    assert drawn.error == "Q"
    assert f'width="{drawn.symbol_size(border=2)[0]}"' in _scanned(
        "https://hoso.example.vn/track/H42.14-230306-0001/7K3M9QXD"
    )


async def test_the_supplement_says_what_is_lacking_why_and_until_when(db):
    said = await facts(db, BOOK, F.supplement, MONDAY)
    assert said["until"] == "17 giờ 00 phút, ngày 05 tháng 4 năm 2023"
    assert said["restarts"]
    page = paper(F.supplement, said)
    assert page.says(f"Lý do: {WHY['reason']}", f"Căn cứ: {WHY['ground']}", said["until"])
    assert page.says("được tính lại từ đầu")


async def test_what_came_is_not_asked_for_again(db):
    code = await received(db, BOOK, MONDAY, Event.register)
    paper_, _ = await ledger.find(db, code)
    matter = await of(db, BOOK, code, MONDAY)
    none = lived.replace(matter, files=frozenset({"don"}))
    await acted(db, BOOK, code, Event.request_supplement, MONDAY, "p-reception-01")
    matter = await of(db, BOOK, code, MONDAY)
    lacking = lived.replace(matter, files=frozenset({"don"}))
    assert every.facts(F.supplement, lacking)["missing"] == ["Bản sao hộ chiếu"]
    assert every.facts(F.supplement, matter)["missing"] == []
    assert why_not(every.FORMS[F.supplement], none) is not None
    assert paper_.received_at is None


async def test_a_refusal_says_who_refused_and_why(db):
    said = await facts(db, BOOK, F.refusal, MONDAY)
    assert not said["appraised"]
    page = paper(F.refusal, said)
    assert page.says("không tiếp nhận, giải quyết hồ sơ này", WHY["reason"], "Phạm Văn Giang")


async def test_a_refusal_after_appraisal_is_the_agencys(db):
    code, _ = await lived.lived(db, BOOK, F.slip, MONDAY)
    for event in (Event.advance, Event.advance):
        await move(db, BOOK, code, event, MONDAY)
    produced = {"produced": ["Kết quả giải quyết"], "outcome": "refused"}
    await acted(db, BOOK, code, Event.return_result, MONDAY, LEADER, **produced)
    said = every.facts(F.refusal, await of(db, BOOK, code, MONDAY))
    assert said["appraised"]
    assert said["head"]["by"] == "Sở Lao động – Thương binh và Xã hội"
    assert paper(F.refusal, said).says("Qua thẩm định", WHY["reason"])


async def test_the_apology_says_both_dates_why_and_who_signs(db):
    said = await facts(db, BOOK, F.apology, MONDAY)
    [move_] = said["moves"]
    first, new = (f"17 giờ 00 phút, ngày {day} tháng 3 năm 2023" for day in ("13", "15"))
    assert (said["due"], move_["from"], move_["to"], said["new"]) == (first, first, new, new)
    name = BOOK.person(LEADER).name
    assert said["signs"] == name
    page = paper(F.apology, said)
    assert page.says(first, new, f"Lý do: {WHY['reason']}", name, "xin lỗi Ông/Bà")


async def test_an_apology_for_what_is_overdue_leaves_the_new_date_to_be_written(db):
    code, _ = await lived.lived(db, BOOK, F.slip, MONDAY)
    late = MONDAY + 8 * DAY
    before, after = await of(db, BOOK, code, late - DAY), await of(db, BOOK, code, late)
    form = every.FORMS[F.apology]
    assert why_not(form, before) == "its date was not put off, and has not passed"
    assert why_not(form, after) is None
    said = every.facts(F.apology, after)
    assert (said["moves"], said["new"], said["overdue"]) == ([], "", True)
    page = paper(F.apology, said)
    assert page.says("chưa trả kết quả", "hẹn trả kết quả giải quyết hồ sơ vào ......")


async def test_the_stop_says_at_what_stage_and_what_goes_back(db):
    said = await facts(db, BOOK, F.stop, DAYS["R2025"])
    assert said["stage"] == "Thẩm định hồ sơ"
    page = paper(F.stop, said)
    assert page.says("Bước đang giải quyết: Thẩm định hồ sơ", WHY["reason"], "Bản sao hộ chiếu")


async def test_the_control_sheet_has_every_hand_over(db):
    said = await facts(db, BOOK, F.control, MONDAY)
    assert [(each["step"], each["unit"], each["verdict"]) for each in said["hands"]] == [
        ("Tiếp nhận hồ sơ", "Bộ phận Tiếp nhận và Trả kết quả", ""),
        ("Thẩm định hồ sơ", "Phòng Lao động và việc làm", "Trước hạn"),
        ("Lãnh đạo phòng xem xét", "Phòng Lao động và việc làm", "Trước hạn"),
        ("Lãnh đạo Sở ký duyệt", "Lãnh đạo Sở", "Đúng hạn"),
        ("Trả kết quả", "Bộ phận Tiếp nhận và Trả kết quả", ""),
    ]
    assert {each["received"] for each in said["hands"]} == {"08:00 06/03/2023"}
    page = paper(F.control, said)
    assert page.says("Lãnh đạo Sở ký duyệt", "08:00 06/03/2023", "Trước hạn", "(trước hạn)")


async def test_a_stage_in_hand_is_told_late_once_it_is(db):
    code, _ = await lived.lived(db, BOOK, F.slip, MONDAY)
    now, later = [
        every.facts(F.control, await of(db, BOOK, code, at))["hands"][-1]["verdict"]
        for at in (MONDAY, MONDAY + 5 * DAY)
    ]
    assert (now, later) == ("Đang giải quyết", "Đã quá hạn")


async def test_what_was_taken_over_has_a_sheet_too(db):
    code = await imported(db, BOOK, received=MONDAY, promised=MONDAY + 9 * DAY)
    said = every.facts(F.control, await of(db, BOOK, code, MONDAY))
    assert said["hands"] == []
    assert said["form"]["regime"] == "R2021"
    assert paper(F.control, said).says("case-0")


# When each may be printed ---------------------------------------------------------------------


OPEN = {
    F.slip: {F.slip, F.control},
    F.supplement: {F.slip, F.control, F.supplement},
    F.refusal: {F.refusal},
    F.apology: {F.slip, F.control, F.apology},
    F.stop: {F.slip, F.control, F.stop},
    F.control: {F.slip, F.control},
}


@pytest.mark.parametrize("life", FORMS)
async def test_only_what_is_due_can_be_printed_and_the_rest_says_why(db, life):
    code, at = await lived.lived(db, BOOK, life, DAYS["R2025"])
    matter = await of(db, BOOK, code, at)
    whys = {name: why_not(form, matter) for name, form in every.FORMS.items()}
    assert {name for name, why in whys.items() if why is None} == OPEN[life]
    for name, why in whys.items():
        if why is not None:
            assert said(why, Lang.vi) != why, "say it in Vietnamese"
            with pytest.raises(Unknown, match=f"{name} of {code} cannot be printed: "):
                every.facts(name, matter)


def test_the_register_is_no_form_of_one_dossier():
    with pytest.raises(Unknown, match="/v1/forms/register"):
        every.facts(F.register, None)


# The register ---------------------------------------------------------------------------------


async def test_the_register_has_the_days_asked_and_what_is_seen(db):
    codes = [await received(db, BOOK, MONDAY + n * DAY) for n in range(3)]
    day = MONDAY.date()
    everything, nothing = Sight("p", all=True), Sight("p")

    async def told(since, until, sees=everything, agency="H42.05"):
        asked = Asked(agency, since, until)
        made = await registering.register(db, BOOK, asked, sees, MONDAY)
        return [each["code"] for each in made.facts["rows"]]

    assert await told(day, day + 2 * DAY) == codes[:2]
    assert await told(day + DAY, day + 9 * DAY) == codes[1:]
    assert await told(day, day + 9 * DAY, nothing) == []
    assert await told(day, day + 9 * DAY, agency="H42.03") == []
    with pytest.raises(BadInput, match="a day at least"):
        await told(day, day)
    with pytest.raises(BadInput, match=r"no agency H42\.99"):
        await told(day, day + DAY, agency="H42.99")


async def test_the_register_refuses_what_nobody_would_print(db, monkeypatch):
    monkeypatch.setattr(registering, "MOST", 1)
    for _ in range(2):
        await received(db, BOOK, MONDAY)
    asked = Asked("H42.05", MONDAY.date(), MONDAY.date() + DAY)
    with pytest.raises(BadInput, match="more than 1 lines: ask for fewer days"):
        await registering.register(db, BOOK, asked, Sight("p", all=True), MONDAY)


# Words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("5wd", "5 ngày làm việc"), ("10cd", "10 ngày"), ("0.5wd", "0,5 ngày làm việc"),
        ("8wh", "8 giờ làm việc"), ("sameday@15:00", "trong ngày làm việc"),
        ("none", "không quy định thời hạn"), ("?", "?"),
    ],
)  # fmt: skip
def test_terms_in_words(written, told):
    assert saying.term(written) == told


def test_days_are_written_as_decree_30_has_them():
    assert saying.day(datetime(2024, 2, 5, tzinfo=HANOI)) == "ngày 05 tháng 02 năm 2024"
    assert saying.day(datetime(2024, 3, 15, tzinfo=HANOI)) == "ngày 15 tháng 3 năm 2024"


@given(st.text(max_size=400))
def test_a_text_is_one_line_that_shows_all_it_holds(text):
    told = saying.text(text)
    assert told == " ".join(told.split())
    bad = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not any(unicodedata.category(each) in bad for each in told)
    assert not set(told) & {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


# Whatever people are called -------------------------------------------------------------------


@pytest.mark.parametrize("form", F)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_printed_and_never_read(form, name):
    """As text, to the letter, whatever form it is on; a long one breaks and nothing is lost."""
    told = sample.facts(BOOK, form, "H42.05", DAYS["R2025"])
    if form is F.register:
        told["rows"][0]["applicant"] = saying.text(name)
    else:
        told["applicant"]["name"] = saying.text(name)
    page = paper(form, told)
    assert page.says(name), page.text
    assert page.pages <= 2


VIETNAMESE = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
)
SIGNS = VIETNAMESE + VIETNAMESE.upper() + " #$*_`@<>[](){}\\/=+-~\"'.,;:!?&%^|0123456789"


@settings(max_examples=12, deadline=None)
@given(st.lists(st.text(SIGNS, min_size=1, max_size=60), min_size=20, max_size=40))
def test_any_names_are_read_again_as_they_were(names):
    """A register of them, one compile each."""
    told = sample.facts(BOOK, F.register, "H42.05", MONDAY)
    row = told["rows"][0]
    told["rows"] = [row | {"applicant": saying.text(each)} for each in names]
    page = paper(F.register, told)
    assert [each for each in names if bare(each) not in page.text] == []


def test_signs_that_turn_the_writing_are_left_out():
    told = sample.facts(BOOK, F.slip, "H42.05", MONDAY)
    told["applicant"]["name"] = saying.text("Nguyễn \u202egnàoH\u202c \u2066Văn\u2069")
    assert paper(F.slip, told).says("Nguyễn gnàoH Văn")


def test_the_sample_is_due_for_every_form_of_every_agency():
    for agency in (*BOOK.agencies, BOOK.centre.code):
        for form in F:
            for at in DAYS.values():
                assert sample.facts(BOOK, form, agency, at)["form"]["name"] == form
    assert date(2023, 3, 6) == MONDAY.date()
