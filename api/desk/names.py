"""What the desk calls things, in both languages. States by their names on the national portal."""

from states.figures.sheets import Both
from states.words import NATIONAL, Channel, Event, Outcome, Role, State, Tally

ROLES: dict[Role, Both] = {
    Role.citizen: Both("Công dân", "Citizen"),
    Role.reception: Both("Cán bộ một cửa", "Counter clerk"),
    Role.postal: Both("Nhân viên bưu chính", "Postal clerk"),
    Role.officer: Both("Chuyên viên", "Case officer"),
    Role.leader: Both("Lãnh đạo", "Leader"),
    Role.control: Both("Bộ phận kiểm soát", "Control unit"),
    Role.system: Both("Hệ thống", "System"),
}
STATES: dict[State, Both] = {
    state: Both(NATIONAL[state][0], english)
    for state, english in {
        State.registered: "Registered",
        State.received: "Received",
        State.declined: "Declined",
        State.digitised: "Digitised",
        State.routed: "Routed",
        State.processing: "In process",
        State.awaiting_supplement: "Awaiting supplement",
        State.awaiting_payment: "Awaiting payment",
        State.withdrawn: "Withdrawn",
        State.stopped: "Stopped",
        State.result_returned: "Result at the counter",
        State.delivered: "Delivered",
    }.items()
}
EVENTS: dict[Event, Both] = {
    Event.register: Both("Đăng ký", "Register"),
    Event.receive: Both("Tiếp nhận", "Receive"),
    Event.decline: Both("Từ chối tiếp nhận", "Decline"),
    Event.digitise: Both("Hoàn tất số hóa", "Finish digitising"),
    Event.route: Both("Chuyển xử lý", "Route"),
    Event.accept: Both("Nhận xử lý", "Take in"),
    Event.advance: Both("Chuyển bước tiếp", "Pass on"),
    Event.send_back: Both("Trả lại bước trước", "Send back"),
    Event.request_supplement: Both("Yêu cầu bổ sung", "Ask for a supplement"),
    Event.supplement: Both("Nhận bổ sung", "Take the supplement"),
    Event.lapse: Both("Hết hạn bổ sung", "Lapse"),
    Event.request_payment: Both("Yêu cầu nộp tiền", "Ask for payment"),
    Event.pay: Both("Ghi nhận đã nộp", "Note the payment"),
    Event.extend: Both("Xin lỗi, hẹn lại ngày", "Apologise, promise anew"),
    Event.return_result: Both("Trả kết quả về Một cửa", "Return the result"),
    Event.deliver: Both("Trả kết quả cho công dân", "Hand over the result"),
    Event.withdraw: Both("Công dân rút hồ sơ", "Withdraw"),
    Event.stop: Both("Dừng giải quyết", "Stop"),
    Event.reopen: Both("Mở lại để sửa sai sót", "Reopen"),
    Event.adopt: Both("Tiếp quản", "Take over"),
    Event.recompute: Both("Tính lại hạn", "Reckon anew"),
    Event.migrate: Both("Chuyển phiên bản thủ tục", "Migrate"),
    Event.restate: Both("Xếp loại lại", "Restate"),
}
CHANNELS: dict[Channel, Both] = {
    Channel.counter: Both("Trực tiếp", "Counter"),
    Channel.online: Both("Trực tuyến", "Online"),
    Channel.post: Both("Bưu chính công ích", "Public post"),
}
OUTCOMES: dict[Outcome, Both] = {
    Outcome.approved: Both("Đồng ý", "Approved"),
    Outcome.refused: Both("Từ chối", "Refused"),
    Outcome.unstated: Both("Không rõ", "Not stated"),
}
TALLIES: dict[Tally, Both] = {
    Tally.early: Both("Trước hạn", "Early"),
    Tally.on_time: Both("Đúng hạn", "On time"),
    Tally.late: Both("Quá hạn", "Late"),
    Tally.no_term: Both("Không có thời hạn", "No term"),
    Tally.not_counted: Both("Không tính", "Not counted"),
}
