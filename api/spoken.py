"""The caller's language, and what each kind of problem is called in Vietnamese."""

from states.clock.words import Lang


def liked(accepted: str) -> Lang | None:
    """The better liked of Vietnamese and English; None when neither is (RFC 9110 §12.5.4)."""
    weights: dict[Lang, float] = {}
    for part in accepted.lower().split(","):
        tag, _, weight = part.partition(";q=")
        known = tag.strip().split("-")[0]
        if known in set(Lang):
            weights.setdefault(Lang(known), _weight(weight))
    if not any(weights.values()):
        return None
    return Lang.en if weights.get(Lang.en, 0) > weights.get(Lang.vi, 0) else Lang.vi


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


# By the last part of a problem's type. A test demands one for every type.
TITLES = {
    "unidentified": "Chưa cho biết, hoặc chưa chứng minh, ai là người yêu cầu",
    "wrong-credentials": "Sai tên đăng nhập hoặc mật khẩu, hoặc tài khoản đang tạm khóa",
    "session-ended": "Phiên làm việc đã hết: hãy đăng nhập lại",
    "not-vouched": "Nhà cung cấp định danh không xác nhận người này",
    "not-held": "Người này không giữ vai trò muốn dùng",
    "password-due": "Phải đổi mật khẩu dùng một lần trước đã",
    "out-of-scope": "Khóa dịch vụ không được cấp cho việc này",
    "no-account": "Không có tài khoản nào ứng với định danh này",
    "no-right": "Việc soạn, ban hành hay thu hồi này thuộc người khác",
    "not-yours": "Bước này đang mở, nhưng không dành cho vai trò này",
    "unknown": "Không có đối tượng này",
    "no-such-address": "Không có gì ở địa chỉ này",
    "no-such-method": "Địa chỉ này không nhận phương thức đó",
    "too-slow": "Nội dung gửi lên không đến kịp",
    "not-open": "Từ trạng thái này không có bước đó",
    "not-allowed": "Phiên bản này không được soạn, ban hành hay thu hồi như vậy",
    "not-now": "Lúc này chưa làm được việc đó với vi phạm thời hạn này",
    "not-together": "Không phải mọi bước đều được nhận, nên không bước nào được ghi",
    "not-dead": "Tin nhắn này không nằm trong số bị bỏ",
    "account-exists": "Người này đã có tài khoản",
    "stale": "Đã có người xử lý hồ sơ này trước",
    "too-large": "Nội dung gửi lên lớn hơn 1 MB",
    "file-too-large": "Tệp lớn hơn mức cho phép",
    "not-taken": "Loại tệp này không được nhận",
    "bad-input": "Không hiểu được nội dung gửi lên",
    "bad-file": "Tệp có chỗ sai",
    "key-reused": "Khóa chống lặp đã được dùng cho yêu cầu khác",
    "weak-password": "Mật khẩu này không dùng được",
    "wrong-password": "Mật khẩu cũ không đúng",
    "invalid": "Yêu cầu không đúng như tài liệu OpenAPI mô tả",
    "unknown-event": "Vòng đời hồ sơ không có bước này",
    "too-many": "Hỏi quá nhiều lần: hãy đợi rồi hỏi lại",
    "broken": "Có lỗi bên trong, đã được ghi lại theo mã của yêu cầu này",
    "spoilt": "Tệp đã lưu không còn nguyên vẹn",
    "wrong-schema": "Cơ sở dữ liệu không đúng phiên bản",
    "other-server": "Cơ sở dữ liệu được phục hồi từ máy chủ khác: cần chạy `hoso migrate`",
    "away": "Cơ sở dữ liệu không trả lời",
    "store-away": "Kho tệp không trả lời",
    "provider-away": "Nhà cung cấp định danh không trả lời",
    "outdated": "Danh mục vừa thay đổi: hãy gửi lại",
}
