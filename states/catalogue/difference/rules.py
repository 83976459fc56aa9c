"""The keys of what a citizen sees of a procedure, and how a change of each is told."""

from states.catalogue.difference import values
from states.catalogue.difference.telling import (
    Fields,
    Part,
    Rows,
    Value,
    always,
    becomes,
    counted,
    flag,
    goes,
)


def name(vi: str, en: str) -> Part:
    """A name or a reason, in each language by itself."""
    keys = {
        "vi": Value((f"{vi} bằng tiếng Việt", f"{en} in Vietnamese")),
        "en": Value((f"{vi} bằng tiếng Anh", f"{en} in English")),
    }
    return Part(keys, whole=Value((vi, en), values.both))


GROUND: Fields = {
    "document": Value(
        ("Văn bản trong căn cứ pháp lý {of}", "The document in the legal ground {of}")
    ),
    "article": Value(
        ("Điều khoản trong căn cứ pháp lý {of}", "The article in the legal ground {of}"),
    ),
    "verified": flag(
        (
            "Căn cứ pháp lý {of} nay được đánh dấu là đã đọc văn bản.",
            "The text of the legal ground {of} is now marked as read.",
        ),
        (
            "Căn cứ pháp lý {of} nay không còn được đánh dấu là đã đọc văn bản.",
            "The text of the legal ground {of} is no longer marked as read.",
        ),
    ),
}


def ground(vi: str, en: str) -> Part:
    """The legal ground of a rule."""
    thing = f"Căn cứ pháp lý {vi}", f"The legal ground {en}"
    return Part(GROUND, of=(vi, en), whole=Value(thing, values.ground))


OTHER_TERM: Fields = {
    "term": Value(("Thời hạn của {of}", "The term of {of}"), values.length, goes),
    "ground": ground("của thời hạn riêng cho {of}", "of the term of {of}"),
}

HANDED_IN = always(
    "Thành phần hồ sơ {of} nay nộp {new} thay vì {old}.",
    "Component {of} is now handed in with {new} instead of {old}.",
)
COMPONENT: Fields = {
    "name": name("Tên thành phần hồ sơ {of}", "The name of component {of}"),
    "required": flag(
        ("Thành phần hồ sơ {of} nay bắt buộc phải nộp.", "Component {of} is now required."),
        (
            "Thành phần hồ sơ {of} không còn bắt buộc phải nộp.",
            "Component {of} is no longer required.",
        ),
    ),
    "originals": Value(say=values.originals, sentence=HANDED_IN),
    "copies": Value(say=values.copies, sentence=HANDED_IN),
    "reusable": flag(
        (
            "Thành phần hồ sơ {of} nay được lấy từ dữ liệu đã có, không phải nộp.",
            "Component {of} is now taken from what is held already, and not handed in.",
        ),
        (
            "Thành phần hồ sơ {of} không còn được lấy từ dữ liệu đã có mà phải nộp.",
            "Component {of} is no longer taken from what is held already, but handed in.",
        ),
    ),
    "digitised": flag(
        (
            "Thành phần hồ sơ {of} nay được số hóa khi tiếp nhận.",
            "Component {of} is now scanned at reception.",
        ),
        (
            "Thành phần hồ sơ {of} không còn được số hóa khi tiếp nhận.",
            "Component {of} is no longer scanned at reception.",
        ),
    ),
}

