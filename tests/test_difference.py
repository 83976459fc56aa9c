"""What a new version says otherwise: no change is silent, and each names the thing it changes."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from enum import Enum
from itertools import groupby, pairwise
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states import catalogue
from states.catalogue import difference
from states.catalogue.difference import values
from states.catalogue.organisation import Name, Row
from states.catalogue.procedures import (
    Channels,
    Component,
    Consultation,
    ExtensionRule,
    Ground,
    Online,
    OtherTerm,
    Procedure,
    PublicPost,
    Route,
    Stage,
)
from states.clock import Policy, Term
from states.clock.words import Lang
from states.words import Role

SAMPLE = catalogue.load().procedures
PERMIT = SAMPLE["2.000205"]
RENEWAL = SAMPLE["9.000301"]


def term(text: str) -> Term:
    return Term.parse(text)


def but(row: Any, **said: Any) -> Any:
    return row.model_copy(update=said)


# As a clerk reads it -----------------------------------------------------------------------

APPRAISE, REVIEW, SIGN = PERMIT.stages
FORM, HEALTH, RECORD, PASSPORT, PHOTOS = PERMIT.components
CONTRACT = Component(
    code="hop-dong",
    name=Name(vi="Hợp đồng lao động", en="Labour contract"),
    required=True,
    originals=0,
    copies=1,
)
NEXT = but(
    PERMIT,
    version=2,
    valid_from=date(2024, 1, 1),
    term=term("4wd"),
    fee=700_000,
    channels=Channels(come=("counter", "online"), go=PERMIT.channels.go),
    components=(FORM, but(HEALTH, required=False), PASSPORT, but(PHOTOS, originals=3), CONTRACT),
    online=Online(level="partial", reason=Name(vi="Phải nộp bản chính", en="Originals are kept")),
    supplement=but(PERMIT.supplement, times=2, mode="hold", notice=None),
    extension=but(PERMIT.extension, times=0, max=None),
    stages=(but(APPRAISE, unit="H42.05.02", term=term("2wd")), SIGN, but(REVIEW, accept="manual")),
    policy=Policy.session,
    transfer_by=None,
)
SAID = {
    Lang.en: """
        The term goes from 5 working days to 4 working days.
        The fee rises from 600,000 VND to 700,000 VND.
        Component 'Criminal record certificate' (ly-lich-tu-phap) is no longer asked for.
        Component 'Health certificate' (suc-khoe) is no longer required.
        Component 'Portrait photographs' (anh) is now handed in with 3 originals instead of 2 originals.
        Component 'Labour contract' (hop-dong) is new: required, no originals, 1 copy.
        Dossiers are no longer received by public post.
        The level of the online service changes from wholly online to partly online.
        The reason why the procedure is not wholly online is now 'Originals are kept'; before, none was given.
        The citizen may be asked to supplement 2 times instead of once.
        The time within which to ask for a supplement is no longer set; before, 3 working days.
        A supplement now holds the term, and no longer begins it again.
        The promised date may no longer be moved; before, once.
        The longest extension is no longer set; before, 3 working days.
        The first day of validity goes from 1 January 2023 to 1 January 2024.
        The order of the stages changes: 'Signature' (ky-duyet) now after 'Appraisal'.
        Stage 'Appraisal' (tham-dinh) moves from unit H42.05.01 to unit H42.05.02.
        The term of stage 'Appraisal' (tham-dinh) goes from 3 working days to 2 working days.
        At stage 'Review by the division' (xem-xet) a dossier is now taken in by a person.
        The hour until which a dossier is passed on the same day is no longer set; before, 15:00.
        The way in which early, on time and late are told apart changes from 'compared by date' to 'compared by half-day session'.
        The number of the version goes from 1 to 2.
    """,  # noqa: E501
    Lang.vi: """
        Thời hạn giải quyết giảm từ 5 ngày làm việc xuống còn 4 ngày làm việc.
        Phí, lệ phí tăng từ 600.000 đồng lên 700.000 đồng.
        Bỏ thành phần hồ sơ “Phiếu lý lịch tư pháp” (ly-lich-tu-phap).
        Thành phần hồ sơ “Giấy chứng nhận sức khỏe” (suc-khoe) không còn bắt buộc phải nộp.
        Thành phần hồ sơ “Ảnh chân dung” (anh) nay nộp 3 bản chính thay vì 2 bản chính.
        Thêm thành phần hồ sơ “Hợp đồng lao động” (hop-dong): bắt buộc, 0 bản chính, 1 bản sao.
        Không còn tiếp nhận hồ sơ qua dịch vụ bưu chính công ích.
        Mức độ cung cấp dịch vụ công trực tuyến thay đổi từ toàn trình thành một phần.
        Lý do không cung cấp dịch vụ công trực tuyến toàn trình nay là “Phải nộp bản chính”; trước đây chưa nêu.
        Nay được yêu cầu người nộp bổ sung hồ sơ tối đa 2 lần thay vì 1 lần.
        Thời hạn thông báo yêu cầu bổ sung hồ sơ không còn được quy định; trước đây là 3 ngày làm việc.
        Khi chờ bổ sung hồ sơ, thời hạn nay được tạm dừng, không tính lại từ đầu.
        Không còn được gia hạn, hẹn lại ngày trả kết quả; trước đây tối đa 1 lần.
        Thời gian gia hạn tối đa không còn được quy định; trước đây là 3 ngày làm việc.
        Ngày bắt đầu hiệu lực thay đổi từ 01/01/2023 thành 01/01/2024.
        Thứ tự các bước thay đổi: “Lãnh đạo Sở ký duyệt” (ky-duyet) nay xếp sau “Thẩm định hồ sơ”.
        Bước “Thẩm định hồ sơ” (tham-dinh) chuyển từ đơn vị H42.05.01 sang đơn vị H42.05.02.
        Thời hạn của bước “Thẩm định hồ sơ” (tham-dinh) giảm từ 3 ngày làm việc xuống còn 2 ngày làm việc.
        Hồ sơ đến bước “Lãnh đạo phòng xem xét” (xem-xet) nay do người xử lý nhận.
        Giờ cuối để chuyển hồ sơ ngay trong ngày tiếp nhận không còn được quy định; trước đây là 15:00.
        Cách xác định trước hạn, đúng hạn, quá hạn thay đổi từ “so theo ngày” thành “so theo buổi làm việc”.
        Số phiên bản thay đổi từ 1 thành 2.
    """,  # noqa: E501
}


@pytest.mark.parametrize("lang", Lang)
def test_a_new_version_in_sentences(lang: Lang) -> None:
    said = [line.strip() for line in SAID[lang].strip().splitlines()]
    assert difference.sentences(PERMIT, NEXT, lang) == said


def test_it_is_said_in_english_unless_asked_otherwise() -> None:
    assert difference.sentences(PERMIT, NEXT) == difference.sentences(PERMIT, NEXT, Lang.en)


def only(new: Procedure, old: Procedure = PERMIT, lang: Lang = Lang.en) -> str:
    [said] = difference.sentences(old, new, lang)
    return said


def test_a_longer_term_rises_in_vietnamese() -> None:
    rising = only(but(PERMIT, term=term("5.5wd")), lang=Lang.vi)
    assert rising == "Thời hạn giải quyết tăng từ 5 ngày làm việc lên 5,5 ngày làm việc."


def stages(*them: Any) -> Procedure:
    return but(PERMIT, stages=them)


def test_a_new_stage_stands_after_another() -> None:
    assert only(PERMIT, stages(APPRAISE, SIGN)) == (
        "Stage 'Review by the division' (xem-xet) is new, after 'Appraisal':"
        " unit H42.05.01, a leader, 1 working day."
    )
    assert only(PERMIT, stages(REVIEW, SIGN), Lang.vi) == (
        "Thêm bước “Thẩm định hồ sơ” (tham-dinh), xếp đầu tiên: đơn vị H42.05.01,"
        " chuyên viên, 3 ngày làm việc."
    )
    assert only(stages(APPRAISE, SIGN)) == "Stage 'Review by the division' (xem-xet) is dropped."


def test_stages_are_followed_by_their_codes() -> None:
    """The last is changed in a version where one before it is gone: only that is told of it."""
    told = difference.data(PERMIT, stages(APPRAISE, but(SIGN, term=term("1wd"))))
    assert [each["path"] for each in told] == ["stages[xem-xet]", "stages[ky-duyet].term"]
    assert told[1]["sentence"] == (
        "The term of stage 'Signature' (ky-duyet) goes from 0.5 working days to 1 working day."
    )


def test_what_moved_is_told_once() -> None:
    first = difference.data(PERMIT, stages(SIGN, APPRAISE, REVIEW))
    assert [each["path"] for each in first] == ["stages.order"]
    assert first[0]["new"] == ["ky-duyet", "tham-dinh", "xem-xet"]
    assert only(stages(SIGN, APPRAISE, REVIEW)).endswith("'Signature' (ky-duyet) now first.")
    other = stages(SIGN, REVIEW, APPRAISE)
    assert only(other).count("now") == 2  # two of three left their place


def test_another_code_is_another_stage() -> None:
    told = difference.data(PERMIT, stages(APPRAISE, but(REVIEW, code="kiem-tra"), SIGN))
    assert [(each["path"], each["old"] is None) for each in told] == [
        ("stages[xem-xet]", False),
        ("stages[kiem-tra]", True),
    ]


def test_of_two_with_one_code_neither_is_silent() -> None:
    twice = stages(APPRAISE, REVIEW, but(REVIEW, unit="H42.05.02"), SIGN)
    assert [each["path"] for each in difference.data(PERMIT, twice)] == ["stages[xem-xet#2]"]
    other = stages(APPRAISE, REVIEW, but(REVIEW, unit="H42.05.03"), SIGN)
    assert [each["path"] for each in difference.data(twice, other)] == ["stages[xem-xet#2].unit"]


ASKED = Consultation(unit="H42.07.02", term=term("3wd"))
ONE_CHANGE = [
    (but(PERMIT, fee=0), "No fee is taken any more; before, 600,000 VND."),
    (but(PERMIT, fee=550_000), "The fee falls from 600,000 VND to 550,000 VND."),
    (but(PERMIT, term=term("8wh")), "The term goes from 5 working days to 8 working hours."),
    (
        but(PERMIT, term=term("sameday@14:30")),
        "The term goes from 5 working days to the same day (if received before 14:30).",
    ),
    (but(PERMIT, calendar="vn"), "The calendar is now vn; before, the agency's own."),
    (
        but(PERMIT, valid_until=date(2024, 12, 31)),
        "The last day of validity is now 31 December 2024; before, open until the next version.",
    ),
    (
        but(PERMIT, supplement=but(PERMIT.supplement, times=0)),
        "The citizen may no longer be asked to supplement; before, once.",
    ),
    (
        but(PERMIT, terms=(OtherTerm(term=term("7wd"), channel="post", region="island"),)),
        (
            "A separate term now holds for dossiers that come by public post from the islands:"
            " 7 working days."
        ),
    ),
    (
        stages(but(APPRAISE, unit=None), REVIEW, SIGN),
        "Stage 'Appraisal' (tham-dinh) moves from unit H42.05.01 to the agency's queue.",
    ),
    (
        stages(but(APPRAISE, routes=(Route(channel=("post",), person="p-x"),)), REVIEW, SIGN),
        (
            "Stage 'Appraisal' (tham-dinh) has a new rule of who gets it, number 1:"
            " dossiers that come by public post go to the stage's unit, person p-x."
        ),
    ),
    (
        stages(APPRAISE, but(REVIEW, next=("ky-duyet", "end")), SIGN),
        (
            "From stage 'Review by the division' (xem-xet) a dossier now goes on to 'Signature'"
            " or the result; before, to the one below, after the last the result."
        ),
    ),
    (
        stages(but(APPRAISE, needs=("don",)), REVIEW, SIGN),
        (
            "Stage 'Appraisal' (tham-dinh) now begins only when"
            " 'Application on the prescribed form' (don) is there."
        ),
    ),
    (
        stages(
            but(APPRAISE, consults=(Consultation(unit="H42.07.02", term=term("3wd")),)),
            REVIEW,
            SIGN,
        ),
        (
            "At stage 'Appraisal' (tham-dinh) the opinion of unit H42.07.02 is now asked for:"
            " 3 working days."
        ),
    ),
]


@pytest.mark.parametrize(("new", "said"), ONE_CHANGE, ids=[said[:40] for _, said in ONE_CHANGE])
def test_one_change_is_one_sentence(new: Procedure, said: str) -> None:
    assert only(new) == said


@pytest.mark.parametrize(
    ("text", "vi", "en"),
    [
        ("1wd", "1 ngày làm việc", "1 working day"),
        ("15wd", "15 ngày làm việc", "15 working days"),
        ("100wd", "100 ngày làm việc", "100 working days"),
        ("10cd", "10 ngày", "10 calendar days"),
        ("1cd", "1 ngày", "1 calendar day"),
        ("0.5wd", "0,5 ngày làm việc", "0.5 working days"),
        ("8wh", "8 giờ làm việc", "8 working hours"),
        ("sameday", "trong ngày (nếu tiếp nhận trước 15:00)",
         "the same day (if received before 15:00)"),
        ("none", "không quy định thời hạn", "no term"),
    ],
)  # fmt: skip
def test_a_term_in_words(text: str, vi: str, en: str) -> None:
    assert values.length(term(text)) == (vi, en)


# For a program -----------------------------------------------------------------------------


def test_the_same_for_a_program() -> None:
    told = difference.data(PERMIT, NEXT)
    assert [each["sentence"] for each in told] == difference.sentences(PERMIT, NEXT)
    vi = difference.data(PERMIT, NEXT, Lang.vi)
    assert [each["sentence"] for each in vi] == difference.sentences(PERMIT, NEXT, Lang.vi)
    assert json.loads(json.dumps(told)) == told
    by_path = {each["path"]: (each["old"], each["new"]) for each in told}
    assert by_path["term"] == ("5wd", "4wd")
    assert by_path["fee"] == (600_000, 700_000)
    assert by_path["valid_from"] == ("2023-01-01", "2024-01-01")
    assert by_path["transfer_by"] == ("15:00", None)
    assert by_path["policy"] == ("day", "session")
    assert by_path["channels.come[post]"] == ("post", None)
    assert by_path["components[suc-khoe].required"] == (True, False)
    assert by_path["components[hop-dong]"] == (None, CONTRACT.model_dump(mode="json"))
    assert by_path["online.reason"][1] == {"vi": "Phải nộp bản chính", "en": "Originals are kept"}


# Nothing is silent -------------------------------------------------------------------------


def full() -> Procedure:
    """Everything a version may say is said, and every list holds two."""
    one = Ground(document="Luật Một", article="Điều 1", verified=True)
    two = Ground(document="Luật Hai", article="Điều 2", verified=False)
    why = Name(vi="vì lẽ ấy", en="reason given")
    asked = Consultation(unit="H42.07.02", term=term("3wd"), about=why)
    rule = Route(
        received_at=("H42.14.01", "diem-hai"), place=("duy-tien", "kim-bang"),
        field=("khoa-hoc", "lao-dong"), channel=("post", "online"), unit="H42.03.01",
        person="p-sci-officer-11", least_loaded=True,
    )  # fmt: skip
    first, _, third, _ = RENEWAL.stages
    stage = but(
        first, routes=(rule, Route(place=("ly-nhan", "binh-luc"))), needs=("don", "Biên bản"),
        produces=("Tờ trình", "Phiếu"), consults=(asked, but(asked, unit="H42.04.01")),
        next=("xem-xet", "end"), returns=("kiem-tra", "xem-xet"),
    )  # fmt: skip
    other = but(stage, code=third.code, name=third.name, role=Role.leader, unit="H42.03.09")
    return but(
        RENEWAL, suffix="000.00.00.H42", valid_until=date(2024, 12, 31), calendar="vn",
        regime="R2021", fee=5, online=Online(level="partial", reason=why),
        post=PublicPost(eligible=True, reason=why), stages=(stage, other),
        terms=(OtherTerm(term=term("18wd"), channel="post", region="island", ground=one),
               OtherTerm(term=term("12wd"), channel="online", region="plain", ground=two)),
        channels=Channels(come=("counter", "online"), go=("online", "post")),
        components=RENEWAL.components[1:], grounds=(one, two),
        supplement=but(RENEWAL.supplement, ground=one),
        extension=ExtensionRule(times=2, max=term("3wd"), before=term("1wd"), instrument="Mẫu 04",
                                ground=one),
    )  # fmt: skip


FULL = full()

# Of every key of the model how a change of it begins to be told: vi, en.
NAMED = {
    "code": ("Mã thủ tục", "national code"),
    "suffix": ("hậu tố", "suffix"),
    "code_verified": ("Mã thủ tục nay", "The code"),
    "version": ("Số phiên bản", "number of the version"),
    "valid_from": ("bắt đầu hiệu lực", "first day of validity"),
    "valid_until": ("hết hiệu lực", "last day of validity"),
    "name.vi": ("Tên thủ tục hành chính bằng tiếng Việt", "name of the procedure in Vietnamese"),
    "name.en": ("Tên thủ tục hành chính bằng tiếng Anh", "name of the procedure in English"),
    "field": ("Lĩnh vực", "The field"),
    "agency": ("Cơ quan có thẩm quyền", "competent authority"),
    "level": ("Cấp thực hiện", "level at which"),
    "online": ("trực tuyến", "online"),
    "online.level": ("Mức độ cung cấp dịch vụ công trực tuyến", "level of the online service"),
    "online.reason": ("Lý do không cung cấp", "not wholly online"),
    "online.reason.vi": ("Lý do không cung cấp", "not wholly online in Vietnamese"),
    "online.reason.en": ("Lý do không cung cấp", "not wholly online in English"),
    "channels.come": ("tiếp nhận hồ sơ", "rece"),
    "channels.go": ("trả kết quả", "sult"),
    "post.eligible": ("bưu chính công ích", "public post may"),
    "post.reason": ("Lý do không thực hiện qua dịch vụ bưu chính", "public post may not carry"),
    "post.reason.vi": ("Lý do không thực hiện qua dịch vụ bưu chính", "public post may not carry"),
    "post.reason.en": ("Lý do không thực hiện qua dịch vụ bưu chính", "public post may not carry"),
    "term": ("Thời hạn giải quyết", "The term"),
    "terms": ("hời hạn riêng", "separate term"),
    "terms.term": ("Thời hạn của hồ sơ nộp", "The term of dossiers that come"),
    "terms.channel": ("Nay có thời hạn riêng", "separate term now holds"),
    "terms.region": ("Nay có thời hạn riêng", "separate term now holds"),
    "terms.ground": ("Căn cứ pháp lý của thời hạn riêng", "ground of the term of dossiers"),
    "terms.ground.document": ("Văn bản trong căn cứ", "document in the legal ground of the term"),
    "terms.ground.article": ("Điều khoản trong căn cứ", "article in the legal ground of the term"),
    "terms.ground.verified": ("của thời hạn riêng", "text of the legal ground of the term"),
    "calendar": ("Lịch làm việc", "calendar"),
    "transfer_by": ("Giờ cuối để chuyển hồ sơ", "hour until which a dossier is passed on"),
    "stages": ("ước", "tage"),
    "stages.code": ("Thêm bước", "is new"),
    "stages.name.vi": ("Tên bước", "name of stage"),
    "stages.name.en": ("Tên bước", "name of stage"),
    "stages.unit": ("chuyển từ", "moves from"),
    "stages.routes": ("uy tắc phân công", "who gets"),
    "stages.routes.received_at": ("tiếp nhận tại", "received at"),
    "stages.routes.place": ("từ địa bàn", "from"),
    "stages.routes.field": ("thuộc lĩnh vực", "in the field"),
    "stages.routes.channel": ("nộp", "that come"),
    "stages.routes.unit": ("giao cho đơn vị", "go to"),
    "stages.routes.person": ("người xử lý", "person"),
    "stages.routes.least_loaded": ("ít hồ sơ nhất", "least in hand"),
    "stages.role": ("Người thực hiện bước", "Who does stage"),
    "stages.term": ("Thời hạn của bước", "term of stage"),
    "stages.needs": ("ắt đầu bước", "begin"),
    "stages.produces": ("ết thúc bước", "produce"),
    "stages.consults": ("ý kiến", "asked"),
    "stages.consults.unit": ("lấy thêm ý kiến", "opinion of"),
    "stages.consults.term": ("Thời hạn trả lời ý kiến", "time for the opinion of"),
    "stages.consults.about": ("Nội dung lấy ý kiến", "subject of the opinion"),
    "stages.consults.about.vi": ("Nội dung lấy ý kiến", "subject of the opinion"),
    "stages.consults.about.en": ("Nội dung lấy ý kiến", "subject of the opinion"),
    "stages.next": ("chuyển tiếp đến", "now goes on to"),
    "stages.returns": ("được trả lại", "sent back to"),
    "stages.accept": ("Hồ sơ đến bước", "taken in"),
    "components": ("hành phần hồ sơ", "omponent"),
    "components.code": ("Thêm thành phần hồ sơ", "is new"),
    "components.name.vi": ("Tên thành phần hồ sơ", "name of component"),
    "components.name.en": ("Tên thành phần hồ sơ", "name of component"),
    "components.required": ("bắt buộc", "required"),
    "components.originals": ("bản chính", "original"),
    "components.copies": ("bản sao", "cop"),
    "components.digitised": ("số hóa", "scanned"),
    "components.reusable": ("dữ liệu đã có", "held already"),
    "fee": ("phí", "fee"),
    "figures_verified": ("Cơ sở dữ liệu quốc gia", "national database"),
    "supplement.times": ("bổ sung hồ sơ", "asked to supplement"),
    "supplement.notice": ("thông báo yêu cầu bổ sung", "within which to ask"),
    "supplement.mode": ("bổ sung", "A supplement now"),
    "supplement.lapse": ("Thời gian chờ bổ sung", "without its supplement is closed"),
    "supplement.ground": ("việc bổ sung hồ sơ", "ground of the supplement"),
    "supplement.ground.document": (
        "việc bổ sung hồ sơ",
        "document in the legal ground of the",
    ),
    "supplement.ground.article": ("việc bổ sung hồ sơ", "article in the legal ground of the supp"),
    "supplement.ground.verified": ("việc bổ sung hồ sơ", "text of the legal ground of the supp"),
    "extension.times": ("hẹn lại ngày trả kết quả", "promised date may"),
    "extension.max": ("gia hạn tối đa", "longest extension"),
    "extension.before": ("thông báo gia hạn", "by which an extension must be announced"),
    "extension.instrument": ("Văn bản gia hạn", "paper that tells the citizen"),
    "extension.ground": ("của việc gia hạn", "ground of the extension"),
    "extension.ground.document": ("của việc gia hạn", "document in the legal ground of the ext"),
    "extension.ground.article": ("của việc gia hạn", "article in the legal ground of the ext"),
    "extension.ground.verified": ("của việc gia hạn", "text of the legal ground of the ext"),
    "policy": ("đúng hạn, quá hạn", "early, on time and late"),
    "regime": ("Chế độ pháp lý", "legal regime"),
    "grounds": ("căn cứ pháp lý", "legal ground"),
    "grounds.document": ("Thêm căn cứ pháp lý", "legal ground"),
    "grounds.article": ("Thêm căn cứ pháp lý", "legal ground"),
    "grounds.verified": ("đã đọc văn bản", "marked as read"),
}


def bare(kind: Any) -> Any:
    return bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def changed(kind: Any, value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every other value of that kind one change away, with the path of what was changed."""
    kind = bare(kind)
    if get_origin(kind) in {Union, UnionType}:
        kind, none = get_args(kind)
        assert none is type(None), path
        if value is None:  # it was left out by the change before
            return
        yield path, None
        yield from changed(kind, value, path)
    elif get_origin(kind) is tuple:
        yield from rearranged(bare(get_args(kind)[0]), value, path)
    elif isinstance(value, Row):
        for key, field in type(value).model_fields.items():
            below = f"{path}.{key}" if path else key
            for where, other in changed(field.annotation, getattr(value, key), below):
                yield where, but(value, **{key: other})
    else:
        yield from ((path, other) for other in others(kind, value) if other != value)


