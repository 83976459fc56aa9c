"""What a new version of a procedure says otherwise than the old one, in sentences. Pure.

For an agency's clerk: first what the citizen sees, then what happens inside. Every key of the model
is in these tables, so that no change is silent; stages, papers and the like are followed by their
codes, not by their places.
"""

from collections.abc import Iterator
from typing import Any

from states.catalogue.difference import values
from states.catalogue.difference.rules import (
    CHANNELS,
    COMPONENT,
    EXTENSION,
    GROUND,
    ONLINE,
    OTHER_TERM,
    POST,
    SUPPLEMENT,
    name,
)
from states.catalogue.difference.stages import STAGE
from states.catalogue.difference.telling import (
    Change,
    Fields,
    Part,
    Place,
    Rows,
    Value,
    compare,
    counted,
    flag,
    goes,
    stands,
)
from states.catalogue.organisation import Row
from states.catalogue.procedures import Procedure
from states.clock.words import Lang


def sentences(old: Procedure, new: Procedure, lang: Lang = Lang.en) -> list[str]:
    """What changed, a sentence each; none where the two say the same."""
    return [each.words[lang is Lang.en] for each in _changes(old, new)]


def data(old: Procedure, new: Procedure, lang: Lang = Lang.en) -> list[dict[str, Any]]:
    """The same for a program: path, old and new value as in a bundle, sentence.

    What is known by its code stands so in the path, `stages[xem-xet].term`, and is null where it
    was or is not there. `stages.order` holds the codes of both lists, when some of them moved.
    """
    return [
        {
            "path": each.path,
            "old": _written(each.old),
            "new": _written(each.new),
            "sentence": each.words[lang is Lang.en],
        }
        for each in _changes(old, new)
    ]


def _changes(old: Procedure, new: Procedure) -> Iterator[Change]:
    return compare(PROCEDURE, Place("", ("", ""), (old, new)), old, new)


def _written(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Row):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_written(each) for each in value]
    return value if value is None or isinstance(value, int) else str(value)


DATABASE = ("Cơ sở dữ liệu quốc gia về thủ tục hành chính", "the national database")
PROCEDURE: Fields = {
    "term": Value(("Thời hạn giải quyết", "The term"), values.length, goes),
    "terms": Rows(
        keys=("channel", "region"),
        named=values.dossiers,
        told=lambda each, whole: values.length(each.term),
        fields=OTHER_TERM,
        added=(
            "Nay có thời hạn riêng cho {item}: {told}.",
            "A separate term now holds for {item}: {told}.",
        ),
        removed=(
            "Không còn thời hạn riêng cho {item}; trước đây là {told}.",
            "No separate term holds any more for {item}; before, {told}.",
        ),
        order=("Thứ tự xét các thời hạn riêng", "The order in which separate terms are looked at"),
    ),
    "fee": Value(
        say=values.money,
        sentence=counted(
            begins=(
                "Nay thu phí, lệ phí {new}; trước đây không thu.",
                "A fee of {new} is now taken; before, none.",
            ),
            ends=(
                "Không còn thu phí, lệ phí; trước đây thu {old}.",
                "No fee is taken any more; before, {old}.",
            ),
            rises=("Phí, lệ phí tăng từ {old} lên {new}.", "The fee rises from {old} to {new}."),
            falls=(
                "Phí, lệ phí giảm từ {old} xuống còn {new}.",
                "The fee falls from {old} to {new}.",
            ),
        ),
    ),
    "components": Rows(
        keys=("code",),
        named=values.named,
        called=values.called,
        told=values.component,
        fields=COMPONENT,
        added=(
            "Thêm thành phần hồ sơ {item}: {told}.",
            "Component {item} is new: {told}.",
        ),
        removed=("Bỏ thành phần hồ sơ {item}.", "Component {item} is no longer asked for."),
        order=("Thứ tự thành phần hồ sơ", "The order of the components"),
    ),
    "channels": Part(CHANNELS),
    "post": Part(POST),
    "online": Part(
        ONLINE,
        whole=Value(
            ("Mức độ cung cấp dịch vụ công trực tuyến", "The level of the online service"),
            values.online,
        ),
    ),
    "supplement": Part(SUPPLEMENT),
    "extension": Part(EXTENSION),
    "valid_from": Value(("Ngày bắt đầu hiệu lực", "The first day of validity"), values.day, goes),
    "valid_until": Value(
        ("Ngày hết hiệu lực", "The last day of validity"),
        values.day,
        stands,
        absent=("không ấn định, đến khi có phiên bản kế tiếp", "open until the next version"),
    ),
    "stages": Rows(
        keys=("code",),
        named=values.named,
        called=values.called,
        told=values.stage,
        fields=STAGE,
        added=("Thêm bước {item}, xếp {where}: {told}.", "Stage {item} is new, {where}: {told}."),
        removed=("Bỏ bước {item}.", "Stage {item} is dropped."),
        order=("Thứ tự các bước", "The order of the stages"),
    ),
    "transfer_by": Value(
        (
            "Giờ cuối để chuyển hồ sơ ngay trong ngày tiếp nhận",
            "The hour until which a dossier is passed on the same day",
        ),
        values.plain,
        goes,
    ),
    "calendar": Value(
        ("Lịch làm việc", "The calendar"),
        values.plain,
        stands,
        absent=("theo lịch của cơ quan", "the agency's own"),
    ),
    "policy": Value(
        (
            "Cách xác định trước hạn, đúng hạn, quá hạn",
            "The way in which early, on time and late are told apart",
        ),
        values.policy,
    ),
    "regime": Value(
        ("Chế độ pháp lý áp dụng", "The legal regime"),
        values.plain,
        stands,
        absent=("theo ngày tiếp nhận", "that of the day of receipt"),
    ),
    "grounds": Rows(
        keys=("document", "article"),
        named=values.ground,
        fields=GROUND,
        added=("Thêm căn cứ pháp lý {item}.", "The legal ground {item} is new."),
        removed=("Bỏ căn cứ pháp lý {item}.", "The legal ground {item} is no longer named."),
        order=("Thứ tự căn cứ pháp lý", "The order of the legal grounds"),
    ),
    "name": name("Tên thủ tục hành chính", "The name of the procedure"),
    "code": Value(("Mã thủ tục hành chính", "The national code"), values.plain),
    "suffix": Value(
        ("Phần hậu tố địa phương của mã thủ tục", "The local suffix of the code"),
        values.plain,
        stands,
        absent=("không có", "none"),
    ),
    "field": Value(("Lĩnh vực", "The field"), values.plain),
    "agency": Value(("Cơ quan có thẩm quyền giải quyết", "The competent authority"), values.plain),
    "level": Value(("Cấp thực hiện", "The level at which it is done"), values.word),
    "version": Value(("Số phiên bản", "The number of the version"), values.plain, goes),
    "code_verified": flag(
        (
            "Mã thủ tục nay được đánh dấu là đã đối chiếu.",
            "The code is now marked as found in a public text.",
        ),
        (
            "Mã thủ tục nay không còn được đánh dấu là đã đối chiếu.",
            "The code is no longer marked as found in a public text.",
        ),
    ),
    "figures_verified": flag(
        (
            f"Thời hạn, phí và thành phần hồ sơ nay đã được đối chiếu với {DATABASE[0]}.",
            f"Term, fee and papers are now marked as compared with {DATABASE[1]}.",
        ),
        (
            f"Thời hạn, phí và thành phần hồ sơ nay chưa được đối chiếu với {DATABASE[0]}.",
            f"Term, fee and papers are no longer marked as compared with {DATABASE[1]}.",
        ),
    ),
}