SUPPLEMENT: Fields = {
    "times": Value(
        say=values.often,
        sentence=counted(
            begins=(
                "Nay được yêu cầu người nộp bổ sung hồ sơ tối đa {new}; trước đây không được.",
                "The citizen may now be asked to supplement {new}; before, never.",
            ),
            ends=(
                "Không còn được yêu cầu người nộp bổ sung hồ sơ; trước đây tối đa {old}.",
                "The citizen may no longer be asked to supplement; before, {old}.",
            ),
            changes=(
                "Nay được yêu cầu người nộp bổ sung hồ sơ tối đa {new} thay vì {old}.",
                "The citizen may be asked to supplement {new} instead of {old}.",
            ),
        ),
    ),
    "notice": Value(
        (
            "Thời hạn thông báo yêu cầu bổ sung hồ sơ",
            "The time within which to ask for a supplement",
        ),
        values.length,
        goes,
    ),
    "mode": Value(
        sentence=becomes(
            {
                "hold": (
                    "Khi chờ bổ sung hồ sơ, thời hạn nay được tạm dừng, không tính lại từ đầu.",
                    "A supplement now holds the term, and no longer begins it again.",
                ),
                "restart": (
                    "Khi nhận đủ hồ sơ bổ sung, thời hạn nay được tính lại từ đầu.",
                    "A supplement now begins the term again, and no longer only holds it.",
                ),
            }
        ),
    ),
    "lapse": Value(
        (
            "Thời gian chờ bổ sung trước khi dừng giải quyết hồ sơ",
            "The time after which a dossier without its supplement is closed",
        ),
        values.length,
        goes,
    ),
    "ground": ground("của việc bổ sung hồ sơ", "of the supplement"),
}

EXTENSION: Fields = {
    "times": Value(
        say=values.often,
        sentence=counted(
            begins=(
                "Nay được gia hạn, hẹn lại ngày trả kết quả tối đa {new}; trước đây không được.",
                "The promised date may now be moved {new}; before, never.",
            ),
            ends=(
                "Không còn được gia hạn, hẹn lại ngày trả kết quả; trước đây tối đa {old}.",
                "The promised date may no longer be moved; before, {old}.",
            ),
            changes=(
                "Nay được gia hạn, hẹn lại ngày trả kết quả tối đa {new} thay vì {old}.",
                "The promised date may be moved {new} instead of {old}.",
            ),
        ),
    ),
    "max": Value(("Thời gian gia hạn tối đa", "The longest extension"), values.length, goes),
    "before": Value(
        (
            "Thời gian phải thông báo gia hạn trước khi hết hạn",
            "The time before expiry by which an extension must be announced",
        ),
        values.length,
        goes,
    ),
    "instrument": Value(
        ("Văn bản gia hạn gửi tổ chức, cá nhân", "The paper that tells the citizen of an extension")
    ),
    "ground": ground("của việc gia hạn", "of the extension"),
}

CHANNELS: Fields = {
    "come": Rows(
        named=values.word,
        added=("Nay tiếp nhận hồ sơ {item}.", "Dossiers are now received {item}."),
        removed=("Không còn tiếp nhận hồ sơ {item}.", "Dossiers are no longer received {item}."),
        order=("Thứ tự các hình thức tiếp nhận hồ sơ", "The order of the channels of reception"),
    ),
    "go": Rows(
        named=values.word,
        added=("Nay trả kết quả {item}.", "Results are now returned {item}."),
        removed=("Không còn trả kết quả {item}.", "Results are no longer returned {item}."),
        order=("Thứ tự các hình thức trả kết quả", "The order of the channels of the result"),
    ),
}

POST: Fields = {
    "eligible": flag(
        (
            "Thủ tục nay được thực hiện qua dịch vụ bưu chính công ích.",
            "The public post may now carry its dossiers.",
        ),
        (
            "Thủ tục không còn được thực hiện qua dịch vụ bưu chính công ích.",
            "The public post may no longer carry its dossiers.",
        ),
    ),
    "reason": name(
        "Lý do không thực hiện qua dịch vụ bưu chính công ích",
        "The reason why the public post may not carry its dossiers",
    ),
}

ONLINE: Fields = {
    "level": Value(
        ("Mức độ cung cấp dịch vụ công trực tuyến", "The level of the online service"), values.word
    ),
    "reason": name(
        "Lý do không cung cấp dịch vụ công trực tuyến toàn trình",
        "The reason why the procedure is not wholly online",
    ),
}
