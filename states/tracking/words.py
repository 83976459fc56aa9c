"""What a citizen is told of a dossier, in their words. Pairs are Vietnamese, English.

Placeholders are filled by `telling`: names of bodies, and moments by the clock of the office.
"""

from states.clock.words import Lang, Words
from states.words import Event, State

STATES: dict[State, Words] = {
    State.registered: (
        "Hồ sơ đã được đăng ký và đang chờ kiểm tra để tiếp nhận; thời hạn giải quyết chưa tính.",
        "The dossier is lodged and waits to be checked; its term has not begun.",
    ),
    State.received: (
        "Hồ sơ đã được tiếp nhận; thời hạn giải quyết đã bắt đầu.",
        "The dossier is received; its term has begun.",
    ),
    State.declined: (
        "Hồ sơ không được tiếp nhận.",
        "The dossier was not accepted.",
    ),
    State.digitised: (
        "Hồ sơ đã được tiếp nhận và số hóa, sắp được chuyển đến cơ quan giải quyết.",
        "The dossier is received and scanned, and is about to be sent to the competent body.",
    ),
    State.routed: (
        "Hồ sơ đã được chuyển đến cơ quan giải quyết.",
        "The dossier was sent to the competent body.",
    ),
    State.processing: (
        "Cơ quan đang giải quyết hồ sơ.",
        "The dossier is being processed.",
    ),
    State.awaiting_supplement: (
        "Hồ sơ đang chờ ông/bà bổ sung.",
        "The dossier waits for what was asked of you.",
    ),
    State.awaiting_payment: (
        "Hồ sơ đang chờ ông/bà nộp nghĩa vụ tài chính.",
        "The dossier waits for your payment.",
    ),
    State.withdrawn: (
        "Hồ sơ đã được rút theo yêu cầu của người nộp.",
        "The dossier was withdrawn at the applicant's request.",
    ),
    State.stopped: (
        "Cơ quan đã dừng giải quyết hồ sơ.",
        "The dossier was stopped.",
    ),
    State.result_returned: (
        "Đã có kết quả, mời ông/bà đến nhận.",
        "The result is ready to be fetched.",
    ),
    State.delivered: (
        "Kết quả đã được trả.",
        "The result was handed over.",
    ),
}

LAPSED: Words = (
    "Không nhận được nội dung đã yêu cầu trong thời hạn nên hồ sơ được kết thúc.",
    "What was asked for did not come in time, so the dossier was closed.",
)

# Why a promised date moved, or there was none: every event whose line may tell a date.
PROMISES: dict[Event, Words] = {
    Event.receive: (
        "Ngày hẹn trả kết quả khi tiếp nhận.",
        "The date promised at receipt.",
    ),
    Event.adopt: (
        "Ngày hẹn trả kết quả theo hệ thống trước.",
        "The date that the former system had promised.",
    ),
    Event.request_supplement: (
        "Tạm dừng tính thời hạn để chờ bổ sung.",
        "The term stands still until the supplement comes.",
    ),
    Event.supplement: (
        "Đã nhận bổ sung, hẹn lại ngày trả kết quả.",
        "The supplement came, and the date was set anew.",
    ),
    Event.request_payment: (
        "Tạm dừng tính thời hạn để chờ nộp nghĩa vụ tài chính.",
        "The term stands still until it is paid.",
    ),
    Event.pay: (
        "Đã nộp nghĩa vụ tài chính, hẹn lại ngày trả kết quả.",
        "It was paid, and the date was set anew.",
    ),
    Event.extend: (
        "Cơ quan xin lỗi và hẹn lại ngày trả kết quả.",
        "We apologise, and promise another date.",
    ),
    Event.return_result: (
        "Ngày hẹn được tính lại khi có kết quả.",
        "The date was reckoned again when the result came.",
    ),
    Event.reopen: (
        "Kết quả được thu hồi để sửa, hẹn lại ngày trả kết quả.",
        "The result was taken back to be corrected, and the date was set anew.",
    ),
    Event.recompute: (
        "Lịch làm việc được điều chỉnh nên ngày hẹn thay đổi.",
        "The calendar of working days was corrected, and with it the date.",
    ),
    Event.migrate: (
        "Quy trình giải quyết thay đổi nên ngày hẹn thay đổi.",
        "The procedure's rules changed, and with them the date.",
    ),
    Event.restate: (
        "Lịch làm việc được điều chỉnh nên ngày hẹn được tính lại sau khi có kết quả.",
        "The calendar was corrected after the result, and the date was reckoned again.",
    ),
}

AT_COUNTER: Words = (
    "Hồ sơ đang ở nơi tiếp nhận: {place}.",
    "It is where it was handed in: {place}.",
)
SENT: Words = (
    "Hồ sơ đang được chuyển đến {place}.",
    "It is on its way to {place}.",
)
AT_AGENCY: Words = (
    "Hồ sơ đang ở {place}.",
    "It is with {place}.",
)
RESULT_READY: Words = (
    "Kết quả đang ở {place}.",
    "The result is at {place}.",
)
WITH_CITIZEN: Words = (
    "Kết quả đã được trả cho người nhận.",
    "The result was handed over.",
)
ASK: Words = (
    "Về giấy tờ đã nộp, hãy hỏi nơi tiếp nhận: {place}.",
    "About the papers handed in, ask where they were: {place}.",
)

SUPPLEMENT: Words = (
    "Đề nghị ông/bà bổ sung hồ sơ trước {until}; quá thời điểm này hồ sơ được kết thúc.",
    "Please bring what is missing before {until}; after that the dossier is closed.",
)
PAYMENT: Words = (
    "Đề nghị ông/bà nộp {amount} trước {until}; quá thời điểm này hồ sơ được kết thúc.",
    "Please pay {amount} before {until}; after that the dossier is closed.",
)

LATE: Words = (
    "Chúng tôi xin lỗi ông/bà: kết quả hẹn trả {promised} đã bị chậm, chưa có ngày hẹn mới.",
    "We apologise: the result promised for {promised} is late, and there is no new date yet.",
)
PROMISED_ANEW: Words = (
    "Chúng tôi xin lỗi ông/bà: kết quả hẹn trả {promised} đã bị chậm; ngày hẹn mới là {new}.",
    "We apologise: the result promised for {promised} is late; the new date is {new}.",
)
CAME_LATE: Words = (
    "Chúng tôi xin lỗi ông/bà: hồ sơ đã kết thúc sau ngày hẹn {promised}.",
    "We apologise: the dossier ended after the date promised, {promised}.",
)


def say(words: Words, lang: Lang, **values: str) -> str:
    """One of the two, filled. What stands in a value is not looked at again."""
    return words[list(Lang).index(lang)].format_map(values)


def amount(vnd: int, lang: Lang) -> str:
    return f"{vnd:,} VND" if lang is Lang.en else f"{vnd:,} đồng".replace(",", ".")