def rearranged(kind: Any, value: tuple[Any, ...], path: str) -> Iterator[tuple[str, Any]]:
    yield path, value[::-1]
    yield path, value[1:]
    yield path, (*value, *value[:1])
    for at, item in enumerate(value):
        for where, other in changed(kind, item, path):
            yield where, (*value[:at], other, *value[at + 1 :])


def others(kind: Any, value: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    if isinstance(value, Enum):
        return tuple(type(value))
    made = next(make for of, make in OTHER.items() if isinstance(value, of))
    return made(value)


OTHER: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    bool: lambda value: (not value,),
    int: lambda value: (0, value + 1, value + 2),
    date: lambda value: (value + timedelta(days=1), value - timedelta(days=400)),
    Term: lambda value: tuple(map(term, TERMS)),
    str: lambda value: (f"{value}-moi",),
}
TERMS = ("2wd", "40wd", "2cd", "3wh", "0.25wd", "sameday@14:30", "none")


def one_change_away(from_: Procedure) -> list[tuple[str, Procedure]]:
    return [(path, new) for path, new in changed(Procedure, from_) if new != from_]


CHANGES = one_change_away(FULL)


def test_every_key_of_the_model_is_changed_and_named() -> None:
    """Who adds a key to the model says here how a change of it is told."""
    assert {path for path, _ in CHANGES} == set(NAMED)
    assert len(CHANGES) > 250


