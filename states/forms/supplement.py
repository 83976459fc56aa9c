"""Request to supplement a dossier: what is lacking, why, and until when."""

from datetime import datetime

from states.catalogue import Name
from states.forms import saying
from states.forms.form import Facts, Form
from states.forms.matter import Line, Matter
from states.forms.rows import FormName
from states.lifecycle import HELD
from states.sentences import Sentence
from states.words import Event


def _shut(matter: Matter) -> Sentence | None:
    if matter.last(Event.request_supplement) is None:
        return Sentence("the citizen was not asked to supplement anything")
    return None


def _says(matter: Matter) -> Facts:
    line = matter.last(Event.request_supplement)
    assert line is not None
    centre = matter.book.centre.code
    asked = [each for each in matter.lines if each["event"] == Event.request_supplement]
    return {
        # Whatever goes to the citizen goes by the one-stop unit (Decree 61/2018/NĐ-CP Art. 5(1)).
        "head": saying.issued(
            saying.body(matter.book, centre), saying.body(matter.book, matter.paper.counter)
        ),
        "missing": _missing(matter),
        "request": saying.decided(matter, line),
        "until": saying.moment(matter, _until(line)),
        "round": len(asked),
        "restarts": matter.paper.supplement_restarts and matter.paper.received_at is not None,
        "clerk": saying.clerk(matter, line),
    }


def _missing(matter: Matter) -> list[str]:
    """What has no file yet; once it came, nothing is."""
    if matter.paper.state not in HELD:
        return []
    lacking = (each for each in saying.components(matter) if each.code not in matter.files)
    return [saying.text(each.name.vi) for each in lacking]


def _until(line: Line) -> datetime | None:
    lapse = saying.payload(line).get("clock", {}).get("lapse")
    return datetime.fromisoformat(lapse) if lapse else None


FORM = Form(
    FormName.supplement,
    "request_supplement",
    Name(vi="Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ", en="Supplement request"),
    _shut,
    _says,
)
