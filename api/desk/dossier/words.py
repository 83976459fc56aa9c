"""What only the page of a dossier calls by name, in both languages."""

from api.desk.breaches import saying
from states.breaches.rows import Standing as Explained
from states.catalogue.rules import What
from states.consultations.rows import Opinion, Standing
from states.figures.sheets import Both
from states.files.rows import Provenance
from states.notices.rows import Audience, Sending, Way

CAUSES = saying.CAUSES
WAYS: dict[Way, Both] = {
    Way.email: Both("Thư điện tử", "E-mail"),
    Way.sms: Both("Tin nhắn SMS", "SMS"),
    Way.chat: Both("Tin nhắn Zalo", "Chat"),
    Way.webhook: Both("Hệ thống khác", "Another system"),
}
SENDINGS: dict[Sending, Both] = {
    Sending.queued: Both("Đang chờ gửi", "Waiting to be sent"),
    Sending.sent: Both("Đã gửi", "Sent"),
    Sending.dead: Both("Không gửi được", "Could not be sent"),
}
AUDIENCES: dict[Audience, Both] = {
    Audience.citizen: Both("Người nộp", "Applicant"),
    Audience.staff: Both("Cán bộ", "Staff"),
    Audience.system: Both("Hệ thống", "System"),
}
STANDINGS: dict[Standing, Both] = {
    Standing.open: Both("Đang chờ ý kiến", "Waiting for the opinion"),
    Standing.answered: Both("Đã có ý kiến", "Answered"),
    Standing.withdrawn: Both("Đã rút câu hỏi", "Withdrawn"),
    Standing.overtaken: Both("Hồ sơ đã qua bước", "The stage was left"),
}
OPINIONS: dict[Opinion, Both] = {
    Opinion.agrees: Both("Nhất trí", "Agrees"),
    Opinion.disagrees: Both("Không nhất trí", "Disagrees"),
    Opinion.comments: Both("Có ý kiến khác", "Comments"),
}
PROVENANCES: dict[Provenance, Both] = {
    Provenance.scanned: Both("quét tại quầy", "scanned at the counter"),
    Provenance.uploaded: Both("tải lên", "uploaded"),
    Provenance.portal: Both("từ Cổng Dịch vụ công", "from the national portal"),
    Provenance.agency: Both("từ phần mềm cơ quan", "from the agency's software"),
}
FOUND: dict[What, Both] = {
    What.alert: Both("Nhắc hạn", "Alert"),
    What.breach: Both("Vi phạm thời hạn", "Breach"),
    What.escalation: Both("Báo cấp trên", "Escalation"),
    What.reminder: Both("Nhắc giải trình", "Reminder"),
}
EXPLAINED: dict[Explained, Both] = {
    Explained.open: Both("chưa giải trình", "not explained yet"),
    Explained.assigned: Both("đã giao giải trình", "to be explained"),
    Explained.explained: Both("đã giải trình", "explained"),
    Explained.closed: Both("đã kết luận", "closed"),
}
HOLDERS: dict[str, Both] = {
    "reception": Both("Bộ phận Một cửa", "the counter"),
    "post": Both("đang trên đường bưu chính", "on its way by post"),
    "unit": Both("đơn vị giải quyết", "the unit"),
    "other_agency": Both("cơ quan khác", "another agency"),
    "citizen": Both("người nộp", "the applicant"),
    "nobody": Both("đã kết thúc", "nobody: it was finished"),
}