def unmarked(path: str) -> str:
    """`stages[xem-xet].term` without which of them: `stages.term`."""
    return re.sub(r"\[[^\]]*\]|\.order", "", path)


@pytest.mark.parametrize("key", NAMED)
def test_no_change_of_a_key_is_silent(key: str) -> None:
    vi, en = NAMED[key]
    for path, new in CHANGES:
        if path != key:
            continue
        for old, now in ((FULL, new), (new, FULL)):
            told = difference.data(old, now)
            assert told
            assert all(key.startswith(unmarked(each["path"])) for each in told)
            assert all(each["old"] != each["new"] for each in told)
            assert any(en in each["sentence"] for each in told), told
            spoken = difference.sentences(old, now, Lang.vi)
            assert any(vi in each for each in spoken), spoken


@pytest.mark.parametrize("lang", Lang)
def test_different_changes_are_told_differently(lang: Lang) -> None:
    told: dict[tuple[str, ...], Procedure] = {}
    for _, new in CHANGES:
        said = tuple(difference.sentences(FULL, new, lang))
        assert told.setdefault(said, new) == new, said


def test_what_is_inside_a_stage_or_paper_names_it() -> None:
    for path, new in CHANGES:
        if path.startswith(("stages.", "components.")):
            for lang in Lang:
                said = difference.sentences(FULL, new, lang)
                assert all(re.search(r"\((kiem|xem|dang|mau)-[a-z-]+\)", each) for each in said)


