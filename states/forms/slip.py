"""Receipt slip with the appointment: what was handed in, when the result is due, how to follow it.

It carries the secret part of the code; see `states.tracking.slip`.
"""

from states.catalogue import Name
from states.forms import saying
from states.forms.form import Facts, Form
from states.forms.matter import Matter
from states.forms.rows import FormName
from states.sentences import Sentence
from states.words import Channel, Event

WAYS = {
    Channel.counter: "Trực tiếp tại nơi tiếp nhận hồ sơ",
    Channel.post: "Qua dịch vụ bưu chính công ích",
    Channel.online: "Trực tuyến (bản điện tử)",
}
CAME = {
    Channel.counter: "trực tiếp",
    Channel.post: "qua dịch vụ bưu chính công ích",
    Channel.online: "trực tuyến",
}


def _shut(matter: Matter) -> Sentence | None:
    if matter.paper.received_at is None:
        return Sentence("the dossier has not been received: the slip is issued at receipt")
    return None


def _says(matter: Matter) -> Facts:
    paper = matter.paper
    line = matter.last(Event.receive) or matter.lines[0]
    first, now = paper.due_original, paper.due_at
    return {
        "head": saying.issued(
            saying.body(matter.book, matter.book.centre.code),
            saying.body(matter.book, paper.counter),
        ),
        "components": saying.listed(matter),
        "term": saying.term(paper.term),
        "due": saying.moment(matter, first),
        "moved": saying.moment(matter, now) if now not in {None, first} else "",
        "came": CAME[Channel(paper.channel)],
        "returns": _returns(matter),
        "fee": _fee(matter),
        "clerk": saying.clerk(matter, line),
        "behalf": saying.body(matter.book, line["on_behalf_of"]) if line["on_behalf_of"] else "",
        "track": _track(matter),
    }


def _returns(matter: Matter) -> list[Facts]:
    """The ways the result may go; which one is ticked by hand, until it went."""
    of = matter.procedure
    ways = [Channel(each) for each in (of.channels.go if of else Channel)]
    went = matter.paper.delivered_by
    return [{"name": WAYS[each], "chosen": each == went} for each in ways]


def _fee(matter: Matter) -> str:
    of, paid = matter.procedure, matter.paper.fee_paid
    asked = max(of.fee if of else 0, matter.paper.fee_asked)
    if not asked:
        return "không thu" if of else ""
    return f"{saying.money(asked)}, đã nộp {saying.money(paid)}" if paid else saying.money(asked)


def _track(matter: Matter) -> Facts | None:
    track = matter.track
    if track is None:
        return None
    return {
        "address": track.address(matter.paper.code),
        "site": f"{track.site.rstrip('/')}/track",
        "secret": track.printed,
    }


FORM = Form(
    FormName.slip,
    "receive",
    Name(vi="Giấy tiếp nhận hồ sơ và hẹn trả kết quả", en="Receipt and appointment slip"),
    _shut,
    _says,
)
