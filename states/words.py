"""The words of the engine: states, events, roles, channels. Names, values and JSON are one."""

from enum import StrEnum, auto


class State(StrEnum):
    """Business states. Their names and codes on the national portal are in `NATIONAL`."""

    registered = auto()  # lodged online or at a post point; no clock yet
    received = auto()  # the slip is issued: the clock starts
    declined = auto()
    digitised = auto()  # every required component has its file and hash
    routed = auto()  # sent to the unit of the first stage
    processing = auto()  # in a stage of the procedure
    awaiting_supplement = auto()  # the clock is held, or will begin again
    awaiting_payment = auto()  # the clock is held
    withdrawn = auto()
    stopped = auto()
    result_returned = auto()  # approved or refused; the verdict is frozen
    delivered = auto()


class Event(StrEnum):
    """What may be done to a dossier, as an imperative."""

    register = auto()  # lodged online or at a post point
    receive = auto()  # the slip is issued (Form 01)
    decline = auto()  # refused at reception (Form 03)
    digitise = auto()  # every required component has its file and hash
    route = auto()  # sent to the unit of the first stage
    accept = auto()  # taken in by that unit
    advance = auto()  # to the next stage
    send_back = auto()  # to an earlier stage
    request_supplement = auto()  # Form 02
    supplement = auto()
    lapse = auto()  # what was asked for never came
    request_payment = auto()
    pay = auto()
    extend = auto()  # apology and new date (Form 04)
    return_result = auto()  # approved or refused; at the one-stop unit
    deliver = auto()
    withdraw = auto()  # by the citizen (Form 05)
    stop = auto()  # by the authority (Form 05)
    reopen = auto()  # a mistake in the result (Decree 61/2018 Art. 21)
    adopt = auto()  # taken over from another system with its history
    recompute = auto()  # its calendar was corrected
    migrate = auto()  # to another version of its procedure
    restate = auto()  # closed, and its verdict read again on a corrected calendar


class Role(StrEnum):
    """In what capacity somebody acts."""

    citizen = auto()
    reception = auto()  # one-stop officer
    postal = auto()  # postal clerk acting for agencies: receives and returns, decides nothing
    officer = auto()  # case officer
    leader = auto()  # unit leader, signatory
    control = auto()  # control unit: audits, moves nothing
    system = auto()  # flows


class Clock(StrEnum):
    """What a move does to the dossier's clock."""

    starts = auto()
    holds = auto()
    runs = auto()
    restarts = auto()
    extends = auto()
    reckons = auto()  # the same facts, read anew under other rules
    stops = auto()
    nothing = auto()


class Visit(StrEnum):
    """What a move does to the visits of stages."""

    enters = auto()
    changes = auto()
    leaves = auto()
    nothing = auto()


class Channel(StrEnum):
    """How a dossier came in."""

    counter = auto()
    online = auto()
    post = auto()


class Outcome(StrEnum):
    """What the competent authority decided."""

    approved = auto()
    refused = auto()
    unstated = auto()  # taken over from a system that did not say


class Tally(StrEnum):
    """How a finished dossier is counted: the frozen verdict, or why it has none."""

    early = auto()
    on_time = auto()
    late = auto()
    no_term = auto()  # the procedure sets no term
    not_counted = auto()  # withdrawn, stopped or declined: no result to class


# Names and codes of the national portal (Circular 22/2019/TT-BTTTT Art. 4, Annex I).
NATIONAL: dict[State, tuple[str, int]] = {
    State.registered: ("Mới đăng ký", 1),
    State.received: ("Được tiếp nhận", 2),
    State.declined: ("Không được tiếp nhận", 3),
    State.digitised: ("Đã số hóa", 2),
    State.routed: ("Đã chuyển xử lý", 4),
    State.processing: ("Đang xử lý", 4),
    State.awaiting_supplement: ("Yêu cầu bổ sung", 5),
    State.awaiting_payment: ("Yêu cầu nghĩa vụ tài chính", 6),
    State.withdrawn: ("Công dân rút hồ sơ", 7),
    State.stopped: ("Dừng xử lý", 8),
    State.result_returned: ("Đã có kết quả tại Một cửa", 9),
    State.delivered: ("Đã trả kết quả", 10),
}