def test_equal_versions_differ_in_nothing() -> None:
    for each in (*SAMPLE.values(), FULL):
        again = Procedure.model_validate_json(each.model_dump_json())
        assert difference.sentences(each, again) == difference.data(each, copy.copy(each)) == []


def test_the_citizen_comes_first() -> None:
    told = (head(each["path"]) for each in difference.data(PERMIT, NEXT))
    assert [each for each, _ in groupby(told)] == [
        "term", "fee", "components", "channels", "online", "supplement", "extension", "valid_from",
        "stages", "transfer_by", "policy", "version",
    ]  # fmt: skip


# Any two versions --------------------------------------------------------------------------


def head(path: str) -> str:
    return re.split(r"[.\[]", path)[0]


def pool(key: str) -> list[Any]:
    """The values a key of a procedure has in one of the changes."""
    return [getattr(new, key) for path, new in CHANGES if head(path) == key]


def several(key: str) -> st.SearchStrategy[Any]:
    """A list of what stood in one of the lists, in any order and number; else one of the values."""
    there = pool(key)
    if not isinstance(there[0], tuple):
        return st.sampled_from(there)
    items = list(dict.fromkeys(item for each in there for item in each))
    return st.lists(st.sampled_from(items), max_size=4).map(tuple)


VERSIONS = st.fixed_dictionaries(
    {}, optional={key: several(key) for key in Procedure.model_fields}
).map(lambda said: but(FULL, **said))


