"""What is said of breaches, in both languages."""

from states.breaches.following import Came
from states.breaches.grouping import GroupedBy
from states.breaches.rows import Cause, Standing, Step
from states.catalogue.rules import On
from states.figures.sheets import Both

CAUSES: dict[Cause, Both] = {
    Cause.workload: Both("Quá nhiều việc", "Workload"),
    Cause.absence: Both("Vắng người", "Absence"),
    Cause.waiting_for_other: Both("Chờ cơ quan khác", "Waiting for another body"),
    Cause.incomplete_dossier: Both("Hồ sơ chưa đủ", "Incomplete dossier"),
    Cause.complex_case: Both("Vụ việc phức tạp", "Complex case"),
    Cause.system: Both("Lỗi hệ thống", "Fault of the system"),
    Cause.other: Both("Khác", "Other"),
}
STANDINGS: dict[Standing, tuple[str, Both]] = {
    Standing.open: ("open", Both("Chưa giao giải trình", "Not yet assigned")),
    Standing.assigned: ("soon", Both("Đã giao giải trình", "Assigned to be explained")),
    Standing.explained: ("on_time", Both("Đã giải trình", "Explained")),
    Standing.closed: ("early", Both("Đã kết luận", "Closed")),
}
STEPS: dict[Step, Both] = {
    Step.assign: Both("Giao giải trình", "Assigned"),
    Step.explain: Both("Giải trình", "Explained"),
    Step.close: Both("Kết luận", "Closed"),
    Step.reopen: Both("Mở lại", "Reopened"),
}
WATCHED: dict[On, Both] = {
    On.term: Both("Hạn trả kết quả", "Date of the result"),
    On.stage: Both("Hạn của bước", "Term of the stage"),
    On.transfer: Both("Chuyển hồ sơ", "Transfer"),
    On.supplement_notice: Both("Yêu cầu bổ sung", "Notice of a supplement"),
    On.apology: Both("Xin lỗi, hẹn lại", "Apology and new date"),
    On.online_answer: Both("Trả lời hồ sơ trực tuyến", "Answer to an online lodging"),
}
CAME: dict[Came, tuple[str, Both]] = {
    Came.kept: ("early", Both("Đã giữ hẹn", "Kept")),
    Came.missed: ("late", Both("Lỡ hẹn lần nữa", "Missed again")),
    Came.running: ("open", Both("Chưa đến hẹn", "Still ahead")),
    Came.ended: ("none", Both("Rút, dừng: không còn kết quả", "Ended without a result")),
}
GROUPS: dict[GroupedBy, Both] = {
    GroupedBy.holder: Both("Người giữ khi quá hạn", "Holder past the due moment"),
    GroupedBy.unit: Both("Đơn vị", "Unit"),
    GroupedBy.rule: Both("Loại vi phạm, bước", "Rule, stage"),
    GroupedBy.cause: Both("Nguyên nhân", "Cause"),
    GroupedBy.procedure: Both("Thủ tục", "Procedure"),
    GroupedBy.agency: Both("Cơ quan", "Agency"),
    GroupedBy.field: Both("Lĩnh vực", "Field"),
    GroupedBy.person: Both("Người", "Person"),
    GroupedBy.month: Both("Tháng đến hạn", "Month it was due"),
}