@given(VERSIONS, VERSIONS)
def test_what_differs_is_told_and_nothing_else(old: Procedure, new: Procedure) -> None:
    told = difference.data(old, new)
    differing = {key for key in Procedure.model_fields if getattr(old, key) != getattr(new, key)}
    assert {head(each["path"]) for each in told} == differing
    assert bool(told) is (old != new)


@given(VERSIONS, VERSIONS)
def test_every_difference_of_a_stage_is_told_at_its_code(old: Procedure, new: Procedure) -> None:
    told = [each["path"] for each in difference.data(old, new)]
    was, now = ({each.code: each for each in version.stages} for version in (old, new))
    if len(was) < len(old.stages) or len(now) < len(new.stages):
        return  # a code is there twice, which the checker refuses
    for code in was.keys() ^ now.keys():
        assert f"stages[{code}]" in told
    for code in was.keys() & now.keys():
        for key in Stage.model_fields:
            if getattr(was[code], key) != getattr(now[code], key):
                assert any(each.startswith(f"stages[{code}].{key}") for each in told)
    stayed = [code for code in was if code in now], [code for code in now if code in was]
    assert ("stages.order" in told) is (stayed[0] != stayed[1])


@given(VERSIONS, VERSIONS)
def test_the_other_way_round_the_same_things_change(old: Procedure, new: Procedure) -> None:
    there, back = difference.data(old, new), difference.data(new, old)
    order = [each["path"] for each in there if each["path"].endswith(".order")]
    assert order == [each["path"] for each in back if each["path"].endswith(".order")]
    assert len(there) == len(back)
    values = ([(each["old"], each["new"]) for each in way] for way in (there, back))
    assert same(next(values), [(new, old) for old, new in next(values)])


def same(one: list[Any], other: list[Any]) -> bool:
    return sorted(map(repr, one)) == sorted(map(repr, other))


ENGLISH = re.compile(
    r"\b(the|is|are|now|before|from|to|of|and|or|no|not|term|stage)\b", re.IGNORECASE
)


@given(VERSIONS, VERSIONS)
def test_sentences_are_sentences_in_their_language(old: Procedure, new: Procedure) -> None:
    vi, en = (difference.sentences(old, new, lang) for lang in (Lang.vi, Lang.en))
    assert len(vi) == len(en)
    for said in (*vi, *en):
        assert said.endswith(".")
        assert said[0].isupper()
        assert not re.search(r"[{}]|None|True|False|  |\(\)|=", said), said
    for said in vi:
        own = re.sub(r"“[^”]*”|\([a-z-]+\)|H42[0-9.]*", "", said)
        assert not ENGLISH.search(own), said
        assert not own.isascii(), said
    for said in en:
        own = re.sub(r"'[^']*'", "", said)
        assert own.isascii(), said


def test_any_two_procedures_can_be_compared() -> None:
    for old, new in pairwise(SAMPLE.values()):
        told = difference.data(old, new)
        assert {head(each["path"]) for each in told} >= {"code", "name"}
